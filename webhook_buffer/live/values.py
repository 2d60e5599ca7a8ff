"""The plain data of observing a buffer: single values of metrics, depths of queues, limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lambdas.base.metrics import DIMENSIONS
from settings.names import BLOCKED_ATTEMPTS, BLOCKED_SECONDS

# (namespace, name, role or "" or the part of one of our metrics).
Key = tuple[str, str, str]


def part(dimensions: Mapping[str, str]) -> str:
    """What some dimensions leave of one of our metrics (``wrong/github``); empty for all of it."""
    return "/".join(value for name, value in sorted(dimensions.items()) if name not in DIMENSIONS)


@dataclass(frozen=True, slots=True)
class Observation:
    """One value of a metric.

    Attributes:
        at: real time, Unix seconds.
    """

    key: Key
    at: float
    value: float


@dataclass(frozen=True, slots=True)
class Depth:
    """A queue at a moment: what waits, and what is in flight.

    Attributes:
        role: ``queue`` or ``notify-dlq``.
    """

    at: float
    visible: int
    in_flight: int
    role: str = "queue"


@dataclass(frozen=True, slots=True)
class Limits:
    """From when on ``subscribe`` counts a failing webhook as one that blocks its group."""

    blocked_attempts: int = BLOCKED_ATTEMPTS
    blocked_seconds: float = BLOCKED_SECONDS
