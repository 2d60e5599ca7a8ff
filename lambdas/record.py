"""The DynamoDB record of a webhook: what came in, and what became of each attempt.

The item with the request is written once where the first attempt delivers it; further attempts
are kept in a row of their own (``lambdas/attempts.py``). Attributes ``id``, ``message_id``,
``group_id``, ``received_timestamp``, ``request`` and ``backend_response_status_code`` are a
contract.
"""

from __future__ import annotations

import base64
import json
import time
from typing import Any
from urllib.parse import parse_qsl

from lambdas import attempts, aws, observe
from lambdas.delivery import Outcome
from lambdas.envelope import Envelope

# Of what is written here. Version 1 listed all attempts in the item; before it there was no number.
VERSION = 2

# Source: DynamoDB quotas: an item is at most 400 KB, in UTF-8.
_BODY_BYTES = 100_000


def write(
    table: str,
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
        before, after: the history without and with this attempt.
        outcome: of this attempt.
        ttl: seconds from now until DynamoDB may delete the record.
        seconds: how long one try at writing may take.
        within: how long all of it may take.

    Raises:
        AwsError: When DynamoDB does not take it.
    """
    first = after.attempts == 1
    result: dict[str, Any] = {"expires_at": {"N": str(int(time.time()) + ttl)}}
    if outcome.delivered:
        delivered_at = outcome.started_at + round(outcome.duration_ms)
        result["delivered_timestamp"] = {"N": str(delivered_at)}
    deadline = time.monotonic() + within
    if first or outcome.delivered or after.answered > before.answered:
        values = {
            **result,
            "message_id": {"S": message_id},
            "group_id": {"S": group_id},
            "sequence_number": {"S": sequence_number},
            "version": {"N": str(VERSION)},
            "received_timestamp": {"N": str(envelope.received_at)},
            "attempt_count": {"N": str(after.attempts)},
        }
        if envelope.source:
            values["source"] = {"S": envelope.source}
        if outcome.status is not None:
            values["backend_response_status_code"] = {"N": str(outcome.status)}
        if first:
            values["request"] = {"S": _request(envelope)}
        if listed := after.listed():
            values["attempts"] = {"L": listed}
        _update(table, message_id, values, seconds=seconds, within=within)
    if first and outcome.delivered:
        return
    # After the item: where that can't be written, the attempt is not counted either.
    row = {**attempts.attributes(after), **result}
    left = deadline - time.monotonic()
    _update(table, attempts.key(message_id), row, seconds=seconds, within=left)


def report_failure(what: str, code: str, *, attempt: int | None = None) -> None:
    """Says that a record can't be ``read`` or ``written``, in the log, as a metric, to Sentry."""
    observe.log(
        "ERROR", "record.failed", metrics={"RecordFailed": 1}, aws_error=code, attempt=attempt
    )
    observe.report(f"A webhook's record can't be {what}: {code}")


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
