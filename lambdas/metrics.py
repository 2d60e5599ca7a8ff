"""The metrics the functions emit: names and units, which ``monitoring.model.metrics`` repeats.

They travel inside the log line of what they measure, in CloudWatch's embedded metric format,
so that they cost no call and no line of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NAMESPACE = "WebhookBuffer"
# Members of every log line, so that they need not be repeated.
DIMENSIONS = ("service", "env")

# Attempts of older webhooks say more about these than about the backend. An outage shows in the age
# of what waits well before that, so that nothing falls between the two.
FRESH_SECONDS = 20 * 60

# What is counted by other members of its log line, too, or only by them; each adds to the sets.
# A name here has the sets that it says, any other has DIMENSIONS alone.
BY: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "SignatureRefused": ((), ("source",)),
    "SourceAccepted": (("source",),),
    "SourceRefused": (("source",), ("source", "reason")),
}

# Name -> unit. CloudWatch charges for a metric in the hours in which it is written, so what
# happens rarely is written only when it happens; `docs/decisions/0008-metrics.md` says more.
UNITS: Mapping[str, str] = {
    # publish
    "Accepted": "Count",  # 1 per webhook that SQS took
    "IdReused": "Count",  # as it happens: a deduplication id came with another request
    # publish, with sources
    "SourceAccepted": "Count",  # 1 per webhook that SQS took, by source
    "SourceRefused": "Count",  # as it happens: by source, and by source and reason
    "SignatureRefused": "Count",  # as it happens: answered 401, in all and by source
    "Unmatched": "Count",  # as it happens: answered 404, because no source takes the path
    "SecretUnreadable": "Count",  # as it happens: nothing can be verified, or only with old secrets
    # subscribe: one of these per attempt, by what the backend answered
    "Backend2xx": "Count",
    "Backend3xx": "Count",
    "Backend4xx": "Count",
    "Backend5xx": "Count",
    "BackendTimeout": "Count",
    "BackendConnectionError": "Count",
    # subscribe: every attempt
    "BackendDuration": "Milliseconds",
    # subscribe: every attempt of a webhook that is FRESH_SECONDS old at most
    "BackendOutcome": "Count",  # 2 to 5 for 2xx to 5xx, 6 a timeout, 7 a connection error
    # subscribe: every delivery
    "DeliveryLag": "Milliseconds",  # from receipt at the API
    # subscribe: every attempt that failed or could not be made
    "HeadAge": "Seconds",  # of the webhook that stays at its group's head
    "BlockedGroup": "Count",  # 1 once that head has failed too often or waited too long
    # subscribe: as it happens
    "PausedBackendDown": "Count",  # put back unattempted, because the backend fails for everybody
    "PausedRetryShare": "Count",  # put back unattempted, so that other webhooks get their turn
    "SigningSecretUnreadable": "Count",  # attempts are not made, or signed with old secrets
    "Consumed": "Count",  # left the queue undelivered, as a test flag asked
    "RecordFailed": "Count",  # not written, or not read before another attempt
    "Parked": "Count",  # left the queue for the parking store
    "Released": "Count",  # delivered from there
    "ParkingBraked": "Count",  # not parked, because too much of its source was
    "HeartbeatArrived": "Count",
    # subscribe as it happens, and audit while there are any
    "HeldGroups": "Count",
    "HeldSeconds": "Seconds",  # since the longest held group is held
    # audit: while there are any
    "ParkedExpiring": "Count",  # that are about to expire
    # heartbeat: as it happens
    "HeartbeatRefused": "Count",  # the API did not take a test webhook
    # audit: when there is something to report
    "Unaccounted": "Count",  # lost: accepted, and neither settled nor waiting
}


def embedded(values: Mapping[str, float], *, at: int) -> dict[str, Any]:
    """The members that make a log line carry metrics.

    Source: CloudWatch user guide, "Specification: Embedded metric format".

    Args:
        values: by metric name.
        at: milliseconds since the epoch.

    Raises:
        ValueError: When a name is not one of ``UNITS``.
    """
    unknown = values.keys() - UNITS.keys()
    if unknown:
        raise ValueError(f"not a defined metric: {', '.join(sorted(unknown))}")
    by_sets: dict[tuple[tuple[str, ...], ...], list[dict[str, str]]] = {}
    for name in values:
        by_sets.setdefault(BY.get(name, ((),)), []).append({"Name": name, "Unit": UNITS[name]})
    directives = [
        {
            "Namespace": NAMESPACE,
            "Dimensions": [[*DIMENSIONS, *more] for more in sets],
            "Metrics": described,
        }
        for sets, described in by_sets.items()
    ]
    return {"_aws": {"Timestamp": at, "CloudWatchMetrics": directives}, **values}
