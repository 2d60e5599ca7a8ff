"""A panel as CloudWatch draws it: metrics, formulas, and the thresholds across them.

Source: CloudWatch API reference, "Dashboard Body Structure and Syntax", metric widgets.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from monitoring import panel_checks
from monitoring.alarm_set import AlarmSet
from monitoring.model.dashboards import Color, Formula, Line, Panel, Shape, Widget
from monitoring.model.signals import Query, Severity
from monitoring.quantities import quantity

Body = dict[str, Any]

_COLORS = {
    Severity.PAGE: Color.RED,
    Severity.TICKET: Color.ORANGE,
    Severity.INFO: Color.BLUE,
}
_LIMIT_COLOR = Color.GRAY
# Where lines fall together, the worst decides the color.
_BY_WEIGHT = [*_COLORS.values(), _LIMIT_COLOR]
AXES = {"Count": "count", "Seconds": "s", "Milliseconds": "ms", "Percent": "%"}


class Panels:
    """Draws the panels of one environment.

    Attributes:
        problems: of the panels that could not be drawn.
    """

    def __init__(self, alarms: AlarmSet, region: str) -> None:
        self._set = alarms
        self._resources = alarms.resources
        self._region = region
        self.problems: list[str] = []

    def drawn(self, widget: Widget) -> Body | None:
        """A metric widget's properties; None where CloudWatch has no data for it, or it is
        wrong."""
        if not isinstance(widget, Panel):
            return None
        wrong = panel_checks.problems(widget, self._resources, self._set.known, self._set.catalog)
        panel = None if wrong else widget.shown(_has)
        wrong += self._unsupported(panel) if panel else []
        self.problems += [f"dashboard panel '{widget.title}', {problem}" for problem in wrong]
        return self._properties(panel) if panel and not wrong else None

    def _unsupported(self, panel: Panel) -> Iterator[str]:
        """The problems of CloudWatch alone."""
        if panel.unit not in AXES:
            yield f"unit: '{panel.unit}' is unknown here; use one of {', '.join(AXES)}"
        for line, query in _queries(panel):
            if query.role not in self._resources.by_role:
                yield f"line '{line.label}': this environment has no '{query.role}'"
        for name in panel.signals:
            alarm = self._set.alarm(name)
            if alarm and alarm.signal.threshold.unit != panel.unit:
                yield (
                    f"unit: is {panel.unit}, but '{name}' is in "
                    f"{alarm.signal.threshold.unit}; draw it where that is the unit"
                )
        for name in panel.limits:
            if panel_checks.has_fact(self._resources, name):
                try:
                    self._resources.value(name, panel.unit)
                except KeyError:
                    yield f"limits: '{name}' can't be converted to {panel.unit}"

    def _properties(self, panel: Panel) -> Body:
        properties: Body = {
            "title": panel.title,
            "region": self._region,
            "period": self._resources.number(panel.period),
            "view": "singleValue" if panel.number else "timeSeries",
            "stacked": panel.shape is Shape.STACKED,
            "metrics": [
                self._formula(line) if isinstance(line, Formula) else self._line(line)
                for line in panel.lines
            ],
            "yAxis": {
                "left": {"label": panel.axis or AXES[panel.unit], "min": 0, "showUnits": False}
            },
        }
        if panel.number:
            properties["setPeriodToTimeRange"] = True
        across = self._across(panel)
        if across:
            properties["annotations"] = {"horizontal": across}
        return properties

    def _formula(self, formula: Formula) -> list[Body]:
        options = {
            "expression": self._resources.filled(formula.expression),
            "label": self._resources.filled(formula.label),
        }
        if formula.color:
            options["color"] = formula.color.value
        return [options]

    def _line(self, line: Line) -> list[Any]:
        assert line.cloudwatch is not None
        measure = self._resources.measure(line.cloudwatch)
        options: Body = {
            "stat": measure.statistic,
            "label": self._resources.filled(line.label),
        }
        if line.id:
            options["id"] = line.id
        if line.hidden:
            options["visible"] = False
        if line.color:
            options["color"] = line.color.value
        flat = [part for pair in measure.dimensions.items() for part in pair]
        return [measure.namespace, measure.name, *flat, options]

    def _across(self, panel: Panel) -> list[Body]:
        """The lines across a graph; what has the same value shares one, or none could be read."""
        labels: dict[float, list[tuple[str, Color]]] = {}
        for name in panel.signals:
            alarm = self._set.alarm(name)
            if alarm:
                label = f"{name} ({alarm.severity.value})"
                labels.setdefault(alarm.threshold, []).append((label, _COLORS[alarm.severity]))
        for fact, label in panel.limits.items():
            value = self._resources.value(fact, panel.unit)
            labels.setdefault(value, []).append((label, _LIMIT_COLOR))
        return [
            {
                "value": value,
                "label": f"{', '.join(text for text, _ in named)}: {quantity(value, panel.unit)}",
                "color": min((color for _, color in named), key=_BY_WEIGHT.index).value,
            }
            for value, named in labels.items()
        ]


def _has(line: Line) -> bool:
    return line.cloudwatch is not None


def _queries(panel: Panel) -> Iterator[tuple[Line, Query]]:
    for line in panel.lines:
        if isinstance(line, Line) and line.cloudwatch:
            yield line, line.cloudwatch
