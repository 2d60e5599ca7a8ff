"""Rules over states, and the suppression of actions."""

from __future__ import annotations

from typing import Any

import pytest
from alarmproof.base.alarms import CompositeAlarm, MetricAlarm, Query, Source, State
from alarmproof.base.composites import histories, parse
from alarmproof.base.errors import NotSupportedError
from alarmproof.base.history import Change, History

OK, ALARM, NONE = State.OK, State.ALARM, State.INSUFFICIENT_DATA
STATES = {"a": ALARM, "b": OK, "c d": NONE}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("ALARM(a)", True),
        ('ALARM("a") AND OK("b")', True),
        ("ALARM(a) AND ALARM(b)", False),
        ("ALARM(b) OR ALARM(a) AND NOT ALARM(b)", True),
        ("(ALARM(b) OR ALARM(a)) AND ALARM(b)", False),
        ('INSUFFICIENT_DATA("c d")', True),
        ("NOT (ALARM(a) OR OK(b))", False),
        ("TRUE AND NOT FALSE", True),
        ("ALARM(arn:aws:cloudwatch:us-east-1:123456789012:alarm:a)", True),
        ('AT_LEAST(2, ALARM, (a, b, "c d"))', False),
        ('AT_LEAST(1, ALARM, (a, b, "c d"))', True),
        ('AT_LEAST(2, NOT ALARM, (a, b, "c d"))', True),
        ("AT_LEAST(50%, OK, (a, b))", True),
        ("AT_LEAST(51%, OK, (a, b))", False),
    ],
)
def test_rules(rule: str, expected: bool) -> None:
    """Rules hold as PutCompositeAlarm's page has them; OR binds least, NOT most."""
    assert parse(rule)[0](STATES) is expected


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("", "it ends too early"),
        ("ALARM(a", "it ends too early"),
        ("ALARM a", "'(' is expected in place of 'a'"),
        ("ALARM(a) OK(b)", "'OK' is not expected"),
        ("BROKEN(a)", "'BROKEN' is not expected"),
        ("AT_LEAST(many, ALARM, (a))", "'many' is not a number"),
        ("AT_LEAST(1, LOUD, (a))", "'LOUD' is not a state"),
    ],
)
def test_rules_that_can_t_be_read(rule: str, expected: str) -> None:
    """A rule with a mistake is refused, with what is wrong."""
    with pytest.raises(NotSupportedError) as refused:
        parse(rule)
    assert expected in str(refused.value)


def _part(name: str, *changes: tuple[int, State]) -> History:
    metric_alarm = MetricAlarm(
        name=name, source=Source("t", name), queries=(Query("m"),), returned="m",
        comparison="", threshold=0, period=60, evaluation_periods=1, datapoints_to_alarm=1,
    )  # fmt: skip
    return History(metric_alarm, 0, 6000, OK, tuple(Change(at, state, "") for at, state in changes))


def _notified(
    part: list[tuple[int, State]], suppressor: list[tuple[int, State]], **changes: Any
) -> list[tuple[int, State]]:
    """When a composite over a part notifies of what, beside a suppressor."""
    composite = CompositeAlarm(
        name="c", source=Source("t", "c"), rule="ALARM(p)", suppressor="s",
        alarm_actions=("page",), ok_actions=("page",), **{"wait": 120, "extension": 180, **changes},
    )  # fmt: skip
    others = {"p": _part("p", *part), "s": _part("s", *suppressor)}
    history = histories([composite], others, start=0, end=6000, initial={})["c"]
    return [(note.at, note.state) for note in history.notifications]


# The composite's changes, the suppressor's, and what is performed; in AWS's units of time.
_AWS_EXAMPLES = {
    1: ([(2, ALARM)], [], [(4, ALARM)]),
    2: ([(2, ALARM)], [(3, ALARM)], []),
    3: ([(2, ALARM), (3, OK)], [], [(5, OK)]),
    4: ([(2, ALARM)], [(1, ALARM)], []),
    5: ([(2, ALARM)], [(3, ALARM), (6, OK)], [(9, ALARM)]),
    6: ([(2, ALARM), (7, OK)], [(3, ALARM), (6, OK)], [(9, OK)]),
}


@pytest.mark.parametrize("number", _AWS_EXAMPLES)
def test_aws_s_own_examples_of_suppression(number: int) -> None:
    """The published examples, with a wait of 2 units and an extension of 3, come out as described.

    Source: CloudWatch user guide, "Suppressing composite alarm actions", examples 1 to 6.
    """
    part, suppressor, expected = (
        [(60 * at, state) for at, state in changes] for changes in _AWS_EXAMPLES[number]
    )
    assert _notified(part, suppressor) == expected


def test_without_a_wait_actions_come_at_once() -> None:
    """Nothing is waited for where the wait is zero."""
    assert _notified([(600, ALARM)], [], wait=0) == [(600, ALARM)]


def test_an_incident_within_another_notifies_no_alarm() -> None:
    """The suppressor comes in time, and both end together: only an OK is notified."""
    part = [(600, ALARM), (1800, OK)]
    assert _notified(part, [(660, ALARM), (1740, OK)]) == [(1920, OK)]
    assert _notified(part, [(540, ALARM), (1740, OK)]) == [(1920, OK)]


def test_a_suppressor_after_the_wait_comes_too_late() -> None:
    """What was notified stays so; its end waits for the suppressor's."""
    notified = _notified([(600, ALARM), (1200, OK)], [(900, ALARM), (1500, OK)])
    assert notified == [(720, ALARM), (1680, OK)]


def test_what_was_notified_is_not_notified_again() -> None:
    """A suppressor that comes and goes while nothing changes performs no actions."""
    assert _notified([(600, ALARM)], [(900, ALARM), (1500, OK)]) == [(720, ALARM)]


def test_a_composite_begins_as_its_parts_do() -> None:
    """Nothing known of any part is nothing known of the whole; it then follows its parts."""
    part = _part("p", (60, ALARM))
    unknown = History(part.alarm, 0, 6000, NONE, part.changes)
    composite = CompositeAlarm(name="c", source=Source("t", "c"), rule="ALARM(p)")
    history = histories([composite], {"p": unknown}, start=0, end=6000, initial={})["c"]
    assert (history.initial, history.state(60)) == (NONE, ALARM)
    assert history.in_alarm() == ((60, 6000),)
