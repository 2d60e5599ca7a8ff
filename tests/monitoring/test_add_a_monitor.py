"""docs/add-a-monitor.md does what it says."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from alarms import CATALOG
from dashboards import DASHBOARDS
from monitoring.alarm_set import AlarmSet, alarm_set
from monitoring.datadog.check import problems
from monitoring.datadog.monitors import monitors
from monitoring.documents.datadog import example
from monitoring.model import datadog
from monitoring.model.datadog import DatadogMonitor, MetricQuery, Needs
from monitoring.model.signals import Comparison, FailureMode, Severity, Threshold
from settings.errors import DefinitionError
from settings.paths import ROOT
from tests.dashboard_fixtures import drawn_boards

PAGE = (ROOT / "docs" / "add-a-monitor.md").read_text("utf-8")
_NAMES = {
    "DatadogMonitor": DatadogMonitor, "MetricQuery": MetricQuery, "Needs": Needs,
    "Comparison": Comparison,
    "FailureMode": FailureMode, "Severity": Severity, "Threshold": Threshold,
}  # fmt: skip


def _example(**changes: str) -> DatadogMonitor:
    code = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)[0]
    for old, new in changes.items():
        code = code.replace(old, new)
    monitor = eval(code, dict(_NAMES))  # noqa: S307 - it is the page's own
    assert isinstance(monitor, DatadogMonitor)
    return monitor


def _alarms(monitor: DatadogMonitor) -> AlarmSet:
    # Whoever follows the page to the letter has it among the monitors already.
    others = [other for other in CATALOG.monitors if other.id != monitor.id]
    return alarm_set(example(), replace(CATALOG, monitors=(*others, monitor)))


def test_the_example_becomes_a_monitor_and_a_line() -> None:
    """From that place alone: a monitor that can be published, and its threshold on a dashboard."""
    monitor = _example()
    alarms = _alarms(monitor)
    published = next(definition for definition in monitors(alarms) if definition.key == monitor.id)
    assert problems([published]) == []
    assert "sum(last_15m):sum:aws.lambda.enhanced.out_of_memory{" in published.body["query"]
    drawn = str([board.body for board in drawn_boards(alarms, DASHBOARDS)])
    assert f"{monitor.id} (ticket)" in drawn


def test_the_error_is_as_the_page_says() -> None:
    """The check's words are those of the page."""
    shown = re.search(r"Error: alarms/datadog\.py: (monitor .*)", PAGE)
    assert shown
    with pytest.raises(DefinitionError) as caught:
        _alarms(_example(**{'role="subscribe",\n)': 'role="subscribe",\n    recovery=1.0,\n)'}))
    assert str(caught.value) == shown[1]


def test_every_query_of_the_page_is_there() -> None:
    """What the table names can be written."""
    for name in re.findall(r"`(\w+)\(", PAGE.partition("## Query types")[2]):
        assert hasattr(datadog, name), name
