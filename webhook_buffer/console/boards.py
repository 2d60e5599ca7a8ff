"""A Datadog dashboard's JSON, with numbers of a session, or the reason why a widget has none.

Source: Datadog API reference, "Dashboards".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from monitoring.datadog.query import QueryError
from settings.errors import InputError
from webhook_buffer.console.evaluation import Request
from webhook_buffer.console.frame import Frame
from webhook_buffer.console.links import links
from webhook_buffer.console.log_counts import LogCounts
from webhook_buffer.console.numbers import Numbers, UnmeasuredError
from webhook_buffer.console.ranked import changes, ranked
from webhook_buffer.console.reductions import Values, rounded
from webhook_buffer.console.streams import streamed
from webhook_buffer.console.text import markdown
from webhook_buffer.live.session import Session

Body = Mapping[str, Any]
Shown = dict[str, Any]

_MARKER = re.compile(r"y\s*[=<>]+\s*(-?\d+(?:\.\d+)?)|(-?[\d.]+)\s*<\s*y\s*<\s*(-?[\d.]+)")
_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    ">": lambda value, other: value > other, ">=": lambda value, other: value >= other,
    "<": lambda value, other: value < other, "<=": lambda value, other: value <= other,
}  # fmt: skip
# More than people lay out; beyond that one file could keep a computer busy for hours.
_MOST_WIDGETS, _MOST_REQUESTS = 500, 100
_MOST_DIGITS = 10
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
    "group": "A group within a group is not drawn.",
    "powerpack": "Only Datadog has the widgets of a powerpack.",
    "trace_service": "Traces are not kept in a session.",
    "hostmap": "There are no hosts here.",
    "geomap": "Nothing here has a place on a map.",
}
# What a definition raises that has another form than Datadog's.
_UNREADABLE = (
    ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError,
)  # fmt: skip


class Boards:
    """Makes what is shown of dashboards.

    Args:
        slos: bodies of SLOs by the key that widgets refer to.
        site: the address of Datadog's pages, to which links lead.
    """

    def __init__(
        self,
        session: Session,
        numbers: Numbers,
        counts: LogCounts,
        slos: Mapping[str, Body],
        site: str,
    ) -> None:
        self._session, self._numbers, self._counts = session, numbers, counts
        self._slos, self._site = slos, site
        self._start = self._end = 0
        self._variables: dict[str, str] = {}

    def shown(self, body: Body, start: int, end: int) -> Shown:
        """A dashboard over a stretch of session time.

        Raises:
            InputError: When it is not a dashboard.
        """
        self._start, self._end = start, end
        widgets = body.get("widgets")
        if not isinstance(widgets, list):
            raise InputError("not a Datadog dashboard: it has no list 'widgets'.")
        if _count(widgets) > _MOST_WIDGETS:
            raise InputError(
                f"more than {_MOST_WIDGETS} widgets. Split it into several dashboards."
            )
        self._variables = {
            str(variable.get("name", "")): _default(variable)
            for variable in _parts(body, "template_variables")
        }
        return {
            "title": str(body.get("title", "Dashboard")),
            "about": str(body.get("description") or "").partition("\n\nManaged by")[0],
            "from": start,
            "to": end,
            "variables": [
                {"name": name, "value": value} for name, value in self._variables.items()
            ],
            "widgets": [self._widget(widget) for widget in widgets],
        }

    def _widget(self, given: Any, *, within: bool = False) -> Shown:
        definition, layout = _part(given, "definition"), _part(given, "layout")
        kind, width = str(definition.get("type", "unknown")), layout.get("width")
        shown: Shown = {
            "type": kind,
            "title": str(definition.get("title") or ""),
            "width": width if isinstance(width, int) and 0 < width <= 12 else 12,
            "links": list(links(definition, self._variables, self._start, self._end, self._site)),
        }
        if kind == "group" and not within:
            inner = [self._widget(widget, within=True) for widget in _inner(definition)]
            return shown | {"width": 12, "widgets": inner}
        try:
            return shown | self._content(kind, definition)
        except UnmeasuredError as error:
            return shown | {"reason": str(error)}
        except QueryError as error:
            return shown | {"reason": f"Its query {error}."}
        except _UNREADABLE as error:
            return shown | {"reason": f"Its definition can't be read ({type(error).__name__})."}

    def _content(self, kind: str, definition: Body) -> Shown:
        if len(definition.get("requests") or ()) > _MOST_REQUESTS:
            raise UnmeasuredError(f"It makes more than {_MOST_REQUESTS} requests at once.")
        make = {
            "timeseries": self._timeseries,
            "distribution": self._timeseries,
            "heatmap": self._timeseries,
            "query_value": self._query_value,
            "toplist": self._table,
            "query_table": self._table,
            "sunburst": self._table,
            "treemap": self._table,
            "change": self._change,
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
            except QueryError as error:
                reasons.append(f"A query {error}.")
        if not made:
            raise UnmeasuredError(" ".join(dict.fromkeys(reasons)) or "It asks nothing.")
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
                "label": request.label(formula, group),
                "unit": request.unit(formula),
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
        request = Request(body)
        [numbers, *_] = request.as_numbers(self._numbers, self._start, self._end)
        value = next(iter(numbers.values()), float("nan"))
        [(_, formula), *_] = request.formulas
        rules = formula.get("conditional_formats") or body.get("conditional_formats") or ()
        shown: Shown = {
            "value": value if np.isfinite(value) else None,
            "unit": request.unit(formula) or str(definition.get("custom_unit", "")),
            "caption": str(formula.get("alias", "")),
            "precision": _digits(definition.get("precision")),
        }
        if not np.isfinite(value):
            return shown | {"empty": "Nothing in this time."}
        for rule in rules:
            compare = _COMPARISONS.get(str(rule.get("comparator")))
            if compare and compare(value, float(rule["value"])):
                return shown | {"palette": str(rule.get("palette", ""))}
        return shown

    def _table(self, definition: Body) -> Shown:
        return ranked(definition["requests"], self._numbers, self._start, self._end)

    def _change(self, definition: Body) -> Shown:
        return changes(definition["requests"], self._numbers, self._start, self._end)

    def _slo(self, definition: Body) -> Shown:
        reference = definition.get("slo_id")
        key = reference.get("$ref", "") if isinstance(reference, dict) else str(reference)
        body = self._slos.get(str(key).removeprefix("slo:"))
        if body is None or "query" not in body:
            raise UnmeasuredError("This objective is only available in Datadog.")
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
        return streamed(definition, self._session, self._counts, self._start, self._end)


def _part(given: Any, name: str) -> Body:
    value = given.get(name) if isinstance(given, dict) else None
    return value if isinstance(value, dict) else {}


def _parts(given: Body, name: str) -> list[Body]:
    """The objects of a list; none where there is something else."""
    listed = given.get(name)
    return [part for part in listed if isinstance(part, dict)] if isinstance(listed, list) else []


def _inner(definition: Body) -> list[Any]:
    """The widgets of a group."""
    widgets = definition.get("widgets")
    return widgets if isinstance(widgets, list) else []


def _count(widgets: list[Any]) -> int:
    return len(widgets) + sum(len(_inner(_part(widget, "definition"))) for widget in widgets)


def _default(variable: Body) -> str:
    """A template variable's first default, of its list or in the older form."""
    listed = variable.get("defaults")
    first = listed[0] if isinstance(listed, list) and listed else variable.get("default")
    return str(first or "*")


def _placed(values: Values, frame: Frame, times: Sequence[int]) -> list[float | None]:
    if len(times) == frame.count:  # all lines of the chart have the same times
        return rounded(values)
    there = dict(zip(frame.times, rounded(values), strict=True))
    return [there.get(time) for time in times]


def _marker(marker: Body) -> Iterator[Shown]:
    """The lines of a marker across a graph."""
    match = _MARKER.search(str(marker.get("value", "")))
    kind = str(marker.get("display_type", "")).partition(" ")[0] or "info"
    values = [float(text) for text in match.groups() if text] if match else []
    for value in filter(np.isfinite, values):
        yield {"value": value, "label": str(marker.get("label", "")).strip(), "kind": kind}


def _digits(given: Any) -> int:
    """Decimal places of a number; Datadog's default where it has an own word for them."""
    return given if isinstance(given, int) and 0 <= given <= _MOST_DIGITS else 2


def _note(definition: Body) -> Shown:
    return {"content": markdown(str(definition.get("content", "")))}


def _free_text(definition: Body) -> Shown:
    return {"content": [["h3", {}, [str(definition.get("text", ""))]]]}
