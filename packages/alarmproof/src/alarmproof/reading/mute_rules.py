"""Alarm mute rules of a template.

Source: CloudFormation template reference, "AWS::CloudWatch::AlarmMuteRule"; CloudWatch API
reference, Schedule.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from alarmproof.base.alarms import MuteRule, Source
from alarmproof.base.values import unknown_in

_DURATION = re.compile(r"P(?:(\d{1,3})D)?(?:T(?:(\d{1,4})H)?(?:(\d{1,5})M)?)?")
_EXPRESSION = re.compile(r"(cron|at)\([^()]{1,250}\)")
_SHORTEST, _LONGEST = 60, 15 * 86_400


def read(properties: Mapping[str, Any], source: Source) -> MuteRule | str:
    """A mute rule of resolved properties, or why it can't be used."""
    missing = unknown_in([properties.get("Rule"), properties.get("MuteTargets")])
    if missing is not None:
        return missing.why
    schedule = _mapping(_mapping(properties.get("Rule")).get("Schedule"))
    expression, zone = str(schedule.get("Expression", "")), str(schedule.get("Timezone") or "UTC")
    seconds = duration(str(schedule.get("Duration", "")))
    if not _EXPRESSION.fullmatch(expression):
        return f"its schedule '{expression[:60]}' is neither cron(…) nor at(…)"
    if seconds is None:
        return f"its duration '{str(schedule.get('Duration'))[:60]}' is not PT1M to P15D"
    targets = _mapping(properties.get("MuteTargets")).get("AlarmNames")
    return MuteRule(
        name=str(properties.get("Name") or source.logical_id),
        source=source,
        alarms=tuple(map(str, targets if isinstance(targets, list) else [])),
        expression=expression,
        seconds=seconds,
        zone=zone,
        begins=_text(properties.get("StartDate")),
        expires=_text(properties.get("ExpireDate")),
    )


def duration(text: str) -> int | None:
    """ISO 8601's ``P2DT12H`` in seconds; None where it is something else, or out of range."""
    match = _DURATION.fullmatch(text)
    if not match:
        return None
    days, hours, minutes = (int(part or 0) for part in match.groups())
    seconds = 60 * (minutes + 60 * (hours + 24 * days))
    return seconds if _SHORTEST <= seconds <= _LONGEST else None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
