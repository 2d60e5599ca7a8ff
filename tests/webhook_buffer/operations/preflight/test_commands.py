"""The commands that make the checks: preflight, and deploy before anything else."""

from __future__ import annotations

import json
import sys
import uuid
from pathlib import Path

import pytest

from alarms import CATALOG
from settings import loader
from tests.fake_aws import Refusal, install
from tests.webhook_buffer.operations.preflight.environment import environment
from tests.webhook_buffer.operations.preflight.world import GOOD
from webhook_buffer.cli import main
from webhook_buffer.laptop import laptop
from webhook_buffer.laptop.programs.process import Running
from webhook_buffer.operations.preflight.runner import run


def _run(monkeypatch: pytest.MonkeyPatch, folder: Path, *words: str) -> int:
    monkeypatch.setattr(laptop, "STATE", folder)
    monkeypatch.setattr(sys, "argv", ["webhook-buffer", *words])
    with pytest.raises(SystemExit) as ended:
        main.main()
    return int(ended.value.code or 0)


def test_json(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """--json lists every check with its problems, and exit code 1 says that one blocks."""
    fake = install(monkeypatch, "111111111111")
    fake.answers |= GOOD | {"ssm.GetParameter": Refusal("ParameterNotFound")}
    assert _run(monkeypatch, tmp_path, "preflight", "--env", "dev", "--json") == 1
    checks = {entry["id"]: entry for entry in json.loads(capsys.readouterr().out)["checks"]}
    wrong = [name for name, entry in checks.items() if not entry["ok"]]
    assert wrong == ["bootstrap"]
    assert checks["bootstrap"]["problems"][0]["level"] == "blocks"


def test_where_it_ends_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Credentials of another account are the end of it; who reads two lines knows that."""
    install(monkeypatch, "999999999999")
    assert _run(monkeypatch, tmp_path, "preflight", "--env", "dev") == 1
    *_, last = capsys.readouterr().out.splitlines()
    assert last == "Nothing else was checked, for the rest is asked of that account."


def test_deploy_runs_it_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A fault ends `deploy` before anything is synthesized, with its remedy."""
    fake = install(monkeypatch, "111111111111")
    fake.answers |= GOOD | {"ssm.GetParameter": Refusal("ParameterNotFound")}
    assert _run(monkeypatch, tmp_path, "deploy", "--env", "dev", "--yes") == 1
    said = capfd.readouterr()
    assert "✗ The account 111111111111 in us-east-1 is not bootstrapped" in said.out
    assert "→ An administrator runs" in said.out
    assert "preflight checks failed, so nothing was deployed" in said.err
    assert "Synthesizing" not in said.out


def test_on_the_emulator(emulator: Running, tmp_path: Path) -> None:
    """What the emulator has the calls for is found there: a queue that is in the way."""
    block = {
        **loader.environments()["local"], "service": f"pre-{uuid.uuid4().hex[:8]}",
    }  # fmt: skip
    target = environment(block, tmp_path, endpoint_url=emulator.endpoint_url)
    assert [result.check.id for result in run(target, CATALOG)] == [
        "tools",
        "account",
        "stacks",
        "names",
        "left",
    ]
    assert not [problem for result in run(target, CATALOG) for problem in result.problems]
    name = target.settings.queue_name
    target.sqs.create_queue(QueueName=name, Attributes={"FifoQueue": "true"})
    (problem,) = [problem for result in run(target, CATALOG) for problem in result.problems]
    assert problem.what == f"The queue {name} already exists outside our stacks."
