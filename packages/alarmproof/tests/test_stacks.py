"""Several stacks: nested ones, those of one assembly, and alarms of one name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from alarmproof.base.alarms import CompositeAlarm, MetricAlarm
from alarmproof.base.errors import InputError, UnknownAlarmError
from alarmproof.template import read
from factories import lint
from template_parts import PROPERTIES, alarm, rules


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


def test_folders_are_searched_for_templates(tmp_path: Path) -> None:
    """Those of packages and assets are not ours; a manifest of something else does not matter."""
    text = json.dumps({"Resources": {"A": alarm()}})
    for name in ("app/template.yaml", "infra/x.template.json", "node_modules/p/y.template.json",
                 "cdk.out/asset.abc/z.template.json", "manifest.json"):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("[]" if name == "manifest.json" else text)
    templates = read([tmp_path])
    assert sorted(alarm.source.stack for alarm in templates.alarms) == ["template", "x"]
