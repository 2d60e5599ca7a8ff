"""Alarms → people: one alarm's change of state per invocation, to every channel concerned.

A channel that fails does not keep the others from being notified. The message then stays in the
queue, and only the channels that failed get it again: ``lambdas.incidents`` knows what each was
notified of.
"""

from __future__ import annotations

import os
import time
from typing import Any

from lambdas.base import observe

with observe.loading():
    import json
    from collections.abc import Callable, Mapping
    from dataclasses import dataclass, replace
    from enum import Enum, auto
    from pathlib import Path

    from lambdas import (
        alarm_events,
        alarm_guide,
        blocking,
        channels,
        drills,
        incidents,
        notification,
    )
    from lambdas.base import aws


@dataclass(frozen=True, slots=True)
class NotifyConfig:
    """``notify``'s environment.

    Attributes:
        channels: who is notified.
        table: what they were notified of.
        parking: the table of parked webhooks; empty where there is none.
        guides: what is known about the alarms; beside this file, or where ALARM_GUIDES says.
    """

    channels: tuple[channels.Channel, ...]
    table: str
    parking: str
    guides: alarm_guide.AlarmGuides

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> NotifyConfig:
        file = Path(environ.get("ALARM_GUIDES") or Path(__file__).with_name("alarm_guides.json"))
        all_channels = tuple(
            channels.Channel.parse(entry) for entry in json.loads(environ["CHANNELS"])
        )
        if len({channel.id for channel in all_channels}) < len(all_channels):
            raise ValueError("CHANNELS: two channels have the same id; give each its own")
        return cls(
            channels=all_channels,
            table=environ["TABLE"],
            parking=environ.get("PARKING_TABLE", ""),
            guides=alarm_guide.AlarmGuides.parse(file.read_text("utf-8")),
        )


with observe.loading():
    CONFIG = NotifyConfig.read(os.environ)

# Seconds until Lambda ends the invocation.
Remaining = Callable[[], float]

# How long a channel may take, and what is kept back for saving what they accepted.
_CHANNEL_SECONDS = 5.0
_RESERVE_SECONDS = 2.0
# One try at a call, and all tries at reading the table for every channel, or at the parts.
_CALL_SECONDS = 1.0
_ALL_CALLS_SECONDS = 3.0
# Looking for the webhooks that an alarm is about.
_LOOK_SECONDS = 2.0
# How often a message is decided at most: another one of its alarm may come at the same time.
_DECISIONS = 3
# Source: CloudWatch API reference, DescribeAlarms.
_MOST_PARTS = 100


@dataclass(frozen=True, slots=True)
class _Decision:
    """What to do for one channel.

    Attributes:
        known: what was remembered; None if nothing was, or it could not be read.
        blindly: whether it could not be read.
    """

    verdict: incidents.Verdict
    known: incidents.Incident | None
    blindly: bool


class _End(Enum):
    """The result for one channel; all but DONE leave the message in the queue."""

    DONE = auto()
    FAILED = auto()
    # Something else was remembered meanwhile, so that the decision may have been wrong.
    OVERTAKEN = auto()


