"""What CloudWatch would have done: alarms on recorded series, their histories and notifications.

An alarm is evaluated at every full minute on the datapoints that end then; once an hour where
its periods together are more than a day. Source: CloudWatch user guide, "Alarm evaluation".
When a series begins late, everything before it is missing. The delay with which CloudWatch sees a
value is not modeled.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from alarmproof import composites, metric_math, series, states
from alarmproof.arrays import Times, Values
from alarmproof.errors import InputError, NotSupportedError
from alarmproof.expressions import Expression, compile_expression
from alarmproof.model import (
    AnyAlarm,
    Change,
    CompositeAlarm,
    History,
    MetricAlarm,
    Missing,
    Notification,
    OpaqueAlarm,
    Query,
    Recording,
    Series,
    State,
)

_MINUTE, _DAY = 60, 86_400
# Datapoints that are in memory at once.
_CHUNK = 400_000
_BANDS = {
    "LessThanLowerOrGreaterThanUpperThreshold": (True, True),
    "LessThanLowerThreshold": (True, False),
    "GreaterThanUpperThreshold": (False, True),
}
_BAND_STATISTICS = ("band-lower", "band-upper")
_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d+)?)")
_WORDS = {
    "GreaterThanThreshold": "greater than",
    "GreaterThanOrEqualToThreshold": "greater than or equal to",
    "LessThanThreshold": "less than",
    "LessThanOrEqualToThreshold": "less than or equal to",
    "LessThanLowerOrGreaterThanUpperThreshold": "outside of",
    "LessThanLowerThreshold": "below the lower end of",
    "GreaterThanUpperThreshold": "above the upper end of",
}


def evaluate(
    alarms: Sequence[AnyAlarm],
    recording: Recording,
    *,
    start: int,
    end: int,
    initial: Mapping[str, State] | None = None,
) -> dict[str, History]:
    """The history of each alarm between two times, by the alarm's name.

    Args:
        start: full minute; the first evaluation is a minute later.
        end: full minute of the last evaluation.
        initial: states at ``start``; INSUFFICIENT_DATA by default.

    Raises:
        NotSupportedError: When an alarm uses something unsupported.
        InputError: When a composite names an alarm that is not among ``alarms``.
    """
    initial = initial or {}
    _require_minutes(start, end)
    found: dict[str, History] = {}
    for alarm in alarms:
        if isinstance(alarm, OpaqueAlarm):
            _refuse(alarm)
        if isinstance(alarm, MetricAlarm):
            before = initial.get(alarm.name, State.INSUFFICIENT_DATA)
            found[alarm.name] = _history(alarm, recording, start, end, before)
    found |= composites.histories(
        [one for one in alarms if isinstance(one, CompositeAlarm)],
        found,
        start=start,
        end=end,
        initial=initial,
    )
    return {alarm.name: found[alarm.name] for alarm in alarms}


def datapoints(alarm: MetricAlarm, recording: Recording, *, start: int, end: int) -> Values:
    """What is compared with the threshold at each minute after ``start``, up to ``end``.

    Raises:
        NotSupportedError: When the alarm uses something unsupported.
    """
    _require_minutes(start, end)
    plan = _Plan.of(alarm, recording)
    count = (end - start) // _MINUTE
    if not plan.looks_back:
        return plan.along(start + _MINUTE, count)
    return np.concatenate(
        [values[:, -1] for _, values in plan.windows(_times(alarm, start, end, every=True))]
        or [np.empty(0)]
    )


def _refuse(alarm: AnyAlarm) -> None:
    if alarm.refusal:
        raise NotSupportedError(f"{alarm.source}: not evaluated, because {alarm.refusal}.")


def _require_minutes(start: int, end: int) -> None:
    if start % _MINUTE or end % _MINUTE or end < start:
        raise InputError(f"{start} to {end}: not full minutes in Unix seconds, in order.")


def _times(alarm: MetricAlarm, start: int, end: int, *, every: bool = False) -> Times:
    """When an alarm is evaluated."""
    seldom = alarm.period * alarm.evaluation_periods > _DAY and not every
    step = 3600 if seldom else _MINUTE
    return np.arange(-(-(start + 1) // step) * step, end + 1, step)


@dataclass(slots=True)
class _Plan:
    """How an alarm's datapoints are made: its queries compiled, their series at hand."""

    alarm: MetricAlarm
    metrics: dict[str, Sequence[Series]]
    expressions: dict[str, Expression]
    looks_back: bool
    # Of the last stretch that was asked for, by query and statistic.
    _kept: dict[tuple[str, str, int, int], Values] = field(default_factory=dict)

    @classmethod
    def of(cls, alarm: MetricAlarm, recording: Recording) -> _Plan:
        _refuse(alarm)
        if alarm.period < _MINUTE or alarm.period % _MINUTE:
            raise NotSupportedError(
                f"{alarm.source}: a period of {alarm.period} s is not supported; only full minutes."
            )
        for query in alarm.queries:
            if query.period is not None and query.period != alarm.period:
                raise NotSupportedError(
                    f"{alarm.source}: query '{query.id}' has another period ({query.period} s) "
                    f"than the alarm ({alarm.period} s), which is not supported."
                )
        try:
            expressions = {
                query.id: compile_expression(query.expression)
                for query in alarm.queries
                if query.expression is not None and query.id != alarm.band
            }
        except NotSupportedError as error:
            raise NotSupportedError(f"{alarm.source}: {error}") from None
        return cls(
            alarm=alarm,
            metrics={
                query.id: recording.series(query.metric) for query in alarm.queries if query.metric
            },
            expressions=expressions,
            looks_back=any(one.looks_back for one in expressions.values()),
        )

    def along(self, first: int, count: int) -> Values:
        """The datapoints that end at ``first``, ``first + 60``, …."""
        starts = first - self.alarm.period + _MINUTE * np.arange(count, dtype=float)
        made = {name: self._datapoints(self._query(name), first, count) for name in self.metrics}
        return np.broadcast_to(self._result(made, starts), (count,))

    def windows(self, times: Times, width: int | None = None) -> Iterator[tuple[Times, Values]]:
        """Times, and for each the datapoints of its evaluation range, the newest last."""
        alarm = self.alarm
        width = width or alarm.evaluation_periods + states.BEYOND
        back = (width - 1) * alarm.period
        offsets = np.arange(width) * alarm.period // _MINUTE
        rows = max(1, _CHUNK // width)
        for begin in range(0, len(times), rows):
            some = times[begin : begin + rows]
            first = int(some[0]) - back
            count = (int(some[-1]) - first) // _MINUTE + 1
            index = (some - int(some[0]))[:, None] // _MINUTE + offsets[None, :]
            if self.looks_back:
                made = {
                    name: self._datapoints(self._query(name), first, count)[index]
                    for name in self.metrics
                }
                starts = (first + _MINUTE * index - alarm.period).astype(float)
                values = np.broadcast_to(self._result(made, starts), index.shape)
            else:
                values = self.along(first, count)[index]
            yield some, values

    def band(self, times: Times) -> tuple[Values, Values]:
        """Lower and upper end of the anomaly band, for evaluation ranges like ``windows``."""
        alarm = self.alarm
        found = {one.statistic: one for name in self.metrics for one in self.metrics[name]}
        if not set(_BAND_STATISTICS) <= found.keys():
            raise NotSupportedError(
                f"{alarm.source}: an anomaly band has to be given as two series of the metric, "
                f"with the statistics {' and '.join(_BAND_STATISTICS)}."
            )
        width = alarm.evaluation_periods + states.BEYOND
        first = int(times[0]) - (width - 1) * alarm.period
        count = (int(times[-1]) - first) // _MINUTE + 1
        index = (times - int(times[0]))[:, None] // _MINUTE + (
            np.arange(width) * alarm.period // _MINUTE
        )
        lower, upper = (
            series.datapoints([found[name]], name, alarm.period, first=first, count=count)[index]
            for name in _BAND_STATISTICS
        )
        return lower, upper

    def _query(self, name: str) -> Query:
        return next(query for query in self.alarm.queries if query.id == name)

    def _datapoints(self, query: Query, first: int, count: int) -> Values:
        assert query.statistic is not None
        try:
            return series.datapoints(
                self.metrics[query.id],
                query.statistic,
                self.alarm.period,
                first=first,
                count=count,
            )
        except NotSupportedError as error:
            raise NotSupportedError(f"{self.alarm.source}: {error}") from None

    def _result(self, made: dict[str, Values], starts: Values) -> Values:
        """The returned query's values, after those it is made of."""
        pending: list[str] = []

        def value(name: str) -> Values:
            if name in made or name not in self.expressions:
                return made.get(name, np.array(np.nan))
            if name in pending:
                raise NotSupportedError(f"{self.alarm.source}: query '{name}' refers to itself.")
            pending.append(name)
            expression = self.expressions[name]
            for other in expression.ids & self.expressions.keys():
                value(other)
            context = metric_math.Context(made, tuple(self.metrics), starts, self.alarm.period)
            try:
                made[name] = metric_math.evaluate(expression, context)
            except NotSupportedError as error:
                raise NotSupportedError(f"{self.alarm.source}: {error}") from None
            return made[name]

        return value(self.alarm.returned)


