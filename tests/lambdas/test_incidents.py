"""incidents: which of an alarm's changes a channel is notified of, and what is remembered."""

from __future__ import annotations

import time
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lambdas import incidents
from lambdas.alarm_events import ALARM, OK
from lambdas.base.aws import AwsError
from lambdas.incidents import SAME_INCIDENT, Incident, decide, decide_blindly
from tests.emulated_aws import Aws
from tests.function_modules import Functions

_NOW = 1_800_000_000_000
_MINUTE = 60_000


# What a channel was notified of: the alarm is on, or was but is over (at once), or is over.
_NOTIFIED = {(ALARM, False): "on", (ALARM, True): "on, over", (OK, False): "over"}


def _deliver(arrivals: list[tuple[str, int]]) -> tuple[list[str], Incident | None]:
    notified, known = [], None
    for state, at in arrivals:
        verdict = decide(known, state, at)
        known = verdict.incident
        if verdict.folded is None:
            notified.append(_NOTIFIED[state, verdict.recovered_at is not None])
    return notified, known


def _after(*arrivals: tuple[str, int]) -> Incident | None:
    return _deliver([(state, minute * _MINUTE) for state, minute in arrivals])[1]


@pytest.mark.parametrize(
    ("before", "arrival", "expected", "since", "count"),
    [
        ([], (ALARM, 0), "on", 0, 1),
        ([], (OK, 0), None, None, 0),
        ([(ALARM, 0)], (ALARM, 0), None, 0, 1),
        ([(ALARM, 0)], (ALARM, 5), None, 0, 1),
        ([(ALARM, 0)], (OK, 5), "over", 0, 1),
        ([(ALARM, 5)], (OK, 0), None, 5, 1),
        ([(ALARM, 0), (ALARM, 9)], (OK, 5), None, 0, 1),
        ([(ALARM, 0), (OK, 5)], (OK, 5), None, 0, 1),
        ([(ALARM, 0), (OK, 5)], (ALARM, 0), None, 0, 1),
        ([(ALARM, 0), (OK, 5)], (ALARM, 15), "on", 0, 2),
        ([(ALARM, 0), (OK, 5)], (ALARM, 16), "on", 16, 1),
        ([(ALARM, 0), (OK, 5), (ALARM, 15), (OK, 16)], (ALARM, 26), "on", 0, 3),
        ([(OK, 5)], (ALARM, 0), "on, over", 0, 1),
        ([(OK, 5)], (ALARM, 6), "on", 6, 1),
        ([(OK, 5), (ALARM, 0)], (ALARM, 0), None, 0, 1),
        ([(OK, 5), (ALARM, 0)], (ALARM, 7), "on", 0, 2),
        ([(ALARM, 0), (OK, 1), (OK, 9)], (ALARM, 0), None, 0, 1),
        ([(ALARM, 0), (OK, 1), (OK, 9)], (ALARM, 8), "on, over", 0, 2),
    ],
)
def test_folding(
    before: list[tuple[str, int]], arrival: tuple[str, int], expected: str | None,
    since: int | None, count: int,
) -> None:  # fmt: skip
    """Repeats and the outdated are folded; what is on again within 10 minutes is one incident."""
    verdict = decide(_after(*before), arrival[0], arrival[1] * _MINUTE)
    said = None if verdict.folded else _NOTIFIED[arrival[0], verdict.recovered_at is not None]
    assert said == expected
    assert verdict.incident.since == (None if since is None else since * _MINUTE)
    assert verdict.incident.count == count
    if said == "on, over":
        assert verdict.recovered_at == before[-1 if before[-1][0] == OK else 0][1] * _MINUTE


def test_same_millisecond_is_notified_as_it_comes() -> None:
    """Where times are whole seconds, as on the emulator, a recovery is not taken for outdated."""
    assert _deliver([(ALARM, 0), (OK, 0), (ALARM, 0), (OK, 0)])[0] == ["on", "over", "on", "over"]


@st.composite
def _arrivals(draw: st.DrawFn) -> list[tuple[str, int]]:
    """An alarm's changes, ALARM and OK in turn, each at least once, in any order."""
    gaps = draw(
        st.lists(st.sampled_from([1, _MINUTE, SAME_INCIDENT, 3 * SAME_INCIDENT]), max_size=8)
    )
    first = draw(st.booleans())
    changes, at = [], 0
    for number, gap in enumerate([1, *gaps]):
        at += gap
        changes.append((ALARM if (number % 2 == 0) == first else OK, at))
    again = draw(st.lists(st.sampled_from(changes), max_size=6))
    return draw(st.permutations([*changes, *again]))


@given(arrivals=_arrivals())
@example([(ALARM, 3), (ALARM, 1), (OK, 2)])
@example([(OK, 4), (ALARM, 3), (ALARM, 1), (OK, 2)])
def test_channels_get_each_change_once(arrivals: list[tuple[str, int]]) -> None:
    """In any order and with any repeats, states alternate and the newest comes last.

    Only after a recovery that seems lost, an ALARM follows another: better twice than never.
    """
    notified, _ = _deliver(arrivals)
    states = [state for message in notified for state in message.split(", ")]
    times = [at for _, at in arrivals]
    twice = {("on", "on")} if max(times) - min(times) > SAME_INCIDENT else set()
    assert all(state != other or (state, other) in twice for state, other in pairwise(states))
    newest = max(arrivals, key=lambda arrival: arrival[1])[0]
    assert (states or ["over"])[-1] == {ALARM: "on", OK: "over"}[newest]
    assert not states or states[0] == "on"


