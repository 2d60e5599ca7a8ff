"""The role of Datadog's AWS integration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.fake_aws import Answer, Refusal
from tests.webhook_buffer.operations.preflight.environment import ACCOUNT, CREATED, Fault
from webhook_buffer.operations.preflight.model import Level


def _decisions(given: Mapping[str, Any], denied: str = "") -> dict[str, Any]:
    return {
        "EvaluationResults": [
            {
                "EvalActionName": action,
                "EvalDecision": "implicitDeny" if action == denied else "allowed",
            }
            for action in given["ActionNames"]
        ]
    }


GOOD: Mapping[str, Answer] = {
    "iam.GetRole": {
        "Role": {
            "Path": "/", "RoleName": "DatadogIntegrationRole", "RoleId": "AROA" + "X" * 16,
            "Arn": f"arn:aws:iam::{ACCOUNT}:role/DatadogIntegrationRole", "CreateDate": CREATED,
        }
    },
    "iam.SimulatePrincipalPolicy": _decisions,
}  # fmt: skip


FAULTS = {
    "integration role without a right": Fault(
        "datadog-integration", "may not use tag:GetResources", "Allow tag:GetResources",
        {
            "iam.SimulatePrincipalPolicy": lambda given: _decisions(given, "tag:GetResources"),
        },
        level=Level.TODO,
    ),
    "no integration role": Fault(
        "datadog-integration", "does not have the role 'DatadogIntegrationRole'", "--role",
        {"iam.GetRole": Refusal("NoSuchEntity", status=404)}, level=Level.TODO,
    ),
}  # fmt: skip
