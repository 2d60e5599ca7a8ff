"""The DynamoDB record of a webhook: what came in, and what became of each attempt.

One write an attempt, after it, and one read before every attempt but the first. Attributes
``id``, ``message_id``, ``group_id``, ``received_timestamp``, ``request`` and
``backend_response_status_code`` are a contract.
"""

from __future__ import annotations

import base64
import json
import time
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from lambdas import aws, observe
from lambdas.delivery import Outcome
from lambdas.envelope import Envelope

# Of what is written here; an item without it is of the first version.
VERSION = 1

# Source: DynamoDB quotas: an item is at most 400 KB, in UTF-8. Bodies that take up to this
# much of it leave room for 14 days of attempts at the default delays (about 55 bytes each).
_BODY_BYTES = 100_000


class History(NamedTuple):
    """What a record says of a webhook's earlier attempts.

    Attributes:
        attempts: how many there were.
        delivered: whether one of them delivered it.
    """

    attempts: int
    delivered: bool


NO_HISTORY = History(0, delivered=False)


def history(table: str, message_id: str, *, seconds: float, within: float) -> History:
    """A webhook's earlier attempts, read consistently.

    Args:
        seconds: how long one try at reading may take.
        within: how long all of it may take.

    Raises:
        AwsError: When DynamoDB does not give it, or it is not what ``write`` writes.
    """
    deadline = time.monotonic() + within
    wanted = "id, attempt_count, delivered_timestamp"
    item = _read(table, message_id, wanted, seconds=seconds, within=within)
    try:
        if item is None:
            return NO_HISTORY
        if "attempt_count" in item:
            attempts = int(item["attempt_count"]["N"])
        else:
            # Written before attempts were counted. The list is read apart: it may have 400 KB.
            left = deadline - time.monotonic()
            counted = _read(table, message_id, "attempts", seconds=seconds, within=left) or {}
            attempts = len(counted["attempts"]["L"]) if "attempts" in counted else 0
    except (KeyError, TypeError, ValueError):
        raise aws.AwsError("UnreadableRecord", retryable=False) from None
    return History(attempts, delivered="delivered_timestamp" in item)


def write(
    table: str,
    *,
    message_id: str,
    group_id: str,
    sequence_number: str,
    number: int,
    envelope: Envelope,
    outcome: Outcome,
    ttl: int,
    seconds: float,
    within: float,
) -> None:
    """Adds an attempt to a webhook's record, creating the record with the first.

    When an item is full, it still learns the latest status, and whether it was delivered.

    Args:
        number: which attempt, counted from 1.
        ttl: seconds from now until DynamoDB may delete the record.
        seconds: how long one try at writing may take.
        within: how long all of it may take.

    Raises:
        AwsError: When DynamoDB does not take it.
    """
    attempt: dict[str, Any] = {
        "number": {"N": str(number)},
        "at": {"N": str(outcome.started_at)},
        "duration_ms": {"N": str(outcome.duration_ms)},
    }
    values: dict[str, Any] = {
        "message_id": {"S": message_id},
        "group_id": {"S": group_id},
        "sequence_number": {"S": sequence_number},
        "version": {"N": str(VERSION)},
        "received_timestamp": {"N": str(envelope.received_at)},
        "expires_at": {"N": str(int(time.time()) + ttl)},
        "attempt_count": {"N": str(number)},
    }
    if envelope.source:
        values["source"] = {"S": envelope.source}
    if outcome.status is not None:
        attempt["status"] = {"N": str(outcome.status)}
        values["backend_response_status_code"] = attempt["status"]
    else:
        attempt["error"] = {"S": outcome.error}
    if outcome.delivered:
        delivered_at = outcome.started_at + round(outcome.duration_ms)
        values["delivered_timestamp"] = {"N": str(delivered_at)}

    deadline = time.monotonic() + within
    whole = {**values, "request": {"S": _request(envelope)}, "attempts": {"L": [{"M": attempt}]}}
    try:
        _update(table, message_id, whole, seconds=seconds, within=within)
    except aws.AwsError as error:
        # DynamoDB's error for an item that would grow beyond its limit.
        if error.code != "ValidationException":
            raise
        left = deadline - time.monotonic()
        _update(table, message_id, values, seconds=seconds, within=left)


