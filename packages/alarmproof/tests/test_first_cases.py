"""``alarmproof init``: what it writes can be run at once, and holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from alarmproof import commands, first_cases
from alarmproof.base.errors import InputError
from alarmproof.cases import load
from alarmproof.runner import run
from alarmproof.template import parse

BASE: dict[str, Any] = {
    "AlarmActions": ["arn:aws:sns:eu-west-1:111122223333:page"], "EvaluationPeriods": 2,
    "Threshold": 50, "ComparisonOperator": "GreaterThanThreshold",
}  # fmt: skip
ONE: dict[str, Any] = {**BASE, "Namespace": "Shop", "MetricName": "Failures", "Statistic": "Sum",
                       "Period": 300}  # fmt: skip


def _stat(name: str, statistic: str = "Sum", period: int = 60) -> dict[str, Any]:
    metric = {"Namespace": "Shop", "MetricName": name}
    return {"Id": name, "ReturnData": False,
            "MetricStat": {"Metric": metric, "Period": period, "Stat": statistic}}  # fmt: skip


ALARMS: dict[str, dict[str, Any]] = {
    "Plain": ONE,
    "Below": {**ONE, "ComparisonOperator": "LessThanThreshold", "TreatMissingData": "breaching"},
    "Ratio": {**BASE, "Metrics": [
        {"Id": "r", "Expression": "IF(n > 20, 100 * e / n, 0)"}, _stat("e"), _stat("n")]},
    "Percentile": {**ONE, "Statistic": None, "ExtendedStatistic": "p99",
                   "EvaluateLowSampleCountPercentile": "ignore"},
    "Band": {**{key: value for key, value in BASE.items() if key != "Threshold"},
             "ComparisonOperator": "LessThanLowerOrGreaterThanUpperThreshold",
             "ThresholdMetricId": "b", "Metrics": [
                 {**_stat("m", "Average"), "ReturnData": True},
                 {"Id": "b", "Expression": "ANOMALY_DETECTION_BAND(m, 2)"}]},
    "Clock": {**ONE, "Period": 3600, "EvaluationWindow": {"WallClockWindow": {}}},
    "Quick": {**ONE, "Period": 10},
    "Silent": {**ONE, "AlarmActions": []},
    "Other": {**ONE, "MetricName": "Load", "Statistic": "Average", "Period": 60},
}  # fmt: skip


def _templates(**alarms: dict[str, Any]) -> Any:
    resources = {
        name: {"Type": "AWS::CloudWatch::Alarm",
               "Properties": {key: value for key, value in properties.items() if value is not None}}
        for name, properties in alarms.items()
    }  # fmt: skip
    other = ["ALARM(Other)"] if "Other" in alarms else []
    rule = {
        "AlarmRule": " AND ".join(["ALARM(Plain)", "NOT ALARM(Below)", *other]),
        "AlarmActions": ["x:page"],
    }
    resources["Both"] = {"Type": "AWS::CloudWatch::CompositeAlarm", "Properties": rule}
    return parse({"Resources": resources}, "t.json")


def test_every_alarm_gets_three_cases_that_hold(tmp_path: Path) -> None:
    """One of each kind; the firing case ends in ALARM, the silent one notifies nobody."""
    templates = _templates(**ALARMS)
    text, lacking = first_cases.text(templates)
    assert lacking == []
    file = tmp_path / "cases.yaml"
    file.write_text(text)
    outcomes = run(load([file]), templates)
    assert [outcome.case.title for outcome in outcomes if not outcome.passed] == []
    kinds = {(outcome.alarm.name, outcome.case.kind) for outcome in outcomes}
    assert kinds == {
        (name, kind) for name in (*ALARMS, "Both") for kind in ("firing", "silent", "gap")
    }
    for outcome in outcomes:
        last = outcome.case.expect[-1].state
        assert outcome.case.kind != "firing" or (last and last.value == "ALARM")
        assert outcome.case.kind != "silent" or outcome.case.expect[-1].notifies == ("nobody",)


def test_a_value_that_no_case_can_hold_is_not_tried(tmp_path: Path) -> None:
    """What is written can be read: a threshold near the largest number has no firing case."""
    templates = _templates(Plain=ONE, Below=ONE, Never={**ONE, "Threshold": 1e308})
    text, lacking = first_cases.text(templates)
    assert "Never: no values were found at which it fires." in lacking
    file = tmp_path / "cases.yaml"
    file.write_text(text)
    assert all(outcome.passed for outcome in run(load([file]), templates))


@pytest.mark.parametrize("order", [("e", "n"), ("n", "e")])
def test_a_ratio_is_silent_with_traffic(order: tuple[str, str]) -> None:
    """A case without any request would say nothing about the share of those that fail."""
    [expression, *_] = ALARMS["Ratio"]["Metrics"]
    ratio = {**BASE, "Metrics": [expression, *map(_stat, order)]}
    text, _ = first_cases.text(_templates(Plain=ONE, Below=ONE, Ratio=ratio))
    case = text.partition('"Ratio is silent"')[2].partition("- title")[0]
    [requests] = [line for line in case.splitlines() if '"Shop n"' in line]
    assert 'values: "0x' not in requests


@pytest.mark.parametrize("comparison", ["LessThanThreshold", "GreaterThanThreshold"])
def test_a_rate_fires_while_its_metric_falls_or_rises(tmp_path: Path, comparison: str) -> None:
    """No constant value is a change."""
    limit = -3 if comparison.startswith("Less") else 3
    rate = {**BASE, "ComparisonOperator": comparison, "Threshold": limit,
            "Metrics": [{"Id": "r", "Expression": "RATE(e) * 60"}, _stat("e")]}  # fmt: skip
    templates = _templates(Plain=ONE, Below=ONE, Rate=rate)
    text, lacking = first_cases.text(templates)
    assert not any("Rate" in sentence for sentence in lacking)
    file = tmp_path / "cases.yaml"
    file.write_text(text)
    outcomes = [outcome for outcome in run(load([file]), templates) if outcome.case.alarm == "Rate"]
    assert [outcome.case.kind for outcome in outcomes] == ["firing", "silent", "gap"]
    assert all(outcome.passed for outcome in outcomes)


def test_an_alarm_that_cloudwatch_refuses_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its cases would pass, and the deployment fail."""
    both = [{**_stat("e"), "ReturnData": True}, {**_stat("n"), "ReturnData": True}]
    templates = _templates(Plain=ONE, Below=ONE, Two={**BASE, "Metrics": both})
    commands.run_init(templates, tmp_path / "cases.yaml")
    output = capsys.readouterr().out
    assert "Two: CloudWatch refuses the alarm (returned-queries):" in output
    assert "Plain: CloudWatch" not in output


def test_what_has_no_case_is_said(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """An alarm without cases stops no other; a file that is there is never overwritten."""
    quota = {**BASE, "Metrics": [{"Id": "q", "Expression": "m / SERVICE_QUOTA(m)"}, _stat("m")]}
    never = {**ONE, "DatapointsToAlarm": 3}
    templates = _templates(
        Plain=ONE, Below=ONE, Quota=quota, Never=never, Odd={**ONE, "Period": 45}
    )
    file = tmp_path / "cases.yaml"
    assert commands.run_init(templates, file) == 0
    output = capsys.readouterr().out
    assert "Quota: no cases: t.json Quota: expression 'm / SERVICE_QUOTA(m)'" in output
    assert "Odd: no cases: t.json Odd: a period of 45 s is not supported" in output
    assert "Never: no values were found at which it fires." in output
    assert "Both: no values were found at which it fires." in output
    assert "cases.yaml: 10 cases for 6 alarms." in output
    with pytest.raises(InputError, match="is there already"):
        commands.run_init(templates, file)
    with pytest.raises(InputError, match="No alarm to write a case for"):
        first_cases.text(parse({"Resources": {}}, "t.json"))
