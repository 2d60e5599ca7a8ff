"""Which alarms are on, since when and why: on the laptop by live alarms, on AWS by CloudWatch.

On AWS our verdict on the same metrics stands beside CloudWatch's state where the two differ.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from alarmproof import template
from alarmproof.base.alarms import AnyAlarm, State
from alarmproof.evaluate import evaluate
from alarmproof.recordings import Recorded

from lambdas.amounts import amount, duration, side, with_noun
from monitoring.alarm_guide import counted
from monitoring.alarm_set import Alarm, AlarmSet, CompositeAlarm
from settings.errors import NotDeployedError
from webhook_buffer.live.judge import breaches
from webhook_buffer.live.pace import MINUTE
from webhook_buffer.operations import history
from webhook_buffer.operations.environment import Environment, aws_errors

# What the longest period of an alarm needs, and what is evaluated of it.
_BACK, _EVALUATED = 25 * 3600, 3 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One alarm's state, for people and programs.

    Attributes:
        id: the signal's or the incident's; None for an alarm that the settings don't know.
        since: Unix seconds; None when it never changed, or that isn't known.
        value, threshold: in words, with their unit; None where there is none.
        suppressed: why nobody is notified of its state; None where somebody is.
        until: what ends an ALARM whose value is fine again; None where nothing has to be said.
        ours: our verdict on the same metrics, where it differs from CloudWatch's state.
    """

    id: str | None
    name: str
    title: str
    state: str
    since: float | None
    value: str | None
    threshold: str | None
    reason: str
    suppressed: str | None = None
    until: str | None = None
    ours: str | None = None

    def document(self) -> dict[str, Any]:
        """For other programs."""
        since = None if self.since is None else iso(self.since)
        return {name: getattr(self, name) for name in self.__slots__} | {"since": since}


def of_laptop(alarms: AlarmSet, document: Mapping[str, Any]) -> list[Entry]:
    """An entry for each verdict that live alarms published; those in ALARM come first."""
    known = _known(alarms)
    entries = []
    for verdict in document["verdicts"]:
        alarm = known.get(verdict["alarm"])
        if alarm is None:
            continue
        value, threshold = verdict["value"], verdict["threshold"]
        entries.append(
            Entry(
                id=_id(alarm),
                name=alarm.name,
                title=_title(alarm),
                state=verdict["state"],
                since=verdict["since"],
                value=None if value is None else _value(value, alarm),
                threshold=None if threshold is None else _threshold(verdict, alarm),
                reason=verdict["reason"],
                suppressed=verdict["suppressed"],
                until=_until(verdict, alarm),
            )
        )
    return _sorted(entries)


def of_aws(target: Environment, alarms: AlarmSet) -> list[Entry]:
    """CloudWatch's own states, and our verdict where it differs.

    Raises:
        NotDeployedError: When the environment has no alarms.
        WebhookBufferError: When AWS can't be asked.
    """
    listed = described(target)
    if not listed:
        env = target.settings.environment
        raise NotDeployedError(
            f"Environment '{env}' has no alarms. Deploy them: make deploy ENV={env}"
        )
    ours = _verdicts(target, listed)
    known = _known(alarms)
    entries = []
    for said in listed:
        name, state = said["AlarmName"], said["StateValue"]
        alarm = known.get(name)
        verdict = ours.get(name)
        value, threshold = _evaluated_last(said), said.get("Threshold")
        since = said.get("StateTransitionedTimestamp") or said.get("StateUpdatedTimestamp")
        entries.append(
            Entry(
                id=_id(alarm) if alarm else None,
                name=name,
                title=_title(alarm) if alarm else said.get("AlarmDescription", ""),
                state=state,
                since=since.timestamp() if since else None,
                value=None if value is None else _value(value, alarm),
                threshold=None if threshold is None else _threshold(
                    {"threshold": threshold, "comparison": said.get("ComparisonOperator")}, alarm
                ),
                reason=said.get("StateReason", ""),
                suppressed=_suppressed(said),
                ours=verdict if verdict and verdict != state else None,
            )
        )  # fmt: skip
    return _sorted(entries)


def _suppressed(said: Mapping[str, Any]) -> str | None:
    """Source: CloudWatch API reference, CompositeAlarm, ActionsSuppressedBy and -Reason."""
    by = said.get("ActionsSuppressedBy")
    return str(said.get("ActionsSuppressedReason") or by) if by else None


