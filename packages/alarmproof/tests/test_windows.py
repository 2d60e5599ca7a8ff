"""Wall clock windows, warm-up, units, accounts, high resolution, mute rules, repeated actions."""

from __future__ import annotations

import dataclasses
import math
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from alarmproof import clock, muting
from alarmproof.base.alarms import (
    Action,
    MetricAlarm,
    Missing,
    MuteRule,
    Query,
    Source,
    State,
    WarmUp,
)
from alarmproof.base.errors import NotSupportedError
from alarmproof.base.history import History
from alarmproof.base.metric_data import MetricKey, Series
from alarmproof.evaluate import datapoints, evaluate
from alarmproof.runner import InMemory
from factories import METRIC, alarm, recorded

MONDAY = int(datetime(2026, 3, 23, tzinfo=UTC).timestamp())


def history(metric_alarm: MetricAlarm, metrics: InMemory, end: int, **given: Any) -> History:
    """The history of one alarm from 0."""
    return evaluate([metric_alarm], metrics, start=0, end=end, **given)[metric_alarm.name]


def test_a_wall_clock_window_sees_complete_hours() -> None:
    """Two calls in two calendar hours are never added; in one they are, until the next is over."""
    values = [0] * 240
    values[40], values[70] = 6, 6  # in the first hour and in the second
    metric_alarm = alarm(
        period=3600, statistic="Sum", threshold=10.0, evaluation_periods=1, datapoints_to_alarm=1,
        missing=Missing.NOT_BREACHING,
    )  # fmt: skip
    clocked = dataclasses.replace(metric_alarm, wall_clock="UTC")
    assert history(metric_alarm, recorded(values), 14_400).in_alarm() == ((71 * 60, 101 * 60),)
    assert history(clocked, recorded(values), 14_400).in_alarm() == ()
    values[90] = 6
    assert history(clocked, recorded(values), 14_400).in_alarm() == ((7200, 10_800),)
    # Hours of Kathmandu end a quarter past those of UTC: 40 and 70 are in one.
    there = dataclasses.replace(metric_alarm, wall_clock="+05:45")
    values[90] = 0
    assert history(there, recorded(values), 14_400).in_alarm() == ((75 * 60, 135 * 60),)


def test_calendar_days_have_the_length_of_the_zone() -> None:
    """A day has 23 hours where the clocks go forward, and its sum is that of these hours."""
    zone = clock.zone("Europe/Berlin")
    begin = int(datetime(2026, 3, 28, tzinfo=UTC).timestamp())
    ends = clock.boundaries(86_400, zone, begin, begin + 3 * 86_400)
    assert [after - before for before, after in pairwise(ends)] == [
        86_400, 82_800, 86_400,
    ]  # fmt: skip
    minutes = np.ones(4 * 1440)
    metric_alarm = alarm(
        period=86_400, statistic="Sum", evaluation_periods=1, datapoints_to_alarm=1,
        wall_clock="Europe/Berlin",
    )  # fmt: skip
    metrics = InMemory({METRIC: [Series(METRIC, None, begin - 86_400, 60, minutes)]})
    at = ends[2]
    assert datapoints(metric_alarm, metrics, start=at - 60, end=at)[0] == 23 * 60


@pytest.mark.parametrize(
    ("name", "seconds"), [("+05:30", 19_800), ("UTC-03:00", -10_800), ("UTC", 0)]
)
def test_offsets_are_zones(name: str, seconds: int) -> None:
    """As WallClockWindow takes them."""
    offset = clock.zone(name).utcoffset(datetime(2026, 1, 1))
    assert offset is not None
    assert offset.total_seconds() == seconds


@pytest.mark.parametrize("name", ["Mars/Base", "../../etc/passwd", "+99:00", "", "\x00"])
def test_what_is_no_zone_is_refused(name: str) -> None:
    """By name, and without a look at other files."""
    with pytest.raises(NotSupportedError, match="is not a time zone"):
        clock.zone(name)


def test_weeks_begin_on_monday() -> None:
    """Boundaries of weeks are those of calendars."""
    assert clock.boundaries(604_800, UTC, MONDAY + 86_400, MONDAY + 604_800) == [
        MONDAY, MONDAY + 604_800,
    ]  # fmt: skip


def test_a_wall_clock_has_few_periods() -> None:
    """Others are refused, as CloudWatch refuses them."""
    metric_alarm = alarm(period=120, wall_clock="UTC")
    with pytest.raises(NotSupportedError, match="a wall clock window of 120 s is not supported"):
        history(metric_alarm, recorded([1]), 60)


