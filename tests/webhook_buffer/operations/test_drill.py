"""Drills: what an alarm that is set off says of itself, and who is notified."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from settings.errors import InputError, NotDeployedError
from settings.loader import load
from tests.monitoring.fixtures import alarms, alarms_of
from webhook_buffer.laptop.process import Running
from webhook_buffer.operations import drill
from webhook_buffer.operations.environment import Environment


@pytest.fixture
def target(emulator: Running, tmp_path: Path) -> Environment:
    """An environment on the emulator, with nothing deployed."""
    return Environment(
        settings=load("prd"),
        folder=tmp_path,
        outputs_file=tmp_path / "cdk.out.json",
        endpoint_url=emulator.endpoint_url,
    )


def test_a_drill_holds_a_value_that_can_be(target: Environment) -> None:
    """What every drill shows crosses its threshold; counts are whole."""
    client = target.cloudwatch
    for alarm in alarms_of(target.settings).alarms:
        client.put_metric_alarm(
            AlarmName=alarm.name,
            Namespace="AWS/SQS",
            MetricName="NumberOfMessagesSent",
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=alarm.threshold,
            ComparisonOperator=alarm.signal.comparison.value,
        )
        drill.force(target, alarm, "ALARM")
        [deployed] = client.describe_alarms(AlarmNames=[alarm.name])["MetricAlarms"]
        reason = deployed["StateReason"]
        client.delete_alarms(AlarmNames=[alarm.name])
        found = re.search(r"\[(\S+) .* was (greater|less) than .*\((\S+)\)", reason)
        assert found, reason
        value, threshold = float(found[1]), float(found[3])
        assert value > threshold if found[2] == "greater" else value < threshold, alarm.name
        if alarm.signal.threshold.unit == "Count":
            assert value.is_integer(), alarm.name


def test_an_alarm_that_is_not_there_is_named(target: Environment) -> None:
    """A drill before the deployment says what to deploy."""
    alarm = alarms_of(target.settings).alarms[0]
    with pytest.raises(NotDeployedError, match=f"{alarm.name} is not deployed. Deploy it: make"):
        drill.force(target, alarm, "ALARM")


def test_a_part_notifies_through_its_incident() -> None:
    """A drill names the incident that a signal is part of, and the channels of its severity."""
    mail = {"kind": "email", "addresses": ["a@example.com"]}
    channels = [
        {**mail, "name": "pager", "severities": ["page"]},
        {**mail, "name": "board", "severities": ["ticket"]},
    ]
    found = alarms(notifications=channels)
    alarm, incident, notified = drill.notified(found, "crashes")
    assert alarm.signal.id == "crashes"
    assert incident
    assert incident.composite.id == "down"
    assert notified == ["pager"]
    # Alone it does not set the incident off.
    assert drill.notified(found, "late-short")[1:] == (None, [])


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("down", "'down' is an incident, which one of its parts sets off: wait, crashes,"),
        ("timeouts", "has no alarm 'timeouts'; only Datadog evaluates it"),
        ("silence", "has no alarm 'silence' (it is opt-in"),
        ("crash", "has no alarm 'crash'. Did you mean crashes?"),
    ],
)
def test_what_can_t_be_drilled_is_named(name: str, hint: str) -> None:
    """An incident, Datadog's own monitors, what is left out and a typo each have a hint."""
    with pytest.raises(InputError) as caught:
        drill.notified(alarms(), name)
    assert hint in str(caught.value)
