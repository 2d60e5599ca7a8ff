"""CloudFormation as it is: conditions, loops, lists, nested stacks, SAM, Terraform, live alarms."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from alarmproof.alarms import AnyAlarm, CompositeAlarm, MetricAlarm, OpaqueAlarm
from alarmproof.definitions import Templates
from alarmproof.errors import InputError, NotSupportedError, UnknownAlarmError
from alarmproof.evaluate import evaluate
from alarmproof.formats import as_json
from alarmproof.lint import failed
from alarmproof.reading import parameters
from alarmproof.reading.values import Unknown
from alarmproof.runner import InMemory
from alarmproof.template import parse, parse_all, read
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


STAGE = {"Parameters": {"Stage": {"Type": "String"}},
         "Conditions": {"IsProd": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]},
                        "NotProd": {"Fn::Not": [{"Condition": "IsProd"}]}}}  # fmt: skip


def test_exclusive_conditions_are_no_duplicate() -> None:
    """Neither by the default nor when the value is unknown can both exist; a third one can."""
    both = {"A": alarm("IsProd", AlarmName="age"), "B": alarm("NotProd", AlarmName="age")}
    unknown = parse({**STAGE, "Resources": both}, "t.json")
    assert [finding.rule for finding in lint(unknown)] == []
    default = {**STAGE, "Parameters": {"Stage": {"Type": "String", "Default": "dev"}}}
    known = parse({**default, "Resources": both}, "t.json")
    assert [alarm.source.logical_id for alarm in known.alarms] == ["B"]
    assert [resource.source.logical_id for resource in known.absent] == ["A"]
    with pytest.raises(InputError, match="the condition IsProd does not hold"):
        known.find("A")
    third = parse(
        {**STAGE, "Resources": {**both, "C": alarm(AlarmName="age", MetricName="C")}}, "t.json"
    )
    assert {finding.rule for finding in lint(third)} == {"duplicate-name"}


def test_a_condition_without_a_value_is_read_both_ways() -> None:
    """Findings say with which value; what differs can't be evaluated until it is given."""
    template = {**STAGE, "Resources": {
        "A": alarm(Threshold={"Fn::If": ["IsProd", "high", 5]}),
        "B": alarm(MetricName="B", AlarmActions={"Fn::If": ["IsProd", PROPERTIES["AlarmActions"],
                                                           {"Ref": "AWS::NoValue"}]}),
    }}  # fmt: skip
    templates = parse(template, "t.json")
    wrong, *notes = lint(templates)
    assert (wrong.rule, wrong.alarm) == ("invalid-value", "A")
    assert [(note.rule, note.severity.value, note.alarm) for note in notes] == [
        ("not-evaluated", "note", "A"), ("not-evaluated", "note", "B"),
    ]  # fmt: skip
    assert "give --parameter Stage=VALUE" in notes[1].message
    assert wrong.message.startswith("With Stage=prod: ")
    with pytest.raises(NotSupportedError, match="differs by values that are not known"):
        evaluate([templates.find("B")], InMemory({}), start=0, end=60)
    dev = parse_all([(template, "t.json")], {"Stage": "dev"})
    assert [(rule, severity) for rule, severity, _ in rules(dev)] == [("no-action", "note")]


def test_no_value_leaves_the_property_or_the_element_out() -> None:
    """A missing property has its default, and a list one element less."""
    nothing = {"Ref": "AWS::NoValue"}
    quiet = {"Conditions": {"Quiet": {"Fn::Equals": ["a", "b"]}}}
    templates = parse({**quiet, "Resources": {
        "A": alarm(
            TreatMissingData={"Fn::If": ["Quiet", "breaching", nothing]},
            AlarmActions=[{"Fn::If": ["Quiet", "x", nothing]}, "arn:aws:sns:eu-west-1:1:page"],
            Dimensions=[{"Fn::If": ["Quiet", {"Name": "a", "Value": "b"}, nothing]}],
        ),
        "B": alarm(AlarmActions=[{"Fn::If": ["Quiet", "x", nothing]}], MetricName="B"),
    }}, "t.json")  # fmt: skip
    metric_alarm = templates.find("A")
    assert isinstance(metric_alarm, MetricAlarm)
    assert (metric_alarm.missing.value, metric_alarm.alarm_actions) == ("missing", ("page",))
    assert metric_alarm.metrics[0].dimensions == ()
    # The condition asks for no parameter, so nobody chose it.
    assert rules(templates) == [("no-action", "warning", "B")]


