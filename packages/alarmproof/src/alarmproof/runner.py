"""Running cases: each on the alarms it concerns, nothing else."""

from __future__ import annotations

import dataclasses
import difflib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from alarmproof.base import composites
from alarmproof.base.alarms import AnyAlarm, MetricAlarm, State
from alarmproof.base.definitions import Templates
from alarmproof.base.errors import InputError
from alarmproof.base.history import History, Notification
from alarmproof.base.metric_data import MetricKey, Series
from alarmproof.cases import NOBODY, Case, CaseSeries, Expectation
from alarmproof.evaluate import datapoints, evaluate
from alarmproof.notation import duration
from alarmproof.plan import evaluated_every


@dataclass(frozen=True, slots=True)
class InMemory:
    """A recording of a few series."""

    by_metric: Mapping[MetricKey, Sequence[Series]]

    def series(self, metric: MetricKey) -> Sequence[Series]:
        return self.by_metric.get(metric, ())


@dataclass(frozen=True, slots=True)
class Failure:
    """An expectation that was not met.

    Attributes:
        at: seconds since the first sample; None for one of the whole case.
    """

    at: int | None
    alarm: str
    expected: str
    actual: str
    line: int

    def __str__(self) -> str:
        when = "at any time" if self.at is None else f"at {duration(self.at)}"
        return f"{when} {self.alarm} should {self.expected}, but {self.actual}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a case.

    Attributes:
        alarm: the one it is about.
        histories: of all alarms that were evaluated, by name; times are seconds since the first
            sample.
        origin: of the first sample, Unix seconds; the recording's times are these.
        notes: what was assumed.
    """

    case: Case
    alarm: AnyAlarm
    recording: InMemory
    histories: Mapping[str, History]
    failures: tuple[Failure, ...] = ()
    origin: int = 0
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        return not self.failures


def run(cases: Sequence[Case], templates: Templates) -> list[Outcome]:
    """Runs every case.

    Raises:
        InputError: When a case names an unknown alarm or metric; with all such mistakes.
    """
    outcomes, problems = [], []
    for case in cases:
        try:
            outcomes.append(_run(case, templates))
        except InputError as error:
            text = str(error)
            prefix = f"{case.file}:"
            problems.append(text if text.startswith(prefix) else f"{prefix}{case.line}: {text}")
    if problems:
        raise InputError("\n".join(problems))
    return outcomes


def selected(cases: Sequence[Case], words: str) -> list[Case]:
    """The cases whose title or alarm has some words in it, whatever their case.

    Raises:
        InputError: When none has.
    """
    wanted = words.lower()
    chosen = [case for case in cases if wanted in f"{case.alarm} {case.title}".lower()]
    if not chosen:
        raise InputError(f"-k '{words}': no case has this in its title or its alarm's name.")
    return chosen


def _run(case: Case, templates: Templates) -> Outcome:
    alarm = templates.find(case.alarm)
    others = [templates.find(expectation.alarm) for expectation in case.expect if expectation.alarm]
    needed = composites.with_parts([alarm, *others], templates.alarms)
    metrics = list(dict.fromkeys(metric for alarm in needed for metric in alarm.metrics))
    origin = _origin(case, needed)
    notes = list(_impossible(needed))
    recording = InMemory(_recorded(case, metrics, origin, notes))
    initial = {alarm.name: case.initial for alarm in needed} if case.initial else {}
    absolute = evaluate(
        needed, recording, start=origin, end=origin + case.end, initial=initial,
        mute_rules=templates.mute_rules,
    )  # fmt: skip
    histories = {name: _since(history, origin) for name, history in absolute.items()}
    outcome = Outcome(case, alarm, recording, histories, origin=origin, notes=tuple(notes))
    return dataclasses.replace(outcome, failures=tuple(_failures(outcome, templates)))


def _impossible(alarms: Sequence[AnyAlarm]) -> Iterator[str]:
    """What is evaluated although CloudWatch would refuse it."""
    for alarm in alarms:
        if isinstance(alarm, MetricAlarm) and alarm.datapoints_to_alarm > alarm.evaluation_periods:
            yield (
                f"{alarm.name} never fires: {alarm.datapoints_to_alarm} of "
                f"{alarm.evaluation_periods} datapoints are impossible, and CloudWatch refuses it."
            )


def _origin(case: Case, alarms: Sequence[AnyAlarm]) -> int:
    """When the first sample begins, in Unix seconds.

    Where nothing says it, the epoch's midnight. With a wall clock window it is a minute later, so
    that the sample number N is that of minute N, and the sixtieth begins the next hour.
    """
    if case.start is not None:
        return case.start
    return 60 * any(isinstance(alarm, MetricAlarm) and alarm.wall_clock for alarm in alarms)


def _since(history: History, origin: int) -> History:
    """A history whose times are seconds since the first sample."""
    if not origin:
        return history
    return dataclasses.replace(
        history,
        start=history.start - origin,
        end=history.end - origin,
        changes=tuple(
            dataclasses.replace(change, at=change.at - origin) for change in history.changes
        ),
        notifications=tuple(
            dataclasses.replace(
                note, at=note.at - origin, until=None if note.until is None else note.until - origin
            )
            for note in history.notifications
        ),
    )


def _recorded(
    case: Case, metrics: Sequence[MetricKey], origin: int, notes: list[str]
) -> dict[MetricKey, list[Series]]:
    by_metric: dict[MetricKey, list[Series]] = {}
    lines: dict[tuple[MetricKey, str | None, str | None], int] = {}
    for series in case.series:
        metric = _metric(case, series, metrics, notes)
        kind = metric, series.statistic, series.unit
        if kind in lines:
            raise InputError(
                f"{case.file}:{series.line}: '{series.metric}' has a series on line "
                f"{lines[kind]} already. Join them, or add their statistics."
            )
        lines[kind] = series.line
        made = Series(metric, series.statistic, origin, series.interval, series.values, series.unit)
        by_metric.setdefault(metric, []).append(made)
    return by_metric


def _metric(
    case: Case, series: CaseSeries, metrics: Sequence[MetricKey], notes: list[str]
) -> MetricKey:
    """The metric a series is of, among those that the alarm reads."""
    namespace, _, name = series.metric.strip().rpartition(" ")
    matching = [
        metric
        for metric in metrics
        if (metric.name == name or metric.name.endswith(f"-{name}"))
        and namespace.strip() in ("", metric.namespace)
        and (series.dimensions is None or dict(metric.dimensions) == dict(series.dimensions))
        and series.account in (None, metric.account)
    ]
    if len(matching) == 1:
        return matching[0]
    where = f"{case.file}:{series.line}: "
    if len({(metric.namespace, metric.name, metric.dimensions) for metric in matching}) == 1:
        others = ", ".join(metric.account or "the alarm's own" for metric in matching[1:])
        notes.append(
            f"{where}'{series.metric}' is taken for that of account "
            f"{matching[0].account or 'of the alarm'}; {others} has no data. Write account: to "
            "choose."
        )
        return matching[0]
    if matching:
        listed = "; ".join(map(str, matching))
        raise InputError(f"{where}'{series.metric}' may be {listed}. Add its dimensions.")
    known = sorted({f"{metric.namespace} {metric.name}" for metric in metrics})
    near = difflib.get_close_matches(name, [metric.name for metric in metrics], n=1, cutoff=0.8)
    hint = f"Did you mean {near[0]}?" if near else f"It reads {', '.join(known)}."
    if series.dimensions is not None and any(metric.name == name for metric in metrics):
        others = "; ".join(str(metric) for metric in metrics if metric.name == name)
        hint = f"It has other dimensions: {others}."
    raise InputError(f"{where}the alarm '{case.alarm}' does not read '{series.metric}'. {hint}")


def _failures(outcome: Outcome, templates: Templates) -> Iterator[Failure]:
    since: dict[str, int] = {}
    for expectation in outcome.case.expect:
        of = templates.find(expectation.alarm) if expectation.alarm else outcome.alarm
        history = outcome.histories[of.name]
        state = history.state(expectation.at)
        if expectation.state is not None and state is not expectation.state:
            yield Failure(
                expectation.at,
                of.name,
                f"be in {expectation.state}",
                f"is in {state}",
                expectation.line,
            )
        yield from _wrong_values(outcome, of, expectation)
        begin = since.get(of.name, -1)
        notes = [note for note in history.notifications if note.within(begin, expectation.at)]
        yield from _unmet(expectation, of.name, notes, state)
        since[of.name] = expectation.at
    if outcome.case.quiet:
        yield from _loud(outcome.case, outcome.histories[outcome.alarm.name])


def _wrong_values(outcome: Outcome, alarm: AnyAlarm, expected: Expectation) -> Iterator[Failure]:
    """The numbers that are not what they should be."""
    for name, number in expected.values.items():
        actual = _value(outcome, alarm, name, expected)
        same = (
            math.isnan(actual) if math.isnan(number) else math.isclose(actual, number, rel_tol=1e-6)
        )
        if not same:
            what = f"have {name or 'the compared value'} at {_number(number)}"
            yield Failure(expected.at, alarm.name, what, f"has {_number(actual)}", expected.line)


def _value(outcome: Outcome, alarm: AnyAlarm, name: str, expected: Expectation) -> float:
    where = f"{outcome.case.file}:{expected.line}: "
    if not isinstance(alarm, MetricAlarm):
        raise InputError(f"{where}'{alarm.name}' has no values, because it is not on metrics.")
    ids = [query.id for query in alarm.queries]
    if name and name not in ids:
        raise InputError(f"{where}'{alarm.name}' has no query '{name}'; it has {', '.join(ids)}.")
    if name:
        alarm = dataclasses.replace(alarm, returned=name, band=None)
    at = outcome.origin + expected.at
    points = datapoints(alarm, outcome.recording, start=at - evaluated_every(alarm), end=at)
    return float(points[-1]) if len(points) else math.nan


def _number(value: float) -> str:
    return "missing" if math.isnan(value) else f"{value:g}"


def _unmet(
    expectation: Expectation, alarm: str, notes: Sequence[Notification], state: State
) -> list[Failure]:
    """What the notifications since the expectation before lack, or have too many."""
    if expectation.notifies == (NOBODY,):
        notified = sorted({f"{note.action} of {note.state}" for note in notes})
        expected = [NOBODY] if notified else []
    else:
        announced = expectation.state or state
        notified = sorted({note.action for note in notes if note.state is announced})
        expected = [
            name
            for name in expectation.notifies or ()
            if not any(_is(name, action) for action in notified)
        ]
    actual = f"notified {', '.join(notified) or NOBODY}"
    return [
        Failure(expectation.at, alarm, f"have notified {name}", actual, expectation.line)
        for name in expected
    ]


def _loud(case: Case, history: History) -> list[Failure]:
    """The failures of a quiet case."""
    name = history.alarm.name
    if not history.alarm.actions(State.ALARM):
        expected = "never be in ALARM"
        reasons = [f"is at {duration(begin)}" for begin, _ in history.in_alarm()]
    else:
        expected = "never notify anybody of ALARM"
        notes = [note for note in history.notifications if note.state is State.ALARM]
        reasons = [f"notified {note.action} at {duration(note.at)}" for note in notes]
    return [Failure(None, name, expected, actual, case.line) for actual in reasons[:1]]


def _is(name: str, action: str) -> bool:
    """Whether a topic has the name, in full or as the last part of its own."""
    name, action = name.lower(), action.lower()
    return action == name or action.endswith(f"-{name}")
