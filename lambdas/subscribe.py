"""FIFO queue → backend: one attempt per invocation; what fails stays at the head of its group.

A failed attempt is answered as a batch item failure rather than an exception, so that
Lambda's Errors count crashes of ours and not the backend's, and so that the event source
does not slow other groups down. See ``docs/decisions/0006-failed-attempts.md``.

An attempt takes a message that stays in flight to the invocation's end (``lambdas/lease.py``), a
group that is not held (``lambdas/parking.py``), and the number of attempts before, which is the
record's. Without all of that the message is put back unattempted:
``docs/decisions/0020-attempts.md``. What the backend refuses, or has not taken for too long, is
parked: ``docs/decisions/0025-parking.md``.
"""

from __future__ import annotations

import os
import time
from typing import Any

from lambdas import observe

with observe.loading():
    from lambdas import (
        attempt,
        attempt_metrics,
        attempts,
        aws,
        envelope,
        failure_policy,
        lease,
        parked_rows,
        parking,
        preconditions,
        release,
        tokens,
    )
    from lambdas.config import SubscribeConfig
    from lambdas.put_back import Remaining, delay, put_back
    from lambdas.safe_json import json_object

    CONFIG = SubscribeConfig.read(os.environ)


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
    token = tokens.parse(event_record["body"])
    if token:
        return release.run(CONFIG, event_record, message, token, remaining)
    webhook: envelope.Envelope | None = None
    unreadable: envelope.UnreadableError | None = None
    try:
        webhook = envelope.received(event_record)
    except envelope.UnreadableError as error:
        unreadable = error
    if webhook and webhook.heartbeat and not CONFIG.heartbeat_to_backend:
        observe.log("INFO", "heartbeat.arrived", metrics={"HeartbeatArrived": 1})
        return True
    try:
        standing = preconditions.check(
            CONFIG, message, remaining=remaining, reserve=attempt.RESERVE_SECONDS
        )
    except preconditions.UnattemptedError as unattempted:
        _put_back_unattempted(message, webhook, unattempted, remaining)
        return False
    history = standing.history
    if history.delivered or history.settled:
        # The invocation that settled it ended before the message was deleted.
        event = "webhook.already-parked" if history.settled else "webhook.already-delivered"
        observe.log("INFO", event, receives=message.receives)
        return True
    if webhook and webhook.heartbeat and standing.hold:
        return True  # it is no webhook: it has nothing to wait for
    if standing.hold:
        return _parked_behind(event_record, message, webhook, standing, remaining)
    if webhook:
        return _attempted(event_record, message, webhook, history, remaining)
    assert unreadable
    return _unreadable(event_record, message, history, unreadable, remaining)


def _attempted(
    event_record: dict[str, Any],
    message: lease.Received,
    webhook: envelope.Envelope,
    history: attempts.History,
    remaining: Remaining,
) -> bool:
    """Makes an attempt, and puts back or parks what failed; True when it may leave the queue."""
    made = attempt.make(CONFIG, message, webhook, history, remaining)
    fields, metrics = made.fields, made.metrics
    if made.outcome.delivered:
        observe.log("INFO", "webhook.delivered", metrics=metrics, **fields)
        return True
    flags = _test_flags(webhook)
    consumed = flags.get("consume_bad_messages") is True
    parked = False
    if consumed:
        metrics["Consumed"] = 1
    else:
        parked = _parked(event_record, message, webhook, made.history)
    if not consumed and not parked:
        # Attempts that can't be recorded are not counted, but each took a receive.
        pace = made.history.attempts if made.recorded else message.receives
        seconds = delay(CONFIG, pace, made.outcome.retry_after)
        fields["retry_seconds"] = put_back(CONFIG, message, seconds, remaining)
    observe.log("WARNING", "webhook.failed", metrics=metrics, consumed=consumed or None, **fields)
    if flags.get("suppress_sentry") is not True:
        answer = made.outcome.status or made.outcome.error
        observe.report(f"The backend did not take a webhook: {answer}")
    return consumed or parked


def _parked(
    event_record: dict[str, Any],
    message: lease.Received,
    webhook: envelope.Envelope,
    history: attempts.History,
) -> bool:
    """Parks a webhook whose attempt failed, if it is time; whether it may leave the queue."""
    now = round(time.time() * 1000)
    reason = failure_policy.verdict(
        CONFIG.policy, history, received_at=webhook.received_at, now=now
    )
    if reason is None:
        return False
    if webhook.heartbeat:
        return True
    facts = parked_rows.Facts(webhook.source, webhook.received_at, reason, history)
    return _stored(event_record, message, facts)


