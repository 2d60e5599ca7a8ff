"""Checks of a whole catalog: every problem of every definition, in one list."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from monitoring.model.catalog import Catalog
from monitoring.model.datadog import FUNCTIONS, WINDOWS, BurnRate, DatadogMonitor, Objective
from monitoring.model.signals import Comparison, Composite, Kind, Query, Signal, variables

_DAY = 86_400
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
# Source: CloudWatch user guide, "Metric math": ids begin with a lower-case letter.
_QUERY_ID = re.compile(r"[a-z][a-zA-Z0-9_]*")
_STATISTIC = re.compile(
    r"Sum|Average|Minimum|Maximum|SampleCount|p\d{1,2}(\.\d+)?"
    r"|PR\((\d+(\.\d+)?)?:(\d+(\.\d+)?|\{[a-z_.]+\})?\)"
)
_UNITS = ("Count", "Milliseconds", "Percent", "Seconds")


def problems(catalog: Catalog, runbook: Path) -> list[str]:
    """Everything that is wrong with the definitions; each problem names its definition.

    Args:
        runbook: the Markdown file whose second-level headings the definitions lead to.
    """
    generic = [signal for kind in Kind for signal in catalog.existing("role", kind, "name")]
    generic += catalog.source("role")
    faults: list[str] = []
    for signal in (*catalog.signals, *generic):
        faults += _named("signal", signal.id, _of_signal(signal, runbook))
    for composite in catalog.composites:
        faults += _named("composite", composite.id, _of_composite(composite, catalog, runbook))
    for monitor in catalog.monitors:
        faults += _named("monitor", monitor.id, _of_monitor(monitor, catalog, runbook))
    for objective in catalog.objectives:
        faults += _named("objective", objective.key, _of_objective(objective, catalog, runbook))
    return [*dict.fromkeys(faults), *_duplicates(catalog)]


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


@cache
def headings(file: Path) -> frozenset[str]:
    """The second-level headings of a Markdown file."""
    return frozenset(re.findall(r"^## (.+?)\s*$", file.read_text("utf-8"), re.MULTILINE))


def _named(kind: str, name: str, faults: Iterable[str]) -> list[str]:
    return [f"{kind} '{name}': {problem}" for problem in faults]


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
    used = variables(signal.expression)
    if used - signal.queries.keys():
        yield f"the expression uses undeclared {sorted(used - signal.queries.keys())}"
    if signal.queries.keys() - used:
        yield f"the expression does not use {sorted(signal.queries.keys() - used)}"


def _without_expression(queries: int) -> Iterator[str]:
    if queries != 1:
        yield f"{queries} queries and no expression; write how they combine"


def _of_composite(composite: Composite, catalog: Catalog, runbook: Path) -> Iterator[str]:
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
    signals = [signal.id for signal in catalog.signals]
    explaining = [name for names in composite.unless.values() for name in names]
    for name in dict.fromkeys([*composite.parts, *explaining]):
        if name != composite.id:
            yield from _unknown("signal", name, signals)
    if composite.suppressed_by:
        yield from _unknown(
            "composite", composite.suppressed_by, [other.id for other in catalog.composites]
        )
    yield from _of_heading(composite.id, runbook)


def _of_monitor(monitor: DatadogMonitor, catalog: Catalog, runbook: Path) -> Iterator[str]:
    yield from _described(monitor, runbook)
    if "{value}" not in monitor.reading and monitor.unusual is None:
        yield "the reading does not show the {value}; write it as '{value} timeouts'"
    if isinstance(monitor.window, int) and monitor.window not in WINDOWS:
        windows = ", ".join(map(str, sorted(WINDOWS)))
        yield f"Datadog has no window of {monitor.window} s; use one of {windows}"
    above = monitor.comparison in (Comparison.ABOVE, Comparison.AT_LEAST)
    for name, share in (("warning", monitor.warning), ("recovery", monitor.recovery)):
        if share is not None and not (share < 1 if above else share > 1):
            yield (
                f"{name} is {share:g} times the threshold, which is on the wrong side of it; "
                f"take {'less' if above else 'more'} than 1"
            )
    for query in monitor.queries.values():
        if isinstance(query, BurnRate):
            yield from _unknown(
                "objective", query.slo, [objective.key for objective in catalog.objectives]
            )
    if monitor.expression is None:
        yield from _without_expression(len(monitor.queries))
        return
    named = variables(monitor.expression) - FUNCTIONS
    differing = sorted(named ^ monitor.queries.keys())
    if differing:
        yield f"expression and queries differ in {differing}; name each in both"


def _of_objective(objective: Objective, catalog: Catalog, runbook: Path) -> Iterator[str]:
    yield from _of_id(objective.key)
    yield from _of_texts(title=objective.title, promise=objective.promise)
    if bool(objective.queries) is bool(objective.monitors):
        yield "needs either queries or monitors"
    for name in objective.monitors:
        yield from _unknown("monitor", name, [monitor.id for monitor in catalog.monitors])
    used = variables(objective.good) | variables(objective.total)
    differing = sorted(used ^ objective.queries.keys())
    if differing:
        yield f"'good' and 'total' and the queries differ in {differing}; name each in both"
    yield from _of_heading(f"slo-{objective.key}", runbook)


def _described(definition: Signal | DatadogMonitor, runbook: Path) -> Iterator[str]:
    """The texts for people that a definition lacks."""
    yield from _of_id(definition.id)
    yield from _of_texts(title=definition.title, impact=definition.impact)
    if not definition.threshold.reason.strip():
        yield "the threshold has no reason; write why this number"
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


def _duplicates(catalog: Catalog) -> Iterator[str]:
    """Signals, composites and monitors share one namespace: names of alarms, keys of settings."""
    named: tuple[Signal | Composite | DatadogMonitor, ...] = (
        *catalog.signals, *catalog.composites, *catalog.monitors,
    )  # fmt: skip
    ids = Counter(definition.id for definition in named)
    keys = Counter(objective.key for objective in catalog.objectives)
    for kind, counted in (("id", ids), ("objective", keys)):
        for name, times in counted.items():
            if times > 1:
                yield f"{kind} '{name}': defined {times} times; rename all but one"