def _history(
    alarm: MetricAlarm, recording: Recording, start: int, end: int, initial: State
) -> History:
    plan = _Plan.of(alarm, recording)
    times = _times(alarm, start, end)
    missing = alarm.missing
    if any(metric.namespace == "AWS/DynamoDB" for metric in alarm.metrics):
        # Source: CloudWatch API reference, PutMetricAlarm, TreatMissingData.
        missing = Missing.IGNORE
    changes: list[Change] = []
    state = initial
    for some, values in plan.windows(times):
        found = states.states(_codes(plan, some, values, missing), state)
        for index in np.flatnonzero(np.diff(found)):
            at, state = int(some[index]), states.STATES[int(found[index + 1])]
            changes.append(Change(at, state, _reason(alarm, at, state, values[index])))
    notifications = tuple(
        Notification(change.at, alarm.name, change.state, action)
        for change in changes
        for action in alarm.actions(change.state)
    )
    return History(alarm, start, end, initial, tuple(changes), notifications)


def _codes(plan: _Plan, times: Times, values: Values, missing: Missing) -> states.Codes:
    alarm = plan.alarm
    real = ~np.isnan(values)[:, ::-1]
    breaching = (_breaching(plan, times, values) & ~np.isnan(values))[:, ::-1]
    codes = states.verdicts(
        real, breaching, alarm.datapoints_to_alarm, alarm.evaluation_periods, missing
    )
    few = _too_few(plan, times)
    return codes if few is None else np.where(few, states.KEEP, codes).astype(np.int8)


