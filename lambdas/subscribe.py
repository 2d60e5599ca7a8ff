"""FIFO queue → backend: one attempt per invocation; what fails stays at the head of its group.

A failed attempt is answered as a batch item failure rather than an exception, so that
Lambda's Errors count crashes of ours and not the backend's, and so that the event source
does not slow other groups down. See ``docs/decisions/0006-failed-attempts.md``.

An attempt takes a message that stays in flight to the invocation's end (``lambdas/lease.py``) and
the number of attempts before, which is the record's. Without either the message is put back
unattempted: ``docs/decisions/0020-attempts.md``.
"""

from __future__ import annotations

import os
import time
from typing import Any

from lambdas import observe

with observe.loading():
    import base64
    from collections.abc import Callable

    from lambdas import (
        attempt_metrics,
        attempts,
        aws,
        backoff,
        delivery,
        envelope,
        lease,
        preconditions,
        record,
        tracing,
    )
    from lambdas.backend_url import Backend
    from lambdas.config import SubscribeConfig
    from lambdas.safe_json import json_object
    from lambdas.timestamps import iso

    CONFIG = SubscribeConfig.read(os.environ)

# Seconds until Lambda ends the invocation.
Remaining = Callable[[], float]

# Kept back from the function's remaining time for the record and the visibility change, which
# are tried twice: each try at most this long, and never so long that what follows has no time.
_RESERVE_SECONDS = 3.0
_RECORD_SECONDS = 0.8
_VISIBILITY_SECONDS = 1.0
_AFTER_RECORD_SECONDS = 1.3
_AFTER_VISIBILITY_SECONDS = 0.2


@observe.observed
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Delivers an SQS event's records in order and stops at the first that stays in the queue.

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


def _done(event_record: dict[str, Any], remaining: Remaining) -> bool:
    """Makes one attempt; True when the message may leave the queue."""
    observe.about(
        message_id=event_record["messageId"],
        group_id=event_record["attributes"]["MessageGroupId"],
    )
    message = lease.Received.of(event_record)
    try:
        webhook = _unpacked(event_record)
    except envelope.UnreadableError as error:
        _keep_unreadable(message, error, remaining)
        return False
    if webhook.heartbeat and not CONFIG.heartbeat_to_backend:
        observe.log("INFO", "heartbeat.arrived", metrics={"HeartbeatArrived": 1})
        return True
    try:
        history = preconditions.check(
            CONFIG, message, remaining=remaining, reserve=_RESERVE_SECONDS
        )
    except preconditions.UnattemptedError as unattempted:
        _put_back_unattempted(message, webhook, unattempted, remaining)
        return False
    if history.delivered:
        # The invocation that delivered it ended before the message was deleted.
        observe.log("INFO", "webhook.already-delivered", receives=message.receives)
        return True
    return _attempted(message, webhook, history, remaining)


def _attempted(
    message: lease.Received,
    webhook: envelope.Envelope,
    history: attempts.History,
    remaining: Remaining,
) -> bool:
    """Makes an attempt, records it, and puts back what failed; True when it may leave the queue."""
    number = history.attempts + 1
    outcome = _delivered(message, webhook, number, remaining)
    recorded = _write_record(message, webhook, history, outcome, remaining)
    age_ms = _age_ms(webhook)
    fields: dict[str, Any] = {
        "source": webhook.source or None,
        "http_status": outcome.status,
        "error": outcome.error,
        "attempt": number,
        "sequence_number": message.sequence_number,
        "duration_ms": outcome.duration_ms,
        "age_ms": age_ms,
        "body_bytes": len(webhook.body),
    }
    metrics = attempt_metrics.of_attempt(CONFIG, webhook, outcome, number=number, age_ms=age_ms)
    if outcome.delivered:
        observe.log("INFO", "webhook.delivered", metrics=metrics, **fields)
        return True

    flags = _test_flags(webhook)
    consumed = flags.get("consume_bad_messages") is True
    if consumed:
        metrics["Consumed"] = 1
    else:
        # Attempts that can't be recorded are not counted, but each took a receive.
        pace = number if recorded else message.receives
        seconds = _backoff(pace, outcome.retry_after)
        fields["retry_seconds"] = _put_back(message, seconds, remaining)
    observe.log("WARNING", "webhook.failed", metrics=metrics, consumed=consumed or None, **fields)
    if flags.get("suppress_sentry") is not True:
        observe.report(f"The backend did not take a webhook: {outcome.status or outcome.error}")
    return consumed


