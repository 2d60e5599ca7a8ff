"""Alarms are described in words that need no knowledge of CloudWatch's ids."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from monitoring import wording
from monitoring.alarm_set import Alarm, AlarmSet, CompositeAlarm, alarm_set
from monitoring.model.signals import Comparison
from monitoring.quantities import quantity
from settings.loader import environments, load

RUNBOOK = "https://example.com/runbook"


def _set(**overrides: Any) -> AlarmSet:
    return alarm_set(load("prd", overrides={"traffic": {"fromHourUtc": 6}, **overrides}))


def _alarm(name: str, **overrides: Any) -> Alarm:
    alarm = _set(**overrides).alarm(name)
    assert alarm
    return alarm


def _composite(name: str) -> CompositeAlarm:
    [found] = [one for one in _set().composites if one.composite.id == name]
    return found


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (900, "Seconds", "15 min"),
        (5600, "Milliseconds", "5.6 s"),
        (604_800, "Seconds", "7 d"),
        (5400, "Seconds", "1.5 h"),
        (100, "Seconds", "100 s"),
        (61, "Seconds", "61 s"),
        (713, "Milliseconds", "713 ms"),
        (0, "Seconds", "0 s"),
        (1234.567, "Milliseconds", "1.235 s"),
        (96_000, "Count", "96,000"),
        (1, "Count", "1"),
        (14.4, "Percent", "14.4 %"),
        (0.3, "Percent", "0.3 %"),
        (100, "Percent", "100 %"),
    ],
)
def test_quantities_are_as_people_write_them(value: float, unit: str, expected: str) -> None:
    """A number has the largest unit in which it stays short; a count has none."""
    assert quantity(value, unit) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("queue-age-page", "age of the oldest message, Maximum ≥ {} in 3 of 3 minutes"),
        ("publish-errors", "errors of publish, Sum ≥ {} in 2 of 3 minutes"),
        ("publish-log-warnings", "warnings in the log of publish, Sum ≥ {} in 5 min"),
        ("subscribe-duration", "duration of subscribe, p99 ≥ {} in 3 of 5 minutes"),
        ("heartbeat-missing", "heartbeats, Sum < {} in 3 of 3 periods of 5 min"),
        (
            "slo-accepted-slow-short",
            "100 * (5xx responses, Sum) / (requests, Sum) ≥ {} in 2 h",
        ),
        (
            "slo-delivered-fast-short",
            "100 - (share of delivery lag ≤ 5 min) ≥ {} in 5 min",
        ),
        (
            "api-5xx",
            "100 * e5 / n ≥ {} in 2 of 2 minutes, while e5 ≥ 3, "
            "where e5 = 5xx responses (Sum), n = requests (Sum)",
        ),
        (
            "backend-down",
            "FILL(failed, REPEAT) ≥ {} in 2 of 10 minutes, while groups ≥ 2, where failed = "
            "share of fresh attempts that ended in a 5xx, a timeout or no connection, "
            "groups = groups in flight (Maximum)",
        ),
        (
            "message-nearing-retention",
            "the larger of head and age ≥ {} in 1 h, where age = age of the oldest message "
            "(Maximum), head = age at a failed attempt (Maximum)",
        ),
        (
            "slo-delivered-fast-long",
            "100 - in_time ≥ {} in 1 h, while n * (100 - in_time) > 450, where in_time = share "
            "of delivery lag ≤ 5 min, n = delivery lag (number of values)",
        ),
        (
            "no-traffic",
            "accepted + 0 * clock < {} in 30 min, while HOUR(clock) ≥ 6 and "
            "HOUR(clock) < 24, where accepted = accepted webhooks (Sum), clock = heartbeats (Sum)",
        ),
    ],
)
def test_conditions_are_in_words(name: str, expected: str) -> None:
    """Metric, statistic, threshold, window and what else must hold, in that order."""
    alarm = _alarm(name)
    threshold = quantity(alarm.threshold, alarm.signal.threshold.unit)
    assert wording.condition(alarm) == expected.format(threshold)


def test_conditions_follow_the_settings() -> None:
    """A changed threshold shows in the condition."""
    changed = _alarm("queue-age-page", alarms={"queue-age-page": {"threshold": 1200}})
    assert "≥ 20 min" in wording.condition(changed)


@pytest.mark.parametrize("environment", environments())
def test_every_id_in_a_condition_is_explained(environment: str) -> None:
    """A condition explains every query id that it uses."""
    for alarm in alarm_set(load(environment)).alarms:
        told = wording.condition(alarm)
        main, _, where = told.partition(", where ")
        for query in alarm.measures:
            if alarm.expression and f" {query} " in f" {main} ":
                assert f"{query} = " in where, told


def _reworded(expression: str, comparison: Comparison = Comparison.AT_LEAST) -> str:
    alarm = _alarm("api-5xx")
    signal = replace(alarm.signal, expression=expression, comparison=comparison)
    return wording.condition(replace(alarm, signal=signal, expression=expression))


def test_an_if_whose_other_branch_fires_is_kept() -> None:
    """An IF becomes a condition only when its other branch is never in alarm."""
    kept = "IF((5xx responses, Sum) ≥ 3, (requests, Sum), {}) {} 5 % in 2 of 2 minutes"
    assert _reworded("IF(e5 >= 3, n, 7)") == kept.format(7, "≥")
    assert _reworded("IF(e5 >= 3, n, 4)").startswith("n ≥ 5 % in 2 of 2 minutes, while e5 ≥ 3,")
    assert _reworded("IF(e5 >= 3, n, 4)", Comparison.BELOW) == kept.format(4, "<")


def test_what_is_more_than_an_if_is_kept() -> None:
    """Two IFs are not one, and parentheses that bind stay."""
    both = "IF(e5 > 1, n, 0) + IF(n > 1, e5, 0)"
    assert _reworded(both).startswith(f"{both} ≥ 5 %")
    told = _reworded("IF((e5 > n) OR ((e5 + n) > 9), e5, 0)")
    assert "while e5 > n or (e5 + n) > 9, where" in told


def test_metric_names_are_cloudwatch_s() -> None:
    """The names are those that the console lists, each once."""
    assert wording.metric_names(_alarm("queue-age-page")) == "AWS/SQS ApproximateAgeOfOldestMessage"
    assert wording.metric_names(_alarm("slo-accepted-fast-long")) == (
        "AWS/ApiGateway 5xx, AWS/ApiGateway Count"
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("heartbeat-missing", "counts as breaching"),
        ("api-5xx", "counts as not breaching"),
        ("backend-down", "keeps the state"),
    ],
)
def test_missing_data_is_in_words(name: str, expected: str) -> None:
    """The effect of missing data on an alarm is in words."""
    assert wording.missing(_alarm(name)) == expected


def test_a_description_says_all() -> None:
    """Title, impact, condition and the link to the runbook."""
    assert wording.description(_alarm("publish-errors"), RUNBOOK) == (
        "publish crashes. Senders get 500 and have to retry. Fires when errors of publish, Sum "
        f"≥ 1 in 2 of 3 minutes. Runbook: {RUNBOOK}#publish-errors"
    )


def test_a_description_leads_to_the_signal_s_heading() -> None:
    """The heading is the signal's, also when several share one."""
    told = wording.description(_alarm("slo-accepted-fast-long"), "docs/runbook.md")
    assert told.endswith(" Runbook: docs/runbook.md#slo-accepted")


