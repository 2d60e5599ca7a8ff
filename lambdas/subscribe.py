"""FIFO queue → backend: one attempt per invocation; what fails stays at the head of its group.

A failed attempt is answered as a batch item failure rather than an exception, so that
Lambda's Errors count crashes of ours and not the backend's, and so that the event source
does not slow other groups down. See ``docs/decisions/0006-failed-attempts.md``.
"""

from __future__ import annotations

import os
import time
from typing import Any

from lambdas import observe

with observe.loading():
    import base64
    from collections.abc import Callable

    from lambdas import aws, backoff, delivery, envelope, record, tracing
    from lambdas.backend_url import Backend
    from lambdas.config import SubscribeConfig
    from lambdas.metrics import FRESH_SECONDS
    from lambdas.safe_json import json_object
    from lambdas.timestamps import iso

    CONFIG = SubscribeConfig.read(os.environ)

# Seconds until Lambda ends the invocation.
Remaining = Callable[[], float]

# The counter of each outcome, by its number.
_OUTCOMES = {
    **{status: f"Backend{status}xx" for status in (2, 3, 4, 5)},
    6: "BackendTimeout",
    7: "BackendConnectionError",
}

# Kept back from the function's remaining time for the record and the visibility change, which
# are tried twice: each try at most this long, and never so long that what follows has no time.
_RESERVE_SECONDS = 3.0
_RECORD_SECONDS = 0.8
_VISIBILITY_SECONDS = 0.5
_AFTER_RECORD_SECONDS = 1.3
_AFTER_VISIBILITY_SECONDS = 0.2


@observe.observed
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Delivers an SQS event's records in order and stops at the first that fails.

    Returns:
        The ids of the records that stay in the queue (``batchItemFailures``).
    """
    records = event["Records"]
    for position, message in enumerate(records):
        if not _done(message, lambda: context.get_remaining_time_in_millis() / 1000):
            return {
                "batchItemFailures": [
                    {"itemIdentifier": m["messageId"]} for m in records[position:]
                ]
            }
    return {"batchItemFailures": []}


def _done(message: dict[str, Any], remaining: Remaining) -> bool:
    """Makes one attempt; True when the message may leave the queue."""
    attributes = message["attributes"]
    number = int(attributes["ApproximateReceiveCount"])
    ids = {"message_id": message["messageId"], "group_id": attributes["MessageGroupId"]}
    observe.about(**ids)
    try:
        webhook = _unpacked(message)
    except envelope.UnreadableError as error:
        _put_back(message, number, None, remaining)
        blocked = {"BlockedGroup": 1} if number >= CONFIG.blocked_attempts else None
        observe.log(
            "ERROR", "message.unreadable", metrics=blocked, error=str(error), attempt=number
        )
        observe.report(f"A message in the queue can't be read: {error}")
        return False

    if webhook.heartbeat and not CONFIG.heartbeat_to_backend:
        observe.log("INFO", "heartbeat.arrived", metrics={"HeartbeatArrived": 1})
        return True
    extra = {
        "X-Buffer-Message-Id": ids["message_id"],
        "X-Buffer-Group": ids["group_id"],
        "X-Buffer-Sequence": attributes["SequenceNumber"],
        "X-Buffer-Attempt": str(number),
        "X-Buffer-Received-At": iso(webhook.received_at),
    }
    seconds = max(0.1, remaining() - _RESERVE_SECONDS)
    backend = CONFIG.backends.get(webhook.source, CONFIG.backend)
    with tracing.span("backend.request"):
        outcome = delivery.attempt(
            backend, webhook, {**extra, **tracing.headers()}, seconds=seconds
        )
        _tell_trace(backend, webhook, outcome, number, ids["message_id"])
    _write_record(webhook, attributes["SequenceNumber"], number, outcome, ids, remaining)
    age_ms = round(time.time() * 1000) - webhook.received_at
    fields: dict[str, Any] = {
        "source": webhook.source or None,
        "http_status": outcome.status,
        "error": outcome.error,
        "attempt": number,
        "sequence_number": attributes["SequenceNumber"],
        "duration_ms": outcome.duration_ms,
        "age_ms": age_ms,
        "body_bytes": len(webhook.body),
    }
    metrics = _metrics(webhook, outcome, number, age_ms)
    if outcome.delivered:
        observe.log("INFO", "webhook.delivered", metrics=metrics, **fields)
        return True

    flags = _test_flags(webhook)
    consumed = flags.get("consume_bad_messages") is True
    if consumed:
        metrics["Consumed"] = 1
    else:
        fields["retry_seconds"] = _put_back(message, number, outcome.retry_after, remaining)
    observe.log("WARNING", "webhook.failed", metrics=metrics, consumed=consumed or None, **fields)
    if flags.get("suppress_sentry") is not True:
        observe.report(f"The backend did not take a webhook: {outcome.status or outcome.error}")
    return consumed


def _tell_trace(
    backend: Backend,
    webhook: envelope.Envelope,
    outcome: delivery.Outcome,
    number: int,
    message_id: str,
) -> None:
    """What the attempt's span says: nothing of the webhook but its method and id."""
    tracing.tag(
        {
            "span.kind": "client",
            "out.host": backend.host,
            "http.method": webhook.method,
            "http.status_code": outcome.status,
            "attempt": number,
            "message_id": message_id,
        }
    )
    if not outcome.delivered:
        status = f"HTTP {outcome.status}" if outcome.status else None
        tracing.failed(outcome.error or "BackendStatus", status or "no answer")


