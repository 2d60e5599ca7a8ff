"""Advice is in the words of the tool that the alarm is written with."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from alarmproof.lint import lint
from alarmproof.template import parse

ALARM: dict[str, Any] = {
    "AlarmDescription": "https://example.com/runbook", "AlarmActions": ["arn:aws:sns:a:1:b"],
    "Namespace": "AWS/Lambda", "MetricName": "Errors", "Statistic": "Sum", "Period": 60,
    "Dimensions": [{"Name": "FunctionName", "Value": "f"}], "EvaluationPeriods": 1, "Threshold": 1,
    "ComparisonOperator": "GreaterThanThreshold",
}  # fmt: skip
TYPE = "AWS::CloudWatch::Alarm"
ADDRESS = "module.shop.aws_cloudwatch_metric_alarm.errors"
PLAN: dict[str, Any] = {"planned_values": {"root_module": {"child_modules": [{"resources": [{
    "address": ADDRESS, "type": "aws_cloudwatch_metric_alarm", "values": {
        "alarm_name": "errors", "alarm_description": "https://example.com/runbook",
        "alarm_actions": ["arn:aws:sns:a:1:b"], "namespace": "AWS/Lambda", "metric_name": "Errors",
        "dimensions": {"FunctionName": "f"}, "statistic": "Sum", "period": 60,
        "evaluation_periods": 1, "threshold": 1, "comparison_operator": "GreaterThanThreshold"},
}]}]}}}  # fmt: skip


def test_a_message_about_a_plan_names_terraform_s_attributes() -> None:
    """Those of CloudFormation stay where they are words of their own, or a template has them."""
    plan = copy.deepcopy(PLAN)
    [module] = plan["planned_values"]["root_module"]["child_modules"]
    values = module["resources"][0]["values"]
    values.update(datapoints_to_alarm=2, treat_missing_data="notBreaching")
    messages = {finding.rule: finding.message for finding in lint(parse(plan, "p.json"))}
    assert messages["datapoints-exceed-periods"].startswith("datapoints_to_alarm")
    assert "evaluation_periods" in messages["datapoints-exceed-periods"]
    wrong = {**ALARM, "DatapointsToAlarm": 2, "TreatMissingData": "notBreaching"}
    template = {"Resources": {"A": {"Type": TYPE, "Properties": wrong}}}
    [finding] = lint(parse(template, "t.json"))
    assert finding.message.startswith("DatapointsToAlarm")


@pytest.mark.parametrize(
    ("document", "remedy"),
    [
        (
            {"Resources": {"A": {"Type": TYPE, "Properties": ALARM}}},
            "Set TreatMissingData to notBreaching.",
        ),
        (
            {"Resources": {"A": {"Type": TYPE, "Properties": ALARM,
                                 "Metadata": {"aws:cdk:path": "Shop/Errors/Resource"}}}},
            "Set treatMissingData to TreatMissingData.NOT_BREACHING. It is the construct "
            "Shop/Errors.",
        ),
        (
            {"Resources": {"A": {"Type": TYPE, "Properties": ALARM},
                           "ServerlessDeploymentBucket": {"Type": "AWS::S3::Bucket"}}},
            "Set TreatMissingData to notBreaching. This template is made from serverless.yml: "
            "change it there.",
        ),
        (PLAN, f"Set treat_missing_data to notBreaching. It is {ADDRESS}."),
    ],
    ids=["plain", "cdk", "serverless", "terraform"],
)  # fmt: skip
def test_a_remedy_is_in_the_tool_s_words(document: dict[str, Any], remedy: str) -> None:
    """With the construct, the address, or the file that it is made from."""
    [finding] = lint(parse(document, "t.json"))
    assert finding.rule == "ends-in-insufficient-data"
    assert finding.remedy == remedy
