"""Setting an alarm off on purpose, to see who is notified and how."""

from __future__ import annotations

import difflib
import math
from datetime import UTC, datetime

from monitoring.alarm_set import Alarm, AlarmSet, CompositeAlarm
from monitoring.channels import channels_for
from monitoring.model.signals import Comparison, Severity
from settings.errors import InputError, NotDeployedError
from webhook_buffer.operations.environment import Environment, aws_errors


def notified(alarms: AlarmSet, signal_id: str) -> tuple[Alarm, CompositeAlarm | None, list[str]]:
    """Where a signal's alarm leads: its incident, if it is part of one, and the channels' ids.

    Raises:
        InputError: When this environment does not have the signal.
    """
    alarm = alarms.alarm(signal_id)
    composite = next((one for one in alarms.composites if one.composite.id == signal_id), None)
    if composite:
        parts = ", ".join(" + ".join(one.signal.id for one in part) for part in composite.parts)
        raise InputError(
            f"'{signal_id}' is an incident, which one of its parts sets off: {parts}. "
            f"Drill one of them."
        )
    if alarm is None:
        raise _unknown(alarms, signal_id)
    composite = alarms.incident(signal_id)
    severities = {Severity(topic) for topic in alarm.topics if topic in set(Severity)}
    alone = composite is not None and any(part == (alarm,) for part in composite.parts)
    if composite and alone:
        severities.add(composite.severity)
    channels = {
        channel.id for severity in severities for channel in channels_for(alarms.settings, severity)
    }
    return alarm, composite if alone else None, sorted(channels)


def _unknown(alarms: AlarmSet, name: str) -> InputError:
    """Why the alarm does not exist, or which one may have been meant."""
    env = alarms.settings.environment
    known = [one.signal.id for one in alarms.alarms]
    known += [one.composite.id for one in alarms.composites]
    near = " or ".join(difflib.get_close_matches(name, known, n=2))
    if name in {one.id for one in alarms.catalog.monitors}:
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


def end_other_parts(target: Environment, alarm: Alarm, incident: CompositeAlarm | None) -> None:
    """Checks that an incident is not active already: then no channel would be notified.

    On the laptop, where states are only ever set, its other parts are set to OK.

    Raises:
        InputError: When another part of the incident is in ALARM on AWS; it names them.
    """
    others = {one.name: one for part in (incident.parts if incident else ()) for one in part}
    others.pop(alarm.name, None)
    if not (incident and others):
        return
    with aws_errors(target.settings):
        found = target.cloudwatch.describe_alarms(AlarmNames=list(others), StateValue="ALARM")
    on = [one["AlarmName"] for one in found["MetricAlarms"]]
    if on and not target.settings.on_laptop:
        raise InputError(
            f"The incident {incident.composite.id} is already active "
            f"({', '.join(on)}), so no channel would be notified. Try again when it is over."
        )
    for name in on:
        force(target, others[name], "OK")


def force(target: Environment, alarm: Alarm, state: str) -> None:
    """Puts an alarm into a state, with a reason like CloudWatch's.

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
                StateReason=reason(alarm, state),
            )
        except client.exceptions.ResourceNotFound:
            raise NotDeployedError(
                f"The alarm {alarm.name} is not deployed. Deploy it: "
                f"make deploy ENV={target.settings.environment}"
            ) from None


def reason(alarm: Alarm, state: str) -> str:
    """A reason like CloudWatch's, marked as a drill, with a value beyond the threshold."""
    below = alarm.signal.comparison in (Comparison.BELOW, Comparison.AT_MOST)
    if state == "OK":
        return "Drill: back to OK."
    value = 0.0 if below else round(alarm.threshold * 1.25, 6)
    if alarm.signal.threshold.unit == "Count":
        value = float(math.ceil(value))
    at = datetime.now(UTC).strftime("%d/%m/%y %H:%M:00")
    words = {
        Comparison.ABOVE: "greater than",
        Comparison.AT_LEAST: "greater than or equal to",
        Comparison.BELOW: "less than",
        Comparison.AT_MOST: "less than or equal to",
    }[alarm.signal.comparison]
    return (
        f"Drill. Threshold Crossed: 1 datapoint [{value} ({at})] was {words} the threshold "
        f"({float(alarm.threshold)})."
    )
