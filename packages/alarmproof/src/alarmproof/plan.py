"""How an alarm's datapoints are made: its queries compiled, their series at hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from alarmproof import clock, metric_math, series, states
from alarmproof.base.alarms import AnyAlarm, MetricAlarm, Query
from alarmproof.base.arrays import Times, Values
from alarmproof.base.errors import NotSupportedError
from alarmproof.base.expressions import Expression, compile_expression
from alarmproof.base.metric_data import Recording, Series
from alarmproof.evaluable import of_unit, require_periods, require_series, require_statistics

_MINUTE = 60
# How often an alarm with a period below a minute is evaluated AWS does not say; this is assumed.
_TEN_SECONDS = 10
# Datapoints that are in memory at once: of ranges one by one, and of ranges that overlap.
_CHUNK, _LINE = 100_000, 30_000

Indexes = NDArray[np.int64]


def refuse(alarm: AnyAlarm) -> None:
    """Raises the reason for which an alarm can't be evaluated, if there is one.

    Raises:
        NotSupportedError: When there is.
    """
    if alarm.refusal:
        raise NotSupportedError(f"{alarm.source}: not evaluated, because {alarm.refusal}.")


def evaluated_every(alarm: AnyAlarm) -> int:
    """Seconds between two evaluations of an alarm whose range is no more than a day."""
    high = isinstance(alarm, MetricAlarm) and alarm.period < _MINUTE
    return _TEN_SECONDS if high else _MINUTE


@dataclass(frozen=True, slots=True)
class Line:
    """Datapoints at all ends, each once, and the evaluation ranges among them.

    Attributes:
        first: the end of the first datapoint; the next one is ``Plan.every`` seconds later.
        ends: where the newest datapoint of each time's range is.
        stride: from one datapoint of a range to the next.
        width: datapoints of a range.
    """

    times: Times
    first: int
    values: Values
    ends: Indexes
    stride: int
    width: int

    def window(self, number: int) -> Values:
        """The datapoints of a time's range, the newest last."""
        index: Indexes = self.ends[number] + self.stride * np.arange(1 - self.width, 1)
        return self.values[index]


