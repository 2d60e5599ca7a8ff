"""Definitions are checked as a whole: every problem of each, by its name."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from monitoring.model import metrics
from monitoring.model.catalog import Catalog
from monitoring.model.checks import headings, period_problems, problems, unit_of
from monitoring.model.datadog import BurnRate, MetricQuery
from monitoring.model.signals import Metric, Query, Threshold, variables
from tests.monitoring.fixtures import CATALOG, RUNBOOK, signal, with_monitor

ERRORS = Query(metrics.FUNCTION_ERRORS, "Sum", "publish")
DURATION = Query(metrics.FUNCTION_DURATION, "p99", "publish")
ONE = Threshold(1, "Count", "One is too many.")


def _with_composite(**changes: Any) -> Catalog:
    first, *others = CATALOG.composites
    return replace(CATALOG, composites=(replace(first, **changes), *others))


def _with_objectives(**changes: Any) -> Catalog:
    return replace(CATALOG, objectives=tuple(replace(o, **changes) for o in CATALOG.objectives))


def test_a_sound_catalog_has_no_problems() -> None:
    """What all of these tests start from is itself without fault."""
    assert problems(CATALOG, RUNBOOK) == []
    assert signal("crashes", ERRORS, ONE).runbook == "crashes"
    assert signal("another", ERRORS, ONE, runbook="crashes").roles == {"publish"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"id": "A_Signal"}, "the id is not kebab-case; write words-with-hyphens"),
        ({"title": " "}, "title is empty; write a sentence"),
        ({"impact": ""}, "impact is empty; write a sentence"),
        ({"missing_reason": ""}, "missing_reason is empty; write a sentence"),
        ({"threshold": Threshold(1, "Count", " ")}, "the threshold has no reason"),
        ({"datapoints": 4}, "datapoints (4) must be between 1 and periods (3)"),
        ({"datapoints": 0}, "datapoints (0) must be between 1 and periods (3)"),
        ({"period": 90}, "a period of 90 s is not a multiple of 60 up to 86400"),
        ({"period": 172_800}, "a period of 172800 s is not a multiple of 60 up to 86400"),
        (
            {"period": 1800, "periods": 49},
            "49 periods of 1800 s are more than CloudWatch's 86400 s",
        ),
        ({"runbook": "elsewhere"}, "docs/runbook.md has no heading '## elsewhere'; write it"),
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
            "2 queries and no expression; write how they combine",
        ),
        (
            {"expression": "errors + throttles"},
            "the expression uses 'throttles', which 'queries' lacks",
        ),
        (
            {"queries": {"errors": ERRORS, "idle": ERRORS}, "expression": "2 * errors"},
            "the expression does not use 'idle' of 'queries'",
        ),
    ],
)
def test_a_wrong_signal_is_named(changes: dict[str, Any], expected: str) -> None:
    """A definition that can't work names its signal and what to change."""
    base = signal("a-signal", ERRORS, ONE, runbook="slow", queries={"errors": ERRORS})
    wrong = replace(base, **changes)
    name = changes.get("id", "a-signal")
    problem = problems(Catalog(signals=(wrong,)), RUNBOOK)[0]
    assert problem.startswith(f"signal '{name}': {expected}")


