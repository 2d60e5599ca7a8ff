"""Monitors, SLOs and downtimes are what the signals and settings say."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import replace
from typing import Any

import pytest

from monitoring.datadog import references
from monitoring.datadog.definition import Definition
from monitoring.datadog.downtimes import downtimes
from monitoring.datadog.monitors import left_out, monitors
from monitoring.datadog.slos import slos
from monitoring.model.catalog import Catalog
from monitoring.model.datadog import BurnRate, LogQuery, MetricQuery
from monitoring.model.signals import Evaluator, Threshold
from settings.errors import DefinitionError, SettingsError
from settings.loader import load
from settings.schema import Settings
from tests.monitoring.fixtures import CATALOG, alarms_of, with_monitor

SECRET = "arn:aws:secretsmanager:us-east-1:333333333333:secret:datadog-abcdef"
DATADOG = {
    "apiKeySecretArn": SECRET,
    "recipients": {"page": ["@pagerduty-a"], "ticket": ["@slack-b"]},
}


def _settings(datadog: dict[str, Any] | None = None, **changes: Any) -> Settings:
    return load("prd", overrides={"datadog": {**DATADOG, **(datadog or {})}, **changes})


def _monitors(settings: Settings, catalog: Catalog = CATALOG) -> dict[str, Definition]:
    return {monitor.key: monitor for monitor in monitors(alarms_of(settings, catalog))}


def test_every_monitor_is_published_with_its_threshold() -> None:
    """Query, options and data agree for each; what people read is the definition's."""
    published = _monitors(_settings())
    assert {declared.id for declared in CATALOG.monitors} <= published.keys()
    for monitor in CATALOG.monitors:
        body = published[monitor.id].body
        critical = body["options"]["thresholds"]["critical"]
        assert body["query"].endswith(f" {critical:g}")
        assert f"signal:{monitor.id}" in body["tags"]
        assert f"**{monitor.title}**" in body["message"]
        assert monitor.impact in body["message"]
        assert f"#{monitor.runbook}" in body["message"]


def test_warning_and_recovery_are_on_the_healthy_side() -> None:
    """Both are shares of the threshold, and the warning ends below where it begins."""
    thresholds = _monitors(_settings())["memory"].body["options"]["thresholds"]
    assert thresholds == {
        "critical": 80, "warning": 72, "critical_recovery": 76, "warning_recovery": 68.4,
    }  # fmt: skip


def test_only_late_sources_are_waited_for() -> None:
    """What is polled from CloudWatch is judged 15 minutes late, a stream's 5; the rest at once."""
    published = _monitors(_settings())
    assert published["promise"].body["options"]["evaluation_delay"] == 900
    assert "evaluation_delay" not in published["timeouts"].body["options"]
    stream = _monitors(_settings({"metrics": "stream"}))
    assert stream["promise"].body["options"]["evaluation_delay"] == 300


def test_a_share_of_log_lines_is_a_formula() -> None:
    """Each of its searches is an option, with the facts it names; the query divides the counts."""
    body = _monitors(_settings())["late-share"].body
    assert body["query"] == 'formula("100 * (late - 4) / all").last("1h") >= 14.4'
    late, every = body["options"]["variables"]
    assert late["search"]["query"] == "service:webhook-buffer env:prd @event:x @age_ms:>300000"
    assert (every["name"], every["compute"]) == ("all", {"aggregation": "count"})


@pytest.mark.parametrize("minutes", [1, 5, 10, 45, 360])
def test_blind_waits_for_three_heartbeats(minutes: int) -> None:
    """Without any log line it alerts, at the latest after its window, but not between heartbeats.

    A count of no lines is zero, and zero is compared: Datadog documentation, "Logs Monitor", "No
    data and below alerts", and "Configure Monitors" for "Evaluate as zero".
    """
    body = _monitors(_settings(heartbeatMinutes=minutes))["blind"].body
    assert (body["type"], body["options"]["on_missing_data"]) == ("log alert", "default")
    [(number, unit)] = re.findall(r'\.last\("(\d+)([mhd])"\) < 1$', body["query"])
    window = int(number) * {"m": 1, "h": 60, "d": 1440}[unit]
    assert window >= max(30, 3 * minutes + 5)

    def alerts(at: int, lines: range) -> bool:
        return bisect_right(lines, at) == bisect_right(lines, at - window)

    stopped = 5_000
    lines = range(0, stopped + 1, minutes)
    last = lines[-1]
    assert not any(alerts(at, lines) for at in range(window, last + window))
    assert alerts(last + window, lines)
    missed = range(0, stopped, 3 * minutes)
    assert not any(alerts(at, missed) for at in range(window, missed[-1]))
    assert alerts(0, range(0))  # and where not a single line has ever arrived


