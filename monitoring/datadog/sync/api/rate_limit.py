"""Requests no faster than Datadog's rate limits allow, as its answers state them."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass
class _Window:
    """What is left of a limit.

    Attributes:
        left: requests until ``ends``; None while nothing is known.
        ends: when the limit resets, in seconds of the monotonic clock.
        refused: whether it was used up once: then one request asks what is left of the next.
    """

    left: int | None = None
    ends: float = 0.0
    in_flight: int = 0
    refused: bool = False


class StoppedError(Exception):
    """When no further request is wanted."""


class Pace:
    """Holds requests of one family back while its limit is used up; for many threads.

    Source: Datadog API reference, "Rate Limits": ``X-RateLimit-Remaining`` and ``-Reset``.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._stopped = False
        self._windows: dict[str, _Window] = {}

    def stop(self) -> None:
        """Lets no further request out, and those that wait go."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def enter(self, family: str) -> None:
        """Returns when a request may be sent.

        Raises:
            StoppedError: When none is wanted any more.
        """
        with self._changed:
            window = self._windows.setdefault(family, _Window())
            while True:
                if self._stopped:
                    raise StoppedError
                now = time.monotonic()
                if window.left is not None and now >= window.ends:
                    window.left = None
                asking = window.left is None and window.refused and window.in_flight
                if not asking and (window.left is None or window.left > 0):
                    break
                self._changed.wait(None if asking else window.ends - now)
            if window.left is not None:
                window.left -= 1
            window.in_flight += 1

    def leave(self, family: str, headers: Mapping[str, str], *, refused: bool = False) -> None:
        """Takes note of what an answer said.

        Args:
            headers: its headers; empty without an answer.
            refused: whether it was a 429: nothing is left, whatever the headers say.
        """
        known = {name.lower(): value for name, value in headers.items()}
        with self._changed:
            window = self._windows.setdefault(family, _Window())
            window.in_flight -= 1
            try:
                left = int(known["x-ratelimit-remaining"])
                reset = float(known["x-ratelimit-reset"])
            except (KeyError, ValueError):
                if refused:
                    window.left, window.ends = 0, time.monotonic() + 1
            else:
                # Those on their way may not have been counted yet.
                window.left = 0 if refused else max(0, left - window.in_flight)
                window.ends = time.monotonic() + (max(1.0, reset) if refused else reset)
            window.refused |= refused
            self._changed.notify_all()
