"""The API: what senders are told, and how soon."""

from __future__ import annotations

from monitoring.model import metrics
from monitoring.model.signals import (
    Comparison,
    FailureMode,
    Kind,
    Metric,
    Missing,
    Query,
    Severity,
    Signal,
    Threshold,
)

_IDLE = "Without requests there is no data; that traffic stopped is another signal's affair."
_METRICS: dict[Kind, tuple[Metric, Metric, Metric, Metric]] = {
    Kind.HTTP_API: (
        metrics.HTTP_COUNT,
        metrics.HTTP_4XX,
        metrics.HTTP_5XX,
        metrics.HTTP_LATENCY,
    ),
    Kind.REST_API: (
        metrics.REST_COUNT,
        metrics.REST_4XX,
        metrics.REST_5XX,
        metrics.REST_LATENCY,
    ),
}


def _signals(
    role: str, kind: Kind, latency: Threshold, runbook: str | None = None
) -> tuple[Signal, ...]:
    count, client_errors, server_errors, duration = _METRICS[kind]
    return (
        Signal(
            id=f"{role}-5xx",
            runbook=runbook or "api-5xx",
            title="Senders are refused",
            impact="Senders get 5xx: webhooks are lost unless they send again.",
            covers=(FailureMode.QUEUE_REFUSES, FailureMode.PUBLISH_SLOW),
            severity=Severity.PAGE,
            queries={
                "e5": Query(server_errors, "Sum", role),
                "n": Query(count, "Sum", role),
            },
            expression="IF(e5 >= 3, 100 * e5 / n, 0)",
            comparison=Comparison.AT_LEAST,
            threshold=Threshold(
                5,
                "Percent",
                "AWS's recommended alarm for APIs; and at least 3 a minute, for a share of few "
                "requests says nothing.",
            ),
            datapoints=2,
            periods=2,
            missing=Missing.NOT_BREACHING,
            missing_reason=_IDLE,
            log="publish",
        ),
        Signal(
            id=f"{role}-4xx",
            runbook=runbook or "api-4xx",
            title="A surge of requests that can't be taken",
            impact="One sender or more is told that its webhooks are wrong.",
            covers=(FailureMode.QUEUE_REFUSES,),
            severity=Severity.TICKET,
            queries={
                "e4": Query(client_errors, "Sum", role),
                "n": Query(count, "Sum", role),
            },
            expression="IF(e4 >= 20, 100 * e4 / n, 0)",
            comparison=Comparison.AT_LEAST,
            threshold=Threshold(
                20,
                "Percent",
                "Single wrong requests are the senders' affair; a fifth of all is a change "
                "somebody made.",
            ),
            period=300,
            datapoints=1,
            periods=1,
            missing=Missing.NOT_BREACHING,
            missing_reason=_IDLE,
            log="publish",
        ),
        Signal(
            id=f"{role}-latency",
            runbook=runbook or "api-latency",
            title="Senders wait for their answer",
            impact="Senders with a short timeout give up and send again.",
            covers=(FailureMode.PUBLISH_SLOW,),
            severity=Severity.TICKET,
            queries={"latency": Query(duration, "p99", role)},
            comparison=Comparison.AT_LEAST,
            threshold=latency,
            datapoints=3,
            periods=5,
            missing=Missing.NOT_BREACHING,
            missing_reason=_IDLE,
            log="publish",
        ),
    )


SIGNALS = _signals(
    "api",
    Kind.HTTP_API,
    Threshold(
        0.5,
        "Milliseconds",
        "Half of publish's timeout; with the default that is 5 s, half of what GitHub waits.",
        of="publish.timeout",
    ),
)


def of_any(role: str, kind: Kind) -> tuple[Signal, ...]:
    """What holds for any API."""
    reason = "Half of the 10 s that common senders wait."
    return _signals(role, kind, Threshold(5000, "Milliseconds", reason), "existing-api")
