"""Monitors, SLOs and downtimes are what the signals and settings say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import alarms as data
from monitoring.alarm_set import alarm_set
from monitoring.datadog.definition import Definition
from monitoring.datadog.definitions import definitions
from monitoring.datadog.downtimes import downtimes
from monitoring.datadog.monitors import left_out, monitors
from monitoring.datadog.slos import slos
from monitoring.model.datadog import DatadogMonitor, MetricQuery
from monitoring.model.signals import Comparison, Evaluator, SignalError
from settings.errors import SettingsError
from settings.loader import load
from settings.schema import Settings

SECRET = "arn:aws:secretsmanager:us-east-1:333333333333:secret:datadog-abcdef"
DATADOG = {
    "apiKeySecretArn": SECRET,
    "recipients": {"page": ["@pagerduty-a"], "ticket": ["@slack-b"]},
}


def _settings(datadog: dict[str, Any] | None = None, **changes: Any) -> Settings:
    return load("prd", overrides={"datadog": {**DATADOG, **(datadog or {})}, **changes})


def _monitors(settings: Settings) -> dict[str, Definition]:
    return {one.key: one for one in monitors(alarm_set(settings))}


def test_every_watch_has_its_monitor_with_its_threshold() -> None:
    """Query, options and data agree for each; recoveries and warnings are on the healthy side."""
    found = _monitors(_settings())
    assert {one.id for one in data.MONITORS} <= found.keys()
    for watch in data.MONITORS:
        body = found[watch.id].body
        critical = body["options"]["thresholds"]["critical"]
        assert body["query"].endswith(f" {critical:g}")
        assert f"signal:{watch.id}" in body["tags"]
        assert f"**{watch.title}**" in body["message"]
        assert watch.impact in body["message"]
        assert f"#{watch.runbook}" in body["message"]


def test_only_late_sources_are_waited_for() -> None:
    """What is polled from CloudWatch is judged 15 minutes late, a stream's 5; the rest at once."""
    found = _monitors(_settings())
    assert found["webhooks-late"].body["options"]["evaluation_delay"] == 900
    assert "evaluation_delay" not in found["publish-timeouts"].body["options"]
    stream = _monitors(_settings({"metrics": "stream"}))
    assert stream["webhooks-late"].body["options"]["evaluation_delay"] == 300


def test_each_severity_is_told_to_its_recipients() -> None:
    """A ticket's handle stands in tickets' messages, and nobody's in those that are info."""
    found = _monitors(_settings())
    assert "@slack-b" in found["publish-timeouts"].body["message"]
    assert "@" not in found["cold-starts"].body["message"].replace("{{@where.name}}", "")
    changed = _monitors(_settings(alarms={"cold-starts": {"severity": "page", "threshold": 70}}))
    assert "@pagerduty-a" in changed["cold-starts"].body["message"]
    assert changed["cold-starts"].body["priority"] == 1
    assert changed["cold-starts"].body["options"]["thresholds"]["critical"] == 70


def test_a_share_of_a_fact_is_in_the_metrics_unit() -> None:
    """80 % of the seconds that an attempt may take, in seconds, whatever the timeout."""
    found = _monitors(_settings(subscribeTimeoutSeconds=23))
    assert found["backend-requests-slow"].body["query"].endswith(">= 16")


def test_signals_of_both_are_evaluated_by_datadog_too() -> None:
    """Their monitor looks at the same resource, through all of their periods."""
    both = {one.id for one in data.SIGNALS if one.evaluated_by is Evaluator.BOTH}
    found = _monitors(_settings())
    assert both == {"alert-path-broken", "notifications-undelivered"} <= found.keys()
    query = found["alert-path-broken"].body["query"]
    assert query.startswith("max(last_15m):default_zero(sum:aws.lambda.invocations{")
    assert "functionname:webhook-buffer-prd-notify" in query


def test_a_signal_can_be_handed_over() -> None:
    """With evaluatedBy datadog CloudWatch has no alarm of it, and Datadog its monitor."""
    changes = {"evaluatedBy": "datadog", "threshold": 1200}
    settings = _settings(alarms={"queue-age-page": changes})
    found = alarm_set(settings)
    assert found.alarm("queue-age-page") is None
    assert "Datadog watches it" in found.left_out["queue-age-page"]
    body = {one.key: one.body for one in monitors(found)}["queue-age-page"]
    assert body["query"].startswith("min(last_5m):max:aws.sqs.approximate_age_of_oldest_message{")
    assert body["query"].endswith("rollup(max, 60) >= 1200")
    assert body["priority"] == 1


@pytest.mark.parametrize(
    ("signal", "reason"),
    [
        ("publish-errors", "it is on with 2 of 3 periods"),
        ("queue-age-ticket", "it is on with 1 of"),
        ("api-5xx", "its expression has IF"),
        ("slo-delivered-fast-short", "it has no PR"),
        ("dropped-duplicates", "it has no Sum of NumberOfDeduplicatedSentMessages"),
    ],
)
def test_what_datadog_can_not_evaluate_is_refused(signal: str, reason: str) -> None:
    """Handing such a signal over is one error, which names the key and why."""
    settings = _settings(alarms={signal: {"evaluatedBy": "both"}})
    with pytest.raises(SettingsError, match=f"alarms.{signal}.evaluatedBy.*{reason}"):
        monitors(alarm_set(settings))


