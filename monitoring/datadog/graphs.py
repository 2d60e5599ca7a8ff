"""Panels as Datadog draws them: a timeseries with thresholds across it, or one number.

Source: Datadog API reference, "Dashboards", and the models of its official client.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from monitoring import panel_checks
from monitoring.alarm_set import AlarmSet, resolved
from monitoring.datadog import metrics
from monitoring.datadog import query as syntax
from monitoring.datadog.environment import DEPLOYMENT, Body, Query, Sources
from monitoring.datadog.metrics import DatadogMetric
from monitoring.datadog.monitors import datadog_monitors
from monitoring.datadog.query import QueryError
from monitoring.model.dashboards import Color, Formula, Line, LogCount, Panel, Series, Shape
from monitoring.model.datadog import DatadogMonitor, MetricQuery
from monitoring.model.signals import Severity, variables
from monitoring.quantities import quantity
from monitoring.resources import plain

_STYLES = {
    Severity.PAGE: "error dashed",
    Severity.TICKET: "warning dashed",
    Severity.INFO: "info dashed",
}
_LIMIT = "info solid"
# Where lines fall together, the worst decides the color.
_BY_WEIGHT = (*_STYLES.values(), _LIMIT)
_PALETTES = {
    Color.GREEN: "green",
    Color.BLUE: "blue",
    Color.ORANGE: "orange",
    Color.RED: "red",
    Color.PURPLE: "purple",
    Color.BROWN: "warm",
    Color.GRAY: "gray",
}
# Datadog's word for what a formula is in; a count has none of its own.
UNITS = {
    "Percent": "percent",
    "Seconds": "second",
    "Milliseconds": "millisecond",
    "US dollars": "dollar",
    "Mebibytes": "mebibyte",
}


class Graphs:
    """Draws the panels of one environment."""

    def __init__(self, alarms: AlarmSet, sources: Sources) -> None:
        self._set = alarms
        self._resources = alarms.resources
        self._monitors = {monitor.id: monitor for monitor in datadog_monitors(alarms)}
        self._sources = sources

    def shown(self, panel: Panel) -> Panel | None:
        """The part of a panel that Datadog can show, with its monitors; None where it has no
        part."""
        wrong = panel_checks.problems(panel, self._resources, self._set.known, self._set.catalog)
        wrong = wrong or list(_unreadable(panel))
        for problem in wrong:
            self._wrong(panel, problem)
        shown = None if wrong else panel.shown(self._sources.has)
        return shown and replace(shown, monitors=self._with_own(shown))

    def _with_own(self, panel: Panel) -> tuple[str, ...]:
        """A graph's monitors and those of its metrics over the same time; none need be named."""
        if panel.number:
            return ()
        shown = {
            (line.datadog.name, line.datadog.role)
            for line in panel.lines
            if isinstance(line, Line) and isinstance(line.datadog, Series)
            if not line.hidden and not line.datadog.tags
        }
        own = [
            monitor.id
            for monitor in self._monitors.values()
            if monitor.window == panel.period and _only_metric(monitor) in shown
        ]
        return tuple(dict.fromkeys((*panel.monitors, *own)))

    def drawn(self, panel: Panel) -> Body:
        """The widget of a panel as ``shown`` returned it."""
        lines = [
            (name_of(line, place), line)
            for place, line in enumerate(panel.lines)
            if isinstance(line, Line)
        ]
        queries = {
            name: query for name, line in lines if (query := self._sources.query(panel, name, line))
        }
        requests = list(self._requests(panel, queries))
        links = self._sources.links(panel)
        linked = {"custom_links": links} if links else {}
        if panel.number:
            return {
                **linked,
                "type": "query_value",
                "title": panel.title,
                "autoscale": True,
                "precision": 2,
                "requests": requests,
            }
        body: Body = {
            **linked,
            "type": "timeseries",
            "title": panel.title,
            "show_legend": True,
            "legend_layout": "auto",
            "legend_columns": ["avg", "max", "value"],
            "requests": requests,
            "yaxis": {"include_zero": True, "scale": "linear", "min": "auto", "max": "auto"},
            "events": [{"q": f"{DEPLOYMENT} $env $service", "tags_execution": "and"}],
        }
        markers = self._markers(panel, self._axis(panel, queries))
        return {**body, "markers": markers} if markers else body

    def _wrong(self, panel: Panel, problem: str) -> None:
        self._sources.wrong(f"panel '{panel.title}', {problem}")

    def _requests(self, panel: Panel, queries: Mapping[str, Query]) -> Iterator[Body]:
        """One request for each visible line, for each has a color of its own."""
        for place, line in enumerate(panel.lines):
            if isinstance(line, Formula):
                formula = line.datadog or line.expression
                used = sorted(variables(formula))
            elif line.hidden:
                continue
            else:
                formula = name_of(line, place)
                used = [formula]
            if not queries.keys() >= set(used):
                continue
            value: Body = {
                "formula": formula,
                "alias": self._resources.filled(line.label),
                **_number_format(panel, queries.get(formula)),
                **self._colors(panel),
            }
            body: Body = {"formulas": [value], "queries": [queries[name].body for name in used]}
            if panel.number:
                yield {"response_format": "scalar", **body}
            else:
                yield {
                    "response_format": "timeseries",
                    "display_type": "line" if panel.shape is Shape.LINES else "bars",
                    "style": {"palette": _PALETTES[line.color] if line.color else "dog_classic"},
                    **body,
                }

    def _colors(self, panel: Panel) -> Body:
        """The colors of a number that has a budget."""
        if not panel.budget:
            return {}
        least = round(100 - self._resources.fact(panel.budget).value, 6)
        rules = (("<", "white_on_red"), (">=", "white_on_green"))
        return {
            "conditional_formats": [
                {"comparator": sign, "value": least, "palette": palette} for sign, palette in rules
            ]
        }

    def _markers(self, panel: Panel, axis: DatadogMetric | None) -> list[Body]:
        """The lines across a graph; what has the same value shares one, or none could be read."""
        labels: dict[float, list[tuple[str, str, str]]] = {}

        def add(name: str, text: str, value: float, unit: str, style: str) -> None:
            problem = _out_of_unit(unit, axis, panel, name)
            if problem:
                self._wrong(panel, problem)
                return
            drawn = metrics.converted(value, unit, axis.name) if axis else value
            labels.setdefault(drawn, []).append((text, quantity(value, unit), style))

        for name in (*panel.signals, *panel.monitors):
            threshold = self._threshold(name)
            if threshold:
                value, unit, severity = threshold
                add(name, f"{name} ({severity.value})", value, unit, _STYLES[severity])
        for name, label in panel.limits.items():
            fact = self._resources.fact(name)
            add(name, label, fact.value, fact.unit, _LIMIT)
        return [
            {
                "value": f"y = {plain(value)}",
                "label": f"{', '.join(text for text, _, _ in named)}: {named[0][1]}",
                "display_type": min((style for _, _, style in named), key=_BY_WEIGHT.index),
            }
            for value, named in labels.items()
        ]

    def _threshold(self, name: str) -> tuple[float, str, Severity] | None:
        """A signal's or monitor's number, its unit and severity; None where it is left out."""
        for alarm in (*self._set.alarms, *self._set.in_datadog):
            if alarm.signal.id == name:
                return alarm.threshold, alarm.signal.threshold.unit, alarm.severity
        monitor = self._monitors.get(name)
        if monitor is None:
            return None
        value = resolved(monitor.threshold, self._resources)
        return value, monitor.threshold.unit, monitor.severity

    def _axis(self, panel: Panel, queries: Mapping[str, Query]) -> DatadogMetric | None:
        """A visible metric, whose unit the y axis has; None of formulas or logs alone."""
        visible = {
            query.metric.unit: query.metric
            for place, line in enumerate(panel.lines)
            if isinstance(line, Line) and not line.hidden
            if (query := queries.get(name_of(line, place))) and query.metric
        }
        if len(visible) > 1 and visible.keys() & set(UNITS.values()):
            self._wrong(
                panel,
                f"lines: in {' and '.join(sorted(visible))} on one axis; give each unit a panel "
                "of its own",
            )
        return next(iter(visible.values()), None)


