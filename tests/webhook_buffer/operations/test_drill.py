"""Drills: what an alarm that is set off says of itself."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from monitoring.alarm_set import alarm_set
from settings.errors import NotDeployedError
from settings.loader import load
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
    for alarm in alarm_set(target.settings).alarms:
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
        [told] = client.describe_alarms(AlarmNames=[alarm.name])["MetricAlarms"]
        client.delete_alarms(AlarmNames=[alarm.name])
        found = re.search(r"\[(\S+) .* was (greater|less) than .*\((\S+)\)", told["StateReason"])
        assert found, told["StateReason"]
        value, threshold = float(found[1]), float(found[3])
        assert value > threshold if found[2] == "greater" else value < threshold, alarm.name
        if alarm.signal.threshold.unit == "Count":
            assert value.is_integer(), alarm.name


def test_an_alarm_that_is_not_there_is_named(target: Environment) -> None:
    """A drill before the deployment says what to deploy."""
    alarm = alarm_set(target.settings).alarms[0]
    with pytest.raises(NotDeployedError, match=f"{alarm.name} is not deployed. Deploy it: make"):
        drill.force(target, alarm, "ALARM")
