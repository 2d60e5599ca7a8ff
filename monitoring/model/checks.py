"""Checks of a whole catalog: every problem of every definition, in one list."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from monitoring.model import value_types
from monitoring.model.catalog import Catalog
from monitoring.model.dashboards import UNITS
from monitoring.model.datadog import FUNCTIONS, WINDOWS, BurnRate, DatadogMonitor, Objective
from monitoring.model.expressions import syntax_problem
from monitoring.model.signals import (
    Comparison,
    Composite,
    Kind,
    Query,
    Signal,
    Threshold,
    variables,
)

_DAY = 86_400
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
# Source: CloudWatch user guide, "Metric math": ids begin with a lower-case letter.
_QUERY_ID = re.compile(r"[a-z][a-zA-Z0-9_]*")
_STATISTIC = re.compile(
    r"Sum|Average|Minimum|Maximum|SampleCount|p\d{1,2}(\.\d+)?"
    r"|PR\((\d+(\.\d+)?)?:(\d+(\.\d+)?|\{[a-z_.]+\})?\)"
)
_UNITS = ("Count", "Milliseconds", "Percent", "Seconds")


@dataclass(frozen=True, slots=True)
class _Names:
    """The ids of all definitions, also of those that nothing else can be read of."""

    signals: list[str]
    composites: list[str]
    monitors: list[str]
    objectives: list[str]


def problems(catalog: Catalog, runbook: Path) -> list[str]:
    """Everything that is wrong with the definitions; each problem names its definition.

    Values of the wrong type come first: nothing else is said of such a definition.

    Args:
        runbook: the Markdown file whose second-level headings the definitions lead to.
    """
    faults = [f"catalog: {problem}" for problem in value_types.problems(catalog, apart=_KINDS)]
    for definition in _all(catalog):
        faults += _named(definition, value_types.problems(definition))
    names = _Names(*(ids(definitions) for definitions in _by_kind(catalog)))
    readable = sound(catalog) if faults else catalog
    for definition in _all(readable):
        match definition:
            case Signal():
                faults += _named(definition, _of_signal(definition, runbook))
            case Composite():
                faults += _named(definition, _of_composite(definition, names, runbook))
            case DatadogMonitor():
                faults += _named(definition, _of_monitor(definition, names, runbook))
            case Objective():
                faults += _named(definition, _of_objective(definition, names, runbook))
    return [*dict.fromkeys(faults), *_duplicates(names)]


def sound(catalog: Catalog) -> Catalog:
    """The definitions whose values are all of the right types; nothing can read the others."""
    signals, composites, monitors, objectives = map(_sound, _by_kind(catalog))
    return replace(
        catalog,
        signals=signals,
        composites=composites,
        monitors=monitors,
        objectives=objectives,
        source=lambda role: _sound(catalog.source(role)),
        existing=lambda *resource: _sound(catalog.existing(*resource)),
    )


def ids(definitions: object) -> list[str]:
    """What definitions are called."""
    names = [_name(definition) for definition in _listed(definitions)]
    return [name for name in names if isinstance(name, str)]


def unit_of(query: Query) -> str:
    """The unit a statistic gives: counts and percentile ranks change the metric's own."""
    if query.statistic == "SampleCount":
        return "Count"
    return "Percent" if query.statistic.startswith("PR(") else query.metric.unit


def period_problems(period: int | str, datapoints: int, periods: int | str) -> list[str]:
    """What CloudWatch would refuse; facts, which are strings, are checked once they are numbers.

    Source: CloudWatch API reference, PutMetricAlarm: a period is a multiple of 60 s, and all
    periods together are at most one day, or seven days with periods of an hour or more.
    """
    faults = []
    if isinstance(periods, int) and not 1 <= datapoints <= periods:
        faults.append(f"datapoints ({datapoints}) must be between 1 and periods ({periods})")
    if isinstance(period, str):
        return faults
    if period % 60 or not 60 <= period <= _DAY:
        faults.append(f"a period of {period} s is not a multiple of 60 up to {_DAY}")
    longest = 7 * _DAY if period >= 3600 else _DAY
    if isinstance(periods, int) and period * periods > longest:
        faults.append(f"{periods} periods of {period} s are more than CloudWatch's {longest} s")
    return faults


def threshold_problems(threshold: Threshold) -> Iterator[str]:
    """Why a number could never be crossed, or always is, in any environment."""
    if threshold.value <= 0:
        yield f"threshold: {threshold.value:g} must be more than 0"
    elif threshold.of is None and threshold.unit == "Percent" and threshold.value > 100:
        yield f"threshold: {threshold.value:g} % is more than 100 %; lower it"