def _delivered(
    message: lease.Received, webhook: envelope.Envelope, number: int, remaining: Remaining
) -> delivery.Outcome:
    """Sends the webhook to the backend, within a span of its own."""
    extra = {
        "X-Buffer-Message-Id": message.id,
        "X-Buffer-Group": message.group_id,
        "X-Buffer-Sequence": message.sequence_number,
        "X-Buffer-Attempt": str(number),
        "X-Buffer-Received-At": iso(webhook.received_at),
    }
    if webhook.source:
        extra["X-Buffer-Source"] = f"{webhook.source}; verified={webhook.verified or 'none'}"
    if CONFIG.signer:
        extra |= CONFIG.signer.headers(message.id, webhook.body, at=int(time.time()))
    backend = CONFIG.backends.get(webhook.source, CONFIG.backend)
    with tracing.span("backend.request"):
        outcome = delivery.attempt(
            backend,
            webhook,
            {**extra, **tracing.headers()},
            seconds=remaining() - _RESERVE_SECONDS,
        )
        _tell_trace(backend, webhook, outcome, number, message.id)
    return outcome


def _keep_unreadable(message: lease.Received, error: Exception, remaining: Remaining) -> None:
    """Puts back a message that is no webhook. It is never attempted: its receives are counted."""
    seconds = _put_back(message, _backoff(message.receives), remaining)
    blocked = message.receives >= CONFIG.blocked_attempts
    observe.log(
        "ERROR",
        "message.unreadable",
        metrics={"BlockedGroup": 1} if blocked else None,
        error=str(error),
        receives=message.receives,
        retry_seconds=seconds,
    )
    observe.report(f"A message in the queue can't be read: {error}")


def _put_back_unattempted(
    message: lease.Received,
    webhook: envelope.Envelope,
    unattempted: preconditions.UnattemptedError,
    remaining: Remaining,
) -> None:
    """Has the message come again as if nobody had received it.

    At once if it was late, for then nothing is wrong; not at all if it is not ours to put back.
    """
    seconds = None
    if unattempted.reason != "NotHeld":
        wait = 0 if unattempted.reason == "Late" else _backoff(message.receives)
        seconds = _put_back(message, wait, remaining)
    age_ms = _age_ms(webhook)
    observe.log(
        "WARNING",
        "webhook.unattempted",
        metrics=attempt_metrics.of_waiting(CONFIG, webhook, attempts=None, age_ms=age_ms),
        error=unattempted.reason,
        aws_error=unattempted.code,
        receives=message.receives,
        retry_seconds=seconds,
        age_ms=age_ms,
        source=webhook.source or None,
    )


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


def _age_ms(webhook: envelope.Envelope) -> int:
    return round(time.time() * 1000) - webhook.received_at


def _unpacked(message: dict[str, Any]) -> envelope.Envelope:
    attribute = message.get("messageAttributes", {}).get("body")
    try:
        body = base64.b64decode(attribute["binaryValue"], validate=True) if attribute else b""
    except (KeyError, TypeError, ValueError):
        raise envelope.UnreadableError("the attribute 'body' is not binary") from None
    return envelope.unpack(message["body"], body)


def _backoff(number: int, retry_after: str | None = None) -> int:
    """Seconds until a message is received again after so many attempts or receives."""
    return backoff.delay(
        number,
        retry_after,
        base=CONFIG.retry_base,
        longest=CONFIG.retry_max,
        longest_retry_after=CONFIG.retry_after_max,
    )


def _put_back(message: lease.Received, seconds: int, remaining: Remaining) -> int | None:
    """Has the message come again after some seconds; None when SQS did not take that."""
    within = min(_VISIBILITY_SECONDS, remaining() - _AFTER_VISIBILITY_SECONDS)
    taken = lease.put_back(message, after=seconds, queue_url=CONFIG.queue_url, within=within)
    return seconds if taken else None


def _write_record(
    message: lease.Received,
    webhook: envelope.Envelope,
    history: attempts.History,
    outcome: delivery.Outcome,
    remaining: Remaining,
) -> bool:
    """Records the attempt; whether it could. That never stops a delivery."""
    try:
        record.write(
            CONFIG.table,
            message_id=message.id,
            group_id=message.group_id,
            sequence_number=message.sequence_number,
            history=history,
            envelope=webhook,
            outcome=outcome,
            ttl=CONFIG.record_ttl,
            seconds=_RECORD_SECONDS,
            within=remaining() - _AFTER_RECORD_SECONDS,
        )
    except Exception as error:
        code = error.code if isinstance(error, aws.AwsError) else type(error).__name__
        record.report_failure("written", code, attempt=history.attempts + 1)
        return False
    return True


def _test_flags(webhook: envelope.Envelope) -> dict[str, Any]:
    """The flags in a JSON body, where this environment obeys them; empty elsewhere."""
    return (json_object(webhook.body) or {}) if CONFIG.test_flags else {}