def test_generic_signals_are_checked_too() -> None:
    """What holds for resources of others is checked before anybody names such a resource."""
    wrong = signal("any-errors", ERRORS, ONE, runbook="slow", title="")
    errors = problems(replace(CATALOG, existing=lambda *_: (wrong,)), RUNBOOK)
    assert errors == ["signal 'any-errors': title is empty; write a sentence"]


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
    """Functions and facts in braces are not variables of an expression."""
    expression = "IF((HOUR(clock) >= {traffic.busy_from}) AND (a > 2), FILL(b, REPEAT), 1)"
    assert variables(expression) == {"clock", "a", "b"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"id": "Down"}, ["the id is not kebab-case; write words-with-hyphens",
                          "docs/runbook.md has no heading '## Down'; write it"]),
        ({"impact": ""}, ["impact is empty; write a sentence"]),
        ({"any_of": (), "unless": {}}, ["has no parts"]),
        ({"any_of": ("slow", ("slow", "log")), "unless": {}}, ["names a part twice"]),
        ({"any_of": ("down",), "unless": {}}, ["refers to itself"]),
        ({"suppressed_by": "down"}, ["refers to itself"]),
        ({"unless": {"log": ("slow",)}}, ["'unless' names 'log', which is not one of its parts"]),
        ({"unless": {"wait": ("slwo",)}}, ["there is no signal 'slwo'; did you mean 'slow'?"]),
        ({"any_of": ("wait", "beats", "x")}, ["there is no signal 'x'"]),
        ({"suppressed_by": "degrade"},
         ["there is no composite 'degrade'; did you mean 'degraded'?"]),
    ],
)  # fmt: skip
def test_a_wrong_composite_is_named(changes: dict[str, Any], expected: list[str]) -> None:
    """A composite that can't work names itself and what to change."""
    name = changes.get("id", "down")
    errors = [
        problem for problem in problems(_with_composite(**changes), RUNBOOK) if name in problem
    ]
    own = [error for error in errors if error.startswith(f"composite '{name}': ")]
    assert own == [f"composite '{name}': {problem}" for problem in expected]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"warning": 1.1}, "warning is 1.1 times the threshold, which is on the wrong side of it"),
        ({"recovery": 1.0}, "recovery is 1 times the threshold"),
        ({"window": 240}, "Datadog has no window of 240 s; use one of 60, 300, 600,"),
        ({"runbook": "nowhere"}, "docs/runbook.md has no heading '## nowhere'; write it"),
        ({"expression": "a / b"}, "expression and queries differ in 'a', 'b', 'timeouts'"),
        ({"queries": {}}, "0 queries and no expression"),
        ({"title": " "}, "title is empty"),
        (
            {"queries": {"burn": BurnRate("lat", 3600, 300)}},
            "there is no objective 'lat'; did you mean 'late'?",
        ),
        ({"queries": {"burn": BurnRate("late", 3600, 301)}}, "Datadog has no window of 301 s"),
    ],
)
def test_a_wrong_monitor_is_named(changes: dict[str, Any], expected: str) -> None:
    """A monitor that can't work names itself and what to change."""
    [problem] = problems(with_monitor("timeouts", **changes), RUNBOOK)
    assert problem.startswith(f"monitor 'timeouts': {expected}")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"title": ""}, "title is empty; write a sentence"),
        ({"monitors": ()}, "needs either queries or monitors"),
        ({"monitors": ("promis",)}, "there is no monitor 'promis'; did you mean 'promise'?"),
        (
            {"queries": {"n": MetricQuery("a")}, "good": "n - x", "total": "n", "monitors": ()},
            "'good' and 'total' and the queries differ in 'x'; name each in both",
        ),
    ],
)
def test_a_wrong_objective_is_named(changes: dict[str, Any], expected: str) -> None:
    """An objective that can't work names itself and what to change."""
    errors = problems(_with_objectives(**changes), RUNBOOK)
    assert f"objective 'late': {expected}" in errors


def test_no_field_takes_any_value() -> None:
    """Of each kind of definition, every field is checked, and nothing else is said of it."""
    for kind in ("signals", "composites", "monitors", "objectives"):
        first, *others = getattr(CATALOG, kind)
        for field in fields(first):
            if field.name not in ("id", "key"):
                wrong = replace(first, **{field.name: object})
                changes: dict[str, Any] = {kind: (wrong, *others)}
                [problem] = problems(replace(CATALOG, **changes), RUNBOOK)
                assert f"': {field.name}: is <class 'object'>; write " in problem


def test_what_is_no_definition_is_named() -> None:
    """A tuple that is not unpacked, or a list, is one line, and the others are still checked."""
    nested = replace(CATALOG, signals=(*CATALOG.signals, CATALOG.signals))  # type: ignore[arg-type]
    [problem] = problems(nested, RUNBOOK)
    assert problem.startswith(f"catalog: signals.{len(CATALOG.signals)}: is (Signal(id=")
    listed = replace(CATALOG, objectives=[*CATALOG.objectives])  # type: ignore[arg-type]
    [problem] = problems(listed, RUNBOOK)
    assert problem.startswith("catalog: objectives: is [Objective(")


def test_every_id_is_there_once() -> None:
    """Ids name alarms and keys of settings, whatever they are of."""
    again = signal("timeouts", ERRORS, ONE)
    errors = problems(
        replace(CATALOG, signals=(*CATALOG.signals, again), objectives=2 * CATALOG.objectives),
        RUNBOOK,
    )
    assert errors == [
        "id 'timeouts': defined 2 times; rename all but one",
        "objective 'taken': defined 2 times; rename all but one",
        "objective 'late': defined 2 times; rename all but one",
    ]


def test_a_composite_s_parts_are_flat() -> None:
    """Signals that only count together are parts like the others."""
    down = CATALOG.composites[0]
    assert down.parts == ("wait", "crashes", "beats", "late-long", "late-short")
    assert down.groups[-1] == ("late-long", "late-short")


def test_headings_are_those_of_the_second_level(tmp_path: Path) -> None:
    """An alarm's link may not lead to a title or a subsection."""
    file = tmp_path / "some.md"
    file.write_text("# One\n## two\ntext ## three\n### four\n## five \n")
    assert headings(file) == {"two", "five"}
