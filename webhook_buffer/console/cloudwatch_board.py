"""A CloudWatch dashboard's body, with numbers of a session.

Source: CloudWatch API reference, "Dashboard Body Structure and Syntax".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from alarmproof import metric_math
from alarmproof.base import expressions
from alarmproof.base.errors import AlarmproofError
from alarmproof.base.metric_data import MetricKey

from monitoring.cloudwatch.panels import AXES
from monitoring.datadog.graphs import UNITS
from settings.errors import InputError
from webhook_buffer.console.frame import Frame
from webhook_buffer.console.numbers import Numbers, UnmeasuredError
from webhook_buffer.console.reductions import Values, rounded
from webhook_buffer.console.text import markdown
from webhook_buffer.live.session import Session

Body = Mapping[str, Any]
Shown = dict[str, Any]

_COLUMNS, _DATADOG_COLUMNS = 24, 12
_UNITS = {axis: UNITS.get(unit, "") for unit, axis in AXES.items()}


class CloudWatchBoard:
    """Makes what is shown of a dashboard.

    Args:
        states: the state of each alarm, by its physical name.
        ids: what each is called otherwise.
    """

    def __init__(
        self,
        session: Session,
        numbers: Numbers,
        states: Mapping[str, str],
        ids: Mapping[str, str],
    ) -> None:
        self._session, self._numbers, self._states, self._ids = session, numbers, states, ids

    def shown(self, body: Body, start: int, end: int, title: str) -> Shown:
        """A dashboard over a stretch of session time, in the form of ``boards``; the widgets below
        a heading are one group.

        Raises:
            InputError: When it is not a dashboard.
        """
        if not isinstance(body.get("widgets"), list):
            raise InputError("not a CloudWatch dashboard: it has no list 'widgets'.")
        groups: list[Shown] = []
        for widget in body["widgets"]:
            properties = widget.get("properties") or {}
            text = str(properties.get("markdown", ""))
            if widget.get("type") == "text" and text.startswith("## "):
                groups.append(_group(text.removeprefix("## ")))
                continue
            if not groups:
                groups.append(_group(""))
            width = max(1, widget.get("width", 6) * _DATADOG_COLUMNS // _COLUMNS)
            base = {"title": str(properties.get("title") or ""), "width": width}
            shown = base | self._widget(str(widget.get("type")), properties, start, end)
            groups[-1]["widgets"].append(shown)
        return {
            "title": title, "about": "", "from": start, "to": end, "variables": [],
            "widgets": groups,
        }  # fmt: skip

    def _widget(self, kind: str, properties: Body, start: int, end: int) -> Shown:
        try:
            if kind == "text":
                return {"type": "note", "content": markdown(str(properties.get("markdown", "")))}
            if kind == "alarm":
                return {"type": "alarms", "rows": self._alarms(properties.get("alarms", ()))}
            if kind == "metric":
                return self._metric(properties, start, end)
        except (UnmeasuredError, AlarmproofError) as error:
            return {"type": kind, "reason": str(error)}
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            reason = f"Its definition can't be read ({type(error).__name__})."
            return {"type": kind, "reason": reason}
        return {"type": kind, "reason": f"This console does not draw '{kind}' widgets."}

    def _alarms(self, arns: Sequence[str]) -> list[Shown]:
        names = [arn.rpartition(":alarm:")[2] for arn in arns]
        return [
            {"alarm": name, "id": self._ids.get(name), "state": self._states.get(name, "unknown")}
            for name in names
        ]

    def _metric(self, properties: Body, start: int, end: int) -> Shown:
        single = properties.get("view") == "singleValue"
        period = max(60, int(properties.get("period", 300)))
        frame = Frame.over(start, end, period)
        if single and properties.get("setPeriodToTimeRange"):
            whole = Frame.over(start, end)
            frame = Frame(whole.start, whole.step * whole.count, 1)
        lines, missing = self._lines(properties["metrics"], frame)
        axis = ((properties.get("yAxis") or {}).get("left") or {}).get("label", "")
        unit = _UNITS.get(axis, "")
        if single:
            [first, *_] = lines
            there = first["values"][~np.isnan(first["values"])]
            value = float(there[-1]) if len(there) else None
            empty = {} if len(there) else {"empty": "Nothing in this time."}
            shown = {"type": "query_value", "value": value, "unit": unit, "precision": 2}
            return {**shown, "caption": first["label"], **empty}
        draw = "bars" if properties.get("stacked") else "line"
        series = [
            {
                "label": line["label"], "unit": unit, "color": line["color"], "draw": draw,
                "step": period,
                "values": rounded(line["values"]),
            }
            for line in lines
        ]  # fmt: skip
        across = (properties.get("annotations") or {}).get("horizontal", ())
        markers = [
            {"value": float(line["value"]), "label": str(line.get("label", "")), "kind": "info",
             "color": str(line.get("color", ""))}
            for line in across
        ]  # fmt: skip
        made: Shown = {
            "type": "timeseries", "times": frame.times, "series": series, "unit": unit,
            "step": period, "markers": markers, **({"missing": missing} if missing else {}),
        }  # fmt: skip
        if not any(value is not None for line in series for value in line["values"]):
            made["empty"] = "Nothing in this time."
        return made

    def _lines(self, metrics: Sequence[Sequence[Any]], frame: Frame) -> tuple[list[Shown], str]:
        """The visible lines, and why others are missing."""
        computed: dict[str, Values] = {}
        reasons: list[str] = []
        names = [
            str(_options(metric).get("id") or f"unnamed{at}") for at, metric in enumerate(metrics)
        ]
        for name, entry in zip(names, metrics, strict=True):
            options = _options(entry)
            if "expression" in options:
                continue
            reason = self._numbers.unreported(str(entry[0]), str(entry[1]))
            if reason:
                reasons.append(reason)
            else:
                computed[name] = self._values(entry, options, frame)
        missing = " ".join(dict.fromkeys(reasons))
        lines: list[Shown] = []
        for name, entry in zip(names, metrics, strict=True):
            options = _options(entry)
            text = str(options.get("expression", ""))
            if not options.get("visible", True):
                continue
            if text and not missing:
                lines.append(_line(options, text, _computed(text, computed, frame)))
            elif name in computed:
                lines.append(_line(options, str(entry[1]), computed[name]))
        if not lines:
            raise UnmeasuredError(missing or "Nothing to show.")
        return lines, missing

    def _values(self, entry: Sequence[Any], options: Body, frame: Frame) -> Values:
        key = self._session.cells.key(_metric_of(entry))
        if key is None:
            return np.full(frame.count, np.nan)
        return self._numbers.of_cloudwatch(key, str(options.get("stat", "Average")), frame)


def metrics_of(body: Body) -> Iterator[MetricKey]:
    """Every metric that a dashboard shows or computes with."""
    for widget in body["widgets"]:
        for entry in (widget.get("properties") or {}).get("metrics", ()):
            if "expression" not in _options(entry):
                yield _metric_of(entry)


def _metric_of(entry: Sequence[Any]) -> MetricKey:
    namespace, name, *flat = [str(part) for part in entry if isinstance(part, str)]
    return MetricKey.of(namespace, name, dict(zip(flat[::2], flat[1::2], strict=False)))


def _options(entry: Sequence[Any]) -> Body:
    return entry[-1] if isinstance(entry[-1], dict) else {}


def _group(title: str) -> Shown:
    return {"type": "group", "title": title, "width": _DATADOG_COLUMNS, "widgets": []}


def _line(options: Body, usual: str, values: Values) -> Shown:
    color = str(options.get("color", ""))
    return {"label": str(options.get("label") or usual), "color": color, "values": values}


def _computed(text: str, known: Mapping[str, Values], frame: Frame) -> Values:
    context = metric_math.Context(
        values=known, metrics=tuple(known), starts=np.array(frame.times), period=frame.step
    )
    result = metric_math.evaluate(expressions.compile_expression(text), context)
    return np.broadcast_to(result, (frame.count,)).copy()