def test_a_composite_s_description_names_its_parts() -> None:
    """An incident names what sets it off, what explains a part, and what suppresses it."""
    told = wording.description(_composite("accepting-degraded"), RUNBOOK)
    assert "Fires while any part is on: api-latency, or publish-duration, or " in told
    assert "Suppressed during senders-refused." in told
    assert told.endswith(f" Runbook: {RUNBOOK}#accepting-degraded")
    failing = wording.parts(_composite("deliveries-failing")).split(", or ")
    assert "backend-down" in failing
    assert (
        "heartbeat-missing (unless api-5xx or heartbeat-refused or slo-accepted-fast-long)"
        in failing
    )
    assert "slo-delivered-fast-long and slo-delivered-fast-short" in failing


@pytest.mark.parametrize("environment", environments())
def test_descriptions_fit(environment: str) -> None:
    """Every description fits CloudWatch's limit."""
    found = alarm_set(load(environment))
    every: list[Alarm | CompositeAlarm] = [*found.alarms, *found.composites]
    for alarm in every:
        told = wording.description(alarm, RUNBOOK)
        assert len(told) <= 1024
        assert "…" not in told


def test_a_description_too_long_loses_its_middle() -> None:
    """A description that does not fit keeps the link to the runbook."""
    alarm = _alarm("api-5xx")
    long = replace(alarm, signal=replace(alarm.signal, impact="Long. " * 300))
    told = wording.description(long, RUNBOOK)
    assert len(told) == 1024
    assert told.endswith(f"… Runbook: {RUNBOOK}#api-5xx")
