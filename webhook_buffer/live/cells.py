"""Values by the minute, and the series that alarms read of them."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator, Mapping

import numpy as np
from alarmproof.alarms import AnyAlarm
from alarmproof.metric_data import MetricKey, Series
from alarmproof.recordings import Recorded
from alarmproof.series import datapoints

from webhook_buffer.live.pace import MINUTE
from webhook_buffer.live.values import Key
from webhook_buffer.operations.history import wanted

_LOG_METRIC = re.compile(r"(?:.*-)?([a-z]+)-(log-(?:errors|warnings|trouble))")
_COUNTED = ("Sum", "SampleCount")


class Cells:
    """The values of each metric in each minute of a session.

    Args:
        roles: role of a resource, by the value of the dimension that names it.
    """

    def __init__(self, roles: Mapping[str, str]) -> None:
        self._roles = roles
        self._values: dict[Key, dict[int, array[float]]] = {}
        # By metric, minute and statistic, until a value comes into the minute.
        self._made: dict[Key, dict[int, dict[str, float]]] = {}

    def add(self, key: Key, at: float, value: float) -> None:
        """Adds a value.

        Args:
            at: session time.
        """
        minute = int(at // MINUTE) * MINUTE
        self._values.setdefault(key, {}).setdefault(minute, array("d")).append(value)
        self._made.get(key, {}).pop(minute, None)

    def every(self) -> Iterator[tuple[Key, int, array[float]]]:
        """Key, minute and values of each cell."""
        for key, minutes in self._values.items():
            for minute, values in minutes.items():
                yield key, minute, values

    def forget(self, before: int) -> None:
        """Drops the minutes before a time of the session."""
        for values in self._values.values():
            for minute in [past for past in values if past < before]:
                del values[minute]
        for made in self._made.values():
            for minute in [past for past in made if past < before]:
                del made[minute]

    def statistic(self, key: Key, statistic: str, minute: int) -> float:
        """One statistic of a minute's values; NaN without any."""
        made = self._made.setdefault(key, {}).setdefault(minute, {})
        if statistic not in made:
            values = self._values.get(key, {}).get(minute)
            made[statistic] = statistic_of(values, statistic) if values else np.nan
        return made[statistic]

    def minutes(self, key: Key, *, start: int, end: int) -> list[int]:
        """The minutes of a stretch in which there are values."""
        return [minute for minute in self._values.get(key, ()) if start <= minute < end]

    def values(self, key: Key, *, start: int, end: int) -> array[float]:
        """All values of a stretch of full minutes."""
        observed: array[float] = array("d")
        for minute in self.minutes(key, start=start, end=end):
            observed.extend(self._values[key][minute])
        return observed

    def series(
        self, metric: MetricKey, statistic: str, *, start: int, minutes: int
    ) -> Series | None:
        """What CloudWatch would have of a metric; None where nothing was ever seen of it.

        Args:
            start: full minute of the session.
        """
        key = self.key(metric)
        seen = self._values.get(key) if key else None
        end = start + MINUTE * minutes
        if key is None or not seen or not any(start <= minute < end for minute in seen):
            return None
        values = np.full(minutes, np.nan)
        for index in range(minutes):
            minute = start + MINUTE * index
            if minute in seen:
                values[index] = self.statistic(key, statistic, minute)
        if statistic in _COUNTED and metric.namespace.startswith("AWS/"):
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
        return (metric.namespace, metric.name, "")


def statistic_of(values: array[float], statistic: str) -> float:
    """One statistic of values, at least one: each of them a minute of a period as long as all."""
    if statistic == "Sum":
        return float(sum(values))
    if statistic == "Maximum":
        return max(values)
    if statistic == "Minimum":
        return min(values)
    if statistic == "SampleCount":
        return float(len(values))
    metric = MetricKey("", "")
    series = Series(metric, None, 0, MINUTE, np.array(values, dtype=float))
    length = MINUTE * len(values)
    return float(datapoints([series], statistic, length, first=length, count=1)[0])
