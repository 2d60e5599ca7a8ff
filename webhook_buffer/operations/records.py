"""Records of webhooks: one whole by its id, several by group, delivery id or time."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from botocore.exceptions import ClientError

from lambdas import attempts, record_index
from lambdas.base import envelope, extract
from settings.errors import InputError
from webhook_buffer.operations.environment import Environment, aws_errors

# What a list shows, of a webhook's item and of the row of its attempts.
_LISTED = (
    "id", "group_id", "source", "received_timestamp", "attempt_count", "delivered_timestamp",
    "backend_response_status_code", "delivery_id", "parked_at", "dropped_at",
)  # fmt: skip
# Webhooks of one call, with two rows each. Source: DynamoDB API reference, BatchGetItem: up to 100
# items.
_BATCH = 50
# By time alone an hour takes several queries, found or not.
_MOST_HOURS = 7 * 24


@dataclass(frozen=True, kw_only=True)
class Record:
    """What the record says of a webhook; times in milliseconds since the epoch.

    Attributes:
        state: ``delivered``, ``parked``, ``dropped``, or ``waiting``, which is tried again.
        status: the backend's answer: the first, or the delivery's.
        delivery: the sender's own id.
    """

    id: str
    group_id: str
    source: str
    received_at: int
    attempts: int
    state: str
    delivered_at: int | None
    status: int | None
    delivery: str | None


@dataclass(frozen=True, kw_only=True)
class Whole:
    """A webhook's record with its request.

    Attributes:
        request: as the item has it, but for its body; empty where it is not readable.
        body: None where it was not stored, or is not there any more.
        history: of its attempts: ``first``, ``recent``, ``outcomes``, ``refusals``.
    """

    record: Record
    request: Mapping[str, Any]
    body: bytes | None
    history: Mapping[str, Any]

    def readable(self) -> dict[str, Any]:
        """The request with its body in it, as text or in base64; None where it is missing."""
        if self.body is None:
            return {**self.request, "body": None}
        if self.request.get("isBase64Encoded"):
            return {**self.request, "body": base64.b64encode(self.body).decode()}
        return {**self.request, "body": self.body.decode("utf-8", "replace")}


def whole(target: Environment, message_id: str) -> Whole | None:
    """A webhook's record; None before its first attempt.

    Raises:
        WebhookBufferError: When AWS can't be asked.
    """
    item, row = _item(target, message_id), _item(target, attempts.key(message_id))
    if "message_id" not in item:
        return None
    try:
        request = json.loads(item.get("request", "{}"))
    except ValueError:
        request = {}
    return Whole(
        record=_record(item, row),
        request=request,
        body=_body(target, item, request),
        # A webhook that its first attempt delivered has no row of attempts.
        history=_history(row or {"recent": item.get("attempts", [])}),
    )


def outline(target: Environment, message_id: str) -> tuple[Record, Mapping[str, Any]] | None:
    """A webhook's record and its attempts, without its request; None before its first attempt.

    Raises:
        WebhookBufferError: When AWS can't be asked.
    """
    listed = list(_listed(target, [message_id]))
    return (listed[0], history(target, message_id)) if listed else None


def history(target: Environment, message_id: str) -> dict[str, Any]:
    """What the record keeps of a webhook's attempts, whether there is a request or not.

    Raises:
        WebhookBufferError: When AWS can't be asked.
    """
    return _history(_item(target, attempts.key(message_id)))


def search(
    target: Environment,
    *,
    group: str | None = None,
    delivery: str | None = None,
    since: int,
    until: int,
    most: int,
) -> list[Record]:
    """Records of a group, of a delivery id, or else of a time; the latest first.

    Args:
        group: as the sender names it, or as the record does.
        since, until: milliseconds since the epoch.

    Raises:
        InputError: When the table lacks the index, or a time alone is too long.
        WebhookBufferError: When AWS can't be asked.
    """
    if delivery:
        keys = _found(target, record_index.DELIVERY, delivery, since, until, most)
    elif group:
        keys = _found(target, record_index.GROUP, extract.allowed(group), since, until, most)
    else:
        if until - since > _MOST_HOURS * record_index.HOUR_MS:
            raise InputError(
                f"Search at most {_MOST_HOURS // 24} days at once, or name a group or a delivery "
                "id, for which any time is searched."
            )
        keys = _of_time(target, since, until, most)
    ids = [key["id"] for key in islice(keys, most)]
    records: list[Record] = []
    for at in range(0, len(ids), _BATCH):
        records += _listed(target, ids[at : at + _BATCH])
    return records


def _history(row: Mapping[str, Any]) -> dict[str, Any]:
    kept = ("first", "recent", "outcomes", "refusals", "attempt_count")
    return {name: row[name] for name in kept if name in row}


def _found(
    target: Environment, index: record_index.Index, value: str, since: int, until: int, most: int
) -> Iterator[Mapping[str, Any]]:
    """Keys that an index has, the latest first."""
    request: Any = {
        "IndexName": index.name,
        "KeyConditionExpression": f"{index.partition} = :value AND {record_index.SORT} "
        "BETWEEN :since AND :until",
        "ExpressionAttributeValues": {
            ":value": {"S": value},
            ":since": {"N": str(since)},
            ":until": {"N": str(until)},
        },
        "ScanIndexForward": False,
        "Limit": most,
    }
    table, settings = target.settings.table_name, target.settings
    with aws_errors(settings):
        try:
            pages = target.dynamodb.get_paginator("query").paginate(TableName=table, **request)
            for page in pages:
                yield from map(_plain, page["Items"])
        except ClientError as error:
            # Source: DynamoDB's messages "The table does not have the specified index: …" and
            # "Cannot read from backfilling global secondary index: …".
            if index.name in error.response["Error"]["Message"]:
                raise InputError(
                    f"Environment '{settings.environment}': the table {table} has no index "
                    f"{index.name} yet, or it is still being built. A deployment adds one: "
                    f"webhook-buffer deploy --env {settings.environment}"
                ) from None
            raise


def _of_time(target: Environment, since: int, until: int, most: int) -> Iterator[Mapping[str, Any]]:
    for shards in record_index.hour_shards(since, until):
        items = [
            key
            for shard in shards
            for key in islice(_found(target, record_index.TIME, shard, since, until, most), most)
        ]
        yield from sorted(items, key=lambda key: -int(key[record_index.SORT]))


def _listed(target: Environment, ids: list[str]) -> Iterator[Record]:
    """Records of these ids, in their order; what is gone, or no webhook's, is left out."""
    wanted = [
        {"id": {"S": key}} for message_id in ids for key in (message_id, attempts.key(message_id))
    ]
    rows: dict[str, Mapping[str, Any]] = {}
    names = {f"#{name}": name for name in _LISTED}
    table = target.settings.table_name
    while wanted:
        asked: Any = {
            "Keys": wanted,
            "ProjectionExpression": ", ".join(names),
            "ExpressionAttributeNames": names,
        }
        with aws_errors(target.settings):
            reply: Any = target.dynamodb.batch_get_item(RequestItems={table: asked})
        rows |= {row["id"]: row for row in map(_plain, reply["Responses"].get(table, []))}
        wanted = reply.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])
    for message_id in ids:
        if "group_id" in rows.get(message_id, ()):
            yield _record(rows[message_id], rows.get(attempts.key(message_id), {}))


