"""Verdicts on the emulator: its topics get them exactly as CloudWatch's would."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from alarmproof.base.alarms import CompositeAlarm, MetricAlarm, Query, Source

from settings.loader import load
from tests.emulated_aws import client, emulated_environment
from webhook_buffer.laptop.programs.process import Running
from webhook_buffer.live.judge import Verdict
from webhook_buffer.live.states import States


@dataclass
class World:
    """A metric alarm and a suppressed composite over it, on the emulator, and who is notified."""

    states: States
    cloudwatch: Any
    sqs: Any
    queue: str
    part: str
    whole: str

    def put(
        self, part: str, whole: str, notified: str | None, *held: str
    ) -> list[tuple[str, bool]]:
        """What changed, by these verdicts; and whether its actions ran."""
        changed: list[tuple[str, bool]] = []
        verdicts = [_verdict(self.part, part, part), _verdict(self.whole, whole, notified)]
        self.states.put(
            verdicts, held=frozenset(held),
            changed=lambda verdict, ran: changed.append((f"{verdict.alarm} {verdict.state}", ran)),
        )  # fmt: skip
        return changed

    def notified(self) -> list[str]:
        """What the topic was sent since last time."""
        notified = []
        while messages := self.sqs.receive_message(
            QueueUrl=self.queue, MaxNumberOfMessages=10, WaitTimeSeconds=0
        ).get("Messages"):
            for message in messages:
                said = json.loads(json.loads(message["Body"])["Message"])
                notified.append(f"{said['AlarmName']} {said['NewStateValue']}")
                handle = message["ReceiptHandle"]
                self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=handle)
        return notified

    def state(self, name: str) -> str:
        reply = self.cloudwatch.describe_alarms(
            AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"]
        )
        [alarm] = reply["MetricAlarms"] + reply["CompositeAlarms"]
        return str(alarm["StateValue"])


def _verdict(alarm: str, state: str, notified: str | None) -> Verdict:
    return Verdict(
        alarm=alarm, state=state, since=None, value=None, threshold=None, comparison="",
        reason="because", notified=notified, suppressed=None,
    )  # fmt: skip


@pytest.fixture
def world(emulator: Running, tmp_path: Path) -> Iterator[World]:
    """Both alarms, deployed and never judged."""
    run = uuid.uuid4().hex[:8]
    part, whole = f"{run}-part", f"{run}-whole"
    cloudwatch, sns, sqs = (
        client(emulator.endpoint_url, name) for name in ("cloudwatch", "sns", "sqs")
    )
    queue = sqs.create_queue(QueueName=run)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    topic = sns.create_topic(Name=run)["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn["Attributes"]["QueueArn"])
    actions = {"AlarmActions": [topic], "OKActions": [topic]}
    cloudwatch.put_metric_alarm(
        AlarmName=part, Namespace="N", MetricName="M", Statistic="Sum", Period=60,
        EvaluationPeriods=1, Threshold=1, ComparisonOperator="GreaterThanThreshold", **actions,
    )  # fmt: skip
    cloudwatch.put_composite_alarm(AlarmName=whole, AlarmRule=f'ALARM("{part}")', **actions)
    source = Source("t", "t")
    metric = MetricAlarm(
        name=part, source=source, queries=(Query("m"),), returned="m", comparison="", threshold=1,
        period=60, evaluation_periods=1, datapoints_to_alarm=1,
    )  # fmt: skip
    composite = CompositeAlarm(name=whole, source=source, rule=f'ALARM("{part}")')
    target = emulated_environment(emulator, tmp_path, load("local"))
    made = World(States(target, [metric, composite]), cloudwatch, sqs, queue, part, whole)
    made.notified()
    yield made
    cloudwatch.delete_alarms(AlarmNames=[whole])
    cloudwatch.delete_alarms(AlarmNames=[part])


def test_beginning_notifies_nobody(world: World) -> None:
    """Alarms without data become OK, which notifies nobody."""
    world.states.begin({})
    assert world.put("OK", "OK", None) == []
    assert (world.state(world.part), world.notified()) == ("OK", [])


def test_an_incident_is_notified_when_its_verdict_says_so(world: World) -> None:
    """The part's own action runs at once; the suppressed whole is in ALARM, and nobody is notified
    until its actions are due; then once, and once of its end.
    """
    world.states.begin({})
    part, whole = world.part, world.whole
    assert world.put("ALARM", "ALARM", None) == [(f"{part} ALARM", True), (f"{whole} ALARM", False)]
    assert world.notified() == [f"{part} ALARM"]
    assert world.state(whole) == "ALARM"
    assert world.put("ALARM", "ALARM", "ALARM") == [(f"{whole} ALARM", True)]
    assert world.notified() == [f"{whole} ALARM"]
    assert world.put("ALARM", "ALARM", "ALARM") == []
    assert world.put("OK", "OK", "OK") == [(f"{part} OK", True), (f"{whole} OK", True)]
    assert sorted(world.notified()) == [f"{part} OK", f"{whole} OK"]


def test_what_was_set_by_hand_is_reset(world: World) -> None:
    """As CloudWatch does, but for alarms that somebody holds."""
    world.states.begin({})
    world.cloudwatch.set_alarm_state(
        AlarmName=world.part, StateValue="ALARM", StateReason="by hand"
    )
    world.put("OK", "OK", None, world.part, world.whole)
    assert world.state(world.part) == "ALARM"
    world.put("OK", "OK", None)
    assert world.state(world.part) == "OK"


def test_an_incident_that_is_on_ends_for_its_recipients(world: World) -> None:
    """Also where live alarms restarted meanwhile, with data that is fine."""
    world.states.begin({})
    world.put("ALARM", "ALARM", "ALARM")
    world.notified()
    world.states.begin({})
    world.put("OK", "OK", None)
    assert sorted(world.notified()) == [f"{world.part} OK", f"{world.whole} OK"]
    world.states.end()
    world.cloudwatch.set_alarm_state(AlarmName=world.part, StateValue="ALARM", StateReason="x")
    assert sorted(world.notified()) == [f"{world.part} ALARM", f"{world.whole} ALARM"]
