"""A folder is what its files contain, and a file that can't be used leaves the rest as it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from alarmproof.base.errors import InputError
from alarmproof.cli import app
from alarmproof.reading import folders
from alarmproof.template import read, read_usable
from typer.testing import CliRunner

ALARM: dict[str, Any] = {"Type": "AWS::CloudWatch::Alarm", "Properties": {
    "AlarmDescription": "https://example.com/runbook", "Namespace": "Shop", "MetricName": "m",
    "AlarmActions": ["arn:aws:sns:eu-west-1:111122223333:page"], "Statistic": "Sum",
    "Period": 60, "EvaluationPeriods": 1, "Threshold": 5,
    "ComparisonOperator": "GreaterThanThreshold"}}  # fmt: skip
TEMPLATE = {"Resources": {"A": ALARM}}
BLOCK = "AWSTemplateFormatVersion: '2010-09-09'\nResources:\n  A: " + json.dumps(ALARM) + "\n"
ANSWER = {"MetricAlarms": [{**ALARM["Properties"], "AlarmName": "live"}]}
PLAN = {"format_version": "1.2", "planned_values": {"root_module": {}}}


def _write(folder: Path, files: dict[str, Any]) -> None:
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")


def test_templates_are_found_by_what_they_contain(tmp_path: Path) -> None:
    """Whatever they are called; not in hidden folders, packages and assets."""
    _write(tmp_path, {
        "cloudformation/alarms.yaml": BLOCK, "infra/alarms.json": TEMPLATE,
        "templates/one.template": "\ufeff" + BLOCK.replace("\n", "\r\n"),
        "flow.yml": "{Resources: {A: " + json.dumps(ALARM) + "}}", "live/answer.json": ANSWER,
        "plan.json": PLAN, "parameters.json": [{"ParameterKey": "a", "ParameterValue": "b"}],
        "k8s.yaml": "kind: A\n---\nkind: B\n", "values.yaml": "resources: {}\n",
        "data.json": {"Resources": {"a": 1}}, "broken.json": "{",
        "jinja.yaml": "{% if a %}\nx: 1\n", "README.md": "Resources:",
        ".github/workflow.yaml": BLOCK, "node_modules/p/t.template.json": TEMPLATE,
        "asset.0/t.json": TEMPLATE, ".serverless/cloudformation-template-update-stack.json":
        TEMPLATE,
    })  # fmt: skip
    usable = read_usable([tmp_path])
    stacks = sorted(alarm.source.stack for alarm in usable.templates.alarms)
    assert stacks == [
        "", "cloudformation-template-update-stack", "cloudformation/alarms", "flow",
        "infra/alarms", "one",
    ]  # fmt: skip
    assert (usable.errors, usable.skipped) == ((), 6)


def test_what_looks_like_a_template_and_can_t_be_read_is_an_error(tmp_path: Path) -> None:
    """It names the file; the others are judged, and the exit code is 2."""
    _write(tmp_path, {
        "a.yaml": BLOCK, "b.yaml": BLOCK + "  A: {}\n", "c.json": '{"AWSTemplateFormatVersion": "',
        "d.yaml": "AWSTemplateFormatVersion: 2010-09-09\n", "e.json": '{"a": ',
        "f.yaml": BLOCK + "#" * 4_000_000, "g.yaml": "a: 1\n" + "#" * 4_000_000,
    })  # fmt: skip
    (tmp_path / "h.yaml").write_bytes(b"Resources:\n  A: {Type: AWS::SNS::Topic} # \xff\n")
    usable = read_usable([tmp_path])
    assert [alarm.source.stack for alarm in usable.templates.alarms] == ["a"]
    named = [str(error).removeprefix(f"{tmp_path}/")[:6] for error in usable.errors]
    assert named == ["b.yaml", "c.json", "f.yaml", "h.yaml", "d.yaml"]
    assert usable.skipped == 2
    done = CliRunner().invoke(app, ["lint", str(tmp_path)])
    assert "1 alarm: 0 errors" in done.stdout
    assert "2 other JSON or YAML files skipped" in done.stdout
    assert done.stderr.count("Error: ") == 4
    assert isinstance(done.exception, InputError)
    assert done.exception.exit_code == 2


def test_one_of_several_files_that_is_no_template_is_one_error(tmp_path: Path) -> None:
    """As a shell's ``*.yaml`` names it; commands that need all alarms stop."""
    _write(tmp_path, {"a.yaml": BLOCK, "cases.yaml": "cases: []\n"})
    paths = [tmp_path / "a.yaml", tmp_path / "cases.yaml"]
    usable = read_usable(paths)
    assert [len(usable.templates.alarms), len(usable.errors), usable.skipped] == [1, 1, 0]
    with pytest.raises(InputError, match=r"cases\.yaml: not a CloudFormation template"):
        read(paths)


