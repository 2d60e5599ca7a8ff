"""Checks of a panel in an environment, whichever dashboard shows it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import get_args

from monitoring.model import checks, value_types
from monitoring.model.catalog import Catalog
from monitoring.model.dashboards import (
    UNITS,
    Board,
    Dashboards,
    Deployed,
    Formula,
    Line,
    Panel,
    Widget,
)
from monitoring.model.expressions import syntax_problem
from monitoring.resources import Resources


def problems(
    panel: Panel, resources: Resources, signals: Collection[str], catalog: Catalog
) -> list[str]:
    """Why a panel can't be drawn as it is defined; each problem begins with the field.

    Args:
        signals: the ids that an environment like this has; what it leaves out is known, and not
            drawn.
    """
    mistyped = list(value_types.problems(panel))
    monitors = checks.ids(catalog.monitors)
    return mistyped or [
        *_of_lines(panel),
        *_of_unit(panel),
        *_unknown_facts(panel, resources),
        *(f"signals: unknown signal '{name}'" for name in panel.signals if name not in signals),
        *(f"monitors: unknown monitor '{name}'" for name in panel.monitors if name not in monitors),
    ]


def of_dashboards(
    dashboards: Dashboards,
    deployed: Deployed,
    catalog: Catalog,
    resources: Resources,
    signals: Collection[str],
) -> list[str]:
    """The problems of every panel of an environment, once, whichever dashboards show it."""

    def of_widget(widget: Widget) -> Iterable[str]:
        if not isinstance(widget, Panel):
            return value_types.problems(widget)
        return problems(widget, resources, signals, catalog)

    cloudwatch = Board("cloudwatch", "CloudWatch", "", dashboards.cloudwatch(deployed))
    wrong = [
        problem
        for board in (cloudwatch, *dashboards.datadog(deployed))
        for problem in _of_board(board, of_widget)
    ]
    return list(dict.fromkeys(wrong))


def _of_board(board: Board, of_widget: Callable[[Widget], Iterable[str]]) -> Iterator[str]:
    mistyped = list(value_types.problems(board, apart=get_args(Widget)))
    if mistyped:
        yield from (f"dashboard '{board.key}', {problem}" for problem in mistyped)
        return
    widgets = [widget for section in board.sections for row in section.rows for widget in row]
    for widget in widgets:
        kind = "panel" if isinstance(widget, Panel) else type(widget).__name__
        name = f"dashboard {kind} '{getattr(widget, 'title', '')}'"
        yield from (f"{name}, {problem}" for problem in of_widget(widget))
    # Sections of two resources of a kind, which an account has already, have the same panels.
    for section in board.sections:
        panels = [widget for row in section.rows for widget in row if isinstance(widget, Panel)]
        for title in _twice([panel.title for panel in panels]):
            yield (
                f"dashboard panel '{title}', title: the dashboard '{board.key}' has several of "
                "this title in a section; rename all but one"
            )


def has_fact(resources: Resources, name: str) -> bool:
    """Whether an environment has a fact, by its full name (``publish.timeout``)."""
    try:
        resources.fact(name)
    except KeyError:
        return False
    return True


def _of_unit(panel: Panel) -> Iterator[str]:
    if panel.unit not in UNITS:
        yield f"unit: unknown unit '{panel.unit}'; use one of {', '.join(UNITS)}"


def _of_lines(panel: Panel) -> Iterator[str]:
    """The problems of lines and formulas, wherever they are shown."""
    if not panel.lines:
        yield "lines: is empty; name a metric"
    lines = [line for line in panel.lines if isinstance(line, Line)]
    formulas = [line for line in panel.lines if isinstance(line, Formula)]
    named = [line.id for line in lines if line.id]
    for name in _twice(named):
        yield f"lines: the id '{name}' is used twice"
    for formula in formulas:
        for name in sorted(formula.used - set(named)):
            yield (f"formula '{formula.label}': no line has the id '{name}'; give a line that id")
    used = {name for formula in formulas for name in formula.used}
    for line in lines:
        if line.cloudwatch is None and line.datadog is None:
            yield f"line '{line.label}': has no source; name a metric"
        if line.hidden and line.id not in used:
            yield f"line '{line.label}': is hidden, and no formula uses it"
    in_cloudwatch = {line.id for line in lines if line.cloudwatch}
    for formula in formulas:
        if formula.used <= in_cloudwatch and (wrong := syntax_problem(formula.expression)):
            yield f"formula '{formula.label}': {wrong}"


def _twice(names: list[str]) -> list[str]:
    return sorted({name for name in names if isinstance(name, str) and names.count(name) > 1})


def _unknown_facts(panel: Panel, resources: Resources) -> Iterator[str]:
    facts = {f"limits: '{name}'": name for name in panel.limits}
    if panel.budget:
        facts[f"budget: '{panel.budget}'"] = panel.budget
    if isinstance(panel.period, str):
        facts[f"period: '{panel.period}'"] = panel.period
    for where, name in facts.items():
        if not has_fact(resources, name):
            yield f"{where} is not a fact of this environment"
    for text in _texts(panel):
        try:
            resources.filled(text)
        except KeyError as error:
            yield f"lines: '{text}' names {error}, which is not a fact of this environment"


def _texts(panel: Panel) -> Iterator[str]:
    """What facts may stand in, in braces."""
    for line in panel.lines:
        yield line.label
        if isinstance(line, Formula):
            yield line.expression
        elif isinstance(line, Line) and line.cloudwatch:
            yield line.cloudwatch.statistic
