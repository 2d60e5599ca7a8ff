"""What evaluating an alarm results in: its changes of state, and who is notified of them."""

from __future__ import annotations

from dataclasses import dataclass

from alarmproof.base.alarms import AnyAlarm, State


@dataclass(frozen=True, slots=True)
class Change:
    """A transition, with its reason in CloudWatch's manner."""

    at: int
    state: State
    reason: str


@dataclass(frozen=True, slots=True)
class Notification:
    """An action that was performed.

    Attributes:
        state: the state it announces.
        action: who is notified.
        until: of an action that is repeated each minute, when it ends; None for one that is
            performed once.
    """

    at: int
    alarm: str
    state: State
    action: str
    until: int | None = None

    def within(self, begin: int, end: int) -> bool:
        """Whether it is performed after ``begin`` and up to ``end``."""
        if self.until is None or self.at > begin:
            return begin < self.at <= end
        following = self.at + 60 * ((begin - self.at) // 60 + 1)
        return following <= min(end, self.until)


@dataclass(frozen=True, slots=True)
class History:
    """An alarm's history between two times.

    Attributes:
        initial: its state at ``start``.
        changes: in the order of time.
        notifications: of its changes; fewer where actions were suppressed.
    """

    alarm: AnyAlarm
    start: int
    end: int
    initial: State
    changes: tuple[Change, ...] = ()
    notifications: tuple[Notification, ...] = ()

    def state(self, at: int) -> State:
        """Its state at a time; a change at that very time counts."""
        before = [change.state for change in self.changes if change.at <= at]
        return before[-1] if before else self.initial

    def in_alarm(self) -> tuple[tuple[int, int], ...]:
        """The stretches of time ``[from, to)`` that it was in ALARM."""
        stretches: list[tuple[int, int]] = []
        state, since = self.initial, self.start
        for change in (*self.changes, Change(self.end, State.OK, "")):
            if state is State.ALARM and change.at > since:
                stretches.append((since, change.at))
            state, since = change.state, change.at
        return tuple(stretches)
