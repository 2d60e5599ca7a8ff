"""What is read of a template, and what is a note or an error: SAM, live alarms, unknown types."""

from __future__ import annotations

from alarmproof.base.alarms import AnyAlarm, OpaqueAlarm
from alarmproof.template import parse
from factories import lint
from template_parts import PROPERTIES, alarm, rules


def test_sam_is_read_as_what_it_becomes() -> None:
    """Timeouts of Globals, subscriptions of events, implicit APIs."""
    templates = parse({
        "Transform": "AWS::Serverless-2016-10-31",
        "Globals": {"Function": {"Timeout": 10}},
        "Resources": {
            "T": {"Type": "AWS::SNS::Topic"},
            "F": {"Type": "AWS::Serverless::Function", "Properties": {"Events": {
                "S": {"Type": "SNS", "Properties": {"Topic": {"Ref": "T"}}},
                "H": {"Type": "HttpApi", "Properties": {}}}}},
            "A": alarm(Namespace="AWS/Lambda", MetricName="Duration", Threshold=20_000,
                       Statistic="Maximum", AlarmActions=[{"Ref": "T"}],
                       TreatMissingData="notBreaching",
                       Dimensions=[{"Name": "FunctionName", "Value": {"Ref": "F"}}]),
        },
    }, "t.json")  # fmt: skip
    assert rules(templates) == [("out-of-range", "error", "A")]
    kinds = {name: resource.type for (_, name), resource in templates.resources.items()}
    assert kinds["ServerlessHttpApi"] == "AWS::ApiGatewayV2::Api"


def test_live_alarms_are_read() -> None:
    """What DescribeAlarms answers; state and times are not unknown properties."""
    templates = parse({
        "MetricAlarms": [{**PROPERTIES, "AlarmName": "a", "StateValue": "OK", "Dimensions": [],
                          "AlarmArn": "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:a"}],
        "CompositeAlarms": [{"AlarmName": "c", "AlarmRule": "ALARM(a)", "AlarmActions": []}],
    }, "live.json")  # fmt: skip
    assert [alarm.name for alarm in templates.alarms] == ["a", "c"]
    assert templates.alarms[0].source.stack == "111122223333/eu-west-1"
    assert {rule for rule, _, _ in rules(templates)} == {"no-action", "no-description"}


def test_nothing_unknown_is_ignored() -> None:
    """Properties and types are known or refused by name; log and PromQL alarms are named."""
    templates = parse({"Resources": {
        "A": alarm(Treshold=5), "P": {"Type": "AWS::CloudWatch::Alarm", "Properties": {
            "AlarmActions": PROPERTIES["AlarmActions"], "AlarmDescription": "http://r",
            "EvaluationInterval": 60,
            "EvaluationCriteria": {"PromQLCriteria": {"Query": "up == 0"}}}},
        "L": {"Type": "AWS::CloudWatch::LogAlarm", "Properties": {"AlarmDescription": "http://r",
              "AlarmActions": PROPERTIES["AlarmActions"], "Threshold": 1,
              "ScheduledQueryConfiguration": {}}},
        "N": {"Type": "AWS::CloudWatch::Alarms"}, "D": {"Type": "AWS::CloudWatch::Dashboard"},
        "M": alarm(Metrics=[{"Id": "m", "Label": "x", "Colour": "red", "MetricStat": {
            "Metric": {"Namespace": "N", "MetricName": "M"}, "Period": 60, "Stat": "Sum"}}]),
    }}, "t.json")  # fmt: skip
    by_alarm: dict[str, AnyAlarm] = {alarm.name: alarm for alarm in templates.alarms}
    opaque = {
        name: alarm.kind for name, alarm in by_alarm.items() if isinstance(alarm, OpaqueAlarm)
    }
    assert opaque == {"P": "PromQL alarm", "L": "log alarm"}
    messages = {(finding.rule, finding.alarm): finding.message for finding in lint(templates)}
    assert (
        "Treshold is not a property that CloudFormation has (did you mean Threshold?)."
        in (messages["unknown-property", "A"])
    )
    assert "Metrics[0].Colour" in messages["unknown-property", "M"]
    assert "AWS::CloudWatch::Alarms" in messages["unknown-type", "N"]
    assert {key for key in messages if key[0] != "schema"} == {
        ("unknown-property", "A"), ("unknown-property", "M"), ("unknown-type", "N"),
        ("not-evaluated", "P"), ("not-evaluated", "L"),
    }  # fmt: skip


def test_a_composite_alarm_may_be_of_alarms_elsewhere() -> None:
    """A warning; a slip of a name that is here is an error, and an ARN's last piece is a name."""
    rule = {"Fn::Join": ["", ["ALARM(", {"Fn::Select": [6, {"Fn::Split": [":", {
        "Fn::GetAtt": ["Orders", "Arn"]}]}]}, ") OR ALARM(order) OR ALARM(abroad)"]]}  # fmt: skip
    document = {"Resources": {
        "Orders": alarm(AlarmName="orders"),
        "C": {"Type": "AWS::CloudWatch::CompositeAlarm", "Properties": {
            "AlarmRule": rule, "AlarmActions": PROPERTIES["AlarmActions"]}}}}  # fmt: skip
    parts = [
        finding for finding in lint(parse(document, "t.json")) if finding.rule == "unknown-part"
    ]
    assert [(finding.severity, "mean orders" in finding.message) for finding in parts] == [
        ("warning", False), ("error", True),
    ]  # fmt: skip


def test_what_a_macro_or_a_stack_set_makes_is_a_note() -> None:
    """Neither an unknown property, nor silently left out."""
    templates = parse({"Resources": {
        "A": {"Type": "AWS::CloudWatch::Alarm", "Properties": {
            "Fn::Transform": {"Name": "Defaults"}, "Namespace": "Shop"}},
        "B": {"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": "s3://b/r"}}},
        "C": {"Type": "Shop::Alarms::All::MODULE", "Properties": {"Limit": 1}},
        "D": {"Type": "AWS::CloudFormation::StackSet", "Properties": {
            "TemplateBody": "Resources: {A: {Type: AWS::CloudWatch::Alarm}}"}},
        "E": {"Type": "AWS::CloudFormation::StackSet", "Properties": {"TemplateBody": "Resources"}},
    }}, "t.json")  # fmt: skip
    assert rules(templates) == [("not-evaluated", "note", "A"), ("not-evaluated", "note", "D")]
