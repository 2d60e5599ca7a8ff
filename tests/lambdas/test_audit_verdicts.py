"""Whether a webhook may wait: each rule, by itself, on both sides of its limit."""

from __future__ import annotations

from typing import Any

import pytest

from lambdas.audit_log import Accepted, Seen
from lambdas.audit_verdicts import (
    Evidence,
    Followed,
    Standing,
    after_look,
    bounded,
    originals,
    waiting,
)

_MINUTE = 60_000
_NOW = 1_800_000_000_000
_SETTLE, _PAUSE = 20 * _MINUTE, 15 * _MINUTE


def _ago(minutes: float) -> int:
    return _NOW - round(minutes * _MINUTE)


def _seen(*lines: tuple[str, float, dict[str, Any]]) -> Seen:
    """A log in which others are received at once, and some lines: event, minutes ago, fields."""
    seen = Seen(whole=True, reached=9, slowest=0)
    for event, minutes, fields in lines:
        seen.add({"event": event, "at": _ago(minutes), **fields})
    return seen


def _evidence(seen: Seen, *, empty: bool | None = None, **tried: float) -> Evidence:
    """What is known at ``_NOW``.

    Args:
        tried: by webhook, how many minutes ago the record has its latest attempt.
    """
    record = {name: Standing(settled=False, tried_at=_ago(ago)) for name, ago in tried.items()}
    return Evidence(now=_NOW, settle=_SETTLE, pause=_PAUSE, seen=seen, empty=empty, record=record)


def _webhook(name: str, number: int, *, minutes: float = 60, group: str = "g") -> Followed:
    return Followed(name, group, number, _ago(minutes))


@pytest.mark.parametrize(("minutes", "waits"), [(19.9, {"a"}), (20.1, set())])
def test_one_that_fails_waits_for_a_pause(minutes: float, waits: set[str]) -> None:
    """By the record alone, where its lines are missing; and no longer than a pause."""
    assert waiting([_webhook("a", 1)], _evidence(_seen(), a=minutes)) == waits


@pytest.mark.parametrize(("minutes", "waits"), [(19.9, {"a"}), (20.1, set())])
@pytest.mark.parametrize(
    "event",
    ["webhook.failed", "webhook.unattempted", "webhook.paused", "message.unreadable",
     "release.waits"],
)  # fmt: skip
def test_one_whose_head_is_put_back_waits_for_a_pause(
    event: str, minutes: float, waits: set[str]
) -> None:
    """By the log alone, for a head that is not followed, too: a token, or one from before."""
    line = (event, minutes, {"group_id": "g", "message_id": "head"})
    assert waiting([_webhook("a", 1)], _evidence(_seen(line))) == waits


def test_all_that_follow_a_webhook_that_waits_wait() -> None:
    """In its own group, by their sequence numbers, whatever the order they are given in."""
    followed = [
        _webhook("later", 30), _webhook("other", 30, group="h"), _webhook("fails", 20),
        _webhook("earlier", 10),
    ]  # fmt: skip
    assert waiting(followed, _evidence(_seen(), fails=1)) == {"fails", "later"}


def test_what_was_overtaken_does_not_wait() -> None:
    """Even where everybody waits: SQS hands out a group in order."""
    line = ("webhook.delivered", 1, {"group_id": "g", "message_id": "b", "sequence_number": "20"})
    seen = _seen(line)
    seen.slowest = 10_000 * _MINUTE
    followed = [_webhook("overtaken", 19), _webhook("next", 21), _webhook("h", 19, group="h")]
    assert waiting(followed, _evidence(seen)) == {"next", "h"}


@pytest.mark.parametrize(("minutes", "waits"), [(4.9, {"a"}), (5.1, set())])
def test_a_head_waits_since_its_group_moved(minutes: float, waits: set[str]) -> None:
    """Not since it was accepted: what was before it may have taken long."""
    line = (
        "webhook.delivered", minutes,
        {"group_id": "g", "message_id": "b", "sequence_number": "1"},
    )  # fmt: skip
    assert waiting([_webhook("a", 2, minutes=600)], _evidence(_seen(line))) == waits


@pytest.mark.parametrize(("slowest", "waits"), [(28, {"a"}), (27, set())])
def test_it_waits_as_long_as_others(slowest: int, waits: set[str]) -> None:
    """Twice the time that the slowest waited for its first attempt, and the grace."""
    seen = _seen()
    seen.slowest = slowest * _MINUTE
    assert waiting([_webhook("a", 1)], _evidence(seen)) == waits


