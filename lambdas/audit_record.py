"""What the record says of many webhooks: whether each was settled, and when it was last tried."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from lambdas import attempts
from lambdas.audit_verdicts import Standing
from lambdas.base import aws

# Source: DynamoDB API reference, BatchGetItem: up to 100 items. A webhook has two.
_WEBHOOKS = 50
_CALL_SECONDS = 5.0
_AGAIN_SECONDS = 0.2
_SETTLED = ("delivered_timestamp", "parked_at", "dropped_at")


def standings(table: str, ids: Sequence[str], *, until: float) -> dict[str, Standing]:
    """What is recorded of webhooks, read consistently; those for which the time ends are missing.

    Args:
        until: when to stop, by the monotonic clock.

    Raises:
        AwsError: When DynamoDB does not give it.
    """
    answers: dict[str, Standing] = {}
    for first in range(0, len(ids), _WEBHOOKS):
        batch = ids[first : first + _WEBHOOKS]
        keys = [key for message_id in batch for key in (message_id, attempts.key(message_id))]
        try:
            rows = _rows(table, keys, until=until)
        except aws.AwsError as error:
            if error.code != "Timeout":
                raise
            return answers
        for message_id in batch:
            item, row = rows.get(message_id, {}), rows.get(attempts.key(message_id), {})
            settled = any(name in item or name in row for name in _SETTLED)
            answers[message_id] = Standing(settled, _tried_at(row))
    return answers


def _tried_at(row: dict[str, Any]) -> int:
    try:
        return int(row["recent"]["L"][-1]["M"]["at"]["N"])
    except (KeyError, IndexError, TypeError, ValueError):
        return 0


def _rows(table: str, keys: Sequence[str], *, until: float) -> dict[str, dict[str, Any]]:
    """Rows by their key.

    Source: DynamoDB API reference, BatchGetItem: what is too much for one reply, or throttled, is
    handed back as ``UnprocessedKeys``.
    """
    wanted: dict[str, Any] = {
        table: {
            "Keys": [{"id": {"S": key}} for key in keys],
            "ConsistentRead": True,
            "ProjectionExpression": "id, recent, " + ", ".join(_SETTLED),
        }
    }
    rows = {}
    while wanted:
        left = until - time.monotonic()
        if left <= 0:
            raise aws.AwsError("Timeout", retryable=True)
        reply = aws.DYNAMODB.call(
            "BatchGetItem", {"RequestItems": wanted}, seconds=_CALL_SECONDS, within=left
        )
        for row in reply["Responses"].get(table, ()):
            rows[row["id"]["S"]] = row
        wanted = reply.get("UnprocessedKeys") or {}
        if wanted:
            time.sleep(min(_AGAIN_SECONDS, left))
    return rows