@cache
def headings(file: Path) -> frozenset[str]:
    """The second-level headings of a Markdown file."""
    return frozenset(re.findall(r"^## (.+?)\s*$", file.read_text("utf-8"), re.MULTILINE))


_KINDS = (Signal, Composite, DatadogMonitor, Objective)
_CALLED = dict(zip(_KINDS, ("signal", "composite", "monitor", "objective"), strict=True))


def _by_kind(catalog: Catalog) -> tuple[Any, ...]:
    return (catalog.signals, catalog.composites, catalog.monitors, catalog.objectives)


def _all(catalog: Catalog) -> Iterator[object]:
    """Every definition, also those that any resource of others or any source would get."""
    yield from (definition for of_kind in _by_kind(catalog) for definition in _listed(of_kind))
    for kind in Kind:
        yield from _listed(catalog.existing("role", kind, "name"))
    yield from _listed(catalog.source("role"))


def _listed(definitions: object) -> tuple[Any, ...]:
    """Those of them that are definitions at all."""
    listed = definitions if isinstance(definitions, tuple | list) else ()
    return tuple(definition for definition in listed if isinstance(definition, _KINDS))


def _sound(definitions: object) -> tuple[Any, ...]:
    return tuple(
        definition
        for definition in _listed(definitions)
        if not any(value_types.problems(definition))
    )


def _name(definition: object) -> object:
    return getattr(definition, "key" if isinstance(definition, Objective) else "id", None)


def _named(definition: object, faults: Iterable[str]) -> list[str]:
    called = f"{_CALLED[type(definition)]} '{_name(definition)}'"
    return [f"{called}: {problem}" for problem in faults]


def _of_signal(signal: Signal, runbook: Path) -> Iterator[str]:
    yield from _described(signal, runbook)
    if not signal.missing_reason.strip():
        yield "missing_reason is empty; write a sentence"
    yield from period_problems(signal.period, signal.datapoints, signal.periods)
    for name, query in signal.queries.items():
        if not _QUERY_ID.fullmatch(name):
            yield f"query id '{name}' must begin with a lower-case letter"
        if not _STATISTIC.fullmatch(query.statistic):
            yield f"query '{name}': unknown statistic '{query.statistic}'"
    if signal.threshold.unit not in _UNITS:
        yield f"unknown unit '{signal.threshold.unit}'; use one of {', '.join(_UNITS)}"
    yield from _of_expression(signal)


def _of_expression(signal: Signal) -> Iterator[str]:
    if signal.expression is None:
        yield from _without_expression(len(signal.queries))
        for query in signal.queries.values():
            unit = unit_of(query)
            if unit != signal.threshold.unit:
                yield (
                    f"the threshold is in {signal.threshold.unit}, but {query.statistic} of "
                    f"{query.metric.name} is in {unit}"
                )
        return
    problem = syntax_problem(signal.expression)
    if problem:
        yield problem
        return
    used = variables(signal.expression)
    if used - signal.queries.keys():
        yield f"the expression uses {_quoted(used - signal.queries.keys())}, which 'queries' lacks"
    if signal.queries.keys() - used:
        yield f"the expression does not use {_quoted(signal.queries.keys() - used)} of 'queries'"


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in sorted(names))


def _without_expression(queries: int) -> Iterator[str]:
    if queries != 1:
        yield f"{queries} queries and no expression; write how they combine"


def _of_composite(composite: Composite, names: _Names, runbook: Path) -> Iterator[str]:
    yield from _of_id(composite.id)
    yield from _of_texts(title=composite.title, impact=composite.impact)
    if not composite.any_of:
        yield "has no parts"
    if len(set(composite.parts)) < len(composite.parts):
        yield "names a part twice"
    for name in sorted(composite.unless.keys() - set(composite.parts)):
        yield f"'unless' names '{name}', which is not one of its parts"
    if composite.id in (*composite.parts, composite.suppressed_by):
        yield "refers to itself"
    explaining = [name for names in composite.unless.values() for name in names]
    for name in dict.fromkeys([*composite.parts, *explaining]):
        if name != composite.id:
            yield from _unknown("signal", name, names.signals)
    if composite.suppressed_by:
        yield from _unknown("composite", composite.suppressed_by, names.composites)
    yield from _of_heading(composite.id, runbook)


