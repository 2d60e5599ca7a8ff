"""``alarmproof init``: a firing, a silent and a gap case for each alarm, as a file to begin with.

Values are found by trying; what is expected is what the evaluator says, so every case holds.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from alarmproof import states
from alarmproof.base import composites
from alarmproof.base.alarms import AnyAlarm, MetricAlarm, Query, State
from alarmproof.base.arrays import Values
from alarmproof.base.definitions import Templates
from alarmproof.base.errors import InputError, NotSupportedError
from alarmproof.base.expressions import Node, tree_of, walk
from alarmproof.base.history import History
from alarmproof.base.metric_data import MetricKey, Series
from alarmproof.evaluate import evaluate
from alarmproof.notation import LARGEST, duration
from alarmproof.runner import InMemory

# Combinations of values that are tried for one alarm.
_MOST_TRIED = 1_500
_SAMPLES = 100_000.0
# Changes from sample to sample that are tried where no value that stays fires.
_SLOPES = (1.0, -1.0, 100.0, -100.0, 10_000.0, -10_000.0)
_ALIGNED = 345_600  # Monday, 1970-01-05: a boundary of every calendar period
_BAND = {"band-lower": 0.0, "band-upper": 10.0}

# A series that an alarm reads: a metric and its statistic.
Read = tuple[MetricKey, str]
Levels = Mapping[Read, float]


@dataclass(frozen=True, slots=True)
class _Phase:
    """Some periods in which each series has one value, or rises or falls; NaN is missing.

    Attributes:
        levels: of the first sample.
        slopes: by which a series changes from sample to sample; 0 where it has none.
    """

    levels: Levels
    periods: int
    slopes: Levels = field(default_factory=dict)

    def values(self, read: Read, samples: int) -> Values:
        """A series' samples."""
        steps = np.arange(samples, dtype=np.float64)
        return np.array(self.levels[read] + self.slopes.get(read, 0.0) * steps, np.float64)


def text(templates: Templates) -> tuple[str, list[str]]:
    """A case file for all alarms, and a sentence for each case that could not be found.

    Raises:
        InputError: When no alarm can be evaluated.
    """
    cases: list[str] = []
    lacking: list[str] = []
    for alarm in templates.alarms:
        try:
            made, missing = _Search(alarm, templates).cases()
        except (NotSupportedError, InputError) as error:
            lacking.append(f"{alarm.name}: no cases: {error}")
            continue
        cases += made
        lacking += missing
    if not cases:
        raise InputError("\n".join(["No alarm to write a case for.", *lacking]))
    return "cases:\n" + "".join(cases), lacking