def described(target: Environment) -> list[dict[str, Any]]:
    """The environment's alarms as DescribeAlarms has them; empty where none is deployed.

    Raises:
        WebhookBufferError: When AWS can't be asked.
    """
    with aws_errors(target.settings):
        pages = target.cloudwatch.get_paginator("describe_alarms").paginate(
            AlarmNamePrefix=target.settings.alarm_name(""),
            AlarmTypes=["MetricAlarm", "CompositeAlarm"],
        )
        return [
            dict(alarm)
            for page in pages
            for alarm in (*page.get("MetricAlarms", ()), *page.get("CompositeAlarms", ()))
        ]


def _verdicts(target: Environment, described: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Our states, by the alarm's name, on what CloudWatch has recorded.

    The evaluation begins in CloudWatch's states: what its data does not decide does not differ.
    """
    alarms = parsed(described)
    end = math.floor(time.time() / MINUTE) * MINUTE
    series = history.fetch(target, alarms, start=end - _BACK, end=end)
    states = {alarm["AlarmName"]: State(alarm["StateValue"]) for alarm in described}
    evaluated = evaluate(
        alarms, Recorded.of(series), start=end - _EVALUATED, end=end, initial=states
    )  # fmt: skip
    return {name: history.state(end).value for name, history in evaluated.items()}


def parsed(described: Sequence[Mapping[str, Any]]) -> list[AnyAlarm]:
    """Alarms as the evaluator reads them, of what DescribeAlarms says."""
    composites = [alarm for alarm in described if "AlarmRule" in alarm]
    metric = [alarm for alarm in described if "AlarmRule" not in alarm]
    answer = {"MetricAlarms": metric, "CompositeAlarms": composites}
    return list(template.parse(answer, "CloudWatch").alarms)


def _known(alarms: AlarmSet) -> dict[str, Alarm | CompositeAlarm]:
    every: Iterable[Alarm | CompositeAlarm] = (*alarms.alarms, *alarms.composites)
    return {alarm.name: alarm for alarm in every}


def _id(alarm: Alarm | CompositeAlarm) -> str:
    return alarm.signal.id if isinstance(alarm, Alarm) else alarm.composite.id


def _title(alarm: Alarm | CompositeAlarm) -> str:
    return alarm.signal.title if isinstance(alarm, Alarm) else alarm.composite.title


def _value(value: float, alarm: Alarm | CompositeAlarm | None) -> str:
    """With what it counts, as notifications have it."""
    if not isinstance(alarm, Alarm):
        return amount(value, "Count")
    return with_noun(value, alarm.signal.threshold.unit, counted(alarm.signal))


def _threshold(said: Mapping[str, Any], alarm: Alarm | CompositeAlarm | None) -> str:
    unit = alarm.signal.threshold.unit if isinstance(alarm, Alarm) else "Count"
    return side(str(said["comparison"])) + amount(float(said["threshold"]), unit)


def _until(verdict: Mapping[str, Any], alarm: Alarm | CompositeAlarm) -> str | None:
    """What ends an ALARM that is still on for its earlier datapoints."""
    value, threshold = verdict["value"], verdict["threshold"]
    if not isinstance(alarm, Alarm) or verdict["state"] != State.ALARM or value is None:
        return None
    if alarm.periods == 1 or breaches(verdict["comparison"], value, threshold):
        return None
    needed = alarm.periods - alarm.signal.datapoints + 1
    times = "minutes" if alarm.period == MINUTE else f"periods of {duration(alarm.period)}"
    enough = "all" if needed == alarm.periods else needed
    return f"on until {enough} of the last {alarm.periods} {times} are within the threshold"


def _evaluated_last(said: Mapping[str, Any]) -> float | None:
    """The newest datapoint of CloudWatch's last change of state; None where there is none.

    Source: describe-alarms of AWS CLI, whose ``StateReasonData`` has ``evaluatedDatapoints`` with
    times and values. Not documented; a state that was set by hand has none.
    """
    try:
        points = json.loads(said.get("StateReasonData") or "{}").get("evaluatedDatapoints", ())
        known = [(str(point["timestamp"]), float(point["value"])) for point in points
                 if "value" in point]  # fmt: skip
    except (AttributeError, LookupError, TypeError, ValueError):
        return None
    return max(known)[1] if known else None


def _sorted(entries: Iterable[Entry]) -> list[Entry]:
    order = {State.ALARM.value: 0, State.INSUFFICIENT_DATA.value: 1}
    return sorted(entries, key=lambda entry: (order.get(entry.state, 2), entry.id or entry.name))


def iso(at: float) -> str:
    """A time as JSON has it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
