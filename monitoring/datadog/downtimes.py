"""Downtimes: the quiet hours of the settings, in which monitors are muted.

Source: Datadog API reference, "Downtimes" (version 2), and RFC 5545 for the rule.
Source: DataDog/datadog-sync-cli pull request 664: a recurrence that starts in the past may be
refused, when it is created and when it is updated. So a definition starts on an arbitrary day, and
the request sent starts on the next one.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

from monitoring.datadog.definition import Definition, Kind, marked, tags
from settings.datadog import QuietHours
from settings.schema import Settings

# An arbitrary Monday.
_FIRST_DAY = "2026-01-05"
# A request that waits out a rate limit still starts in the future.
_AHEAD = timedelta(minutes=10)


def downtimes(settings: Settings) -> list[Definition]:
    """One for each severity of each of the quiet hours: a downtime's tags all have to match."""
    assert settings.datadog is not None
    return [
        _of(settings, quiet, severity)
        for quiet in settings.datadog.quietHours
        for severity in quiet.severities
    ]


def _of(settings: Settings, quiet: QuietHours, severity: str) -> Definition:
    key = f"{quiet.name}-{severity}"
    text = f"Quiet hours '{quiet.name}': monitors of severity {severity} are muted."
    body = {
        "message": marked(text, settings, key),
        "monitor_identifier": {"monitor_tags": [*tags(settings), f"severity:{severity}"]},
        "scope": "*",
        "display_timezone": quiet.timezone,
        "mute_first_recovery_notification": True,
        "schedule": {
            "timezone": quiet.timezone,
            "recurrences": [
                {
                    "start": f"{_FIRST_DAY}T{quiet.at}:00",
                    "duration": f"{quiet.minutes}m",
                    "rrule": f"FREQ=WEEKLY;INTERVAL=1;BYDAY={','.join(quiet.days)}",
                }
            ],
        },
    }
    return Definition(Kind.DOWNTIME, key, body)


def started(schedule: dict[str, Any], now: datetime) -> dict[str, Any]:
    """A schedule whose recurrences start on the next of their days, in their zone's time."""
    zone = ZoneInfo(schedule.get("timezone", "UTC"))
    return {
        **schedule,
        "recurrences": [
            {**recurrence, "start": _next(recurrence, zone, now + _AHEAD)}
            for recurrence in schedule["recurrences"]
        ],
    }


def _next(recurrence: dict[str, Any], zone: ZoneInfo, now: datetime) -> str:
    start = datetime.fromisoformat(recurrence["start"])
    moment = start
    rule = rrulestr(recurrence["rrule"], dtstart=start)
    while moment.replace(tzinfo=zone) <= now or not _exists(moment, zone):
        following = rule.after(max(moment, now.astimezone(zone).replace(tzinfo=None)))
        if following is None:
            return start.isoformat()
        moment = following
    return moment.isoformat()


def _exists(moment: datetime, zone: ZoneInfo) -> bool:
    """Whether a local time comes on its day; when clocks are put forward some do not."""
    there = moment.replace(tzinfo=zone).astimezone(UTC).astimezone(zone)
    return there.replace(tzinfo=None) == moment
