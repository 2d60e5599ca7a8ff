"""Recorded series as any format has them: what is known of them, and when they are read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from alarmproof.base.metric_data import MetricKey, Series

_BELOW_A_MINUTE = (1, 5, 10, 20, 30)
# Source: CloudWatch API reference, PutMetricAlarm, Period and EvaluationPeriods: seven days in all.
_LONGEST = 604_800
LATEST = 253_402_300_799  # the last second of the year 9999, in Unix seconds


@dataclass(frozen=True, slots=True)
class Entry:
    """A series that may not have been read yet."""

    metric: MetricKey
    start: int
    end: int
    load: Callable[[], Series]

    @classmethod
    def of(cls, series: Series) -> Entry:
        """A series that is in memory."""
        return cls(series.metric, series.start, series.end, lambda: series)


@dataclass(frozen=True, slots=True)
class Points:
    """Values at times, in any order.

    Attributes:
        times: Unix seconds, or ISO 8601.
        period: seconds.
    """

    metric: MetricKey
    statistic: str | None
    period: int
    times: Sequence[Any]
    values: Sequence[Any]
    unit: str | None = None


class Recorded:
    """A recording of many series.

    Attributes:
        start, end: of the whole, Unix seconds.
    """

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._entries: dict[MetricKey, list[Entry]] = {}
        for entry in entries:
            self._entries.setdefault(entry.metric, []).append(entry)
        self.start = min((entry.start for entry in entries), default=0)
        self.end = max((entry.end for entry in entries), default=0)

    @classmethod
    def of(cls, series: Iterable[Series]) -> Recorded:
        """A recording of series that are in memory."""
        return cls([Entry.of(held) for held in series])

    @property
    def metrics(self) -> tuple[MetricKey, ...]:
        return tuple(sorted(self._entries))

    def series(self, metric: MetricKey) -> Sequence[Series]:
        return [entry.load() for entry in self._entries.get(metric, ())]

    def every(self) -> Iterator[Series]:
        """All series, one after the other."""
        for entries in self._entries.values():
            for entry in entries:
                yield entry.load()


def dimensions_text(metric: MetricKey) -> str:
    """Dimensions as one text: ``QueueName=orders;Stage=live``."""
    return ";".join(f"{name}={value}" for name, value in metric.dimensions)


def dimensions(value: Any) -> dict[str, str]:
    """From a mapping, CloudWatch's list of Name and Value, or one text.

    Raises:
        ValueError: When it is none of these.
    """
    if isinstance(value, Mapping):
        return {str(name): str(given) for name, given in value.items()}
    if isinstance(value, list):
        return {str(dimension["Name"]): str(dimension["Value"]) for dimension in value}
    pairs = [part.partition("=") for part in str(value or "").split(";") if part]
    if not all(name and sign for name, sign, _ in pairs):
        raise ValueError(f"'{value}' are not dimensions; write Name=value;Name=value")
    return {name: given for name, _, given in pairs}


def require_period(period: int) -> None:
    """Checks the distance of a series' values.

    Raises:
        ValueError: When CloudWatch has no such period.
    """
    if period not in _BELOW_A_MINUTE and (not 60 <= period <= _LONGEST or period % 60):
        shown = period if abs(period) <= _LONGEST else f"{period:.3g}"
        raise ValueError(
            f"period {shown} is not 1, 5, 10, 20, 30, or a multiple of 60 seconds up to {_LONGEST}"
        )


def require_boundary(start: int, period: int) -> None:
    """Checks where a series' first period begins.

    Raises:
        ValueError: When CloudWatch has no period that begins then.
    """
    grain = min(period, 60)
    if start % grain:
        raise ValueError(f"{iso(start)} is not on a boundary of {grain} s")


def iso(at: int) -> str:
    """Unix seconds as ISO 8601."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def unix_seconds(value: Any, name: str) -> int:
    """A time that is given in Unix seconds or ISO 8601, from 1970 to 9999.

    Args:
        name: of the time, for the error.

    Raises:
        ValueError: When it is something else.
    """
    try:
        at = round(_seconds(value))
    except (OverflowError, ValueError):
        at = -1
    if not 0 <= at <= LATEST:
        raise ValueError(
            f"{name} '{str(value)[:40]}' is not a time; write 2026-05-01T08:00Z or Unix seconds"
        )
    return at


def _seconds(value: Any) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    text = str(value)
    if text.replace(".", "", 1).isdigit():
        return float(text)
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
