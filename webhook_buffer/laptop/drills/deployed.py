"""A drill on a deployed environment: only what changes nothing there, with marked webhooks.

CloudWatch judges its own alarms. The drill's record lies in the environment's table and stays until
it expires: notify may get to an alarm later than the command sees it. Besides it there is nothing
to undo.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from monitoring.alarm_set import AlarmSet
from monitoring.channels import channels_for
from monitoring.model.signals import Severity
from settings.errors import InputError
from webhook_buffer.laptop.drills.catalog import DRILLS
from webhook_buffer.laptop.drills.model import Drill, Expected, expected
from webhook_buffer.laptop.drills.traffic import HEADER, PATH, Traffic
from webhook_buffer.laptop.drills.verdict import Fired, Result
from webhook_buffer.live.pace import MINUTE, REAL_TIME
from webhook_buffer.operations import drill_record
from webhook_buffer.operations.environment import Environment, aws_errors

_RATE = 1.0  # webhooks a second
# Minutes that CloudWatch may need to see a metric. Assumed.
_SEEN_MINUTES = 3
_DELIVERED_SECONDS = 120.0
_POLL_SECONDS = 15.0
_SEED = 7


@dataclass(frozen=True)
class Deployed:
    """A deployed environment.

    Attributes:
        outputs: of its buffer.
        poll: seconds between two looks at its alarms.
    """

    target: Environment
    alarms: AlarmSet
    outputs: Mapping[str, str]
    poll: float = _POLL_SECONDS


def plan(drill: Drill, place: Deployed) -> list[str]:
    """What the drill will do, sentence by sentence.

    Raises:
        InputError: When it isn't safe there, or the environment lacks its alarm.
    """
    if not drill.safe:
        safe = ", ".join(drill.name for drill in DRILLS.values() if drill.safe)
        raise InputError(
            f"The drill '{drill.name}' changes what runs, so it works on the laptop only "
            f"(--env local). Safe anywhere: {safe}."
        )
    wanted, lacking = expected(drill, place.alarms, REAL_TIME)
    if lacking:
        raise InputError(
            f"Environment '{place.target.settings.environment}' has no alarm "
            f"'{lacking[0]}' ({place.alarms.left_out.get(lacking[0], 'it is not deployed')})."
        )
    minutes = max(expected.notified for expected in wanted) + _SEEN_MINUTES
    faux = place.outputs.get("UsesFauxBackend") == "true"
    backend = "its faux backend" if faux else "its REAL backend"
    notified = sorted({channel for expected in wanted for channel in _channels(place, expected)})
    sentences = [
        f"{drill.title}, for up to {minutes} minutes.",
        f"It sends {_RATE:g} webhook a second to {place.outputs['BufferedEndpoint']}{PATH}, marked "
        f"{HEADER}; they are delivered to {backend}.",
        f"It sets off {', '.join(expected.signal for expected in wanted)}, and notifies "
        f"{', '.join(notified) or 'no channel'}, marked as a drill.",
    ]
    if drill.cause == "invalid":
        sentences.append("As many more are sent that are refused with 400.")
    return [
        *sentences,
        "It checks the signals, their recovery, and that nothing is lost; not what each channel "
        "receives, and not the order of deliveries. Look at your channels.",
        f"It changes nothing. What marks its notifications ends by itself, {minutes} minutes after "
        "its beginning.",
    ]


def run(drill: Drill, place: Deployed, *, progress: Callable[[str], None]) -> Result:
    """Runs a safe drill; ``plan`` says what that is.

    Raises:
        InputError: As ``plan``.
        WebhookBufferError: When AWS can't be asked.
    """
    plan(drill, place)
    wanted, _ = expected(drill, place.alarms, REAL_TIME)
    begun = time.time()
    result = Result(drill=drill.name, title=drill.title, pace=REAL_TIME, begun=begun)
    marked = {
        name: (begun, begun + MINUTE * (expected.notified + _SEEN_MINUTES))
        for expected in wanted
        for name in (expected.alarm.name, expected.notifies.name)
    }
    drill_record.write(place.target, drill.name, marked)
    traffic = Traffic(
        place.outputs["BufferedEndpoint"], drill=drill.name, rate=_RATE, seed=_SEED
    )  # fmt: skip
    try:
        # A safe cause is one of the traffic's own.
        setattr(traffic, drill.cause, True)
        _await_signals(place, wanted, result, progress)
    finally:
        traffic.finish()
        traffic.close()
    progress("recovery")
    _await_recovery(place, wanted, result)
    progress("deliveries")
    _judge_deliveries(place, traffic, result)
    result.took = time.time() - begun
    return result


def _await_signals(
    place: Deployed, wanted: Sequence[Expected], result: Result, progress: Callable[[str], None]
) -> None:
    missing = {expected.alarm.name: expected for expected in wanted}
    deadline = result.begun + MINUTE * (max(expected.limit for expected in wanted) + _SEEN_MINUTES)
    while missing and time.time() < deadline:
        progress(f"cause, {(time.time() - result.begun) / MINUTE:.0f} min")
        for name in _in_alarm(place, missing):
            expected = missing.pop(name)
            minute = round((time.time() - result.begun) / MINUTE)
            result.fired.append(Fired(expected.signal, minute, expected.limit + _SEEN_MINUTES))
        time.sleep(place.poll if missing else 0)
    fired = {fired_signal.signal: fired_signal.minute for fired_signal in result.fired}
    for expected in wanted:
        result.claim(
            f"{expected.signal} is on within {expected.limit + _SEEN_MINUTES} min",
            expected.signal in fired,
            f"after {fired[expected.signal]} min" if expected.signal in fired else "never",
        )


def _await_recovery(place: Deployed, wanted: Sequence[Expected], result: Result) -> None:
    names = [expected.alarm.name for expected in wanted]
    limit = max(expected.recovery for expected in wanted) + _SEEN_MINUTES
    deadline = time.time() + MINUTE * limit
    while (on := _in_alarm(place, names)) and time.time() < deadline:
        time.sleep(place.poll)
    result.claim(f"it recovers within {limit} min", not on, "it did" if not on else ", ".join(on))


def _in_alarm(place: Deployed, names: Sequence[str] | Mapping[str, Any]) -> list[str]:
    with aws_errors(place.target.settings):
        answer = place.target.cloudwatch.describe_alarms(AlarmNames=list(names), StateValue="ALARM")
    return [alarm["AlarmName"] for alarm in answer["MetricAlarms"]]


def _judge_deliveries(place: Deployed, traffic: Traffic, result: Result) -> None:
    """By the records: the backend is not ours to ask."""
    accepted = [sent for sent in traffic.ledger.accepted if sent.receipt]
    waiting = {sent.receipt.answer["message_id"] for sent in accepted if sent.receipt}
    deadline = time.time() + _DELIVERED_SECONDS
    while waiting and time.time() < deadline:
        waiting -= {name for name in waiting if _delivered(place, name)}
        time.sleep(place.poll if waiting else 0)
    result.sent, result.accepted = len(traffic.ledger.sent), len(accepted)
    result.delivered = len(accepted) - len(waiting)
    result.claim("nothing is lost", not waiting, f"{len(waiting)} of {len(accepted)} accepted")


def _delivered(place: Deployed, message_id: str) -> bool:
    with aws_errors(place.target.settings):
        reply = place.target.dynamodb.get_item(
            TableName=place.outputs["DynamoDBTable"],
            Key={"id": {"S": message_id}},
            ProjectionExpression="delivered_timestamp",
        )
    return "delivered_timestamp" in reply.get("Item", {})


def _channels(place: Deployed, expected: Expected) -> list[str]:
    """Who is notified; PagerDuty is left alone in a drill."""
    topics = [Severity(topic) for topic in expected.notifies.topics if topic in set(Severity)]
    return [
        channel.id
        for severity in topics
        for channel in channels_for(place.target.settings, severity)
        if channel.kind != "pagerduty"
    ]
