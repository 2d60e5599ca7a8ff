"""An alarm and a plan without fault, for templates that several tests read."""

from __future__ import annotations

from typing import Any

from alarmproof.base.alarms import MetricAlarm
from alarmproof.base.definitions import Templates
from factories import lint

PROPERTIES: dict[str, Any] = {
    "AlarmDescription": "https://example.com/runbook",
    "AlarmActions": ["arn:aws:sns:eu-west-1:111122223333:page"],
    "Namespace": "Shop", "MetricName": "Failures", "Statistic": "Sum", "Period": 60,
    "EvaluationPeriods": 1, "Threshold": 5, "ComparisonOperator": "GreaterThanThreshold",
}  # fmt: skip


def alarm(condition: str | None = None, **changes: Any) -> dict[str, Any]:
    """An alarm with nothing wrong; a change to None leaves the property out."""
    properties = {
        name: value for name, value in {**PROPERTIES, **changes}.items() if value is not None
    }
    made: dict[str, Any] = {"Type": "AWS::CloudWatch::Alarm", "Properties": properties}
    return made if condition is None else {**made, "Condition": condition}


def rules(templates: Templates) -> list[tuple[str, str, str]]:
    """What lint says, by rule, severity and alarm."""
    return [(finding.rule, finding.severity.value, finding.alarm) for finding in lint(templates)]


def only(templates: Templates) -> MetricAlarm:
    """The only alarm."""
    [metric_alarm] = templates.alarms
    assert isinstance(metric_alarm, MetricAlarm)
    return metric_alarm


PLAN: dict[str, Any] = {
    "format_version": "1.2",
    "planned_values": {"root_module": {
        "resources": [
            {"address": "aws_sns_topic.page", "mode": "managed", "type": "aws_sns_topic",
             "values": {"name": "page"}},
            {"address": "aws_cloudwatch_metric_alarm.failures[0]", "mode": "managed",
             "type": "aws_cloudwatch_metric_alarm",
             "values": {"alarm_name": "failures", "comparison_operator": "GreaterThanThreshold",
                        "evaluation_periods": 2, "threshold": 3, "alarm_description": "http://r",
                        "ok_actions": [], "unit": "", "metric_query": [
                            {"id": "e", "expression": "100 * a", "return_data": True},
                            {"id": "a", "return_data": False, "account_id": "", "metric": [
                                {"metric_name": "Failures", "namespace": "Shop", "period": 300,
                                 "stat": "Sum", "dimensions": {"Stage": "prod"}}]}]}},
        ],
        "child_modules": [{"resources": [
            {"address": "module.m.aws_cloudwatch_composite_alarm.both", "mode": "managed",
             "type": "aws_cloudwatch_composite_alarm",
             "values": {"alarm_name": "both", "alarm_rule": "ALARM(failures)",
                        "alarm_actions": ["arn:aws:sns:eu-west-1:1:others"],
                        "alarm_description": "http://r", "actions_suppressor": [
                            {"alarm": "failures", "wait_period": 60, "extension_period": 30}]}}]}],
    }},
    "resource_changes": [{"address": "aws_cloudwatch_metric_alarm.failures[0]",
                          "change": {"after_unknown": {"alarm_actions": True, "id": True}}}],
    "configuration": {"root_module": {"resources": [
        {"address": "aws_cloudwatch_metric_alarm.failures", "expressions": {
            "alarm_actions": {"references": ["aws_sns_topic.page.arn", "aws_sns_topic.page"]}}}]}},
}  # fmt: skip
