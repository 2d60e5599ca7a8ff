"""An end to what takes too long, whatever a file of recordings holds."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

# The longest that a request, plan or import may take; a recorded one takes milliseconds.
_SECONDS = 20


class TookTooLongError(Exception):
    """When an answer takes longer than any should."""


@contextmanager
def bounded(seconds: int = _SECONDS) -> Iterator[None]:
    """Ends what takes too long; on the main thread.

    Raises:
        TookTooLongError: When it does.
    """

    def ended(_number: int, _frame: FrameType | None) -> None:
        raise TookTooLongError(f"took longer than {seconds} s")

    before = signal.signal(signal.SIGALRM, ended)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
