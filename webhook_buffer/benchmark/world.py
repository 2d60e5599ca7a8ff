"""The model's input: the buffer's defaults, its traffic, and its faults, as data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from monitoring.model import metrics

# The buffer's defaults (docs/settings.md), in seconds and minutes.
CONCURRENCY = 10
TIMEOUT, BACKEND_TIME = 10.0, 7.0
RETRY_BASE, RETRY_MAX = 2.0, 300.0
BLOCKED_ATTEMPTS, BLOCKED_SECONDS, FRESH_SECONDS = 5, 600.0, metrics.FRESH_SECONDS
HEARTBEAT_MINUTES, AUDIT_MINUTES = 5, 30
TARGET_MS = 300_000
VISIBILITY = 60.0

OK, REDIRECT, REFUSED, BROKEN, TIMED_OUT, NO_CONNECTION = 2, 3, 4, 5, 6, 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A change of the world between two minutes.

    Attributes:
        outcome: of attempts; by chance, or of the groups that ``groups`` names.
        share: of the attempts that it affects.
        seconds: how long the backend, or with ``publish`` the publish function, takes.
    """

    start: int
    end: int
    outcome: int | None = None
    share: float = 1.0
    groups: frozenset[int] | None = None
    seconds: float | None = None
    crash: bool = False
    stopped: bool = False
    refuses: bool = False
    publish_seconds: float | None = None
    traffic: float | None = None
    record_fails: bool = False
    head_age: float | None = None
    duplicates: int = 0
    in_flight: int = 0
    log_errors: int = 0
    alert_path: bool = False
    lost: int = 0

    def on(self, minute: int) -> bool:
        """Whether it is active in a minute."""
        return self.start <= minute < self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What is simulated.

    Attributes:
        rate: webhooks a minute, by minute.
        groups: how many groups the webhooks belong to.
        blips: share of attempts that fail by chance, once, in healthy times.
    """

    minutes: int
    rate: Callable[[int], float]
    groups: int = 40
    faults: Sequence[Fault] = ()
    seed: int = 1
    blips: float = 0.0005
