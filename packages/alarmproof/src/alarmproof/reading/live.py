"""Alarms as CloudWatch answers ``DescribeAlarms`` (``aws cloudwatch describe-alarms``).

Source: CloudWatch API reference, DescribeAlarms, as the model of botocore 1.43.106 has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alarmproof.base import known
from alarmproof.base.alarms import AnyAlarm, Source
from alarmproof.base.definitions import Templates
from alarmproof.base.errors import InputError
from alarmproof.reading import alarms
from alarmproof.reading.documents import Document

_LISTS = {
    "MetricAlarms": known.METRIC_ALARM,
    "CompositeAlarms": known.COMPOSITE_ALARM,
    "LogAlarms": known.LOG_ALARM,
}


def is_answer(data: Mapping[str, Any]) -> bool:
    """Whether a file is what DescribeAlarms answers."""
    return "Resources" not in data and any(isinstance(data.get(key), list) for key in _LISTS)


def read(document: Document) -> Templates:
    """The alarms of an answer.

    Raises:
        InputError: When an entry is not an alarm.
    """
    made: list[AnyAlarm] = []
    for key, kind in _LISTS.items():
        for number, entry in enumerate(document.data.get(key) or ()):
            name = entry.get("AlarmName") if isinstance(entry, dict) else None
            if not isinstance(name, str):
                raise InputError(f"{document.file}: {key}[{number}] has no AlarmName.")
            line = document.lines.get(name, 1)
            source = Source(document.file, name, line, _place(entry.get("AlarmArn")))
            made.append(alarms.read(kind, entry, source, {}, live=True))
    return Templates(tuple(made))


def _place(arn: Any) -> str:
    """``account/region`` of an alarm's ARN; empty where it has none."""
    parts = str(arn or "").split(":")
    return f"{parts[4]}/{parts[3]}" if len(parts) > 5 else ""