@pytest.mark.parametrize(
    ("threshold", "declared", "why"),
    [
        ({"Ref": "Limit"}, {"Limit": {"Type": "Number"}}, "the parameter Limit, which has no def"),
        (
            {"Ref": "Limit"},
            {"Limit": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/shop/limit"}},
            "is read from '/shop/limit' of the Parameter Store",
        ),
        ("{{resolve:ssm:/shop/limit}}", {}, "is read when the stack is deployed"),
        ({"Fn::ImportValue": "limit"}, {}, "no template given exports 'limit'"),
        ({"Fn::GetAtt": ["Q", "Depth"]}, {}, "the deployment decides Depth of Q"),
        ({"Fn::Cidr": ["10.0.0.0/8", 1]}, {}, "Fn::Cidr is not a function that alarmproof"),
    ],
)
def test_a_value_that_nobody_knows_is_a_note_of_that_alarm(
    threshold: Any, declared: dict[str, Any], why: str
) -> None:
    """All others are judged; with --strict it fails."""
    templates = parse({"Parameters": declared, "Resources": {
        "A": alarm(Threshold=threshold), "B": alarm(MetricName="B", AlarmActions=None),
        "Q": {"Type": "AWS::SQS::Queue"},
    }}, "t.json")  # fmt: skip
    assert rules(templates) == [("not-evaluated", "note", "A"), ("no-action", "warning", "B")]
    notes = [finding for finding in lint(templates) if finding.alarm == "A"]
    assert why in notes[0].message
    assert (failed(notes, strict=False), failed(notes, strict=True)) == (False, True)
    with pytest.raises(NotSupportedError, match=r"t\.json A: not evaluated, because"):
        evaluate([templates.find("A")], InMemory({}), start=0, end=60)


def test_parameters_are_given_by_name_and_by_file(tmp_path: Path) -> None:
    """In any form that AWS's tools write; a name that no template has is an error."""
    template = {"Parameters": {"Limit": {"Type": "Number"}},
                "Resources": {"A": alarm(Threshold={"Ref": "Limit"})}}  # fmt: skip
    for text in (
        '{"Limit": 7}',
        '{"Parameters": {"Limit": "7"}}',
        '[{"ParameterKey": "Limit", "ParameterValue": "7"}]',
        '["Limit=7"]',
        "Limit: 7",
    ):
        file = tmp_path / "p.yaml"
        file.write_text(text)
        assert only(parse_all([(template, "t.json")], parameters.load(file))).threshold == 7
    assert only(parse_all([(template, "t.json")], {"t/Limit": "8", "Limit": "7"})).threshold == 8
    with pytest.raises(InputError, match=r"no template has this parameter\. Did you mean 'Limit'"):
        parse_all([(template, "t.json")], {"Limt": "7"})
    with pytest.raises(InputError, match="write NAME=VALUE"):
        parameters.parse_assignments(["Limit"])
    (tmp_path / "p.yaml").write_text("- 5")
    with pytest.raises(InputError, match=r"p\.yaml: not parameters"):
        parameters.load(tmp_path / "p.yaml")


def test_lists_and_literals() -> None:
    """A comma-delimited list is a list, and ``${!Literal}`` stays one."""
    topics = {"Type": "CommaDelimitedList", "Default": "a:b, c:d"}
    properties = alarm(
        AlarmActions={"Ref": "Topics"}, AlarmName={"Fn::Sub": "a-${!Literal}"},
        OKActions=[{"Fn::Select": [1, {"Ref": "Topics"}]}],
        AlarmDescription={"Fn::Join": [" ", {"Ref": "Topics"}]},
    )  # fmt: skip
    document = {"Parameters": {"Topics": topics}, "Resources": {"A": properties}}
    templates = parse(document, "t.json")
    metric_alarm = only(templates)
    assert (metric_alarm.alarm_actions, metric_alarm.ok_actions) == (("b", "d"), ("d",))
    assert (metric_alarm.name, metric_alarm.description) == ("a-${Literal}", "a:b c:d")


def test_loops_are_written_out(tmp_path: Path) -> None:
    """Keys and values have the element, nested loops as well; an unknown list is a note."""
    file = tmp_path / "t.yaml"
    file.write_text(
        "Transform: AWS::LanguageExtensions\n"
        "Parameters: {Names: {Type: CommaDelimitedList}}\n"
        "Resources:\n"
        "  Fn::ForEach::Queues:\n"
        "    - Q\n"
        "    - [Orders, Re-funds]\n"
        "    - Fn::ForEach::Limits:\n"
        "        - L\n"
        "        - ['1', '2']\n"
        "        - Age&{Q}${L}:\n"
        "            Type: AWS::CloudWatch::Alarm\n"
        "            Properties: {AlarmName: !Sub 'age-${Q}', Namespace: AWS/SQS, MetricName: "
        "NumberOfMessagesSent, Threshold: !Ref L, Dimensions: [{Name: QueueName, Value: !Ref Q}]}\n"
        "  Fn::ForEach::Others: [N, !Ref Names, {'B${N}': {Type: 'AWS::CloudWatch::Dashboard'}}]\n"
    )
    templates = read([file])
    assert [alarm.source.logical_id for alarm in templates.alarms] == [
        "AgeOrders1", "AgeOrders2", "AgeRefunds1", "AgeRefunds2",
    ]  # fmt: skip
    assert {alarm.source.line for alarm in templates.alarms} == {4}
    third = templates.alarms[2]
    assert isinstance(third, MetricAlarm)
    assert (third.threshold, third.metrics[0].dimensions) == (1, (("QueueName", "Re-funds"),))
    assert [(entry.kind, entry.known) for entry in templates.unread] == [("Fn::ForEach", True)]
    given = read([file], {"Names": "a,b"})
    assert {"Ba", "Bb"} <= {name for _, name in given.resources}


def test_nested_stacks_have_the_values_of_their_parents(tmp_path: Path) -> None:
    """Given alone or together, once for each parent; an output comes back."""
    child = {
        "Parameters": {"Topic": {"Type": "String"}, "Limit": {"Type": "Number", "Default": 5}},
        "Resources": {"A": alarm(Threshold={"Ref": "Limit"}, AlarmActions=[{"Ref": "Topic"}]),
                      "Q": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "orders"}}},
        "Outputs": {"Queue": {"Value": {"Fn::GetAtt": ["Q", "QueueName"]}}},
    }  # fmt: skip
    parent = {"Resources": {
        "T": {"Type": "AWS::SNS::Topic"},
        "Child": {"Type": "AWS::CloudFormation::Stack",
                  "Properties": {"TemplateURL": {"Fn::Sub": "https://${AWS::Region}/x"},
                                 "Parameters": {"Topic": {"Ref": "T"}, "Limit": "60"}},
                  "Metadata": {"aws:asset:path": "child.template.json"}},
        "B": alarm(MetricName="B", Dimensions=[
            {"Name": "QueueName", "Value": {"Fn::GetAtt": ["Child", "Outputs.Queue"]}}]),
    }}  # fmt: skip
    (tmp_path / "child.template.json").write_text(json.dumps(child))
    (tmp_path / "parent.template.json").write_text(json.dumps(parent))
    for paths in ([tmp_path], [tmp_path / "parent.template.json"]):
        templates = read(paths)
        assert {alarm.name for alarm in templates.alarms} == {"A", "B"}
        inner, outer = templates.find("parent/Child/A"), templates.find("B")
        assert isinstance(inner, MetricAlarm)
        assert isinstance(outer, MetricAlarm)
        assert inner.threshold == 60
        assert outer.metrics[0].dimensions == (("QueueName", "orders"),)
        assert rules(templates) == [("unsubscribed-topic", "warning", "A")]


