"""The store of parked webhooks: whole messages, in order per group, and which groups are held.

Only the invocation that holds SQS's lock on a group (``lambdas/lease.py``) writes to the group's
rows; a person writes ``dropped_at`` and nothing else. What belongs together is one transaction. The
rows are in ``lambdas/parked_rows.py``, the reasons in ``docs/decisions/0025-parking.md``.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from typing import Any

from lambdas import lease, parked_rows
from lambdas.base import aws
from lambdas.config import SubscribeConfig
from lambdas.group_state import STATE, Hold, key, partition

_CALL_SECONDS = 0.6
_WITHIN_SECONDS = 1.0
# A transaction carries a whole message: at most 1.4 MB, in base64.
_TRANSACTION_SECONDS = 1.2


class BrakedError(Exception):
    """When no more webhooks of a source may be parked in this hour."""


def park_behind(
    config: SubscribeConfig,
    message: lease.Received,
    event: Any,
    facts: parked_rows.Facts,
    group: Hold,
) -> None:
    """Parks a message behind the others of its held group.

    Raises:
        AwsError: When it is not stored, or the group is not held by that hold any more.
    """
    _transact(
        message,
        [
            *parked_rows.of_message(config, message, event, facts, parked_rows.HELD),
            parked_rows.held_by(config, message.group_id, group.id),
            parked_rows.settled(config, message, facts),
        ],
    )


def park_aside(
    config: SubscribeConfig, message: lease.Received, event: Any, facts: parked_rows.Facts
) -> None:
    """Sets a message aside, while its group goes on.

    Raises:
        AwsError: When it is not stored.
        BrakedError: When too much of its source was parked in this hour.
    """
    rows = parked_rows.of_message(config, message, event, facts, parked_rows.ASIDE)
    _braked(config, message, facts, [*rows, parked_rows.settled(config, message, facts)])


def park_and_hold(
    config: SubscribeConfig, message: lease.Received, event: Any, facts: parked_rows.Facts
) -> Hold:
    """Parks a message and holds its group, which is open.

    Raises:
        AwsError: When it is not stored.
        BrakedError: When too much of its source was parked in this hour; what is parked for its
            age is not limited, for it would be lost in the queue.
    """
    new = parked_rows.new_hold(message)
    actions = [
        *parked_rows.of_message(config, message, event, facts, parked_rows.HELD),
        parked_rows.state(config, message, new, "attribute_not_exists(hold_id)", {}),
        parked_rows.settled(config, message, facts),
    ]
    if facts.reason == "age":
        _transact(message, actions)
    else:
        _braked(config, message, facts, actions)
    return new


def hold_again(config: SubscribeConfig, message: lease.Received, old: Hold) -> Hold:
    """Replaces a group's hold, so that tokens for the old one release nothing more.

    Args:
        message: the parked message at the group's head.
    """
    new = Hold(parked_rows.new_hold(message).id, old.since)
    action = parked_rows.state(config, message, new, "hold_id = :old", {":old": {"S": old.id}})
    _call("PutItem", action["Put"])
    return new


def open_group(config: SubscribeConfig, group_id: str, old: Hold) -> None:
    """Opens a group from which everything was released. Another hold stays.

    Raises:
        AwsError: When DynamoDB does not take it.
    """
    try:
        _call(
            "DeleteItem",
            {
                "TableName": config.parking,
                "Key": key(group_id, STATE),
                "ConditionExpression": "hold_id = :old",
                "ExpressionAttributeValues": {":old": {"S": old.id}},
            },
        )
    except aws.AwsError as error:
        if error.code != "ConditionalCheckFailedException":
            raise


def lowest(config: SubscribeConfig, group_id: str) -> parked_rows.Parked | None:
    """The first of a group's held messages, read consistently.

    Raises:
        AwsError: When it can't be read, or is not what ``park_behind`` writes.
    """
    rows = _query(config, group_id, parked_rows.HELD, limit=1)
    return _parked(config, group_id, rows[0]) if rows else None


def parked_row(config: SubscribeConfig, group_id: str, row: str) -> parked_rows.Parked | None:
    """A parked message by its row, read consistently; None if it is not there.

    Raises:
        AwsError: When it can't be read, or is not what ``park_aside`` writes.
    """
    reply = _call(
        "GetItem",
        {
            "TableName": config.parking,
            "Key": key(group_id, row),
            "ConsistentRead": True,
        },
    )
    item = reply.get("Item")
    return _parked(config, group_id, item) if item else None


def remove(config: SubscribeConfig, message: lease.Received, parked: parked_rows.Parked) -> None:
    """Deletes what was released or dropped, all its rows at once.

    Raises:
        AwsError: When DynamoDB does not take it.
    """
    deletions = list(parked_rows.deletions(config, message.group_id, parked))
    if len(deletions) == 1:
        _call("DeleteItem", deletions[0]["Delete"])
    else:
        _transact(message, deletions)


def move_aside(
    config: SubscribeConfig,
    message: lease.Received,
    parked: parked_rows.Parked,
    facts: parked_rows.Facts,
    group: Hold,
) -> None:
    """Sets a held message aside, so that what is held behind it can be released.

    Raises:
        AwsError: When it is not stored.
    """
    _transact(
        message,
        [
            *parked_rows.deletions(config, message.group_id, parked),
            *parked_rows.of_message(config, message, parked.message, facts, parked_rows.ASIDE),
            parked_rows.held_by(config, message.group_id, group.id),
        ],
    )


def _braked(
    config: SubscribeConfig,
    message: lease.Received,
    facts: parked_rows.Facts,
    actions: list[dict[str, Any]],
) -> None:
    """A transaction that counts against the hour's limit of a source."""
    hour = int(time.time() // 3600)
    key = {"partition": {"S": f"s#{facts.source}"}, "row": {"S": f"hour#{hour}"}}
    limit = config.policy.per_hour
    count = {
        "TableName": config.parking,
        "Key": key,
        "UpdateExpression": "SET expires_at = :end ADD parked :one",
        "ConditionExpression": "attribute_not_exists(parked) OR parked < :limit",
        "ExpressionAttributeValues": {
            ":one": {"N": "1"},
            ":limit": {"N": str(limit)},
            ":end": {"N": str((hour + 2) * 3600)},
        },
    }
    try:
        _transact(message, [*actions, {"Update": count}])
    except aws.AwsError as error:
        # The reply's reasons are not read: only their position says which item each is about.
        if error.code == "TransactionCanceledException" and _counted(config, key) >= limit:
            raise BrakedError from None
        raise


def _counted(config: SubscribeConfig, key: dict[str, Any]) -> int:
    request = {"TableName": config.parking, "Key": key, "ConsistentRead": True}
    item = _call("GetItem", request).get("Item", {})
    return int(item.get("parked", {"N": "0"})["N"])


def _parked(config: SubscribeConfig, group_id: str, item: Mapping[str, Any]) -> parked_rows.Parked:
    try:
        row, chunks = item["row"]["S"], int(item["chunks"]["N"])
        rest = _query(config, group_id, parked_rows.part(row, ""), limit=chunks) if chunks else []
        return parked_rows.Parked(
            row=row,
            message=parked_rows.unpacked(item, rest),
            sequence_number=item["sequence_number"]["S"],
            chunks=chunks,
            dropped="dropped_at" in item,
        )
    except (KeyError, TypeError, ValueError):
        raise aws.AwsError("UnreadableRow", retryable=False) from None


def _query(
    config: SubscribeConfig, group_id: str, begins: str, *, limit: int
) -> list[dict[str, Any]]:
    reply = _call(
        "Query",
        {
            "TableName": config.parking,
            "KeyConditionExpression": "#partition = :partition AND begins_with(#row, :begins)",
            "ExpressionAttributeNames": {"#partition": "partition", "#row": "row"},
            "ExpressionAttributeValues": {
                ":partition": {"S": partition(group_id)},
                ":begins": {"S": begins},
            },
            "Limit": limit,
            "ConsistentRead": True,
        },
    )
    items: list[dict[str, Any]] = reply["Items"]
    return items


def _transact(message: lease.Received, actions: list[dict[str, Any]]) -> None:
    """All or nothing; called again after a lost reply it does nothing twice.

    Source: DynamoDB API reference, TransactWriteItems: ``ClientRequestToken`` makes a call
    idempotent for ten minutes.
    """
    content = json.dumps([message.receipt_handle, actions]).encode()
    token = hashlib.sha256(content).hexdigest()[:36]
    aws.DYNAMODB.call(
        "TransactWriteItems",
        {"TransactItems": actions, "ClientRequestToken": token},
        seconds=_TRANSACTION_SECONDS,
        within=_TRANSACTION_SECONDS,
    )


def _call(action: str, parameters: dict[str, Any]) -> dict[str, Any]:
    return aws.DYNAMODB.call(action, parameters, seconds=_CALL_SECONDS, within=_WITHIN_SECONDS)