@pytest.mark.parametrize(
    ("metrics", "short", "late"), [("polling", 3600, 1200), ("stream", 600, 180)]
)
def test_a_burn_rate_needs_metrics_that_are_there(metrics: str, short: int, late: int) -> None:
    """A short window that CloudWatch's metrics have hardly reached is a mistake."""
    burning = with_monitor("burn", queries={"burn": BurnRate("late", 86_400, short)})
    [problem] = references.problems(alarms_of(_settings({"metrics": metrics}), burning))
    assert problem.startswith(
        f"monitor 'burn': its short window of {short} s is less than 4 times the {late} s"
    )


def test_messages_say_value_unit_window_and_threshold() -> None:
    """People read a sentence; units are the metric's, and states that can't be are left out."""
    published = _monitors(_settings())

    def alert(key: str) -> str:
        message: str = published[key].body["message"]
        assert "is_no_data" not in message
        return message.split("{{/is_alert}}")[0].partition("prd: ")[2].partition(".\nSeverity")[0]

    assert alert("promise") == (
        "{{value}} s of it in the last 5 minutes (threshold: 300 s or more)"
    )
    assert alert("blind") == ("{{value}} lines in the last 30 minutes (threshold: less than 1)")
    assert alert("memory") == ("{{value}} % of it in the last 15 minutes (threshold: 80 % or more)")
    assert alert("burn") == (
        "{{long_window_burn_rate}} of it in the last day (threshold: more than 10)"
    )
    assert alert("unusual") == "all of it was unusual"
    warning = published["memory"].body["message"].partition("{{#is_warning}}")[2]
    assert "(threshold: 72 % or more)" in warning.partition("{{/is_warning}}")[0]
    assert "is_warning" not in published["blind"].body["message"]


def test_each_severity_notifies_its_recipients() -> None:
    """A ticket's handle stands in tickets' messages, and nobody's in those that are info."""
    published = _monitors(_settings())
    assert "@slack-b" in published["timeouts"].body["message"]
    assert "@" not in published["memory"].body["message"]
    changed = _monitors(_settings(alarms={"memory": {"severity": "page", "threshold": 70}}))
    assert "@pagerduty-a" in changed["memory"].body["message"]
    assert changed["memory"].body["priority"] == 1
    assert changed["memory"].body["options"]["thresholds"]["critical"] == 70


def test_a_share_of_a_fact_is_in_the_metrics_unit() -> None:
    """Half of the seconds that an attempt may take, in seconds, whatever the timeout."""
    published = _monitors(_settings(subscribeTimeoutSeconds=23))
    assert published["requests"].body["query"].endswith(">= 10")


def test_signals_of_both_are_evaluated_by_datadog_too() -> None:
    """Their monitor looks at the same resource, through all of their periods."""
    query = _monitors(_settings())["undelivered"].body["query"]
    assert query.startswith("min(last_5m):max:aws.sqs.approximate_number_of_messages_visible{")
    assert "queuename:webhook-buffer-prd-notifications-undelivered" in query


def test_a_signal_can_be_handed_over() -> None:
    """With evaluatedBy datadog the signal has a monitor in its alarm's place."""
    published = _monitors(_settings(alarms={"wait": {"evaluatedBy": "datadog"}}))
    body = published["wait"].body
    assert body["query"].startswith("min(last_5m):max:aws.sqs.approximate_age_of_oldest_message{")
    assert body["query"].endswith("rollup(max, 60) >= 840")
    assert body["priority"] == 1


@pytest.mark.parametrize(
    ("signal", "reason"),
    [
        ("crashes", "it is on with 2 of 3 periods"),
        ("retries", "it is on with 1 of"),
        ("refusals", "its expression has IF"),
        ("late-short", "it has no PR"),
    ],
)
def test_what_datadog_can_not_evaluate_is_refused(signal: str, reason: str) -> None:
    """Handing such a signal over is one error, which names the key and why."""
    settings = _settings(alarms={signal: {"evaluatedBy": "both"}})
    with pytest.raises(SettingsError, match=f"alarms.{signal}.evaluatedBy.*{reason}"):
        _monitors(settings)


def test_a_definition_that_datadog_can_not_evaluate_is_an_error_of_the_tree() -> None:
    """Where the signal itself asks for it, the error names the signal, not a settings key."""
    signals = [
        replace(signal, evaluated_by=Evaluator.BOTH) if signal.id == "crashes" else signal
        for signal in CATALOG.signals
    ]
    with pytest.raises(DefinitionError, match=r"^signal 'crashes': evaluated_by: .* 2 of 3"):
        _monitors(_settings(), replace(CATALOG, signals=tuple(signals)))


def test_what_only_datadog_evaluates_stays_there() -> None:
    """A monitor can't be handed to CloudWatch, and the error says so."""
    settings = _settings(alarms={"memory": {"evaluatedBy": "cloudwatch"}})
    with pytest.raises(SettingsError, match="only Datadog can evaluate this"):
        _monitors(settings)


