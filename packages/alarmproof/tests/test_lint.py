"""What the checks find, and what they leave alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from alarmproof.base.errors import InputError
from alarmproof.formats import as_json, as_sarif
from alarmproof.lint import (
    Allowance,
    Finding,
    lint,
    load_allowances,
    rules_table,
)
from alarmproof.rules import RULES
from alarmproof.template import parse

DESCRIPTION = "Something is wrong. Runbook: https://example.com/runbook#age"
TOPIC = {"Type": "AWS::SNS::Topic", "Properties": {}}
SUBSCRIBED = {
    "Type": "AWS::SNS::Subscription",
    "Properties": {"TopicArn": {"Ref": "Topic"}, "Protocol": "email", "Endpoint": "a@example.com"},
}


def alarm(name: str = "Errors", namespace: str = "AWS/Lambda", /, **changes: Any) -> dict[str, Any]:
    """An alarm with nothing wrong."""
    dimensions = changes.pop("dimensions", {"FunctionName": "worker"})
    metadata = changes.pop("metadata", {})
    properties = {
        "AlarmDescription": DESCRIPTION,
        "Namespace": namespace,
        "MetricName": name,
        "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
        "AlarmActions": [{"Ref": "Topic"}],
        **changes,
    }
    kept = {key: value for key, value in properties.items() if value is not None}
    return {"Type": "AWS::CloudWatch::Alarm", "Properties": kept, "Metadata": metadata}


def math(expression: str, **metrics: str) -> dict[str, Any]:
    """An alarm on an expression over SQS's metrics."""
    dimensions = [{"Name": "QueueName", "Value": "q"}]
    stats = [
        {
            "Id": key,
            "ReturnData": False,
            "MetricStat": {
                "Metric": {"Namespace": "AWS/SQS", "MetricName": name, "Dimensions": dimensions},
                "Period": 60,
                "Stat": "Sum",
            },
        }
        for key, name in metrics.items()
    ]
    gone = dict.fromkeys(("Namespace", "MetricName", "Dimensions", "Statistic", "Period"))
    return alarm(Metrics=[{"Id": "r", "Expression": expression}, *stats], **gone)


def composite(rule: str, **changes: Any) -> dict[str, Any]:
    """A composite alarm with nothing wrong but its rule."""
    properties = {
        "AlarmDescription": DESCRIPTION, "AlarmRule": rule, "AlarmActions": [{"Ref": "Topic"}],
        **changes,
    }  # fmt: skip
    return {"Type": "AWS::CloudWatch::CompositeAlarm", "Properties": properties}


def findings(given: Any = (), **resources: Any) -> list[Finding]:
    """The findings in a template with a subscribed topic and these resources."""
    template = {"Resources": {"Topic": TOPIC, "Subscribed": SUBSCRIBED, **resources}}
    return lint(parse(template, "t.json"), allowances=given)


def rules_found(**resources: Any) -> list[str]:
    """The rules that find something."""
    return sorted({finding.rule for finding in findings(**resources)})


SQS = {"dimensions": {"QueueName": "q"}}
AGE = "ApproximateAgeOfOldestMessage"
TABLE = {"dimensions": {"TableName": "t"}}
FUNCTION = {
    "Type": "AWS::Lambda::Function", "Properties": {"FunctionName": "worker", "Timeout": 10},
}  # fmt: skip
QUEUE = {
    "Type": "AWS::SQS::Queue",
    "Properties": {"QueueName": "q", "MessageRetentionPeriod": 3600},
}
FROM_QUEUE = {
    "Type": "AWS::Lambda::EventSourceMapping",
    "Properties": {
        "FunctionName": {"Ref": "F"},
        "EventSourceArn": {"Fn::GetAtt": ["Q", "Arn"]},
    },
}


def _encrypted(key: Any) -> dict[str, Any]:
    return {"Type": "AWS::SNS::Topic", "Properties": {"KmsMasterKeyId": key}}


