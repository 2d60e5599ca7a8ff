"""How long a failed message waits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.backoff import delay


def _asked(retry_after: str | None, *, bound: float = 3600) -> int:
    """The delay where only ``Retry-After`` counts."""
    return delay(1, retry_after, base=0, longest=0, longest_retry_after=bound)


@given(
    st.integers(1, 10_000),
    st.none() | st.text(st.characters(), max_size=40) | st.integers(0, 10**12).map(str),
    st.integers(0, 900),
    st.integers(0, 43_200),
    st.integers(0, 43_200),
)
def test_bounded(
    attempt: int, retry_after: str | None, base: int, longest: int, longest_retry_after: int
) -> None:
    """No attempt and no header, however odd, makes a message wait beyond the bounds."""
    seconds = delay(
        attempt, retry_after, base=base, longest=longest, longest_retry_after=longest_retry_after
    )
    full = min(longest, base * 2.0 ** (min(attempt, 100) - 1))
    assert round(full / 2) <= seconds <= round(max(full, longest_retry_after))


@pytest.mark.parametrize("attempt", range(1, 9))
def test_doubles_with_jitter(attempt: int) -> None:
    """Each attempt waits between half and all of twice the one before, spread out."""
    full = 100 * 2 ** (attempt - 1)
    drawn = [
        delay(attempt, None, base=100, longest=10**6, longest_retry_after=0) for _ in range(100)
    ]
    assert full / 2 <= min(drawn) < 0.7 * full
    assert 0.8 * full < max(drawn) <= full


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        (None, 0), ("", 0), ("0", 0), ("120", 120), (" 120 ", 120), ("99999999999999", 3600),
        ("-5", 0), ("1.5", 0), ("soon", 0), ("\uff11\uff12", 0), ("120, 60", 0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 3600),
        ("Fri, 31 Dec 9999 23:59:59 -0000", 3600),
        ("Mon, 01 Jan 99999999999999999999 00:00:00 GMT", 0),
        ("Mon, 01 Jan 2024 00:00:00 +99999999999999999999", 0),
    ],
)  # fmt: skip
def test_retry_after(retry_after: str | None, seconds: int) -> None:
    """``Retry-After`` counts where it is a number of seconds or a date to come, and is bounded."""
    assert _asked(retry_after) == seconds


def test_retry_after_as_a_date() -> None:
    """A date is waited for."""
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=600), usegmt=True)
    assert 595 <= _asked(date) <= 600


def test_the_longer_wait_wins() -> None:
    """A backend may ask for more than the backoff, not for less."""
    assert delay(1, "60", base=2, longest=300, longest_retry_after=900) == 60
    assert delay(8, "1", base=100, longest=300, longest_retry_after=900) >= 150
