"""Dashboards as CloudWatch reads them: panels laid out, with the alarms' thresholds drawn in.

Source: CloudWatch API reference, "Dashboard Body Structure and Syntax".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from dashboards.cloudwatch import buffer, existing, notifications
from monitoring.alarm_set import Alarm, AlarmSet, CompositeAlarm
from monitoring.model.dashboards import Formula, Line, Panel, Section
from monitoring.model.signals import Severity
from monitoring.quantities import quantity

Widget = dict[str, Any]

COLUMNS = 24
# Source: as above: an alarm widget shows 1 to 100 alarms.
_ALARMS_PER_WIDGET = 100
# A guess at how many stand beside each other; the widget scrolls if it was wrong.
_ALARMS_PER_LINE = 6
_HEIGHT = 6
_COLORS = {Severity.PAGE: "#d62728", Severity.TICKET: "#ff7f0e", Severity.INFO: "#1f77b4"}
_LIMIT_COLOR = "#7f7f7f"
# Where lines fall together, the worst gives the colour.
_BY_WEIGHT = [*_COLORS.values(), _LIMIT_COLOR]
_AXES = {"Count": "count", "Seconds": "s", "Milliseconds": "ms", "Percent": "%"}


def body(alarm_set: AlarmSet, *, region: str, account: str) -> dict[str, Any]:
    """The dashboard of an environment."""
    return _Dashboard(alarm_set, region, account).body()


class _Dashboard:
    """Lays widgets out from top to bottom."""

    def __init__(self, alarm_set: AlarmSet, region: str, account: str) -> None:
        self._set = alarm_set
        self._watched = alarm_set.resources
        self._region = region
        self._account = account
        self._widgets: list[Widget] = []
        self._y = 0

    def body(self) -> dict[str, Any]:
        self._text(self._header(), height=2)
        pages = [one for one in self._set.alarms if one.severity is Severity.PAGE]
        self._alarms("Incidents, and what pages", [*self._set.composites, *pages])
        for section in self._sections():
            self._section(section)
        self._text("## All alarms", height=1)
        self._alarms("All alarms", [*self._set.composites, *self._set.alarms])
        headings = dict.fromkeys(one.signal.runbook for one in self._set.alarms)
        headings |= dict.fromkeys(one.composite.id for one in self._set.composites)
        links = " · ".join(self._link(heading, heading) for heading in headings)
        self._text(f"**What to do, by signal:** {links}", height=4)
        # Thresholds hold for the periods they were made for, whatever time is shown.
        return {"start": "-PT3H", "periodOverride": "inherit", "widgets": self._widgets}

    def _sections(self) -> Iterator[Section]:
        if self._watched.ours:
            yield from buffer(self._set.settings)
        else:
            for resource in self._watched.by_role.values():
                section = existing(resource.role, resource.kind)
                if section and resource.role not in ("notify", "notify-dlq"):
                    yield section
        yield notifications()

    def _section(self, section: Section) -> None:
        self._text(f"## {section.title}", height=1)
        for row in section.rows:
            width = COLUMNS // len(row)
            for position, panel in enumerate(row):
                self._add("metric", self._panel(panel), position * width, width, _HEIGHT)
            self._y += _HEIGHT

    def _add(self, kind: str, properties: dict[str, Any], x: int, width: int, height: int) -> None:
        place = {"x": x, "y": self._y, "width": width, "height": height}
        self._widgets.append({"type": kind, **place, "properties": properties})

    def _text(self, markdown: str, *, height: int) -> None:
        self._add("text", {"markdown": markdown}, 0, COLUMNS, height)
        self._y += height

    def _alarms(self, title: str, alarms: Sequence[Alarm | CompositeAlarm]) -> None:
        for start in range(0, len(alarms), _ALARMS_PER_WIDGET):
            some = alarms[start : start + _ALARMS_PER_WIDGET]
            properties = {"title": title, "alarms": [self._arn(one.name) for one in some]}
            height = 2 + -(-len(some) // _ALARMS_PER_LINE)
            self._add("alarm", properties, 0, COLUMNS, height)
            self._y += height

    def _arn(self, alarm: str) -> str:
        return f"arn:aws:cloudwatch:{self._region}:{self._account}:alarm:{alarm}"

    def _header(self) -> str:
        settings = self._set.settings
        return (
            f"# {settings.service} · {settings.environment}\n"
            f"From what users notice down to the parts. A line across a graph is an alarm's "
            f"threshold: red pages, orange is a ticket. {self._link('Runbook', '')}"
        )

    def _link(self, text: str, heading: str) -> str:
        """To the runbook; where that is no URL, the console could not follow a link."""
        url = self._set.settings.runbookUrl
        target = f"{url}#{heading}" if heading else url
        if url.startswith(("https://", "http://")):
            return f"[{text}]({target})"
        return f"`{text}`" if heading else f"{text}: `{target}`"

    def _panel(self, panel: Panel) -> dict[str, Any]:
        period = self._watched.number(panel.period)
        properties: dict[str, Any] = {
            "title": panel.title,
            "region": self._region,
            "period": period,
            "view": "singleValue" if panel.number else "timeSeries",
            "stacked": panel.stacked,
            "metrics": [self._line(line) for line in panel.lines],
            "yAxis": {
                "left": {"label": panel.axis or _AXES[panel.unit], "min": 0, "showUnits": False}
            },
        }
        if panel.number:
            properties["setPeriodToTimeRange"] = True
        across = self._across(panel)
        if across:
            properties["annotations"] = {"horizontal": across}
        return properties

    def _line(self, line: Line | Formula) -> list[Any]:
        if isinstance(line, Formula):
            expression = self._watched.filled(line.expression)
            return [{"expression": expression, "label": self._watched.filled(line.label)}]
        measure = self._watched.measure(line.query)
        options: dict[str, Any] = {
            "stat": measure.statistic,
            "label": self._watched.filled(line.label),
        }
        if line.id:
            options["id"] = line.id
        if line.hidden:
            options["visible"] = False
        if line.color:
            options["color"] = line.color
        flat = [part for pair in measure.dimensions.items() for part in pair]
        return [measure.namespace, measure.name, *flat, options]

    def _across(self, panel: Panel) -> list[dict[str, Any]]:
        """The lines across a graph; what has the same value shares one, or none could be read."""
        found: dict[float, list[tuple[str, str]]] = {}
        for name in panel.signals:
            alarm = self._set.alarm(name)
            if alarm is None:
                continue
            unit = alarm.signal.threshold.unit
            if unit != panel.unit:
                raise ValueError(
                    f"panel '{panel.title}' is in {panel.unit}, but the threshold of '{name}' is "
                    f"in {unit}; draw it where that is the unit"
                )
            told = f"{name} ({alarm.severity.value})"
            found.setdefault(alarm.threshold, []).append((told, _COLORS[alarm.severity]))
        for fact, label in panel.limits.items():
            value = self._watched.value(fact, panel.unit)
            found.setdefault(value, []).append((label, _LIMIT_COLOR))
        return [
            {
                "value": value,
                "label": f"{', '.join(text for text, _ in labels)}: {quantity(value, panel.unit)}",
                "color": min((color for _, color in labels), key=_BY_WEIGHT.index),
            }
            for value, labels in found.items()
        ]