@pytest.mark.parametrize(
    ("whole", "values", "until"),
    [
        (True, [9] * 20, 10),
        (False, [9] * 20, 3),
        (False, [None] * 5 + [9] * 15, 8),
        (False, [None] * 20, 10),
    ],
)
def test_a_new_alarm_warms_up(whole: bool, values: list[float | None], until: int) -> None:
    """For all of its time, or until its evaluation window is filled; then missing data counts."""
    metric_alarm = alarm(
        warm_up=WarmUp(600, whole), datapoints_to_alarm=3, missing=Missing.BREACHING,
    )  # fmt: skip
    made = history(metric_alarm, recorded(values), 1200)
    assert [change.at for change in made.changes] == [60 * until]
    assert made.changes[0].state is State.ALARM
    # It is over for an alarm that exists.
    old = history(metric_alarm, recorded(values), 1200, initial={"a": State.OK})
    assert old.changes[0].at <= 180


def test_only_data_of_the_unit_counts() -> None:
    """Data of another unit is not seen; several units and none asked for is undefined on AWS."""
    seconds = Series(METRIC, None, 0, 60, np.array([9.0] * 5), "Seconds")
    counts = dataclasses.replace(seconds, unit="Count", values=np.array([1.0] * 5))
    both = InMemory({METRIC: [seconds, counts]})

    def asking(unit: str | None) -> MetricAlarm:
        return alarm(queries=(Query("m1", METRIC, "Maximum", 60, unit=unit),))

    states = {
        unit: history(asking(unit), both, 300).state(300) for unit in ("Seconds", "Count", "Bytes")
    }
    assert states == {
        "Seconds": State.ALARM, "Count": State.OK, "Bytes": State.INSUFFICIENT_DATA,
    }  # fmt: skip
    with pytest.raises(NotSupportedError, match="published in Count and Seconds, and the alarm"):
        history(asking(None), both, 300)


def test_metrics_of_two_accounts_are_two() -> None:
    """Each has its own data."""
    first, second = (MetricKey.of("N", "m", {}, account) for account in ("111", "222"))
    queries = (
        Query("e", expression="a + b"), Query("a", first, "Sum", 60), Query("b", second, "Sum", 60),
    )  # fmt: skip
    both = alarm(queries=queries, returned="e")
    metrics = InMemory({first: [Series(first, None, 0, 60, np.array([6.0] * 3))]})
    assert list(datapoints(both, metrics, start=0, end=180)) == [6, 6, 6]


def test_high_resolution_alarms_are_evaluated_every_ten_seconds() -> None:
    """Each ten seconds its periods slide; a metric of minutes fills one of six."""
    values = np.array([1.0] * 6 + [9.0] * 3 + [1.0] * 9)
    metric_alarm = alarm(period=10, evaluation_periods=3, datapoints_to_alarm=3)
    metrics = InMemory({METRIC: [Series(METRIC, None, 0, 10, values)]})
    made = history(metric_alarm, metrics, 180)
    assert made.in_alarm() == ((90, 100),)
    half = alarm(period=30, statistic="Sum", evaluation_periods=1, datapoints_to_alarm=1)
    assert list(datapoints(half, metrics, start=80, end=100)) == [27, 19]
    coarse = datapoints(metric_alarm, recorded([7, 8]), start=0, end=120)
    assert [value for value in coarse if not math.isnan(value)] == [7, 8]


def _muted(expression: str, seconds: int, **changes: Any) -> MuteRule:
    given = {"name": "r", "source": Source("t.json", "R"), "alarms": ("a",), **changes}
    return MuteRule(expression=expression, seconds=seconds, **given)