def test_an_assembly_within_a_folder_is_what_its_manifest_names(tmp_path: Path) -> None:
    """Its other files are not judged as well."""
    stack = {"type": "aws:cloudformation:stack", "environment": "aws://1/eu-west-1",
             "properties": {"templateFile": "S.template.json", "stackName": "shop"}}  # fmt: skip
    _write(tmp_path, {
        "cdk.out/manifest.json": {"artifacts": {"S": stack}}, "cdk.out/S.template.json": TEMPLATE,
        "cdk.out/old.template.json": TEMPLATE, "app/manifest.json": {"name": "web"},
        "more.yaml": BLOCK,
    })  # fmt: skip
    alarms = read([tmp_path]).alarms
    assert sorted((alarm.source.stack, alarm.environment) for alarm in alarms) == [
        ("more", ""), ("shop", "1/eu-west-1"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "url",
    [
        "nested/child.yaml", "./nested/child.yaml", "https://s3.amazonaws.com/bucket/v1/child.yaml",
        {"Fn::Sub": "https://${Bucket}.s3.amazonaws.com/nested/child.yaml"},
        {"Fn::Sub": ["${B}/nested/child.yaml", {"B": "x"}]},
        {"Fn::Join": ["", ["https://", {"Ref": "Bucket"}, "/nested/child.yaml"]]},
    ],
)  # fmt: skip
def test_a_child_anywhere_in_the_folder_has_its_parent_s_values(tmp_path: Path, url: Any) -> None:
    """And is judged once."""
    limit = {"Parameters": {"Limit": {"Type": "Number"}}}
    properties = {**ALARM["Properties"], "Threshold": {"Ref": "Limit"}}
    nested = {"Type": "AWS::CloudFormation::Stack",
              "Properties": {"TemplateURL": url, "Parameters": {"Limit": 60}}}  # fmt: skip
    _write(tmp_path, {
        "parent.yaml": {"Parameters": {"Bucket": {"Type": "String"}}, "Resources": {"C": nested}},
        "nested/child.yaml": {**limit, "Resources": {"A": {**ALARM, "Properties": properties}}},
        "other/child.yml": {"Resources": {"B": ALARM}},
    })  # fmt: skip
    alarms = {alarm.source.logical_id: alarm for alarm in read([tmp_path]).alarms}
    assert (len(alarms), getattr(alarms["A"], "threshold", None)) == (2, 60)


def test_one_template_as_json_and_as_yaml_has_two_names(tmp_path: Path) -> None:
    """So that neither hides the other."""
    _write(tmp_path, {"a.json": TEMPLATE, "a.yaml": BLOCK})
    assert len({alarm.source.stack for alarm in read([tmp_path]).alarms}) == 2


@pytest.mark.parametrize("limit", ["_MOST_FILES", "_MOST_ENTRIES", "_MOST_READ", "_MOST_PARSED"])
def test_a_folder_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    """Whatever there is too much of."""
    monkeypatch.setattr(folders, limit, 1)
    _write(tmp_path, {"a.json": TEMPLATE, "b.json": TEMPLATE})
    with pytest.raises(InputError, match=r"more than (1|1e-09|5,000) "):
        read([tmp_path])
