"""What is known about the alarms before they fire: written at deployment, read by notify."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from lambdas.alarm_events import SEVERITIES

UNITS = ("Percent", "Seconds", "Milliseconds", "Count")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmGuide:
    """What is known about an alarm before it fires.

    Attributes:
        id: the signal's.
        unit: of its value; one of ``UNITS``.
        counted: what a count counts, in the plural, or ``of the attempts failed`` of a share; empty
            for other units.
        runbook: heading in the runbook.
        log_group, log_query: where more can be read, if anywhere.
        names: which webhooks a notification names; one of ``lambdas.blocking.WHICH``, or None.
        parts: of a composite alarm, the alarms whose states make its own, the most specific first.
    """

    id: str
    title: str
    impact: str
    severity: str
    unit: str
    counted: str
    runbook: str
    steps: tuple[str, ...]
    log_group: str | None
    log_query: str | None
    names: str | None
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmGuides:
    """What is known about an environment's alarms.

    Attributes:
        runbook_url: the runbook's, or its path in the repository.
        probe: the alarm that only tests the alert path.
        laptop: whether all of it runs on a laptop, which has no console.
        alarms: by name.
    """

    service: str
    environment: str
    region: str
    dashboard: str
    runbook_url: str
    probe: str
    laptop: bool
    alarms: Mapping[str, AlarmGuide]

    @classmethod
    def parse(cls, text: str) -> AlarmGuides:
        """The guides from its JSON.

        Raises:
            ValueError, TypeError, KeyError: When a member is missing or not right.
        """
        said = json.loads(text)
        alarms = {name: _guide(name, guide) for name, guide in said["alarms"].items()}
        return cls(**{**_members(cls, said), "alarms": alarms})


def _guide(name: str, said: Mapping[str, Any]) -> AlarmGuide:
    if said["unit"] not in UNITS or said["severity"] not in SEVERITIES:
        raise ValueError(f"guides, alarm '{name}': unknown unit or severity")
    lists = {"steps": tuple(said["steps"]), "parts": tuple(said["parts"])}
    return AlarmGuide(**{**_members(AlarmGuide, said), **lists})


def _members(kind: type[Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """The members that a class has; unknown ones, which may be added one day, are left out."""
    return {member.name: said[member.name] for member in fields(kind)}
