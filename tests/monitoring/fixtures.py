"""A small catalog of the tests' own: what the machinery does is tested on it, whatever ``alarms``
holds. Its numbers are its own, too; its headings are in ``runbook.md`` beside it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from monitoring.alarm_set import Alarm, AlarmSet, CompositeAlarm, alarm_set
from monitoring.model import metrics
from monitoring.model.catalog import Catalog
from monitoring.model.datadog import (
    BurnRate,
    DatadogMonitor,
    LogQuery,
    MetricQuery,
    Needs,
    Objective,
)
from monitoring.model.signals import (
    Comparison,
    Composite,
    Evaluator,
    FailureMode,
    Kind,
    Missing,
    Query,
    Severity,
    Signal,
    Threshold,
)
from settings.loader import load
from settings.schema import Settings

RUNBOOK = Path(__file__).with_name("runbook.md")
TRAFFIC = {"traffic": {"fromHourUtc": 6, "untilHourUtc": 22}}
EXISTING: dict[str, Any] = {
    "backend_url": None,
    "existing": {
        "queues": [{"name": "orders.fifo", "role": "orders", "retentionDays": 2}],
        "functions": [{"name": "worker", "role": "worker", "timeoutSeconds": 30}],
        "apis": [
            {"name": "abc123", "role": "front", "kind": "http"},
            {"name": "shop", "role": "back", "kind": "rest"},
        ],
        "tables": [{"name": "stock", "role": "stock"}],
    },
}


def signal(name: str, query: Query, threshold: Threshold, **changes: Any) -> Signal:
    """A signal on one metric; everything else as ``changes`` say."""
    parts: dict[str, Any] = {
        "id": name,
        "title": f"{name} is wrong",
        "impact": "Users notice.",
        "covers": (FailureMode.BACKEND_SLOW,),
        "severity": Severity.TICKET,
        "queries": {"it": query},
        "threshold": threshold,
        "comparison": Comparison.AT_LEAST,
        "datapoints": 3,
        "periods": 3,
        "missing": Missing.NOT_BREACHING,
        "missing_reason": "Idle.",
    }
    return Signal(**{**parts, **changes})


_AGE = Query(metrics.QUEUE_AGE, "Maximum", "queue")
_IN_TIME = Query(metrics.DELIVERY_LAG, "PR(:{slo.delivery_target})", "buffer")
_BUDGET = Threshold(10, "Percent", "Ten times the budget's rate.", of="slo.delivered_budget")

SIGNALS = (
    signal(
        "wait",
        _AGE,
        Threshold(840, "Seconds", "Users wait 14 minutes.", at_most="queue.retention"),
        covers=(FailureMode.BACKEND_UNREACHABLE, FailureMode.BACKEND_5XX),
        severity=Severity.PAGE,
    ),
    signal(
        "retries",
        _AGE,
        Threshold(240, "Seconds", "Retries are over by then.", at_most="queue.retention"),
        datapoints=1,
        periods="subscribe.longest_wait_minutes",
        log="subscribe",
    ),
    signal(
        "expiry",
        _AGE,
        Threshold(0.25, "Seconds", "A quarter.", of="queue.retention", at_most="queue.retention"),
        queries={"age": _AGE, "head": Query(metrics.HEAD_AGE, "Maximum", "buffer")},
        expression="MAX([FILL(head, 0), FILL(age, 0)])",
        period=3600,
        datapoints=1,
        periods=1,
    ),
    signal(
        "slow",
        Query(metrics.FUNCTION_DURATION, "p99", "publish"),
        Threshold(
            0.6,
            "Milliseconds",
            "60 % of the timeout.",
            of="publish.timeout",
            at_most="publish.timeout",
        ),
        periods=5,
        log="publish",
    ),
    signal(
        "crashes",
        Query(metrics.FUNCTION_ERRORS, "Sum", "publish"),
        Threshold(1, "Count", "Each is a fault."),
        datapoints=2,
        severity=Severity.PAGE,
        covers=(FailureMode.QUEUE_REFUSES,),
    ),
    signal(
        "refusals",
        Query(metrics.HTTP_5XX, "Sum", "api"),
        Threshold(4, "Percent", "One of 25."),
        queries={
            "e5": Query(metrics.HTTP_5XX, "Sum", "api"),
            "n": Query(metrics.HTTP_COUNT, "Sum", "api"),
        },
        expression="IF(e5 >= 2, 100 * e5 / n, 0)",
        datapoints=2,
        periods=2,
        severity=Severity.PAGE,
    ),
    signal(
        "backlog",
        Query(metrics.QUEUE_VISIBLE, "Maximum", "queue"),
        Threshold(600, "Seconds", "Ten minutes to drain."),
        queries={
            "visible": Query(metrics.QUEUE_VISIBLE, "Maximum", "queue"),
            "deleted": Query(metrics.QUEUE_DELETED, "Sum", "queue"),
            "running": Query(metrics.FUNCTION_CONCURRENCY, "Maximum", "subscribe"),
        },
        expression="IF(running >= 0.5 * {subscribe.concurrency}, 60 * visible / deleted, 0)",
        datapoints=3,
        periods=5,
    ),
    signal(
        "unsteady",
        _AGE,
        Threshold(50, "Percent", "Half of them."),
        queries={
            "failed": Query(metrics.BACKEND_OUTCOME, "PR(4.5:)", "buffer"),
            "groups": Query(metrics.QUEUE_GROUPS, "Maximum", "queue"),
        },
        expression="IF(groups >= 2, FILL(failed, REPEAT), 0)",
        datapoints=2,
        periods=10,
        missing=Missing.IGNORE,
    ),
    signal(
        "late-long",
        _IN_TIME,
        _BUDGET,
        runbook="late",
        queries={"in_time": _IN_TIME, "n": Query(metrics.DELIVERY_LAG, "SampleCount", "buffer")},
        expression="IF(n * (100 - in_time) > 450, 100 - in_time, 0)",
        period=3600,
        datapoints=1,
        periods=1,
        severity=Severity.PAGE,
    ),
    signal(
        "late-short",
        _IN_TIME,
        _BUDGET,
        runbook="late",
        queries={"in_time": _IN_TIME},
        expression="100 - in_time",
        period=300,
        datapoints=1,
        periods=1,
        severity=Severity.PAGE,
    ),
    signal(
        "log",
        Query(metrics.LOG_ERRORS, "Sum", "publish"),
        Threshold(5, "Count", "A few pass."),
        period=300,
        datapoints=1,
        periods=1,
        log="publish",
    ),
    signal(
        "unwritten",
        Query(metrics.RECORD_FAILED, "Sum", "buffer"),
        Threshold(1, "Count", "Each is missing."),
        covers=(FailureMode.RECORD_FAILS,),
        severity=Severity.INFO,
    ),
    signal(
        "beats",
        Query(metrics.HEARTBEAT_ARRIVED, "Sum", "buffer"),
        Threshold(1, "Count", "One in each period."),
        comparison=Comparison.BELOW,
        period="heartbeat.period",
        missing=Missing.BREACHING,
        needs_heartbeat=True,
    ),
    signal(
        "silence",
        Query(metrics.ACCEPTED, "Sum", "buffer"),
        Threshold(1, "Count", "Somebody always sends."),
        queries={
            "accepted": Query(metrics.ACCEPTED, "Sum", "buffer"),
            "clock": Query(metrics.HEARTBEAT_ARRIVED, "Sum", "buffer"),
        },
        expression=(
            "IF(clock >= 0, IF((HOUR(clock) >= {traffic.busy_from}) AND "
            "(HOUR(clock) < {traffic.busy_until}), accepted + 0 * clock, 1))"
        ),
        comparison=Comparison.BELOW,
        period=1800,
        datapoints=1,
        periods=1,
        covers=(FailureMode.TRAFFIC_STOPS,),
        opt_in="traffic",
    ),
    signal(
        "undelivered",
        Query(metrics.QUEUE_VISIBLE, "Maximum", "notify-dlq"),
        Threshold(1, "Count", "Each was not delivered."),
        covers=(FailureMode.ALERT_PATH_BROKEN,),
        evaluated_by=Evaluator.BOTH,
    ),
)

COMPOSITES = (
    Composite(
        id="down",
        title="Nothing comes through",
        impact="Everything is late.",
        severity=Severity.PAGE,
        any_of=("wait", "crashes", "beats", ("late-long", "late-short")),
        unless={"beats": ("refusals",), "wait": ("unwritten",)},
    ),
    Composite(
        id="degraded",
        title="Some come through late",
        impact="Some are late.",
        severity=Severity.TICKET,
        any_of=("slow", "retries"),
        suppressed_by="down",
        extension=9000,
    ),
)

MONITORS = (
    DatadogMonitor(
        id="timeouts",
        title="publish times out",
        impact="Senders wait.",
        covers=(FailureMode.PUBLISH_SLOW,),
        severity=Severity.TICKET,
        queries={"timeouts": MetricQuery("aws.lambda.enhanced.timeouts", role="publish")},
        comparison=Comparison.AT_LEAST,
        threshold=Threshold(2, "Count", "One is the network."),
        window=900,
        reading="{value} of it",
        needs=(Needs.INSTRUMENTED,),
        role="publish",
    ),
    DatadogMonitor(
        id="memory",
        title="publish nears its memory",
        impact="It would be ended.",
        covers=(FailureMode.SUBSCRIBE_CRASHES,),
        severity=Severity.INFO,
        queries={
            "used": MetricQuery("aws.lambda.enhanced.max_memory_used", "max", "publish"),
            "given": MetricQuery("aws.lambda.enhanced.memorysize", "max", "publish"),
        },
        expression="100 * used / given",
        comparison=Comparison.AT_LEAST,
        threshold=Threshold(80, "Percent", "A fifth is left."),
        warning=0.9,
        recovery=0.95,
        window=900,
        reading="{value} of it",
        needs=(Needs.INSTRUMENTED,),
        role="publish",
    ),
    DatadogMonitor(
        id="places",
        title="publish crashes at {{@where.name}}",
        impact="It is done again.",
        covers=(FailureMode.LOG_ERRORS,),
        severity=Severity.INFO,
        queries={"lines": LogQuery("@event:function.failed")},
        by=("@where",),
        comparison=Comparison.AT_LEAST,
        threshold=Threshold(1, "Count", "Each is a fault."),
        window=300,
        reading="{value} of it",
        needs=(Needs.INSTRUMENTED, Needs.LOGS),
    ),
    DatadogMonitor(
        id="late-share",
        runbook="slo-late",
        title="Many are late",
        impact="They are late.",
        covers=(FailureMode.BACKEND_SLOW,),
        severity=Severity.TICKET,
        queries={
            "late": LogQuery("@event:x @age_ms:>{slo.delivery_target}"),
            "all": LogQuery("@event:x"),
        },
        expression="100 * (late - 4) / all",
        comparison=Comparison.AT_LEAST,
        threshold=Threshold(14.4, "Percent", "Fast.", of="slo.delivered_budget"),
        window=3600,
        reading="{value} were late",
        needs=(Needs.BUFFER, Needs.LOGS),
    ),
    DatadogMonitor(
        id="requests",
        title="The backend is slow",
        impact="Webhooks are late.",
        covers=(FailureMode.BACKEND_SLOW,),
        severity=Severity.TICKET,
        queries={"p95": MetricQuery("trace.backend.request", "p95")},
        comparison=Comparison.AT_LEAST,
        threshold=Threshold(0.5, "Seconds", "Half of its time.", of="subscribe.backend_time"),
        window=900,
        reading="{value} of it",
        needs=(Needs.INSTRUMENTED, Needs.TRACES),
    ),
    DatadogMonitor(
        id="promise",
        runbook="late",
        title="Webhooks wait longer than promised",
        impact="They are late.",
        covers=(FailureMode.BACKEND_SLOW,),
        severity=Severity.INFO,
        queries={"age": MetricQuery("aws.sqs.approximate_age_of_oldest_message", "max", "queue")},
        comparison=Comparison.AT_LEAST,
        threshold=Threshold(1, "Seconds", "The target.", of="slo.delivery_target"),
        window=300,
        reading="{value} of it",
        needs=(Needs.BUFFER,),
    ),
    DatadogMonitor(
        id="unusual",
        title="Traffic is unusual",
        impact="Perhaps none.",
        covers=(FailureMode.TRAFFIC_SURGE,),
        severity=Severity.INFO,
        queries={"requests": MetricQuery("aws.apigateway.count", role="api")},
        comparison=Comparison.AT_LEAST,
        threshold=Threshold(1, "Count", "All of the last half hour."),
        recovery=0.2,
        unusual=3,
        window=14_400,
        reading="all of it was unusual",
        needs=(Needs.BUFFER,),
    ),
    DatadogMonitor(
        id="blind",
        title="Datadog receives nothing",
        impact="None by itself.",
        covers=(FailureMode.ALERT_PATH_BROKEN,),
        severity=Severity.TICKET,
        queries={"lines": LogQuery()},
        comparison=Comparison.BELOW,
        threshold=Threshold(1, "Count", "Heartbeats alone are more."),
        window="heartbeat.silence",
        reading="{value} lines",
        needs=(Needs.INSTRUMENTED, Needs.HEARTBEAT),
    ),
    DatadogMonitor(
        id="burn",
        runbook="slo-late",
        title="Too many are late",
        impact="They are late.",
        covers=(FailureMode.BACKEND_SLOW,),
        severity=Severity.INFO,
        queries={"burn": BurnRate("late", 86_400, 7200)},
        comparison=Comparison.ABOVE,
        threshold=Threshold(10, "Count", "Ten times the budget's rate."),
        window=86_400,
        reading="{value} of it",
        needs=(Needs.BUFFER,),
    ),
)

OBJECTIVES = (
    Objective(
        key="taken",
        title="Webhooks are accepted",
        promise="The share of requests that are not answered 5xx.",
        budget="slo.accepted_budget",
        queries={
            "n": MetricQuery("aws.apigateway.count", role="api"),
            "failed": MetricQuery("aws.apigateway.5xx", role="api"),
        },
        good="n - failed",
        total="n",
    ),
    Objective(
        key="late",
        title="Webhooks are delivered in time",
        promise="The share of time in which none waits longer than the target.",
        budget="slo.delivered_budget",
        monitors=("promise",),
    ),
)


def _existing(role: str, kind: Kind, name: str) -> tuple[Signal, ...]:
    match kind:
        case Kind.QUEUE:
            query = Query(metrics.QUEUE_AGE, "Maximum", role)
            threshold = Threshold(0.5, "Seconds", "Half.", of=f"{role}.retention")
        case Kind.FUNCTION:
            query = Query(metrics.FUNCTION_DURATION, "p99", role)
            threshold = Threshold(
                0.6, "Milliseconds", "As ours.", of=f"{role}.timeout", at_most=f"{role}.timeout"
            )
        case Kind.REST_API:
            query = Query(metrics.REST_5XX, "Sum", role)
            threshold = Threshold(3, "Count", "As ours.")
        case _:
            return ()
    return (signal(f"{role}-wrong", query, threshold, runbook="theirs", title=f"{name} is wrong"),)


CATALOG = Catalog(
    signals=SIGNALS,
    composites=COMPOSITES,
    monitors=MONITORS,
    objectives=OBJECTIVES,
    existing=_existing,
)


def with_signal(name: str, **changes: Any) -> Catalog:
    """The catalog with one signal changed."""
    changed = tuple(
        replace(signal, **changes) if signal.id == name else signal for signal in SIGNALS
    )
    return replace(CATALOG, signals=changed)


def with_monitor(name: str, **changes: Any) -> Catalog:
    """The catalog with one monitor changed."""
    changed = tuple(
        replace(monitor, **changes) if monitor.id == name else monitor for monitor in MONITORS
    )
    return replace(CATALOG, monitors=changed)


def alarms_of(settings: Settings, catalog: Catalog = CATALOG) -> AlarmSet:
    """The catalog's alarms in an environment."""
    return alarm_set(settings, catalog, runbook=RUNBOOK)


def alarms(**overrides: Any) -> AlarmSet:
    """The catalog's alarms in ``stg``, with overrides."""
    return alarms_of(load("stg", overrides=overrides))


def alarm(name: str, **overrides: Any) -> Alarm:
    """One of them."""
    rendered = alarms(**overrides).alarm(name)
    assert rendered
    return rendered


def composite(name: str, **overrides: Any) -> CompositeAlarm:
    """One of their incidents."""
    [rendered] = [
        candidate for candidate in alarms(**overrides).composites if candidate.composite.id == name
    ]
    return rendered
