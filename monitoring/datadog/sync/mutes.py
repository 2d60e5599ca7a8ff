"""Monitors that are muted now: by our quiet hours, or by a person. Neither is ever undone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from monitoring.datadog.definition import Body


@dataclass(frozen=True, slots=True)
class Mute:
    """A monitor of ours that notifies nobody.

    Attributes:
        until: None where it has no end.
        by_hand: whether none of our own downtimes explains it.
    """

    key: str
    until: datetime | None
    by_hand: bool

    def __str__(self) -> str:
        """``monitor queue-age: muted by hand until 2026-11-26 14:00 UTC``."""
        who = "by hand" if self.by_hand else "by quiet hours"
        until = f"until {self.until:%Y-%m-%d %H:%M} UTC" if self.until else "without an end"
        return f"monitor {self.key}: muted {who} {until}"


def mutes(monitors: Mapping[str, Body], downtimes: Iterable[Body]) -> list[Mute]:
    """The monitors that are muted.

    Args:
        monitors: ours, by key.
        downtimes: ours.

    Source: recorded: while a downtime or a mute holds, ``options.silenced`` has its scope with
    the end in seconds since 1970, or null.
    """
    running = [downtime for downtime in downtimes if downtime.get("status") == "active"]
    muted = []
    for key, monitor in sorted(monitors.items()):
        silenced = (monitor.get("options") or {}).get("silenced")
        if isinstance(silenced, dict) and silenced:
            ours = any(_covers(downtime, monitor) for downtime in running)
            muted.append(Mute(key, _latest(silenced.values()), by_hand=not ours))
    return muted


def _covers(downtime: Body, monitor: Body) -> bool:
    tags = (downtime.get("monitor_identifier") or {}).get("monitor_tags") or []
    return bool(tags) and set(tags) <= set(monitor.get("tags") or ())


def _latest(ends: Iterable[object]) -> datetime | None:
    known = [end for end in ends if isinstance(end, int | float)]
    try:
        return datetime.fromtimestamp(max(known), UTC) if known else None
    except (OverflowError, OSError, ValueError):
        return None
