"""Downtimes: the quiet hours of the settings, in which monitors are muted.

Source: Datadog API reference, "Downtimes" (version 2), and RFC 5545 for the rule.
"""

from __future__ import annotations

from monitoring.datadog.definition import Definition, Kind, marked, tags
from settings.datadog import QuietHours
from settings.schema import Settings

# A Monday, long ago: a recurring downtime's first day says only on which days it repeats.
_FIRST_DAY = "2026-01-05"


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
                    "start": f"{_FIRST_DAY}T{quiet.at}",
                    "duration": f"{quiet.minutes}m",
                    "rrule": f"FREQ=WEEKLY;INTERVAL=1;BYDAY={','.join(quiet.days)}",
                }
            ],
        },
    }
    return Definition(Kind.DOWNTIME, key, body)
