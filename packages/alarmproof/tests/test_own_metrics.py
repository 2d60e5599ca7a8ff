"""Metrics of one's own: known where something publishes them, wrong where they are declared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from alarmproof.base.errors import InputError
from alarmproof.base.own_metrics import OwnMetrics
from alarmproof.config import load
from alarmproof.lint import lint
from alarmproof.template import parse

DECLARED = """
[[metrics]]
namespace = "Shop"
names = ["OrdersPlaced", "OrdersLost"]
dimensions = [["Service"], []]
unit = "Count"
"""
ABOUT = ("metric-not-judged", "unknown-metric", "unknown-dimension", "wrong-unit",
         "unknown-namespace")  # fmt: skip


def _found(config: str, folder: Path, **changes: Any) -> dict[str, str]:
    """What is said of a metric, by rule."""
    file = folder / "alarmproof.toml"
    file.write_text(config, "utf-8")
    resources = changes.pop("resources", {})
    properties = {
        "Namespace": "Shop", "MetricName": "OrdersLost", "Statistic": "Sum", "Period": 60,
        "EvaluationPeriods": 1, "Threshold": 1, "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching", **changes,
    }  # fmt: skip
    alarm = {"Type": "AWS::CloudWatch::Alarm", "Properties": properties}
    findings = lint(
        parse({"Resources": {"A": alarm, **resources}}, "t.json"),
        own_metrics=load(file).own_metrics,
    )
    return {finding.rule: finding.message for finding in findings if finding.rule in ABOUT}


def test_a_declared_metric_is_judged(tmp_path: Path) -> None:
    """By name with near names, by dimensions, and by unit."""
    assert _found(DECLARED, tmp_path) == {}
    assert _found(DECLARED, tmp_path, Dimensions=[{"Name": "Service", "Value": "s"}]) == {}
    slip = _found(DECLARED, tmp_path, MetricName="OrderLost")
    assert slip["unknown-metric"].endswith("declares. Did you mean OrdersLost?")
    other = _found(DECLARED, tmp_path, Dimensions=[{"Name": "Stage", "Value": "s"}])
    assert other["unknown-dimension"] == (
        "OrdersLost is declared with the dimensions Service; or none, and here they are: Stage."
    )
    assert set(_found(DECLARED, tmp_path, Unit="Bytes")) == {"wrong-unit"}


CODE = """import boto3
boto3.client("cloudwatch").put_metric_data(Namespace="Shop", MetricData=[
    {"MetricName": "OrdersLost", "Value": 1}])"""


def test_nothing_is_known_of_others(tmp_path: Path) -> None:
    """A note; code that has both names is enough, a part of a name is not."""
    assert set(_found("", tmp_path)) == {"metric-not-judged"}
    function = {"Type": "AWS::Lambda::Function", "Properties": {"Code": {"ZipFile": CODE}}}
    assert _found("", tmp_path, resources={"F": function}) == {}
    part = _found("", tmp_path, MetricName="Orders", resources={"F": function})
    assert set(part) == {"metric-not-judged"}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["Lost", "Lost", "lost"], ["", "", "It reads Shop lost; 2 alarms read Shop Lost."]),
        (["OrderLost", "OrdersLost", "OrdersLost"],
         ["It reads Shop OrderLost; 2 alarms read Shop OrdersLost.", "", ""]),
        (["a_b", "AB"], ["", "It reads Shop AB; another alarm reads Shop a_b."]),
        (["Errors4", "Errors5"], ["", ""]),
    ],
)  # fmt: skip
def test_spellings_of_several_alarms_are_compared(names: list[str], expected: list[str]) -> None:
    """The one of most alarms counts as right; a declared namespace is judged by its names."""
    alarms = {
        f"A{number}": {"Type": "AWS::CloudWatch::Alarm", "Properties": {
            "Namespace": "Shop", "MetricName": name, "Statistic": "Sum", "Period": 60,
            "EvaluationPeriods": 1, "Threshold": number,
            "ComparisonOperator": "GreaterThanThreshold"}}
        for number, name in enumerate(names)
    }  # fmt: skip
    templates = parse({"Resources": alarms}, "t.json")

    def messages(*own: OwnMetrics) -> dict[str, str]:
        return {
            finding.alarm: finding.message
            for finding in lint(templates, own_metrics=own)
            if finding.rule == "spelling-differs"
        }

    assert [messages().get(name, "") for name in alarms] == expected
    assert not messages(OwnMetrics("Shop", frozenset(names)))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[[metrics]]\nnames = ["m"]', "namespace has to be a text"),
        ('[[metrics]]\nnamespace = "AWS/SQS"\nnames = ["m"]', "AWS's own namespace"),
        ('[[metrics]]\nnamespace = "Shop"', "names is not a list of texts"),
        ('[[metrics]]\nnamespace = "Shop"\nnames = ["m"]\ndimensions = ["Service"]',
         'dimensions is not a list such as [["Service"], []]'),
        ('[[metrics]]\nnamespace = "Shop"\nname = ["m"]', "Did you mean 'names'?"),
    ],
)  # fmt: skip
def test_a_wrong_declaration_is_an_error(tmp_path: Path, text: str, words: str) -> None:
    """With the entry, and what it should be."""
    with pytest.raises(InputError) as error:
        _found(text, tmp_path)
    assert words in str(error.value)
    assert "entry 1" in str(error.value)


def _plan(dimensions: Any, pending: Any, *references: str) -> dict[str, Any]:
    address = "aws_cloudwatch_metric_alarm.a"
    values = {
        "alarm_name": "a", "namespace": "AWS/ApplicationELB", "statistic": "Sum", "period": 60,
        "metric_name": "HTTPCode_Target_5XX_Count", "evaluation_periods": 1, "threshold": 1,
        "comparison_operator": "GreaterThanThreshold", "dimensions": dimensions,
    }  # fmt: skip
    resources = [
        {"address": address, "type": "aws_cloudwatch_metric_alarm", "values": values},
        {"address": "aws_lb.web", "type": "aws_lb", "values": {"name": "web"}},
    ]
    return {
        "planned_values": {"root_module": {"resources": resources}},
        "resource_changes": [{"address": address, "change": {"after_unknown": pending}}],
        "configuration": {"root_module": {"resources": [
            {"address": address, "expressions": {"dimensions": {"references": [*references]}}}
        ]}},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("dimensions", "pending", "references", "rules"),
    [
        ({}, {"dimensions": {"LoadBalancer": True}}, ("aws_lb.web.arn_suffix", "aws_lb.web"), []),
        ({"TargetGroup": "targetgroup/t/0"}, {"dimensions": {"LoadBalancer": True}}, (), []),
        (None, {"dimensions": True}, (), []),
        ({}, {}, (), ["unknown-dimension"]),
        ({}, {"dimensions": {"LoadBalancer": True}}, ("aws_lb.web.arn", "aws_lb.web"),
         ["wrong-reference"]),
    ],
    ids=["reference", "some", "all", "none", "arn"],
)  # fmt: skip
def test_dimensions_of_a_plan_may_be_known_after_the_apply(
    dimensions: Any, pending: Any, references: tuple[str, ...], rules: list[str]
) -> None:
    """They are there all the same, and an ARN in place of a name is a fault."""
    findings = lint(parse(_plan(dimensions, pending, *references), "plan.json"))
    about = ("unknown-dimension", "wrong-reference")
    severe = [finding.rule for finding in findings if finding.severity != "note"]
    assert [rule for rule in severe if rule in about] == rules
