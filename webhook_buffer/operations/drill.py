"""Setting an alarm off on purpose, to see who is notified and how."""

from __future__ import annotations

import difflib
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


def end_other_parts(target: Environment, what: SetOff) -> None:
    """Checks that an incident is not active already: then no channel would be notified.

    On the laptop, where states are only ever set, its other parts are set to OK.

    Raises:
        InputError: When another part of the incident is in ALARM on AWS; it names them.
    """
    incident = what.incident
    others = {alarm.name: alarm for part in (incident.parts if incident else ()) for alarm in part}
    for part in what.parts:
        others.pop(part.name, None)
    if not (incident and others):
        return
    with aws_errors(target.settings):
        answer = target.cloudwatch.describe_alarms(AlarmNames=list(others), StateValue="ALARM")
    on = [alarm["AlarmName"] for alarm in answer["MetricAlarms"]]
    if on and not target.settings.on_laptop:
        raise InputError(
            f"The incident {incident.composite.id} is already active "
            f"({', '.join(on)}), so no channel would be notified. Try again when it is over."
        )
    for name in on:
        force(target, others[name], "OK")


def force(target: Environment, alarm: Alarm, state: str) -> None:
    """Puts an alarm into a state, with a reason that says that it is a drill.

    On AWS, CloudWatch resets a metric alarm to the state of its data within a minute.

    Args:
        state: ``ALARM`` or ``OK``.

    Raises:
        NotDeployedError: When the alarm does not exist.
    """
    client = target.cloudwatch
    with aws_errors(target.settings):
        try:
            client.set_alarm_state(
                AlarmName=alarm.name,
                StateValue=state,  # type: ignore[arg-type]
                StateReason=reason(state),
            )
        except client.exceptions.ResourceNotFound:
            raise NotDeployedError(
                f"The alarm {alarm.name} is not deployed. Deploy it: "
                f"make deploy ENV={target.settings.environment}"
            ) from None


def reason(state: str) -> str:
    """Why an alarm is set; no value, for nothing was measured."""
    if state == "OK":
        return "Drill: back to OK."
    return "Drill: set off on purpose. Nothing was measured."
