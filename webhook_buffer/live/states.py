"""Puts verdicts where notifications come from: the emulator's alarms.

Its states have no data of their own. Setting one runs its actions, as on AWS. A composite's
actions are disabled there and run only when its verdict says so: the emulator knows no wait and no
extension of a suppressor, and evaluates a rule between two parts that change in the same minute.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from alarmproof.base.alarms import AnyAlarm, CompositeAlarm, State

from webhook_buffer.live.judge import Verdict
from webhook_buffer.operations.environment import Environment, aws_errors

_OPPOSITE = {State.ALARM.value: State.OK.value, State.OK.value: State.ALARM.value}


class States:
    """The states of an environment's alarms on the emulator.

    Args:
        alarms: all that are judged.
    """

    def __init__(self, target: Environment, alarms: Sequence[AnyAlarm]) -> None:
        self._target = target
        self._alarms = {alarm.name: alarm for alarm in alarms}
        self._composites = [alarm.name for alarm in alarms if isinstance(alarm, CompositeAlarm)]
        # For composites, the state whose actions ran last; for all, the last verdict's state.
        self._performed: dict[str, str] = {}
        self._before: dict[str, str] = {}

    def begin(self, performed: Mapping[str, str]) -> None:
        """Takes over the emulator's states.

        What had no data is OK, and nobody is notified of that; what is in ALARM stays so until a
        verdict ends it.

        Args:
            performed: the state whose actions ran last, of alarms of which that is known. Of any
                other it is taken to be the present one.
        """
        names = list(self._alarms)
        with aws_errors(self._target.settings):
            before = self.current()
            self._actions(names, run=False)
            for name, state in before.items():
                if state == State.INSUFFICIENT_DATA.value:
                    self._set(name, State.OK.value, "Live alarms begin.")
            self._actions([name for name in names if name not in self._composites], run=True)
        on, off = State.ALARM.value, State.OK.value
        self._before = {name: on if state == on else off for name, state in before.items()}
        self._performed = {
            name: performed.get(name, self._before.get(name, off)) for name in self._composites
        }

    def end(self) -> None:
        """Leaves composites to the emulator's own rules again."""
        with aws_errors(self._target.settings):
            self._actions(self._composites, run=True)

    def put(
        self,
        verdicts: Sequence[Verdict],
        *,
        held: frozenset[str],
        changed: Callable[[Verdict, bool], None],
    ) -> None:
        """Makes the emulator's states those of the verdicts, and runs the actions that are due.

        Args:
            held: alarms that somebody else sets for now.
            changed: called with each verdict that differs from before, and whether its actions ran.
        """
        with aws_errors(self._target.settings):
            self._set_all(verdicts, self.current(), held)
            for verdict in verdicts:
                if verdict.alarm in held:
                    continue
                composite = verdict.alarm in self._composites
                due = composite and self._due(verdict)
                if due:
                    perform(self._target, verdict.alarm, verdict.state, verdict.reason)
                    self._performed[verdict.alarm] = verdict.state
                if due or self._before.get(verdict.alarm) != verdict.state:
                    changed(verdict, due if composite else True)
                self._before[verdict.alarm] = verdict.state

    def current(self) -> dict[str, str]:
        """The state of each alarm, by its name."""
        pages = self._target.cloudwatch.get_paginator("describe_alarms").paginate(
            AlarmTypes=["MetricAlarm", "CompositeAlarm"]
        )
        return {
            alarm["AlarmName"]: alarm["StateValue"]
            for page in pages
            for alarm in (*page.get("MetricAlarms", ()), *page.get("CompositeAlarms", ()))
            if alarm["AlarmName"] in self._alarms
        }

    def _due(self, verdict: Verdict) -> bool:
        """Whether the actions of a composite's present state have not run yet."""
        wanted = verdict.notified or State.OK.value
        return wanted == verdict.state and self._performed.get(verdict.alarm) != wanted

    def _set_all(
        self, verdicts: Iterable[Verdict], before: Mapping[str, str], held: frozenset[str]
    ) -> None:
        """Metric alarms first: with each of them the emulator evaluates its composites again."""
        wanted = [
            verdict for verdict in verdicts if verdict.alarm not in held and verdict.alarm in before
        ]
        for verdict in sorted(wanted, key=lambda verdict: (not verdict.on, verdict.alarm)):
            if verdict.alarm in self._composites or before[verdict.alarm] == verdict.state:
                continue
            self._set(verdict.alarm, verdict.state, verdict.reason)
        for verdict in wanted:
            if verdict.alarm in self._composites:
                self._set(verdict.alarm, verdict.state, verdict.reason)

    def _set(self, name: str, state: str, reason: str) -> None:
        self._target.cloudwatch.set_alarm_state(
            AlarmName=name,
            StateValue=state,  # type: ignore[arg-type]
            StateReason=reason[:_REASON],
        )

    def _actions(self, names: Sequence[str], *, run: bool) -> None:
        client = self._target.cloudwatch
        for begin in range(0, len(names), _NAMES):
            some = list(names[begin : begin + _NAMES])
            if run:
                client.enable_alarm_actions(AlarmNames=some)
            else:
                client.disable_alarm_actions(AlarmNames=some)


# Source: CloudWatch API reference, SetAlarmState (StateReason) and EnableAlarmActions (AlarmNames).
_REASON, _NAMES = 1023, 100


def perform(target: Environment, name: str, state: str, reason: str) -> None:
    """Runs the actions of a composite's state, which are disabled otherwise.

    Args:
        state: ``ALARM`` or ``OK``.
    """
    client = target.cloudwatch
    with aws_errors(target.settings):
        client.disable_alarm_actions(AlarmNames=[name])
        for value in (_OPPOSITE[state], state):
            client.set_alarm_state(AlarmName=name, StateValue=value, StateReason=reason[:_REASON])  # type: ignore[arg-type]
            client.enable_alarm_actions(AlarmNames=[name])
        client.disable_alarm_actions(AlarmNames=[name])
