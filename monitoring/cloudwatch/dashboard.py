"""Dashboards as CloudWatch reads them: panels laid out, with the alarms' thresholds drawn in.

Source: CloudWatch API reference, "Dashboard Body Structure and Syntax".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from monitoring.alarm_set import Alarm, AlarmSet, CompositeAlarm
from monitoring.cloudwatch.panels import Panels
from monitoring.deployed import deployed
from monitoring.model.dashboards import Dashboards, Section
from monitoring.model.signals import Severity
from settings.errors import DefinitionError

Widget = dict[str, Any]

COLUMNS = 24
# Source: as above: an alarm widget shows 1 to 100 alarms.
_ALARMS_PER_WIDGET = 100
# A guess at how many stand beside each other; the widget scrolls if it was wrong.
_ALARMS_PER_LINE = 6
_HEIGHT = 6


def body(
    alarm_set: AlarmSet, dashboards: Dashboards, *, region: str, account: str
) -> dict[str, Any]:
    """The dashboard of an environment.

    Raises:
        DefinitionError: When panels can't be drawn as they are defined; lists every problem.
    """
    sections = dashboards.cloudwatch(deployed(alarm_set.settings))
    return _Dashboard(alarm_set, region, account).body(sections)


class _Dashboard:
    """Lays widgets out from top to bottom."""

    def __init__(self, alarm_set: AlarmSet, region: str, account: str) -> None:
        self._set = alarm_set
        self._region = region
        self._account = account
        self._widgets: list[Widget] = []
        self._panels = Panels(alarm_set, region)
        self._y = 0

    def body(self, sections: Sequence[Section]) -> dict[str, Any]:
        self._text(self._header(), height=2)
        pages = [alarm for alarm in self._set.alarms if alarm.severity is Severity.PAGE]
        self._alarms("Incidents and paging alarms", [*self._set.composites, *pages])
        for section in sections:
            self._section(section)
        self._text("## All alarms", height=1)
        self._alarms("All alarms", [*self._set.composites, *self._set.alarms])
        headings = dict.fromkeys(alarm.signal.runbook for alarm in self._set.alarms)
        headings |= dict.fromkeys(incident.composite.id for incident in self._set.composites)
        links = " · ".join(self._link(heading, heading) for heading in headings)
        self._text(f"**What to do, by signal:** {links}", height=4)
        if self._panels.problems:
            raise DefinitionError(self._panels.problems)
        # Thresholds hold for the periods they were made for, whatever time is shown.
        return {"start": "-PT3H", "periodOverride": "inherit", "widgets": self._widgets}

    def _section(self, section: Section) -> None:
        """The panels of a section that CloudWatch can show."""
        rows = [
            [properties for widget in row if (properties := self._panels.drawn(widget))]
            for row in section.rows
        ]
        if not any(rows):
            return
        self._text(f"## {section.title}", height=1)
        for row in filter(None, rows):
            width = COLUMNS // len(row)
            for position, properties in enumerate(row):
                self._add("metric", properties, position * width, width, _HEIGHT)
            self._y += _HEIGHT

    def _add(self, kind: str, properties: dict[str, Any], x: int, width: int, height: int) -> None:
        place = {"x": x, "y": self._y, "width": width, "height": height}
        self._widgets.append({"type": kind, **place, "properties": properties})

    def _text(self, markdown: str, *, height: int) -> None:
        self._add("text", {"markdown": markdown}, 0, COLUMNS, height)
        self._y += height

    def _alarms(self, title: str, alarms: Sequence[Alarm | CompositeAlarm]) -> None:
        for start in range(0, len(alarms), _ALARMS_PER_WIDGET):
            part = alarms[start : start + _ALARMS_PER_WIDGET]
            properties = {"title": title, "alarms": [self._arn(alarm.name) for alarm in part]}
            height = 2 + -(-len(part) // _ALARMS_PER_LINE)
            self._add("alarm", properties, 0, COLUMNS, height)
            self._y += height

    def _arn(self, alarm: str) -> str:
        partition = self._set.settings.partition
        return f"arn:{partition}:cloudwatch:{self._region}:{self._account}:alarm:{alarm}"

    def _header(self) -> str:
        settings = self._set.settings
        return (
            f"# {settings.service} · {settings.environment}\n"
            f"From what users notice down to the parts. A line across a graph is an alarm's "
            f"threshold: red pages, orange opens a ticket. {self._link('Runbook', '')}"
        )

    def _link(self, text: str, heading: str) -> str:
        """To the runbook; where that is not a URL, the console could not follow a link."""
        url = self._set.settings.runbookUrl
        target = f"{url}#{heading}" if heading else url
        if url.startswith(("https://", "http://")):
            return f"[{text}]({target})"
        return f"`{text}`" if heading else f"{text}: `{target}`"
