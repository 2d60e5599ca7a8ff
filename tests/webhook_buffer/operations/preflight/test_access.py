"""What a laptop needs is named: tools, credentials of the account, keys of Datadog."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from alarms import CATALOG
from tests.fake_aws import install
from tests.webhook_buffer.operations.preflight.environment import BLOCK, environment
from tests.webhook_buffer.operations.preflight.world import World
from webhook_buffer.operations.preflight import tools
from webhook_buffer.operations.preflight.model import Level
from webhook_buffer.operations.preflight.runner import run


def test_wrong_account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With credentials of another account that is all that is said, and nothing else is asked."""
    install(monkeypatch, "999999999999")
    target = environment(BLOCK, tmp_path)
    *_, (check, (problem,)) = [
        (result.check.id, result.problems) for result in run(target, CATALOG)
    ]
    assert (check, problem.level) == ("account", Level.BLOCKS)
    assert "key 'awsAccount': it is 333333333333" in problem.what
    assert "AWS_PROFILE" in problem.remedy


def test_no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without credentials that is all that is said."""
    for variable in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(variable, str(tmp_path / "none"))
    target = environment(BLOCK, tmp_path)
    *_, last = run(target, CATALOG)
    assert last.check.id == "account"
    assert last.problems[0].what.startswith("No AWS credentials for environment 'prd'")
    assert "aws sso login" in last.problems[0].remedy


def test_tools(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A missing Node, and a CDK CLI other than the pinned one, are named."""
    target: Any = None
    assert list(tools.tools(target)) == []
    (tmp_path / "package.json").write_text('{"devDependencies": {"aws-cdk": "2.9.9"}}')
    (problem,) = tools.tools(target, tmp_path)
    assert (problem.what, problem.remedy) == (
        "The CDK CLI is not installed; package.json pins 2.9.9.",
        "Run: make setup",
    )
    (tmp_path / "node_modules" / "aws-cdk").mkdir(parents=True)
    (tmp_path / "node_modules" / "aws-cdk" / "package.json").write_text('{"version": "2.1.0"}')
    (problem,) = tools.tools(target, tmp_path)
    assert problem.what == "The CDK CLI is 2.1.0; package.json pins 2.9.9."
    monkeypatch.setenv("PATH", str(tmp_path))
    problem, _ = tools.tools(target, tmp_path)
    assert problem.what == "Node.js is not installed; the AWS CDK runs on it."
    assert problem.remedy.startswith("Install Node 22 or 24")


def test_datadog_keys(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    """A key that is nowhere is named, with where it can be."""
    monkeypatch.delenv("DD_APP_KEY")
    ((check, what, remedy, level),) = world.problems({}, {})
    assert (check, level) == ("datadog", Level.BLOCKS)
    assert what == "No application Datadog key for environment 'prd'."
    assert remedy.startswith("Set DD_APP_KEY, or name its secret in cdk.json")