@dataclass(frozen=True)
class Plan:
    """How an alarm's datapoints are made."""

    alarm: MetricAlarm
    metrics: Mapping[str, Sequence[Series]]
    expressions: dict[str, Expression]
    looks_back: bool

    @classmethod
    def of(cls, alarm: MetricAlarm, recording: Recording) -> Plan:
        """The plan of an alarm.

        Raises:
            NotSupportedError: When it uses something unsupported.
        """
        refuse(alarm)
        try:
            expressions = {
                query.id: compile_expression(query.expression)
                for query in alarm.queries
                if query.expression is not None and query.id != alarm.band
            }
            require_series(alarm, expressions)
            used = _used(alarm, expressions)
            require_periods(alarm, used)
            metrics = {
                query.id: of_unit(query, recording.series(query.metric))
                for query in alarm.queries
                if query.metric and query.id in used
            }
            require_statistics(alarm, metrics)
        except NotSupportedError as error:
            raise NotSupportedError(f"{alarm.source}: {error}") from None
        return cls(
            alarm=alarm,
            metrics=metrics,
            expressions={name: expressions[name] for name in expressions if name in used},
            looks_back=any(expressions[name].looks_back for name in expressions if name in used),
        )

    @property
    def every(self) -> int:
        """Seconds between two evaluations."""
        return evaluated_every(self.alarm)

    @property
    def overlaps(self) -> bool:
        """Whether a datapoint is the same in each evaluation range that has it."""
        return not self.looks_back and self.alarm.wall_clock is None

    @property
    def _width(self) -> int:
        return self.alarm.evaluation_periods + states.BEYOND

    def lines(self, times: Times) -> Iterator[Line]:
        """Times with the datapoints of their evaluation ranges, where these overlap."""
        width, stride = self._width, self.alarm.period // self.every
        apart = int(times[1] - times[0]) // self.every if len(times) > 1 else 1
        rows = max(1, _LINE // apart)
        for begin in range(0, len(times), rows):
            some = times[begin : begin + rows]
            first = int(some[0]) - (width - 1) * self.alarm.period
            ends = (some - first) // self.every
            yield Line(some, first, self.along(first, int(ends[-1]) + 1), ends, stride, width)

    def along(self, first: int, count: int) -> Values:
        """The datapoints that end at ``first``, ``first + every``, …."""
        starts = first - self.alarm.period + self.every * np.arange(count, dtype=float)
        made = {name: self._datapoints(name, first, count) for name in self.metrics}
        return np.broadcast_to(self._result(made, starts), (count,))

    def windows(self, times: Times) -> Iterator[tuple[Times, Values]]:
        """Times, and for each the datapoints of its evaluation range, the newest last.

        For alarms whose ranges do not overlap.
        """
        width = self._width
        rows = max(1, _CHUNK // width)
        for begin in range(0, len(times), rows):
            some = times[begin : begin + rows]
            if self.alarm.wall_clock is not None:
                yield some, self._by_the_clock(some, width)
                continue
            first, count, index = self._grid(some)
            made = {name: self._datapoints(name, first, count)[index] for name in self.metrics}
            starts = (first + self.every * index - self.alarm.period).astype(float)
            yield some, np.broadcast_to(self._result(made, starts), index.shape)

    def _grid(self, times: Times) -> tuple[int, int, Indexes]:
        """First end, count of ends, and the index of each datapoint of each time."""
        every, period, width = self.every, self.alarm.period, self._width
        first = int(times[0]) - (width - 1) * period
        count = (int(times[-1]) - first) // every + 1
        offsets = np.arange(width) * period // every
        index = (times - int(times[0]))[:, None] // every + offsets[None, :]
        return first, count, index

    def _by_the_clock(self, times: Times, width: int) -> Values:
        """Of complete calendar periods: those that ended last before each time.

        Source: CloudWatch user guide, "Alarm evaluation window".
        """
        alarm = self.alarm
        assert alarm.wall_clock is not None
        zone = clock.zone(alarm.wall_clock)
        longest = alarm.period + 3600
        ends = np.array(
            clock.boundaries(
                alarm.period, zone, int(times[0]) - (width + 1) * longest, int(times[-1])
            )
        )
        lengths = np.diff(ends)
        made = {name: self._of_periods(name, ends[1:], lengths) for name in self.metrics}
        newest = np.searchsorted(ends[1:], times, side="right") - 1
        index = newest[:, None] - np.arange(width)[::-1][None, :]
        starts = ends[:-1][index].astype(float)
        chosen = {name: values[index] for name, values in made.items()}
        return np.broadcast_to(self._result(chosen, starts), index.shape)

    def _of_periods(self, name: str, ends: Times, lengths: Times) -> Values:
        """Datapoints of periods of given ends and lengths; days of a clock change differ."""
        values = np.full(len(ends), np.nan)
        first, count = int(ends[0]), (int(ends[-1]) - int(ends[0])) // _MINUTE + 1
        query = self._query(name)
        for length in np.unique(lengths):
            at = np.flatnonzero(lengths == length)
            every = self._statistic(query, first, count, int(length), _MINUTE)
            values[at] = every[(ends[at] - first) // _MINUTE]
        return values

    def band(self, first: int, count: int) -> tuple[Values, Values]:
        """Lower and upper end of the anomaly band of datapoints that end like ``along``'s."""
        alarm = self.alarm
        recorded = {
            series.statistic: series for name in self.metrics for series in self.metrics[name]
        }
        if not set(series.BAND_STATISTICS) <= recorded.keys() or alarm.wall_clock is not None:
            ends = " and ".join(series.BAND_STATISTICS)
            raise NotSupportedError(
                f"{alarm.source}: an anomaly band has to be given as two series of the metric, "
                f"with the statistics {ends}, and needs a sliding window."
            )
        lower, upper = (
            series.datapoints(
                [recorded[name]], name, alarm.period, first=first, count=count, every=self.every
            )
            for name in series.BAND_STATISTICS
        )
        return lower, upper

    def bands(self, times: Times) -> tuple[Values, Values]:
        """The same of the evaluation ranges that ``windows`` has."""
        first, count, index = self._grid(times)
        lower, upper = self.band(first, count)
        return lower[index], upper[index]

    def sample_counts(self, times: Times) -> Values:
        """Samples of the first query's newest datapoint at each time."""
        first, every = int(times[0]), self.every
        count = (int(times[-1]) - first) // every + 1
        samples = series.datapoints(
            self.metrics[self.alarm.queries[0].id], "SampleCount", self.alarm.period,
            first=first, count=count, every=every,
        )  # fmt: skip
        return samples[(times - first) // every]

    def _query(self, name: str) -> Query:
        return self._queries[name]

    @cached_property
    def _queries(self) -> dict[str, Query]:
        return {query.id: query for query in self.alarm.queries}

    def _datapoints(self, name: str, first: int, count: int) -> Values:
        return self._statistic(self._query(name), first, count, self.alarm.period, self.every)

    def _statistic(self, query: Query, first: int, count: int, period: int, every: int) -> Values:
        assert query.statistic is not None
        try:
            return series.datapoints(
                self.metrics[query.id], query.statistic, period,
                first=first, count=count, every=every,
            )  # fmt: skip
        except NotSupportedError as error:
            raise NotSupportedError(f"{self.alarm.source}: {error}") from None

    def _result(self, made: dict[str, Values], starts: Values) -> Values:
        """The returned query's values, after those it is made of."""
        pending: list[str] = []
        ids = tuple(query.id for query in self.alarm.queries if query.id in self.metrics)

        def value(name: str) -> Values:
            if name in made or name not in self.expressions:
                return made.get(name, np.array(np.nan))
            if name in pending:
                raise NotSupportedError(f"{self.alarm.source}: query '{name}' refers to itself.")
            pending.append(name)
            expression = self.expressions[name]
            for other in sorted(expression.ids & self.expressions.keys()):
                value(other)
            context = metric_math.Context(
                made, ids, starts, self.alarm.period, self.alarm.evaluation_periods
            )
            try:
                made[name] = metric_math.evaluate(expression, context)
            except NotSupportedError as error:
                raise NotSupportedError(f"{self.alarm.source}: {error}") from None
            return made[name]

        return value(self.alarm.returned)


def _used(alarm: MetricAlarm, expressions: dict[str, Expression]) -> set[str]:
    """The queries that the returned one is made of, itself among them; all with ``METRICS()``."""
    used: set[str] = set()
    pending = [alarm.returned]
    while pending:
        name = pending.pop()
        if name in used:
            continue
        used.add(name)
        expression = expressions.get(name)
        if expression is None:
            continue
        pending += sorted(expression.ids)
        if "METRICS" in expression.text:
            pending += [query.id for query in alarm.queries if query.metric]
    return used
