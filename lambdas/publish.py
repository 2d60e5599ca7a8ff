"""HTTP API → FIFO queue: a webhook is acknowledged once SQS has it, and never before."""

from __future__ import annotations

import os
import time
from typing import Any

from lambdas import observe

with observe.loading():
    import json

    from lambdas import aws, envelope, extract, tracing
    from lambdas.config import PublishConfig

    CONFIG = PublishConfig.read(os.environ)

# Seconds a sender is asked to wait before it sends again.
_RETRY_AFTER = 5
# Two attempts of this length are within what most senders wait for an answer (GitHub: 10 s).
_SEND_SECONDS = 3.0
# Kept back from the function's remaining time to answer and to tell of a failure.
_RESERVE_SECONDS = 1.0
# Characters of a path in the log.
_LOGGED_PATH = 256
_HEARTBEAT_GROUP = "webhook-buffer-heartbeat"


@observe.observed
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answers an HTTP API event (payload format 2.0): 200, 400, 413, 415 or 503."""
    started = time.monotonic()
    try:
        remaining = context.get_remaining_time_in_millis() / 1000 - _RESERVE_SECONDS
        status, answer, fields = _publish(event, remaining)
    except Exception as error:
        observe.report_exception(error)
        status, answer = 503, {"error": "The webhook was not queued. Send it again."}
        fields = {"error": type(error).__name__}
    observe.log(
        "INFO" if status == 200 else "ERROR" if status >= 500 else "WARNING",
        "webhook.queued" if status == 200 else "webhook.refused",
        metrics={"Accepted": 1} if status == 200 and not fields.get("heartbeat") else None,
        http_status=status,
        duration_ms=round((time.monotonic() - started) * 1000, 1),
        **fields,
    )
    headers = {"Content-Type": "application/json", "X-Buffer-Release": CONFIG.release}
    if status == 503:
        headers["Retry-After"] = str(_RETRY_AFTER)
    return {"statusCode": status, "headers": headers, "body": json.dumps(answer)}


def _publish(event: dict[str, Any], seconds: float) -> tuple[int, dict[str, Any], dict[str, Any]]:
    """The answer's status and body, and what is logged of the request.

    Args:
        seconds: how long queueing may take.
    """
    webhook = envelope.Envelope.from_event(event, heartbeats=CONFIG.heartbeats)
    fields: dict[str, Any] = {
        "method": webhook.method,
        "path": webhook.path[:_LOGGED_PATH],
        "body_bytes": len(webhook.body),
        "heartbeat": webhook.heartbeat or None,
    }
    if not _is_whole(webhook.path):
        return 400, {"error": _PATH}, {**fields, "path": None}
    if _altered(event, webhook):
        return 415, {"error": _ALTERED}, fields
    facts = extract.RequestFacts(
        path=webhook.path, query=webhook.query, headers=webhook.headers, body=webhook.body
    )
    deduplication_id = extract.first(CONFIG.deduplication_id, facts) or os.urandom(16).hex()
    group_id = extract.first(CONFIG.group_id, facts)
    if webhook.heartbeat:
        group_id = _HEARTBEAT_GROUP
    if group_id is None:
        if CONFIG.reject_without_group:
            return 400, {"error": _NO_GROUP}, fields
        # SQS looks for duplicates within a group, so a repeat has to meet its original.
        group_id = deduplication_id
    observe.about(group_id=group_id)

    try:
        message = envelope.pack(webhook, trace=tracing.carried())
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
                **({"MessageAttributes": message.attributes} if message.attributes else {}),
            },
            seconds=_SEND_SECONDS,
            within=seconds,
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


def _is_whole(path: str) -> bool:
    """Whether the API has handed the path over as it was sent.

    Where a path's escapes are no UTF-8 it puts replacement characters, which go out as other
    bytes. A sender's own replacement character can't be told from those.
    """
    return "\ufffd" not in path and not any("\ud800" <= char <= "\udfff" for char in path)


def _altered(event: dict[str, Any], webhook: envelope.Envelope) -> bool:
    """Whether the API has put replacement characters in place of bytes that are no UTF-8.

    It hands bodies of text types over as text. What it replaced shows in the length.
    """
    if event.get("isBase64Encoded") or "\ufffd".encode() not in webhook.body:
        return False
    length = next((value for name, value in webhook.headers if name == "content-length"), None)
    return length is not None and length != str(len(webhook.body))


_NO_GROUP = (
    "No group id found in this request, so its order can't be kept. "
    "Send one where this environment's 'groupId' setting looks for it."
)
_PATH = (
    "The path is not UTF-8 once its escapes are decoded, so it can't be passed on unchanged. "
    "Send to a path in UTF-8."
)
_ALTERED = (
    "The body is not UTF-8, but its Content-Type says text, so it can't be passed on unchanged. "
    "Send it with Content-Type: application/octet-stream."
)
_TOO_LARGE = (
    "The request does not fit into one SQS message of 1 MiB, even compressed. "
    "Send a smaller body, or a reference to it."
)
