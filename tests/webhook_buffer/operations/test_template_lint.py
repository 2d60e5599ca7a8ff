"""cfn-lint judges templates in a process of its own: every planted fault is found."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from alarms import CATALOG
from settings.errors import SettingsError, ToolError
from settings.loader import load
from webhook_buffer.operations import deployment, template_lint
from webhook_buffer.operations.cdk import Cdk
from webhook_buffer.operations.environment import Environment
from webhook_buffer.operations.template_lint import Finding, Linter

_ROLE = {"Fn::GetAtt": ["Role", "Arn"]}
_ASSUMED: dict[str, Any] = {"Version": "2012-10-17", "Statement": []}
_SOUND: dict[str, Any] = {
    "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 43_200}},
    "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": _ASSUMED}},
}


def _function(**properties: Any) -> dict[str, Any]:
    code = {"ZipFile": "pass"}
    sound = {"Code": code, "Handler": "index.h", "Role": _ROLE, "Runtime": "python3.14"}
    return {"Type": "AWS::Lambda::Function", "Properties": {**sound, **properties}}


# What is planted, and the innermost name that the finding has to point at.
_FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "TooLate": ({"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 43_201}},
                "VisibilityTimeout"),
    "Unknown": ({"Type": "AWS::SQS::Queue", "Properties": {"Bogus": True}}, "Bogus"),
    "Slow": (_function(Timeout=901), "Timeout"),
    "Small": (_function(MemorySize=64), "MemorySize"),
    "Old": (_function(Runtime="python2.6"), "Runtime"),
    "Reserved": (_function(Environment={"Variables": {"AWS_REGION": "x"}}), "AWS_REGION"),
    "Kept": ({"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 31}},
             "RetentionInDays"),
    "Bare": ({"Type": "AWS::SNS::Subscription", "Properties": {"Protocol": "email"}},
             "Properties"),
    "Dangling": ({"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Ref": "Nothing"}}},
                 "Ref"),
    "Nameless": ({"Type": "AWS::SQS::Quue"}, "Type"),
}  # fmt: skip


def _written(file: Path, resources: dict[str, Any]) -> Path:
    file.write_text(json.dumps({"Resources": resources}))
    return file


@pytest.mark.slow
def test_planted_faults_are_found(tmp_path: Path) -> None:
    """Each fault is found where it is; a sound template passes, in a region not known yet too."""
    sound = _written(tmp_path / "a.template.json", _SOUND)
    planted = {name: resource for name, (resource, _) in _FAULTS.items()}
    faulty = _written(tmp_path / "b.template.json", {**_SOUND, **planted})
    with Linter("mx-newest-9", tmp_path / "verdicts.json") as linter:
        findings = linter.findings([sound, faulty])
    assert {finding.file for finding in findings} == {"b.template.json"}
    seen = {(finding.resource, finding.property) for finding in findings}
    assert seen == {(name, where) for name, (_, where) in _FAULTS.items()}


def test_a_linter_that_is_not_asked_ends(tmp_path: Path) -> None:
    """When the synthesis fails, no process stays."""
    with Linter("us-east-1", tmp_path / "verdicts.json") as linter:
        process = linter._process
    assert process.poll() is not None


def test_a_linter_that_fails_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A broken installation is one sentence, with the way around it."""
    monkeypatch.setattr(sys, "executable", _failing(tmp_path))
    template = _written(tmp_path / "a.template.json", _SOUND)
    with (
        Linter("us-east-1", tmp_path / "verdicts.json") as linter,
        pytest.raises(ToolError, match=r"no cfnlint\. .*--no-lint"),
    ):
        linter.findings([template])


def _failing(folder: Path) -> str:
    program = folder / "python"
    program.write_text("#!/bin/sh\necho 'ModuleNotFoundError: no cfnlint' >&2; exit 1\n")
    program.chmod(0o755)
    return str(program)


_QUEUE: dict[str, Any] = {"Type": "AWS::SQS::Queue"}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The templates that cfn-lint is asked to judge; it finds the same in each."""
    names: list[str] = []

    def judged(_: Linter, templates: Sequence[Path]) -> dict[Path, Any]:
        names.extend(file.name for file in templates)
        return {file: [("E3034", ("Resources", "Queue"), "too great")] for file in templates}

    monkeypatch.setattr(Linter, "_judged", judged)
    return names


def _found(folder: Path, templates: Sequence[Path], region: str = "us-east-1") -> list[Finding]:
    with Linter(region, folder / "verdicts.json") as linter:
        return linter.findings(templates)


def _code(digit: str) -> dict[str, Any]:
    """What a template says of a function's code."""
    return {"Code": {"S3Key": digit * 64 + ".zip", "RELEASE": "0.2.0+" + digit * 12}}


def test_the_same_templates_are_judged_once(tmp_path: Path, asked: list[str]) -> None:
    """A verdict is kept as long as its template stays the same, hashes of code aside."""
    files = [tmp_path / "a.template.json", tmp_path / "b.template.json"]
    for number, file in enumerate(files):
        _written(file, {"Queue": _QUEUE, **_code(f"{number}")})
    _written(files[1], {"Queue": {**_QUEUE, "Metadata": {}}})
    first = _found(tmp_path, files)
    assert {finding.file for finding in first} == {file.name for file in files} == set(asked)
    asked.clear()
    _written(files[0], {"Queue": _QUEUE, **_code("9")})
    assert _found(tmp_path, files) == first
    assert not asked


def test_what_a_verdict_rests_on_is_judged_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, asked: list[str]
) -> None:
    """Another template, region or cfn-lint has a new verdict, and a torn file has none."""
    file, other = (_written(tmp_path / f"{name}.template.json", _SOUND) for name in "ab")
    _found(tmp_path, [file])
    _written(other, {"Queue": _QUEUE})
    _found(tmp_path, [file, other])
    assert asked == [file.name, other.name]
    _found(tmp_path, [file], region="eu-west-1")
    monkeypatch.setattr(template_lint, "version", lambda _: "0.0.1")
    _found(tmp_path, [file], region="eu-west-1")
    for torn in ('{"', "[" * 100_000, "[]"):
        (tmp_path / "verdicts.json").write_text(torn)
        _found(tmp_path, [file], region="eu-west-1")
    assert asked[2:] == [file.name] * 5


class _Found:
    """A linter that has one finding in everything."""

    def __init__(self, region: str, verdicts: Path) -> None:
        assert verdicts.parent.is_dir()
        assert region == "us-east-1"

    def __enter__(self) -> _Found:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def findings(self, templates: Sequence[Path]) -> list[Finding]:
        path = ("Resources", "Queue", "Properties", "VisibilityTimeout")
        return [Finding(file.name, "E3034", path, "too great") for file in templates]


def test_synthesis_refuses_what_was_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A finding ends the synthesis of an environment, unless cfn-lint is skipped."""

    def written(cdk: Cdk, _indexes: object) -> None:
        cdk.assembly.mkdir(exist_ok=True)
        _written(cdk.assembly / "x.template.json", _SOUND)

    monkeypatch.setattr(Cdk, "synth", written)
    monkeypatch.setattr(deployment, "Linter", _Found)
    target = Environment(settings=load("dev"), folder=tmp_path, outputs_file=tmp_path / "outputs")
    with pytest.raises(
        SettingsError, match=r"cdk.json: environment 'dev': key 'subscribeTimeoutSec"
    ):
        deployment.synthesize(target, lambda _: nullcontext(), CATALOG, lint=True)
    deployment.synthesize(target, lambda _: nullcontext(), CATALOG, lint=False)