def test_stacks_of_one_class_are_no_duplicates(tmp_path: Path) -> None:
    """Each alarm is its stack's; a composite means the alarm beside it, whatever it is called."""
    both = {"Resources": {"Age": alarm(), "Both": {
        "Type": "AWS::CloudWatch::CompositeAlarm",
        "Properties": {"AlarmRule": {"Fn::Sub": "ALARM(${Age})"}, "AlarmDescription": "http://r",
                       "AlarmActions": PROPERTIES["AlarmActions"]}}}}  # fmt: skip
    artifacts = {}
    for stage, account in (("dev", "111111111111"), ("prod", "222222222222")):
        (tmp_path / f"{stage}.template.json").write_text(json.dumps(both))
        artifacts[stage] = {
            "type": "aws:cloudformation:stack", "environment": f"aws://{account}/eu-west-1",
            "properties": {"templateFile": f"{stage}.template.json", "stackName": f"Shop-{stage}"},
        }  # fmt: skip
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
    (tmp_path / "leftover.template.json").write_text("not in the manifest, so never read")
    templates = read([tmp_path])
    assert lint(templates) == []
    assert [alarm.name for alarm in templates.alarms] == [
        "Shop-dev/Age", "Shop-dev/Both", "Shop-prod/Age", "Shop-prod/Both",
    ]  # fmt: skip
    with pytest.raises(UnknownAlarmError, match="several alarms: Shop-dev/Age, Shop-prod/Age"):
        templates.find("Age")
    prod = templates.find("Shop-prod/Both")
    assert isinstance(prod, CompositeAlarm)
    assert prod.part("Age") == "Shop-prod/Age"
    assert templates.find("Shop-prod/Age").environment == "222222222222/eu-west-1"