def report_failure(what: str, code: str, *, attempt: int | None = None) -> None:
    """Says that a record can't be ``read`` or ``written``, in the log, as a metric, to Sentry."""
    observe.log(
        "ERROR", "record.failed", metrics={"RecordFailed": 1}, aws_error=code, attempt=attempt
    )
    observe.report(f"A webhook's record can't be {what}: {code}")


def _update(
    table: str, message_id: str, values: dict[str, Any], *, seconds: float, within: float
) -> None:
    """Sets attributes; ``attempts`` is appended to, ``delivered_timestamp`` set once."""
    how = {
        "attempts": "#attempts = list_append(if_not_exists(#attempts, :none), :attempts)",
        "delivered_timestamp": (
            "#delivered_timestamp = if_not_exists(#delivered_timestamp, :delivered_timestamp)"
        ),
    }
    changes = [how.get(name, f"#{name} = :{name}") for name in values]
    placeholders = {f":{name}": value for name, value in values.items()}
    if "attempts" in values:
        placeholders[":none"] = {"L": []}
    aws.DYNAMODB.call(
        "UpdateItem",
        {
            "TableName": table,
            "Key": {"id": {"S": message_id}},
            "UpdateExpression": f"SET {', '.join(changes)}",
            "ExpressionAttributeNames": {f"#{name}": name for name in values},
            "ExpressionAttributeValues": placeholders,
        },
        # Tried again after a lost reply, it may list the attempt twice, but counts it once.
        seconds=seconds,
        within=within,
    )


def _read(
    table: str, message_id: str, attributes: str, *, seconds: float, within: float
) -> dict[str, Any] | None:
    """Some attributes of an item, or None if there is no such item."""
    reply = aws.DYNAMODB.call(
        "GetItem",
        {
            "TableName": table,
            "Key": {"id": {"S": message_id}},
            "ConsistentRead": True,
            "ProjectionExpression": attributes,
        },
        seconds=seconds,
        within=within,
    )
    return reply.get("Item")


def _request(envelope: Envelope) -> str:
    """The request as JSON, in the shape API Gateway's events have made familiar."""
    headers: dict[str, str] = {}
    for name, value in envelope.headers:
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    parameters: dict[str, str] = {}
    try:
        for name, value in parse_qsl(envelope.query, keep_blank_values=True):
            parameters[name] = f"{parameters[name]},{value}" if name in parameters else value
    except ValueError:
        pass  # more parameters than Python's parser takes: the raw query has them all
    try:
        body, is_base64 = envelope.body.decode(), False
    except UnicodeDecodeError:
        body, is_base64 = base64.b64encode(envelope.body).decode(), True
    shortened = _shortened(body)
    request: dict[str, Any] = {
        "path": envelope.path,
        "httpMethod": envelope.method,
        "headers": headers,
        "body": shortened,
        # None where there are none, as API Gateway's own events have it.
        "queryStringParameters": parameters or None,
        "rawQueryString": envelope.query,
        "isBase64Encoded": is_base64,
    }
    if len(shortened) < len(body):
        request["bodyTruncated"] = True
    return json.dumps(request, ensure_ascii=False)


def _shortened(body: str) -> str:
    """The body's beginning, of ``_BODY_BYTES`` at most once JSON has escaped its quotes."""
    body = body[:_BODY_BYTES]
    while len(json.dumps(body, ensure_ascii=False).encode()) - len('""') > _BODY_BYTES:
        body = body[: len(body) * 3 // 4]
    return body
