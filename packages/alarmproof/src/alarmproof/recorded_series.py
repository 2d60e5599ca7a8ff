"""Recorded series as any format has them: what is known of them, and when they are read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alarmproof.metric_data import MetricKey, Series

_BELOW_A_MINUTE = (1, 5, 10, 20, 30)


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
    if period not in _BELOW_A_MINUTE and (period < 60 or period % 60):
        raise ValueError(f"period {period} is not 1, 5, 10, 20, 30, or a multiple of 60 seconds")
