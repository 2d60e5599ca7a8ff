"""Whether a group is held, which is read before every attempt.

What is parked and how is in ``lambdas/parked_rows.py`` and ``lambdas/parking.py``, which are loaded
when the first message is parked.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from lambdas.base import aws

STATE = "#state"

_CALL_SECONDS = 0.6
_WITHIN_SECONDS = 1.0


class Hold(NamedTuple):
    """A group's state while it is held.

    Attributes:
        id: another one each time a group is held: a token releases only the hold that it names.
        since: milliseconds since the epoch.
    """

    id: str
    since: int


def partition(group_id: str) -> str:
    """The partition key of a group."""
    return f"g#{group_id}"


def key(group_id: str, row: str) -> dict[str, Any]:
    """The key of a row of a group."""
    return {"partition": {"S": partition(group_id)}, "row": {"S": row}}


def read(table: str, group_id: str) -> Hold | None:
    """The hold of a group, read consistently; None while the group is open.

    Args:
        table: of parked webhooks.

    Raises:
        AwsError: When it can't be read: then nobody may attempt anything of the group.
    """
    reply = aws.DYNAMODB.call(
        "GetItem",
        {"TableName": table, "Key": key(group_id, STATE), "ConsistentRead": True},
        seconds=_CALL_SECONDS,
        within=_WITHIN_SECONDS,
    )
    try:
        item = reply.get("Item")
        return Hold(item["hold_id"]["S"], int(item["since"]["N"])) if item else None
    except (KeyError, TypeError, ValueError):
        raise aws.AwsError("UnreadableState", retryable=False) from None
