"""HTTP API → FIFO queue: a webhook is acknowledged once SQS has it, and never before."""

from __future__ import annotations

import os
import time
from typing import Any
from uuid import uuid4

from lambdas import observe

with observe.loading():
    import base64
    import json

    from lambdas import aws, envelope, extract
    from lambdas.config import PublishConfig

    CONFIG = PublishConfig.read(os.environ)

# Seconds a sender is asked to wait before it sends again.
_RETRY_AFTER = 5
# Two attempts of this length stay within the function's timeout, and within what most
# senders wait for an answer (GitHub: 10 s).
_SEND_SECONDS = 3.0
# Characters of a path in the log.
_LOGGED_PATH = 256


@observe.observed
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Answers an HTTP API event (payload format 2.0): 200, 400, 413 or 503."""
    started = time.monotonic()
    try:
        status, answer, fields = _publish(event)
    except Exception as error:
        observe.report_exception(error)
        status, answer = 503, {"error": "The webhook was not queued. Send it again."}
        fields = {"error": type(error).__name__}
    observe.log(
        "INFO" if status == 200 else "ERROR" if status >= 500 else "WARNING",
        "webhook.queued" if status == 200 else "webhook.refused",
        status=status,
        duration_ms=round((time.monotonic() - started) * 1000, 1),
        **fields,
    )
    headers = {"Content-Type": "application/json", "X-Buffer-Release": CONFIG.release}
    if status == 503:
        headers["Retry-After"] = str(_RETRY_AFTER)
    return {"statusCode": status, "headers": headers, "body": json.dumps(answer)}


def _publish(event: dict[str, Any]) -> tuple[int, dict[str, Any], dict[str, Any]]:
    """The answer's status and body, and what is logged of the request."""
    webhook = envelope.Envelope.from_event(event)
    fields: dict[str, Any] = {
        "method": webhook.method,
        "path": webhook.path[:_LOGGED_PATH],
        "body_bytes": len(webhook.body),
    }
    facts = extract.RequestFacts(
        path=webhook.path, query=webhook.query, headers=webhook.headers, body=webhook.body
    )
    group_id = extract.first(CONFIG.group_id, facts)
    if group_id is None:
        if CONFIG.reject_without_group:
            return 400, {"error": _NO_GROUP}, fields
        group_id = str(uuid4())
    observe.about(group_id=group_id)
    deduplication_id = extract.first(CONFIG.deduplication_id, facts) or str(uuid4())

    try:
        message = envelope.pack(webhook)
    except envelope.TooLargeError:
        return 413, {"error": _TOO_LARGE}, fields
    fields["message_bytes"] = message.size
    try:
        reply = aws.SQS.call(
            "SendMessage",
            {
                "QueueUrl": CONFIG.queue_url,
                "MessageBody": message.text,
                "MessageGroupId": group_id,
                "MessageDeduplicationId": deduplication_id,
                **_attributes(message.body),
            },
            seconds=_SEND_SECONDS,
        )
        answer = {
            "message_id": reply["MessageId"],
            "sequence_number": reply["SequenceNumber"],
            "group_id": group_id,
        }
    except aws.AwsError as error:
        observe.report(f"SQS did not take a webhook: {error.code}")
        answer = {"error": f"The queue does not accept right now. Send again in {_RETRY_AFTER} s."}
        return 503, answer, {**fields, "aws_error": error.code}
    return 200, answer, {**fields, **{k: v for k, v in answer.items() if k != "group_id"}}


def _attributes(body: bytes) -> dict[str, Any]:
    """The request's body as a message attribute; SQS refuses empty ones."""
    if not body:
        return {}
    value = {"DataType": "Binary", "BinaryValue": base64.b64encode(body).decode()}
    return {"MessageAttributes": {"body": value}}


_NO_GROUP = (
    "No group id found in this request, so its order can't be kept. "
    "Send one where this environment's 'groupId' setting looks for it."
)
_TOO_LARGE = (
    "The request does not fit into one SQS message of 1 MiB, even compressed. "
    "Send a smaller body, or a reference to it."
)
