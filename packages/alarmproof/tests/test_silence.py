"""Metrics and expressions that have no data while nothing happens."""

from __future__ import annotations

from typing import Any

import pytest
from alarmproof.template import parse
from factories import lint

RULES = ("ends-in-insufficient-data", "gap-completes-breach", "ok-after-gap")


def _silence(**changes: Any) -> set[str]:
    """The rules on silence that find something in an alarm of 5 of 5 that notifies of OK."""
    topic = ["arn:aws:sns:eu-west-1:111122223333:page"]
    properties = {
        "AlarmDescription": "https://example.com/runbook", "AlarmActions": topic,
        "OKActions": topic, "EvaluationPeriods": 5, "Threshold": 5,
        "ComparisonOperator": "GreaterThanThreshold", **changes,
    }  # fmt: skip
    resource = {"Type": "AWS::CloudWatch::Alarm", "Properties": properties}
    findings = lint(parse({"Resources": {"A": resource}}, "t.json"))
    return {finding.rule for finding in findings} & set(RULES)


def _metric(namespace: str, name: str) -> dict[str, Any]:
    return {"Namespace": namespace, "MetricName": name, "Statistic": "Sum", "Period": 60}


def _math(expression: str, namespace: str = "AWS/Lambda", **more: str) -> dict[str, Any]:
    names = {"a": "Errors", "b": "Invocations", "c": "ConcurrentExecutions"}
    stats = [
        {"Id": query, "ReturnData": False, "MetricStat": {
            "Metric": {"Namespace": namespace, "MetricName": name}, "Period": 60, "Stat": "Sum"}}
        for query, name in names.items()
    ]  # fmt: skip
    steps = [{"Id": query, "Expression": step, "ReturnData": False} for query, step in more.items()]
    return {"Metrics": [{"Id": "r", "Expression": expression}, *steps, *stats]}


@pytest.mark.parametrize(
    ("namespace", "name"),
    [("AWS/ELB", "HTTPCode_ELB_502"), ("AWS/X-Ray", "FaultRate"), ("AWS/WAFV2", "ChallengesSolved"),
     ("AWS/States", "MapRunsFailed"), ("AWS/Lambda", "Errors")],
)  # fmt: skip
def test_a_metric_that_pauses_is_found(namespace: str, name: str) -> None:
    """Also one whose name no page has, as the others of its service."""
    assert _silence(**_metric(namespace, name)) == set(RULES)


@pytest.mark.parametrize(
    ("namespace", "name"),
    [("AWS/EC2", "InstanceEBSIOPSExceededCheck"), ("AWS/NetworkELB", "ZonalHealthStatus"),
     ("AWS/Lambda", "MaxOffsetLag"), ("AWS/ApplicationELB", "PeakLCUs"),
     ("AWS/States", "OpenMapRunCount"), ("AWS/Lambda", "ConcurrentExecutions")],
)  # fmt: skip
def test_a_level_does_not_pause(namespace: str, name: str) -> None:
    """Nor does one of which nothing says so."""
    assert _silence(**_metric(namespace, name)) == set()


@pytest.mark.parametrize(
    "expression",
    ["a/b*100", "100 * a / b", "a + b", "SUM([a, b])", "CEIL(a) / b", "rate * 100", "-a / b"],
)
def test_an_expression_of_which_all_terms_pause_is_found(expression: str) -> None:
    """As each of its metrics by itself."""
    assert _silence(**_math(expression, rate="a / b")) == set(RULES)


@pytest.mark.parametrize(
    "expression",
    ["FILL(a, 0) / FILL(b, 1)", "a / c", "a + c", "IF(b > 10, a / b, 0)", "e1 + e2",
     "IF(DATAPOINT_COUNT(a) > 0, a, 0)", "a / FILL(b, 1)", "AVG(a) + b", "a +", "gone / a"],
)  # fmt: skip
def test_an_expression_with_a_value_in_silence_is_left_alone(expression: str) -> None:
    """What is missing beside what is there counts as 0."""
    assert _silence(**_math(expression, e1="e2 + e2", e2="e1 + e1")) == set()


def test_silence_that_is_treated_is_left_alone() -> None:
    """And so are the terms of an expression of which it is not known."""
    assert _silence(**_math("a / b"), TreatMissingData="notBreaching") == set()
    assert _silence(**_math("a / b", "Shop")) == set()
    assert _silence(**_math("a / b", "AWS/DynamoDB")) == set()