def _stored(
    event_record: dict[str, Any], message: lease.Received, facts: parked_rows.Facts
) -> bool:
    """Sets a message aside or holds its group with it; whether it is stored."""
    aside = CONFIG.policy.on_park == "message" and facts.reason in ("refused", "unreadable")
    try:
        if aside:
            parking.park_aside(CONFIG, message, event_record, facts)
        else:
            parking.park_and_hold(CONFIG, message, event_record, facts)
    except parking.BrakedError:
        metrics = {"ParkingBraked": 1.0}
        observe.log(
            "ERROR", "parking.braked", metrics=metrics, reason=facts.reason,
            source=facts.source or None,
        )  # fmt: skip
        return False
    except aws.AwsError as error:
        _report_unstored(error)
        return False
    observe.log(
        "WARNING",
        "webhook.parked",
        metrics={"Parked": 1.0} if aside else {"Parked": 1.0, "HeldGroups": 1.0},
        reason=facts.reason,
        state="aside" if aside else "held",
        attempt=facts.history.attempts,
        source=facts.source or None,
    )
    return True


def _parked_behind(
    event_record: dict[str, Any],
    message: lease.Received,
    webhook: envelope.Envelope | None,
    standing: preconditions.Standing,
    remaining: Remaining,
) -> bool:
    """Parks a message of a held group unattempted; True when it may leave the queue."""
    assert standing.hold
    source, received_at = _origin(event_record, webhook)
    facts = parked_rows.Facts(source, received_at, "behind", standing.history)
    try:
        parking.park_behind(CONFIG, message, event_record, facts, standing.hold)
    except aws.AwsError as error:
        _report_unstored(error)
        put_back(CONFIG, message, delay(CONFIG, message.receives), remaining)
        return False
    held = time.time() - standing.hold.since / 1000
    observe.log(
        "WARNING",
        "webhook.parked",
        metrics={"Parked": 1.0, "HeldGroups": 1.0, "HeldSeconds": round(max(held, 0.0))},
        reason="behind",
        state="held",
        source=source or None,
    )
    return True


def _report_unstored(error: aws.AwsError) -> None:
    observe.log("ERROR", "parking.failed", metrics={"RecordFailed": 1}, aws_error=error.code)
    observe.report(f"A webhook can't be parked: {error.code}")


def _unreadable(
    event_record: dict[str, Any],
    message: lease.Received,
    history: attempts.History,
    error: envelope.UnreadableError,
    remaining: Remaining,
) -> bool:
    """Puts back what is no webhook, or parks it as it is after some receives.

    An envelope of a version that is not known waits: a later release may read it.
    """
    source, received_at = _origin(event_record, None)
    policy = CONFIG.policy
    waited = time.time() - received_at / 1000
    unknown = isinstance(error, envelope.UnknownVersionError)
    due = message.receives >= policy.refusals and waited >= policy.refused_for and not unknown
    if due or waited >= policy.longest:
        reason = "unreadable" if due else "age"
        if _stored(event_record, message, parked_rows.Facts(source, received_at, reason, history)):
            return True
    seconds = put_back(CONFIG, message, delay(CONFIG, message.receives), remaining)
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
    return False


def _origin(event_record: dict[str, Any], webhook: envelope.Envelope | None) -> tuple[str, int]:
    """A message's source, and when it was received, in milliseconds since the epoch."""
    if webhook:
        return webhook.source, webhook.received_at
    return "", int(event_record["attributes"].get("SentTimestamp", time.time() * 1000))


def _put_back_unattempted(
    message: lease.Received,
    webhook: envelope.Envelope | None,
    unattempted: preconditions.UnattemptedError,
    remaining: Remaining,
) -> None:
    """Has the message come again as if nobody had received it.

    At once if it was late, for then nothing is wrong; not at all if it is not ours to put back.
    """
    seconds = None
    if unattempted.reason != "NotHeld":
        wait = 0 if unattempted.reason == "Late" else delay(CONFIG, message.receives)
        seconds = put_back(CONFIG, message, wait, remaining)
    metrics, age_ms = None, None
    if webhook:
        age_ms = attempt.age_ms(webhook)
        metrics = attempt_metrics.of_waiting(CONFIG, webhook, attempts=None, age_ms=age_ms)
    observe.log(
        "WARNING",
        "webhook.unattempted",
        metrics=metrics,
        error=unattempted.reason,
        aws_error=unattempted.code,
        receives=message.receives,
        retry_seconds=seconds,
        age_ms=age_ms,
        source=(webhook.source if webhook else "") or None,
    )


def _test_flags(webhook: envelope.Envelope) -> dict[str, Any]:
    """The flags in a JSON body, where this environment obeys them; empty elsewhere."""
    return (json_object(webhook.body) or {}) if CONFIG.test_flags else {}
