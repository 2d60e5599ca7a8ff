"""What AWS would refuse for its length is refused at synth, with the key to change."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from settings.errors import SettingsError
from settings.loader import load
from webhook_buffer.operations.template_limits import exceeded, require


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
    assert f"{key} of Thing ({kind}) has {most + 1} characters, and AWS takes {most}" in problem


def test_environment_at_its_edge() -> None:
    """Names and values of 4,096 bytes in all pass, a byte more does not; the longest is named."""
    rest = 4096 - len("A1") - len("GROUP_ID")
    assert list(exceeded(_function(A="1", GROUP_ID="x" * rest))) == []
    (problem,) = exceeded(_function(A="1", GROUP_ID="x" * (rest + 1)))
    assert problem.startswith("key 'groupId': the environment variables of Thing have about 4097")


def test_bytes_and_references_count() -> None:
    """A character outside ASCII counts by its bytes, and what is joined by its parts."""
    assert list(exceeded(_function(CHANNELS="é" * 2044))) == []
    assert len(list(exceeded(_function(CHANNELS="é" * 2045)))) == 1
    joined = {"Fn::Join": ["", ["x" * 4000, {"Ref": "Topic"}]]}
    (problem,) = exceeded(_function(CHANNELS=joined))
    assert problem.startswith("key 'notifications': ")


def test_the_error_names_file_environment_and_key(tmp_path: Path) -> None:
    """All that is wrong is one error of settings."""
    file = tmp_path / "x.template.json"
    file.write_text(json.dumps(_template("AWS::SQS::Queue", QueueName="q" * 81)))
    with pytest.raises(SettingsError, match=r"cdk.json: environment 'dev': key 'service': Queue"):
        require(load("dev"), tmp_path)
    file.write_text(json.dumps(_template("AWS::SQS::Queue", QueueName="q")))
    require(load("dev"), tmp_path)
