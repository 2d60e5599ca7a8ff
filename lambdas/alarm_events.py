"""An alarm's change of state, as CloudWatch's message reports it.

A message may hold anything, and an unreadable one is still notified: ``read`` never fails.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lambdas.base.safe_json import json_object

ALARM, OK = "ALARM", "OK"
SEVERITIES = ("page", "ticket", "info")

# Source: CloudWatch API reference, PutMetricAlarm: an alarm's name has 255 characters at most.
_NAME_CHARACTERS = 255
_UNREADABLE_CHARACTERS = 1000
_UNPRINTABLE = re.compile(r"[^\n\x20-\ud7ff\ue000-\U0010ffff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Why an alarm is in its state, as CloudWatch says it.

    Attributes:
        reason: its sentence, with the datapoints.
        threshold, comparison: None and empty where the alarm has none.
    """

    alarm: str
    reason: str = ""
    threshold: float | None = None
    comparison: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """An alarm's change of state.

    Attributes:
        state: ``ALARM``, ``OK`` or another of CloudWatch's.
        severity: from the topic; None when that doesn't say it.
        changed_at: milliseconds since the epoch.
        region: the alarm's, where the message says it.
        children: of a composite alarm, the parts that were on.
        readable: whether it is an alarm's message at all.
    """

    state: str
    severity: str | None
    changed_at: int
    reading: Reading
    description: str = ""
    region: str | None = None
    children: tuple[Reading, ...] = ()
    readable: bool = True

    @property
    def alarm(self) -> str:
        return self.reading.alarm


def read(body: str, *, message_id: str, now: int) -> Transition:
    """The transition in an SNS envelope; anything else becomes an ALARM that shows it.

    Source: recorded messages, in tests/lambdas/fixtures/alarms.py.

    Args:
        message_id: names a message that names no alarm.
        now: milliseconds since the epoch, where the message doesn't say when.
    """
    envelope = json_object(body) or {}
    message = _text(envelope, "Message")
    said = json_object(message) or {}
    topic = _text(envelope, "TopicArn").rpartition("-")[2]
    at = [
        _milliseconds(_text(said, "StateChangeTime")),
        _milliseconds(_text(envelope, "Timestamp")),
    ]
    severity = topic if topic in SEVERITIES else None
    changed_at = next((moment for moment in at if moment is not None), now)
    name, state = _text(said, "AlarmName"), _text(said, "NewStateValue")
    if not name or not state:
        shown = f"{_text(envelope, 'Subject')}\n{message}".strip() or _clean(body)
        reading = Reading(alarm=f"message {message_id}", reason=shown[:_UNREADABLE_CHARACTERS])
        return Transition(
            state="ALARM", severity=severity, changed_at=changed_at, reading=reading, readable=False
        )
    trigger = _object(said.get("Trigger"))
    return Transition(
        state=state,
        severity=severity,
        changed_at=changed_at,
        reading=reading_of(
            name[:_NAME_CHARACTERS],
            said.get("NewStateReason"),
            trigger.get("Threshold"),
            trigger.get("ComparisonOperator"),
        ),
        description=_text(said, "AlarmDescription"),
        region=_region(_text(said, "AlarmArn")),
        children=tuple(_children(said.get("TriggeringChildren"))),
    )


def reading_of(alarm: str, reason: Any, threshold: Any, comparison: Any) -> Reading:
    """A reading from JSON values, which may be anything."""
    is_number = isinstance(threshold, int | float) and not isinstance(threshold, bool)
    return Reading(
        alarm=alarm,
        reason=_clean(reason) if isinstance(reason, str) else "",
        threshold=float(threshold) if is_number else None,
        comparison=comparison if isinstance(comparison, str) else "",
    )


def _milliseconds(text: str) -> int | None:
    """A time as CloudWatch and SNS write it, ``2025-02-02T12:06:35.472+0000`` or ``…Z``."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if not 2000 <= moment.year < 9000:  # damaged, or too near the limits of a date
        return None
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def _children(said: Any) -> list[Reading]:
    children = [_object(child) for child in said] if isinstance(said, list) else []
    names = [
        _text(child, "Arn").partition(":alarm:")[2]
        for child in children
        if _text(_object(child.get("State")), "Value") == "ALARM"
    ]
    return [Reading(alarm=name) for name in names if name]


def _region(arn: str) -> str | None:
    match = re.match(r"arn:[a-z-]+:cloudwatch:([a-z0-9-]+):", arn)
    return match[1] if match else None


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name)
    return _clean(value) if isinstance(value, str) else ""


def _clean(text: str) -> str:
    """A text without control characters and halves of surrogate pairs."""
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)
