"""The index that lists parked webhooks and held groups, by ``kind`` and ``parked_at``.

It is apart from the rows so that what only lists them loads nothing of ``subscribe``.
"""

from __future__ import annotations

import time
from typing import Any

from lambdas.base import aws

NAME = "parked"
KINDS = ("held", "aside", "state")
# What it has of a row.
LISTED = (
    "id", "group_id", "source", "reason", "received_at", "attempt_count", "sequence_number",
    "expires_at", "dropped_at", "hold_id", "since",
)  # fmt: skip
_READ_SECONDS = 2.0


def rows(
    table: str,
    kind: str,
    *,
    before: int,
    until: float,
    newest: bool = False,
    most: int | None = None,
) -> list[dict[str, Any]]:
    """The rows of a kind that were parked until a time, the oldest first.

    Args:
        table: of parked webhooks.
        before: milliseconds since the epoch.
        until: when to stop reading, by the monotonic clock.
        newest: whether the newest come first instead.
        most: how many; all of them, page by page, by default.

    Raises:
        AwsError: When they can't all be read in time.
    """
    request: dict[str, Any] = {
        "TableName": table,
        "IndexName": NAME,
        "KeyConditionExpression": "kind = :kind AND parked_at <= :before",
        "ExpressionAttributeValues": {":kind": {"S": kind}, ":before": {"N": str(before)}},
        "ScanIndexForward": not newest,
        **({"Limit": most} if most else {}),
    }
    items: list[dict[str, Any]] = []
    while True:
        left = until - time.monotonic()
        if left <= 0:
            raise aws.AwsError("Timeout", retryable=True)
        reply = aws.DYNAMODB.call("Query", request, seconds=_READ_SECONDS, within=left)
        items += reply["Items"]
        if most or "LastEvaluatedKey" not in reply:
            return items
        request["ExclusiveStartKey"] = reply["LastEvaluatedKey"]
