"""Datadog's AWS integration: its role's missing rights, reported before data is missing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from settings.errors import InputError
from settings.loader import load
from settings.paths import ROOT
from webhook_buffer.operations import integration_role
from webhook_buffer.operations.environment import Environment
from webhook_buffer.operations.integration_role import ACTIONS, missing

_ARN = "arn:aws:iam::333333333333:role/DatadogIntegrationRole"


@dataclass(frozen=True)
class Stubbed:
    """An environment whose IAM answers as scripted, and is asked nothing else."""

    target: Environment
    iam: Stubber


@pytest.fixture
def stubbed(tmp_path: Path) -> Stubbed:
    settings, outputs = load("prd"), tmp_path / "outputs.json"
    target = Environment(settings=settings, folder=tmp_path, outputs_file=outputs)
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
    client = boto3.client("iam", region_name="us-east-1", **keys)  # type: ignore[call-overload]
    vars(target)["iam"] = client  # in place of the cached one
    stubber = Stubber(client)
    stubber.activate()
    return Stubbed(target, stubber)


def _role(name: str) -> dict[str, Any]:
    return {
        "Role": {
            "Path": "/", "RoleName": name, "RoleId": "AROA" + "X" * 16, "Arn": _ARN,
            "CreateDate": "2026-01-01T00:00:00Z",
        }
    }  # fmt: skip


def _decisions(**denied: str) -> dict[str, Any]:
    decisions = {action: denied.get(action.replace(":", "_"), "allowed") for action in ACTIONS}
    return {
        "EvaluationResults": [
            {"EvalActionName": action, "EvalDecision": decision}
            for action, decision in decisions.items()
        ]
    }


def test_each_missing_right_says_what_is_missing(stubbed: Stubbed) -> None:
    """What is denied, explicitly or not, is named; all actions are asked for in one call."""
    stubbed.iam.add_response("get_role", _role("Theirs"), {"RoleName": "Theirs"})
    stubbed.iam.add_response(
        "simulate_principal_policy",
        _decisions(apigateway_GET="implicitDeny", tag_GetResources="explicitDeny"),
        {"PolicySourceArn": _ARN, "ActionNames": [*ACTIONS], "MaxItems": len(ACTIONS)},
    )
    lacking = missing(stubbed.target, "Theirs")
    assert lacking.keys() == {"apigateway:GET", "tag:GetResources"}
    assert lacking["apigateway:GET"] == "tags of API stages, by which our API is found"
    stubbed.iam.assert_no_pending_responses()


def test_a_role_with_all_rights_lacks_nothing(stubbed: Stubbed) -> None:
    """By default it is the role that Datadog's guide proposes."""
    stubbed.iam.add_response("get_role", _role("x"), {"RoleName": integration_role.DEFAULT_ROLE})
    stubbed.iam.add_response("simulate_principal_policy", _decisions())
    assert missing(stubbed.target) == {}


def test_a_role_that_does_not_exist_is_one_error(stubbed: Stubbed) -> None:
    """It names environment, role, and the option that names another."""
    stubbed.iam.add_client_error("get_role", "NoSuchEntity")
    with pytest.raises(InputError, match=r"'prd' does not have the role 'Theirs'.*--role"):
        missing(stubbed.target, "Theirs")


def test_the_documentation_names_every_right() -> None:
    """Who sets the integration up by hand reads the same list."""
    text = (ROOT / "docs" / "datadog.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:apigateway|cloudwatch|dynamodb|lambda|sqs|tag):\w+)`", text))
    assert named == ACTIONS.keys()
