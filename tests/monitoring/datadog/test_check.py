"""What is wrong with a definition is found before it is sent, and named with object and field."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from monitoring.datadog.check import problems
from monitoring.datadog.definition import Definition, Kind, key_of, marked, unmarked
from monitoring.datadog.query import QueryError, metric, monitor
from settings.loader import load

SETTINGS = load("prd", overrides={"datadog": {"functions": []}})
MONITOR: dict[str, Any] = {
    "name": "n", "type": "query alert",
    "query": "max(last_5m):max:aws.sqs.approximate_age_of_oldest_message{*} by {queuename} >= 300",
    "message": marked(
        "{{#is_alert}}{{queuename.name}} waits {{value}} s @slack-a{{/is_alert}}", SETTINGS, "late"
    ),
    "options": {"thresholds": {"critical": 300.0, "warning": 200, "critical_recovery": 250}},
}  # fmt: skip
_QUERY = {"data_source": "metrics", "name": "q", "query": "sum:aws.lambda.errors{$env}.as_count()"}
_WIDGET = {
    "definition": {
        "type": "timeseries", "title": "Errors",
        "requests": [{"formulas": [{"formula": "q / 60"}], "queries": [_QUERY]}],
    },
    "layout": {"x": 0, "y": 0, "width": 6, "height": 2},
}  # fmt: skip
BOARD: dict[str, Any] = {
    "title": "t",
    "description": marked("d", SETTINGS, "board"),
    "template_variables": [{"name": "env", "prefix": "env", "default": "prd"}],
    "widgets": [_WIDGET],
}
SLO: dict[str, Any] = {
    "name": "s",
    "description": marked("d", SETTINGS, "slo"),
    "thresholds": [{"timeframe": "30d", "target": 99.0, "warning": 99.5}],
    "query": {
        "numerator": "sum:aws.apigateway.count{*}.as_count()",
        "denominator": "sum:aws.apigateway.count{*}.as_count()",
    },
}


def _found(kind: Kind, body: dict[str, Any], path: str = "", value: Any = None) -> list[str]:
    """The problems of a body, one field of it changed."""
    body = copy.deepcopy(body)
    if path:
        at: Any = body
        *steps, last = path.split(".")
        for step in steps:
            at = at[int(step)] if isinstance(at, list) else at[step]
        at[int(last) if isinstance(at, list) else last] = value
    return problems([Definition(kind, "one", body)])


@pytest.mark.parametrize(
    ("kind", "body"), [(Kind.MONITOR, MONITOR), (Kind.DASHBOARD, BOARD), (Kind.SLO, SLO)]
)
def test_what_is_right_passes(kind: Kind, body: dict[str, Any]) -> None:
    """A definition without a mistake has no problem, so that those below are their own."""
    assert _found(kind, body) == []


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("options.thresholds.warning", 301, "warning: 301 must be below critical (300)"),
        ("options.thresholds.critical_recovery", 300, "critical_recovery: 300 must be below"),
        ("options.thresholds.warning_recovery", 200, "warning_recovery: 200 must be below"),
        ("options.thresholds.critical", 200.5, "but the query compares with 300"),
        ("query", "max(last_5m):max:aws.lambda.errors{*} < 300", "must be above critical"),
        ("query", "max(last_5m):max:aws.lambda.errors{* >= 300", "query: can't be read"),
        ("query", "max(last_5m):max:aws.lambda.errors{*} 300", "query: is not a query of a query"),
        ("query", "max(last_5m):(max:aws.lambda.errors{*} >= 300", "are its brackets balanced?"),
        ("query", "max(last_5m):best(max:aws.lambda.errors{*}) >= 300", "calls best()"),
        ("query", "max(last_5m):max:aws.lambda.errors{*}.as_sum() >= 300", "calls .as_sum()"),
        ("query", "max(last_5m):max:aws.lambda.errors{} >= 300", "empty scope"),
        ("query", "max(last_5m):max:aws.lambda.errors{no tag} >= 300", "scope 'no tag'"),
        ("query", "max(last_5m):max:aws.lambda.misses{*} >= 300", "aws.lambda.misses is not in"),
        ("message", "{{#is_alert}}x", "{{#is_alert}} is never closed"),
        ("message", "x{{/is_alert}}", "{{/is_alert}} closes a block that is not open"),
        ("message", "{{#is_bad}}x{{/is_bad}}", "{{#is_bad}} is not a Datadog block"),
        ("message", "{{functionname.name}}", "grouped by queuename"),
        ("message", "tell @slack/orders", "'@slack/orders' is not a notification handle"),
        ("message", " ", "message: is empty"),
        ("name", "late on {{host.name}}", "name: {{host.name}} is not a variable"),
    ],
)
def test_a_monitors_mistake_is_named(path: str, value: Any, expected: str) -> None:
    """Thresholds, query, variables and handles: each mistake names the monitor and the field."""
    findings = _found(Kind.MONITOR, MONITOR, path, value)
    own = [finding for finding in findings if finding.startswith("monitor one: ")]
    assert any(expected in finding for finding in own), findings


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("widgets.0.layout.x", 7, "widgets.0.layout: does not fit into 12 columns"),
        ("widgets", [_WIDGET, _WIDGET], "widgets.1.layout: lies on widgets.0"),
        ("template_variables", [], "$env is not a template variable"),
        (
            "template_variables",
            [{"name": "env"}, {"name": "region"}],
            "$region is not used by any widget",
        ),
        ("widgets.0.definition.requests.0.formulas.0.formula", "p / 60", "uses 'p'"),
        (
            "widgets.0.definition.requests.0.queries.0.query",
            "sum:aws.lambda.eras{$env}",
            "aws.lambda.eras is not in monitoring",
        ),
        (
            "widgets.0.definition.requests.0.queries.0.query",
            "sum:aws.lambda.errors{$env",
            "can't be read",
        ),
    ],
)
def test_a_dashboards_mistake_is_named(path: str, value: Any, expected: str) -> None:
    """Grid, template variables, queries and formulas: each names the dashboard and the widget."""
    findings = _found(Kind.DASHBOARD, BOARD, path, value)
    own = [finding for finding in findings if finding.startswith("dashboard one: ")]
    assert any(expected in finding for finding in own), findings


def test_widgets_in_a_group_are_looked_at() -> None:
    """A group's own grid is checked, and its widgets' queries."""
    group = {"definition": {"type": "group", "widgets": [_WIDGET, _WIDGET]}}
    [finding] = _found(Kind.DASHBOARD, BOARD, "widgets", [group])
    assert "widgets.0.widgets.1.layout: lies on widgets.0.widgets.0" in finding


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("thresholds.0.target", 100, "thresholds.0.target: 100 must be between 0 and 100"),
        ("thresholds.0.warning", 98, "thresholds.0.warning: 98 must be above the target"),
        ("query.numerator", "sum:aws.apigateway.count{*", "query.numerator: can't be read"),
    ],
)
def test_an_slos_mistake_is_named(path: str, value: Any, expected: str) -> None:
    """Targets and queries: each names the SLO and the field."""
    assert any(expected in finding for finding in _found(Kind.SLO, SLO, path, value))


def test_keys_and_references_have_to_hold() -> None:
    """Two objects of one key, or a reference to nothing, are found."""
    late = Definition(Kind.MONITOR, "late", MONITOR)
    assert problems([late, late]) == ["monitor late: is defined twice; give each a key of its own"]
    slo = Definition(Kind.SLO, "s", {**SLO, "monitor_ids": [{"$ref": "monitor:lost"}]})
    assert problems([slo]) == ["slo s: refers to monitor lost, which is not defined"]


def test_an_imported_object_may_be_what_only_datadog_knows() -> None:
    """What somebody else made works there; only what it refers to has to be."""
    body = {**MONITOR, "query": "change(avg(last_5m),5m):avg:my.own{*} by {x} > 3", "name": "{{a}}"}
    assert problems([Definition(Kind.MONITOR, "one", body, imported=True)]) == []
    free = {**BOARD, "layout_type": "free", "template_variables": [{"name": "host"}]}
    assert problems([Definition(Kind.DASHBOARD, "one", free, imported=True)]) == []


@pytest.mark.parametrize(
    "text",
    [
        "sum:a.b{env:x,!host:y}.as_count()",
        "100 * sum:a{*}.as_count() / (sum:b{$env}.as_count() + 1)",
        "default_zero(sum:a{*} by {x,y}.rollup(sum, 300))",
        "anomalies(avg:a{*}, 'agile', 3, direction='both', interval=60)",
        "max:a{functionname:x-*}.fill(zero)",
    ],
)
def test_queries_of_datadogs_are_read(text: str) -> None:
    """What Datadog's documentation shows can be read."""
    assert metric(text).metrics[0] in ("a", "a.b")


