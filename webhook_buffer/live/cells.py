"""Values by the minute, and the series that alarms read of them."""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np
from alarmproof.base.alarms import AnyAlarm
from alarmproof.base.metric_data import MetricKey, Series
from alarmproof.recordings import Recorded
from alarmproof.series import datapoints
from numpy.typing import NDArray

from lambdas.base.metrics import NAMESPACE
from webhook_buffer.live.columns import Column
from webhook_buffer.live.pace import MINUTE
from webhook_buffer.live.values import Key, part
from webhook_buffer.operations.history import wanted

_LOG_METRIC = re.compile(r"(?:.*-)?([a-z]+)-(log-(?:errors|warnings|problems))")
# Statistics that are 0 in a minute in which nothing happened.
COUNTED = ("Sum", "SampleCount")
# What the minutes of a longer period suffice for.
_FOLDED = ("Sum", "SampleCount", "Average", "Maximum", "Minimum")
_SIMPLE: Mapping[str, Callable[[array[float]], float]] = {
    "Sum": sum,
    "Maximum": max,
    "Minimum": min,
    "SampleCount": len,
}
_ANY = MetricKey("", "")
# Minutes whose statistics are made at once.
_TOGETHER = 60

Values = NDArray[np.float64]


class Cells:
    """The values of each metric in each minute of a session.

    Of a metric either single values are known, or statistics that somebody else made of them.

    Args:
        roles: role of a resource, by the value of the dimension that names it.
    """

    def __init__(self, roles: Mapping[str, str]) -> None:
        self._roles = roles
        self._values: dict[Key, dict[int, array[float]]] = {}
        # Made of the values, by statistic.
        self._made: dict[Key, dict[str, Column]] = {}
        self._stated: dict[Key, dict[str, Column]] = {}

    def add(self, key: Key, at: float, value: float) -> None:
        """Adds a value.

        Args:
            at: session time.
        """
        minute = int(at // MINUTE) * MINUTE
        self._values.setdefault(key, {}).setdefault(minute, array("d")).append(value)
        for column in self._made.get(key, {}).values():
            column.stale.add(minute)

    def state(self, key: Key, statistic: str, minute: int, value: float) -> None:
        """Takes a statistic of a minute as it was measured elsewhere, in place of values."""
        columns = self._stated.setdefault(key, {})
        columns.setdefault(statistic, Column()).put(minute, value)

    def every(self) -> Iterator[tuple[Key, int, array[float]]]:
        """Key, minute and values of each cell."""
        for key, minutes in self._values.items():
            for minute, values in minutes.items():
                yield key, minute, values

    def stated(self) -> Iterator[tuple[Key, str, list[tuple[int, float]]]]:
        """Key, statistic, and what was measured elsewhere in each minute."""
        for key, columns in self._stated.items():
            for statistic, column in columns.items():
                yield key, statistic, column.pairs()

    def forget(self, before: int) -> None:
        """Drops the values of the minutes before a time of the session."""
        for values in self._values.values():
            for minute in [past for past in values if past < before]:
                del values[minute]

    def known(self, key: Key) -> bool:
        """Whether there was ever anything of a metric."""
        return bool(self._values.get(key) or self._stated.get(key))

    def statistics(
        self, key: Key, statistic: str, *, start: int, count: int, step: int = MINUTE
    ) -> Values:
        """One statistic in each bucket of a stretch; NaN without values.

        Args:
            start: full minute of the session.
            step: seconds of a bucket, full minutes.

        Raises:
            NotSupportedError: When the minutes' statistics don't suffice for longer buckets.
        """
        if step == MINUTE:
            return self._column(key, statistic).part(start, count)
        if key in self._stated or statistic in _FOLDED:
            whole = count * step // MINUTE
            made = [
                Series(_ANY, name, start, MINUTE, self._column(key, name).part(start, whole))
                for name in dict.fromkeys((statistic, "SampleCount"))
            ]
            return datapoints(made, statistic, step, first=start + step, count=count, every=step)
        values = np.full(count, np.nan)
        buckets = self._buckets(key, start, step, count)
        if buckets:
            values[list(buckets)] = statistics_of(list(buckets.values()), statistic)
        return values

    def series(
        self, metric: MetricKey, statistic: str, *, start: int, minutes: int
    ) -> Series | None:
        """What CloudWatch would have of a metric; None where nothing was ever seen of it.

        Args:
            start: full minute of the session.
        """
        key = self.key(metric)
        if key is None or not self.known(key):
            return None
        values = self.statistics(key, statistic, start=start, count=minutes)
        if np.isnan(values).all():
            return None
        if statistic in COUNTED and metric.namespace.startswith("AWS/") and key in self._values:
            values = np.nan_to_num(values)  # they publish zeros while they are in use
        return Series(metric, statistic, start, MINUTE, values)

    def recording(self, alarms: Iterable[AnyAlarm], *, start: int, minutes: int) -> list[Series]:
        """The series that alarms read."""
        pairs = ((metric, statistic) for metric, statistic in wanted(alarms))
        made = (self.series(*pair, start=start, minutes=minutes) for pair in pairs)
        return [series for series in made if series is not None]

    def recorded(self, alarms: Iterable[AnyAlarm], *, start: int, minutes: int) -> Recorded:
        """``recording`` in the form that is evaluated."""
        return Recorded.of(self.recording(alarms, start=start, minutes=minutes))

    def key(self, metric: MetricKey) -> Key | None:
        """The key under which a metric's values are; None for another resource's."""
        if metric.namespace.endswith("/Logs"):
            match = _LOG_METRIC.fullmatch(metric.name)
            return (metric.namespace, match[2], match[1]) if match else None
        named = [self._roles[value] for _, value in metric.dimensions if value in self._roles]
        if metric.namespace in ("AWS/Lambda", "AWS/SQS"):
            return (metric.namespace, metric.name, named[0]) if named else None
        dimensions = dict(metric.dimensions)
        ours = metric.namespace == NAMESPACE
        further = part(dimensions) if ours else dimensions.get("Operation", "")
        return (metric.namespace, metric.name, further)

    def _column(self, key: Key, statistic: str) -> Column:
        """A statistic by the minute; made of the values, as far as they are new."""
        if key in self._stated:
            return self._stated[key].get(statistic) or Column()
        values = self._values.get(key, {})
        columns = self._made.setdefault(key, {})
        if statistic not in columns:
            columns[statistic] = Column()
            columns[statistic].stale.update(values)
        column = columns[statistic]
        stale = sorted(column.stale & values.keys())
        for begin in range(0, len(stale), _TOGETHER):
            some = stale[begin : begin + _TOGETHER]
            made = statistics_of([values[minute] for minute in some], statistic)
            for minute, value in zip(some, made, strict=True):
                column.put(minute, value)
        column.stale.clear()
        return column

    def _buckets(self, key: Key, start: int, step: int, count: int) -> dict[int, array[float]]:
        """All values of each bucket that has some."""
        buckets: dict[int, array[float]] = {}
        for minute, values in self._values.get(key, {}).items():
            place = (minute - start) // step
            if 0 <= place < count:
                buckets.setdefault(place, array("d")).extend(values)
        return buckets


def statistics_of(groups: Sequence[array[float]], statistic: str) -> list[float]:
    """One statistic of each of some groups of values, which aren't empty."""
    simple = _SIMPLE.get(statistic)
    if simple:
        return [float(simple(values)) for values in groups]
    # Each value as that of a minute, in periods as long as the longest group.
    widest = max(map(len, groups))
    padded = np.full((len(groups), widest), np.nan)
    for row, values in zip(padded, groups, strict=True):
        row[: len(values)] = values
    length = MINUTE * widest
    series = Series(_ANY, None, 0, MINUTE, padded.ravel())
    made = datapoints(
        [series], statistic, length, first=length, count=len(groups), every=length
    )  # fmt: skip
    listed: list[float] = made.tolist()
    return listed
