"""Values of a template: conditions, parameters, lists, loops, and what only a deployment knows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from alarmproof.base.alarms import MetricAlarm
from alarmproof.base.errors import InputError, NotSupportedError
from alarmproof.base.values import Unknown
from alarmproof.evaluate import evaluate
from alarmproof.lint import failed
from alarmproof.reading import parameters
from alarmproof.runner import InMemory
from alarmproof.template import parse, parse_all, read
from factories import lint
from template_parts import PROPERTIES, alarm, only, rules

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


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("zz/Limit", "no stack is called 'zz'. There are: a, b."),
        ("a/Other", "the stack 'a' does not have this parameter."),
        ("b/Limit", "the stack 'b' does not have this parameter."),
        ("Limt", "no template has this parameter. Did you mean 'Limit'?"),
    ],
)
def test_a_value_of_a_parameter_that_is_not_there_is_refused(name: str, expected: str) -> None:
    """Also where another stack has the parameter: the value would change nothing."""
    first = {"Resources": {}, "Parameters": {"Limit": {"Type": "Number"}}}
    second: dict[str, Any] = {"Resources": {}}
    given = [(first, "a.json"), (second, "b.json")]
    with pytest.raises(InputError) as wrong:
        parse_all(given, {name: "5"})
    assert str(wrong.value) == f"--parameter {name}: {expected}"
    parse_all(given, {"a/Limit": "5", "b/AWS::Region": "eu-west-1"})


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
