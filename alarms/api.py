"""The API: which responses senders get, and how soon."""

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

_IDLE = "Without requests there is no data, and no response is wrong."
# Below these numbers a share of the requests means nothing.
_FEWEST_5XX, _FEWEST_4XX = 3, 20
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
    role: str,
    kind: Kind,
    latency: Threshold,
    runbook: str | None = None,
    apart: Query | None = None,
) -> tuple[Signal, ...]:
    """An API's signals.

    Args:
        apart: 4xx that say nothing about the senders.
    """
    count, client_errors, server_errors, duration = _METRICS[kind]
    invalid, judged = "e4", "n"
    if apart:
        invalid, judged = (f"({name} - FILL(apart, 0))" for name in (invalid, judged))
    return (
        Signal(
            id=f"{role}-5xx",
            runbook=runbook or "api-5xx",
            title="Senders get 5xx responses",
            impact="Webhooks are lost unless their senders retry.",
            covers=(FailureMode.QUEUE_REFUSES, FailureMode.PUBLISH_SLOW),
            severity=Severity.PAGE,
            queries={
                "e5": Query(server_errors, "Sum", role),
                "n": Query(count, "Sum", role),
            },
            expression=f"IF(e5 >= {_FEWEST_5XX}, 100 * e5 / n, 0)",
            comparison=Comparison.AT_LEAST,
            threshold=Threshold(
                5,
                "Percent",
                f"AWS's recommended alarm for APIs, and at least {_FEWEST_5XX} a minute: a share "
                "of very few requests means nothing.",
                counted="of the requests got 5xx",
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
            title="Many requests are invalid",
            impact="At least one sender gets answers that say its webhooks are invalid.",
            covers=(FailureMode.QUEUE_REFUSES,),
            severity=Severity.TICKET,
            queries={
                "e4": Query(client_errors, "Sum", role),
                "n": Query(count, "Sum", role),
                **({"apart": apart} if apart else {}),
            },
            expression=f"IF({invalid} >= {_FEWEST_4XX}, 100 * {invalid} / {judged}, 0)",
            comparison=Comparison.AT_LEAST,
            threshold=Threshold(
                20,
                "Percent",
                "Single invalid requests are their senders' own mistakes; {threshold} of "
                + ("the requests to known paths" if apart else "all requests")
                + " mean that somebody changed something.",
                counted="of the requests were invalid",
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
            title="Senders wait for their response",
            impact="Senders with a short timeout give up and retry.",
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
        "{share} of publish's timeout of {publish.timeout}; GitHub, for one, waits 10 s.",
        of="publish.timeout",
    ),
    apart=Query(metrics.UNMATCHED, "Sum", "buffer"),
)


def of_any(role: str, kind: Kind) -> tuple[Signal, ...]:
    """The signals of any API."""
    reason = "Common senders wait 10 s; {threshold} leaves time to act."
    return _signals(role, kind, Threshold(5000, "Milliseconds", reason), "existing-api")
