"""Widgets as Datadog's API takes them, out of dashboards as data.

Source: Datadog API reference, "Dashboards", and the models of its official client.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from dashboards import panels
from monitoring.alarm_set import AlarmSet, resolved
from monitoring.datadog import metrics
from monitoring.datadog.definition import Kind, reference, tags
from monitoring.datadog.environment import BoardError, Body, Query, Sources, name_of
from monitoring.datadog.metrics import DatadogMetric
from monitoring.datadog.monitors import datadog_monitors
from monitoring.model.dashboards import (
    EventList,
    Formula,
    Graph,
    Line,
    LogCount,
    LogList,
    MonitorStates,
    Series,
    SloState,
    TraceList,
)
from monitoring.model.signals import Severity
from monitoring.quantities import quantity
from monitoring.resources import plain

_STYLES = {
    Severity.PAGE: "error dashed",
    Severity.TICKET: "warning dashed",
    Severity.INFO: "info dashed",
}
_LIMIT = "info solid"
# Where lines fall together, the worst gives the colour.
_BY_WEIGHT = (*_STYLES.values(), _LIMIT)
_PALETTES = {
    panels.GREEN: "green",
    panels.BLUE: "blue",
    panels.ORANGE: "orange",
    panels.RED: "red",
    panels.PURPLE: "purple",
    panels.BROWN: "warm",
    "#7f7f7f": "gray",
}
# Datadog's word for what a formula is in; a count has none of its own.
_UNITS = {
    "Percent": "percent",
    "Seconds": "second",
    "Milliseconds": "millisecond",
    "US dollars": "dollar",
    "Mebibytes": "mebibyte",
}
_LOG_COLUMNS = (("status_line", "auto"), ("timestamp", "auto"), ("content", "full"))
_TRACE_COLUMNS = (
    ("timestamp", "auto"),
    ("resource_name", "auto"),
    ("duration", "auto"),
    ("status", "auto"),
)


class Widgets:
    """Makes the widgets of one environment's dashboards."""

    def __init__(self, alarms: AlarmSet, *, deployed: str) -> None:
        """``deployed`` is what an event must say to mark a deployment."""
        self._set = alarms
        self._watched = alarms.resources
        self._settings = alarms.settings
        self._watches = {one.id: one for one in datadog_monitors(alarms)}
        self._deployed = deployed
        self._sources = Sources(alarms)

    def slo(self, one: SloState) -> Body:
        return {
            "type": "slo",
            "title": one.title,
            "slo_id": reference(Kind.SLO, one.key),
            "view_type": "detail",
            "view_mode": "overall",
            "show_error_budget": True,
            "time_windows": ["30d"],
        }

    def monitors(self, one: MonitorStates) -> Body:
        ours = " AND ".join(f'"{tag}"' for tag in tags(self._settings))
        return {
            "type": "manage_status",
            "title": one.title,
            "query": f"tag:({ours})",
            "summary_type": "monitors",
            "display_format": "countsAndList",
            "color_preference": "background",
            "sort": "status,asc",
            "hide_zero_counts": True,
            "show_last_triggered": True,
        }

    def events(self, one: EventList) -> Body:
        search = one.search.replace("{prefix}", self._settings.prefix)
        return _stream(
            one.title, {"data_source": "event_stream", "query_string": search, "event_size": "s"}
        )

    def logs(self, one: LogList) -> Body:
        query = {
            "data_source": "logs_stream",
            "indexes": [],
            "query_string": self._sources.logs(one.search, one.role, f"panel '{one.title}', role"),
        }
        return _stream(one.title, query, _LOG_COLUMNS)

    def traces(self, one: TraceList) -> Body:
        function = self._sources.resource(one.role, f"panel '{one.title}', role").name
        search = f"$env $service operation_name:aws.lambda resource_name:{function} {one.search}"
        query = {"data_source": "trace_stream", "indexes": [], "query_string": search.strip()}
        return _stream(one.title, query, _TRACE_COLUMNS)

    def graph(self, one: Graph) -> Body:
        """A timeseries with the thresholds drawn in, or one number.

        Raises:
            BoardError: When a metric is not Datadog's, a formula names no line, or units differ.
        """
        found = [self._sources.query(one, place, line) for place, line in enumerate(one.lines)]
        queries = {
            name_of(line, place): query
            for place, (line, query) in enumerate(zip(one.lines, found, strict=True))
            if query
        }
        requests = list(self._requests(one, queries))
        if one.number:
            return {
                "type": "query_value",
                "title": one.title,
                "autoscale": True,
                "precision": 2,
                "requests": requests,
            }
        body: Body = {
            "type": "timeseries",
            "title": one.title,
            "show_legend": True,
            "legend_layout": "auto",
            "legend_columns": ["avg", "max", "value"],
            "requests": requests,
            "yaxis": {"include_zero": True, "scale": "linear", "min": "auto", "max": "auto"},
            "events": [{"q": f"{self._deployed} $env $service", "tags_execution": "and"}],
        }
        markers = self._markers(one, _unit(one, queries))
        return {**body, "markers": markers} if markers else body

    def _requests(self, one: Graph, queries: Mapping[str, Query]) -> Iterator[Body]:
        """One request for each visible line, for each has a colour of its own."""
        for place, line in enumerate(one.lines):
            if not isinstance(line, Formula):
                if line.hidden:
                    continue
                used, formula = [name_of(line, place)], name_of(line, place)
            else:
                formula = line.expression
                used = sorted(set(re.findall(r"[a-z_]\w*", formula)))
                unknown = [name for name in used if name not in queries]
                if unknown:
                    raise BoardError(
                        f"panel '{one.title}', lines[{place}].expression: '{unknown[0]}' is no "
                        "line's id; give a line that id"
                    )
            shown: Body = {
                "formula": formula,
                "alias": self._watched.filled(line.label),
                **_number_format(one, queries.get(formula)),
            }
            body: Body = {"formulas": [shown], "queries": [queries[name].body for name in used]}
            if one.number:
                yield {"response_format": "scalar", **body}
            else:
                palette = _palette(line, f"panel '{one.title}', lines[{place}].color")
                yield {
                    "response_format": "timeseries",
                    "display_type": one.shape,
                    "style": {"palette": palette},
                    **body,
                }

    def _markers(self, one: Graph, unit: DatadogMetric | None) -> list[Body]:
        """The lines across a graph; what has the same value shares one, or none could be read."""
        found: dict[float, list[tuple[str, str, str]]] = {}
        for name in one.signals:
            threshold = self._threshold(name)
            if threshold:
                value, of_it, severity = threshold
                told = f"{name} ({severity.value})", quantity(value, of_it), _STYLES[severity]
                found.setdefault(_in(value, of_it, unit, one, name), []).append(told)
        for fact, label in one.limits.items():
            try:
                known = self._watched.fact(fact)
            except KeyError:
                raise BoardError(
                    f"panel '{one.title}', limits: '{fact}' is no fact of this environment"
                ) from None
            drawn = _in(known.value, known.unit, unit, one, fact)
            found.setdefault(drawn, []).append((label, quantity(known.value, known.unit), _LIMIT))
        return [
            {
                "value": f"y = {plain(value)}",
                "label": f"{', '.join(text for text, _, _ in labels)}: {labels[0][1]}",
                "display_type": min((style for _, _, style in labels), key=_BY_WEIGHT.index),
            }
            for value, labels in found.items()
        ]

    def _threshold(self, name: str) -> tuple[float, str, Severity] | None:
        """A signal's or watch's number, its unit and severity; None where nothing watches it."""
        everything = (*self._set.alarms, *self._set.in_datadog)
        alarm = next((one for one in everything if one.signal.id == name), None)
        if alarm:
            return alarm.threshold, alarm.signal.threshold.unit, alarm.severity
        watch = self._watches.get(name)
        if watch is None:
            return None
        return resolved(watch.threshold, self._watched), watch.threshold.unit, watch.severity


