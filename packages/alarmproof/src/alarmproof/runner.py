"""Running cases: each on the alarms it concerns, nothing else."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from xml.etree import ElementTree

from alarmproof import composites
from alarmproof.cases import NOBODY, Case, CaseSeries, Expectation
from alarmproof.errors import InputError, NotSupportedError
from alarmproof.evaluate import evaluate
from alarmproof.model import (
    AnyAlarm,
    CompositeAlarm,
    History,
    MetricAlarm,
    MetricKey,
    Notification,
    Series,
    State,
    Templates,
)
from alarmproof.notation import duration


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
        histories: of all alarms that were evaluated, by name.
    """

    case: Case
    alarm: AnyAlarm
    recording: InMemory
    histories: Mapping[str, History]
    failures: tuple[Failure, ...] = field(default=())

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


def _run(case: Case, templates: Templates) -> Outcome:
    alarm = templates.find(case.alarm)
    others = [templates.find(one.alarm) for one in case.expect if one.alarm]
    needed = _with_parts([alarm, *others], templates)
    metrics = sorted(
        {metric for one in needed if isinstance(one, MetricAlarm) for metric in one.metrics}
    )
    recording = InMemory(_recorded(case, metrics))
    end = case.interval * max(len(one.values) for one in case.series)
    initial = {one.name: case.initial for one in needed} if case.initial else {}
    histories = evaluate(needed, recording, start=0, end=end, initial=initial)
    failures = tuple(_failures(case, alarm, histories, templates))
    return Outcome(case, alarm, recording, histories, failures)


def _recorded(case: Case, metrics: Sequence[MetricKey]) -> dict[MetricKey, list[Series]]:
    found: dict[MetricKey, list[Series]] = {}
    lines: dict[tuple[MetricKey, str | None], int] = {}
    for one in case.series:
        metric = _metric(case, one, metrics)
        if (metric, one.statistic) in lines:
            raise InputError(
                f"{case.file}:{one.line}: '{one.metric}' has a series on line "
                f"{lines[metric, one.statistic]} already. Join them, or add their statistics."
            )
        lines[metric, one.statistic] = one.line
        made = Series(metric, one.statistic, 0, case.interval, one.values)
        found.setdefault(metric, []).append(made)
    return found


def _with_parts(alarms: Sequence[AnyAlarm], templates: Templates) -> list[AnyAlarm]:
    """Alarms, and all that their rules name."""
    by_name = {one.name: one for one in templates.alarms}
    found: dict[str, AnyAlarm] = {}
    pending = list(alarms)
    while pending:
        one = pending.pop()
        if one.name in found:
            continue
        found[one.name] = one
        if not isinstance(one, CompositeAlarm):
            continue
        try:
            composites.parse(one.rule)
        except NotSupportedError as error:
            raise NotSupportedError(f"{one.source}: {error}") from None
        pending += [by_name[name] for name in composites.parts(one) if name in by_name]
    return list(found.values())


def _metric(case: Case, series: CaseSeries, metrics: Sequence[MetricKey]) -> MetricKey:
    """The metric a series is of, among those that the alarm reads."""
    namespace, _, name = series.metric.strip().rpartition(" ")
    found = [
        one
        for one in metrics
        if (one.name == name or one.name.endswith(f"-{name}"))
        and namespace.strip() in ("", one.namespace)
        and (series.dimensions is None or dict(one.dimensions) == dict(series.dimensions))
    ]
    if len(found) == 1:
        return found[0]
    where = f"{case.file}:{series.line}: "
    if found:
        listed = "; ".join(map(str, found))
        raise InputError(f"{where}'{series.metric}' may be {listed}. Add its dimensions.")
    known = sorted({f"{one.namespace} {one.name}" for one in metrics})
    near = difflib.get_close_matches(name, [one.name for one in metrics], n=1, cutoff=0.8)
    hint = f"Did you mean {near[0]}?" if near else f"It reads {', '.join(known)}."
    if series.dimensions is not None and any(one.name == name for one in metrics):
        others = "; ".join(str(one) for one in metrics if one.name == name)
        hint = f"It has other dimensions: {others}."
    raise InputError(f"{where}the alarm '{case.alarm}' does not read '{series.metric}'. {hint}")


def _failures(
    case: Case, alarm: AnyAlarm, histories: Mapping[str, History], templates: Templates
) -> list[Failure]:
    failures: list[Failure] = []
    since: dict[str, int] = {}
    for one in case.expect:
        of = templates.find(one.alarm) if one.alarm else alarm
        history = histories[of.name]
        state = history.state(one.at)
        if state is not one.state:
            failures.append(
                Failure(one.at, of.name, f"be in {one.state}", f"is in {state}", one.line)
            )
        begin = since.get(of.name, -1)
        notes = [note for note in history.notifications if begin < note.at <= one.at]
        failures += _unmet(one, of.name, notes)
        since[of.name] = one.at
    if case.quiet:
        failures += _loud(case, histories[alarm.name])
    return failures


def _unmet(expectation: Expectation, alarm: str, notes: Sequence[Notification]) -> list[Failure]:
    """What the notifications since the expectation before lack, or have too many."""
    if expectation.notifies == (NOBODY,):
        notified = sorted({f"{note.action} of {note.state}" for note in notes})
        expected = [NOBODY] if notified else []
    else:
        notified = sorted({note.action for note in notes if note.state is expectation.state})
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


def junit(outcomes: Sequence[Outcome]) -> str:
    """The outcomes as JUnit XML, as continuous integration reads it."""
    failed = sum(not one.passed for one in outcomes)
    root = ElementTree.Element("testsuites", tests=str(len(outcomes)), failures=str(failed))
    files = dict.fromkeys(one.case.file for one in outcomes)
    for file in files:
        inside = [one for one in outcomes if one.case.file == file]
        suite = ElementTree.SubElement(
            root,
            "testsuite",
            name=file,
            tests=str(len(inside)),
            failures=str(sum(not one.passed for one in inside)),
        )
        for one in inside:
            case = ElementTree.SubElement(
                suite,
                "testcase",
                classname=one.alarm.name,
                name=one.case.title,
                file=file,
                line=str(one.case.line),
            )
            if not one.passed:
                text = "\n".join(f"line {two.line}: {two}" for two in one.failures)
                node = ElementTree.SubElement(case, "failure", message=str(one.failures[0]))
                node.text = text
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"
