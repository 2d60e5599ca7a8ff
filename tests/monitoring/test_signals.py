"""Signals and composites are checked where they are written, and the error says which and what."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from monitoring.model import metrics, signals
from monitoring.model.signals import (
    Comparison,
    Composite,
    Kind,
    Metric,
    Missing,
    Query,
    Severity,
    Signal,
    SignalError,
    Threshold,
    headings,
    period_problems,
    unit_of,
    variables,
)

ERRORS = Query(metrics.FUNCTION_ERRORS, "Sum", "publish")
DURATION = Query(metrics.FUNCTION_DURATION, "p99", "publish")
ONE = Threshold(1, "Count", "One is too many.")


@pytest.fixture(autouse=True)
def _runbook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A runbook with two headings."""
    runbook = tmp_path / "runbook.md"
    runbook.write_text("# Runbook\n\n## a-signal\n\n### deeper\n\n## an-incident  \n")
    monkeypatch.setattr(signals, "RUNBOOK", runbook)


def _signal(**changes: Any) -> Signal:
    parts: dict[str, Any] = {
        "id": "a-signal",
        "title": "It fails",
        "impact": "Users notice.",
        "covers": (1,),
        "severity": Severity.PAGE,
        "queries": {"errors": ERRORS},
        "threshold": ONE,
        "comparison": Comparison.AT_LEAST,
        "datapoints": 2,
        "periods": 3,
        "missing": Missing.NOT_BREACHING,
        "missing_reason": "Idle.",
    }
    return Signal(**{**parts, **changes})


def _composite(**changes: Any) -> Composite:
    parts: dict[str, Any] = {
        "id": "an-incident",
        "title": "It fails",
        "impact": "Users notice.",
        "severity": Severity.PAGE,
        "any_of": ("a", ("b", "c")),
    }
    return Composite(**{**parts, **changes})


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"id": "A_Signal"}, "the id is not kebab-case; write words-with-hyphens"),
        ({"title": " "}, "title is empty; say it in a sentence"),
        ({"impact": ""}, "impact is empty; say it in a sentence"),
        ({"missing_reason": ""}, "missing_reason is empty; say it in a sentence"),
        ({"threshold": Threshold(1, "Count", " ")}, "the threshold has no reason"),
        ({"datapoints": 4}, r"datapoints \(4\) must be between 1 and periods \(3\)"),
        ({"datapoints": 0}, r"datapoints \(0\) must be between 1 and periods \(3\)"),
        ({"period": 90}, "a period of 90 s is not a multiple of 60 up to 86400"),
        ({"period": 172_800}, "a period of 172800 s is not a multiple of 60 up to 86400"),
        (
            {"period": 1800, "periods": 49},
            "49 periods of 1800 s are more than CloudWatch's 86400 s",
        ),
        ({"runbook": "elsewhere"}, "runbook.md has no heading '## elsewhere'; write it"),
        ({"runbook": "deeper"}, "runbook.md has no heading '## deeper'; write it"),
        ({"queries": {"Errors": ERRORS}}, "query id 'Errors' must begin with a lower-case letter"),
        (
            {"queries": {"errors": replace(ERRORS, statistic="Median")}},
            "query 'errors': unknown statistic 'Median'",
        ),
        ({"threshold": replace(ONE, unit="Bytes")}, "unknown unit 'Bytes'; use one of"),
        (
            {"threshold": replace(ONE, unit="Seconds"), "queries": {"duration": DURATION}},
            "the threshold is in Seconds, but p99 of Duration is in Milliseconds",
        ),
        (
            {"queries": {"errors": ERRORS, "again": ERRORS}},
            "2 queries and no expression; say how they combine",
        ),
        ({"expression": "errors + throttles"}, r"the expression uses undeclared \['throttles'\]"),
        (
            {"queries": {"errors": ERRORS, "idle": ERRORS}, "expression": "2 * errors"},
            r"the expression does not use \['idle'\]",
        ),
    ],
)
def test_a_wrong_signal_is_told(changes: dict[str, Any], expected: str) -> None:
    """A definition that can't work names its signal and what to mend."""
    name = changes.get("id", "a-signal")
    with pytest.raises(SignalError, match=f"^signal '{name}': .*{expected}"):
        _signal(**changes)