def test_one_name_in_two_accounts_is_no_duplicate(tmp_path: Path) -> None:
    """In two regions neither; where nothing says where a stack goes, it is a warning."""
    artifacts = {}
    named = {"Resources": {"Age": alarm(AlarmName="age")}}
    for stage in ("dev", "prod"):
        (tmp_path / f"{stage}.template.json").write_text(json.dumps(named))
        artifacts[stage] = {
            "type": "aws:cloudformation:stack", "environment": f"aws://{len(stage)}/eu-west-1",
            "properties": {"templateFile": f"{stage}.template.json"},
        }  # fmt: skip
    assert {rule for rule, _, _ in rules(read([tmp_path]))} == {"duplicate-name"}
    assert {severity for _, severity, _ in rules(read([tmp_path]))} == {"warning"}
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
    assert rules(read([tmp_path])) == []


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


def test_terraform_plans_are_read() -> None:
    """Queries, modules, suppressors; an action that is known after the apply is a reference."""
    templates = parse(PLAN, "plan.json")
    metric, both = templates.alarms
    assert isinstance(metric, MetricAlarm)
    assert isinstance(both, CompositeAlarm)
    assert (metric.name, metric.period, metric.threshold, metric.returned) == (
        "failures", 300, 3, "e",
    )  # fmt: skip
    assert [str(key) for key in metric.metrics] == ["Shop Failures {Stage=prod}"]
    assert metric.alarm_actions == ("page",)
    assert (both.suppressor, both.wait, both.extension) == ("failures", 60, 30)
    assert rules(templates) == [("unsubscribed-topic", "warning", "failures")]
    assert templates.find("module.m.aws_cloudwatch_composite_alarm.both") is both


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
        "Treshold is not a property that CloudFormation has; did you mean Threshold?"
        in (messages["unknown-property", "A"])
    )
    assert "Metrics[0].Colour" in messages["unknown-property", "M"]
    assert "AWS::CloudWatch::Alarms" in messages["unknown-type", "N"]
    assert {key for key in messages if key[0] != "schema"} == {
        ("unknown-property", "A"), ("unknown-property", "M"), ("unknown-type", "N"),
        ("not-evaluated", "P"), ("not-evaluated", "L"),
    }  # fmt: skip


