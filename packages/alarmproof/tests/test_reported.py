"""Alarms of public reports, as inputs of our own: what lint and test show of each.

Where a checkout has ``../shared/cases/alarms`` beside it, those files are used as well.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from alarmproof.base.definitions import Templates
from alarmproof.cases import load
from alarmproof.runner import Outcome, run
from alarmproof.template import parse, read
from factories import lint

SHARED = Path(__file__).parents[4] / "shared" / "cases" / "alarms"
TOPIC = {"Type": "AWS::SNS::Topic",
         "Properties": {"TopicName": "page", "Subscription": [{"Protocol": "email"}]}}  # fmt: skip
BASE: dict[str, Any] = {
    "AlarmDescription": "https://example.com/runbook", "AlarmActions": [{"Ref": "Topic"}],
    "EvaluationPeriods": 1, "Threshold": 1, "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    "Namespace": "Shop", "MetricName": "m", "Statistic": "Sum", "Period": 60,
}  # fmt: skip


def _shop(**alarms: dict[str, Any]) -> Templates:
    resources: dict[str, Any] = {"Topic": TOPIC}
    for name, changes in alarms.items():
        given = {key: value for key, value in {**BASE, **changes}.items() if value is not None}
        resources[name] = {"Type": "AWS::CloudWatch::Alarm", "Properties": given}
    return parse({"Resources": resources}, "shop.json")


def _math(expression: str, **changes: Any) -> dict[str, Any]:
    queries = [
        {"Id": name, "ReturnData": False, "MetricStat": {
            "Metric": {"Namespace": "Shop", "MetricName": name}, "Period": 60, "Stat": "Average"}}
        for name in ("a", "b")
    ]  # fmt: skip
    gone = dict.fromkeys(("Namespace", "MetricName", "Statistic", "Period"))
    return {**gone, "Metrics": [{"Id": "r", "Expression": expression}, *queries], **changes}


def _outcome(tmp_path: Path, shop: Templates, body: str) -> Outcome:
    file = tmp_path / "cases.yaml"
    file.write_text(f"cases:\n  - {{title: t, alarm: A, {body}}}\n")
    [outcome] = run(load([file]), shop)
    return outcome


ONE = "initial: OK, series: [{metric: m, values: "
TWO = "initial: OK, series: [{metric: a, values: "


@pytest.mark.parametrize(
    ("alarm", "body"),
    [
        (
            _math("100 * a / (a + b)", Threshold=90),
            TWO + '"60x3"}, {metric: b, values: "40 40 _ 40"}], expect: [{at: 2m, state: OK},'
            " {at: 3m, state: ALARM, value: 100, notifies: page}]",
        ),
        (
            _math("a + b", ComparisonOperator="LessThanThreshold"),
            TWO + '"0x4"}, {metric: b, values: "3x2 _ 3"}], expect: [{at: 3m, state: OK},'
            " {at: 4m, state: ALARM, value: 0}]",
        ),
        (
            _math("IF(DATAPOINT_COUNT(a) + DATAPOINT_COUNT(b) == 2, a + b)",
                  ComparisonOperator="LessThanThreshold"),
            TWO + '"0x4"}, {metric: b, values: "3x2 _ 3"}], expect: [{at: 4m, state: OK,'
            " value: _}, {at: 5m, state: OK, value: 3}]",
        ),
        (
            {"EvaluationPeriods": 4, "Threshold": 10},
            ONE + '"1x4 20 _x7"}], expect: [{at: 6m, state: OK},'
            " {at: 11m, state: ALARM, notifies: page}]",
        ),
        (
            {"Period": 3600},
            ONE + '"_x60 1 _x300"}], expect: [{at: 62m, state: ALARM, notifies: page},'
            " {at: 5h50m, state: INSUFFICIENT_DATA, notifies: nobody}]",
        ),
        (
            {"OKActions": [{"Ref": "Topic"}], "Threshold": 5},
            'series: [{metric: m, values: "_x3 0x5"}], expect: [{at: 6m, state: OK,'
            " notifies: page}]",
        ),
        (
            {"OKActions": [{"Ref": "Topic"}], "Threshold": 5,
             "WarmUpConfiguration": {"WarmUpPeriodDurationInMinutes": 30,
                                     "OnlyStartEvaluatingAfterWarmUpPeriodEnds": True}},
            'series: [{metric: m, values: "9x29"}], expect: [{at: 29m, state: INSUFFICIENT_DATA,'
            " notifies: nobody}, {at: 30m, state: ALARM}]",
        ),
    ],
    ids=["ratio", "sum-of-two", "counted", "n-of-n", "hourly", "new", "new-and-warm"],
)  # fmt: skip
def test_reported_behavior_is_shown(tmp_path: Path, alarm: dict[str, Any], body: str) -> None:
    """Each as its reporter met it on AWS, or as AWS documents it."""
    assert _outcome(tmp_path, _shop(A=alarm), body).failures == ()


@pytest.mark.parametrize(
    ("expression", "severity"),
    [
        ("100 * a / SERVICE_QUOTA(a)", "note"),
        ('SELECT MAX(Errors) FROM SCHEMA("AWS/Lambda", FunctionName)', "note"),
        ("a + c", "error"),
        ("METRICS() / 2", "error"),
        ("sum(a)", "error"),
    ],
)
def test_math_is_refused_or_not_evaluated(expression: str, severity: str) -> None:
    """What AWS accepts is a note, what it refuses an error."""
    severities = [finding.severity.value for finding in lint(_shop(A=_math(expression)))]
    assert severities == [severity]


needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared cases are not here")


@needs_shared
@pytest.mark.parametrize(
    ("cases", "template"),
    [
        (path.name, "06_compexp1661.json" if path.stem == "06b_fixed" else f"{path.stem}.json")
        for path in sorted(SHARED.glob("*.yaml"))
        if "cases:" in path.read_text("utf-8")
    ],
)
def test_shared_cases_hold(cases: str, template: str) -> None:
    """Every case says what is right."""
    outcomes = run(load([SHARED / cases]), read([SHARED / template]))
    assert [str(failure) for outcome in outcomes for failure in outcome.failures] == []


@needs_shared
@pytest.mark.parametrize(
    ("name", "alarms"),
    [("fp_conditions.yaml", 2), ("fp_foreach.yaml", 2), ("fp_param_nodefault.yaml", 1),
     ("novalue.yaml", 1), ("cdkout", 2)],
)  # fmt: skip
def test_shared_templates_without_a_fault_have_no_error(name: str, alarms: int) -> None:
    """All alarms are there, and nothing is wrong with them."""
    templates = read([SHARED / name])
    assert len(templates.alarms) == alarms
    assert [finding for finding in lint(templates) if finding.severity == "error"] == []


@needs_shared
def test_a_shared_nested_stack_has_the_parent_s_value() -> None:
    """Whichever of the two is named."""
    for paths in (["parent.template.json"], ["parent.template.json", "child.template.json"]):
        [alarm] = read([SHARED / name for name in paths]).alarms
        assert getattr(alarm, "threshold", None) == 60


@needs_shared
def test_shared_templates_are_one_clear_error_or_are_judged() -> None:
    """Every file of the folder can be read, and every finding has its line."""
    for file in sorted(SHARED.glob("*.json")):
        for finding in lint(read([file])):
            assert json.loads(json.dumps(finding.line)) >= 1