def _key(**statement: Any) -> dict[str, Any]:
    policy = {"Statement": [{"Effect": "Allow", "Resource": "*", **statement}]}
    return {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": policy}}


CLOUDWATCH = {"Service": "cloudwatch.amazonaws.com"}
BAD: list[tuple[str, dict[str, Any]]] = [
    ("unknown-metric", {"A": alarm("Error")}),
    ("unknown-dimension", {"A": alarm(dimensions={"Function": "worker"})}),
    (
        "unknown-dimension",
        {"A": alarm("ReadThrottleEvents", "AWS/DynamoDB", Metrics=None, TreatMissingData="ignore",
                    dimensions={"TableName": "t", "GlobalSecondaryIndex": "i"})},
    ),
    ("unknown-dimension", {"A": alarm("UserErrors", "AWS/DynamoDB", **TABLE)}),
    ("no-action", {"A": alarm(AlarmActions=None)}),
    ("actions-disabled", {"A": alarm(ActionsEnabled=False)}),
    ("unsubscribed-topic", {"A": alarm(AlarmActions=[{"Ref": "Other"}]), "Other": TOPIC}),
    ("key-forbids", {"A": alarm(), "Topic": _encrypted("alias/aws/sns")}),
    (
        "key-forbids",
        {
            "A": alarm(),
            "Topic": _encrypted({"Fn::GetAtt": ["Key", "Arn"]}),
            "Key": _key(Principal={"AWS": "arn:aws:iam::1:root"}, Action="kms:*"),
        },
    ),
    ("never-clears", {"A": alarm("DeadLetterErrors", TreatMissingData="ignore")}),
    ("dynamodb-missing", {"A": alarm("WriteThrottleEvents", "AWS/DynamoDB", **TABLE)}),
    ("always-breaches", {"A": alarm("DeadLetterErrors", TreatMissingData="breaching")}),
    ("out-of-range", {"A": alarm("Duration", Statistic="Maximum", Threshold=10_001),
                      "F": FUNCTION}),
    ("out-of-range", {"A": alarm(AGE, "AWS/SQS", Statistic="Maximum", Threshold=3601, **SQS),
                      "Q": QUEUE}),
    ("out-of-range", {"A": alarm("ApproximateNumberOfMessagesNotVisible", "AWS/SQS",
                                 Statistic="Maximum", Threshold=130_000, **SQS)}),
    ("out-of-range", {"A": alarm(Threshold=0, ComparisonOperator="LessThanThreshold")}),
    ("duplicate-name", {"A": alarm(AlarmName="a"), "B": alarm("Throttles", AlarmName="a")}),
    ("same-alarm", {"A": alarm(), "B": alarm()}),
    ("circle", {"A": composite("ALARM(B)"), "B": composite("ALARM(A)")}),
    ("unknown-part", {"A": composite("ALARM(gone)")}),
    ("operator-and-threshold", {"A": alarm(EvaluationPeriods=None)}),
    ("unknown-namespace", {"A": alarm("CPUUtilization", "AWS/DocumentDB")}),
    ("out-of-range", {"A": alarm(Threshold=0,
                                 ComparisonOperator="GreaterThanOrEqualToThreshold")}),
    ("invalid-action", {"A": alarm(AlarmActions=["on-call"])}),
    ("invalid-action", {"A": alarm(AlarmActions=["arn:aws:sns:sa-east-1:"])}),
    ("invalid-statistic", {"A": alarm(Statistic=None, ExtendedStatistic="p101")}),
    (
        "unsupported-expression",
        {"A": math("m / SERVICE_QUOTA(m)", m="NumberOfMessagesSent")},
    ),
    ("invalid-expression", {"A": math("m + n", m="NumberOfMessagesSent")}),
    ("invalid-expression", {"A": math("m +", m="NumberOfMessagesSent")}),
    ("invalid-expression", {"A": math("SUM(SEARCH('{AWS/SQS} m', 'Sum'))")}),
    (
        "invalid-expression",
        {"A": math("ANOMALY_DETECTION_BAND(m, 2)", m="NumberOfMessagesSent")},
    ),
    ("missing-period", {"A": math("SELECT SUM(Errors) FROM x")}),
    ("invalid-expression", {"A": composite("ALARM(")}),
    ("datapoints-exceed-periods", {"A": alarm(DatapointsToAlarm=2)}),
    ("invalid-period", {"A": alarm(Period=45)}),
    ("math-limits", {"A": math("SUM(METRICS())", **{f"m{n}": "NumberOfMessagesSent"
                                                    for n in range(11)})}),
    ("evaluation-too-long", {"A": alarm(Period=300, EvaluationPeriods=300)}),
    ("invalid-statistic", {"A": alarm("Duration", Statistic="p95")}),
    ("returned-queries", {"A": alarm(Metrics=[{"Id": "m", "ReturnData": False, "MetricStat": {
        "Metric": {"Namespace": "N", "MetricName": "m"}, "Period": 60, "Stat": "Sum"}}])}),
    ("ec2-action", {"A": alarm(AlarmActions=["arn:aws:automate:us-east-1:ec2:reboot"])}),
    ("not-evaluated", {"A": alarm(Threshold={"Fn::ImportValue": "gone"})}),
    ("unknown-property", {"A": alarm(Treshold=3)}),
    ("invalid-value", {"A": alarm(Threshold="high")}),
    ("invalid-value", {"A": alarm(TreatMissingData="maybe")}),
    (
        "iterator-age",
        {"A": alarm("IteratorAge", Statistic="Maximum"), "F": FUNCTION, "Q": QUEUE,
         "M": FROM_QUEUE},
    ),
    (
        "negative-drain",
        {"A": math("v / (d - s)", v="ApproximateNumberOfMessagesVisible",
                    d="NumberOfMessagesDeleted", s="NumberOfMessagesSent")},
    ),
    ("few-samples", {"A": alarm("Duration", Statistic=None, ExtendedStatistic="p99",
                                Threshold=500)}),
    ("slow-reaction", {"A": alarm(Period=300, EvaluationPeriods=3)}),
    ("no-description", {"A": alarm(AlarmDescription=None)}),
    ("no-runbook", {"A": alarm(AlarmDescription="Errors.")}),
]  # fmt: skip
GOOD: list[tuple[str, dict[str, Any]]] = [
    ("evaluation-too-long", {"A": alarm(Period=3600, EvaluationPeriods=168)}),
    ("ec2-action", {"A": alarm("CPUUtilization", "AWS/EC2", dimensions={"InstanceId": "i"},
                               AlarmActions=["arn:aws:automate:us-east-1:ec2:reboot"])}),
    ("math-limits", {"A": math("SUM(METRICS())", **{f"m{n}": "NumberOfMessagesSent"
                                                    for n in range(10)})}),
    ("missing-period", {"A": alarm(Period=None, Metrics=[
        {"Id": "q", "Expression": "SELECT SUM(Errors) FROM x", "Period": 60}])}),
    ("missing-period", {"A": math("IF(m > 1, m)", m="NumberOfMessagesSent")}),
    ("invalid-statistic", {"A": alarm("Duration", Statistic=None, ExtendedStatistic="p95")}),
    ("unknown-metric", {"A": alarm("Anything", "Custom")}),
    (
        "unknown-dimension",
        {"A": alarm("SystemErrors", "AWS/DynamoDB",
                    dimensions={"TableName": "t", "Operation": "o"})},
    ),
    ("no-action", {"A": alarm(AlarmActions=None), "B": composite("ALARM(A)")}),
    ("unsubscribed-topic", {"A": alarm(AlarmActions=["arn:aws:sns:us-east-1:1:elsewhere"])}),
    (
        "unsubscribed-topic",
        {
            "A": alarm(AlarmActions=[{"Ref": "Other"}]),
            "Other": {"Type": "AWS::SNS::Topic", "Properties": {"Subscription": [{}]}},
        },
    ),
    (
        "key-forbids",
        {
            "A": alarm(),
            "Topic": _encrypted({"Ref": "Key"}),
            "Key": _key(Principal=CLOUDWATCH, Action=["kms:Decrypt", "kms:GenerateDataKey*"]),
        },
    ),
    ("never-clears", {"A": alarm("DeadLetterErrors")}),
    ("out-of-range", {"A": alarm("Duration", Statistic="Maximum", Threshold=9000), "F": FUNCTION}),
    ("out-of-range", {"A": alarm("Duration", Statistic="Sum", Threshold=20_000), "F": FUNCTION}),
    ("unknown-part", {"A": composite('ALARM("B")'), "B": alarm()}),
    ("few-samples", {"A": alarm("Duration", Statistic=None, ExtendedStatistic="p99", Threshold=500,
                                EvaluateLowSampleCountPercentile="ignore")}),
    ("slow-reaction", {"A": alarm(Period=300, EvaluationPeriods=3, DatapointsToAlarm=1)}),
    ("slow-reaction", {"A": alarm(Period=300, EvaluationPeriods=3), "B": composite("ALARM(A)")}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "resources"), BAD, ids=[f"{n}-{rule}" for n, (rule, _) in enumerate(BAD)]
)
def test_what_is_wrong_is_found(rule: str, resources: dict[str, Any]) -> None:
    """Each rule finds its fault, and says where and what to do."""
    mine = [finding for finding in findings(**resources) if finding.rule == rule]
    assert mine
    assert mine[0].file == "t.json"
    assert mine[0].message.endswith((".", "?"))
    assert mine[0].remedy


@pytest.mark.parametrize(
    ("rule", "resources"), GOOD, ids=[f"{n}-{rule}" for n, (rule, _) in enumerate(GOOD)]
)
def test_what_is_right_is_left_alone(rule: str, resources: dict[str, Any]) -> None:
    """What looks alike but works is not a finding."""
    assert rule not in rules_found(**resources)


WORDS: list[tuple[str, dict[str, Any], str]] = [
    ("wrong-reference", {"A": alarm(dimensions={"FunctionName": {"Fn::GetAtt": ["F", "Arn"]}}),
                         "F": FUNCTION}, "not its name. Use Ref."),
    ("wrong-reference", {"A": alarm(AGE, "AWS/SQS",
                                    dimensions={"QueueName": {"Fn::GetAtt": ["Q", "Arn"]}}),
                         "Q": QUEUE}, "not its name. Use Fn::GetAtt QueueName."),
    ("missing-term", {"A": math("100 * used / (used + free)", used="NumberOfMessagesReceived",
                                free="ApproximateNumberOfMessagesVisible")},
     "IF(DATAPOINT_COUNT(free) == 1, 100 * used / (used + free))"),
    ("metric-elsewhere", {"A": alarm("EstimatedCharges", "AWS/Billing", AlarmActions=[
        "arn:aws:sns:us-west-2:111122223333:page"])}, "is in us-west-2, by the ARN of its action."),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "resources", "text"), WORDS, ids=[word[2] for word in WORDS])