@pytest.mark.parametrize(
    ("monitor", "change", "expected"),
    [
        ("promise", {"enabled": False}, "the SLO 'late' counts its time"),
        ("promise", {"threshold": -1}, "-1 must be more than 0"),
        ("memory", {"threshold": 150}, "150 must be more than 0 and at most 100"),
        ("unusual", {"threshold": 1.5}, "1.5 must be more than 0 and at most 1"),
    ],
)
def test_a_change_that_can_not_be_is_refused(monitor: str, change: Any, expected: str) -> None:
    """What an SLO needs stays, and a threshold that can't be crossed is named with its key."""
    with pytest.raises(SettingsError, match=f"alarms.{monitor}") as caught:
        _monitors(_settings(alarms={monitor: change}))
    assert expected in str(caught.value)


def test_what_can_not_be_seen_is_left_out_with_the_reason() -> None:
    """What needs instrumentation, tracing, heartbeats or a buffer is not published without."""
    by_id = {monitor.id: monitor for monitor in CATALOG.monitors}

    def reason(monitor: str, settings: Settings) -> str | None:
        return left_out(by_id[monitor], alarms_of(settings))

    assert reason("memory", _settings()) is None
    none = _settings({"functions": []})
    assert reason("memory", none) == "it needs functions that Datadog instruments"
    assert reason("requests", _settings({"tracing": False})) == "it needs tracing"
    assert reason("blind", _settings(heartbeat="off")) == "it needs heartbeats"
    some = _settings({"functions": ["subscribe"]})
    assert reason("memory", some) == "publish is not instrumented"
    off = _settings(alarms={"unusual": {"enabled": False}})
    assert reason("unusual", off) == "settings say so (alarms.unusual.enabled)"


def test_slos_promise_what_the_settings_say() -> None:
    """Target and warning follow the objective; one counts requests, the other names its monitor."""
    settings = _settings(acceptedObjective=99.5)
    accepted, delivered = (objective.body for objective in slos(alarms_of(settings)))
    assert accepted["thresholds"] == [{"timeframe": "30d", "target": 99.5, "warning": 99.75}]
    assert accepted["query"]["numerator"].count("aws.apigateway") == 2
    assert delivered["monitor_ids"] == [{"$ref": "monitor:promise"}]


def test_quiet_hours_are_downtimes_of_our_monitors_alone() -> None:
    """One for each severity, at the days and times of the zone, by this environment's tags."""
    quiet = {"name": "nights", "days": ["SA", "SU"], "at": "22:00", "minutes": 480,
             "timezone": "Europe/Berlin"}  # fmt: skip
    bodies = {
        downtime.key: downtime.body for downtime in downtimes(_settings({"quietHours": [quiet]}))
    }
    assert bodies.keys() == {"nights-ticket", "nights-info"}
    body = bodies["nights-ticket"]
    assert body["monitor_identifier"]["monitor_tags"] == [
        "env:prd", "managed-by:webhook-buffer", "service:webhook-buffer", "severity:ticket",
    ]  # fmt: skip
    assert body["schedule"]["recurrences"][0]["rrule"].endswith("BYDAY=SA,SU")
    assert body["schedule"]["recurrences"][0]["duration"] == "480m"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"queries": {"timeouts": MetricQuery("aws.lambda.enhanced.timeout", role="publish")}},
            "query 'timeouts': monitoring/datadog/metrics.py has no metric "
            "'aws.lambda.enhanced.timeout'; add it there",
        ),
        (
            {"queries": {"timeouts": MetricQuery("aws.lambda.enhanced.timeouts", role="publsh")}},
            "query 'timeouts': no resource has the role 'publsh'; use one of api,",
        ),
        (
            {"threshold": Threshold(1, "Seconds", "One.")},
            "the threshold's unit can't be the metric's: 'aws.lambda.enhanced.timeouts' is in",
        ),
        (
            {"threshold": Threshold(1, "Count", "One.", of="publish.speed")},
            "unknown fact 'publish.speed'",
        ),
        ({"queries": {"x": LogQuery("@x:>{slo.target}")}}, "unknown fact 'slo.target'"),
    ],
)
def test_what_does_not_exist_is_named(changes: dict[str, Any], expected: str) -> None:
    """A metric, role, fact or unit that can't be names its monitor, not a traceback."""
    alarms = alarms_of(_settings(), with_monitor("timeouts", **changes))
    [problem] = references.problems(alarms)
    assert problem.startswith(f"monitor 'timeouts': {expected}")


def test_what_exists_is_fine() -> None:
    """All monitors and objectives that these tests start from refer to what there is."""
    assert references.problems(alarms_of(_settings())) == []
