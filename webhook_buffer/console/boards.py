"""A Datadog dashboard's JSON, with numbers of a session, or the reason why a widget has none.

Source: Datadog API reference, "Dashboards".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from monitoring.datadog.log_search import matcher
from monitoring.datadog.metrics import known
from monitoring.datadog.query import QueryError
from monitoring.datadog.query_tree import atoms
from monitoring.datadog.query_tree import metric as metric_tree
from settings.errors import InputError
from webhook_buffer.console.evaluation import Request
from webhook_buffer.console.frame import Frame
from webhook_buffer.console.log_counts import LogCounts
from webhook_buffer.console.numbers import Numbers, UnmeasuredError
from webhook_buffer.console.reductions import Values, rounded
from webhook_buffer.console.text import markdown
from webhook_buffer.live.session import Session

Body = Mapping[str, Any]
Shown = dict[str, Any]

_MARKER = re.compile(r"y\s*[=<>]+\s*(-?\d+(?:\.\d+)?)|(-?[\d.]+)\s*<\s*y\s*<\s*(-?[\d.]+)")
_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    ">": lambda value, other: value > other, ">=": lambda value, other: value >= other,
    "<": lambda value, other: value < other, "<=": lambda value, other: value <= other,
}  # fmt: skip
_ROWS = 25
_ELSEWHERE = "A console on a laptop makes no request to another host."
_DATADOG = "Datadog evaluates its monitors itself. The alarms of this session are under Alarms."
# Widgets that can't have anything here, and why.
_REASONS = {
    "image": _ELSEWHERE,
    "iframe": _ELSEWHERE,
    "manage_status": _DATADOG,
    "alert_graph": _DATADOG,
    "alert_value": _DATADOG,
    "check_status": "Service checks are made by Datadog's agent, which does not run here.",
    "servicemap": "A map of services is made of traces, which a session does not keep.",
    "trace_service": "Traces are not kept in a session.",
    "hostmap": "There are no hosts here.",
    "geomap": "Nothing here has a place on a map.",
}


class Boards:
    """Makes what is shown of dashboards.

    Args:
        slos: bodies of SLOs by the key that widgets refer to.
    """

    def __init__(
        self, session: Session, numbers: Numbers, counts: LogCounts, slos: Mapping[str, Body]
    ) -> None:
        self._session, self._numbers, self._counts = session, numbers, counts
        self._slos = slos
        self._start = self._end = 0

    def shown(self, body: Body, start: int, end: int) -> Shown:
        """A dashboard over a stretch of session time.

        Raises:
            InputError: When it is not a dashboard.
        """
        self._start, self._end = start, end
        widgets = body.get("widgets")
        if not isinstance(widgets, list):
            raise InputError("not a Datadog dashboard: it has no list 'widgets'.")
        return {
            "title": str(body.get("title", "Dashboard")),
            "about": str(body.get("description") or "").partition("\n\nManaged by")[0],
            "from": start,
            "to": end,
            "variables": [
                {"name": variable["name"], "value": (variable.get("defaults") or ["*"])[0]}
                for variable in body.get("template_variables") or ()
            ],
            "widgets": [self._widget(widget) for widget in widgets],
        }

    def _widget(self, given: Any) -> Shown:
        definition, layout = _part(given, "definition"), _part(given, "layout")
        kind, width = str(definition.get("type", "unknown")), layout.get("width")
        shown: Shown = {
            "type": kind,
            "title": str(definition.get("title") or ""),
            "width": width if isinstance(width, int) and 0 < width <= 12 else 12,
        }
        if kind in ("group", "powerpack"):
            inner = definition.get("widgets") or ()
            return shown | {"width": 12, "widgets": [self._widget(widget) for widget in inner]}
        try:
            return shown | self._content(kind, definition)
        except UnmeasuredError as error:
            return shown | {"reason": str(error)}
        except QueryError as error:
            return shown | {"reason": f"Its query {error}."}
        except (AttributeError, KeyError, LookupError, TypeError, ValueError) as error:
            return shown | {"reason": f"Its definition can't be read ({type(error).__name__})."}

    def _content(self, kind: str, definition: Body) -> Shown:
        make = {
            "timeseries": self._timeseries,
            "distribution": self._timeseries,
            "heatmap": self._timeseries,
            "query_value": self._query_value,
            "toplist": self._table,
            "query_table": self._table,
            "sunburst": self._table,
            "treemap": self._table,
            "change": self._table,
            "note": _note,
            "free_text": _free_text,
            "slo": self._slo,
            "list_stream": self._stream,
            "log_stream": self._stream,
            "event_stream": self._stream,
            "event_timeline": self._stream,
        }.get(kind)
        if make is not None:
            return make(definition)
        raise UnmeasuredError(_REASONS.get(kind, f"This console does not draw '{kind}' widgets."))

    def _timeseries(self, definition: Body) -> Shown:
        made: list[tuple[Frame, list[Shown]]] = []
        reasons: list[str] = []
        for body in definition["requests"]:
            try:
                made.append(self._lines(body))
            except UnmeasuredError as error:
                reasons.append(str(error))
        if not made:
            raise UnmeasuredError(" ".join(dict.fromkeys(reasons)))
        times = sorted({time for frame, _ in made for time in frame.times})
        series = [
            line | {"values": _placed(line["values"], frame, times), "step": frame.step}
            for frame, lines in made
            for line in lines
        ]
        units = [line["unit"] for line in series if line["unit"]]
        shown: Shown = {
            "times": times,
            "series": series,
            "unit": units[0] if units else "",
            "step": max(frame.step for frame, _ in made),
            "markers": [
                line for marker in definition.get("markers") or () for line in _marker(marker)
            ],
        }  # fmt: skip
        if reasons:
            shown["missing"] = " ".join(dict.fromkeys(reasons))
        if not any(value is not None for line in series for value in line["values"]):
            shown["empty"] = "Nothing in this time."
        return shown

    def _lines(self, body: Body) -> tuple[Frame, list[Shown]]:
        request = Request(body)
        frame, computed = request.over_time(self._numbers, self._start, self._end)
        style = body.get("style") or {}
        lines = [
            {
                "label": _label(formula, group),
                "unit": _unit(formula, body),
                "palette": str(style.get("palette", "dog_classic")),
                "draw": str(body.get("display_type", "line")),
                "values": values,
            }
            for (_, formula), groups in zip(request.formulas, computed, strict=True)
            for group, values in groups.items()
        ]
        return frame, lines

    def _query_value(self, definition: Body) -> Shown:
        body = definition["requests"][0]
        [numbers, *_] = Request(body).as_numbers(self._numbers, self._start, self._end)
        value = next(iter(numbers.values()), float("nan"))
        formula = (body.get("formulas") or [{}])[0]
        rules = formula.get("conditional_formats") or body.get("conditional_formats") or ()
        shown: Shown = {
            "value": None if np.isnan(value) else value,
            "unit": _unit(formula, body) or str(definition.get("custom_unit", "")),
            "caption": str(formula.get("alias", "")),
            "precision": definition.get("precision", 2),
        }
        if np.isnan(value):
            shown["empty"] = "Nothing in this time."
        for rule in rules:
            compare = _COMPARISONS.get(str(rule.get("comparator")))
            if compare and not np.isnan(value) and compare(value, float(rule["value"])):
                return shown | {"palette": str(rule.get("palette", ""))}
        return shown

    def _table(self, definition: Body) -> Shown:
        rows: list[Shown] = []
        for body in definition["requests"]:
            request = Request(body)
            computed = request.as_numbers(self._numbers, self._start, self._end)
            for (_, formula), groups in zip(request.formulas, computed, strict=True):
                rows += [
                    {"label": _label(formula, group), "value": value, "unit": _unit(formula, body)}
                    for group, value in groups.items()
                    if not np.isnan(value)
                ]
        rows.sort(key=lambda row: -row["value"])
        shown: Shown = {"rows": rows[:_ROWS]}
        return shown if rows else shown | {"empty": "Nothing in this time."}

    def _slo(self, definition: Body) -> Shown:
        reference = definition.get("slo_id")
        key = reference.get("$ref", "") if isinstance(reference, dict) else str(reference)
        body = self._slos.get(str(key).removeprefix("slo:"))
        if body is None or "query" not in body:
            raise UnmeasuredError("This objective is only known to Datadog.")
        start, end = self._session.start, max(self._session.start + 60, self._end)
        good, total = (
            self._total(str(body["query"][part]), start, end)
            for part in ("numerator", "denominator")
        )
        target = float(body.get("target_threshold") or body["thresholds"][0]["target"])
        if not total:
            return {"target": target, "value": None, "empty": "Nothing has been counted yet."}
        allowed = total * (100 - target) / 100
        left = 100 * (1 - (total - good) / allowed) if allowed else 0.0
        return {"target": target, "value": 100 * good / total, "left": left, "since": start}

    def _total(self, query: str, start: int, end: int) -> float:
        body = {"queries": [{"data_source": "metrics", "name": "q", "query": query}]}
        [numbers] = Request(body).as_numbers(self._numbers, start, end)
        return float(np.nan_to_num(next(iter(numbers.values()), 0.0)))

    def _stream(self, definition: Body) -> Shown:
        request = (definition.get("requests") or [{}])[0]
        query = request.get("query") or {}
        source = query.get("data_source") or definition["type"].replace("list_", "logs_")
        search = str(query.get("query_string") or definition.get("query") or "")
        if source in ("logs_stream", "log_stream"):
            return self._log_lines(search)
        if source in ("event_stream", "event_timeline"):
            return self._events(search)
        raise UnmeasuredError("Traces are not kept in a session.")

    def _log_lines(self, search: str) -> Shown:
        clock = self._session.clock
        rows = [
            {
                "at": at,
                "source": line.function,
                "text": line.text[:2000],
                "level": str(line.fields.get("level", "")),
            }
            for line in self._counts.newest(self._session, search, matcher(search))
            if self._start <= (at := clock.session(line.at / 1000)) < self._end
        ]
        return {"lines": rows, **({} if rows else {"empty": "No such log line."})}

    def _events(self, search: str) -> Shown:
        if "event:deployment" in search:
            raise UnmeasuredError("Deployments to the laptop are not recorded as events.")
        named = search.strip().strip('"')
        rows = [
            {"at": change.at, "source": change.alarm, "text": change.state, "level": change.state}
            for change in reversed(self._session.timeline)
            if named in change.alarm and self._start <= change.at <= self._end
        ][:_ROWS]
        return {"lines": rows, **({} if rows else {"empty": "No alarm changed its state."})}


def _part(given: Any, name: str) -> Body:
    value = given.get(name) if isinstance(given, dict) else None
    return value if isinstance(value, dict) else {}


def _placed(values: Values, frame: Frame, times: Sequence[int]) -> list[float | None]:
    if len(times) == frame.count:  # all lines of the chart have the same times
        return rounded(values)
    there = dict(zip(frame.times, rounded(values), strict=True))
    return [there.get(time) for time in times]


def _label(formula: Body, group: str) -> str:
    alias = str(formula.get("alias") or "")
    return " ".join(filter(None, (alias, group))) or str(formula.get("formula", "value"))


def _unit(formula: Body, body: Body) -> str:
    """Datadog's word for a formula's unit, or that of the only metric it shows."""
    said = (formula.get("number_format") or {}).get("unit") or {}
    if said.get("unit_name"):
        return str(said["unit_name"])
    name = str(formula.get("formula", ""))
    for query in body.get("queries", ()):
        if query.get("name") == name and query.get("data_source") == "metrics":
            read = atoms(metric_tree(str(query["query"])))
            metric = known(read[0].metric) if read else None
            return metric.unit if metric else ""
    return ""


def _marker(marker: Body) -> Iterator[Shown]:
    """The lines of a marker across a graph."""
    match = _MARKER.search(str(marker.get("value", "")))
    kind = str(marker.get("display_type", "")).partition(" ")[0] or "info"
    for text in filter(None, match.groups() if match else ()):
        yield {"value": float(text), "label": str(marker.get("label", "")).strip(), "kind": kind}


def _note(definition: Body) -> Shown:
    return {"content": markdown(str(definition.get("content", "")))}


def _free_text(definition: Body) -> Shown:
    return {"content": [["h3", {}, [str(definition.get("text", ""))]]]}