def test_what_is_found_is_said_with_its_own_remedy(
    rule: str, resources: dict[str, Any], text: str
) -> None:
    """Names are those of the alarm."""
    mine = [finding for finding in findings(**resources) if finding.rule == rule]
    assert [text in f"{finding.message} {finding.remedy}" for finding in mine] == [True]


def test_the_remedy_of_a_value_that_is_not_known_is_said_once() -> None:
    """With the parameter's name."""
    kind = {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/shop/limit"}
    template = {
        "Parameters": {"Limit": kind},
        "Resources": {"A": alarm(Threshold={"Ref": "Limit"})},
    }
    [note] = [entry for entry in lint(parse(template, "t.json")) if entry.rule == "not-evaluated"]
    assert "--parameter" not in note.message
    assert note.remedy == "Give --parameter Limit=VALUE."


def test_another_name_of_a_namespace_is_said_once() -> None:
    """That the metric is not known adds nothing."""
    assert rules_found(A=alarm("DaysToExpiry", "AWS/ACM")) == ["unknown-namespace"]


def test_the_plain_alarm_has_nothing_wrong() -> None:
    """Faults that are found come from what a test changes."""
    assert rules_found(A=alarm()) == []


def test_allowances() -> None:
    """An intended finding needs a reason; an allowance that allows nothing is reported."""
    metadata = {"alarmproof": {"allow": {"no-action": "shown on a wall"}}}
    assert rules_found(A=alarm(AlarmActions=None, metadata=metadata)) == []
    unused = findings(A=alarm(metadata=metadata))
    assert [(finding.rule, finding.message) for finding in unused] == [
        ("allowance", "no-action is allowed, but alarmproof does not find it.")
    ]
    silent = alarm(AlarmActions=None)
    by_file = [Allowance("no-action", "A", "shown on a wall", "allow.yaml")]
    assert findings(by_file, A=silent) == []
    for allowance, expected in (
        (Allowance("no-action", "A", " ", "f"), "allowed without a reason"),
        (
            Allowance("no-acton", "A", "r", "f"),
            "not a rule; did you mean 'no-action'?",
        ),
        (Allowance("no-action", "B", "r", "f"), "alarmproof does not find it"),
    ):
        assert expected in findings([allowance], A=silent)[-1].message


def test_allowance_files(tmp_path: Path) -> None:
    """A list of rule, alarm and reason; anything else is one error."""
    file = tmp_path / "allow.yaml"
    file.write_text("- {rule: no-action, alarm: A, reason: shown}\n")
    assert load_allowances(file) == [Allowance("no-action", "A", "shown", str(file), line=1)]
    for text in ("- {rule: no-action}", "a: [", "5"):
        file.write_text(text)
        with pytest.raises(InputError, match=r"allow\.yaml"):
            load_allowances(file)


def test_formats() -> None:
    """The same findings as JSON and as SARIF, with file and logical id."""
    some = findings(A=alarm("Error"))
    [entry] = json.loads(as_json(some))
    assert list(entry) == ["rule", "severity", "alarm", "file", "line", "message", "remedy"]
    assert (entry["rule"], entry["file"], entry["alarm"]) == ("unknown-metric", "t.json", "A")
    sarif = json.loads(as_sarif(some, version="1"))
    assert sarif["version"] == "2.1.0"
    [run] = sarif["runs"]
    assert {rule["id"] for rule in run["tool"]["driver"]["rules"]} == {rule.id for rule in RULES}
    [result] = run["results"]
    assert (result["ruleId"], result["level"]) == ("unknown-metric", "error")
    place = result["locations"][0]
    assert place["physicalLocation"]["artifactLocation"]["uri"] == "t.json"
    assert place["physicalLocation"]["region"]["startLine"] == 1


def test_the_table_of_rules_is_current() -> None:
    """docs/lint.md has the rules as the code has them."""
    assert rules_table() in (Path(__file__).parents[1] / "docs" / "lint.md").read_text()
