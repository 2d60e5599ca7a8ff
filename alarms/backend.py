"""The backend, by what it answers: down, slow, refusing and redirecting are different faults."""

from __future__ import annotations

from monitoring.model import metrics
from monitoring.model.signals import (
    Comparison,
    FailureMode,
    Missing,
    Query,
    Severity,
    Signal,
    Threshold,
)

_NO_ATTEMPTS = (
    "Without attempts there is no news of the backend; failing webhooks may wait for minutes."
)
_GROUPS = (
    "At least two groups must be in flight, and only webhooks younger than 20 minutes count: a "
    "single failing one, or one that has failed for long, says more of itself than of the backend."
)

SIGNALS = (
    Signal(
        id="backend-down",
        title="The backend does not take webhooks",
        impact="Webhooks wait in the queue; none is lost, all are late.",
        covers=(FailureMode.BACKEND_UNREACHABLE, FailureMode.BACKEND_5XX, FailureMode.BACKEND_SLOW),
        severity=Severity.PAGE,
        queries={
            "failed": Query(metrics.BACKEND_OUTCOME, "PR(4.5:)", "buffer"),
            "groups": Query(metrics.QUEUE_GROUPS, "Maximum", "queue"),
        },
        expression="IF(groups >= 2, FILL(failed, REPEAT), 0)",
        comparison=Comparison.AT_LEAST,
        threshold=Threshold(
            50,
            "Percent",
            f"Half of the attempts end in 5xx, a timeout or no connection. {_GROUPS}",
        ),
        datapoints=2,
        periods="subscribe.backoff_minutes",
        missing=Missing.IGNORE,
        missing_reason=_NO_ATTEMPTS,
        log="subscribe",
    ),
    Signal(
        id="backend-rejecting",
        title="The backend refuses webhooks",
        impact="Webhooks wait in the queue while the backend answers 3xx or 4xx.",
        covers=(FailureMode.BACKEND_REDIRECTS,),
        severity=Severity.PAGE,
        queries={
            "refused": Query(metrics.BACKEND_OUTCOME, "PR(2.5:4.5)", "buffer"),
            "groups": Query(metrics.QUEUE_GROUPS, "Maximum", "queue"),
        },
        expression="IF(groups >= 2, FILL(refused, REPEAT), 0)",
        comparison=Comparison.AT_LEAST,
        threshold=Threshold(
            50,
            "Percent",
            f"Half of the attempts: an expired credential or a moved URL refuses all. {_GROUPS}",
        ),
        datapoints=2,
        periods="subscribe.backoff_minutes",
        missing=Missing.IGNORE,
        missing_reason=_NO_ATTEMPTS,
        log="subscribe",
    ),
    Signal(
        id="backend-redirects",
        title="The backend redirects",
        impact="Webhooks that it redirects are not delivered: redirects are never followed.",
        covers=(FailureMode.BACKEND_REDIRECTS,),
        severity=Severity.TICKET,
        queries={"redirects": Query(metrics.BACKEND_3XX, "Sum", "buffer")},
        comparison=Comparison.AT_LEAST,
        threshold=Threshold(1, "Count", "A webhook's URL should answer itself; one is a mistake."),
        datapoints=1,
        periods="subscribe.longest_wait_minutes",
        missing=Missing.NOT_BREACHING,
        missing_reason="Written only when it happens.",
        log="subscribe",
    ),
    Signal(
        id="backend-slow",
        title="The backend is slow",
        impact="Webhooks are delivered late, and soon not at all.",
        covers=(FailureMode.BACKEND_SLOW,),
        severity=Severity.TICKET,
        queries={"duration": Query(metrics.BACKEND_DURATION, "p90", "buffer")},
        comparison=Comparison.AT_LEAST,
        threshold=Threshold(
            0.8,
            "Milliseconds",
            "80 % of the time subscribe can give the backend; beyond it attempts time out.",
            of="subscribe.backend_time",
            at_most="subscribe.backend_time",
        ),
        datapoints=2,
        periods=3,
        missing=Missing.NOT_BREACHING,
        missing_reason="Without attempts nothing is slow.",
        log="subscribe",
    ),
)
