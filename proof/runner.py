"""Running cases: each on the alarms it concerns, nothing else."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from xml.etree import ElementTree

from errors import InputError
from proof import composites
from proof.cases import NOBODY, Case, CaseSeries
from proof.evaluate import evaluate
from proof.model import (
    AnyAlarm,
    History,
    MetricAlarm,
    MetricKey,
    NotSupportedError,
    Series,
    State,
    Templates,
)
from proof.notation import duration


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
        when = "in all its time" if self.at is None else f"at {duration(self.at)}"
        return f"{when} {self.alarm} should {self.expected}, but {self.actual}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a case.

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
        InputError: When a case names what is not there; with all such mistakes.
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
    recorded: dict[MetricKey, list[Series]] = {}
    for one in case.series:
        metric = _metric(case, one, metrics)
        recorded.setdefault(metric, []).append(
            Series(metric, one.statistic, 0, case.interval, one.values)
        )
    end = max(series.end for some in recorded.values() for series in some)
    initial = {one.name: case.initial for one in needed} if case.initial else {}
    recording = InMemory(recorded)
    histories = evaluate(needed, recording, start=0, end=end, initial=initial)
    failures = tuple(_failures(case, alarm, histories, templates))
    return Outcome(case, alarm, recording, histories, failures)


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
        if isinstance(one, MetricAlarm):
            continue
        try:
            names = set(composites.parse(one.rule)[1])
        except NotSupportedError as error:
            raise NotSupportedError(f"{one.source}: {error}") from None
        if one.suppressor:
            names.add(one.suppressor)
        pending += [by_name[name] for name in names if name in by_name]
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
        raise InputError(f"{where}'{series.metric}' may be {listed}. Say its dimensions.")
    known = sorted({f"{one.namespace} {one.name}" for one in metrics})
    near = difflib.get_close_matches(name, [one.name for one in metrics], n=1)
    hint = f"Did you mean {near[0]}?" if near else f"It reads {', '.join(known)}."
    if series.dimensions is not None and any(one.name == name for one in metrics):
        others = "; ".join(str(one) for one in metrics if one.name == name)
        hint = f"It has other dimensions: {others}."
    raise InputError(f"{where}the alarm '{case.alarm}' does not read '{series.metric}'. {hint}")


def _failures(
    case: Case, alarm: AnyAlarm, histories: Mapping[str, History], templates: Templates
) -> list[Failure]:
    found = []
    since: dict[str, int] = {}
    for one in case.expect:
        of = templates.find(one.alarm) if one.alarm else alarm
        history = histories[of.name]
        state = history.state(one.at)
        if state is not one.state:
            found.append(Failure(one.at, of.name, f"be in {one.state}", f"is in {state}", one.line))
        if one.notifies is not None:
            begin = since.get(of.name, -1)
            told = [
                note.action
                for note in history.notifications
                if begin < note.at <= one.at and note.state is one.state
            ]
            found += _untold(one.at, of.name, one.line, one.notifies, told)
        since[of.name] = one.at
    alarmed = [note for note in histories[alarm.name].notifications if note.state is State.ALARM]
    if case.quiet and alarmed:
        actual = f"told {alarmed[0].action} of ALARM at {duration(alarmed[0].at)}"
        found.append(Failure(None, alarm.name, "tell nobody", actual, case.line))
    return found


def _untold(
    at: int, alarm: str, line: int, expected: Sequence[str], told: Sequence[str]
) -> list[Failure]:
    actual = f"told {', '.join(sorted(set(told))) or NOBODY}"
    if list(expected) == [NOBODY]:
        return [Failure(at, alarm, "have told nobody", actual, line)] if told else []
    return [
        Failure(at, alarm, f"have told {name}", actual, line)
        for name in expected
        if not any(_is(name, action) for action in told)
    ]


def _is(name: str, action: str) -> bool:
    """Whether a topic is called so: in full, or by the last part of its name."""
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