@observe.observed
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Notifies of an SQS event's records, each an alarm's message from SNS.

    Returns:
        The ids of the records that a channel did not accept (``batchItemFailures``).
    """
    failed = [
        record["messageId"]
        for record in event["Records"]
        if not _done(record, lambda: context.get_remaining_time_in_millis() / 1000)
    ]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _done(record: dict[str, Any], remaining: Remaining) -> bool:
    """Notifies of one message; True when it may leave the queue."""
    now = round(time.time() * 1000)
    transition = alarm_events.read(record["body"], message_id=record["messageId"], now=now)
    severity = notification.severity(transition, CONFIG.guides)
    fields: dict[str, Any] = {
        "alarm": transition.alarm,
        "state": transition.state,
        "alarm_severity": severity,
    }
    if transition.alarm == CONFIG.guides.probe:
        observe.log("INFO", "alert-path.arrived", **fields)
        return True
    if transition.state not in (alarm_events.ALARM, alarm_events.OK):
        observe.log("INFO", "alarm.ignored", **fields)
        return True
    if not transition.readable:
        observe.log("WARNING", "alarm.unreadable", **fields)

    concerned = [channel for channel in CONFIG.channels if severity in channel.severities]
    observe.log("INFO", "alarm.arrived", age_ms=now - transition.changed_at, **fields)
    drill = _drill(transition, remaining) if concerned else None
    ends: dict[channels.Channel, _End] = {}
    for _ in range(_DECISIONS):
        decisions = _decisions(concerned, transition, drill, remaining)
        outcomes = _outcomes(decisions, transition, drill, now, remaining)
        for channel, decision in decisions.items():
            ends[channel] = _settled(
                channel, decision, outcomes.get(channel), fields, now, remaining
            )
        concerned = [channel for channel in concerned if ends[channel] is _End.OVERTAKEN]
        if not concerned:
            break
    return all(end is _End.DONE for end in ends.values())


def _drill(transition: alarm_events.Transition, remaining: Remaining) -> drills.Drill | None:
    """The drill that set the alarm off; None where it is real, or that can't be known."""
    try:
        drill = drills.load(
            CONFIG.table,
            seconds=_CALL_SECONDS,
            within=min(_ALL_CALLS_SECONDS, remaining() / 4),
        )
    except aws.AwsError as error:
        observe.log("WARNING", "drill.unread", alarm=transition.alarm, aws_error=error.code)
        return None
    return drill if drill and drill.expects(transition.alarm, transition.changed_at) else None


def _decisions(
    concerned: list[channels.Channel],
    transition: alarm_events.Transition,
    drill: drills.Drill | None,
    remaining: Remaining,
) -> dict[channels.Channel, _Decision]:
    """What each channel has to be notified of, given what it was notified of before."""
    deadline = time.monotonic() + min(_ALL_CALLS_SECONDS, remaining() / 4)
    decisions = {}
    for channel in concerned:
        known, blindly = None, False
        try:
            known = incidents.load(
                CONFIG.table,
                channel.id,
                transition.alarm,
                seconds=_CALL_SECONDS,
                within=deadline - time.monotonic(),
            )
        except aws.AwsError as error:
            blindly = True
            observe.log("ERROR", "incident.unread", channel=channel.id, aws_error=error.code)
            observe.report(f"Can't read what was notified before: {error.code}")
        state, at, marked = transition.state, transition.changed_at, drill is not None
        if blindly:
            verdict = incidents.decide_blindly(state, at, drill=marked)
        else:
            verdict = incidents.decide(known, state, at, drill=marked)
        if channel.kind == "pagerduty" and verdict.incident.drill and not verdict.folded:
            # Somebody would be woken. The end of what was opened on request goes out.
            opened = drill.pagerduty if drill else bool(known and known.opened)
            verdict = replace(
                verdict,
                folded=None if opened else "drill",
                incident=replace(verdict.incident, opened=opened),
            )
        decisions[channel] = _Decision(verdict, known, blindly)
    return decisions


def _outcomes(
    decisions: Mapping[channels.Channel, _Decision],
    transition: alarm_events.Transition,
    drill: drills.Drill | None,
    now: int,
    remaining: Remaining,
) -> channels.Outcomes:
    """Notifies the channels that need it; returns why each of them failed, if it did."""
    verdicts = {
        channel: decision.verdict
        for channel, decision in decisions.items()
        if decision.verdict.folded is None
    }
    if not verdicts:
        return {}
    parts = _parts_on(transition, remaining)
    # An alarm that was set by hand is about none.
    real = drill is None or notification.has_value(transition)
    webhooks = _webhooks_of(transition, remaining) if real else ()
    notifications = {
        channel: notification.build(
            transition,
            CONFIG.guides,
            parts=parts,
            webhooks=webhooks,
            since=verdict.incident.since,
            times=verdict.incident.count,
            recovered_at=verdict.recovered_at,
            drill=verdict.incident.drill,
            now=now,
        )
        for channel, verdict in verdicts.items()
    }
    seconds = max(0.1, min(_CHANNEL_SECONDS, remaining() - _RESERVE_SECONDS))
    return channels.notify_all(notifications, seconds=seconds)


