"""Every threshold of the project is drawn, where its alarm or monitor fires, or has a reason."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from alarms import CATALOG
from dashboards import DASHBOARDS
from monitoring.alarm_set import AlarmSet, resolved
from monitoring.datadog import metrics
from monitoring.datadog.monitors import datadog_monitors
from monitoring.datadog.query import metric as read
from monitoring.deployed import deployed
from monitoring.model.dashboards import Panel
from tests.dashboard_fixtures import (
    EXISTING,
    UNINSTRUMENTED,
    UNTRACED,
    Body,
    across,
    cloudwatch_widgets,
    drawn_boards,
    every_widget,
    made,
    markers,
)

TRAFFIC: dict[str, Any] = {"traffic": {}}
# Signals whose threshold is not drawn, each with its reason: a duplicate of what stands beside
# it, or a number that no graph has.
_SHORT = {
    f"slo-{objective}-{speed}-short": "the same number as the long window's"
    for objective in ("accepted", "delivered")
    for speed in ("fast", "slow")
}
UNDRAWN_IN_CLOUDWATCH = _SHORT | {
    "consumer-stopped": "one waiting message, in a panel that reaches to thousands",
    "no-traffic": "none in half an hour, while the panel has five minutes",
    "heartbeat-refused": "an event of the heartbeat's log, reported by its alarm",
    "group-held-long": "a time, beside a graph of numbers of groups",
    "helpers-log-errors": "of three functions' logs together",
}
UNDRAWN_IN_DATADOG = _SHORT | {
    "backend-down": "a share of fresh attempts among groups in flight, which Datadog does not have",
    "backend-rejecting": "as backend-down",
    "consumer-stopped": "one waiting message, in a graph that reaches to thousands",
    "dropped-duplicates": "a metric that Datadog does not list",
    "webhooks-lost": "a number of webhooks, while log lines count audits",
    "group-held": "a number of groups, while log lines count reports",
    "group-held-long": "the same, of seconds",
    "parked-expiring": "a number of webhooks, while log lines count audits",
    "heartbeat-refused": "an event of the heartbeat's log, reported by its monitor and alarm",
    "helpers-log-errors": "of three functions' logs together",
    "slo-delivered-fast-long": "the SLO's widget has the budget; the share needs a percentile",
    "slo-delivered-slow-long": "the same",
    "publish-crashes": "by place in the code, which only its monitor groups",
    "subscribe-crashes": "the same",
    "traffic-unusual": "a share of a band, not a number of requests",
    "slo-accepted-fast": "a burn rate; the SLO's widget has the budget",
    "slo-accepted-burn-slow": "the same",
    "slo-delivered-fast": "the same",
    "slo-delivered-burn-slow": "the same",
}
_NAME = re.compile(r"([a-z0-9-]+) \((?:page|ticket|info)\)")


def _cloudwatch(alarms: AlarmSet) -> list[Body]:
    widgets = cloudwatch_widgets(alarms, DASHBOARDS)
    return [widget["properties"] for widget in widgets if widget["type"] == "metric"]


def _datadog(alarms: AlarmSet) -> list[Body]:
    return every_widget(drawn_boards(alarms, DASHBOARDS))


def _named(labels: Iterator[str]) -> set[str]:
    return {name for label in labels for name in _NAME.findall(label)}


def _panels(alarms: AlarmSet) -> Iterator[Panel]:
    having = deployed(alarms.settings)
    of_datadog = [part for board in DASHBOARDS.datadog(having) for part in board.sections]
    for section in (*DASHBOARDS.cloudwatch(having), *of_datadog):
        for row in section.rows:
            yield from (widget for widget in row if isinstance(widget, Panel))


def test_every_signal_is_drawn_in_cloudwatch_or_has_a_reason() -> None:
    """A signal's number is a line somewhere, or the reason stands here; no reason is left over."""
    alarms = made(CATALOG, **TRAFFIC)
    drawn = _named(label for panel in _cloudwatch(alarms) for label in across(panel))
    assert {alarm.signal.id for alarm in alarms.alarms} - drawn == UNDRAWN_IN_CLOUDWATCH.keys()


