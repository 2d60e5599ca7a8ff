"""Widgets as Datadog's API takes them, out of dashboards as data.

Source: Datadog API reference, "Dashboards", and the models of its official client.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from monitoring.alarm_set import AlarmSet
from monitoring.datadog.definition import Kind, reference, tags
from monitoring.datadog.environment import DEPLOYMENT, Body, Sources
from monitoring.datadog.graphs import Graphs
from monitoring.datadog.query import QueryError, search
from monitoring.model import value_types
from monitoring.model.dashboards import (
    EventList,
    LogList,
    MonitorStates,
    Note,
    Panel,
    SloState,
    TraceList,
    Widget,
)

_BACKGROUND = "white"
_LOG_COLUMNS = (("status_line", "auto"), ("timestamp", "auto"), ("content", "full"))
_TRACE_COLUMNS = (
    ("timestamp", "auto"),
    ("resource_name", "auto"),
    ("duration", "auto"),
    ("status", "auto"),
)


class Widgets:
    """Makes the widgets of one environment's dashboards."""

    def __init__(self, alarms: AlarmSet) -> None:
        self._settings = alarms.settings
        self._sources = Sources(alarms)
        self._graphs = Graphs(alarms, self._sources)

    @property
    def problems(self) -> list[str]:
        """Why the requested widgets can't be drawn as they are defined."""
        return list(dict.fromkeys(self._sources.problems))

    def shown(self, widget: Widget) -> Widget | None:
        """The part of a widget that Datadog can show in this environment; None where it has no
        part, or it is wrong."""
        if not isinstance(widget, Panel) and not self._is_sound(widget):
            return None
        match widget:
            case Panel():
                return self._graphs.shown(widget)
            case TraceList():
                there = self._sources.traced and self._sources.instrumented(widget.role)
            case LogList():
                there = self._sources.instrumented(widget.role)
            case _:
                there = True
        return widget if there else None

    def _is_sound(self, widget: Widget) -> bool:
        """Whether a widget can be drawn; wrong types have been reported with those of panels."""
        if any(value_types.problems(widget)):
            return False
        if isinstance(widget, LogList | TraceList | EventList):
            try:
                search(widget.search)
            except QueryError as error:
                kind = type(widget).__name__
                self._sources.wrong(f"{kind} '{widget.title}', search: {error}; correct it")
                return False
        return True

    def body(self, widget: Widget) -> Body:
        """The definition of a widget as ``shown`` returned it."""
        match widget:
            case Panel():
                return self._graphs.drawn(widget)
            case Note():
                return self._note(widget)
            case SloState():
                return _slo(widget)
            case MonitorStates():
                return self._monitors(widget)
            case EventList():
                return self._events(widget)
            case LogList():
                return self._logs(widget)
            case TraceList():
                return self._traces(widget)
            case _:
                assert_never(widget)

    def _note(self, note: Note) -> Body:
        links = " · ".join(self._link(heading) for heading in note.headings)
        return {
            "type": "note",
            "content": f"{note.text} {links}".strip(),
            "background_color": _BACKGROUND,
            "font_size": "14",
            "text_align": "left",
            "vertical_align": "center",
            "show_tick": False,
            "has_padding": True,
        }

    def _link(self, heading: str) -> str:
        """To the runbook; where that is not a URL, Datadog could not follow a link."""
        url = self._settings.runbookUrl
        if url.startswith(("https://", "http://")):
            return f"[{heading}]({url}#{heading})"
        return f"`{heading}`"

    def _monitors(self, states: MonitorStates) -> Body:
        ours = " AND ".join(f'"{tag}"' for tag in tags(self._settings))
        return {
            "type": "manage_status",
            "title": states.title,
            "query": f"tag:({ours})",
            "summary_type": "monitors",
            "display_format": "countsAndList",
            "color_preference": "background",
            "sort": "status,asc",
            "hide_zero_counts": True,
            "show_last_triggered": True,
        }

    def _events(self, events: EventList) -> Body:
        text = events.search.replace("{prefix}", self._settings.prefix)
        query = {
            "data_source": "event_stream",
            "query_string": text.replace("{deployment}", DEPLOYMENT),
            "event_size": "s",
        }
        return _stream(events.title, query)

    def _logs(self, logs: LogList) -> Body:
        query = {
            "data_source": "logs_stream",
            "indexes": [],
            "query_string": self._sources.logs(logs.search, logs.role, f"panel '{logs.title}'"),
        }
        return _stream(logs.title, query, _LOG_COLUMNS)

    def _traces(self, traces: TraceList) -> Body:
        resource = self._sources.resource(traces.role, f"panel '{traces.title}'")
        function = resource.name if resource else ""
        text = f"$env $service operation_name:aws.lambda resource_name:{function} {traces.search}"
        query = {"data_source": "trace_stream", "indexes": [], "query_string": text.strip()}
        return _stream(traces.title, query, _TRACE_COLUMNS)


def _slo(state: SloState) -> Body:
    return {
        "type": "slo",
        "title": state.title,
        "slo_id": reference(Kind.SLO, state.key),
        "view_type": "detail",
        "view_mode": "overall",
        "show_error_budget": True,
        "time_windows": ["30d"],
    }


def _stream(title: str, query: Body, columns: Sequence[tuple[str, str]] = ()) -> Body:
    shown = [{"field": field, "width": width} for field, width in columns]
    request = {"response_format": "event_list", "query": query, "columns": shown}
    return {"type": "list_stream", "title": title, "requests": [request]}
