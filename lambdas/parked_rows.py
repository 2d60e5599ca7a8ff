"""The rows of the table of parked webhooks, as DynamoDB has them; nothing here makes a call.

A group's partition ``g#<group id>`` has ``#state`` while the group is held, ``held#<sequence>`` for
what waits to be released in order, and ``aside#<sequence>`` for what went aside alone. What is too
large for an item continues in rows ``more#…``. A source's partition ``s#<source>`` has its latest
delivery (``lambdas/source_deliveries.py``) and, per hour, how much of it was parked.
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from lambdas import attempts, lease
from lambdas.config import SubscribeConfig
from lambdas.group_state import STATE, Hold, key

HELD, ASIDE = "held#", "aside#"

# How much of a message is in one row. Source: DynamoDB quotas: an item is at most 400 KB.
_CHUNK_BYTES = 350_000
# SQS's sequence numbers are 128-bit integers; as text of this length they sort as numbers.
_DIGITS = 39


class Parked(NamedTuple):
    """A parked message.

    Attributes:
        row: its sort key.
        message: as the event source handed it over: ``messageId``, ``body``, ``messageAttributes``.
        sequence_number: SQS's, at its first receive.
        chunks: how many rows follow its own.
        dropped: whether a person dropped it.
    """

    row: str
    message: dict[str, Any]
    sequence_number: str
    chunks: int
    dropped: bool


class Facts(NamedTuple):
    """What a parked row says of its webhook beside the message.

    Attributes:
        reason: ``refused``, ``alone``, ``age``, ``unreadable`` or ``behind``.
        received_at: milliseconds since the epoch.
    """

    source: str
    received_at: int
    reason: str
    history: attempts.History


def row_of(place: str, sequence_number: str) -> str:
    """The sort key of a parked message, which sorts as its sequence number does."""
    return f"{place}{sequence_number.zfill(_DIGITS)}"


def part(row: str, number: int | str) -> str:
    """The sort key of a row that continues another; a row's own for 0."""
    return row if number == 0 else f"more#{row}#{number}"


def packed(message_id: str, event: Mapping[str, Any]) -> bytes:
    """A message as it is stored.

    Args:
        event: the message as the event source handed it over.
    """
    whole = {name: event[name] for name in ("body", "messageAttributes") if name in event}
    return zlib.compress(json.dumps({"messageId": message_id, **whole}).encode(), 6)


def unpacked(item: Mapping[str, Any], chunks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The message of a row and of those that continue it.

    Raises:
        ValueError: When they are not a message.
    """
    try:
        raw = b"".join(base64.b64decode(part["message"]["B"]) for part in (item, *chunks))
        message = json.loads(zlib.decompress(raw))
    except (KeyError, TypeError, zlib.error) as error:
        raise ValueError(str(error)) from None
    if not isinstance(message, dict):
        raise ValueError
    return message


def new_hold(message: lease.Received) -> Hold:
    """The same for all tries of one receive, so that a repeated call is the same call."""
    receive = f"{message.id} {message.receipt_handle}"
    digest = hashlib.sha256(receive.encode()).hexdigest()
    return Hold(digest[:32], round(time.time() * 1000))


def of_message(
    config: SubscribeConfig, message: lease.Received, event: Any, facts: Facts, place: str
) -> Iterator[dict[str, Any]]:
    """Actions that store a message.

    Args:
        event: the message as the event source handed it over.
        place: ``HELD`` or ``ASIDE``.
    """
    content = packed(message.id, event)
    parts = [content[at : at + _CHUNK_BYTES] for at in range(0, len(content), _CHUNK_BYTES)]
    now = round(time.time() * 1000)
    row = row_of(place, message.sequence_number)
    common = {"expires_at": {"N": str(now // 1000 + config.policy.keep)}}
    described = {
        **common,
        "kind": {"S": place.rstrip("#")},
        "parked_at": {"N": str(now)},
        "id": {"S": message.id},
        "group_id": {"S": message.group_id},
        "sequence_number": {"S": message.sequence_number},
        "source": {"S": facts.source},
        "received_at": {"N": str(facts.received_at)},
        "reason": {"S": facts.reason},
        "attempt_count": {"N": str(facts.history.attempts)},
        "chunks": {"N": str(len(parts) - 1)},
    }
    for number, part_content in enumerate(parts):
        own_key = key(message.group_id, part(row, number))
        packed_part = {"message": {"B": base64.b64encode(part_content).decode()}}
        item = {**own_key, **(common if number else described), **packed_part}
        yield {"Put": {"TableName": config.parking, "Item": item}}


def state(
    config: SubscribeConfig,
    message: lease.Received,
    new: Hold,
    condition: str,
    values: dict[str, Any],
) -> dict[str, Any]:
    """An action that makes a group held, with its condition.

    Args:
        message: the one at the group's head.
    """
    item = {
        **key(message.group_id, STATE),
        "kind": {"S": "state"},
        "parked_at": {"N": str(new.since)},
        "group_id": {"S": message.group_id},
        "hold_id": {"S": new.id},
        "since": {"N": str(new.since)},
        "id": {"S": message.id},
    }
    put: dict[str, Any] = {
        "TableName": config.parking,
        "Item": item,
        "ConditionExpression": condition,
    }
    if values:
        put["ExpressionAttributeValues"] = values
    return {"Put": put}


def settled(config: SubscribeConfig, message: lease.Received, facts: Facts) -> dict[str, Any]:
    """What the record learns; refused when it calls the webhook delivered."""
    now = round(time.time() * 1000)
    kept = now // 1000 + max(config.record_ttl, config.policy.keep)
    values = {
        **attempts.attributes(facts.history),
        "parked_at": {"N": str(now)},
        "expires_at": {"N": str(kept)},
    }
    return {
        "Update": {
            "TableName": config.table,
            "Key": {"id": {"S": attempts.key(message.id)}},
            "UpdateExpression": "SET " + ", ".join(f"#{name} = :{name}" for name in values),
            "ConditionExpression": "attribute_not_exists(delivered_timestamp)",
            "ExpressionAttributeNames": {f"#{name}": name for name in values},
            "ExpressionAttributeValues": {f":{name}": value for name, value in values.items()},
        }
    }


def held_by(config: SubscribeConfig, group_id: str, hold_id: str) -> dict[str, Any]:
    """An action that refuses its transaction unless the group is held by that hold."""
    return {
        "ConditionCheck": {
            "TableName": config.parking,
            "Key": key(group_id, STATE),
            "ConditionExpression": "hold_id = :hold",
            "ExpressionAttributeValues": {":hold": {"S": hold_id}},
        }
    }


def deletions(config: SubscribeConfig, group_id: str, parked: Parked) -> Iterator[dict[str, Any]]:
    """Actions that delete a parked message's rows."""
    for number in range(parked.chunks + 1):
        own_key = key(group_id, part(parked.row, number))
        yield {"Delete": {"TableName": config.parking, "Key": own_key}}
