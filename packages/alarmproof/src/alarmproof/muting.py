"""Alarm mute rules: when actions are not performed, and which are made up for afterwards.

Source: CloudWatch user guide, "Alarm mute rules" and "How alarm mute rules work"; CloudWatch API
reference, Schedule. Where a cron expression restricts both kinds of days, either is enough, as in
cron itself; AWS does not say it.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from alarmproof import clock
from alarmproof.base.alarms import MuteRule
from alarmproof.base.errors import NotSupportedError
from alarmproof.base.history import History, Notification

_NAMED_MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
_NAMED_DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
_MONTHS = {name: number for number, name in enumerate(_NAMED_MONTHS, 1)}
_DAYS = {name: number for number, name in enumerate(_NAMED_DAYS)}
_NO_NAMES: dict[str, int] = {}
# Minutes, hours, days of the month, months, days of the week; 7 is Sunday, too.
_FIELDS = (
    (0, 59, _NO_NAMES), (0, 23, _NO_NAMES), (1, 31, _NO_NAMES), (1, 12, _MONTHS), (0, 7, _DAYS),
)  # fmt: skip
_PART = re.compile(r"(\w+)(?:-(\w+))?")

Window = tuple[int, int]


def muted(history: History, rules: Sequence[MuteRule]) -> History:
    """A history with the actions that mute rules leave.

    A muted action is performed when muting ends, if the alarm is still in the state that it was
    muted for.

    Raises:
        NotSupportedError: When a rule's schedule can't be read.
    """
    mine = [rule for rule in rules if history.alarm.name in rule.alarms]
    if not mine or not history.notifications:
        return history
    windows = _joined(
        [window for rule in mine for window in windows_of(rule, history.start, history.end)]
    )
    notifications = [
        note for given in history.notifications for note in _left(given, history, windows)
    ]
    ordered = tuple(sorted(notifications, key=lambda note: note.at))
    return dataclasses.replace(history, notifications=ordered)


def _left(
    note: Notification, history: History, windows: Sequence[Window]
) -> Iterator[Notification]:
    """What windows leave of an action; one that is repeated may go on between two of them."""
    lasts = next((change.at for change in history.changes if change.at > note.at), history.end + 1)
    at = note.at
    for begin, end in windows:
        if end <= at:
            continue
        if begin > at:
            if note.until is None:
                break
            yield dataclasses.replace(note, at=at, until=min(note.until, begin - 1))
        at = end
        if at >= lasts or at > history.end:
            return
    until = None if note.until is None else max(note.until, at)
    yield dataclasses.replace(note, at=at, until=until)


def _joined(windows: Sequence[Window]) -> list[Window]:
    joined: list[Window] = []
    for begin, end in sorted(windows):
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((begin, end))
    return joined


def windows_of(rule: MuteRule, start: int, end: int) -> list[Window]:
    """The windows ``[from, to)`` of a rule that touch a time.

    Raises:
        NotSupportedError: When its schedule can't be read.
    """
    zone = clock.zone(rule.zone)
    begins = _date(rule, rule.begins) or start - rule.seconds
    expires = _date(rule, rule.expires) or end + 1
    kind, _, inner = rule.expression.rstrip(")").partition("(")
    if kind == "at":
        try:
            moments = [datetime.fromisoformat(inner.strip()).replace(tzinfo=zone)]
        except ValueError:
            raise _unreadable(rule) from None
    else:
        first = datetime.fromtimestamp(start - rule.seconds, zone).date() - timedelta(days=1)
        days = (end - start + rule.seconds) // 86_400 + 3
        moments = list(_moments(rule, datetime(first.year, first.month, first.day), days))
        moments = [moment.replace(tzinfo=zone) for moment in moments]
    stamps = [round(moment.timestamp()) for moment in moments]
    return [
        (at, at + rule.seconds)
        for at in stamps
        if begins <= at < expires and at <= end and at + rule.seconds > start
    ]


def _moments(rule: MuteRule, first: datetime, days: int) -> Iterator[datetime]:
    """The local times at which a cron expression begins."""
    fields = rule.expression[len("cron(") : -1].split()
    if len(fields) != len(_FIELDS):
        raise _unreadable(rule)
    minutes, hours, dates, months, weekdays = (
        _values(rule, text, *limits) for text, limits in zip(fields, _FIELDS, strict=True)
    )
    either = fields[2] != "*" and fields[4] != "*"
    for number in range(days):
        day = first + timedelta(days=number)
        weekday = day.isoweekday() % 7
        by_date = day.day in dates
        by_weekday = weekday in weekdays or (weekday == 0 and 7 in weekdays)
        holds = (by_date or by_weekday) if either else (by_date and by_weekday)
        if day.month in months and holds:
            for hour in sorted(hours):
                for minute in sorted(minutes):
                    yield day.replace(hour=hour, minute=minute)


def _values(rule: MuteRule, text: str, low: int, high: int, names: dict[str, int]) -> set[int]:
    if text == "*":
        return set(range(low, high + 1))
    numbers: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if not match:
            raise _unreadable(rule)
        try:
            begin, end = (
                names[name.upper()] if name.upper() in names else int(name)
                for name in (match[1], match[2] or match[1])
            )
        except ValueError:
            raise _unreadable(rule) from None
        if not low <= begin <= end <= high:
            raise _unreadable(rule)
        numbers.update(range(begin, end + 1))
    return numbers


def _date(rule: MuteRule, text: str | None) -> int | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise _unreadable(rule) from None
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def _unreadable(rule: MuteRule) -> NotSupportedError:
    return NotSupportedError(
        f"{rule.source}: the mute rule's schedule '{rule.expression[:80]}' can't be read."
    )
