"""Setting an alarm off on purpose, to see who is notified and how."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from monitoring.alarm_set import Alarm, AlarmSet, CompositeAlarm
from monitoring.channels import channels_for
from monitoring.model.signals import Severity
from settings.errors import InputError, NotDeployedError
from webhook_buffer.operations.environment import Environment, aws_errors


@dataclass(frozen=True, slots=True)
class SetOff:
    """What setting a signal off takes, and who is notified.

    Attributes:
        alarm: the signal's.
        parts: what is set: the alarm, and those that count only together with it.
        incident: what they are part of; None where the alarm notifies by itself.
        channels: ids of those that are notified.
    """

    alarm: Alarm
    parts: tuple[Alarm, ...]
    incident: CompositeAlarm | None
    channels: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """All alarms that change state."""
        return (
            *(part.name for part in self.parts),
            *([self.incident.name] if self.incident else []),
        )


def set_off(alarms: AlarmSet, signal_id: str) -> SetOff:
    """Where a signal's alarm leads.

    Raises:
        InputError: When this environment does not have the signal.
    """
    alarm = alarms.alarm(signal_id)
    composite = next(
        (candidate for candidate in alarms.composites if candidate.composite.id == signal_id), None
    )
    if composite:
        parts = ", ".join(" + ".join(alarm.signal.id for alarm in part) for part in composite.parts)
        raise InputError(
            f"'{signal_id}' is an incident, which one of its parts sets off: {parts}. "
            f"Drill one of them."
        )
    if alarm is None:
        raise _unknown(alarms, signal_id)
    incident = alarms.incident(signal_id)
    together = next((part for part in incident.parts if alarm in part), None) if incident else None
    severities = {Severity(topic) for topic in alarm.topics if topic in set(Severity)}
    if incident:
        severities.add(incident.severity)
    channels = {
        channel.id for severity in severities for channel in channels_for(alarms.settings, severity)
    }
    return SetOff(alarm, together or (alarm,), incident, tuple(sorted(channels)))


def _unknown(alarms: AlarmSet, name: str) -> InputError:
    """Why the alarm does not exist, or which one may have been meant."""
    env = alarms.settings.environment
    known = [alarm.signal.id for alarm in alarms.alarms]
    known += [incident.composite.id for incident in alarms.composites]
    near = " or ".join(difflib.get_close_matches(name, known, n=2))
    if name in {monitor.id for monitor in alarms.catalog.monitors}:
        hint = "; only Datadog evaluates it (docs/datadog-objects.md)."
    elif name in alarms.left_out:
        hint = f" ({alarms.left_out[name]})."
    elif near:
        hint = f". Did you mean {near}?"
    else:
        hint = "."
    return InputError(
        f"Environment '{env}' has no alarm '{name}'{hint} "
        f"To list its alarms: webhook-buffer alarms list --env {env}"
    )


def check_not_active(target: Environment, what: SetOff) -> None:
    """Checks that no channel has been notified of it already: then none would be notified again.

    Raises:
        InputError: When the alarm, or the incident that it is part of, is in ALARM.
    """
    notifies = what.incident or what.alarm
    if notifies.name in in_alarm(target, [notifies.name]):
        env = target.settings.environment
        active = (
            f"The incident '{what.incident.composite.id}' is already active"
            if what.incident
            else f"The alarm '{what.alarm.signal.id}' is already on"
        )
        raise InputError(
            f"{active}, so no channel would be notified. Try again when it is over; "
            f"to see what is on: webhook-buffer alarms status --env {env}"
        )


def in_alarm(target: Environment, names: Sequence[str]) -> list[str]:
    """Those of the alarms, composite ones among them, that are in ALARM."""
    with aws_errors(target.settings):
        answer = target.cloudwatch.describe_alarms(
            AlarmNames=names, AlarmTypes=["MetricAlarm", "CompositeAlarm"], StateValue="ALARM"
        )
    alarms = [*answer.get("MetricAlarms", ()), *answer.get("CompositeAlarms", ())]
    return [alarm["AlarmName"] for alarm in alarms]


def force(target: Environment, name: str, state: str) -> None:
    """Puts an alarm into a state, with a reason that says that it is a drill.

    On AWS, CloudWatch resets a metric alarm to the state of its data within a minute.

    Args:
        name: the alarm's.
        state: ``ALARM`` or ``OK``.

    Raises:
        NotDeployedError: When the alarm does not exist.
    """
    client = target.cloudwatch
    with aws_errors(target.settings):
        try:
            client.set_alarm_state(
                AlarmName=name,
                StateValue=state,  # type: ignore[arg-type]
                StateReason=reason(state),
            )
        except client.exceptions.ResourceNotFound:
            raise NotDeployedError(
                f"The alarm {name} is not deployed. Deploy it: "
                f"make deploy ENV={target.settings.environment}"
            ) from None


def reason(state: str) -> str:
    """Why an alarm is set; no value, for nothing was measured."""
    if state == "OK":
        return "Drill: back to OK."
    return "Drill: set off on purpose. Nothing was measured."
