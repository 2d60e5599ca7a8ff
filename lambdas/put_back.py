"""Having SQS hand a message out again later, within the invocation's time."""

from __future__ import annotations

from collections.abc import Callable

from lambdas import backoff, lease
from lambdas.config import SubscribeConfig

# Seconds until Lambda ends the invocation.
Remaining = Callable[[], float]

_VISIBILITY_SECONDS = 1.0
_AFTER_SECONDS = 0.2


def delay(config: SubscribeConfig, number: int, retry_after: str | None = None) -> int:
    """Seconds until a message is received again after so many attempts or receives."""
    return backoff.delay(
        number,
        retry_after,
        base=config.retry_base,
        longest=config.retry_max,
        longest_retry_after=config.retry_after_max,
    )


def put_back(
    config: SubscribeConfig, message: lease.Received, seconds: int, remaining: Remaining
) -> int | None:
    """Has the message come again after some seconds; None when SQS did not take that."""
    within = min(_VISIBILITY_SECONDS, remaining() - _AFTER_SECONDS)
    taken = lease.put_back(message, after=seconds, queue_url=config.queue_url, within=within)
    return seconds if taken else None