def _metrics(
    webhook: envelope.Envelope, outcome: delivery.Outcome, number: int, age_ms: int
) -> dict[str, float]:
    """What an attempt adds to the metrics. A heartbeat is no traffic, only proof of a way."""
    if webhook.heartbeat:
        return {"HeartbeatArrived": 1} if outcome.delivered else {}
    kind = _outcome(outcome)
    found = {_OUTCOMES[kind]: 1.0, "BackendDuration": outcome.duration_ms}
    if age_ms <= 1000 * FRESH_SECONDS:
        found["BackendOutcome"] = kind
    if outcome.delivered:
        return {**found, "DeliveryLag": age_ms}
    found["HeadAge"] = age_ms / 1000
    if number >= CONFIG.blocked_attempts or age_ms >= 1000 * CONFIG.blocked_seconds:
        found["BlockedGroup"] = 1
    return found


def _outcome(outcome: delivery.Outcome) -> int:
    """An outcome's number, as the metric BackendOutcome has it."""
    if outcome.status is None:
        return 6 if outcome.error in ("ConnectTimeout", "ReadTimeout") else 7
    # A status below 200 or above 599 is no answer to a webhook either.
    return outcome.status // 100 if 200 <= outcome.status < 600 else 5


def _unpacked(message: dict[str, Any]) -> envelope.Envelope:
    attribute = message.get("messageAttributes", {}).get("body")
    try:
        body = base64.b64decode(attribute["binaryValue"]) if attribute else b""
    except (KeyError, ValueError):
        raise envelope.UnreadableError("the attribute 'body' is not binary") from None
    return envelope.unpack(message["body"], body)


def _put_back(
    message: dict[str, Any], number: int, retry_after: str | None, remaining: Remaining
) -> int | None:
    """Sets when the message is received again; the seconds, or None when SQS did not take it.

    Then the queue's own visibility timeout holds, and the message comes back all the same.
    """
    seconds = backoff.delay(
        number,
        retry_after,
        base=CONFIG.retry_base,
        longest=CONFIG.retry_max,
        longest_retry_after=CONFIG.retry_after_max,
    )
    try:
        aws.SQS.call(
            "ChangeMessageVisibility",
            {
                "QueueUrl": CONFIG.queue_url,
                "ReceiptHandle": message["receiptHandle"],
                "VisibilityTimeout": seconds,
            },
            seconds=_VISIBILITY_SECONDS,
            within=remaining() - _AFTER_VISIBILITY_SECONDS,
        )
    except aws.AwsError as error:
        observe.log("WARNING", "visibility.failed", aws_error=error.code)
        return None
    return seconds


def _write_record(
    webhook: envelope.Envelope,
    sequence_number: str,
    number: int,
    outcome: delivery.Outcome,
    ids: dict[str, str],
    remaining: Remaining,
) -> None:
    """Records the attempt. A record that can't be written never stops a delivery."""
    try:
        record.write(
            CONFIG.table,
            **ids,
            sequence_number=sequence_number,
            number=number,
            envelope=webhook,
            outcome=outcome,
            ttl=CONFIG.record_ttl,
            seconds=_RECORD_SECONDS,
            within=remaining() - _AFTER_RECORD_SECONDS,
        )
    except Exception as error:
        code = error.code if isinstance(error, aws.AwsError) else type(error).__name__
        observe.log(
            "ERROR", "record.failed", metrics={"RecordFailed": 1}, aws_error=code, attempt=number
        )
        observe.report(f"A webhook's record can't be written: {code}")


def _test_flags(webhook: envelope.Envelope) -> dict[str, Any]:
    """The flags in a JSON body, where this environment obeys them; empty elsewhere."""
    return (json_object(webhook.body) or {}) if CONFIG.test_flags else {}