@pytest.mark.parametrize(
    "text", ["", "1 + 1", "__import__('os')", "sum:a{*} if 1 else 2", "a{*};b"]
)
def test_what_is_no_query_is_refused(text: str) -> None:
    """Anything else is refused in words, never run."""
    with pytest.raises(QueryError):
        metric(text)


def test_a_monitors_query_shows_its_groups_and_number() -> None:
    """Log, SLO and metric queries give the tags they are grouped by and what they compare with."""
    logs = 'logs("a:b").index("*").rollup("count").by("@where,host").last("5m") >= 1'
    assert monitor(logs, "log alert").by == ("@where", "host")
    burn = 'burn_rate("x").over("30d").long_window("1h").short_window("5m") > 14.4'
    assert monitor(burn, "slo alert").number == 14.4
    with pytest.raises(QueryError, match="brackets or quotes"):
        monitor('logs("(a:b").index("*").rollup("count").last("5m") >= 1', "log alert")


def test_a_marker_is_of_its_service_and_environment_alone() -> None:
    """Neither another environment, nor another service, nor a mention in a text makes it ours."""
    text = marked("Hello.", SETTINGS, "late")
    assert text.endswith(
        "\nManaged by webhook-buffer. Edit the code, not this object: webhook-buffer:prd:late"
    )
    assert key_of(text, SETTINGS) == "late"
    assert unmarked(text) == "Hello."
    for other in (load("stg"), load("prd", overrides={"service": "webhook"})):
        assert key_of(text, other) is None
    assert key_of(f"{text}\nand more", SETTINGS) == "late"
    assert key_of(f"{text} and more", SETTINGS) is None
    assert key_of("See webhook-buffer:prd:late", SETTINGS) is None
    assert key_of(None, SETTINGS) is None
