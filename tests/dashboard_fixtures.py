"""Signals, monitors and dashboards of the tests' own, on which the renderers are tested."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from monitoring.alarm_set import AlarmSet, alarm_set
from monitoring.cloudwatch import dashboard
from monitoring.datadog.boards import boards
from monitoring.datadog.definition import Definition
from monitoring.model import metrics
from monitoring.model.catalog import Catalog
from monitoring.model.dashboards import Board, Dashboards, Section, Widget
from monitoring.model.datadog import DatadogMonitor, MetricQuery, Needs
from monitoring.model.signals import (
    Comparison,
    FailureMode,
    Kind,
    Missing,
    Query,
    Severity,
    Signal,
    Threshold,
)
from settings.loader import load

Body = dict[str, Any]

DATADOG = {
    "apiKeySecretArn": "arn:aws:secretsmanager:us-east-1:222222222222:secret:datadog-AbCdEf",
    "team": "webhooks",
}
EXISTING: dict[str, Any] = {
    "backend_url": None,
    "existing": {
        "queues": [{"name": "orders.fifo", "role": "orders"}],
        "functions": [{"name": "Worker", "role": "worker", "timeoutSeconds": 30}],
        "apis": [
            {"name": "shop", "role": "shop", "kind": "rest"},
            {"name": "a1b2c3", "role": "web", "kind": "http"},
        ],
        "tables": [{"name": "stock", "role": "stock"}],
    },
}
UNINSTRUMENTED: dict[str, Any] = {"datadog": {"functions": []}}
UNTRACED: dict[str, Any] = {"datadog": {**DATADOG, "tracing": False}}
STREAMED: dict[str, Any] = {"datadog": {**DATADOG, "metrics": "stream"}}


def _signal(
    name: str, query: Query, threshold: Threshold, severity: Severity, **more: Any
) -> Signal:
    return Signal(
        id=name,
        title="Something is wrong",
        impact="Webhooks are late.",
        covers=(FailureMode.BACKEND_SLOW,),
        severity=severity,
        queries={"value": query},
        threshold=threshold,
        comparison=Comparison.AT_LEAST,
        datapoints=1,
        periods=1,
        missing=Missing.NOT_BREACHING,
        missing_reason="Nothing came.",
        # A heading that the runbook has.
        runbook="queue-age-page",
        **more,
    )


_AGE = Query(metrics.QUEUE_AGE, "Maximum", "queue")
SIGNALS = (
    _signal("waits", _AGE, Threshold(840, "Seconds", "Test."), Severity.PAGE),
    _signal("waits-a-bit", _AGE, Threshold(240, "Seconds", "Test."), Severity.TICKET),
    _signal(
        "slow",
        Query(metrics.FUNCTION_DURATION, "p99", "publish"),
        Threshold(0.7, "Milliseconds", "Test.", of="publish.timeout"),
        Severity.TICKET,
    ),
    _signal("asked-for", _AGE, Threshold(60, "Seconds", "Test."), Severity.INFO, opt_in="traffic"),
)
MONITORS = (
    DatadogMonitor(
        id="costly",
        title="Functions cost more than usual",
        impact="None.",
        covers=(FailureMode.TRAFFIC_SURGE,),
        severity=Severity.INFO,
        queries={"cost": MetricQuery("aws.lambda.enhanced.estimated_cost")},
        threshold=Threshold(3, "US dollars", "Test."),
        comparison=Comparison.ABOVE,
        window=86_400,
        reading="{value} were spent",
        needs=(Needs.INSTRUMENTED,),
        runbook="queue-age-page",
    ),
)


def _existing(role: str, kind: Kind, _name: str) -> tuple[Signal, ...]:
    """One signal of each queue."""
    if kind is not Kind.QUEUE:
        return ()
    query = Query(metrics.QUEUE_AGE, "Maximum", role)
    threshold = Threshold(840, "Seconds", "Test.")
    return (_signal(f"{role}-waits", query, threshold, Severity.PAGE),)


CATALOG = Catalog(signals=SIGNALS, monitors=MONITORS, existing=_existing)


def made(catalog: Catalog = CATALOG, **overrides: Any) -> AlarmSet:
    """The alarms of an environment with Datadog."""
    return alarm_set(load("stg", overrides={"datadog": DATADOG, **overrides}), catalog)


def showing(*rows: tuple[Widget, ...]) -> Dashboards:
    """Dashboards with one section of these rows."""
    sections = (Section("Mine", rows),)
    return Dashboards(
        cloudwatch=lambda _: sections,
        datadog=lambda _: (Board("mine", "Mine", "For tests.", sections),),
    )


def in_cloudwatch(*rows: tuple[Widget, ...], **overrides: Any) -> list[Body]:
    """The panels that CloudWatch shows of these rows."""
    return [
        widget["properties"]
        for widget in cloudwatch_widgets(made(**overrides), showing(*rows))
        if widget["type"] == "metric"
    ]


def cloudwatch_widgets(alarms: AlarmSet, dashboards: Dashboards) -> list[Body]:
    body = dashboard.body(alarms, dashboards, region="eu-west-1", account="123456789012")
    widgets: list[Body] = body["widgets"]
    return widgets


def across(panel: Body) -> dict[str, float]:
    """The lines across a CloudWatch panel, by their labels."""
    lines = panel.get("annotations", {"horizontal": []})["horizontal"]
    return {line["label"]: line["value"] for line in lines}


def drawn_boards(alarms: AlarmSet, dashboards: Dashboards) -> list[Definition]:
    """Datadog's dashboards, which have no problem."""
    drawn, problems = boards(alarms, dashboards)
    assert problems == []
    return drawn


def in_datadog(*rows: tuple[Widget, ...], **overrides: Any) -> list[Body]:
    """The widgets that Datadog shows of these rows, its links left out."""
    [board] = drawn_boards(made(**overrides), showing(*rows))
    return [
        widget
        for widget in leaves(board.body["widgets"])
        if not widget.get("content", "").startswith("**What to do:**")
    ]


def leaves(widgets: list[Body]) -> Iterator[Body]:
    """The definitions of all widgets that are not groups."""
    for widget in widgets:
        inner = widget["definition"].get("widgets")
        if inner is None:
            yield widget["definition"]
        else:
            yield from leaves(inner)


def every_widget(definitions: list[Definition]) -> list[Body]:
    return [widget for board in definitions for widget in leaves(board.body["widgets"])]


def queries(widget: Body, source: str = "metrics") -> list[Body]:
    """The queries of a Datadog widget."""
    return [
        query
        for request in widget.get("requests", ())
        for query in request.get("queries", ())
        if query["data_source"] == source
    ]


def markers(widget: Body) -> dict[str, float]:
    """The lines across a Datadog graph, by their labels."""
    return {
        marker["label"]: float(marker["value"].removeprefix("y = "))
        for marker in widget.get("markers", ())
    }
