"""The buffer from outside: do webhooks come through, was one lost, do alerts arrive?"""

from __future__ import annotations

from monitoring.model import metrics
from monitoring.model.signals import (
    Comparison,
    Evaluator,
    FailureMode,
    Missing,
    Named,
    Query,
    Severity,
    Signal,
    Threshold,
)

_LOST = (
    'filter event = "webhook.lost" | stats min(since) as accepted_at by message_id, group_id '
    "| sort accepted_at asc | limit 100"
)

SIGNALS = (
    Signal(
        id="heartbeat-missing",
        title="Test webhooks do not arrive",
        impact="Webhooks most likely do not arrive either.",
        covers=(
            FailureMode.SUBSCRIBE_CRASHES,
            FailureMode.CONSUMER_STOPPED,
            FailureMode.QUEUE_REFUSES,
        ),
        severity=Severity.PAGE,
        queries={"arrived": Query(metrics.HEARTBEAT_ARRIVED, "Sum", "buffer")},
        # A zero counts at once; for what is missing CloudWatch first looks at older datapoints.
        expression="FILL(arrived, 0)",
        comparison=Comparison.BELOW,
        threshold=Threshold(1, "Count", "The heartbeat sends one in each of these periods."),
        period="heartbeat.period",
        datapoints=3,
        periods=3,
        missing=Missing.BREACHING,
        missing_reason="A heartbeat that does not arrive leaves no data.",
        log="heartbeat",
        needs_heartbeat=True,
    ),
    Signal(
        id="heartbeat-refused",
        title="The API refuses test webhooks",
        impact="Senders most likely can't send webhooks either.",
        covers=(FailureMode.QUEUE_REFUSES, FailureMode.PUBLISH_SLOW),
        severity=Severity.PAGE,
        queries={"refused": Query(metrics.HEARTBEAT_REFUSED, "Sum", "buffer")},
        comparison=Comparison.AT_LEAST,
        threshold=Threshold(
            1, "Count", "Refusals in {window} rule out one bad moment, whatever the traffic."
        ),
        period="heartbeat.period",
        datapoints=2,
        # Remembers longer than it takes heartbeat-missing to end.
        periods=4,
        missing=Missing.NOT_BREACHING,
        missing_reason="The heartbeat writes this metric only when it is refused.",
        log="heartbeat",
        needs_heartbeat=True,
    ),
    Signal(
        id="webhooks-lost",
        title="Accepted webhooks are lost",
        impact="Webhooks are gone; their senders believe them delivered.",
        covers=(FailureMode.NEARING_RETENTION, FailureMode.WEBHOOKS_LOST),
        severity=Severity.PAGE,
        queries={"lost": Query(metrics.UNACCOUNTED, "Maximum", "buffer")},
        comparison=Comparison.AT_LEAST,
        threshold=Threshold(
            1,
            "Count",
            "The audit has looked for each twice, in the logs and in the record.",
            counted="lost webhooks",
        ),
        period=3600,
        datapoints=1,
        # Two, because the audit's own half hours do not begin on the minute.
        periods=2,
        missing=Missing.NOT_BREACHING,
        missing_reason="The audit writes this metric only when something is missing.",
        log="audit",
        log_query=_LOST,
        names=Named.LOST,
    ),
    Signal(
        id="no-traffic",
        title="No webhooks are coming in",
        impact="Senders can't reach the buffer, or have stopped sending.",
        covers=(FailureMode.TRAFFIC_STOPS,),
        severity=Severity.TICKET,
        queries={
            "accepted": Query(metrics.ACCEPTED, "Sum", "buffer"),
            "clock": Query(metrics.HEARTBEAT_ARRIVED, "Sum", "buffer"),
        },
        expression=(
            # HOUR has a value where the clock has none; a comparison of the clock drops the point.
            "IF(clock >= 0, IF((HOUR(clock) >= {traffic.busy_from}) AND "
            "(HOUR(clock) < {traffic.busy_until}), accepted + 0 * clock, 1))"
        ),
        comparison=Comparison.BELOW,
        threshold=Threshold(1, "Count", "During busy hours there is always some traffic."),
        period=1800,
        datapoints=1,
        periods=1,
        missing=Missing.IGNORE,
        missing_reason="The heartbeat is the clock; a missing heartbeat has its own signal.",
        log="publish",
        opt_in="traffic",
    ),
    Signal(
        id="alert-path-broken",
        # CloudWatch would report it over the path that is broken.
        evaluated_by=Evaluator.BOTH,
        title="Alerts do not arrive",
        impact="Nobody is notified when something is wrong.",
        covers=(FailureMode.ALERT_PATH_BROKEN,),
        severity=Severity.TICKET,
        queries={"arrived": Query(metrics.FUNCTION_INVOCATIONS, "Sum", "notify")},
        expression="FILL(arrived, 0)",
        comparison=Comparison.BELOW,
        threshold=Threshold(
            1,
            "Count",
            "Each heartbeat sends a probe along alarm → topic → queue → notify.",
            counted="probes",
        ),
        period="heartbeat.period",
        datapoints=3,
        periods=3,
        missing=Missing.BREACHING,
        missing_reason="A probe that does not arrive leaves no data.",
        log="notify",
        needs_heartbeat=True,
    ),
    Signal(
        id="notifications-undelivered",
        # CloudWatch would report it over the path that is broken.
        evaluated_by=Evaluator.BOTH,
        title="A notification could not be delivered",
        impact="Somebody was not notified of an alarm.",
        covers=(FailureMode.ALERT_PATH_BROKEN,),
        severity=Severity.TICKET,
        queries={"kept": Query(metrics.QUEUE_VISIBLE, "Maximum", "notify-dlq")},
        comparison=Comparison.AT_LEAST,
        threshold=Threshold(
            1,
            "Count",
            "It was tried several times and is kept in the dead-letter queue.",
            counted="notifications",
        ),
        datapoints=1,
        periods=1,
        missing=Missing.IGNORE,
        missing_reason="An idle queue stops reporting while it still holds messages.",
        log="notify",
    ),
    Signal(
        id="audit-missing",
        title="The delivery audit is not running",
        impact="A lost webhook would go unnoticed.",
        covers=(FailureMode.WEBHOOKS_LOST,),
        severity=Severity.TICKET,
        queries={
            "runs": Query(metrics.FUNCTION_INVOCATIONS, "Sum", "audit"),
            "clock": Query(metrics.HEARTBEAT_ARRIVED, "Sum", "buffer"),
        },
        expression="runs + 0 * clock",
        comparison=Comparison.BELOW,
        threshold=Threshold(1, "Count", "The audit runs twice an hour.", counted="audit runs"),
        period=3600,
        datapoints=3,
        periods=3,
        missing=Missing.IGNORE,
        missing_reason="The heartbeat is the clock, so that a new deployment starts silently.",
        log="audit",
        needs_heartbeat=True,
    ),
    Signal(
        id="helpers-log-errors",
        title="Errors or warnings in the logs of heartbeat, audit or notify",
        impact="The monitoring works, but part of it fails.",
        covers=(FailureMode.LOG_ERRORS, FailureMode.ALERT_PATH_BROKEN),
        severity=Severity.TICKET,
        queries={"problems": Query(metrics.LOG_PROBLEMS, "Sum", "helpers")},
        comparison=Comparison.AT_LEAST,
        threshold=Threshold(
            1,
            "Count",
            "A line logged as an error or a warning is meant to be read. Failed heartbeats, probes "
            "and notifications have signals of their own.",
            counted="errors or warnings",
        ),
        period=300,
        datapoints=1,
        # The audit logs twice an hour; a run may be missed.
        periods=13,
        missing=Missing.NOT_BREACHING,
        missing_reason="The filters write data only when they match a line.",
        log="helpers",
    ),
)
