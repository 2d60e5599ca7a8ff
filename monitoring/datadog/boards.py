"""Datadog's dashboards of an environment: 12 columns, with thresholds and runbook links.

Their JSON holds everything; pasted into a new dashboard of Datadog's it is the same one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, assert_never

from dashboards.datadog import DEPLOYED, boards
from monitoring.alarm_set import AlarmSet
from monitoring.datadog.definition import Definition, Kind, marked
from monitoring.datadog.environment import VARIABLES, Body
from monitoring.datadog.monitors import datadog_monitors
from monitoring.datadog.widgets import Widgets
from monitoring.model.dashboards import (
    Board,
    EventList,
    Graph,
    Group,
    LogList,
    MonitorStates,
    Note,
    Series,
    SloState,
    TraceList,
    Widget,
)
from monitoring.model.datadog import DatadogMonitor, MetricQuery

COLUMNS = 12
# Rows of the grid that a widget takes.
_LOW, _HIGH = 1, 3
# Characters that a note holds in a row of the whole width, with some to spare.
_NOTE_LINE = 200
_BACKGROUND = "white"


def dashboards(alarms: AlarmSet) -> list[Definition]:
    """Every dashboard of an environment.

    Raises:
        BoardError: When the data of one can't be rendered; it names the panel and the field.
    """
    return [_Rendered(alarms).definition(board) for board in boards(alarms.settings)]


class _Rendered:
    """Lays widgets out from top to bottom."""

    def __init__(self, alarms: AlarmSet) -> None:
        self._set = alarms
        self._settings = alarms.settings
        self._widgets = Widgets(alarms, deployed=DEPLOYED)
        self._watches = datadog_monitors(alarms)
        self._runbook = {
            one.signal.id: one.signal.runbook for one in (*alarms.alarms, *alarms.in_datadog)
        } | {one.id: one.runbook for one in self._watches}

    def definition(self, board: Board) -> Definition:
        settings = self._settings
        body: dict[str, Any] = {
            "title": f"{board.title} ({settings.service} {settings.environment})",
            "description": marked(board.about, settings, board.key),
            "layout_type": "ordered",
            "reflow_type": "fixed",
            "template_variables": self._variables(),
            "widgets": _stacked([self._group(one) for one in board.groups if any(one.rows)]),
        }
        if settings.datadog and settings.datadog.team:
            body["tags"] = [f"team:{settings.datadog.team}"]
        return Definition(Kind.DASHBOARD, board.key, body)

    def _variables(self) -> list[Body]:
        """What others made need not carry our tags: there any ``env`` and ``service`` will do."""
        settings = self._settings
        defaults = (
            {"env": settings.environment, "service": settings.service}
            if self._set.resources.ours
            else {"env": "*", "service": "*"}
        )
        defaults["region"] = settings.awsRegion
        return [
            {"name": name, "prefix": name, "defaults": [defaults[name]], "available_values": []}
            for name in VARIABLES
        ]

    def _group(self, group: Group) -> tuple[Body, int]:
        """A group and the rows it takes, its title's included."""
        rows = [tuple(self._with_watches(one) for one in row) for row in group.rows if row]
        links = self._links(rows)
        if links:
            # After what the group itself says first.
            rows.insert(1 if isinstance(rows[0][0], Note) else 0, (links,))
        widgets: list[Body] = []
        y = 0
        for row in rows:
            height = max(_height(one) for one in row)
            for one, (x, width) in zip(row, _columns(len(row)), strict=True):
                place = {"x": x, "y": y, "width": width, "height": height}
                widgets.append({"definition": self._body(one), "layout": place})
            y += height
        body = {
            "type": "group",
            "title": group.title,
            "layout_type": "ordered",
            "show_title": True,
            "widgets": widgets,
        }
        return body, y + 1

    def _with_watches(self, one: Widget) -> Widget:
        """A graph with the watches of what it shows, over the same time; each need not be named."""
        if not isinstance(one, Graph) or one.number:
            return one
        shown = {
            (line.name, line.role)
            for line in one.lines
            if isinstance(line, Series) and not line.hidden and not line.tags
        }
        found = [
            watch.id
            for watch in self._watches
            if watch.window == one.period and _only_metric(watch) in shown
        ]
        return replace(one, signals=tuple(dict.fromkeys((*one.signals, *found))))

    def _links(self, rows: Sequence[Sequence[Widget]]) -> Note | None:
        """What to do about the signals that a group draws."""
        drawn = [name for row in rows for one in row for name in _signals(one)]
        headings = dict.fromkeys(self._runbook[one] for one in drawn if one in self._runbook)
        return Note("**What to do:**", tuple(headings)) if headings else None

    def _body(self, one: Widget) -> Body:
        match one:
            case Graph():
                return self._widgets.graph(one)
            case Note():
                return self._note(one)
            case SloState():
                return self._widgets.slo(one)
            case MonitorStates():
                return self._widgets.monitors(one)
            case EventList():
                return self._widgets.events(one)
            case LogList():
                return self._widgets.logs(one)
            case TraceList():
                return self._widgets.traces(one)
            case _:
                assert_never(one)

    def _note(self, one: Note) -> Body:
        links = " · ".join(self._link(heading) for heading in one.headings)
        return {
            "type": "note",
            "content": f"{one.text} {links}".strip(),
            "background_color": _BACKGROUND,
            "font_size": "14",
            "text_align": "left",
            "vertical_align": "center",
            "show_tick": False,
            "has_padding": True,
        }

    def _link(self, heading: str) -> str:
        """To the runbook; where that is no URL, Datadog could not follow a link."""
        url = self._settings.runbookUrl
        if url.startswith(("https://", "http://")):
            return f"[{heading}]({url}#{heading})"
        return f"`{heading}`"


def _only_metric(watch: DatadogMonitor) -> tuple[str, str] | None:
    """Name and role of the metric whose own number a watch judges; None of any other watch."""
    first = next(iter(watch.queries.values()))
    if watch.expression or watch.unusual or not isinstance(first, MetricQuery) or first.tags:
        return None
    return first.name, first.role or ""


def _signals(one: Widget) -> Iterable[str]:
    return one.signals if isinstance(one, Graph) else ()


def _height(one: Widget) -> int:
    if isinstance(one, Note):
        return _LOW if len(one.text) <= _NOTE_LINE else 2 * _LOW
    return _LOW if isinstance(one, Graph) and one.number else _HIGH


def _columns(count: int) -> list[tuple[int, int]]:
    """Where the widgets of a row begin, and how wide they are: evenly, and the whole width."""
    edges = [COLUMNS * place // count for place in range(count + 1)]
    return [(left, right - left) for left, right in pairwise(edges)]


def _stacked(groups: Sequence[tuple[Body, int]]) -> list[Body]:
    found, y = [], 0
    for body, height in groups:
        place = {"x": 0, "y": y, "width": COLUMNS, "height": height}
        found.append({"definition": body, "layout": place})
        y += height
    return found
