"""Waiting for a condition, and measuring what a busy machine can't distort."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any


def eventually(condition: Callable[[], Any], *, seconds: float = 30.0) -> Any:
    """The condition's first true value; fails after a deadline."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.02)


class Stopwatch:
    """Seconds in which this process had its turn.

    An upper bound on the clock's seconds fails on a busy machine. There this thread has its turns
    later as well, and each counts as one step.
    """

    _STEP = 0.01

    def __init__(self) -> None:
        self._steps, self._over = 0, threading.Event()

    def __enter__(self) -> Stopwatch:
        threading.Thread(target=self._count, daemon=True).start()
        return self

    def _count(self) -> None:
        while not self._over.wait(self._STEP):
            self._steps += 1

    def __exit__(self, *_: object) -> None:
        self._over.set()

    def seconds(self) -> float:
        """Since it was started."""
        return self._steps * self._STEP
