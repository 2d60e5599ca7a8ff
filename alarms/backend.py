"""The backend, by its responses: down, slow, rejecting and redirecting are different faults."""

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
    "Without attempts nothing is known about the backend; failing webhooks may wait for minutes."
)
_FEWEST_GROUPS = 2
_GROUPS = (
    f"At least {_FEWEST_GROUPS} groups must be in flight, and only webhooks younger than "
    f"{metrics.FRESH_SECONDS // 60} minutes count: a single failing webhook, or an old one, says "
    "more about itself than about the backend."
)
# Attempts by their result, and what was put back without any.
_ATTEMPTS = (
    'filter event in ["webhook.failed", "webhook.paused"] | stats count(*) as times, '
    "count_distinct(group_id) as groups, max(age_ms) / 1000 as age_seconds "
    "by event, http.status_code, error | sort times desc | limit 50"
)

SIGNALS = (
    Signal(
        id="backend-down",
        title="The backend does not accept webhooks",
        impact="Webhooks wait in the queue; none are lost, all are late.",
        covers=(FailureMode.BACKEND_UNREACHABLE, FailureMode.BACKEND_5XX, FailureMode.BACKEND_SLOW),
        severity=Severity.PAGE,
        queries={
            "failed": Query(metrics.BACKEND_OUTCOME, "PR(4.5:)", "buffer"),
            "groups": Query(metrics.QUEUE_GROUPS, "Maximum", "queue"),
        },
        expression=f"IF(groups >= {_FEWEST_GROUPS}, FILL(failed, REPEAT), 0)",
        comparison=Comparison.AT_LEAST,
        threshold=Threshold(
            50,
            "Percent",
            "At least {threshold} of the attempts end in 5xx, a timeout or no connection. "
            f"{_GROUPS}",
            counted="of the attempts failed",
        ),
        datapoints=2,
        periods="subscribe.backoff_minutes",
        missing=Missing.IGNORE,
        missing_reason=_NO_ATTEMPTS,
        log="subscribe",
        log_query=_ATTEMPTS,
    ),
    Signal(
        id="backend-rejecting",
        title="The backend rejects webhooks",
        impact="Webhooks wait in the queue while the backend responds with 3xx or 4xx.",
        covers=(FailureMode.BACKEND_REDIRECTS,),
        severity=Severity.PAGE,
        queries={
            "refused": Query(metrics.BACKEND_OUTCOME, "PR(2.5:4.5)", "buffer"),
            "groups": Query(metrics.QUEUE_GROUPS, "Maximum", "queue"),
        },
        expression=f"IF(groups >= {_FEWEST_GROUPS}, FILL(refused, REPEAT), 0)",
        comparison=Comparison.AT_LEAST,
        threshold=Threshold(
            50,
            "Percent",
            "At least {threshold} of the attempts get 3xx or 4xx: an expired credential or a moved "
            f"URL affects all of them. {_GROUPS}",
            counted="of the attempts got 3xx or 4xx",
        ),
        datapoints=2,
        periods="subscribe.backoff_minutes",
        missing=Missing.IGNORE,
        missing_reason=_NO_ATTEMPTS,
        log="subscribe",
    ),
    Signal(
        id="backend-redirects",
        title="The backend responds with redirects",
        impact="Redirected webhooks are not delivered: redirects are never followed.",
        covers=(FailureMode.BACKEND_REDIRECTS,),
        severity=Severity.TICKET,
        queries={"redirects": Query(metrics.BACKEND_3XX, "Sum", "buffer")},
        comparison=Comparison.AT_LEAST,
        threshold=Threshold(
            1,
            "Count",
            "A webhook URL should respond directly; one redirect is a mistake.",
            counted="redirects",
        ),
        datapoints=1,
        periods="subscribe.longest_wait_minutes",
        missing=Missing.NOT_BREACHING,
        missing_reason="Written only when it happens.",
        log="subscribe",
    ),
    Signal(
        id="backend-slow",
        title="The backend is slow",
        impact="Webhooks are delivered late; soon attempts will time out.",
        covers=(FailureMode.BACKEND_SLOW,),
        severity=Severity.TICKET,
        queries={"duration": Query(metrics.BACKEND_DURATION, "p90", "buffer")},
        comparison=Comparison.AT_LEAST,
        threshold=Threshold(
            0.8,
            "Milliseconds",
            "{share} of the time that subscribe allows the backend; beyond it attempts time out.",
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