def _of_monitor(monitor: DatadogMonitor, names: _Names, runbook: Path) -> Iterator[str]:
    yield from _described(monitor, runbook)
    if "{value}" not in monitor.reading and monitor.unusual is None:
        yield "the reading does not show the {value}; write it as '{value} timeouts'"
    if monitor.threshold.unit not in UNITS:
        yield f"unknown unit '{monitor.threshold.unit}'; use one of {', '.join(UNITS)}"
    if monitor.unusual is not None and monitor.threshold.value > 1:
        yield f"threshold: {monitor.threshold.value:g} is a share of the window; write at most 1"
    yield from _of_variables(monitor)
    if isinstance(monitor.window, int):
        yield from _of_window(monitor.window)
    above = monitor.comparison in (Comparison.ABOVE, Comparison.AT_LEAST)
    for name, share in (("warning", monitor.warning), ("recovery", monitor.recovery)):
        if share is not None and not (share < 1 if above else share > 1):
            yield (
                f"{name} is {share:g} times the threshold, which is on the wrong side of it; "
                f"take {'less' if above else 'more'} than 1"
            )
    for query in monitor.queries.values():
        if isinstance(query, BurnRate):
            yield from _unknown("objective", query.slo, names.objectives)
            for window in (query.long, query.short):
                yield from _of_window(window)
    if monitor.expression is None:
        yield from _without_expression(len(monitor.queries))
        return
    named = variables(monitor.expression) - FUNCTIONS
    differing = named ^ monitor.queries.keys()
    if differing:
        yield f"expression and queries differ in {_quoted(differing)}; name each in both"


def _of_window(seconds: int) -> Iterator[str]:
    if seconds not in WINDOWS:
        windows = ", ".join(map(str, sorted(WINDOWS)))
        yield f"Datadog has no window of {seconds} s; use one of {windows}"


def _of_variables(monitor: DatadogMonitor) -> Iterator[str]:
    """The variables in a title that Datadog would not fill in: those it is not grouped by."""
    known = [f"{attribute}.name" for attribute in monitor.by]
    for name in re.findall(r"\{\{(\[?@.*?)\}\}", monitor.title):
        if name.replace("[", "").replace("]", "") not in known:
            groups = " or ".join(f"{{{{{group}}}}}" for group in known)
            remedy = f"write {groups}" if groups else "name the attribute in 'by'"
            yield f"title: {{{{{name}}}}} is not what it is grouped by; {remedy}"


def _of_objective(objective: Objective, names: _Names, runbook: Path) -> Iterator[str]:
    yield from _of_id(objective.key)
    yield from _of_texts(title=objective.title, promise=objective.promise)
    if bool(objective.queries) is bool(objective.monitors):
        yield "needs either queries or monitors"
    for name in objective.monitors:
        yield from _unknown("monitor", name, names.monitors)
    used = variables(objective.good) | variables(objective.total)
    differing = used ^ objective.queries.keys()
    if differing:
        yield (
            f"'good' and 'total' and the queries differ in {_quoted(differing)}; name each in both"
        )
    yield from _of_heading(f"slo-{objective.key}", runbook)


def _described(definition: Signal | DatadogMonitor, runbook: Path) -> Iterator[str]:
    """The texts for people that a definition lacks."""
    yield from _of_id(definition.id)
    yield from _of_texts(title=definition.title, impact=definition.impact)
    if not definition.threshold.reason.strip():
        yield "the threshold has no reason; write why this number"
    yield from threshold_problems(definition.threshold)
    yield from _of_heading(definition.runbook, runbook)


def _of_id(name: str) -> Iterator[str]:
    if not _ID.fullmatch(name):
        yield "the id is not kebab-case; write words-with-hyphens"


def _of_texts(**texts: str) -> Iterator[str]:
    for name, text in texts.items():
        if not text.strip():
            yield f"{name} is empty; write a sentence"


def _of_heading(heading: str, runbook: Path) -> Iterator[str]:
    if heading not in headings(runbook):
        yield f"docs/{runbook.name} has no heading '## {heading}'; write it"


def _unknown(kind: str, name: str, known: list[str]) -> Iterator[str]:
    if name not in known:
        near = get_close_matches(name, known, n=1)
        yield f"there is no {kind} '{name}'" + (f"; did you mean '{near[0]}'?" if near else "")


def _duplicates(names: _Names) -> Iterator[str]:
    """Signals, composites and monitors share one namespace: names of alarms, keys of settings."""
    shared = Counter((*names.signals, *names.composites, *names.monitors))
    for kind, counted in (("id", shared), ("objective", Counter(names.objectives))):
        for name, times in counted.items():
            if times > 1:
                yield f"{kind} '{name}': defined {times} times; rename all but one"