def _breaching(plan: _Plan, times: Times, values: Values) -> states.Flags:
    alarm = plan.alarm
    with np.errstate(invalid="ignore"):
        if alarm.comparison in _BANDS:
            below, above = _BANDS[alarm.comparison]
            lower, upper = plan.band(times)
            return (below & (values < lower)) | (above & (values > upper))
        if alarm.comparison not in states.COMPARISONS or alarm.threshold is None:
            raise NotSupportedError(
                f"{alarm.source}: the comparison '{alarm.comparison}' is not supported."
            )
        return states.COMPARISONS[alarm.comparison](values, alarm.threshold)


def _too_few(plan: _Plan, times: Times) -> states.Flags | None:
    """Where a percentile has too few samples to be evaluated; None where that does not matter.

    Source: CloudWatch user guide, "Percentile-based alarms and low data samples".
    """
    alarm = plan.alarm
    query = alarm.queries[0]
    match = _PERCENTILE.fullmatch(query.statistic or "")
    if alarm.low_samples != "ignore" or not match:
        return None
    share = float(match[1]) / 100
    least = 10 / (1 - share) if share >= 0.5 else 10 / share
    first, count = int(times[0]), (int(times[-1]) - int(times[0])) // _MINUTE + 1
    samples = series.datapoints(
        plan.metrics[query.id], "SampleCount", alarm.period, first=first, count=count
    )
    few: states.Flags = np.nan_to_num(samples)[(times - times[0]) // _MINUTE] < least
    return few


def _reason(alarm: MetricAlarm, at: int, state: State, values: Values) -> str:
    """Why, in CloudWatch's manner: the newest datapoints that decided, and how they compare with
    the threshold.

    Args:
        values: of the evaluation range, the newest last.
    """
    n, m = alarm.evaluation_periods, alarm.datapoints_to_alarm
    there = np.flatnonzero(~np.isnan(values))[-n:]
    if not len(there):
        if state is State.INSUFFICIENT_DATA:
            return f"Insufficient Data: {n} datapoints were unknown."
        return f"Threshold Crossed: no datapoints were received in the last {n} periods."
    begins = at - alarm.period * (len(values) - there)
    shown = ", ".join(
        f"{values[index]:g} ({_written(int(begin))})"
        for index, begin in list(zip(there, begins, strict=True))[:-6:-1]
    )
    threshold = "the band" if alarm.band else f"the threshold ({alarm.threshold:g})"
    were = "were" if state is State.ALARM else "were not all"
    return (
        f"Threshold Crossed: {len(there)} of the last {n} datapoints [{shown}] {were} "
        f"{_WORDS[alarm.comparison]} {threshold}, of which {m} have to be for ALARM."
    )


def _written(at: int) -> str:
    return time.strftime("%d/%m/%y %H:%M:%S", time.gmtime(at))
