"""What ``notify`` knows about each alarm: written next to its code when the stack is
synthesized."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from monitoring import placeholders
from monitoring.alarm_set import PROBE, Alarm, AlarmSet, CompositeAlarm
from monitoring.model.signals import Signal


def alarm_guides(alarm_set: AlarmSet) -> dict[str, Any]:
    """Per alarm, by physical name: what a notification says about it."""
    settings = alarm_set.settings
    alarms = {alarm.name: _of_alarm(alarm, alarm_set) for alarm in alarm_set.alarms}
    alarms |= {
        composite.name: _of_composite(composite, alarm_set) for composite in alarm_set.composites
    }
    return {
        "service": settings.service,
        "environment": settings.environment,
        "region": settings.awsRegion,
        "dashboard": settings.dashboard_name,
        "runbook_url": settings.runbookUrl,
        "probe": settings.alarm_name(PROBE),
        "laptop": settings.on_laptop,
        "alarms": alarms,
    }


def first_steps(heading: str, runbook: Path) -> list[str]:
    """The numbered items under "First steps" of a runbook section; empty without any."""
    section = _sections(runbook).get(heading, "")
    steps = section.partition("**First steps**")[2].partition("**")[0]
    return [" ".join(item.split()) for item in re.findall(r"^\d+\. (.+?)$", steps, re.MULTILINE)]


def steps_of(alarm: Alarm, alarm_set: AlarmSet) -> list[str]:
    """An alarm's first steps; of an existing resource with its name."""
    resources = (alarm_set.resources.by_role[role] for role in alarm.signal.roles)
    names = {
        f"{resource.kind.value.split()[-1].upper()}_NAME": resource.name for resource in resources
    }
    return steps(alarm.signal.runbook, alarm_set, names)


def steps(heading: str, alarm_set: AlarmSet, names: Mapping[str, str] | None = None) -> list[str]:
    """First steps with this environment's names and numbers in place of the runbook's.

    Args:
        names: further ones, by placeholder.
    """
    settings = alarm_set.settings
    names = {
        "webhook-buffer-ENV": settings.prefix,
        "REGION": settings.awsRegion,
        "ENV": settings.environment,
        **(names or {}),
    }
    pattern = re.compile("|".join(rf"\b{name}\b" for name in names))
    return [
        pattern.sub(lambda match: names[match[0]], placeholders.plain(step))
        for step in (
            placeholders.refreshed(step_text, lambda name: number(name, alarm_set))
            for step_text in first_steps(heading, alarm_set.runbook)
        )
    ]


def number(name: str, alarm_set: AlarmSet) -> str | None:
    """A number of the runbook in an environment; None if the environment does not have it.

    Args:
        name: ``queue-age-page.threshold``, a fact (``queue.retention``) or a settings key.
    """
    owner, _, which = name.rpartition(".")
    matches = [
        candidate
        for candidate in (*alarm_set.alarms, *alarm_set.in_datadog)
        if candidate.signal.id == owner
    ]
    if matches:
        [alarm] = matches
        numbers = placeholders.of_signal(alarm.signal, alarm.threshold, alarm.period, alarm.periods)
        return numbers.get(which)
    return placeholders.of_fact(name, alarm_set.resources) or placeholders.of_setting(
        name, alarm_set.settings
    )


@cache
def _sections(runbook: Path) -> dict[str, str]:
    parts = re.split(r"^## (.+?)\s*$", runbook.read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _of_alarm(alarm: Alarm, alarm_set: AlarmSet) -> dict[str, Any]:
    signal = alarm.signal
    return {
        "id": signal.id,
        "title": signal.title,
        "impact": signal.impact,
        "severity": alarm.severity.value,
        "unit": signal.threshold.unit,
        "counted": counted(signal),
        "runbook": signal.runbook,
        "steps": steps_of(alarm, alarm_set),
        "log_group": alarm.log_group,
        "log_query": signal.log_query,
        "names": signal.names,
        "parts": [],
    }


def counted(signal: Signal) -> str:
    """What a signal's value counts, by default what its first metric does; or what its share is."""
    if signal.threshold.counted or signal.threshold.unit != "Count":
        return signal.threshold.counted
    return next(iter(signal.queries.values())).metric.label


def _of_composite(alarm: CompositeAlarm, alarm_set: AlarmSet) -> dict[str, Any]:
    composite = alarm.composite
    first = alarm.parts[0][0]
    return {
        "id": composite.id,
        "title": composite.title,
        "impact": composite.impact,
        "severity": alarm.severity.value,
        "unit": first.signal.threshold.unit,
        "counted": counted(first.signal),
        "runbook": composite.id,
        "steps": steps(composite.id, alarm_set),
        "log_group": first.log_group,
        "log_query": first.signal.log_query,
        "names": None,
        "parts": [part.name for group in alarm.parts for part in group],
    }
