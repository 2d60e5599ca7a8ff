"""The whole from outside: does a webhook come through, was one lost, do alerts arrive?"""

from __future__ import annotations

from monitoring import metrics
from monitoring.model import Comparison, Missing, Query, Severity, Signal, Threshold

SIGNALS = (
    Signal(
        id="heartbeat-missing",
        title="Test webhooks do not come through",
        impact="Webhooks most likely do not come through either.",
        covers=(6, 7, 8),
        severity=Severity.PAGE,
        queries={"arrived": Query(metrics.HEARTBEAT_ARRIVED, "Sum", "buffer")},
        comparison=Comparison.BELOW,
        threshold=Threshold(1, "Count", "The heartbeat sends one in each of these periods."),
        period="heartbeat.period",
        datapoints=3,
        periods=3,
        missing=Missing.BREACHING,
        missing_reason="A heartbeat that does not arrive leaves no data.",
        log="heartbeat",
    ),
    Signal(
        id="webhooks-lost",
        title="Accepted webhooks are neither delivered nor queued",
        impact="Webhooks are gone; senders believe them delivered.",
        covers=(13, 18),
        severity=Severity.PAGE,
        queries={"lost": Query(metrics.UNACCOUNTED, "Maximum", "buffer")},
        comparison=Comparison.AT_LEAST,
        threshold=Threshold(
            1, "Count", "The audit subtracts what its data leaves uncertain; what is left is lost."
        ),
        period=3600,
        datapoints=1,
        periods=1,
        missing=Missing.NOT_BREACHING,
        missing_reason="The audit, once an hour, writes this only when something is missing.",
        log="audit",
    ),
    Signal(
        id="no-traffic",
        title="No webhooks come in",
        impact="Senders can't reach the buffer, or have stopped sending.",
        covers=(10,),
        severity=Severity.TICKET,
        queries={
            "accepted": Query(metrics.ACCEPTED, "Sum", "buffer"),
            "clock": Query(metrics.HEARTBEAT_ARRIVED, "Sum", "buffer"),
        },
        expression=(
            "IF((HOUR(clock) >= {traffic.busy_from}) AND (HOUR(clock) < {traffic.busy_until}), "
            "accepted + 0 * clock, 1)"
        ),
        comparison=Comparison.BELOW,
        threshold=Threshold(1, "Count", "Between the quiet hours there is always some traffic."),
        period=1800,
        datapoints=1,
        periods=1,
        missing=Missing.IGNORE,
        missing_reason="The heartbeat is the clock; that it is missing is its own signal.",
        log="publish",
        opt_in="traffic",
    ),
    Signal(
        id="alert-path-broken",
        title="Alerts do not arrive",
        impact="Nobody is told when something is wrong.",
        covers=(17,),
        severity=Severity.TICKET,
        queries={"arrived": Query(metrics.FUNCTION_INVOCATIONS, "Sum", "notify")},
        comparison=Comparison.BELOW,
        threshold=Threshold(
            1, "Count", "With each heartbeat a probe goes alarm → topic → queue → notify."
        ),
        period="heartbeat.period",
        datapoints=3,
        periods=3,
        missing=Missing.BREACHING,
        missing_reason="A probe that does not arrive leaves no data.",
        log="notify",
    ),
    Signal(
        id="notifications-undelivered",
        title="A notification could not be delivered",
        impact="Somebody was not told of an alarm.",
        covers=(17,),
        severity=Severity.TICKET,
        queries={"kept": Query(metrics.QUEUE_VISIBLE, "Maximum", "notify-dlq")},
        comparison=Comparison.AT_LEAST,
        threshold=Threshold(
            1, "Count", "It was tried several times, and is kept in the dead-letter queue."
        ),
        datapoints=1,
        periods=1,
        missing=Missing.IGNORE,
        missing_reason="A queue at rest stops reporting while what it keeps is still there.",
        log="notify",
    ),
)
