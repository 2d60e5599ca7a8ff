"""Whether a container makes an attempt now, or puts the message back for others' sake.

Two limits, each of one container: the breaker, while the backend fails for everybody, and a share
of its time for webhooks that failed before. ``docs/decisions/0027-fair-under-failure.md`` has the
reasons. Neither changes an order: a message that is put back stays at the head of its group.
"""

from __future__ import annotations

import math
import time
from typing import NamedTuple

from lambdas import source_deliveries
from lambdas.attempts import History
from lambdas.config import SubscribeConfig
from lambdas.delivery import Outcome
from lambdas.put_back import delay

# Failures in a row that open the breaker, and of how many groups: one group may fail by itself.
_FAILURES = 5
_GROUPS = 3
# Until the next probe: a share of the outage so far, within these seconds.
_OUTAGE_SHARE = 0.25
_SHORTEST_SECONDS, _LONGEST_SECONDS = 30.0, 300.0
# Messages come back after the probe, within this share of that time: most find its result.
_SPREAD = 0.2
# A delivery by any container that is younger keeps the breaker closed. Twice as long as containers
# may keep one to themselves (``source_deliveries``).
_RECENT_SECONDS = 60.0
# How often a container asks for the latest.
_ASK_SECONDS = 30.0
# The time for failing again that a container may save up, so that a short fault needs no waiting.
_SAVED_SECONDS = 15.0
# Faults of the webhook itself.
_OWN_FAULTS = ("Unsendable",)


class Pause(NamedTuple):
    """Why a message is put back unattempted, and for how many seconds.

    Attributes:
        reason: ``BackendDown`` or ``RetryShare``.
    """

    reason: str
    seconds: int


class Container:
    """What one container, which makes one attempt at a time, remembers of its attempts."""

    def __init__(self) -> None:
        self._outages: dict[str, _Outage] = {}
        self._saved, self._saved_at = _SAVED_SECONDS, time.time()

    def pause(
        self,
        config: SubscribeConfig,
        source: str,
        before: History,
        *,
        receives: int,
        received_at: int | None,
    ) -> Pause | None:
        """Why no attempt is made at a webhook now; None where one is.

        Args:
            before: the webhook's earlier attempts.
            receives: of its message. The more webhooks wait for a turn, the longer each waits.
            received_at: at the API, milliseconds since the epoch; None where its age does not
                matter. What is old enough to be parked is always attempted: nothing expires.
        """
        policy, now = config.policy, time.time()
        if received_at is not None and now - received_at / 1000 >= policy.longest:
            return None
        outage = self._outages.get(source)
        if outage and outage.probe_at is not None:
            if outage.over(config, source, now):
                del self._outages[source]
            elif now < outage.probe_at:
                import random  # which a cold start does not need

                spread = random.uniform(0, _SPREAD * outage.wait(config, now))
                return Pause("BackendDown", math.ceil(outage.probe_at - now + spread))
        if before.attempts and policy.retry_share < 1 and self._left(policy.retry_share, now) <= 0:
            until = math.floor(-self._saved / policy.retry_share) + 1
            return Pause("RetryShare", max(delay(config, receives), until))
        return None

    def attempted(
        self,
        config: SubscribeConfig,
        source: str,
        group_id: str,
        before: History,
        outcome: Outcome,
    ) -> None:
        """Takes note of an attempt."""
        now = time.time()
        if before.attempts and not outcome.delivered:
            self._saved = self._left(config.policy.retry_share, now) - outcome.duration_ms / 1000
        outage = self._outages.get(source)
        failed = outcome.status is None or outcome.status >= 500
        if outcome.delivered or (outage and outage.probe_at is not None and not failed):
            self._outages.pop(source, None)
        elif failed and config.policy.breaker and outcome.error not in _OWN_FAULTS:
            outage = outage or _Outage(outcome.started_at / 1000)
            self._outages[source] = outage
            outage.failed(config, source, group_id, now)

    def _left(self, share: float, now: float) -> float:
        """The seconds left for failing again: saved up all the time, spent by attempts."""
        passed = max(0.0, now - self._saved_at)
        self._saved = min(_SAVED_SECONDS, self._saved + share * passed)
        self._saved_at = now
        return self._saved


class _Outage:
    """A source's failures since its last delivery by this container.

    Attributes:
        probe_at: when the next attempt is made, in seconds since the epoch; None while each is.
    """

    def __init__(self, since: float) -> None:
        self.probe_at: float | None = None
        self._since = since
        self._failures = 0
        self._groups: set[str] = set()
        self._delivered_at = self._asked_at = 0.0

    def failed(self, config: SubscribeConfig, source: str, group_id: str, now: float) -> None:
        """Counts a failure; opens the breaker if it is time."""
        self._failures += 1
        if len(self._groups) < _GROUPS:
            self._groups.add(group_id)
        if self._failures < _FAILURES or len(self._groups) < _GROUPS:
            return
        if not self.over(config, source, now):
            self.probe_at = now + self.wait(config, now)

    def over(self, config: SubscribeConfig, source: str, now: float) -> bool:
        """Whether any container delivered a webhook of the source just now, as far as is known."""
        if now - self._asked_at >= _ASK_SECONDS and now - self._delivered_at >= _RECENT_SECONDS:
            self._asked_at = now
            self._delivered_at = source_deliveries.latest(config, source) / 1000
        return now - self._delivered_at < _RECENT_SECONDS

    def wait(self, config: SubscribeConfig, now: float) -> float:
        """Seconds between probes: never more than between the attempts at one webhook."""
        share = max(_SHORTEST_SECONDS, _OUTAGE_SHARE * (now - self._since))
        return min(share, _LONGEST_SECONDS, config.retry_max)