@pytest.mark.parametrize("suffix", ["json", "yaml"])
def test_every_alarm_has_its_line(tmp_path: Path, suffix: str) -> None:
    """Where its logical id stands, in JSON and in YAML; a key of the same name elsewhere is not."""
    document = {
        "Description": "Resources", "Metadata": {"Resources": {"A": 1}, "B": "Resources"},
        "Resources": {"Q": {"Type": "AWS::SQS::Queue"}, "A": alarm(AlarmActions=None),
                      "B": alarm(MetricName="B", AlarmActions=None)},
    }  # fmt: skip
    file = tmp_path / f"t.{suffix}"
    if suffix == "json":
        text = json.dumps(document, indent=2)
    else:
        yaml = pytest.importorskip("yaml")
        text = yaml.safe_dump(document, sort_keys=False)
    file.write_text(text)
    after = text.index("Resources", text.index('Q"' if suffix == "json" else "Q:") - 20)
    expected = [
        text[: text.index(name, after)].count("\n") + 1
        for name in (('"A": {', '"B": {') if suffix == "json" else ("  A:\n", "  B:\n"))
    ]
    entries = json.loads(as_json(lint(read([file]))))
    assert [entry["line"] for entry in entries] == expected
    assert {entry["file"] for entry in entries} == {str(file)}
    file.write_text(text.replace("B", "A") if suffix == "json" else text.replace("B:", "A:"))
    with pytest.raises(InputError, match=r"the resource 'A' is on line \d+ already"):
        read([file])


def test_folders_are_searched_for_templates(tmp_path: Path) -> None:
    """Those of packages and assets are not ours; a manifest of something else does not matter."""
    text = json.dumps({"Resources": {"A": alarm()}})
    for name in ("app/template.yaml", "infra/x.template.json", "node_modules/p/y.template.json",
                 "cdk.out/asset.abc/z.template.json", "manifest.json"):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("[]" if name == "manifest.json" else text)
    templates = read([tmp_path])
    assert sorted(alarm.source.stack for alarm in templates.alarms) == ["template", "x"]


@pytest.mark.parametrize("form", ["json", "yaml", "plan"])
def test_plans_and_live_alarms_have_lines(tmp_path: Path, form: str) -> None:
    """Where the name or the address stands first."""
    live = {"MetricAlarms": [{**PROPERTIES, "AlarmName": name} for name in ("a", 'b "quoted"')]}
    file = tmp_path / f"alarms.{'yaml' if form == 'yaml' else 'json'}"
    if form == "yaml":
        yaml = pytest.importorskip("yaml")
        text = yaml.safe_dump({"MetricAlarms": live["MetricAlarms"][:1]})
        names = ["AlarmName: a"]
    elif form == "plan":
        text = json.dumps(PLAN, indent=1)
        names = ["metric_alarm.failures[0]", "composite_alarm.both"]
    else:
        text = json.dumps(live, indent=1)
        names = ['"AlarmName": "a"', "quoted"]
    file.write_text(text)
    expected = [text[: text.index(name)].count("\n") + 1 for name in names]
    assert [alarm.source.line for alarm in read([file]).alarms] == expected


@pytest.mark.parametrize(
    ("kind", "dimension", "source", "separator", "index"),
    [("AWS::SQS::Queue", "QueueName", {"Fn::GetAtt": ["R", "Arn"]}, ":", 5),
     ("AWS::SNS::Topic", "TopicName", {"Ref": "R"}, ":", 5),
     ("AWS::Lambda::Function", "FunctionName", {"Fn::GetAtt": ["R", "Arn"]}, ":", 6),
     ("AWS::DynamoDB::Table", "TableName", {"Fn::GetAtt": ["R", "Arn"]}, "/", 1),
     ("AWS::ElasticLoadBalancingV2::Listener", "LoadBalancer", {"Ref": "R"}, "/", 3)],
)  # fmt: skip
def test_a_name_cut_out_of_an_arn_is_the_resource(
    kind: str, dimension: str, source: dict[str, Any], separator: str, index: int
) -> None:
    """As the CDK writes imported resources; what is not its name stays open, without an error."""
    cut = {"Fn::Select": [index, {"Fn::Split": [separator, source]}]}
    document = {"Resources": {"R": {"Type": kind}, "A": alarm(
        Namespace="X", Dimensions=[{"Name": dimension, "Value": cut}])}}  # fmt: skip
    templates = parse(document, "t.json")
    [[(_, value)]] = [metric.dimensions for metric in templates.alarms[0].metrics]
    assert isinstance(value, Unknown) if kind.endswith("Listener") else value == "R"
    assert [finding for finding in lint(templates) if finding.severity == "error"] == []


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


