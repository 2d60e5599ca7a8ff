"""The evaluator on whole series: against a slow reference, and by laws that must hold."""

from __future__ import annotations

import math
import re
from itertools import pairwise
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
import slow_reference as reference
from alarmproof.base.alarms import MetricAlarm, Missing, Query, State
from alarmproof.base.errors import InputError, NotSupportedError
from alarmproof.base.metric_data import MetricKey, Series
from alarmproof.evaluate import datapoints, evaluate
from alarmproof.runner import InMemory
from factories import METRIC, alarm, composite, recorded
from hypothesis import assume, given, settings

POINTS = st.lists(st.one_of(st.none(), st.integers(0, 9)), min_size=1, max_size=40)
STATISTICS = [
    "Sum",
    "Average",
    "Minimum",
    "Maximum",
    "SampleCount",
    "p90",
    "p50",
    "PR(2:6)",
    "PR(4:)",
]


def states(metric_alarm: MetricAlarm, values: Any, initial: State = State.OK) -> list[State]:
    """After each minute."""
    end = 60 * len(values)
    initials = {"a": initial}
    history = evaluate([metric_alarm], recorded(values), start=0, end=end, initial=initials)["a"]
    return [history.state(at) for at in range(60, end + 1, 60)]


@settings(deadline=None)
@given(
    values=POINTS,
    name=st.sampled_from(STATISTICS),
    period=st.integers(1, 6),
    n=st.integers(1, 5),
    m=st.integers(1, 5),
    missing=st.sampled_from(list(Missing)),
    initial=st.sampled_from(list(State)),
)
def test_equals_the_slow_reference(
    values: list[float | None],
    name: str,
    period: int,
    n: int,
    m: int,
    missing: Missing,
    initial: State,
) -> None:
    """Every minute's state is that of plain loops over lists."""
    assume(m <= n)
    metric_alarm = alarm(
        statistic=name, period=60 * period, missing=missing,
        evaluation_periods=n, datapoints_to_alarm=m,
    )  # fmt: skip
    expected = reference.states(
        values, name=name, period=period, threshold=5.0, m=m, n=n, missing=missing, initial=initial
    )
    assert states(metric_alarm, values, initial) == expected


@settings(deadline=None)
@given(values=POINTS, shift=st.integers(0, 5000), missing=st.sampled_from(list(Missing)))
def test_shifting_a_series_shifts_the_history(
    values: list[float | None], shift: int, missing: Missing
) -> None:
    """What happens does not depend on when."""
    metric_alarm = alarm(missing=missing)
    end = 60 * len(values)
    here = evaluate([metric_alarm], recorded(values), start=0, end=end)["a"]
    moved = recorded(values, start=60 * shift)
    there = evaluate([metric_alarm], moved, start=60 * shift, end=60 * shift + end)["a"]
    assert [(change.at + 60 * shift, change.state) for change in here.changes] == [
        (change.at, change.state) for change in there.changes
    ]


@settings(deadline=None)
@given(
    values=st.lists(st.integers(0, 9), min_size=1, max_size=40),
    more=st.lists(st.booleans(), min_size=40, max_size=40),
    m=st.integers(1, 3),
)
def test_more_breaching_never_delays_an_alarm(values: list[int], more: list[bool], m: int) -> None:
    """Without gaps, raising some values puts no minute of ALARM out."""
    metric_alarm = alarm(datapoints_to_alarm=m)
    worse = [9 if bad else value for value, bad in zip(values, more, strict=False)]
    for before, after in zip(
        states(metric_alarm, values), states(metric_alarm, worse), strict=True
    ):
        assert not (before is State.ALARM and after is not State.ALARM)


@settings(deadline=None)
@given(values=POINTS, missing=st.sampled_from([Missing.BREACHING, Missing.NOT_BREACHING]))
def test_m_of_n_is_monotone_in_m(values: list[float | None], missing: Missing) -> None:
    """Asking for fewer breaching datapoints never makes an alarm quieter."""
    ons = [
        [
            state is State.ALARM
            for state in states(alarm(datapoints_to_alarm=m, missing=missing), values)
        ]
        for m in (1, 2, 3)
    ]
    for fewer, more in pairwise(ons):
        assert all(a or not b for a, b in zip(fewer, more, strict=True))


