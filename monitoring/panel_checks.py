"""Checks of a panel in an environment, whichever dashboard shows it."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from monitoring.model.catalog import Catalog
from monitoring.model.dashboards import Dashboards, Deployed, Formula, Line, Panel
from monitoring.resources import Resources


def problems(panel: Panel, resources: Resources, signals: Collection[str]) -> list[str]:
    """Why a panel can't be drawn as it is defined; each problem begins with the field.

    Args:
        signals: the ids that an environment like this has; what it leaves out is known, and not
            drawn.
    """
    return [
        *panel.problems(),
        *_unknown_facts(panel, resources),
        *(f"signals: unknown signal '{name}'" for name in panel.signals if name not in signals),
    ]


def unknown_monitors(panel: Panel, catalog: Catalog) -> list[str]:
    """The problems of what a panel names of Datadog's monitors."""
    known = {monitor.id for monitor in catalog.monitors}
    return [f"monitors: unknown monitor '{name}'" for name in panel.monitors if name not in known]


def of_dashboards(
    dashboards: Dashboards,
    deployed: Deployed,
    catalog: Catalog,
    resources: Resources,
    signals: Collection[str],
) -> list[str]:
    """The problems of every panel of an environment, once, whichever dashboards show it."""
    sections = [
        *dashboards.cloudwatch(deployed),
        *(section for board in dashboards.datadog(deployed) for section in board.sections),
    ]
    wrong = [
        f"dashboard panel '{widget.title}', {problem}"
        for section in sections
        for row in section.rows
        for widget in row
        if isinstance(widget, Panel)
        for problem in (
            *problems(widget, resources, signals),
            *unknown_monitors(widget, catalog),
        )
    ]
    return list(dict.fromkeys(wrong))


def has_fact(resources: Resources, name: str) -> bool:
    """Whether an environment has a fact, by its full name (``publish.timeout``)."""
    try:
        resources.fact(name)
    except KeyError:
        return False
    return True


def _unknown_facts(panel: Panel, resources: Resources) -> Iterator[str]:
    facts = {f"limits: '{name}'": name for name in panel.limits}
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