@given(arrivals=_arrivals(), times=st.integers(1, 3))
def test_repeats_right_away_notify_nobody(arrivals: list[tuple[str, int]], times: int) -> None:
    """A message that comes again because another channel failed is folded."""
    once, _ = _deliver(arrivals)
    often, _ = _deliver([arrival for arrival in arrivals for _ in range(times)])
    assert often == once


def test_unread_memory_does_not_silence() -> None:
    """When the memory can't be read, both states are notified, and remembered as notified."""
    for state in (ALARM, OK):
        verdict = decide_blindly(state, 5)
        assert verdict.folded is None
        assert decide(verdict.incident, state, 5).folded
    assert decide(decide_blindly(OK, 5).incident, ALARM, 6).incident == Incident(
        notified=ALARM, changed_at=6, notified_at=6, since=6, count=1
    )


_TIMES = {"seconds": 2.0, "within": 4.0}
_FULL = Incident(notified=ALARM, changed_at=7, notified_at=6, since=5, count=2)
_REMEMBERED = Incident(notified=OK, changed_at=7)


@pytest.fixture
def table(functions: Functions, aws: Aws) -> str:
    """A table, and the environment in which functions find it."""
    functions.publish()
    return aws.table


@pytest.mark.parametrize("incident", [_FULL, _REMEMBERED])
def test_memory_round_trip(table: str, aws: Aws, incident: Incident) -> None:
    """What was remembered is read back, per channel and alarm, and ends after 30 days."""
    now = round(time.time() * 1000)
    incidents.save(table, "slack", "a|b", incident, over=None, blindly=False, now=now, **_TIMES)
    assert incidents.load(table, "slack", "a|b", **_TIMES) == incident
    assert incidents.load(table, "slack", "a", **_TIMES) is None
    item = aws.record("slack|a|b")
    assert item
    assert int(item["expires_at"]["N"]) == now // 1000 + 30 * 86_400
    assert item["notified"] == {"S": incident.notified}


@pytest.mark.parametrize(
    ("over", "blindly", "saved"),
    [
        (_FULL, False, True),
        (None, False, False),
        (_REMEMBERED, False, False),
        (Incident(notified=ALARM, changed_at=7, notified_at=6, since=5, count=1), False, False),
        (None, True, True),
    ],
)
def test_memory_of_somebody_else_is_kept(
    table: str, over: Incident | None, blindly: bool, saved: bool
) -> None:
    """Only what was read is written over; where nothing could be read, only what is older."""
    first: dict[str, Any] = {"over": None, "blindly": False, "now": _NOW, **_TIMES}
    incidents.save(table, "c", "a", _FULL, **first)
    newer = Incident(notified=OK, changed_at=8, notified_at=8)
    then: dict[str, Any] = {"over": over, "blindly": blindly, "now": _NOW, **_TIMES}
    if saved:
        incidents.save(table, "c", "a", newer, **then)
        older = Incident(notified=OK, changed_at=7, notified_at=7)
        with pytest.raises(AwsError, match="ConditionalCheckFailedException"):
            incidents.save(table, "c", "a", older, **{**then, "over": older})
    else:
        with pytest.raises(AwsError, match="ConditionalCheckFailedException"):
            incidents.save(table, "c", "a", newer, **then)
    assert incidents.load(table, "c", "a", **_TIMES) == (newer if saved else _FULL)


@pytest.mark.parametrize(
    "damage", [{"notified": {"N": "1"}}, {"changed_at": {"S": "x"}}, {"count": {"N": "1.5"}}]
)
def test_damaged_memory_is_unread(table: str, aws: Aws, damage: dict[str, Any]) -> None:
    """An item that is not ours says so, instead of ending the function."""
    item = {
        "id": {"S": "c|a"},
        "notified": {"S": "OK"},
        "changed_at": {"N": "1"},
        "count": {"N": "0"},
    }
    aws.dynamodb.put_item(TableName=table, Item={**item, **damage})
    with pytest.raises(AwsError, match="DamagedItem"):
        incidents.load(table, "c", "a", **_TIMES)


def test_an_alarm_after_a_lost_recovery_is_notified() -> None:
    """A channel that missed a recovery is notified of the next incident all the same."""
    first = decide(None, ALARM, 1_000).incident
    assert decide(first, ALARM, 1_000 + 48 * 3_600_000).folded is None
    assert decide(first, ALARM, 1_000).folded == "already-notified"


def test_a_drill_is_not_flapping() -> None:
    """It begins an incident of its own, and the next real alarm does, too."""
    real = decide(None, ALARM, _NOW).incident
    over = decide(real, OK, _NOW + _MINUTE).incident
    drill = decide(over, ALARM, _NOW + 2 * _MINUTE, drill=True).incident
    assert (drill.drill, drill.count, drill.since) == (True, 1, _NOW + 2 * _MINUTE)
    ended = decide(drill, OK, _NOW + 3 * _MINUTE)
    assert (ended.folded, ended.incident.drill) == (None, True)
    again = decide(ended.incident, ALARM, _NOW + 4 * _MINUTE).incident
    assert (again.drill, again.count, again.since) == (False, 1, _NOW + 4 * _MINUTE)


def test_a_real_alarm_during_a_drills_is_notified() -> None:
    """A channel knows it as a drill's, and that it is real is news; the other way it is none."""
    drill = decide(None, ALARM, _NOW, drill=True).incident
    real = decide(drill, ALARM, _NOW + _MINUTE)
    assert (real.folded, real.incident.drill) == (None, False)
    assert decide(real.incident, ALARM, _NOW + 2 * _MINUTE, drill=True).folded == "already-notified"