def test_long_periods_slide_by_the_minute() -> None:
    """A period of five minutes is evaluated every minute on the last five."""
    metric_alarm = alarm(
        statistic="Sum", period=300, evaluation_periods=1, datapoints_to_alarm=1,
        missing=Missing.NOT_BREACHING,
    )  # fmt: skip
    values = [0.0] * 20
    values[7] = 9.0
    on = [
        minute
        for minute, state in enumerate(states(metric_alarm, values), 1)
        if state is State.ALARM
    ]
    assert on == [8, 9, 10, 11, 12]


def test_more_than_a_day_is_evaluated_once_an_hour() -> None:
    """Two periods of a day are looked at on the hour."""
    metric_alarm = alarm(
        statistic="Sum", period=86_400, evaluation_periods=2, datapoints_to_alarm=1
    )
    values = [0.0] * 200 + [9.0] + [0.0] * 200
    history = evaluate([metric_alarm], recorded(values), start=0, end=60 * 401)["a"]
    assert [(change.at % 3600, change.at // 3600) for change in history.changes] == [(0, 1), (0, 4)]


def test_dynamodb_s_missing_data_is_always_ignored() -> None:
    """Whatever an alarm asks for, a gap in AWS/DynamoDB leaves the state as it is."""
    metric = MetricKey.of("AWS/DynamoDB", "WriteThrottleEvents", {"TableName": "t"})
    metric_alarm = alarm(
        queries=(Query("m1", metric, "Sum", 60),), missing=Missing.NOT_BREACHING,
        evaluation_periods=1, datapoints_to_alarm=1,
    )  # fmt: skip
    series = Series(metric, "Sum", 0, 60, np.array([9.0, *[math.nan] * 20]))
    history = evaluate([metric_alarm], InMemory({metric: [series]}), start=0, end=60 * 21)["a"]
    assert history.state(60 * 21) is State.ALARM
    assert len(history.changes) == 1


def test_actions_are_performed_on_transitions_alone() -> None:
    """Each change is notified once; with actions disabled nothing is."""
    values = [0, 9, 9, 9, 9, 0, 0, 0, 0]
    end = 60 * len(values)
    for enabled in (True, False):
        metric_alarm = alarm(actions_enabled=enabled)
        notified = evaluate([metric_alarm], recorded(values), start=0, end=end)["a"].notifications
        states_notified = [note.state for note in notified]
        assert states_notified == ([State.OK, State.ALARM, State.OK] if enabled else [])


def test_reasons_name_the_datapoints_and_the_threshold() -> None:
    """A transition says which datapoints decided and what was asked of them."""
    values = [0, 0, 0, 7, 8, None, None, None, None, None]
    history = evaluate([alarm()], recorded(values), start=0, end=600)["a"]
    reasons = {change.state: change.reason for change in history.changes}
    assert "2 of the last 3 datapoints" not in reasons[State.ALARM]
    assert (
        "3 of the last 3 datapoints [8 (01/01/70 00:04:00), 7 (01/01/70 00:03:00)"
        in (reasons[State.ALARM])
    )
    assert "greater than the threshold (5), of which 2" in reasons[State.ALARM]
    assert reasons[State.INSUFFICIENT_DATA] == "Insufficient Data: 3 datapoints were unknown."


def test_statistics_of_recorded_ones() -> None:
    """Sums add up, shares and averages are weighted by their counts."""

    def made(statistic: str, *series: tuple[str, list[float]]) -> float:
        recordings = [
            Series(METRIC, name, 0, 60, np.array(values, dtype=float)) for name, values in series
        ]
        metric_alarm = alarm(statistic=statistic, period=120)
        values = datapoints(metric_alarm, InMemory({METRIC: recordings}), start=0, end=120)
        return float(values[-1])

    assert made("Sum", ("Sum", [1, 2])) == 3
    assert made("Maximum", ("Maximum", [4, 2])) == 4
    assert made("Average", ("Average", [1, 3]), ("SampleCount", [1, 3])) == 2.5
    assert made("Average", ("Sum", [1, 9]), ("SampleCount", [1, 3])) == 2.5
    assert made("PR(:300)", ("PR(:300)", [100, 0]), ("SampleCount", [1, 3])) == 25


@pytest.mark.parametrize(
    ("changes", "kept", "expected"),
    [
        ({"statistic": "p99", "period": 300}, ("p99", 60), "Record p99 every 300 s"),
        ({"statistic": "Average", "period": 300}, ("Average", 60), "Record Average every 300 s"),
        ({"statistic": "XM(10%:90%)"}, (None, 60), "the statistic XM(10%:90%) is not supported"),
        (
            {"period": 60},
            ("Maximum", 300),
            "s, which is too coarse for a period",
        ),
        ({"period": 45}, (None, 60), "a period of 45 s is not supported"),
        ({"comparison": "Roughly"}, (None, 60), "the comparison 'Roughly' is not supported"),
        (
            {"comparison": "GreaterThanUpperThreshold", "band": "b", "threshold": None},
            (None, 60),
            "with the statistics band-lower and band-upper",
        ),
    ],
)
def test_what_is_not_known_is_refused(
    changes: dict[str, Any], kept: tuple[str | None, int], expected: str
) -> None:
    """Never a wrong answer: what can't be evaluated says why, and where."""
    statistic, step = kept
    with pytest.raises(NotSupportedError) as refused:
        evaluate([alarm(**changes)], recorded([1] * 10, statistic, step=step), start=0, end=600)
    assert expected in str(refused.value)
    assert "t.json Alarm" in str(refused.value)


def test_anomaly_bands_are_given_as_series() -> None:
    """A value outside of the recorded band breaches."""
    band = Query("b", expression="ANOMALY_DETECTION_BAND(m1, 2)")
    metric_alarm = alarm(
        queries=(Query("m1", METRIC, "Maximum", 60), band), band="b", threshold=None,
        comparison="LessThanLowerOrGreaterThanUpperThreshold",
        evaluation_periods=1, datapoints_to_alarm=1,
    )  # fmt: skip
    series = [
        Series(METRIC, name, 0, 60, np.array(values, dtype=float))
        for name, values in (
            ("Maximum", [5, 9, 5, 1]), ("band-lower", [2] * 4), ("band-upper", [8] * 4),
        )
    ]  # fmt: skip
    history = evaluate([metric_alarm], InMemory({METRIC: series}), start=0, end=240)["a"]
    states_after = [history.state(at) for at in (60, 120, 180, 240)]
    assert states_after == [State.OK, State.ALARM, State.OK, State.ALARM]


def test_few_samples_leave_a_percentile_s_state() -> None:
    """With EvaluateLowSampleCountPercentile 'ignore' a p50 of under 20 samples decides nothing."""
    low = alarm(statistic="p50", low_samples="ignore", evaluation_periods=1, datapoints_to_alarm=1)
    many = [Series(METRIC, "p50", 0, 60, np.array([9.0, 9.0])),
            Series(METRIC, "SampleCount", 0, 60, np.array([19.0, 20.0]))]  # fmt: skip
    history = evaluate([low], InMemory({METRIC: many}), start=0, end=120)["a"]
    assert (history.state(60), history.state(120)) == (State.INSUFFICIENT_DATA, State.ALARM)


def test_times_are_multiples_of_ten_seconds() -> None:
    """Anything else has no evaluation."""
    with pytest.raises(InputError, match="not multiples of 10 s"):
        evaluate([alarm()], recorded([1]), start=1, end=60)


def test_an_unknown_part_is_named() -> None:
    """A rule about an alarm that is not there can't be evaluated."""
    with pytest.raises(InputError, match=r"t\.json c: the alarm 'gone' is not in the templates"):
        evaluate([composite("c", 'ALARM("gone")')], recorded([1]), start=0, end=60)
    circle = [composite("c", "ALARM(d)"), composite("d", "ALARM(c)")]
    with pytest.raises(InputError, match="in a circle"):
        evaluate(circle, recorded([1]), start=0, end=60)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("AVG(m)", "makes a number, not a series; TIME_SERIES makes a series of it"),
        ("MAX(m) * 2", "makes a number"),
        ("METRICS()", "makes several series, and an alarm watches one"),
    ],
)
def test_what_is_not_one_series_is_not_evaluated(expression: str, expected: str) -> None:
    """CloudWatch refuses such an alarm, so its cases can't pass."""
    queries = (Query("e", expression=expression), Query("m", METRIC, "Sum", 60))
    metric_alarm = alarm(queries=queries, returned="e")
    with pytest.raises(NotSupportedError, match=re.escape(f"'{expression}' {expected}")):
        evaluate([metric_alarm], InMemory({}), start=0, end=60)
