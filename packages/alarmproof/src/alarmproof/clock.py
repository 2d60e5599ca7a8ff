"""Time zones and calendar boundaries, for wall clock windows and mute rules."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from alarmproof.base.errors import NotSupportedError

# Source: CloudWatch API reference, WallClockWindow: the periods that it takes.
WALL_CLOCK_PERIODS = (60, 300, 3600, 86_400, 604_800)
_OFFSET = re.compile(r"(?:UTC|GMT)?([+-])(\d{2}):?(\d{2})")
_DAY, _WEEK = 86_400, 604_800


def zone(name: str) -> tzinfo:
    """A time zone: an IANA name, or an offset such as ``+05:30`` or ``UTC+05:30``.

    Raises:
        NotSupportedError: When there is no such zone.
    """
    if name in ("UTC", "Z", "Etc/UTC"):
        return UTC
    if match := _OFFSET.fullmatch(name):
        offset = timedelta(hours=int(match[2]), minutes=int(match[3]))
        if offset < timedelta(hours=24):
            return timezone(-offset if match[1] == "-" else offset)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise NotSupportedError(f"'{name[:60]}' is not a time zone") from None


def boundaries(period: int, where: tzinfo, first: int, last: int) -> list[int]:
    """The ends of calendar periods after ``first`` and up to ``last``, and the one before them.

    That a week begins on Monday is assumed; AWS says "the start of the calendar week".

    Args:
        period: one of ``WALL_CLOCK_PERIODS``, in seconds.
        first, last: Unix seconds.
    """
    if period < _DAY:
        return _within_days(period, where, first, last)
    days = period // _DAY
    local = datetime.fromtimestamp(first, where).replace(hour=0, minute=0, second=0, microsecond=0)
    if period == _WEEK:
        local -= timedelta(days=local.weekday())
    stamps = [_stamp(local)]
    while stamps[-1] <= last:
        local += timedelta(days=days)
        stamps.append(_stamp(local))
    return stamps[:-1]


def _stamp(local: datetime) -> int:
    return round(local.timestamp())


def _within_days(period: int, where: tzinfo, first: int, last: int) -> list[int]:
    times: list[int] = []
    at = _aligned(period, where, first)
    while at <= last:
        times.append(at)
        following = _aligned(period, where, at + period)
        at = following if following > at else at + period
    return times


def _aligned(period: int, where: tzinfo, at: int) -> int:
    """The last boundary up to a time."""
    offset = datetime.fromtimestamp(at, where).utcoffset() or timedelta()
    shift = round(offset.total_seconds())
    return (at + shift) // period * period - shift
