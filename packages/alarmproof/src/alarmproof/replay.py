"""A whole set of alarms over recorded series: who would have been notified, and how often?"""

from __future__ import annotations

import dataclasses
import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alarmproof.base import composites
from alarmproof.base.alarms import (
    AnyAlarm,
    CompositeAlarm,
    MetricAlarm,
    Missing,
    MuteRule,
    State,
)
from alarmproof.base.definitions import Templates
from alarmproof.base.errors import InputError, NotSupportedError
from alarmproof.base.history import History
from alarmproof.base.metric_data import Recording
from alarmproof.evaluate import evaluate
from alarmproof.muting import muted
from alarmproof.notation import duration
from alarmproof.recorded_series import iso

_MINUTE, _DAY = 60, 86_400
# Minutes of a replay, four years; and evaluations of all alarms together: about a minute of work.
_MOST_MINUTES, _MOST_EVALUATIONS = 2_200_000, 200_000_000
# This many changes to ALARM within an hour count as flapping.
_FLAPS, _HOUR = 3, 3600


@dataclass(frozen=True, slots=True)
class Change:
    """A property of an alarm that is tried with another value."""

    alarm: str
    key: str
    value: Any

    def __str__(self) -> str:
        return f"{self.alarm}.{self.key}={self.value}"


def _finite(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"'{text}' is not a finite number")
    return number


