"""One attempt at a webhook: delivered, counted by the record, and described for the log."""

from __future__ import annotations

import time
from typing import Any, NamedTuple

from lambdas import attempt_metrics, attempts, delivery, lease, record, source_deliveries
from lambdas.base import aws, tracing
from lambdas.base.backend_url import Backend
from lambdas.base.envelope import Envelope
from lambdas.config import SubscribeConfig
from lambdas.fairness import Container
from lambdas.put_back import Remaining
from lambdas.timestamps import iso

# Kept back from the function's remaining time for what follows the attempt: the record, parking,
# the visibility change. Each is tried twice, and never takes the time of what follows.
RESERVE_SECONDS = 3.0
_RECORD_SECONDS = 0.8
_AFTER_RECORD_SECONDS = 1.3


class Attempt(NamedTuple):
    """What became of an attempt.

    Attributes:
        history: the webhook's, this attempt included.
        recorded: whether the record has it.
        fields, metrics: of its log line.
    """

    outcome: delivery.Outcome
    history: attempts.History
    recorded: bool
    fields: dict[str, Any]
    metrics: dict[str, float]


def make(
    config: SubscribeConfig,
    container: Container,
    message: lease.Received,
    webhook: Envelope,
    before: attempts.History,
    remaining: Remaining,
) -> Attempt:
    """Makes an attempt at a webhook and records it.

    Args:
        container: which takes note of it.
        message: whose id, group and sequence number are the webhook's.
        before: the webhook's earlier attempts.
        remaining: seconds until Lambda ends the invocation.
    """
    number = before.attempts + 1
    outcome = _delivered(config, message, webhook, number, remaining)
    container.attempted(config, webhook.source, message.group_id, before, outcome)
    refusal = config.policy.refuses(outcome)
    counts = refusal and _others_are_delivered(config, message, webhook, before)
    after = before.after(outcome, refusal=refusal, counts=counts)
    recorded = _recorded(config, message, webhook, before, after, outcome, remaining)
    age = age_ms(webhook)
    fields: dict[str, Any] = {
        "source": webhook.source or None,
        "http_status": outcome.status,
        "error": outcome.error,
        "attempt": number,
        "sequence_number": message.sequence_number,
        "duration_ms": outcome.duration_ms,
        "age_ms": age,
        "body_bytes": len(webhook.body),
    }
    metrics = attempt_metrics.of_attempt(config, webhook, outcome, number=number, age_ms=age)
    if outcome.delivered and not webhook.heartbeat:
        source_deliveries.note(config, webhook.source, message.group_id)
    return Attempt(outcome, after, recorded, fields, metrics)


def age_ms(webhook: Envelope) -> int:
    """Milliseconds since a webhook's receipt at the API."""
    return round(time.time() * 1000) - webhook.received_at


def _others_are_delivered(
    config: SubscribeConfig, message: lease.Received, webhook: Envelope, before: attempts.History
) -> bool:
    """Whether the backend took a webhook of another group since this one's previous attempt."""
    if before.last_at is None:
        return False
    at = source_deliveries.elsewhere(config, webhook.source, message.group_id)
    return at is not None and at > before.last_at


def _delivered(
    config: SubscribeConfig,
    message: lease.Received,
    webhook: Envelope,
    number: int,
    remaining: Remaining,
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
    if config.signer:
        extra |= config.signer.headers(message.id, webhook.body, at=int(time.time()))
    backend = config.backends.get(webhook.source, config.backend)
    with tracing.span("backend.request"):
        outcome = delivery.attempt(
            backend,
            webhook,
            {**extra, **tracing.headers()},
            seconds=remaining() - RESERVE_SECONDS,
        )
        _tell_trace(backend, webhook, outcome, number, message.id)
    return outcome


def _tell_trace(
    backend: Backend,
    webhook: Envelope,
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


def _recorded(
    config: SubscribeConfig,
    message: lease.Received,
    webhook: Envelope,
    before: attempts.History,
    after: attempts.History,
    outcome: delivery.Outcome,
    remaining: Remaining,
) -> bool:
    """Records the attempt; whether it could. That never stops a delivery."""
    try:
        record.write(
            config.table,
            config.bodies,
            message_id=message.id,
            group_id=message.group_id,
            sequence_number=message.sequence_number,
            before=before,
            after=after,
            envelope=config.redaction.applied(webhook),
            outcome=outcome,
            ttl=config.record_ttl,
            seconds=_RECORD_SECONDS,
            within=remaining() - _AFTER_RECORD_SECONDS,
        )
    except Exception as error:
        code = error.code if isinstance(error, aws.AwsError) else type(error).__name__
        record.report_failure("written", code, attempt=after.attempts)
        return False
    return True
