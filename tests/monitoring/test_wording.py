"""Alarms are described in words that need no knowledge of CloudWatch's ids."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitoring import wording
from monitoring.model.signals import Comparison
from monitoring.quantities import quantity
from tests.monitoring.fixtures import TRAFFIC, composite
from tests.monitoring.fixtures import alarm as _alarm

RUNBOOK = "https://example.com/runbook"


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
        ("wait", "age of the oldest message, Maximum ≥ 14 min in 3 of 3 minutes"),
        ("crashes", "errors of publish, Sum ≥ 1 in 2 of 3 minutes"),
        ("log", "errors in the log of publish, Sum ≥ 5 in 5 min"),
        ("slow", "duration of publish, p99 ≥ 6 s in 3 of 5 minutes"),
        ("beats", "heartbeats, Sum < 1 in 3 of 3 periods of 5 min"),
        ("late-short", "100 - (share of delivery lag ≤ 5 min) ≥ 10 % in 5 min"),
        (
            "refusals",
            "100 * e5 / n ≥ 4 % in 2 of 2 minutes, while e5 ≥ 2, "
            "where e5 = 5xx responses (Sum), n = requests (Sum)",
        ),
        (
            "unsteady",
            "FILL(failed, REPEAT) ≥ 50 % in 2 of 10 minutes, while groups ≥ 2, where failed = "
            "share of fresh attempts that ended in a 5xx, a timeout or no connection, "
            "groups = groups in flight (Maximum)",
        ),
        (
            "expiry",
            "the larger of head and age ≥ 3.5 d in 1 h, where age = age of the oldest message "
            "(Maximum), head = age at a failed attempt (Maximum)",
        ),
        (
            "late-long",
            "100 - in_time ≥ 10 % in 1 h, while n * (100 - in_time) > 450, where in_time = share "
            "of delivery lag ≤ 5 min, n = delivery lag (number of values)",
        ),
        (
            "silence",
            "accepted + 0 * clock < 1 in 30 min, while HOUR(clock) ≥ 6 and "
            "HOUR(clock) < 22, where accepted = accepted webhooks (Sum), clock = heartbeats (Sum)",
        ),
    ],
)
def test_conditions_are_in_words(name: str, expected: str) -> None:
    """Metric, statistic, threshold, window and what else must hold, in that order."""
    settings = {"deliveredObjective": 99.0, **TRAFFIC}
    assert wording.condition(_alarm(name, **settings)) == expected


def test_conditions_follow_the_settings() -> None:
    """A changed threshold is shown as it is."""
    changed = _alarm("wait", alarms={"wait": {"threshold": 1200}})
    assert "≥ 20 min" in wording.condition(changed)


def _reworded(expression: str, comparison: Comparison = Comparison.AT_LEAST) -> str:
    alarm = _alarm("refusals")
    signal = replace(alarm.signal, expression=expression, comparison=comparison)
    return wording.condition(replace(alarm, signal=signal, expression=expression))


def test_an_if_whose_other_branch_fires_is_kept() -> None:
    """An IF becomes a condition only when its other branch is never in alarm."""
    kept = "IF((5xx responses, Sum) ≥ 3, (requests, Sum), {}) {} 4 % in 2 of 2 minutes"
    assert _reworded("IF(e5 >= 3, n, 7)") == kept.format(7, "≥")
    assert _reworded("IF(e5 >= 3, n, 3)").startswith("n ≥ 4 % in 2 of 2 minutes, while e5 ≥ 3,")
    assert _reworded("IF(e5 >= 3, n, 3)", Comparison.BELOW) == kept.format(3, "<")


def test_what_is_more_than_an_if_is_kept() -> None:
    """Two IFs are not one, and parentheses that bind stay."""
    both = "IF(e5 > 1, n, 0) + IF(n > 1, e5, 0)"
    assert _reworded(both).startswith(f"{both} ≥ 4 %")
    described = _reworded("IF((e5 > n) OR ((e5 + n) > 9), e5, 0)")
    assert "while e5 > n or (e5 + n) > 9, where" in described


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("beats", "counts as breaching"),
        ("refusals", "counts as not breaching"),
        ("unsteady", "keeps the state"),
    ],
)
def test_missing_data_is_in_words(name: str, expected: str) -> None:
    """What silence does to an alarm is said in words."""
    assert wording.missing(_alarm(name)) == expected


def test_a_description_says_all() -> None:
    """What is wrong, for whom, when, and where to read on."""
    assert wording.description(_alarm("crashes"), RUNBOOK) == (
        "crashes is wrong. Users notice. Fires when errors of publish, Sum "
        f"≥ 1 in 2 of 3 minutes. Runbook: {RUNBOOK}#crashes"
    )


def test_a_description_leads_to_the_signal_s_heading() -> None:
    """The heading is the signal's, also when several share one."""
    described = wording.description(_alarm("late-long"), "docs/runbook.md")
    assert described.endswith(" Runbook: docs/runbook.md#late")


def test_a_composite_s_description_names_its_parts() -> None:
    """An incident says what sets it off, what explains it, and during what it is silent."""
    described = wording.description(composite("degraded"), RUNBOOK)
    assert (
        "Fires while any of these is in ALARM: slow, or retries. Suppressed during down."
        in described
    )
    assert described.endswith(f" Runbook: {RUNBOOK}#degraded")
    assert wording.parts(composite("down")) == (
        "wait (unless unwritten), or crashes, or beats (unless refusals), "
        "or late-long and late-short"
    )


def test_a_description_too_long_loses_its_middle() -> None:
    """A description that does not fit keeps its link to the runbook."""
    alarm = _alarm("refusals")
    long = replace(alarm, signal=replace(alarm.signal, impact="Long. " * 300))
    described = wording.description(long, RUNBOOK)
    assert len(described) == 1024
    assert described.endswith(f"… Runbook: {RUNBOOK}#refusals")
