"""Evaluates the alarms as deployed on a session's data, as CloudWatch would."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from alarmproof.base.alarms import AnyAlarm, CompositeAlarm, MetricAlarm, State
from alarmproof.base.errors import NotSupportedError
from alarmproof.base.history import History
from alarmproof.evaluate import datapoints, evaluate
from alarmproof.recordings import Recorded
from alarmproof.states import COMPARISONS

from lambdas.amounts import duration
from webhook_buffer.live.pace import MINUTE
from webhook_buffer.live.session import Session

# What is evaluated; the longest period of an alarm is a day.
_HORIZON = 24 * 3600
# Before it, what the first evaluations look back on.
_BACK = 25 * 3600
_SHOWN = 5
_WORDS = {
    "GreaterThanThreshold": "greater than",
    "GreaterThanOrEqualToThreshold": "greater than or equal to",
    "LessThanThreshold": "less than",
    "LessThanOrEqualToThreshold": "less than or equal to",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """An alarm's state by a session's data.

    Attributes:
        alarm: physical name.
        since: session time of its last transition; None when there was none.
        value: newest datapoint; None where there is none, and of a composite.
        threshold, comparison: None and empty for a composite.
        reason: in CloudWatch's words.
        notified: the state whose actions ran last; None when none did.
        suppressed: why the actions of its state did not run; None when they did, or it has none.
    """

    alarm: str
    state: str
    since: int | None
    value: float | None
    threshold: float | None
    comparison: str
    reason: str
    notified: str | None
    suppressed: str | None

    @property
    def on(self) -> bool:
        return self.state == State.ALARM


class Judge:
    """Judges a set of alarms.

    Args:
        alarms: as deployed, composites with their suppressors; those of a kind that can't be
            evaluated are left out.
        prefix: of their names, which reasons in words leave out.
    """

    def __init__(self, alarms: Sequence[AnyAlarm], prefix: str) -> None:
        self._prefix = prefix
        self.alarms = [alarm for alarm in alarms if isinstance(alarm, MetricAlarm | CompositeAlarm)]
        self._names = {alarm.name for alarm in alarms}

    def judge(self, session: Session, end: int) -> list[Verdict]:
        """The verdict on each alarm.

        Args:
            end: session time, a full minute that is over.

        Raises:
            NotSupportedError: When an alarm uses something that can't be evaluated.
        """
        recorded = self.recorded(session, end)
        histories = self.histories(session, end, recorded)
        return [self._verdict(histories[alarm.name], histories, recorded) for alarm in self.alarms]

    def recorded(self, session: Session, end: int) -> Recorded:
        """The series that the alarms read until then."""
        start = max(end - _BACK, session.start - 4 * 3600)
        minutes = (end - start) // MINUTE
        return session.cells.recorded(self.alarms, start=start, minutes=minutes)

    def newest(self, session: Session, end: int) -> dict[str, float | None]:
        """The newest datapoint of each alarm, by its name; None where there is none."""
        recorded = self.recorded(session, end)
        made = {}
        for alarm in self.alarms:
            if isinstance(alarm, MetricAlarm):
                values = _values(alarm, recorded, end)
                there = values[~np.isnan(values)]
                made[alarm.name] = float(there[-1]) if len(there) else None
        return made

    def histories(
        self, session: Session, end: int, recorded: Recorded | None = None
    ) -> dict[str, History]:
        """The history of each alarm, by its name; every alarm begins in OK."""
        start = max(session.start, end - _HORIZON)
        initial = dict.fromkeys(self._names, State.OK)
        if start > session.start:
            for change in session.timeline:
                if change.at <= start and change.alarm in initial:
                    initial[change.alarm] = State(change.state)
        recorded = recorded or self.recorded(session, end)
        return evaluate(self.alarms, recorded, start=start, end=end, initial=initial)

    def _verdict(
        self, history: History, histories: Mapping[str, History], recorded: Recorded
    ) -> Verdict:
        alarm = history.alarm
        last = history.changes[-1] if history.changes else None
        state = history.state(history.end)
        performed = history.notifications[-1].state.value if history.notifications else None
        if isinstance(alarm, CompositeAlarm):
            return Verdict(
                alarm=alarm.name,
                state=state.value,
                since=last.at if last else None,
                value=None,
                threshold=None,
                comparison="",
                reason=last.reason if last else "Alarm rule evaluated: no part of it is on.",
                notified=performed,
                suppressed=self._suppressed(alarm, history, histories),
            )
        assert isinstance(alarm, MetricAlarm), "others are left out"
        values = _values(alarm, recorded, history.end)
        there = values[~np.isnan(values)]
        return Verdict(
            alarm=alarm.name,
            state=state.value,
            since=last.at if last else None,
            value=float(there[-1]) if len(there) else None,
            threshold=alarm.threshold,
            comparison=alarm.comparison,
            reason=_reason(alarm, state, values, history.end),
            notified=performed,
            suppressed=None,
        )

    def _suppressed(
        self, alarm: CompositeAlarm, history: History, histories: Mapping[str, History]
    ) -> str | None:
        """What keeps the actions of the present state from running."""
        if alarm.suppressor is None or not history.changes:
            return None
        last = history.changes[-1]
        if any(notification.at >= last.at for notification in history.notifications):
            return None
        named = alarm.suppressor.removeprefix(self._prefix)
        suppressor = histories[alarm.suppressor]
        if suppressor.state(history.end) is State.ALARM:
            return f"{named} is on"
        if history.notifications and history.notifications[-1].state is last.state:
            return None
        ended = suppressor.changes[-1].at if suppressor.changes else None
        if ended is not None and history.end < ended + alarm.extension:
            return f"{named} ended less than {duration(alarm.extension)} ago"
        return f"for its first {duration(alarm.wait)}, in case {named} comes on"


def _values(alarm: MetricAlarm, recorded: Recorded, end: int) -> np.ndarray:
    """The datapoints of the evaluation range, the newest last."""
    back = min(alarm.period * alarm.evaluation_periods, _HORIZON)
    try:
        every = datapoints(alarm, recorded, start=end - back, end=end)
    except NotSupportedError:
        return np.array([])
    step = alarm.period // MINUTE
    return every[::-1][::step][::-1]


def _reason(alarm: MetricAlarm, state: State, values: np.ndarray, end: int) -> str:
    """Why, as CloudWatch writes it: of an ALARM, with the datapoints that made it one.

    Source: recorded messages, in tests/lambdas/fixtures/alarms.py.
    """
    compared = _WORDS.get(alarm.comparison, "beyond")
    pairs = [
        (float(value), end - alarm.period * (len(values) - index))
        for index, value in enumerate(values)
        if not np.isnan(value)
        and (state is not State.ALARM or breaches(alarm.comparison, float(value), alarm.threshold))
    ]
    n, m = alarm.evaluation_periods, alarm.datapoints_to_alarm
    if not pairs:
        return f"Threshold Crossed: no datapoints were received for {n} periods."
    shown = ", ".join(
        f"{_number(value)} ({datetime.fromtimestamp(at, UTC):%d/%m/%y %H:%M:%S})"
        for value, at in pairs[: -_SHOWN - 1 : -1]
    )
    were = "were" if state is State.ALARM else "were not"
    few = "datapoint" if len(pairs) == 1 else "datapoints"
    return (
        f"Threshold Crossed: {len(pairs)} out of the last {n} {few} [{shown}] {were} {compared} "
        f"the threshold ({_number(alarm.threshold or 0)}) "
        f"(minimum {m} {'datapoint' if m == 1 else 'datapoints'} for OK -> ALARM transition)."
    )


def breaches(comparison: str, value: float, threshold: float | None) -> bool:
    """Whether a datapoint is one of those that count; all are, of a comparison with a band."""
    compare = COMPARISONS.get(comparison)
    if compare is None or threshold is None:
        return True
    return bool(compare(np.array([value]), threshold)[0])


def _number(value: float) -> str:
    """Without an exponent, and always with a point, as Java writes most numbers."""
    return f"{value:.4f}".rstrip("0") + ("0" if value == int(value) else "")
