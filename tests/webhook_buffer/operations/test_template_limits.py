"""What AWS would refuse of a template is refused at synth, with the key to change."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from settings.errors import SettingsError
from settings.loader import load
from settings.schema import Settings
from webhook_buffer.operations import template_limits
from webhook_buffer.operations.template_limits import exceeded, require
from webhook_buffer.operations.template_lint import Finding


def _template(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Resources": {"Thing": {"Type": kind, "Properties": properties}}}


def _function(**variables: Any) -> dict[str, Any]:
    return _template("AWS::Lambda::Function", Environment={"Variables": variables})


@pytest.mark.parametrize(
    ("kind", "key", "most"),
    [
        ("AWS::CloudWatch::Alarm", "AlarmDescription", 1024),
        ("AWS::CloudWatch::CompositeAlarm", "AlarmRule", 10240),
        ("AWS::Events::Rule", "Name", 64),
        ("AWS::Lambda::Function", "FunctionName", 64),
        ("AWS::SQS::Queue", "QueueName", 80),
    ],
)
def test_lengths_at_their_edge(kind: str, key: str, most: int) -> None:
    """The longest text that AWS takes passes, and a character more does not."""
    assert list(exceeded(_template(kind, **{key: "x" * most}))) == []
    (problem,) = exceeded(_template(kind, **{key: "x" * (most + 1)}))
    assert f"{key} of Thing ({kind}) has {most + 1} characters, and AWS takes {most}" in problem[2]


def test_environment_at_its_edge() -> None:
    """Names and values of 4,096 bytes in all pass, a byte more does not; the longest is named."""
    rest = 4096 - len("A1") - len("GROUP_ID")
    assert list(exceeded(_function(A="1", GROUP_ID="x" * rest))) == []
    (problem,) = exceeded(_function(A="1", GROUP_ID="x" * (rest + 1)))
    assert problem[2].startswith(
        "key 'groupId': the environment variables of Thing have about 4097"
    )


def test_bytes_and_references_count() -> None:
    """A character outside ASCII counts by its bytes, and what is joined by its parts."""
    assert list(exceeded(_function(CHANNELS="é" * 2044))) == []
    assert len(list(exceeded(_function(CHANNELS="é" * 2045)))) == 1
    joined = {"Fn::Join": ["", ["x" * 4000, {"Ref": "Topic"}]]}
    (problem,) = exceeded(_function(CHANNELS=joined))
    assert problem[2].startswith("key 'notifications': ")


def test_the_error_names_file_environment_and_key(tmp_path: Path) -> None:
    """All that is wrong is one error of settings."""
    file = tmp_path / "x.template.json"
    file.write_text(json.dumps(_template("AWS::SQS::Queue", QueueName="q" * 81)))
    with pytest.raises(SettingsError, match=r"cdk.json: environment 'dev': key 'service': Queue"):
        require(load("dev"), [file], [])
    file.write_text(json.dumps(_template("AWS::SQS::Queue", QueueName="q")))
    require(load("dev"), [file], [])


def test_a_template_at_its_edge(tmp_path: Path) -> None:
    """A template of 1 MiB passes, and a byte more does not."""
    file = tmp_path / "x.template.json"
    text = json.dumps(_template("AWS::SQS::Queue", QueueName="q"))
    file.write_text(text.ljust(1024 * 1024))
    require(load("dev"), [file], [])
    file.write_text(text.ljust(1024 * 1024 + 1))
    with pytest.raises(SettingsError, match=r"key 'tags': x.template.json has 1048577 bytes"):
        require(load("dev"), [file], [])


def test_keys_are_those_of_settings() -> None:
    """A key that an error names is one that can be changed."""
    named = {*template_limits._KEYS.values(), *template_limits._KEYS_OF_RULES.values()}
    assert named <= Settings.model_fields.keys()


def _finding(rule: str, message: str, *path: str) -> Finding:
    return Finding("x.template.json", rule, ("Resources", "Thing", *path), message)


def _refused(file: Path, template: dict[str, Any], *findings: Finding) -> list[str]:
    file.write_text(json.dumps(template))
    with pytest.raises(SettingsError) as caught:
        require(load("dev"), [file], findings)
    return caught.value.problems


def test_a_finding_is_known_by_its_key(tmp_path: Path) -> None:
    """A finding of cfn-lint names the key, the file, the property, and how to go on without it."""
    template = _template("AWS::SQS::Queue", VisibilityTimeout=43_201)
    message = "43201 is greater than the maximum of 43200"
    finding = _finding("E3034", message, "Properties", "VisibilityTimeout")
    assert _refused(tmp_path / "x.template.json", template, finding) == [
        "key 'subscribeTimeoutSeconds': x.template.json: VisibilityTimeout of Thing "
        "(AWS::SQS::Queue): 43201 is greater than the maximum of 43200 (E3034); correct it, or "
        "skip cfn-lint with --no-lint"
    ]


def test_a_fault_of_ours_is_reported_as_one(tmp_path: Path) -> None:
    """Where no key sets what is wrong, the user is not sent to look for one."""
    finding = _finding("E3002", "Additional properties are not allowed", "Properties", "Bogus")
    (problem,) = _refused(tmp_path / "x.template.json", _template("AWS::SQS::Queue"), finding)
    assert problem.startswith("x.template.json: Bogus of Thing (AWS::SQS::Queue): Additional")
    assert "no key sets it, so report it" in problem


def test_what_is_too_long_is_said_once(tmp_path: Path) -> None:
    """What our own limits found, cfn-lint does not say again."""
    finding = _finding("E3033", "too long", "Properties", "QueueName")
    template = _template("AWS::SQS::Queue", QueueName="q" * 81)
    assert len(_refused(tmp_path / "x.template.json", template, finding)) == 1


def test_a_finding_shows_no_secret_and_no_novel(tmp_path: Path) -> None:
    """cfn-lint repeats values, whatever they are and however long."""
    dsn = "https://5ec4e7@sentry.example.com/1"
    finding = _finding("E3012", f"{dsn} {'x' * 5000}", "Properties", "SENTRY_DSN")
    (problem,) = _refused(tmp_path / "x.template.json", _template("AWS::SQS::Queue"), finding)
    assert "5ec4e7" not in problem
    assert len(problem) < 500
