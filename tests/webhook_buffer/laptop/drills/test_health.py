"""When a drill may begin: nothing is broken, and nobody waits for the end of an incident."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from settings.errors import InputError
from settings.loader import load
from tests.webhook_buffer.live.test_observations import line
from webhook_buffer.composition import alarm_set
from webhook_buffer.laptop.drills import runner
from webhook_buffer.laptop.drills.catalog import DRILLS
from webhook_buffer.laptop.drills.health import problem, require_start
from webhook_buffer.laptop.drills.model import expected
from webhook_buffer.laptop.drills.seen import Place, Seen
from webhook_buffer.laptop.drills.traffic import Ledger, Sent, Traffic
from webhook_buffer.laptop.journal import Journal
from webhook_buffer.laptop.live_alarms import LiveAlarms
from webhook_buffer.laptop.practice import Mode, PracticeBackend
from webhook_buffer.live.session import OVER, Change, Session, read_event
from webhook_buffer.live.sources import roles_of
from webhook_buffer.live.values import Limits
from webhook_buffer.operations.environment import Environment

SETTINGS = load("local")
INCIDENT, PART = "deliveries-failing", "backend-down"
_DRILL = DRILLS["backend-5xx"]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """What a drill runs on, where nothing runs: live alarms have written a session."""
    target = Environment(settings=SETTINGS, folder=tmp_path, outputs_file=tmp_path / "o.json")
    made = Place(
        target, alarm_set(SETTINGS), "http://127.0.0.1:9", tmp_path,
        PracticeBackend(tmp_path / "backend"), LiveAlarms(tmp_path / "alarms"),
    )  # fmt: skip
    made.live.folder.mkdir()
    _session().save(made.live.session_file)
    return made


def _session(*changes: tuple[str, str, bool]) -> Session:
    """A session with changes of alarms: id, state, and whether anybody was notified."""
    session = Session.begun(
        "local", real=time.time() - 600, pace=60.0, limits=Limits(), roles=roles_of(SETTINGS)
    )
    for number, (alarm, state, notified) in enumerate(changes):
        change = Change(
            at=session.start + 60 * number, real=session.until + 10 * (number + 1), reason="",
            alarm=SETTINGS.alarm_name(alarm), state=state, notified=notified,
        )  # fmt: skip
        session.apply({"kind": "change", "change": dataclasses.asdict(change)})
    return session


def _mark(session: Session, second: float, text: str) -> None:
    session.apply({"kind": "mark", "real": session.until + second, "text": f"drill d: {text}"})


@pytest.mark.parametrize(
    "mode", [Mode(slow=(8.0, 8.0)), Mode(status=503), Mode(listens=False), Mode(reset=True)]
)
def test_a_broken_backend_is_not_a_drills(place: Place, mode: Mode) -> None:
    """Somebody broke it: the drill stops with the remedy, and leaves it and the session alone."""
    mode.write(place.backend.folder)
    session = place.live.session_file.read_bytes()
    with pytest.raises(InputError, match=r"faux backend .*: webhook-buffer backend up"):
        runner.run(_DRILL, place, pace=3.0, progress=lambda _: None)
    assert place.backend.mode == mode
    assert place.live.session_file.read_bytes() == session
    assert Journal(place.state).left_behind() is None


def test_an_incident_is_not_ended_by_a_drill(place: Place) -> None:
    """It is named, and how to see it; its part, of which nobody was notified, is not."""
    _session((PART, "ALARM", True), (INCIDENT, "ALARM", True)).save(place.live.session_file)
    with pytest.raises(InputError, match=f"In ALARM: {INCIDENT}. .*alarms status.* over"):
        runner.run(_DRILL, place, pace=3.0, progress=lambda _: None)


def test_what_notified_nobody_or_is_over_is_no_obstacle(place: Place) -> None:
    """A suppressed incident, and one that has ended."""
    session = _session(
        ("deliveries-degraded", "ALARM", False), (INCIDENT, "ALARM", True), (INCIDENT, "OK", True)
    )
    session.save(place.live.session_file)
    require_start(place)


def test_what_a_drill_set_off_is_no_obstacle_to_the_next(place: Place) -> None:
    """Slow alarms outlast their drill; what comes on after it is an incident again."""
    session = _session((INCIDENT, "ALARM", True))
    _mark(session, 5, "the backend answers 503")
    session.save(place.live.session_file)
    require_start(place)
    _mark(session, 30, OVER)
    session.save(place.live.session_file)
    require_start(place)
    session = _session((INCIDENT, "ALARM", True))
    _mark(session, 5, OVER)
    session.save(place.live.session_file)
    with pytest.raises(InputError, match=INCIDENT):
        require_start(place)


def _seen(place: Place, session: Session) -> Seen:
    session.save(place.live.session_file)
    wanted, _ = expected(_DRILL, place.alarms, 3.0)
    return Seen(place, _DRILL, wanted, time.time())


def _traffic(*groups: str) -> Traffic:
    ledger = Ledger([Sent(number, group, 0.0) for number, group in enumerate(groups)])
    return cast("Traffic", SimpleNamespace(ledger=ledger))


def _attempted(status: int | None, event: str, **more: Any) -> Session:
    """A session with a webhook of group ``g`` and an attempt at it."""
    known = {"message_id": "m", "group_id": "g", **more}
    lines = [
        line("publish", 0, "webhook.queued", **known),
        line("subscribe", 1, event, attempt=1, duration_ms=5, **known)
        if status is None
        else line("subscribe", 1, event, attempt=1, duration_ms=5, status=status, **known),
    ]
    session = _session()
    session.apply(read_event(lines, (), session.until))
    return session


def test_a_cause_needs_health_before_it(place: Place) -> None:
    """What should fire is not on yet, and what the drill has sent was delivered."""
    fine = _attempted(200, "webhook.delivered")
    assert problem(_seen(place, fine), _traffic("g")) is None
    failed = _attempted(503, "webhook.failed")
    said = problem(_seen(place, failed), _traffic("g"))
    assert said == "1 of 1 webhooks failed (status 503). See: webhook-buffer logs"
    assert problem(_seen(place, failed), _traffic("another")) is None
    on = problem(_seen(place, _session((PART, "ALARM", True))), _traffic("g"))
    assert on == f"in ALARM already: {PART}. See: webhook-buffer alarms status"