def test_a_state_of_terraform_has_zeros_for_what_is_not_set(tmp_path: Path) -> None:
    """Beside and within queries, and for datapoints."""
    values = {
        "alarm_name": "a", "comparison_operator": "GreaterThanThreshold", "evaluation_periods": 2,
        "datapoints_to_alarm": 0, "threshold": 0, "period": 0, "metric_name": "", "metric_query": [
            {"id": "e", "expression": "m", "return_data": True, "period": 0, "metric": []},
            {"id": "m", "expression": "", "return_data": False, "period": 0, "metric": [{
                "metric_name": "NumberOfMessagesSent", "namespace": "AWS/SQS", "period": 60,
                "dimensions": {"QueueName": "q"}, "stat": "Sum", "unit": ""}]}]}  # fmt: skip
    resource = {"address": "aws_cloudwatch_metric_alarm.a", "type": "aws_cloudwatch_metric_alarm",
                "values": values}  # fmt: skip
    document = {"format_version": "1.0", "values": {"root_module": {"resources": [resource]}}}
    (tmp_path / "state.json").write_text(json.dumps(document), "utf-8")
    templates = read([tmp_path / "state.json"])
    assert [finding for finding in lint(templates) if finding.severity == "error"] == []
    [state] = templates.alarms
    assert isinstance(state, MetricAlarm)
    assert (state.threshold, state.datapoints_to_alarm) == (0, 2)


def test_an_empty_stack_of_an_assembly_is_left_out(tmp_path: Path) -> None:
    """The CDK gives it a template without resources, which is an error in any other file."""
    shop: dict[str, Any] = {"Resources": {"A": alarm()}}
    empty: dict[str, Any] = {"Parameters": {}, "Rules": {}}
    stacks = {
        name: {"type": "aws:cloudformation:stack", "properties": {"templateFile": f"{name}.json"}}
        for name in ("shop", "empty")
    }
    for name, content in (("shop", shop), ("empty", empty), ("manifest", {"artifacts": stacks})):
        (tmp_path / f"{name}.json").write_text(json.dumps(content), "utf-8")
    assert [alarm.source.stack for alarm in read([tmp_path]).alarms] == ["shop"]
    with pytest.raises(InputError, match=r"empty\.json: not a CloudFormation template"):
        read([tmp_path / "empty.json"])


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


def test_a_region_is_known_by_parameter_and_by_terraform_s_provider(tmp_path: Path) -> None:
    """A resource's own region counts before that of its provider."""
    actions = ["arn:aws:sns:eu-west-1:111122223333:page"]
    here = alarm(AlarmActions=actions)
    templates = parse_all([({"Resources": {"A": here}}, "t.json")], {"AWS::Region": "us-east-1"})
    assert rules(templates) == [("other-region", "error", "A")]
    values = {"alarm_name": "a", "alarm_description": "runbook", "alarm_actions": actions,
              "namespace": "Shop", "metric_name": "m", "statistic": "Sum", "period": 60,
              "evaluation_periods": 1, "threshold": 1,
              "comparison_operator": "GreaterThanThreshold"}  # fmt: skip
    for own, expected in ((None, ["other-region"]), ("eu-west-1", [])):
        address = "aws_cloudwatch_metric_alarm.a"
        resource = {"address": address, "type": "aws_cloudwatch_metric_alarm",
                    "values": {**values, "region": own}}  # fmt: skip
        plan = {
            "format_version": "1.2", "planned_values": {"root_module": {"resources": [resource]}},
            "configuration": {
                "provider_config": {"aws": {"expressions": {"region": {
                    "constant_value": "us-east-1"}}}},
                "root_module": {"resources": [{"address": address, "provider_config_key": "aws"}]},
            },
        }  # fmt: skip
        (tmp_path / "plan.json").write_text(json.dumps(plan), "utf-8")
        assert [rule for rule, _, _ in rules(read([tmp_path / "plan.json"]))] == expected