class _Search:
    """Finds the cases of one alarm."""

    def __init__(self, alarm: AnyAlarm, templates: Templates) -> None:
        self._alarm = alarm
        self._needed = composites.with_parts([alarm], templates.alarms)
        metric_alarms = [alarm for alarm in self._needed if isinstance(alarm, MetricAlarm)]
        # The parts of a composite alarm may have different periods.
        self._period = math.lcm(*(alarm.period for alarm in metric_alarms)) or 60
        self._periods = dict(
            sorted(
                ((read, period) for alarm in metric_alarms for read, period in _periods(alarm)),
                key=lambda entry: -entry[1],
            )
        )
        self._longest = max(
            (
                -(-alarm.period * alarm.evaluation_periods // self._period)
                for alarm in metric_alarms
            ),
            default=1,
        )
        self._reads = list(dict.fromkeys(read for alarm in metric_alarms for read in _reads(alarm)))
        self._tried = {read: _candidates(read, metric_alarms) for read in self._reads}
        self._clock = any(alarm.wall_clock for alarm in metric_alarms)

    def cases(self) -> tuple[list[str], list[str]]:
        """Cases, and what is lacking."""
        before = self._longest + states.BEYOND
        firing = self._firing(before)
        silent = self._levels(State.OK, beside=firing.levels if firing else None)
        lines: list[str] = []
        lacking: list[str] = []
        if silent is None:
            return [], [f"{self._alarm.name}: no values were found at which it is OK."]
        if firing is None:
            lacking.append(f"{self._alarm.name}: no values were found at which it fires.")
        else:
            fires = [_Phase(silent, before), firing]
            lines.append(self._case("firing", "fires", fires))
        # What was before the first period is missing, so the first half may begin with a change.
        lines.append(self._case("silent", "is silent", [_Phase(silent, before)] * 2))
        nothing = dict.fromkeys(self._reads, np.nan)
        gap = [_Phase(silent, before), _Phase(nothing, before), _Phase(silent, 1)]
        lines.append(self._case("gap", "when its data stops and comes back", gap))
        return lines, lacking

    def _firing(self, periods: int) -> _Phase | None:
        """A phase at whose end it is in ALARM: of values that stay, or else of one that changes."""
        levels = self._levels(State.ALARM)
        if levels is not None:
            return _Phase(levels, periods)
        if not any(map(_looks_back, self._needed)):
            return None
        zeros = dict.fromkeys(self._reads, 0.0)
        for read, slope in itertools.product(self._reads, _SLOPES):
            samples = periods * (self._period // self._periods[read])
            start = max(-slope * samples, 0.0)
            phase = _Phase({**zeros, read: start}, periods, {read: slope})
            history = self._history([phase])
            if history.state(history.end) is State.ALARM:
                return phase
        return None

    def _levels(self, wanted: State, beside: Levels | None = None) -> Levels | None:
        """Values at which the alarm ends in a state and stays there.

        Args:
            beside: values of which those that differ in one series are tried first.
        """
        known = beside or {}
        traffic = {read for alarm in self._needed for read in _traffic(alarm)}
        near = (
            {**known, read: value}
            for read in sorted(self._reads, key=traffic.__contains__)
            for value in self._tried[read]
            if known
        )
        others = (
            dict(zip(self._tried, values, strict=True))
            for values in itertools.product(*self._tried.values())
        )
        for levels in itertools.islice(itertools.chain(near, others), _MOST_TRIED):
            history = self._history([_Phase(levels, self._longest + states.BEYOND)])
            if history.state(history.end) is wanted:
                return levels
        return None

    def _history(self, phases: Sequence[_Phase]) -> History:
        origin = _ALIGNED if self._clock else 0
        series: dict[MetricKey, list[Series]] = {}
        for read in self._reads:
            each = self._period // self._periods[read]
            values = np.concatenate([phase.values(read, each * phase.periods) for phase in phases])
            made = Series(read[0], read[1], origin, self._periods[read], values)
            series.setdefault(read[0], []).append(made)
        # In whole tens of seconds, so that the evaluation is what refuses another period.
        end = origin + math.ceil(self._period * sum(phase.periods for phase in phases) / 10) * 10
        initial = {alarm.name: State.OK for alarm in self._needed}
        histories = evaluate(self._needed, InMemory(series), start=origin, end=end, initial=initial)
        return histories[self._alarm.name]

    def _case(self, kind: str, title: str, phases: Sequence[_Phase]) -> str:
        history = self._history(phases)
        lines = [
            f"  - title: {json.dumps(f'{self._alarm.name} {title}')}",
            f"    alarm: {json.dumps(self._alarm.name)}",
            f"    kind: {kind}",
            "    initial: OK",
            f"    interval: {duration(self._period).replace(' ', '')}",
        ]
        if self._clock:
            start = datetime.fromtimestamp(_ALIGNED, UTC).isoformat()
            lines.append(f'    start: "{start}"')
        lines.append("    series:")
        lines += [f"      - {self._series(read, phases)}" for read in self._reads]
        lines += self._expected(history, phases)
        return "\n".join(lines) + "\n"

    def _expected(self, history: History, phases: Sequence[_Phase]) -> Iterator[str]:
        quiet = not any(note.state is State.ALARM for note in history.notifications)
        fires = any(change.state is State.ALARM for change in history.changes)
        if quiet and not (fires and not self._alarm.actions(State.ALARM)):
            yield "    quiet: true"
        yield "    expect:"
        at, since = 0, -1
        for phase in phases:
            at += phase.periods * self._period
            state = history.state(history.start + at)
            moment = history.start + at
            names = [
                note.action
                for note in history.notifications
                if note.state is state and note.within(since, moment)
            ]
            anybody = any(note.within(since, moment) for note in history.notifications)
            since = moment
            notified = sorted(set(names)) or ([] if anybody else ["nobody"])
            notifies = f", notifies: {json.dumps(notified)}" if notified else ""
            yield f"      - {{at: {duration(at).replace(' ', '')}, state: {state}{notifies}}}"

    def _series(self, read: Read, phases: Sequence[_Phase]) -> str:
        metric, statistic = read
        own = self._periods[read]
        each = self._period // own
        values = " ".join(
            _written(phase.levels[read], each * phase.periods, phase.slopes.get(read, 0.0))
            for phase in phases
        )
        parts = [
            f"metric: {json.dumps(f'{metric.namespace} {metric.name}')}",
            f"dimensions: {json.dumps(dict(metric.dimensions))}",
            *([f"account: {json.dumps(metric.account)}"] if metric.account else []),
            f"statistic: {json.dumps(statistic)}",
            *([f"interval: {duration(own).replace(' ', '')}"] if each > 1 else []),
            f'values: "{values}"',
        ]
        return f"{{{', '.join(parts)}}}"


def _reads(alarm: MetricAlarm) -> Iterator[Read]:
    yield from (read for read, _ in _periods(alarm))


def _periods(alarm: MetricAlarm) -> Iterator[tuple[Read, int]]:
    """What an alarm reads, with the period."""
    for query in alarm.queries:
        if query.metric is None or query.statistic is None:
            continue
        period = query.period or alarm.period
        yield (query.metric, query.statistic), period
        if alarm.band:
            yield from (((query.metric, name), period) for name in _BAND)
        if alarm.low_samples == "ignore" and query.statistic.startswith("p"):
            yield (query.metric, "SampleCount"), period


def _candidates(read: Read, alarms: Sequence[MetricAlarm]) -> list[float]:
    """Values to try for a series: around the thresholds of the alarms that read it."""
    _, statistic = read
    if statistic in _BAND:
        return [_BAND[statistic]]
    if statistic == "SampleCount" and any(_asks(alarm, read) is None for alarm in alarms):
        return [_SAMPLES]
    mine = [alarm for alarm in alarms if _asks(alarm, read)]
    thresholds = [alarm.threshold for alarm in mine if alarm.threshold is not None]
    if any(alarm.band for alarm in mine):
        return [5.0, 25.0, -25.0]
    candidates = [0.0]
    for threshold in thresholds:
        step = abs(threshold) or 1.0
        candidates += [threshold + step, threshold, threshold - step / 2]
    candidates += [1.0, 100.0, 10_000.0]
    usable = (round(value, 6) for value in candidates if abs(value) < LARGEST)
    return list(dict.fromkeys(usable))


def _asks(alarm: MetricAlarm, read: Read) -> Query | None:
    return next((query for query in alarm.queries if (query.metric, query.statistic) == read), None)


def _nodes(alarm: AnyAlarm) -> Iterator[Node]:
    """All parts of an alarm's expressions."""
    for query in alarm.queries if isinstance(alarm, MetricAlarm) else ():
        tree = tree_of(query.expression)
        yield from walk(tree) if tree else ()


def _looks_back(alarm: AnyAlarm) -> bool:
    """Whether a value depends on those before it, as a rate does."""
    return any(node.kind == "call" and node.value in ("RATE", "DIFF") for node in _nodes(alarm))


def _traffic(alarm: AnyAlarm) -> Iterator[Read]:
    """The series of which an alarm takes a share: what it divides by, or asks for first."""
    parts = [
        node.parts[node.value == "/"] for node in _nodes(alarm) if node.value in ("/", "IF")
    ]  # fmt: skip
    ids = {node.value for part in parts for node in walk(part) if node.kind == "name"}
    for query in alarm.queries if isinstance(alarm, MetricAlarm) else ():
        if query.id in ids and query.metric and query.statistic:
            yield query.metric, query.statistic


def _written(value: float, periods: int, slope: float = 0.0) -> str:
    if np.isnan(value):
        return f"_x{periods}"
    number = np.format_float_positional(value, trim="-")
    if periods == 1:
        return number
    step = np.format_float_positional(slope, trim="-", sign=True) if slope else ""
    return f"{number}{step}x{periods - 1}"
