"""Checks of a panel in an environment, whichever dashboard shows it."""

from __future__ import annotations

from collections.abc import Iterator

from monitoring.alarm_set import AlarmSet
from monitoring.model.dashboards import Formula, Line, Panel


def problems(panel: Panel, alarms: AlarmSet) -> list[str]:
    """Why a panel can't be drawn as it is defined; each problem begins with the field."""
    return [*panel.problems(), *_unknown_facts(panel, alarms), *_unknown_signals(panel, alarms)]


def has_fact(alarms: AlarmSet, name: str) -> bool:
    """Whether an environment has a fact, by its full name (``publish.timeout``)."""
    try:
        alarms.resources.fact(name)
    except KeyError:
        return False
    return True


def _unknown_facts(panel: Panel, alarms: AlarmSet) -> Iterator[str]:
    facts = {f"limits: '{name}'": name for name in panel.limits}
    if isinstance(panel.period, str):
        facts[f"period: '{panel.period}'"] = panel.period
    for where, name in facts.items():
        if not has_fact(alarms, name):
            yield f"{where} is not a fact of this environment"
    for text in _texts(panel):
        try:
            alarms.resources.filled(text)
        except KeyError as error:
            yield f"lines: '{text}' names {error}, which is not a fact of this environment"


def _texts(panel: Panel) -> Iterator[str]:
    """What facts may stand in, in braces."""
    for line in panel.lines:
        yield line.label
        if isinstance(line, Formula):
            yield line.expression
        elif isinstance(line, Line) and line.cloudwatch:
            yield line.cloudwatch.statistic


def _unknown_signals(panel: Panel, alarms: AlarmSet) -> Iterator[str]:
    """Signals that no environment like this has; what it leaves out is known, and not drawn."""
    known = {alarm.signal.id for alarm in (*alarms.alarms, *alarms.in_datadog)} | {*alarms.left_out}
    for name in panel.signals:
        if name not in known:
            yield f"signals: unknown signal '{name}'"
