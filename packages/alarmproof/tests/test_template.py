"""Alarms out of templates: names, intrinsics, defaults, and files that are not templates."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from alarmproof.base.alarms import CompositeAlarm, MetricAlarm, Missing, Query
from alarmproof.base.errors import InputError, UnknownAlarmError
from alarmproof.template import parse, read

YAML = """
Parameters:
  Stage: {Type: String, Default: dev}
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties: {QueueName: !Sub "orders-${Stage}"}
  Topic: {Type: AWS::SNS::Topic}
  Age:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmName: !Join ["-", [!Ref Queue, age]]
      Namespace: AWS/SQS
      MetricName: ApproximateAgeOfOldestMessage
      Dimensions: [{Name: QueueName, Value: !GetAtt Queue.QueueName}]
      ExtendedStatistic: p99
      Period: "300"
      EvaluationPeriods: "3"
      Threshold: "60"
      ComparisonOperator: GreaterThanThreshold
      AlarmActions: [!Ref Topic, "arn:aws:sns:us-east-1:123456789012:on-call"]
  Ratio:
    Type: Custom::Alarm
    Properties:
      Metrics:
        - {Id: r, Expression: "e / n", ReturnData: true}
        - Id: e
          ReturnData: "false"
          MetricStat: {Metric: {Namespace: N, MetricName: e}, Period: 60, Stat: Sum}
        - Id: n
          ReturnData: false
          MetricStat: {Metric: {Namespace: N, MetricName: n}, Period: 60, Stat: Sum}
      EvaluationPeriods: 5
      DatapointsToAlarm: 3
      Threshold: 0.5
      ComparisonOperator: GreaterThanThreshold
      TreatMissingData: breaching
      ActionsEnabled: false
  Both:
    Type: AWS::CloudWatch::CompositeAlarm
    Properties:
      AlarmName: both
      AlarmRule: !Sub 'ALARM("${Age}") OR ALARM(Ratio)'
      ActionsSuppressor: !GetAtt Ratio.Arn
      ActionsSuppressorWaitPeriod: 120
"""


def _alarm(**properties: Any) -> dict[str, Any]:
    return {"Resources": {"A": {"Type": "AWS::CloudWatch::Alarm", "Properties": properties}}}


def test_alarms_of_a_yaml_template(tmp_path: Path) -> None:
    """Short forms, parameters, references and defaults are resolved; custom alarms count too."""
    file = tmp_path / "t.yaml"
    file.write_text(YAML)
    age, ratio, both = read([file]).alarms
    assert isinstance(age, MetricAlarm)
    assert (age.name, age.period, age.threshold) == ("orders-dev-age", 300, 60.0)
    assert (age.evaluation_periods, age.datapoints_to_alarm) == (3, 3)
    assert age.missing is Missing.MISSING
    assert [str(metric) for metric in age.metrics] == [
        "AWS/SQS ApproximateAgeOfOldestMessage {QueueName=orders-dev}"
    ]
    assert age.alarm_actions == ("Topic", "on-call")
    assert isinstance(ratio, MetricAlarm)
    assert (ratio.name, ratio.returned, ratio.datapoints_to_alarm) == ("Ratio", "r", 3)
    assert ratio.queries[0] == Query("r", expression="e / n")
    assert (ratio.missing, ratio.actions_enabled) == (Missing.BREACHING, False)
    assert isinstance(both, CompositeAlarm)
    assert both.rule == 'ALARM("orders-dev-age") OR ALARM(Ratio)'
    assert (both.suppressor, both.wait, both.extension) == ("Ratio", 120, 60)


def test_exports_reach_other_templates(tmp_path: Path) -> None:
    """What one stack imports is what the other exports, where both are given."""
    exporting = {
        "Resources": {"Api": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"Name": "shop"}}},
        "Outputs": {"Id": {"Value": {"Ref": "Api"}, "Export": {"Name": "api-id"}}},
    }
    importing = _alarm(
        Namespace="AWS/ApiGateway", MetricName="Count", Statistic="Sum", Period=60,
        Dimensions=[{"Name": "ApiId", "Value": {"Fn::ImportValue": "api-id"}}],
    )  # fmt: skip
    (tmp_path / "a.template.json").write_text(json.dumps(exporting))
    (tmp_path / "b.template.json").write_text(json.dumps(importing))
    [metric_alarm] = read([tmp_path]).alarms
    assert isinstance(metric_alarm, MetricAlarm)
    assert metric_alarm.metrics[0].dimensions == (("ApiId", "shop"),)
    [alone] = read([tmp_path / "b.template.json"]).alarms
    assert isinstance(alone, MetricAlarm)
    assert alone.metrics[0].dimensions == (("ApiId", "api-id"),)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("{", "t.json: neither JSON nor YAML"),
        ("a: [", "t.json: neither JSON nor YAML"),
        ("[]", "t.json: not a CloudFormation template"),
        ('{"Resources": []}', "t.json: not a CloudFormation template"),
    ],
)
def test_files_that_are_not_templates(tmp_path: Path, content: str, expected: str) -> None:
    """Each is one error with the file."""
    file = tmp_path / "t.json"
    file.write_text(content)
    with pytest.raises(InputError) as wrong:
        read([file])
    assert expected in str(wrong.value)


def test_files_that_are_not_there(tmp_path: Path) -> None:
    """A missing file and an empty folder have different errors."""
    with pytest.raises(InputError, match=r"gone\.json: can't be read"):
        read([tmp_path / "gone.json"])
    with pytest.raises(InputError, match="no template in this folder"):
        read([tmp_path])


def test_alarms_are_found_by_the_names_people_use() -> None:
    """By name, by logical id, by the end of the name; else with what there is."""
    templates = parse(
        {
            "Resources": {
                name: {"Type": "AWS::CloudWatch::Alarm", "Properties": {"AlarmName": f"{name}-age"}}
                for name in ("Orders", "Users")
            }
        },
        "t",
    )
    assert templates.find("Orders").name == templates.find("Orders-age").name == "Orders-age"
    with pytest.raises(UnknownAlarmError, match="matches several alarms: t/Orders, t/Users"):
        templates.find("age")
    with pytest.raises(
        UnknownAlarmError, match="not an alarm here; there are: Orders-age, Users-age"
    ):
        templates.find("depth")


def test_a_number_that_is_too_long_has_its_line(tmp_path: Path) -> None:
    """In this package's words, not in Python's."""
    file = tmp_path / "t.json"
    file.write_text('{"Resources":\n {"A": ' + "9" * 5000 + "}}")
    with pytest.raises(InputError) as wrong:
        read([file])
    assert str(wrong.value).endswith("JSON nor YAML: line 2: a number of 5,000 digits")
