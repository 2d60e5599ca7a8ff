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
# ``monitoring.model.metrics`` says when each is written, and for what.
UNITS: Mapping[str, str] = {
    "Accepted": "Count",
    "IdReused": "Count",
    "SourceAccepted": "Count",
    "SourceRefused": "Count",
    "SignatureRefused": "Count",
    "Unmatched": "Count",
    "SecretUnreadable": "Count",
    "Backend2xx": "Count",
    "Backend3xx": "Count",
    "Backend4xx": "Count",
    "Backend5xx": "Count",
    "BackendTimeout": "Count",
    "BackendConnectionError": "Count",
    "BackendDuration": "Milliseconds",
    "BackendOutcome": "Count",
    "DeliveryLag": "Milliseconds",
    "HeadAge": "Seconds",
    "BlockedGroup": "Count",
    "PausedBackendDown": "Count",
    "PausedRetryShare": "Count",
    "SigningSecretUnreadable": "Count",
    "RecordFailed": "Count",
    "Parked": "Count",
    "Released": "Count",
    "ParkingBraked": "Count",
    "HeartbeatArrived": "Count",
    "HeldGroups": "Count",
    "HeldSeconds": "Seconds",
    "ParkedExpiring": "Count",
    "HeartbeatRefused": "Count",
    "Unaccounted": "Count",
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
