"""How long a failed message waits before its next attempt.

Modules that only a failure needs are loaded at the first failure, not at the start.
"""

from __future__ import annotations


def delay(
    attempt: int,
    retry_after: str | None,
    *,
    base: float,
    longest: float,
    longest_retry_after: float,
) -> int:
    """Whole seconds until the next attempt: exponential, with equal jitter.

    Args:
        attempt: the one that failed, counted from 1.
        retry_after: the backend's ``Retry-After``, honored where it asks for more.
        base: seconds after the first failure, doubled after each.
        longest: bound of the exponential part, seconds.
        longest_retry_after: bound of what a backend may ask for, seconds.

    Source: AWS Architecture Blog, "Exponential Backoff And Jitter" (equal jitter).
    """
    import random

    # 2 ** 32 s exceeds any bound; larger exponents would only overflow.
    full = min(longest, base * 2.0 ** min(attempt - 1, 32))
    jittered = full / 2 + random.uniform(0, full / 2)
    asked = min(longest_retry_after, _seconds(retry_after))
    return round(max(jittered, asked))


def _seconds(retry_after: str | None) -> float:
    """A ``Retry-After`` header in seconds from now; 0 when absent, past or unreadable.

    Source: RFC 9110, 10.2.3: a number of seconds, or an HTTP date.
    """
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    if not text:
        return 0.0
    from datetime import UTC, datetime
    from email.utils import parsedate_to_datetime

    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # no date, or one beyond what a date can hold
        return 0.0
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return max(0.0, (date - datetime.now(UTC)).total_seconds())