def test_handing_over_needs_datadog() -> None:
    """Without Datadog's settings a signal stays where it is, and the error says so."""
    settings = load("prd", overrides={"alarms": {"queue-age-page": {"evaluatedBy": "datadog"}}})
    with pytest.raises(SettingsError, match=r"alarms\.queue-age-page\.evaluatedBy.*add its block"):
        alarm_set(settings)
    settings = _settings(alarms={"cold-starts": {"evaluatedBy": "cloudwatch"}})
    with pytest.raises(SettingsError, match="only Datadog can watch this"):
        monitors(alarm_set(settings))


@pytest.mark.parametrize(
    ("watch", "change", "told"),
    [
        ("webhooks-late", {"enabled": False}, "the SLO 'delivered' counts its time"),
        ("webhooks-late", {"threshold": -1}, "-1 must be more than 0"),
        ("publish-memory", {"threshold": 150}, "150 must be more than 0 and at most 100"),
        ("traffic-unusual", {"threshold": 1.5}, "1.5 must be more than 0 and at most 1"),
    ],
)
def test_a_change_that_can_not_be_is_refused(watch: str, change: Any, told: str) -> None:
    """What an SLO needs stays, and a threshold that can't be crossed is named with its key."""
    settings = _settings(alarms={watch: change})
    with pytest.raises(SettingsError, match=f"alarms.{watch}") as caught:
        monitors(alarm_set(settings))
    assert told in str(caught.value)


def test_what_can_not_be_seen_is_left_out_with_the_reason() -> None:
    """What needs instrumentation, tracing, heartbeats or a buffer is not published without."""
    by_id = {one.id: one for one in data.MONITORS}

    def reason(watch: str, settings: Settings) -> str | None:
        return left_out(by_id[watch], alarm_set(settings))

    assert reason("publish-memory", _settings()) is None
    none = _settings({"functions": []})
    assert reason("publish-memory", none) == "it needs functions that Datadog instruments"
    assert reason("backend-requests-slow", _settings({"tracing": False})) == "it needs tracing"
    assert reason("datadog-blind", _settings(heartbeat="off")) == "it needs heartbeats"
    some = _settings({"functions": ["subscribe"]})
    assert reason("publish-memory", some) == "publish is not instrumented"
    off = _settings(alarms={"cold-starts": {"enabled": False}})
    assert reason("cold-starts", off) == "settings say so (alarms.cold-starts.enabled)"


def test_slos_promise_what_the_settings_say() -> None:
    """Target and warning follow the objective; one counts requests, the other names its monitor."""
    settings = _settings(acceptedObjective=99.5)
    accepted, delivered = (one.body for one in slos(alarm_set(settings)))
    assert accepted["thresholds"] == [{"timeframe": "30d", "target": 99.5, "warning": 99.75}]
    assert accepted["query"]["numerator"].count("aws.apigateway") == 2
    assert delivered["monitor_ids"] == [{"$ref": "monitor:webhooks-late"}]


def test_quiet_hours_are_downtimes_of_our_monitors_alone() -> None:
    """One for each severity, at the days and times of the zone, by this environment's tags."""
    quiet = {"name": "nights", "days": ["SA", "SU"], "at": "22:00", "minutes": 480,
             "timezone": "Europe/Berlin"}  # fmt: skip
    found = {one.key: one.body for one in downtimes(_settings({"quietHours": [quiet]}))}
    assert found.keys() == {"nights-ticket", "nights-info"}
    body = found["nights-ticket"]
    assert body["monitor_identifier"]["monitor_tags"] == [
        "env:prd", "managed-by:webhook-buffer", "service:webhook-buffer", "severity:ticket",
    ]  # fmt: skip
    assert body["schedule"]["recurrences"][0]["rrule"].endswith("BYDAY=SA,SU")
    assert body["schedule"]["recurrences"][0]["duration"] == "480m"


@pytest.mark.parametrize(
    "changes",
    [
        {"datadog": {**DATADOG, "functions": []}},
        {"datadog": {**DATADOG, "tracing": False}},
        {"datadog": {**DATADOG, "metrics": "stream", "team": "webhooks"}},
        {"datadog": DATADOG, "heartbeat": "off"},
        {"datadog": DATADOG, "monitoring": False},
        {"datadog": {"functions": []}, "forwarderArn": None},
    ],
    ids=["not instrumented", "no traces", "stream", "no heartbeat", "no monitoring", "little"],
)
def test_every_kind_of_environment_can_be_published(changes: dict[str, Any]) -> None:
    """Whatever is switched off, the rest is still a set of definitions without a mistake."""
    assert definitions(load("prd", overrides=changes))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"warning": 1.1}, "warning is 1.1 times the threshold"),
        ({"recovery": 1.0}, "recovery is 1 times the threshold"),
        ({"window": 240}, "a window of 240 s is none of Datadog's"),
        ({"runbook": "nowhere"}, "has no heading '## nowhere'"),
        ({"expression": "a / b"}, "expression and queries differ"),
        ({"queries": {}}, "0 queries and no expression"),
        ({"title": " "}, "title is empty"),
    ],
)
def test_a_watch_that_can_not_be_is_refused_where_it_is_made(
    changes: dict[str, Any], problem: str
) -> None:
    """The error names the watch and what to mend."""
    one: DatadogMonitor = next(watch for watch in data.MONITORS if watch.id == "function-cost")
    assert one.comparison is Comparison.AT_LEAST
    assert isinstance(next(iter(one.queries.values())), MetricQuery)
    with pytest.raises(SignalError, match="watch 'function-cost'") as caught:
        replace(one, **changes)
    assert problem in str(caught.value)