@pytest.mark.parametrize(("empty", "waits"), [(False, {"a"}), (None, {"a"}), (True, set())])
@pytest.mark.parametrize("unknown", [{"reached": 4}, {"whole": False}])
def test_without_others_the_queue_decides(
    unknown: dict[str, Any], empty: bool | None, waits: set[str]
) -> None:
    """Where too few were received, or the log was not read to its end, only an empty queue says
    that nothing waits.
    """
    seen = _seen()
    for name, value in unknown.items():
        setattr(seen, name, value)
    assert waiting([_webhook("a", 1)], _evidence(seen, empty=empty)) == waits


def test_what_was_parked_is_not_put_back() -> None:
    """The failed attempt's line comes after the one that it is parked."""
    webhook = {"group_id": "g", "message_id": "b", "sequence_number": "1"}
    lines = [("webhook.parked", 10.0, webhook), ("webhook.failed", 9.9, webhook)]
    assert waiting([_webhook("a", 2)], _evidence(_seen(*lines))) == set()


def test_a_line_says_what_it_says_once_or_twice() -> None:
    """Doubled lines settle and put back as single ones do, and other values are not numbers."""
    line = ("webhook.failed", 1.0, {"group_id": "g", "message_id": "b", "sequence_number": 7})
    once, twice = _seen(line), _seen(line, line)
    assert once == twice
    assert once.highest == {"g": 0}


@pytest.mark.parametrize(
    ("event", "fields", "reached"),
    [
        ("webhook.delivered", {"attempt": 1}, 1),
        ("webhook.delivered", {"attempt": 2}, 0),
        ("webhook.failed", {"attempt": 1}, 1),
        ("webhook.paused", {"attempt": 0, "receives": 1}, 1),
        ("webhook.paused", {"attempt": 1, "receives": 2}, 0),
        ("webhook.unattempted", {"receives": 1}, 1),
        ("heartbeat.arrived", {}, 1),
        ("webhook.parked", {}, 0),
    ],
)
def test_who_is_received_for_the_first_time(
    event: str, fields: dict[str, Any], reached: int
) -> None:
    """A first attempt or a first receipt, and a heartbeat, say how long messages wait."""
    seen = Seen()
    seen.add({"event": event, "at": _NOW, "age_ms": 700, **fields})
    assert (seen.reached, seen.slowest) == (reached, 700 * reached)


def test_suspects_are_followed_first() -> None:
    """Then the oldest; what does not fit is the newest that waits."""
    followed = [
        _webhook("new", 3, minutes=1), _webhook("old", 1, minutes=9),
        _webhook("suspect", 2, minutes=0)._replace(suspect_since=_NOW),
    ]  # fmt: skip
    assert [webhook.id for webhook in bounded(followed, 2)] == ["suspect", "old"]
    assert bounded(followed, 3) == followed


@pytest.mark.parametrize(
    ("since", "waits", "suspect", "lost"),
    [(0, False, 0, False), (19, False, 19, False), (20, False, 20, True), (20, True, None, False)],
)
def test_it_takes_two_looks(since: int, waits: bool, suspect: int | None, lost: bool) -> None:
    """At least as far apart as a first look is late; one at which it waits starts over."""
    webhook = _webhook("a", 1)._replace(suspect_since=_ago(since) if since else 0)
    ids = {"a"} if waits else set()
    [further] = after_look([webhook], ids, _evidence(_seen(), a=600))
    assert further.suspect_since == (0 if suspect is None else _ago(suspect))
    assert further.lost_since == (_NOW if lost else 0)


def test_who_was_not_looked_up_is_as_before() -> None:
    """Without the record's word nobody becomes a suspect, and no suspect is lost."""
    followed = [_webhook("a", 1), _webhook("b", 2)._replace(suspect_since=_ago(60))]
    assert after_look(followed, set(), _evidence(_seen())) == followed


def test_repeats_are_those_of_five_minutes() -> None:
    """The same mark in the same group is a repeat for five minutes, also of what came before the
    window; later, and in another group, it is a webhook of its own.
    """
    webhooks = [
        Accepted("before", "g", 1, _ago(31), "mark"),
        Accepted("repeat", "g", 2, _ago(29), "mark"),
        Accepted("other-group", "h", 3, _ago(29), "mark"),
        Accepted("later", "g", 4, _ago(25), "mark"),
    ]
    left = originals(webhooks, Seen(), begin=_ago(30))
    assert {webhook.id for webhook in left} == {"other-group", "later"}
