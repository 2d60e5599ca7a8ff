"""Putting a message back without an attempt, and what the log says of it."""

from __future__ import annotations

from lambdas import attempt, attempt_metrics, attempts, lease, preconditions
from lambdas.base import observe
from lambdas.base.envelope import Envelope
from lambdas.config import SubscribeConfig
from lambdas.fairness import Pause
from lambdas.put_back import Remaining, delay, put_back

_PAUSED = {"BackendDown": "PausedBackendDown", "RetryShare": "PausedRetryShare"}


def put_back_unattempted(
    config: SubscribeConfig,
    message: lease.Received,
    webhook: Envelope | None,
    unattempted: preconditions.UnattemptedError,
    remaining: Remaining,
) -> None:
    """Has the message come again as if nobody had received it.

    At once if it was late, for then nothing is wrong; not at all if it is not ours to put back.
    """
    seconds = None
    if unattempted.reason != "NotHeld":
        wait = 0 if unattempted.reason == "Late" else delay(config, message.receives)
        seconds = put_back(config, message, wait, remaining)
    metrics, age_ms = None, None
    if webhook:
        age_ms = attempt.age_ms(webhook)
        metrics = attempt_metrics.of_waiting(config, webhook, attempts=None, age_ms=age_ms)
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


def put_back_paused(
    config: SubscribeConfig,
    message: lease.Received,
    webhook: Envelope,
    pause: Pause,
    history: attempts.History,
    remaining: Remaining,
) -> None:
    """Has the message come again after a pause, which is not a fault of ours."""
    age_ms = attempt.age_ms(webhook)
    metrics = attempt_metrics.of_waiting(config, webhook, attempts=history.attempts, age_ms=age_ms)
    if not webhook.heartbeat:
        metrics[_PAUSED[pause.reason]] = 1
    observe.log(
        "INFO",
        "webhook.paused",
        metrics=metrics,
        error=pause.reason,
        attempt=history.attempts,
        receives=message.receives,
        retry_seconds=put_back(config, message, pause.seconds, remaining),
        age_ms=age_ms,
        source=webhook.source or None,
    )
