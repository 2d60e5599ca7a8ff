"""Datadog's dashboards of an environment: 12 columns, with thresholds and runbook links.

Their JSON holds everything; pasted into a new dashboard in Datadog it is the same one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from monitoring.alarm_set import AlarmSet
from monitoring.datadog.definition import Definition, Kind, marked
from monitoring.datadog.environment import VARIABLES, Body
from monitoring.datadog.monitors import datadog_monitors
from monitoring.datadog.widgets import Widgets
from monitoring.deployed import deployed
from monitoring.model.dashboards import Board, Dashboards, Note, Panel, Section, Widget

COLUMNS = 12
# Rows of the grid that a widget takes.
_LOW, _HIGH = 1, 3
# Characters that a note holds in a row of the whole width, with some to spare.
_NOTE_LINE = 200


def boards(alarms: AlarmSet, dashboards: Dashboards) -> tuple[list[Definition], list[str]]:
    """Every Datadog dashboard of an environment, and why widgets can't be drawn as defined."""
    rendered = _Rendered(alarms)
    definitions = [
        rendered.definition(board) for board in dashboards.datadog(deployed(alarms.settings))
    ]
    return definitions, rendered.problems


class _Rendered:
    """Lays widgets out from top to bottom."""

    def __init__(self, alarms: AlarmSet) -> None:
        self._set = alarms
        self._settings = alarms.settings
        self._widgets = Widgets(alarms)
        self._runbook = {
            alarm.signal.id: alarm.signal.runbook for alarm in (*alarms.alarms, *alarms.in_datadog)
        } | {monitor.id: monitor.runbook for monitor in datadog_monitors(alarms)}

    @property
    def problems(self) -> list[str]:
        return self._widgets.problems

    def definition(self, board: Board) -> Definition:
        settings = self._settings
        body: dict[str, Any] = {
            "title": f"{board.title} ({settings.service} {settings.environment})",
            "description": marked(board.about, settings, board.key),
            "layout_type": "ordered",
            "reflow_type": "fixed",
            "template_variables": self._variables(),
            "widgets": _stacked(
                [group for section in board.sections for group in self._group(section)]
            ),
        }
        if settings.datadog and settings.datadog.team:
            body["tags"] = [f"team:{settings.datadog.team}"]
        return Definition(Kind.DASHBOARD, board.key, body)

    def _variables(self) -> list[Body]:
        """Resources that others created may lack our tags: there any ``env`` and ``service`` will
        do. Widgets name the environment's own resources, so that no other value would find any:
        none is offered.
        """
        settings = self._settings
        defaults = (
            {"env": settings.environment, "service": settings.service}
            if self._set.resources.ours
            else {"env": "*", "service": "*"}
        )
        defaults["region"] = settings.awsRegion
        return [
            {
                "name": name,
                "prefix": name,
                "defaults": [defaults[name]],
                "available_values": [defaults[name]] if defaults[name] != "*" else [],
            }
            for name in VARIABLES
        ]

    def _group(self, section: Section) -> Iterator[tuple[Body, int]]:
        """A section's group and the rows it takes, with its title; none without widgets."""
        rows = [
            [shown for widget in row if (shown := self._widgets.shown(widget))]
            for row in section.rows
        ]
        rows = [row for row in rows if row]
        if not rows:
            return
        links = self._links(rows)
        if links:
            # After the section's own first text.
            rows.insert(1 if isinstance(rows[0][0], Note) else 0, [links])
        widgets: list[Body] = []
        y = 0
        for row in rows:
            height = max(_height(widget) for widget in row)
            for widget, (x, width) in zip(row, _columns(len(row)), strict=True):
                place = {"x": x, "y": y, "width": width, "height": height}
                widgets.append({"definition": self._widgets.body(widget), "layout": place})
            y += height
        body = {
            "type": "group",
            "title": section.title,
            "layout_type": "ordered",
            "show_title": True,
            "widgets": widgets,
        }
        yield body, y + 1

    def _links(self, rows: Sequence[Sequence[Widget]]) -> Note | None:
        """What to do about the signals and monitors that a section draws."""
        names = [
            name
            for row in rows
            for panel in row
            if isinstance(panel, Panel)
            for name in (*panel.signals, *panel.monitors)
        ]
        headings = dict.fromkeys(self._runbook[name] for name in names if name in self._runbook)
        return Note("**What to do:**", tuple(headings)) if headings else None


def _height(widget: Widget) -> int:
    if isinstance(widget, Note):
        return _LOW if len(widget.text) <= _NOTE_LINE else 2 * _LOW
    return _LOW if isinstance(widget, Panel) and widget.number else _HIGH


def _columns(count: int) -> list[tuple[int, int]]:
    """Where the widgets of a row begin, and how wide they are: evenly, and the whole width."""
    edges = [COLUMNS * place // count for place in range(count + 1)]
    return [(left, right - left) for left, right in pairwise(edges)]


def _stacked(groups: Sequence[tuple[Body, int]]) -> list[Body]:
    stacked, y = [], 0
    for body, height in groups:
        place = {"x": 0, "y": y, "width": COLUMNS, "height": height}
        stacked.append({"definition": body, "layout": place})
        y += height
    return stacked