def test_a_sound_signal_is_taken() -> None:
    """What all of these tests start from is itself without fault."""
    assert _signal().runbook == "a-signal"
    assert _signal(id="another", runbook="a-signal").roles == {"publish"}


@pytest.mark.parametrize(
    ("period", "periods"), [(60, 1440), (3600, 168), (86_400, 7), ("heartbeat.period", 3)]
)
def test_what_cloudwatch_takes_is_taken(period: int | str, periods: int) -> None:
    """The longest windows pass: a day, or a week of long periods; facts are checked later."""
    assert period_problems(period, 1, periods) == []


@pytest.mark.parametrize(("period", "periods"), [(60, 1441), (3600, 169), (86_400, 8)])
def test_what_cloudwatch_refuses_is_refused(period: int, periods: int) -> None:
    """One period more than the longest window is an error."""
    [problem] = period_problems(period, 1, periods)
    assert "are more than CloudWatch's" in problem


@pytest.mark.parametrize(
    ("statistic", "metric", "unit"),
    [
        ("Maximum", metrics.QUEUE_AGE, "Seconds"),
        ("p99", metrics.DELIVERY_LAG, "Milliseconds"),
        ("SampleCount", metrics.DELIVERY_LAG, "Count"),
        ("PR(:{slo.delivery_target})", metrics.DELIVERY_LAG, "Percent"),
    ],
)
def test_a_statistic_has_a_unit(statistic: str, metric: Metric, unit: str) -> None:
    """Counts of values and percentile ranks are in units of their own."""
    assert unit_of(Query(metric, statistic, "buffer")) == unit


def test_variables_are_the_ids_alone() -> None:
    """Functions and facts in braces are no variables of an expression."""
    expression = "IF((HOUR(clock) >= {traffic.busy_from}) AND (a > 2), FILL(b, REPEAT), 1)"
    assert variables(expression) == {"clock", "a", "b"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"id": "An_Incident"}, "the id is not kebab-case"),
        ({"any_of": ()}, "has no parts"),
        ({"any_of": ("a", ("a", "b"))}, "names a part twice"),
        ({"any_of": ("an-incident",)}, "refers to itself"),
        ({"unless": {"d": ("e",)}}, "'unless' names what is no part of it"),
        ({"suppressed_by": "an-incident"}, "refers to itself"),
        ({"id": "unheard-of"}, "runbook.md has no heading '## unheard-of'; write it"),
    ],
)
def test_a_wrong_composite_is_told(changes: dict[str, Any], expected: str) -> None:
    """A composite that can't work names itself and what to mend."""
    name = changes.get("id", "an-incident")
    with pytest.raises(SignalError, match=f"^composite '{name}': .*{expected}"):
        _composite(**changes)


def test_a_composite_s_parts_are_flat() -> None:
    """Signals that only count together are parts like the others."""
    assert _composite().parts == ("a", "b", "c")


def test_headings_are_those_of_the_second_level(tmp_path: Path) -> None:
    """Titles and subsections are no place a link of an alarm may lead to."""
    file = tmp_path / "some.md"
    file.write_text("# One\n## two\ntext ## three\n### four\n## five \n")
    assert headings(file) == {"two", "five"}


def test_a_role_s_dimensions_are_the_metric_s_too() -> None:
    """A metric may add dimensions to those of its resource."""
    assert metrics.TABLE_UPDATE_ERRORS.dimensions == {"Operation": "UpdateItem"}
    assert metrics.TABLE_UPDATE_ERRORS.kind is Kind.TABLE
