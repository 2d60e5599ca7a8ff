"""Drills: what an alarm that is set off says of itself, and who is notified."""

from __future__ import annotations

from pathlib import Path

import pytest

from lambdas.amounts import value_in
from settings.errors import InputError, NotDeployedError
from settings.loader import load
from tests.emulated_aws import emulated_environment
from tests.monitoring.fixtures import alarms, alarms_of
from webhook_buffer.laptop.programs.process import Running
from webhook_buffer.operations import drill
from webhook_buffer.operations.environment import Environment


@pytest.fixture
def target(emulator: Running, tmp_path: Path) -> Environment:
    """An environment on the emulator, with nothing deployed."""
    return emulated_environment(emulator, tmp_path, load("prd"))


def test_a_drill_invents_no_value(target: Environment) -> None:
    """The reason says that it is one, and nothing in it reads like a measurement."""
    alarm = alarms_of(target.settings).alarms[0]
    client = target.cloudwatch
    client.put_metric_alarm(
        AlarmName=alarm.name, Namespace="AWS/SQS", MetricName="NumberOfMessagesSent",
        Statistic="Sum", Period=60, EvaluationPeriods=1, Threshold=alarm.threshold,
        ComparisonOperator=alarm.signal.comparison.value,
    )  # fmt: skip
    drill.force(target, alarm.name, "ALARM")
    [deployed] = client.describe_alarms(AlarmNames=[alarm.name])["MetricAlarms"]
    client.delete_alarms(AlarmNames=[alarm.name])
    assert deployed["StateReason"].startswith("Drill: ")
    assert value_in(deployed["StateReason"], "Count") is None


def test_an_alarm_that_is_not_there_is_named(target: Environment) -> None:
    """A drill before the deployment says what to deploy."""
    alarm = alarms_of(target.settings).alarms[0]
    with pytest.raises(NotDeployedError, match=f"{alarm.name} is not deployed. Deploy it: make"):
        drill.force(target, alarm.name, "ALARM")


def test_a_part_notifies_through_its_incident() -> None:
    """A drill names the incident that a signal is part of, and the channels of its severity."""
    channels = [
        {
            "kind": "email",
            "name": name,
            "addresses": [f"{name}@example.com"],
            "severities": [severity],
        }
        for name, severity in (("pager", "page"), ("board", "ticket"))
    ]
    alarm_set = alarms(notifications=channels)
    what = drill.set_off(alarm_set, "crashes")
    assert what.incident
    assert [part.signal.id for part in what.parts] == ["crashes"]
    assert what.incident.composite.id == "down"
    assert what.channels == ("pager",)


def test_parts_that_count_together_are_set_together() -> None:
    """A burn rate's window alone notifies nobody; with the other one the incident is on."""
    what = drill.set_off(alarms(), "late-short")
    assert what.incident
    assert {part.signal.id for part in what.parts} == {"late-long", "late-short"}
    assert what.incident.name in what.names


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
        drill.set_off(alarms(), name)
    assert hint in str(caught.value)
