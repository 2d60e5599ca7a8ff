"""No command works in another account than the environment's."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from settings import loader
from settings.errors import CallerError, WebhookBufferError
from settings.schema import Settings
from tests.fake_aws import CALLER, OPERATOR, FakeAws, Refusal, install
from webhook_buffer.cli import main
from webhook_buffer.laptop import laptop
from webhook_buffer.operations.environment import Environment, stack

_OTHER, _OURS = "999999999999", "111111111111"
_ROLE = f"arn:aws:iam::{_OURS}:role/webhook-buffer-operator"
# Each reads or changes AWS.
_COMMANDS = [
    ("alarms", "drill", "queue-age-page", "--yes"),
    ("alarms", "status"),
    ("deploy", "--yes"),
    ("destroy", "--yes"),
    ("diff",),
    ("logs",),
    ("outputs",),
    ("send", __file__),
    ("smoke",),
    ("status",),
]
_GONE = Refusal("ValidationError", "Stack with id x does not exist")

Made = Callable[..., Environment]


@pytest.fixture
def environment(tmp_path: Path) -> Made:
    """dev with more keys."""

    def made(**keys: Any) -> Environment:
        block = {**loader.environments()["dev"], **keys}
        settings = Settings.model_validate(block)
        return Environment(settings=settings, folder=tmp_path, outputs_file=tmp_path / "o.json")

    return made


@pytest.mark.parametrize("words", _COMMANDS, ids=lambda words: " ".join(words[:2]))
def test_another_account_is_refused_first(
    words: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    """With another account's credentials a command asks who it is, and then nothing more."""
    monkeypatch.setattr(laptop, "STATE", tmp_path)
    monkeypatch.setattr(sys, "argv", ["webhook-buffer", *words, "--env", "dev"])
    fake = install(monkeypatch, _OTHER)
    with pytest.raises(SystemExit) as ended:
        main.main()
    captured = capfd.readouterr()
    assert ended.value.code == 2
    assert fake.names == ["sts.GetCallerIdentity"]
    assert "Synthesizing" not in captured.out
    assert "cdk.json: environment 'dev': key 'awsAccount': it is 111111111111" in captured.err
    assert "are of 999999999999 (arn:aws:iam::999999999999:user/ana)" in captured.err
    assert "AWS_PROFILE" in captured.err
    assert "operatorRoleArn" in captured.err


def test_own_account_is_asked_once(monkeypatch: pytest.MonkeyPatch, environment: Made) -> None:
    """With credentials of the environment's account it is checked once, and its AWS is asked."""
    fake = install(monkeypatch, _OURS, cloudformation_DescribeStacks=_GONE)
    target = environment(operatorRoleArn=_ROLE)
    assert stack(target) is None
    assert stack(target) is None
    assert fake.names == ["sts.GetCallerIdentity", *["cloudformation.DescribeStacks"] * 2]
    assert {call.key for call in fake.calls} == {CALLER}


def test_operator_role_works_in_the_account(
    monkeypatch: pytest.MonkeyPatch, environment: Made
) -> None:
    """From another account every call after the first is the operator role's."""
    fake = install(monkeypatch, _OTHER, cloudformation_DescribeStacks=_GONE)
    assert stack(environment(operatorRoleArn=_ROLE)) is None
    assert [(call.name, call.key) for call in fake.calls] == [
        ("sts.GetCallerIdentity", CALLER),
        ("sts.AssumeRole", CALLER),
        ("sts.GetCallerIdentity", OPERATOR),
        ("cloudformation.DescribeStacks", OPERATOR),
    ]
    assert fake.calls[1].parameters["RoleArn"] == _ROLE


def test_operator_role_that_refuses(monkeypatch: pytest.MonkeyPatch, environment: Made) -> None:
    """A role that can't be assumed is named with its key; nothing else is asked."""
    fake = install(monkeypatch, _OTHER, sts_AssumeRole=Refusal("AccessDenied", status=403))
    with pytest.raises(CallerError, match=r"key 'operatorRoleArn': .* can't assume it \(AccessD"):
        stack(environment(operatorRoleArn=_ROLE))
    assert fake.names == ["sts.GetCallerIdentity", "sts.AssumeRole"]


def test_operator_role_that_leads_elsewhere(
    monkeypatch: pytest.MonkeyPatch, environment: Made
) -> None:
    """A role whose credentials turn out to be of a third account is refused."""
    fake: FakeAws = install(monkeypatch, _OTHER)
    fake.accounts[OPERATOR] = "222222222222"
    with pytest.raises(CallerError, match="works in account 222222222222, not in 111111111111"):
        stack(environment(operatorRoleArn=_ROLE))


def test_operator_role_of_another_account(tmp_path: Path) -> None:
    """A role of another account is refused when settings are read."""
    block = {**loader.environments()["dev"], "operatorRoleArn": _ROLE.replace(_OURS, _OTHER)}
    file = tmp_path / "cdk.json"
    file.write_text(json.dumps({"context": {"dev": block}}))
    with pytest.raises(
        WebhookBufferError, match="'operatorRoleArn': a role in an account other than"
    ):
        loader.load("dev", file=file)
