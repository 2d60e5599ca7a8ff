"""What a drill is: cause, expected signals with limits, who is notified, what stays silent."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from monitoring.alarm_set import Alarm, AlarmSet, CompositeAlarm
from monitoring.model.signals import FailureMode
from webhook_buffer.live.pace import FASTEST, MINUTE


@dataclass(frozen=True, slots=True)
class Expectation:
    """A signal that a failure has to set off.

    Attributes:
        signal: its id.
        after: real seconds until the cause can show at all, as retries take them.
        minutes: of the session until it can, as what looks for it comes so often.
    """

    signal: str
    after: float = 0.0
    minutes: int = 0

    def limit(self, alarm: Alarm, pace: float) -> int:
        """Minutes within which it has to be in ALARM: those that it looks at, and one more.

        Source: ``Signal``: the alarm itself. A failure may begin within a minute, which then
        counts for nothing.
        """
        needed = alarm.signal.datapoints * alarm.period // MINUTE
        return needed + 1 + self.minutes + math.ceil(self.after / pace)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """A failure that is caused on purpose.

    Attributes:
        cause: what is done and undone, by its name in ``causes``.
        expects: what has to fire.
        follows: signals that may fire as well, as part of the same failure.
        silent: signals that must not fire.
        lasts: minutes of the session that the cause lasts at least.
        parks: how many webhooks are parked before the repair; None where that does not matter.
        behind: how many of a group are delivered at least while one of it is set aside.
        rate: webhooks per real second; None for the usual rate at a pace.
        least_pace: real seconds per minute below which it can't work.
        why: what can't be faster; empty at the least pace of all.
        users_notice: whether somebody has to be paged.
        safe: whether it may run on a deployed environment: it changes nothing there.
        through: channels that are notified in place of those of the severity.
        recorded: the cause while a failure is recorded, where that is another one.
    """

    name: str
    title: str
    mode: FailureMode
    cause: str
    expects: tuple[Expectation, ...]
    follows: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()
    lasts: int = 0
    parks: int | None = None
    behind: int = 0
    rate: float | None = None
    least_pace: float = FASTEST
    why: str = ""
    users_notice: bool = False
    safe: bool = False
    through: tuple[str, ...] = ()
    recorded: str | None = None

    @property
    def signals(self) -> tuple[str, ...]:
        return tuple(expectation.signal for expectation in self.expects)


@dataclass(frozen=True, slots=True)
class Expected:
    """An expectation in an environment.

    Attributes:
        incident: what notifies of it; None where it notifies by itself.
        after: real seconds until the cause can show.
        limit: minutes of the session until it is on.
        notified: until people are notified: an incident that another one suppresses waits for it.
        recovery: minutes of the session after the repair within which it has to end.
    """

    signal: str
    alarm: Alarm
    incident: CompositeAlarm | None
    after: float
    limit: int
    notified: int
    recovery: int

    @property
    def notifies(self) -> Alarm | CompositeAlarm:
        """What people are notified of."""
        return self.incident or self.alarm

    @property
    def titles(self) -> tuple[str, ...]:
        """What a notification of it may be called: its own title, or its incident's."""
        own = (self.alarm.signal.title,)
        return (*own, self.incident.composite.title) if self.incident else own


def expected(drill: Drill, alarms: AlarmSet, pace: float) -> tuple[list[Expected], list[str]]:
    """What a drill expects of an environment, and the signals that the environment lacks."""
    evaluated, lacking = [], []
    for expectation in drill.expects:
        alarm = alarms.alarm(expectation.signal)
        if alarm is None:
            lacking.append(expectation.signal)
            continue
        incident = alarms.incident(expectation.signal)
        ends = recovery(alarm, incident, pace)
        limit = expectation.limit(alarm, pace)
        notified = limit + (_wait_minutes(incident) if incident else 0)
        evaluated.append(
            Expected(expectation.signal, alarm, incident, expectation.after, limit, notified, ends)
        )
    return evaluated, lacking


def _wait_minutes(incident: CompositeAlarm) -> int:
    suppressed = incident.composite.suppressed_by is not None
    return math.ceil(incident.composite.wait / MINUTE) if suppressed else 0


# Minutes and real seconds for what has waited to be delivered.
_DRAIN_MINUTES, _DRAIN_SECONDS = 3, 30.0


def recovery(alarm: Alarm, incident: CompositeAlarm | None, pace: float) -> int:
    """Minutes after a repair within which an alarm, or its whole incident, has to end.

    An alarm ends at the latest when all periods it looks at are new; of parts that count only
    together, when the first of them ends.
    """
    memory = _memory((alarm,))
    for part in incident.parts if incident else ():
        memory = max(memory, _memory(part))
    return memory + _DRAIN_MINUTES + math.ceil(_DRAIN_SECONDS / pace)


def _memory(part: Sequence[Alarm]) -> int:
    return min(alarm.period * alarm.periods // MINUTE for alarm in part)