def _record(item: Mapping[str, Any], row: Mapping[str, Any]) -> Record:
    """A record from its item and the row of its attempts, which may be there or not."""
    both = {**item, **row}
    delivered, status = both.get("delivered_timestamp"), item.get("backend_response_status_code")
    state = next(
        (
            state
            for name, state in (
                ("delivered_timestamp", "delivered"),
                ("dropped_at", "dropped"),
                ("parked_at", "parked"),
            )
            if name in both
        ),
        "waiting",
    )
    return Record(
        id=item["id"],
        group_id=item["group_id"],
        source=item.get("source", ""),
        received_at=int(item["received_timestamp"]),
        # An item from before attempts were counted lists all of them.
        attempts=int(both.get("attempt_count", len(item.get("attempts", [])))),
        state=state,
        delivered_at=None if delivered is None else int(delivered),
        status=None if status is None else int(status),
        delivery=item.get("delivery_id"),
    )


def _body(target: Environment, item: Mapping[str, Any], request: Mapping[str, Any]) -> bytes | None:
    """A body as it was received, of an item of any version."""
    try:
        if "body_key" in item:
            return envelope.inflated(_object(target, item["body_key"]))
        if "body" in item:
            return envelope.inflated(item["body"])
        text = request["body"]
        return base64.b64decode(text) if request["isBase64Encoded"] else text.encode()
    except (KeyError, AttributeError, TypeError, ValueError, zlib.error):
        return None


def _object(target: Environment, key: str) -> bytes:
    bucket = target.settings.bodies_bucket_name
    with aws_errors(target.settings):
        try:
            content: bytes = target.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchKey":
                raise KeyError(key) from None
            raise
    return content


def _item(target: Environment, row_id: str) -> Mapping[str, Any]:
    with aws_errors(target.settings):
        reply: Any = target.dynamodb.get_item(
            TableName=target.settings.table_name, Key={"id": {"S": row_id}}, ConsistentRead=True
        )
    return _plain(reply.get("Item", {}))


def _plain(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item's values without their types; numbers as they are read."""
    return {name: _value(value) for name, value in item.items()}


def _value(typed: Mapping[str, Any]) -> Any:
    [(kind, value)] = typed.items()
    match kind:
        case "N":
            number = float(value)
            return int(number) if number.is_integer() else number
        case "L":
            return [_value(element) for element in value]
        case "M":
            return _plain(value)
        case "NULL":
            return None
    return value
