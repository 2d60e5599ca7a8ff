"""What is known already is not reported again."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from alarmproof import cli
from alarmproof.lint import Allowance, Finding, lint
from alarmproof.rules.registry import ERROR, WARNING
from alarmproof.template import parse
from typer.testing import CliRunner

ALARM: dict[str, Any] = {
    "Type": "AWS::CloudWatch::Alarm",
    "Properties": {
        "AlarmDescription": "a runbook", "Namespace": "AWS/S3", "MetricName": "AllRequests",
        "Dimensions": [{"Name": "BucketName", "Value": "b"}, {"Name": "FilterId", "Value": "f"}],
        "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1, "Threshold": 1,
        "ComparisonOperator": "GreaterThanThreshold", "TreatMissingData": "notBreaching",
    },
}  # fmt: skip
OTHER = {**ALARM, "Properties": {**ALARM["Properties"], "MetricName": "GetRequests"}}


def _write(**resources: Any) -> None:
    Path("t.json").write_text(json.dumps({"Resources": resources}, indent=1), "utf-8")


def _found(*options: str) -> list[tuple[str, str]]:
    done = CliRunner().invoke(cli.app, ["lint", "t.json", "--format", "json", *options])
    assert done.exit_code == 0, done.output
    return [(entry["rule"], entry["alarm"]) for entry in json.loads(done.output)]


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_baseline_hides_what_it_has() -> None:
    """Also when lines move; what is new is reported."""
    _write(A=ALARM)
    assert _found() == [("no-action", "A")]
    assert _found("--write-baseline", "b.json") == []
    _write(B=OTHER, A=ALARM)
    assert _found("--baseline", "b.json") == [("no-action", "B")]


def test_a_baseline_holds_from_another_folder_and_with_other_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It knows a finding by rule and alarm, and a file by its path from the baseline's folder."""
    slow = {**ALARM["Properties"], "Period": 300, "AlarmActions": ["arn:aws:sns:eu-west-1:1:page"]}

    def write(periods: int) -> None:
        _write(A={**ALARM, "Properties": {**slow, "EvaluationPeriods": periods}})

    write(5)
    rules = {rule for rule, _ in _found()}
    assert "slow-reaction" in rules
    assert _found("--write-baseline", "b.json") == []
    write(6)
    assert _found("--baseline", "b.json") == []
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    for file in ("../t.json", str(tmp_path / "t.json")):
        arguments = ["lint", file, "--baseline", "../b.json", "--format", "json"]
        assert json.loads(CliRunner().invoke(cli.app, arguments).stdout) == []


def test_entries_of_a_baseline_that_are_not_needed_are_named() -> None:
    """Of the files that were read; those of others may still hold."""
    _write(A=ALARM, B=OTHER)
    Path("u.json").write_text(Path("t.json").read_text("utf-8"), "utf-8")
    everything = ["lint", "t.json", "u.json"]
    assert CliRunner().invoke(cli.app, [*everything, "--write-baseline", "b.json"]).exit_code == 0
    _write(A=ALARM)
    done = CliRunner().invoke(cli.app, ["lint", "t.json", "--baseline", "b.json"])
    assert done.exit_code == 0
    assert "b.json: no-action of B (t.json) is not found any more." in done.stderr
    assert "u.json" not in done.stderr
    assert "--write-baseline" in done.stderr


def test_a_baseline_of_another_form_is_one_error() -> None:
    """With the remedy."""
    _write(A=ALARM)
    for text in ("[1]", '["no-action | t.json | A | It has none."]', "{}", '[{"rule": 1}]'):
        Path("b.json").write_text(text, "utf-8")
        done = CliRunner().invoke(cli.app, ["lint", "t.json", "--baseline", "b.json"])
        assert "b.json: not a baseline file. Write one with --write-baseline." in str(
            done.exception
        )


def _git(*arguments: str) -> None:
    who = {f"GIT_{role}_{what}": "t@example.com" for role in ("AUTHOR", "COMMITTER")
           for what in ("NAME", "EMAIL")}  # fmt: skip
    subprocess.run(["git", *arguments], check=True, capture_output=True, env={**os.environ, **who})  # noqa: S607


def test_only_what_a_revision_did_not_have() -> None:
    """The same file as it was at the revision is linted too, with the same rules."""
    _git("init", "-q")
    _write(A=ALARM)
    _git("add", ".")
    _git("commit", "-qm", "first")
    assert _found("--changed-since", "HEAD") == []
    _write(B=OTHER, A=ALARM)
    assert _found("--changed-since", "HEAD") == [("no-action", "B")]


def test_a_file_that_was_moved_has_nothing_new() -> None:
    """Neither a file, nor one that comes from elsewhere into a folder that is linted."""
    _git("init", "-q")
    _write(A=ALARM)
    _git("add", ".")
    _git("commit", "-qm", "first")
    Path("stacks").mkdir()
    _git("mv", "t.json", "stacks/shop.json")
    for path in ("stacks/shop.json", "stacks"):
        arguments = ["lint", path, "--changed-since", "HEAD", "--format", "json"]
        assert json.loads(CliRunner().invoke(cli.app, arguments).stdout) == []


def test_outside_of_a_repository(tmp_path: Path) -> None:
    """The error says so, rather than that the revision is not there."""
    _write(A=ALARM)
    done = CliRunner().invoke(cli.app, ["lint", "t.json", "--changed-since", "HEAD"])
    assert f"{tmp_path} is not in a git repository" in str(done.exception)


def test_a_revision_that_is_not_there() -> None:
    """It is an error with the remedy, and not a pass; options of git can't be given."""
    _git("init", "-q")
    _write(A=ALARM)
    for revision in ("gone", "--output=x"):
        done = CliRunner().invoke(cli.app, ["lint", "t.json", f"--changed-since={revision}"])
        assert "no such revision" in str(done.exception)


def test_rules_that_ask_somebody_obey_the_configuration() -> None:
    """Their severity can be set, they can be allowed, and an allowance of theirs may be unused."""
    finding = Finding("runbook-unreachable", WARNING, "A", "t.json", 3, "gone", "Correct it.")
    allowance = Allowance("runbook-unreachable", "A", "an intranet", "alarmproof.toml")
    templates = parse({"Resources": {"A": ALARM}}, "t.json")

    def rules(**options: Any) -> list[tuple[str, str]]:
        findings = lint(templates, severities={"no-action": None}, **options)
        return [(entry.rule, entry.severity.value) for entry in findings]

    assert rules(outside=[finding]) == [("runbook-unreachable", "warning")]
    assert rules(outside=[finding], allowances=[allowance]) == []
    assert rules(allowances=[allowance]) == []
    strict = {"no-action": None, "runbook-unreachable": ERROR}
    [error] = lint(templates, severities=strict, outside=[finding])
    assert error.severity == ERROR


def test_an_unknown_type_can_be_allowed() -> None:
    """By the logical id of the resource."""
    odd = {"Resources": {"A": ALARM, "N": {"Type": "AWS::CloudWatch::Alarms"}}}
    allowance = Allowance("unknown-type", "N", "it is new", "alarmproof.toml")
    off = {"no-action": None}
    assert [entry.rule for entry in lint(parse(odd, "t.json"), severities=off)] == ["unknown-type"]
    assert lint(parse(odd, "t.json"), severities=off, allowances=[allowance]) == []
