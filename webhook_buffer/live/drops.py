"""Which parked webhooks a person dropped: the parking table says so, and no log line does."""

from __future__ import annotations

from collections.abc import Collection

from webhook_buffer.live.session import Event
from webhook_buffer.operations import parked
from webhook_buffer.operations.environment import Environment


class Drops:
    """Looks for drops while something is parked.

    Args:
        every: seconds between two looks; a day's parked webhooks are a few pages of an index.
    """

    def __init__(self, target: Environment, *, every: float) -> None:
        self._target, self._every = target, every
        self._next = 0.0

    def poll(self, waiting: Collection[str], now: float) -> list[Event]:
        """What was dropped of the webhooks that a session has as parked.

        Raises:
            WebhookBufferError: When AWS can't be asked.
        """
        if not waiting or now < self._next:
            return []
        self._next = now + self._every
        dropped = sorted(parked.dropped(self._target).intersection(waiting))
        return [{"kind": "dropped", "webhooks": dropped}] if dropped else []
