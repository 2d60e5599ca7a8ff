"""FIFO queue → backend: one attempt per invocation; what fails stays at the head of its group.

A failed attempt is answered as a batch item failure rather than an exception, so that
Lambda's Errors count crashes of ours and not the backend's, and so that the event source
does not slow other groups down. See ``docs/decisions/0006-failed-attempts.md``.

An attempt takes a message that stays in flight to the invocation's end (``lambdas/lease.py``), a
group that is not held (``lambdas/parking.py``), and the number of attempts before, which is the
record's. Without all of that the message is put back unattempted:
``docs/decisions/0020-attempts.md``. So it is while the backend fails for everybody
(``lambdas/fairness.py``). What the backend refuses, or has not taken for too long, is parked:
``docs/decisions/0025-parking.md``.

What only parking, releasing and putting back need is loaded when it first happens, not at a cold
start.
"""

from __future__ import annotations

import os
from typing import Any

from lambdas.base import observe

with observe.loading():
    from lambdas import attempt, attempts, fairness, lease, preconditions, tokens
    from lambdas.base import envelope
    from lambdas.base.safe_json import json_object
    from lambdas.config import SubscribeConfig
    from lambdas.put_back import Remaining, delay, put_back

    CONFIG = SubscribeConfig.read(os.environ)
    CONTAINER = fairness.Container()


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
        from lambdas import release

        return release.run(CONFIG, CONTAINER, event_record, message, token, remaining)
    webhook: envelope.Envelope | None = None
    unreadable: envelope.UnreadableError | None = None
    try:
        webhook = envelope.received(event_record)
    except envelope.UnreadableError as error:
        unreadable = error
    if webhook and webhook.heartbeat and not CONFIG.heartbeat_to_backend:
        age = attempt.age_ms(webhook)
        observe.log("INFO", "heartbeat.arrived", metrics={"HeartbeatArrived": 1}, age_ms=age)
        return True
    try:
        standing = preconditions.check(
            CONFIG, message, remaining=remaining, reserve=attempt.RESERVE_SECONDS
        )
    except preconditions.UnattemptedError as unattempted:
        from lambdas import waiting

        waiting.put_back_unattempted(CONFIG, message, webhook, unattempted, remaining)
        return False
    return _checked(event_record, message, webhook, unreadable, standing, remaining)


def _checked(
    event_record: dict[str, Any],
    message: lease.Received,
    webhook: envelope.Envelope | None,
    unreadable: envelope.UnreadableError | None,
    standing: preconditions.Standing,
    remaining: Remaining,
) -> bool:
    """Attempts what may be attempted, and sets the rest aside; True when it may leave the queue."""
    history = standing.history
    if history.delivered or history.settled:
        # The invocation that settled it ended before the message was deleted.
        event = "webhook.already-parked" if history.settled else "webhook.already-delivered"
        observe.log("INFO", event, receives=message.receives)
        return True
    if webhook and webhook.heartbeat and standing.hold:
        return True  # it is not a webhook: it has nothing to wait for
    if webhook and not standing.hold:
        return _attempted(event_record, message, webhook, history, remaining)
    from lambdas import setting_aside

    if standing.hold:
        return setting_aside.behind(
            CONFIG, event_record, message, webhook, history, standing.hold, remaining
        )
    assert unreadable
    return setting_aside.unreadable(CONFIG, event_record, message, history, unreadable, remaining)


def _attempted(
    event_record: dict[str, Any],
    message: lease.Received,
    webhook: envelope.Envelope,
    history: attempts.History,
    remaining: Remaining,
) -> bool:
    """Makes an attempt, and puts back or parks what failed; True when it may leave the queue."""
    pause = CONTAINER.pause(
        CONFIG, webhook.source, history,
        receives=message.receives, received_at=webhook.received_at,
    )  # fmt: skip
    if pause:
        from lambdas import waiting

        waiting.put_back_paused(CONFIG, message, webhook, pause, history, remaining)
        return False
    made = attempt.make(CONFIG, CONTAINER, message, webhook, history, remaining)
    fields, metrics = made.fields, made.metrics
    if made.outcome.delivered:
        observe.log("INFO", "webhook.delivered", metrics=metrics, **fields)
        return True
    flags = _test_flags(webhook)
    consumed = flags.get("consume_bad_messages") is True
    parked = False
    if not consumed:
        from lambdas import setting_aside

        parked = setting_aside.failed(CONFIG, event_record, message, webhook, made.history)
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


def _test_flags(webhook: envelope.Envelope) -> dict[str, Any]:
    """The flags in a JSON body, where this environment obeys them; empty elsewhere."""
    return (json_object(webhook.body) or {}) if CONFIG.test_flags else {}
