"""The proof of our own alarms: every signal has its cases, and they hold of what is deployed."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from alarmproof import ascii_chart, runner
from alarmproof.base.alarms import AnyAlarm, MetricAlarm
from alarmproof.cases import KINDS, Case, load
from alarmproof.template import parse, parse_all

from alarms import CATALOG
from monitoring.alarm_set import PROBE
from monitoring.cloudwatch.alarms import template
from settings.paths import ROOT
from tests.templates import Synthesized
from webhook_buffer.cli.alarmproof import alarms_of
from webhook_buffer.composition import alarm_set

pytestmark = pytest.mark.xdist_group("synth")

CASES = load([ROOT / "alarms" / "cases"])
ENVIRONMENTS = ("dev", "stg", "prd")
IDS = [
    *(signal.id for signal in CATALOG.signals),
    *(composite.id for composite in CATALOG.composites),
]


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_alarms_fire_when_they_must_and_are_silent_when_they_should(env: str) -> None:
    """Every case holds in every environment that runs on AWS."""
    for outcome in runner.run(CASES, alarms_of(None, env, opt_in=True)):
        assert outcome.passed, f"{outcome.case.title}\n{ascii_chart.failed(outcome)}"


@pytest.mark.parametrize("name", IDS)
def test_every_signal_has_a_firing_a_silent_and_a_gap_case(name: str) -> None:
    """A signal without proof can't be added."""
    mine = [case for case in CASES if case.alarm == name]
    assert {case.kind for case in mine} >= set(KINDS), f"alarms/cases lacks a case of {name}"


def test_cases_are_what_their_kind_says() -> None:
    """A firing case ends up in ALARM, a silent one expects no notification, a gap has a gap."""
    for case in CASES:
        states = {
            expect.state.value for expect in case.expect if expect.alarm is None and expect.state
        }
        gaps = any(any(value != value for value in recording.values) for recording in case.series)
        if case.kind == "firing":
            assert "ALARM" in states, case.title
        elif case.kind == "silent":
            assert case.quiet, case.title
        else:
            assert gaps, case.title


def test_cases_can_fail() -> None:
    """Each firing case fails for an alarm that is out of reach, so none passes by chance."""
    templates = alarms_of(None, "prd", opt_in=True)
    deaf = dataclasses.replace(templates, alarms=tuple(map(_out_of_reach, templates.alarms)))
    firing: list[Case] = [case for case in CASES if case.kind == "firing"]
    assert [outcome.case.title for outcome in runner.run(firing, deaf) if outcome.passed] == []


def _out_of_reach(alarm: AnyAlarm) -> AnyAlarm:
    if not isinstance(alarm, MetricAlarm):
        return alarm
    below = alarm.comparison.startswith("LessThan")
    return dataclasses.replace(alarm, threshold=-1e12 if below else 1e12)


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_what_is_proven_is_what_is_deployed(synthesized: dict[str, Synthesized], env: str) -> None:
    """The alarms that cases run on are those of the synthesized template, to the last number."""
    stack = synthesized[env].monitoring
    assert stack
    deployed = parse(stack.template, "t").alarms
    proven = parse(template(alarm_set(stack.settings)), "t").alarms
    assert [_comparable(alarm) for alarm in sorted(proven, key=_name)] == [
        _comparable(alarm)
        for alarm in sorted(deployed, key=_name)
        if alarm.name != stack.settings.alarm_name(PROBE)
    ]


def _name(alarm: AnyAlarm) -> str:
    return alarm.name


def _comparable(alarm: AnyAlarm) -> dict[str, Any]:
    """Without what only a deployment knows: the API's id, and the topics' names."""
    fields = dataclasses.asdict(alarm)
    for name in ("source", "description"):
        fields.pop(name)
    for query in fields.get("queries", ()):
        if query["metric"] and query["metric"]["namespace"] == "AWS/ApiGateway":
            query["metric"]["dimensions"] = [name for name, _ in query["metric"]["dimensions"]]
    return fields


def test_on_the_laptop_a_suppressor_is_part_of_the_rule(
    synthesized: dict[str, Synthesized],
) -> None:
    """The emulator's custom resources are read as alarms, too; they have no wait."""
    stack = synthesized["local"].monitoring
    assert stack
    laptop = parse_all([(stack.template, "t")])
    silent = [case for case in CASES if case.alarm == "deliveries-degraded" and case.quiet]
    assert all(outcome.passed for outcome in runner.run(silent, laptop))


def test_the_files_mirror_the_signals() -> None:
    """A file of cases for each file of what CloudWatch evaluates, and one for the composites."""
    files = {path.stem for path in Path(ROOT / "alarms" / "cases").glob("*.yaml")}
    signals = {path.stem for path in (ROOT / "alarms").glob("*.py")}
    assert files == signals - {"__init__", "datadog", "datadog_slo", "recommended"}