def _palette(line: Line | Series | LogCount | Formula, where: str) -> str:
    if line.color is None:
        return "dog_classic"
    if line.color not in _PALETTES:
        known = ", ".join(_PALETTES)
        raise BoardError(f"{where}: '{line.color}' has no palette; take one of {known}")
    return _PALETTES[line.color]


def _unit(one: Graph, queries: Mapping[str, Query]) -> DatadogMetric | None:
    """What the y axis is in: a shown metric of it; None where formulas or logs alone are shown.

    Raises:
        BoardError: When the shown metrics are in different units.
    """
    shown = {
        query.metric.unit: query.metric
        for place, line in enumerate(one.lines)
        if isinstance(line, Line | Series) and not line.hidden
        if (query := queries[name_of(line, place)]).metric
    }
    if len(shown) > 1 and shown.keys() & set(_UNITS.values()):
        raise BoardError(
            f"panel '{one.title}', lines: in {' and '.join(sorted(shown))} on one axis; give each "
            "unit a panel of its own"
        )
    return next(iter(shown.values()), None)


def _in(value: float, unit: str, axis: DatadogMetric | None, one: Graph, name: str) -> float:
    """A number in the unit of a graph's axis."""
    try:
        if axis:
            return metrics.converted(value, unit, axis.name)
    except ValueError as error:
        raise BoardError(f"panel '{one.title}', signals: '{name}': {error}") from None
    if unit != one.unit:
        raise BoardError(
            f"panel '{one.title}', unit: is {one.unit}, but '{name}' is in {unit}; draw it where "
            "that is the unit"
        )
    return value


def _number_format(one: Graph, query: Query | None) -> Body:
    """The unit of a formula, which Datadog can't know, or of a metric in its own."""
    unit = query.metric.unit if query and query.metric else _UNITS.get(one.unit)
    if not unit:
        return {}
    return {"number_format": {"unit": {"type": "canonical_unit", "unit_name": unit}}}


def _stream(title: str, query: Body, columns: Sequence[tuple[str, str]] = ()) -> Body:
    shown = [{"field": field, "width": width} for field, width in columns]
    request = {"response_format": "event_list", "query": query, "columns": shown}
    return {"type": "list_stream", "title": title, "requests": [request]}