def _whole(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise ValueError(f"'{text}' is not a whole number")
    return int(text)


def _missing(text: str) -> Missing:
    if text not in set(Missing):
        raise ValueError(f"'{text}' is not one of {', '.join(Missing)}")
    return Missing(text)


_KEYS: Mapping[str, Callable[[str], Any]] = {
    "threshold": _finite,
    "period": _whole,
    "evaluation_periods": _whole,
    "datapoints_to_alarm": _whole,
    "missing": _missing,
}
_CHANGE = re.compile(r"(?P<alarm>.+)\.(?P<key>[a-z_]+)=(?P<value>.+)")


def parse_change(text: str) -> Change:
    """``queue-age-page.threshold=600`` as a change.

    Raises:
        InputError: When it is not a change; it names what can be changed.
    """
    match = _CHANGE.fullmatch(text)
    if not match or match["key"] not in _KEYS:
        raise InputError(
            f"'{text}' is not a change; write ALARM.KEY=VALUE, where KEY is {', '.join(_KEYS)}."
        )
    try:
        return Change(match["alarm"], match["key"], _KEYS[match["key"]](match["value"]))
    except ValueError as error:
        raise InputError(f"'{text}': {error}.") from None


@dataclass(frozen=True, slots=True)
class Replayed:
    """The result for one alarm.

    Attributes:
        history: None where it could not be evaluated.
        refused: why not; empty otherwise.
        unseen: whether none of its metrics was recorded: it may be dead.
    """

    alarm: AnyAlarm
    history: History | None
    refused: str = ""
    unseen: bool = False

    @property
    def incidents(self) -> tuple[tuple[int, int], ...]:
        return self.history.in_alarm() if self.history else ()

    @property
    def seconds_in_alarm(self) -> int:
        return sum(end - start for start, end in self.incidents)

    @property
    def longest(self) -> int:
        return max((end - start for start, end in self.incidents), default=0)

    @property
    def notified(self) -> Counter[str]:
        """Who was notified of ALARM, how often."""
        notes = self.history.notifications if self.history else ()
        return Counter(note.action for note in notes if note.state is State.ALARM)

    @property
    def flapping(self) -> int:
        """How often it fired three times within an hour."""
        starts = [start for start, _ in self.incidents]
        return sum(
            third - first <= _HOUR
            for first, third in zip(starts, starts[_FLAPS - 1 :], strict=False)
        )


@dataclass(frozen=True, slots=True)
class Replay:
    """A replay of all alarms, and where something was changed, another one beside it."""

    start: int
    end: int
    before: tuple[Replayed, ...]
    changes: tuple[Change, ...] = ()
    after: tuple[Replayed, ...] = ()

    def a_week(self, count: int) -> str:
        """Times a week; a dash for less than a day, which is too short to extrapolate."""
        length = self.end - self.start
        return "-" if length < _DAY else f"{count * 7 * _DAY / length:.1f}"

    def figures(self, alarm: Replayed) -> list[str]:
        """An alarm's row, as the terminal and the report show it.

        Times fired, notifications, notifications a week, share of time in ALARM, longest, flaps.
        """
        notified = sum(alarm.notified.values())
        share = alarm.seconds_in_alarm / (self.end - self.start)
        return [
            str(len(alarm.incidents)), str(notified), self.a_week(notified), f"{share:.2%}",
            duration(alarm.longest), str(alarm.flapping),
        ]  # fmt: skip

    def notified(self, alarms: Sequence[Replayed]) -> str:
        """Who was notified of ALARM: ``on-call 12 (2.8 a week), owners 1 (0.2 a week)``."""
        notified = sum((alarm.notified for alarm in alarms), Counter[str]())
        rates = {name: self.a_week(count) for name, count in notified.items()}
        listed = (
            f"{name} {count}" + (f" ({rates[name]} a week)" if rates[name] != "-" else "")
            for name, count in sorted(notified.items())
        )
        return ", ".join(listed) or "nobody"


def replay(
    templates: Templates,
    recording: Recording,
    *,
    start: int,
    end: int,
    changes: Sequence[Change] = (),
) -> Replay:
    """Evaluates every alarm from ``start`` to ``end``.

    Raises:
        InputError: When a change names an unknown alarm or is impossible, or the recording is empty
            in time, or too long.
    """
    _require_range(start, end, len(templates.alarms))
    before = _replayed(templates.alarms, templates.mute_rules, recording, start, end)
    if not changes:
        return Replay(start, end, before)
    alarms = _changed(templates, changes)
    changed = _replayed(alarms, templates.mute_rules, recording, start, end)
    _require_evaluated(templates, changes, before, changed)
    return Replay(start, end, before, tuple(changes), changed)


def _require_range(start: int, end: int, alarms: int) -> None:
    if end <= start:
        raise InputError("The recording's end is not after its start.")
    minutes = (end - start) // _MINUTE
    if minutes > _MOST_MINUTES:
        raise InputError(
            f"The recording lasts from {iso(start)} to {iso(end)}, and a replay at most "
            f"{_MOST_MINUTES // 1440:,} days. Remove series with a wrong time, or replay the last "
            "part: --since 30d."
        )
    if minutes * alarms > _MOST_EVALUATIONS:
        raise InputError(
            f"{minutes:,} minutes of {alarms:,} alarms are more than {_MOST_EVALUATIONS:,} "
            "evaluations. Replay the last part (--since 30d), or fewer templates."
        )


def _require_evaluated(
    templates: Templates,
    changes: Sequence[Change],
    before: Sequence[Replayed],
    after: Sequence[Replayed],
) -> None:
    """Refuses changes with which an alarm can't be evaluated any more."""
    refused = {alarm.alarm.name for alarm in before if alarm.refused}
    reasons = {alarm.alarm.name: alarm.refused for alarm in after if alarm.refused}
    for change in changes:
        name = templates.find(change.alarm).name
        if name in reasons and name not in refused:
            raise InputError(f"'{change}': {reasons[name]}")


def _changed(templates: Templates, changes: Sequence[Change]) -> list[AnyAlarm]:
    by_name = {alarm.name: alarm for alarm in templates.alarms}
    for change in changes:
        alarm = by_name[templates.find(change.alarm).name]
        if not isinstance(alarm, MetricAlarm):
            raise InputError(f"'{change}': a composite alarm has no {change.key}; change a part.")
        if change.key == "threshold" and alarm.band:
            raise InputError(
                f"'{change}': it compares with an anomaly band, and has no threshold to change."
            )
        values = {change.key: change.value}
        if change.key == "period":
            values["queries"] = tuple(
                dataclasses.replace(query, period=change.value) if query.period else query
                for query in alarm.queries
            )
        alarm = dataclasses.replace(alarm, **values)
        if not 1 <= alarm.datapoints_to_alarm <= alarm.evaluation_periods:
            raise InputError(
                f"'{change}': {alarm.datapoints_to_alarm} of {alarm.evaluation_periods} datapoints "
                "are impossible; change both."
            )
        by_name[alarm.name] = alarm
    return list(by_name.values())


def _replayed(
    alarms: Sequence[AnyAlarm],
    mute_rules: Sequence[MuteRule],
    recording: Recording,
    start: int,
    end: int,
) -> tuple[Replayed, ...]:
    replayed: dict[str, Replayed] = {}
    histories: dict[str, History] = {}
    for alarm in alarms:
        if alarm.refusal:
            replayed[alarm.name] = Replayed(alarm, None, f"{alarm.source}: {alarm.refusal}.")
        if alarm.refusal or not isinstance(alarm, MetricAlarm):
            continue
        unseen = not any(recording.series(metric) for metric in set(alarm.metrics))
        try:
            history = evaluate([alarm], recording, start=start, end=end, mute_rules=mute_rules)[
                alarm.name
            ]
        except NotSupportedError as error:
            replayed[alarm.name] = Replayed(alarm, None, str(error), unseen)
            continue
        histories[alarm.name] = history
        replayed[alarm.name] = Replayed(alarm, history, unseen=unseen)
    pending = [alarm for alarm in alarms if isinstance(alarm, CompositeAlarm) and not alarm.refusal]
    while pending:
        ready = [alarm for alarm in pending if _parts(alarm) <= histories.keys()]
        if not ready:
            break
        made = composites.histories(ready, histories, start=start, end=end, initial={})
        for alarm in ready:
            histories[alarm.name] = made[alarm.name]
            replayed[alarm.name] = Replayed(alarm, muted(made[alarm.name], mute_rules))
        pending = [alarm for alarm in pending if alarm.name not in histories]
    for alarm in pending:
        lacking = ", ".join(sorted(_parts(alarm) - histories.keys()))
        replayed[alarm.name] = Replayed(alarm, None, f"{alarm.source}: it depends on {lacking}.")
    return tuple(replayed[alarm.name] for alarm in alarms)


def _parts(alarm: CompositeAlarm) -> frozenset[str]:
    try:
        composites.parse(alarm.rule)
    except NotSupportedError:
        return frozenset({f"the rule '{alarm.rule}'"})
    return composites.parts(alarm)
