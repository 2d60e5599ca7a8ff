"""What becomes of a message that is not delivered: it waits, goes aside, or holds its group.

``docs/decisions/0025-parking.md`` says when. ``subscribe`` loads it at the first such message.
"""

from __future__ import annotations

import time
from typing import Any

from lambdas import attempts, failure_policy, lease, parked_rows, parking
from lambdas.base import aws, observe
from lambdas.base.envelope import Envelope, UnknownVersionError, UnreadableError
from lambdas.config import SubscribeConfig
from lambdas.group_state import Hold
from lambdas.put_back import Remaining, delay, put_back


def failed(
    config: SubscribeConfig,
    event_record: dict[str, Any],
    message: lease.Received,
    webhook: Envelope,
    history: attempts.History,
) -> bool:
    """Parks a webhook whose attempt failed, if it is time; whether it may leave the queue."""
    now = round(time.time() * 1000)
    reason = failure_policy.verdict(
        config.policy, history, received_at=webhook.received_at, now=now
    )
    if reason is None:
        return False
    if webhook.heartbeat:
        return True
    facts = parked_rows.Facts(webhook.source, webhook.received_at, reason, history)
    return _stored(config, event_record, message, facts)


def _stored(
    config: SubscribeConfig,
    event_record: dict[str, Any],
    message: lease.Received,
    facts: parked_rows.Facts,
) -> bool:
    """Sets a message aside or holds its group with it; whether it is stored."""
    aside = config.policy.on_park == "message" and facts.reason in ("refused", "unreadable")
    try:
        if aside:
            parking.park_aside(config, message, event_record, facts)
        else:
            parking.park_and_hold(config, message, event_record, facts)
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


def behind(
    config: SubscribeConfig,
    event_record: dict[str, Any],
    message: lease.Received,
    webhook: Envelope | None,
    history: attempts.History,
    hold: Hold,
    remaining: Remaining,
) -> bool:
    """Parks a message of a held group unattempted; True when it may leave the queue."""
    source, received_at = _origin(event_record, webhook)
    facts = parked_rows.Facts(source, received_at, "behind", history)
    try:
        parking.park_behind(config, message, event_record, facts, hold)
    except aws.AwsError as error:
        _report_unstored(error)
        put_back(config, message, delay(config, message.receives), remaining)
        return False
    held = time.time() - hold.since / 1000
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


def unreadable(
    config: SubscribeConfig,
    event_record: dict[str, Any],
    message: lease.Received,
    history: attempts.History,
    error: UnreadableError,
    remaining: Remaining,
) -> bool:
    """Puts back what is not a webhook, or parks it as it is after some receives.

    An envelope of a version that is not known waits: a later release may read it.
    """
    source, received_at = _origin(event_record, None)
    policy = config.policy
    waited = time.time() - received_at / 1000
    unknown = isinstance(error, UnknownVersionError)
    due = message.receives >= policy.refusals and waited >= policy.refused_for and not unknown
    if due or waited >= policy.longest:
        reason = "unreadable" if due else "age"
        if _stored(
            config, event_record, message, parked_rows.Facts(source, received_at, reason, history)
        ):
            return True
    seconds = put_back(config, message, delay(config, message.receives), remaining)
    blocked = message.receives >= config.blocked_attempts
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


def _origin(event_record: dict[str, Any], webhook: Envelope | None) -> tuple[str, int]:
    """A message's source, and when it was received, in milliseconds since the epoch."""
    if webhook:
        return webhook.source, webhook.received_at
    return "", int(event_record["attributes"].get("SentTimestamp", time.time() * 1000))
