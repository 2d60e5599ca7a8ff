"""What stays parked: which group is held the longest, and what is near the end of its time.

The audit asks every half hour. Only what is there becomes a metric: CloudWatch charges for them in
the hours in which they are written.
"""

from __future__ import annotations

import time

from lambdas import parked_index
from lambdas.base import aws, observe
from lambdas.expiry import EXPIRING_SHARE


def report(table: str, *, keep: int, within: float) -> None:
    """Reports held groups and parked webhooks that will expire.

    Args:
        keep: how long a parked webhook is kept, seconds.
        within: how long all of it may take, seconds.
    """
    deadline = time.monotonic() + within
    now = time.time()
    before = round(1000 * (now - EXPIRING_SHARE * keep))
    try:
        held = parked_index.rows(table, "state", before=round(1000 * now), until=deadline)
        expiring = [
            row
            for kind in ("held", "aside")
            for row in parked_index.rows(table, kind, before=before, until=deadline)
            if "dropped_at" not in row
        ]
    except (aws.AwsError, KeyError) as error:
        code = error.code if isinstance(error, aws.AwsError) else "UnreadableRow"
        observe.log("WARNING", "audit.skipped", aws_error=code)
        return
    if held:
        longest = min(held, key=lambda row: int(row["since"]["N"]))
        seconds = max(0, round(now - int(longest["since"]["N"]) / 1000))
        observe.log(
            "INFO",
            "group.held",
            metrics={"HeldGroups": len(held), "HeldSeconds": seconds},
            group_id=longest["group_id"]["S"],
            message_id=longest["id"]["S"],
        )
    if expiring:
        first = min(expiring, key=lambda row: int(row["parked_at"]["N"]))
        observe.log(
            "INFO",
            "parked.expiring",
            metrics={"ParkedExpiring": len(expiring)},
            group_id=first["group_id"]["S"],
            message_id=first["id"]["S"],
        )