def test_every_signal_is_drawn_in_datadog_or_has_a_reason() -> None:
    """The same for signals and monitors in Datadog."""
    alarms = made(CATALOG)
    drawn = _named(label for widget in _datadog(alarms) for label in markers(widget))
    signals = {alarm.signal.id for alarm in alarms.alarms}
    monitors = {monitor.id for monitor in datadog_monitors(alarms)}
    assert (signals | monitors) - drawn == UNDRAWN_IN_DATADOG.keys()


def test_every_signal_of_existing_resources_is_drawn() -> None:
    """But for a threshold of one message; others' functions send no logs to Datadog."""
    alarms = made(CATALOG, **EXISTING)
    signals = {alarm.signal.id for alarm in alarms.alarms}
    in_cloudwatch = _named(label for panel in _cloudwatch(alarms) for label in across(panel))
    assert signals - in_cloudwatch == {"orders-consumer-stopped"}
    in_datadog = _named(label for widget in _datadog(alarms) for label in markers(widget))
    undrawn = {"orders-consumer-stopped", "worker-log-errors", "worker-log-warnings"}
    assert signals - in_datadog == undrawn


@pytest.mark.parametrize("overrides", [{}, EXISTING, UNINSTRUMENTED, UNTRACED, TRAFFIC])
def test_thresholds_are_the_alarms_own(overrides: dict[str, Any]) -> None:
    """A line is where its alarm fires, in Datadog in the unit it has for what is shown."""
    alarms = made(CATALOG, **overrides)
    numbers = {
        alarm.signal.id: (alarm.threshold, alarm.signal.threshold.unit) for alarm in alarms.alarms
    } | {
        monitor.id: (resolved(monitor.threshold, alarms.resources), monitor.threshold.unit)
        for monitor in datadog_monitors(alarms)
    }
    for panel in _cloudwatch(alarms):
        for label, drawn in across(panel).items():
            for name in _NAME.findall(label):
                assert drawn == numbers[name][0], f"{panel['title']}: {name}"
    for widget in _datadog(alarms):
        # All markers of a graph are on one axis, whose metric any visible query has.
        visible = {
            query["query"]
            for request in widget.get("requests", ())
            for shown in request.get("formulas", ())
            for query in request["queries"]
            if query["name"] == shown["formula"] and query["data_source"] == "metrics"
        }
        for label, drawn in markers(widget).items():
            for name in _NAME.findall(label):
                value, unit = numbers[name]
                if visible:
                    [axis] = read(sorted(visible)[0]).metrics
                    value = metrics.converted(value, unit, axis)
                assert drawn == pytest.approx(value, abs=1e-6), f"{widget['title']}: {name}"


@pytest.mark.parametrize("overrides", [{}, EXISTING])
def test_timeouts_are_drawn_for_every_function(overrides: dict[str, Any]) -> None:
    """A fact is a line with its number; where none is known, Datadog's own metric draws it."""
    alarms = made(CATALOG, **overrides)
    for widget in _datadog(alarms):
        role, _, title = widget.get("title", "").partition(": ")
        if title != "duration":
            continue
        if role in ("publish", "subscribe", "worker"):
            timeout = alarms.resources.value(f"{role}.timeout", "Milliseconds")
            assert timeout in [
                value for label, value in markers(widget).items() if "timeout" in label
            ]
        else:
            formulas = [
                formula["formula"] for each in widget["requests"] for formula in each["formulas"]
            ]
            assert "1000 * timeout" in formulas


@pytest.mark.parametrize("overrides", [TRAFFIC, EXISTING])
def test_counts_are_drawn_over_the_period_they_are_for(overrides: dict[str, Any]) -> None:
    """A threshold of more than one is drawn where counts are over the alarm's own period."""
    alarms = made(CATALOG, **overrides)
    for panel in _panels(alarms):
        for name in panel.signals:
            alarm = alarms.alarm(name)
            # One or none is the same over any period.
            if alarm is None or panel.unit != "Count" or alarm.threshold <= 1:
                continue
            if {measure.statistic for measure in alarm.measures.values()} == {"Sum"}:
                period = alarms.resources.number(panel.period)
                assert period == alarm.period, f"{panel.title}: {name}"
