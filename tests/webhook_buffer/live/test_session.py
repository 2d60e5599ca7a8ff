"""A session: one file that anybody can follow, save and open."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from settings.errors import InputError
from tests.webhook_buffer.live.test_observations import START, ended, line
from webhook_buffer.live.pace import Clock
from webhook_buffer.live.session import Event, Follower, Session, read_event, text
from webhook_buffer.live.values import Depth, Limits


def _session(pace: float = 60.0) -> Session:
    return Session.begun("local", real=START, pace=pace, limits=Limits(), roles={"queue": "queue"})


def _events() -> list[Event]:
    queued = line("publish", 5, "webhook.queued", status=200, message_id="a", group_id="g",
                  method="POST", path="/x", body_bytes=3, metrics={"Accepted": 1})  # fmt: skip
    failed = line("subscribe", 6, "webhook.failed", "WARNING", message_id="a", status=500,
                  attempt=1, duration_ms=4.0, age_ms=1000, metrics={"HeadAge": 1})  # fmt: skip
    done = line("subscribe", 70, "webhook.delivered", message_id="a", status=200, attempt=2,
                age_ms=65_000, metrics={"DeliveryLag": 65_000})  # fmt: skip
    change = {"at": START + 60, "real": START + 61.0, "alarm": "x", "state": "ALARM",
              "reason": "because", "notified": True}  # fmt: skip
    return [
        read_event([queued, failed, ended("subscribe", 6, "r")], [], START + 7),
        read_event([], [Depth(START + 8.0, 1, 0)], START + 9),
        {"kind": "mark", "real": START + 10.0, "text": "backend down"},
        {"kind": "pace", "real": START + 60.0, "pace": 3.0},
        read_event([done], [], START + 71),
        {"kind": "change", "change": change},
    ]


def _known(session: Session) -> object:
    cells = {(key, minute): list(values) for key, minute, values in session.cells.every()}
    return (
        cells, dict(session.webhooks), list(session.timeline), list(session.marks),
        list(session.lines), session.now, session.start,
    )  # fmt: skip


def test_a_session_knows_what_became_of_a_webhook() -> None:
    """Its attempts, in order, and its state by the last of them."""
    session = _session()
    for event in _events()[:1]:
        session.apply(event)
    assert session.webhooks["a"].state == "retrying"
    for event in _events()[1:]:
        session.apply(event)
    webhook = session.webhooks["a"]
    assert (webhook.state, webhook.group, webhook.path) == ("delivered", "g", "/x")
    assert [attempt.status for attempt in webhook.attempts] == [500, 200]


def test_saved_and_opened_it_is_the_same(tmp_path: Path) -> None:
    """A copy in one file holds all that was seen, and goes on like the original."""
    session = _session()
    for event in _events()[:4]:
        session.apply(event)
    session.save(tmp_path / "s.jsonl")
    copy = Session.open(tmp_path / "s.jsonl")
    for followed in (session, copy):
        for event in _events()[4:]:
            followed.apply(event)
    assert _known(copy) == _known(session)


def test_a_follower_sees_what_the_writer_sees(tmp_path: Path) -> None:
    """Line by line; half a line waits for its end, and a replaced file is read from its start."""
    file, session = tmp_path / "s.jsonl", _session()
    follower = Follower(file)
    assert follower.update() is None
    session.save(file)
    for event in _events():
        session.apply(event)
        said = text(event) + "\n"
        with file.open("a") as stream:
            stream.write(said[:9])
        follower.update()
        with file.open("a") as stream:
            stream.write(said[9:])
        seen = follower.update()
        assert seen
        assert _known(seen) == _known(session)
    session.save(file)
    seen = follower.update()
    assert seen
    assert _known(seen) == _known(session)


@pytest.mark.parametrize(
    "content",
    ["", "no json\n", "[]\n", '{"kind": "session", "version": 99}\n', "HEADER\n[1]\n",
     'HEADER\n{"kind": "read"}\n', 'HEADER\n{"kind": "dance"}\n'],
)  # fmt: skip
def test_another_file_is_one_clear_error(tmp_path: Path, content: str) -> None:
    """It names the file and what is wrong."""
    file = tmp_path / "s.jsonl"
    file.write_text(content.replace("HEADER", json.dumps(_session().header())))
    with pytest.raises(InputError, match=r"s\.jsonl"):
        Session.open(file)
    file.unlink()
    with pytest.raises(InputError, match="webhook-buffer up"):
        Session.open(file)


def test_the_pace_changes_on_the_way() -> None:
    """Session time goes on from where it was, and both directions agree."""
    clock = Clock.begun(START)
    clock.change(START + 60, 3.0)
    clock.change(START + 63, 60.0)
    assert clock.session(START + 61.5) == START + 90
    assert clock.session(START + 70) == START + 127
    for moment in (0.0, 59.0, 60.5, 63.0, 100.0):
        assert clock.real(clock.session(START + moment)) == pytest.approx(START + moment)
