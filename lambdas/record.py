"""The DynamoDB record of a webhook: what came in, and what became of each attempt.

The item with the request is written once where the first attempt delivers it; further attempts
are kept in a row of their own (``lambdas/attempts.py``). Attributes ``id``, ``message_id``,
``group_id``, ``received_timestamp``, ``request`` and ``backend_response_status_code`` are a
contract.
"""

from __future__ import annotations

import base64
import time
from typing import Any

from lambdas import attempts, record_index, recorded_request
from lambdas.base import aws, observe
from lambdas.base.envelope import Envelope
from lambdas.base.redaction import REDACTED
from lambdas.delivery import Outcome

# The version of what is written here. Items of version 1 list all attempts, those without a number
# are older; items of version 2 have bodies in the request, cut at 100,000 bytes.
VERSION = 3

_BODY_KEY = "body_key"
# The share of a record's time that its body may take: the item counts the attempt.
_BODY_SHARE = 0.5


def write(
    table: str,
    bucket: str,
    *,
    message_id: str,
    group_id: str,
    sequence_number: str,
    before: attempts.History,
    after: attempts.History,
    envelope: Envelope,
    outcome: Outcome,
    ttl: int,
    seconds: float,
    within: float,
) -> None:
    """Adds an attempt to a webhook's record, creating the record with the first.

    The item with the request is written at the first attempt, at the backend's first answer, and
    at the delivery; what comes in between changes only the row of attempts.

    Args:
        bucket: for a body that is too large for the table.
        before, after: the history without and with this attempt.
        outcome: of this attempt.
        ttl: seconds from now until DynamoDB may delete the record.
        seconds: how long one try at writing may take.
        within: how long all of it may take.

    Raises:
        AwsError: When DynamoDB does not take it.
    """
    first = after.attempts == 1
    result = _result(outcome, ttl)
    deadline = time.monotonic() + within
    if first or outcome.delivered or after.answered > before.answered:
        values = result | item(
            message_id=message_id,
            group_id=group_id,
            sequence_number=sequence_number,
            after=after,
            envelope=envelope,
            outcome=outcome,
        )
        if first or outcome.delivered:
            # Again at the delivery, so that body and item expire at the same time.
            values |= _stored(
                bucket, message_id, envelope, seconds=seconds, within=within * _BODY_SHARE
            )
        left = deadline - time.monotonic()
        _update(table, message_id, values, seconds=seconds, within=left)
    if first and outcome.delivered:
        return
    # After the item: where that can't be written, the attempt is not counted either.
    row = {**attempts.attributes(after), **result}
    left = deadline - time.monotonic()
    _update(table, attempts.key(message_id), row, seconds=seconds, within=left)


def item(
    *,
    message_id: str,
    group_id: str,
    sequence_number: str,
    after: attempts.History,
    envelope: Envelope,
    outcome: Outcome,
) -> dict[str, Any]:
    """A webhook's attributes but for its request, its delivery and its end."""
    values = {
        "message_id": {"S": message_id},
        "group_id": {"S": group_id},
        "sequence_number": {"S": sequence_number},
        "version": {"N": str(VERSION)},
        "received_timestamp": {"N": str(envelope.received_at)},
        "attempt_count": {"N": str(after.attempts)},
        record_index.TIME.partition: {
            "S": record_index.hour_shard(envelope.received_at, message_id)
        },
    }
    delivery_id = record_index.delivery_id(envelope.headers)
    if delivery_id not in (None, REDACTED):
        values[record_index.DELIVERY.partition] = {"S": delivery_id}
    if envelope.source:
        values["source"] = {"S": envelope.source}
    if outcome.status is not None:
        values["backend_response_status_code"] = {"N": str(outcome.status)}
    listed = after.listed()
    return {**values, "attempts": {"L": listed}} if listed else values


def request(message_id: str, envelope: Envelope) -> tuple[dict[str, Any], bytes]:
    """The attributes of a webhook's request, and what of it belongs into the bucket."""
    packed = recorded_request.pack(envelope)
    values: dict[str, Any] = {"request": {"S": packed.text}}
    if not packed.deflated:
        return values, b""
    values["body_bytes"] = {"N": str(packed.body_bytes)}
    if packed.fits:
        return values | {"body": {"B": base64.b64encode(packed.deflated).decode()}}, b""
    return values | {_BODY_KEY: {"S": recorded_request.object_key(message_id)}}, packed.deflated


def report_failure(what: str, code: str, *, attempt: int | None = None) -> None:
    """Says that a record can't be ``read`` or ``written``, in the log, as a metric, to Sentry."""
    observe.log(
        "ERROR", "record.failed", metrics={"RecordFailed": 1}, aws_error=code, attempt=attempt
    )
    observe.report(f"A webhook's record can't be {what}: {code}")


def _result(outcome: Outcome, ttl: int) -> dict[str, Any]:
    """The attributes of both rows: when they expire, and when the webhook was delivered."""
    result = {"expires_at": {"N": str(int(time.time()) + ttl)}}
    if outcome.delivered:
        delivered_at = outcome.started_at + round(outcome.duration_ms)
        result["delivered_timestamp"] = {"N": str(delivered_at)}
    return result


def _update(
    table: str, row_id: str, values: dict[str, Any], *, seconds: float, within: float
) -> None:
    """Sets attributes; ``delivered_timestamp`` only once."""
    once = "delivered_timestamp"
    changes = [
        f"#{name} = if_not_exists(#{name}, :{name})" if name == once else f"#{name} = :{name}"
        for name in values
    ]
    aws.DYNAMODB.call(
        "UpdateItem",
        {
            "TableName": table,
            "Key": {"id": {"S": row_id}},
            "UpdateExpression": f"SET {', '.join(changes)}",
            "ExpressionAttributeNames": {f"#{name}": name for name in values},
            "ExpressionAttributeValues": {f":{name}": value for name, value in values.items()},
        },
        seconds=seconds,
        within=within,
    )


def _stored(
    bucket: str, message_id: str, envelope: Envelope, *, seconds: float, within: float
) -> dict[str, Any]:
    """The attributes of a request. A body that can't be stored is reported, and missing."""
    values, content = request(message_id, envelope)
    if content:
        key = values[_BODY_KEY]["S"]
        try:
            aws.put_object(bucket, key, content, seconds=seconds, within=within)
        except aws.AwsError as error:
            report_failure("written", error.code)
            del values[_BODY_KEY]
    return values