def _settled(
    channel: channels.Channel,
    decision: _Decision,
    failure: channels.ChannelError | None,
    fields: Mapping[str, Any],
    now: int,
    remaining: Remaining,
) -> _End:
    """Logs and saves the result for one channel."""
    verdict = decision.verdict
    if failure:
        observe.log(
            "ERROR", "notification.failed", channel=channel.id, error=failure.reason,
            http_status=failure.status, aws_error=failure.aws_error, **fields,
        )  # fmt: skip
        observe.report(f"Channel '{channel.id}' did not accept a notification: {failure.reason}")
        return _End.FAILED
    event = "notification.folded" if verdict.folded else "notification.sent"
    observe.log("INFO", event, channel=channel.id, folded=verdict.folded, **fields)
    if verdict.incident == decision.known:
        return _End.DONE
    try:
        incidents.save(
            CONFIG.table,
            channel.id,
            fields["alarm"],
            verdict.incident,
            over=decision.known,
            blindly=decision.blindly,
            now=now,
            seconds=_CALL_SECONDS,
            within=min(_RESERVE_SECONDS, remaining()) / 2,
        )
    except aws.AwsError as error:
        if error.code == incidents.CHANGED:
            observe.log("INFO", "incident.changed", channel=channel.id, **fields)
            # What can't be read can't be decided again, only notified again.
            return _End.DONE if decision.blindly else _End.OVERTAKEN
        observe.log("ERROR", "incident.unsaved", channel=channel.id, aws_error=error.code, **fields)
        observe.report(f"Can't save what was notified: {error.code}")
        # Where the table can't be read either, a retry would only notify again.
        return _End.DONE if decision.blindly else _End.FAILED
    return _End.DONE


def _parts_on(
    transition: alarm_events.Transition, remaining: Remaining
) -> tuple[alarm_events.Reading, ...]:
    """The parts of a composite alarm that are on: by CloudWatch's state, else by its message."""
    guide = CONFIG.guides.alarms.get(transition.alarm)
    if not guide or not guide.parts or transition.state != alarm_events.ALARM:
        return ()
    try:
        reply = aws.CLOUDWATCH.call(
            "DescribeAlarms",
            {
                "AlarmNames": list(guide.parts[:_MOST_PARTS]),
                "AlarmTypes": ["MetricAlarm", "CompositeAlarm"],
                "MaxRecords": _MOST_PARTS,
            },
            seconds=_CALL_SECONDS,
            within=min(_ALL_CALLS_SECONDS, remaining() / 4),
        )
    except aws.AwsError as error:
        observe.log("WARNING", "parts.unread", alarm=transition.alarm, aws_error=error.code)
        return transition.children
    described = [*(reply.get("MetricAlarms") or ()), *(reply.get("CompositeAlarms") or ())]
    on = tuple(
        alarm_events.reading_of(
            alarm["AlarmName"],
            alarm.get("StateReason"),
            alarm.get("Threshold"),
            alarm.get("ComparisonOperator"),
        )
        for alarm in described
        if alarm.get("StateValue") == alarm_events.ALARM
    )
    return on or transition.children


def _webhooks_of(
    transition: alarm_events.Transition, remaining: Remaining
) -> tuple[blocking.Webhook, ...]:
    """The webhooks that an alarm is about; none where they can't be read in a moment."""
    guide = CONFIG.guides.alarms.get(transition.alarm)
    if not guide or not guide.names or transition.state != alarm_events.ALARM:
        return ()
    try:
        return blocking.look(
            guide.names,
            table=CONFIG.parking,
            log_group=guide.log_group,
            at=transition.changed_at,
            within=min(_LOOK_SECONDS, remaining() / 4),
        )
    except aws.AwsError as error:
        observe.log("WARNING", "webhooks.unread", alarm=transition.alarm, aws_error=error.code)
        return ()
