"""Parked webhooks: what the backend refused or did not take in time, and waits for a person."""

from __future__ import annotations

from monitoring.model import metrics
from monitoring.model.signals import (
    Comparison,
    FailureMode,
    Missing,
    Named,
    Query,
    Severity,
    Signal,
    Threshold,
)

_RARE = "Written only when it happens."
# The audit asks twice an hour; a run may be missed.
_BETWEEN_AUDITS = 65
_WRITTEN = "The audit writes it every half hour, while there is something."
_PARKED = (
    'filter event in ["webhook.parked", "parking.braked", "parking.failed", "release.refused", '
    '"release.gave-up"] | stats latest(event) as event, latest(reason) as reason, '
    "latest(attempt) as attempts by group_id, message_id, source | limit 100"
)

SIGNALS = (
    Signal(
        id="webhook-parked",
        title="A webhook was parked",
        impact="It is not delivered until somebody releases it; it is kept for "
        "{parking.keep_days} days.",
        covers=(FailureMode.POISONED_GROUP,),
        severity=Severity.TICKET,
        queries={"parked": Query(metrics.PARKED, "Sum", "buffer")},
        comparison=Comparison.AT_LEAST,
        threshold=Threshold(
            1,
            "Count",
            "Only failures that will not clear on their own are parked.",
            counted="parked webhooks",
        ),
        datapoints=1,
        periods=5,
        missing=Missing.NOT_BREACHING,
        missing_reason=_RARE,
        log="subscribe",
        log_query=_PARKED,
        names=Named.PARKED,
    ),
    Signal(
        id="group-held",
        title="A group is held",
        impact="Nothing of one customer, order or repository is delivered; all of it is parked.",
        covers=(FailureMode.POISONED_GROUP,),
        severity=Severity.TICKET,
        queries={"held": Query(metrics.HELD_GROUPS, "Maximum", "buffer")},
        comparison=Comparison.AT_LEAST,
        threshold=Threshold(1, "Count", "A held group waits for a person.", counted="held groups"),
        datapoints=1,
        periods=_BETWEEN_AUDITS,
        missing=Missing.NOT_BREACHING,
        missing_reason=_WRITTEN,
        log="subscribe",
        log_query=_PARKED,
        names=Named.HELD,
    ),
    Signal(
        id="group-held-long",
        title="A group has been held for a long time",
        impact="One customer, order or repository has received nothing for {threshold}.",
        covers=(FailureMode.POISONED_GROUP,),
        severity=Severity.PAGE,
        queries={"seconds": Query(metrics.HELD_SECONDS, "Maximum", "buffer")},
        comparison=Comparison.AT_LEAST,
        threshold=Threshold(3600, "Seconds", "The ticket has been open for that long."),
        datapoints=1,
        periods=_BETWEEN_AUDITS,
        missing=Missing.NOT_BREACHING,
        missing_reason=_WRITTEN,
        log="subscribe",
        log_query=_PARKED,
        names=Named.HELD,
    ),
    Signal(
        id="parking-braked",
        title="The backend refuses many webhooks of a source",
        impact="{parking.per_hour} were parked in an hour; the others wait in the queue, and their "
        "groups with them.",
        covers=(FailureMode.POISONED_GROUP,),
        severity=Severity.PAGE,
        queries={"braked": Query(metrics.PARKING_BRAKED, "Sum", "buffer")},
        comparison=Comparison.AT_LEAST,
        threshold=Threshold(
            1,
            "Count",
            "This many refusals point to the backend or the sender, not to individual webhooks.",
            counted="attempts",
        ),
        datapoints=1,
        periods="subscribe.longest_wait_minutes",
        missing=Missing.NOT_BREACHING,
        missing_reason=_RARE,
        log="subscribe",
        log_query=_PARKED,
        names=Named.BRAKED,
    ),
    Signal(
        id="parked-expiring",
        title="Parked webhooks are about to expire",
        impact="DynamoDB deletes them {parking.keep_days} days after they were parked.",
        covers=(FailureMode.NEARING_RETENTION,),
        severity=Severity.TICKET,
        queries={"expiring": Query(metrics.PARKED_EXPIRING, "Maximum", "buffer")},
        comparison=Comparison.AT_LEAST,
        threshold=Threshold(
            1,
            "Count",
            "{parking.expiring_share} of their time is over.",
            counted="parked webhooks",
        ),
        datapoints=1,
        periods=_BETWEEN_AUDITS,
        missing=Missing.NOT_BREACHING,
        missing_reason=_WRITTEN,
        log="audit",
        names=Named.EXPIRING,
    ),
)