def _unreadable(panel: Panel) -> Iterator[str]:
    """The formulas and searches that Datadog can't read, of those that it shows."""
    names = {line.id for line in panel.lines if isinstance(line, Line) and line.datadog}
    for line in panel.lines:
        try:
            if isinstance(line, Formula):
                if line.used <= names:
                    syntax.formula(line.datadog or line.expression, names)
            elif isinstance(line.datadog, LogCount):
                syntax.search(line.datadog.search)
        except QueryError as error:
            kind = "formula" if isinstance(line, Formula) else "line"
            yield f"{kind} '{line.label}': {error}; correct it"


def name_of(line: Line, place: int) -> str:
    """What formulas call a line's query."""
    return line.id or f"q{place}"


def _only_metric(monitor: DatadogMonitor) -> tuple[str, str] | None:
    """Name and role of the metric whose own number a monitor judges; None of any other."""
    first = next(iter(monitor.queries.values()))
    if monitor.expression or monitor.unusual or not isinstance(first, MetricQuery) or first.tags:
        return None
    return first.name, first.role or ""


def _out_of_unit(unit: str, axis: DatadogMetric | None, panel: Panel, name: str) -> str | None:
    """Why a number can't be drawn on a graph's axis; None where it can."""
    if axis is None:
        if unit == panel.unit:
            return None
        return f"unit: is {panel.unit}, but '{name}' is in {unit}; draw it where that is the unit"
    try:
        metrics.unit_factor(unit, axis.name)
    except ValueError as error:
        return f"signals: '{name}': {error}"
    return None


def _number_format(panel: Panel, query: Query | None) -> Body:
    """The unit of a formula, which Datadog can't know, or of a metric in its own."""
    unit = query.metric.unit if query and query.metric else UNITS.get(panel.unit)
    if not unit:
        return {}
    return {"number_format": {"unit": {"type": "canonical_unit", "unit_name": unit}}}
