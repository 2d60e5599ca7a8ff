"""Datadog's dashboards draw each alarm's threshold where it is, in the unit of the axis."""

from __future__ import annotations

import re
from typing import Any

import pytest

import alarms
from monitoring.alarm_set import resolved
from monitoring.datadog import metrics
from monitoring.datadog.monitors import datadog_monitors
from monitoring.datadog.query import metric as read
from tests.datadog_boards import (
    CASES,
    EXISTING,
    every_widget,
    made,
    markers,
    panels,
    titled,
)

# Signals of the buffer whose threshold is on no graph, each with its reason.
UNDRAWN = {
    "backend-down": "a share of fresh attempts among in-flight groups, which Datadog has not",
    "backend-rejecting": "as backend-down",
    "consumer-stopped": "one waiting message, in a graph that reaches to thousands",
    "dropped-duplicates": "a metric that Datadog does not list",
    "webhooks-lost": "a number of webhooks, while log lines count audits",
    "heartbeat-refused": "an event of the heartbeat's log, told by its monitor and alarm",
    "helpers-log-errors": "of three functions' logs together",
    "slo-accepted-fast-short": "the same number as the long window's",
    "slo-accepted-slow-short": "the same number as the long window's",
    "slo-delivered-fast-long": "the SLO's widget tells the budget; the share needs a percentile",
    "slo-delivered-fast-short": "the same",
    "slo-delivered-slow-long": "the same",
    "slo-delivered-slow-short": "the same",
    "publish-crashes": "by place in the code, which only its monitor groups",
    "subscribe-crashes": "the same",
    "traffic-unusual": "a share of a band, not a number of requests",
    "slo-accepted-burn-fast": "a burn rate; the SLO's widget tells the budget",
    "slo-accepted-burn-slow": "the same",
    "slo-delivered-burn-fast": "the same",
    "slo-delivered-burn-slow": "the same",
}


@pytest.mark.parametrize("overrides", CASES)
def test_every_threshold_is_its_alarm_s_in_the_unit_of_the_axis(overrides: dict[str, Any]) -> None:
    """A line is where its alarm fires, converted into the unit that Datadog has for what is
    shown."""
    found = made(**overrides)
    of_alarms = {one.signal.id: one for one in found.alarms}
    of_watches = {one.id: one for one in datadog_monitors(found)}

    def number(name: str) -> tuple[float, str]:
        if name in of_alarms:
            return of_alarms[name].threshold, of_alarms[name].signal.threshold.unit
        threshold = of_watches[name].threshold
        return resolved(threshold, found.resources), threshold.unit

    for one in every_widget(found):
        # All markers of a graph are on one axis, whose metric any visible query tells.
        visible = {
            query["query"]
            for request in one.get("requests", ())
            for shown in request.get("formulas", ())
            for query in request["queries"]
            if query["name"] == shown["formula"] and query["data_source"] == "metrics"
        }
        for label, drawn in markers(one).items():
            for name in re.findall(r"([a-z0-9-]+) \((?:page|ticket|info)\)", label):
                value, unit = number(name)
                if visible:
                    [axis] = read(sorted(visible)[0]).metrics
                    value = metrics.converted(value, unit, axis)
                assert drawn == pytest.approx(value, abs=1e-6), f"{one['title']}: {name}"


def test_a_duration_is_drawn_in_seconds_where_datadog_has_seconds() -> None:
    """CloudWatch's milliseconds stand beside the extension's seconds, each with its number."""
    found = made()
    polled, live = titled(found, "publish: duration"), titled(found, "publish: duration, at once")
    assert markers(polled) == {"publish-duration (ticket): 8 s": 8000, "timeout: 10 s": 10_000}
    assert markers(live) == {"publish-duration (ticket): 8 s": 8, "timeout: 10 s": 10}
    units = {
        shown["number_format"]["unit"]["unit_name"]
        for request in live["requests"]
        for shown in request["formulas"]
    }
    assert units == {"second"}


@pytest.mark.parametrize("overrides", [{}, EXISTING])
def test_timeouts_are_drawn_for_every_function(overrides: dict[str, Any]) -> None:
    """A fact is a line with its number; where none is known, Datadog's own metric draws it."""
    found = made(**overrides)
    known = {
        one.role: one.facts["timeout"].value
        for one in found.resources.by_role.values()
        if one.role in ("publish", "subscribe", "worker")
    }
    theirs = [role for role in known if role == "worker"]
    for role in [*found.settings.functions, *theirs]:
        graph = titled(found, f"{role}: duration")
        if role in known:
            drawn = {label: value for label, value in markers(graph).items() if "timeout" in label}
            assert list(drawn.values()) == [known[role] * 1000]
        else:
            formulas = [one["formula"] for each in graph["requests"] for one in each["formulas"]]
            assert "1000 * timeout" in formulas


def test_every_signal_is_drawn_or_has_a_reason() -> None:
    """A signal's or watch's number is a line somewhere, or it is said why not; no reason is left
    over."""
    found = made()
    labels = " ".join(label for one in every_widget(found) for label in markers(one))
    everything = {one.signal.id for one in found.alarms} | {
        one.id for one in datadog_monitors(found)
    }
    missing = {name for name in everything if f"{name} (" not in labels}
    assert missing == UNDRAWN.keys() & everything
    assert UNDRAWN.keys() <= everything
    theirs = made(**EXISTING)
    labels = " ".join(label for one in every_widget(theirs) for label in markers(one))
    missing = {one.signal.id for one in theirs.alarms if f"{one.signal.id} (" not in labels}
    # Functions of others are not instrumented by us, so their logs are not in Datadog.
    assert missing == {"orders-consumer-stopped", "worker-log-errors", "worker-log-warnings"}


def test_panels_name_only_signals_that_exist() -> None:
    """No panel draws the line of a signal that is misspelt."""
    ours = {one.id for one in alarms.CATALOG.signals} | {one.id for one in alarms.CATALOG.monitors}
    for found in (made(), made(**EXISTING)):
        names = ours | {one.signal.id for one in found.alarms}
        for panel in panels(found.settings):
            assert set(panel.signals) <= names, panel.title


def test_counts_are_drawn_over_the_period_they_are_for() -> None:
    """A threshold of more than one is drawn where counts are over the alarm's own period."""
    found = made()
    for panel in panels(found.settings):
        for name in panel.signals:
            alarm = found.alarm(name)
            if alarm is None or panel.unit != "Count" or alarm.threshold <= 1:
                continue
            if {one.statistic for one in alarm.measures.values()} == {"Sum"}:
                assert found.resources.number(panel.period) == alarm.period, panel.title