VALUES = [0] * 10 + [9] * 20 + [0] * 10


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (_muted("at(1970-01-01T00:00)", 3600), []),
        (_muted("at(1970-01-01T00:05)", 600), [(900, "ALARM"), (1920, "OK")]),
        (_muted("cron(5 0 * * *)", 600), [(900, "ALARM"), (1920, "OK")]),
        (_muted("cron(5 1 * * *)", 600, zone="UTC+01:00"), [(900, "ALARM"), (1920, "OK")]),
        (_muted("cron(5 0 * JAN THU)", 600), [(900, "ALARM"), (1920, "OK")]),
        (_muted("cron(5 0 * * FRI)", 600), [(720, "ALARM"), (1920, "OK")]),
        (_muted("cron(5,30 0 1 1 *)", 600), [(900, "ALARM"), (2400, "OK")]),
        (_muted("cron(5 0 * * *)", 600, expires="1970-01-01T00:04Z"), [(720, "ALARM"),
                                                                      (1920, "OK")]),
        (_muted("cron(5 0 * * *)", 600, alarms=("b",)), [(720, "ALARM"), (1920, "OK")]),
    ],
)  # fmt: skip
def test_muted_actions_come_after_the_window(
    rule: MuteRule, expected: list[tuple[int, str]]
) -> None:
    """States go on; an action is performed when muting ends, if its state still holds."""
    made = history(alarm(), recorded(VALUES), 2400, initial={"a": State.OK}, mute_rules=[rule])
    assert [(note.at, note.state.value) for note in made.notifications] == expected
    assert [change.at for change in made.changes] == [720, 1920]


@pytest.mark.parametrize("expression", ["cron(* * *)", "cron(61 * * * *)", "at(soon)", "rate(5)"])
def test_schedules_that_can_t_be_read_are_refused(expression: str) -> None:
    """By name, where they would matter."""
    with pytest.raises(NotSupportedError, match=r"the mute rule's schedule .* can't be read"):
        muting.windows_of(_muted(expression, 60), 0, 3600)


def test_scaling_actions_are_repeated_each_minute() -> None:
    """As long as the state lasts; all other actions are performed once."""
    scale = Action("scale-out", "arn:aws:autoscaling:x", "autoscaling")
    metric_alarm = alarm(alarm_actions=("page", scale), ok_actions=())
    made = history(metric_alarm, recorded(VALUES), 2400, initial={"a": State.OK})
    page, scaling = made.notifications
    assert (page.action, page.within(720, 2400)) == ("page", False)
    assert [minute for minute in range(40) if scaling.within(60 * minute - 1, 60 * minute)] == list(
        range(12, 32)
    )
    quiet = history(
        metric_alarm, recorded(VALUES), 2400, initial={"a": State.OK},
        mute_rules=[_muted("at(1970-01-01T00:15)", 300)],
    )  # fmt: skip
    minutes = {
        minute
        for note in quiet.notifications
        if note.action == "scale-out"
        for minute in range(40)
        if note.within(60 * minute - 1, 60 * minute)
    }
    assert minutes == {*range(12, 15), *range(20, 32)}


@pytest.mark.parametrize(
    ("statistic", "expected"),
    [
        ("tm90", 5.0), ("TM(10%:90%)", 5.5), ("TM(2:4)", 3.5), ("TC(:4)", 4), ("ts20", 3),
        ("TS(8:)", 19), ("wm90", 5.4), ("IQM", 5.5), ("WM(20%:80%)", 5.5), ("TC(90:)", 0),
    ],
)  # fmt: skip
def test_trimmed_statistics(statistic: str, expected: float) -> None:
    """For the values 1 to 10: a lower bound is exclusive, an upper one inclusive."""
    metric_alarm = alarm(
        period=600, statistic=statistic, evaluation_periods=1, datapoints_to_alarm=1
    )
    metrics = recorded(list(range(1, 11)))
    assert datapoints(metric_alarm, metrics, start=540, end=600)[0] == pytest.approx(expected)


def test_queries_that_are_not_used_may_have_other_periods() -> None:
    """Only those that the returned one is made of have to agree."""
    queries = (
        Query("e", expression="m"), Query("m", METRIC, "Sum", 60), Query("x", METRIC, "Sum", 300),
    )  # fmt: skip
    metric_alarm = alarm(queries=queries, returned="e")
    assert list(datapoints(metric_alarm, recorded([1, 2]), start=0, end=120)) == [1, 2]
    mixed = dataclasses.replace(
        metric_alarm, queries=(Query("e", expression="m + x"), *queries[1:])
    )  # fmt: skip
    with pytest.raises(
        NotSupportedError, match=r"another period \(300 s\) than .* AWS requires the same"
    ):
        history(mixed, recorded([1]), 60)


@pytest.mark.parametrize(("period", "n"), [(60, 0), (3600, 169), (6 * 10**9, 10**9)])
def test_impossible_ranges_are_refused(period: int, n: int) -> None:
    """Before memory is taken for them."""
    metric_alarm = alarm(period=period, evaluation_periods=n, datapoints_to_alarm=1)
    with pytest.raises(NotSupportedError, match="seven days at most"):
        history(metric_alarm, recorded([1]), 60)
