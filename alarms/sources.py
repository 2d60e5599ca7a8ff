"""Sources: requests that can't be verified, and secrets that can't be read."""

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

_RARE = "Written only when it happens."
_LOG = (
    "fields @timestamp, event, source, reason, method, path, http.status_code, aws_error"
    ' | filter event in ["webhook.refused", "secret.unreadable"]'
    " | sort @timestamp desc | limit 100"
)
# Below it a share of the requests means nothing: a scanner may send a few.
_FEWEST = 5

SIGNALS = (
    Signal(
        id="secret-unreadable",
        title="A source's secret can't be read",
        impact="Senders get 503 and have to retry, now or within hours: until then the last good "
        "secret is used where there is one.",
        covers=(FailureMode.QUEUE_REFUSES,),
        severity=Severity.PAGE,
        queries={"unreadable": Query(metrics.SECRET_UNREADABLE, "Sum", "buffer")},
        comparison=Comparison.AT_LEAST,
        threshold=Threshold(
            1,
            "Count",
            "A container reads a secret once a minute at most; {window} outlast a hiccup.",
        ),
        datapoints=2,
        periods=5,
        missing=Missing.NOT_BREACHING,
        missing_reason=_RARE,
        log="publish",
        log_query=_LOG,
        opt_in="sources",
    ),
    Signal(
        id="signatures-refused",
        title="Many requests have a wrong signature",
        impact="Harmless if they are forged; otherwise a sender's webhooks are refused.",
        covers=(FailureMode.TRAFFIC_SURGE,),
        severity=Severity.TICKET,
        queries={"refused": Query(metrics.SIGNATURES_REFUSED, "Sum", "buffer")},
        comparison=Comparison.AT_LEAST,
        threshold=Threshold(
            100,
            "Count",
            "Single forgeries are the internet's noise; {threshold} in five minutes are an attack, "
            "or a sender that signs in another way.",
        ),
        period=300,
        datapoints=2,
        periods=3,
        missing=Missing.NOT_BREACHING,
        missing_reason=_RARE,
        log="publish",
        log_query=_LOG,
        opt_in="sources",
    ),
)


def of_source(role: str) -> tuple[Signal, ...]:
    """The signals of a source that verifies its requests."""
    name = role.removeprefix("source-")
    return (
        Signal(
            id=f"{role}-refused",
            runbook="source-refused",
            title=f"Nearly all requests of {name} are refused",
            impact=f"Webhooks of {name} are lost unless it retries: its secret was probably "
            "rotated there, and not here.",
            covers=(FailureMode.QUEUE_REFUSES,),
            severity=Severity.PAGE,
            queries={
                "refused": Query(metrics.SOURCE_SIGNATURES_REFUSED, "Sum", role),
                "accepted": Query(metrics.SOURCE_ACCEPTED, "Sum", role),
            },
            expression=(
                f"IF(refused >= {_FEWEST}, 100 * refused / (refused + FILL(accepted, 0)), 0)"
            ),
            comparison=Comparison.AT_LEAST,
            threshold=Threshold(
                90,
                "Percent",
                f"Forgeries are few beside a source's webhooks; at least {_FEWEST} in a period, "
                "because a share of very few means nothing.",
                counted="of its requests failed verification",
            ),
            period=300,
            datapoints=2,
            periods=3,
            missing=Missing.NOT_BREACHING,
            missing_reason="Without refused requests there is no data, and nothing is wrong.",
            log="publish",
            log_query=_LOG,
        ),
    )
