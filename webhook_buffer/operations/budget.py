"""How many calls to AWS a command makes, and no more of them than it may."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any

from settings.errors import WebhookBufferError
from webhook_buffer.operations.environment import Environment

_HOUR = 3600.0


class BudgetError(WebhookBufferError):
    """When an hour's calls have been made."""


class Budget:
    """Counts the calls of an environment's clients.

    Args:
        most: calls within any hour.
        now: Unix seconds.
    """

    def __init__(self, most: int, now: Callable[[], float] = time.time) -> None:
        self.most = most
        self.total = 0
        self._now = now
        self._made: deque[float] = deque()

    def watch(self, target: Environment) -> None:
        """Counts every call from now on; clients that were made before are left out."""
        target.session.events.register_first("before-call", self._count)

    @property
    def spent(self) -> int:
        """Calls within the last hour."""
        while self._made and self._made[0] <= self._now() - _HOUR:
            self._made.popleft()
        return len(self._made)

    def _count(self, **_: Any) -> None:
        if self.spent >= self.most:
            wait = self._made[0] + _HOUR - self._now()
            raise BudgetError(
                f"All {self.most} calls of an hour have been made; the next is possible in "
                f"{wait / 60:.0f} min."
            )
        self._made.append(self._now())
        self.total += 1
