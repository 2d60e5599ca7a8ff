"""Secrets that functions read, and the keys that they are encrypted with."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from tests.fake_aws import Answer, Refusal
from tests.webhook_buffer.operations.preflight.environment import (
    ACCOUNT,
    CREATED,
    KEY,
    OTHER_KEY,
    RESOURCE_MISSING,
    SECRET,
    Fault,
)
from webhook_buffer.operations.preflight.model import Level


def secret(**changes: Any) -> dict[str, Any]:
    said = {"ARN": SECRET, "KmsKeyId": KEY, "VersionIdsToStages": {"1" * 32: ["AWSCURRENT"]}}
    return {**said, **changes}


def of_secret(answer: Any) -> Callable[[dict[str, Any]], Any]:
    """An answer for the channel's secret; there is no heartbeat key yet."""
    return lambda given: answer if given["SecretId"] == SECRET else RESOURCE_MISSING


def _key(state: str = "Enabled") -> dict[str, Any]:
    return {"KeyMetadata": {"KeyId": KEY.rpartition("/")[2], "Arn": KEY, "KeyState": state}}


def _key_policy(*effects: str, principal: str = "root", **conditions: Any) -> dict[str, Any]:
    """What a secret's key lets the account do, statement by statement."""
    statements = [
        {
            "Effect": effect, "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:{principal}"},
            "Action": "kms:*", "Resource": "*", **conditions,
        }
        for effect in effects
    ]  # fmt: skip
    return {"Policy": json.dumps({"Version": "2012-10-17", "Statement": statements})}


def _denying(**statement: Any) -> dict[str, Answer]:
    """A secret's own policy, with one statement that denies."""
    denies = {
        "Effect": "Deny", "Principal": "*", "Action": "secretsmanager:*", "Resource": "*",
        **statement,
    }  # fmt: skip
    policy = json.dumps({"Version": "2012-10-17", "Statement": [denies]})
    return {"secretsmanager.GetResourcePolicy": {"ResourcePolicy": policy}}


GOOD: Mapping[str, Answer] = {
    "kms.DescribeKey": _key(),
    "kms.GetKeyPolicy": _key_policy("Allow"),
    "secretsmanager.DescribeSecret": of_secret(secret()),
    "secretsmanager.GetResourcePolicy": {},
}  # fmt: skip


FAULTS = {
    "secret missing": Fault(
        "secrets", f"notifications.0.secretArn does not exist: {SECRET}", "correct its ARN",
        {"secretsmanager.DescribeSecret": of_secret(RESOURCE_MISSING)},
    ),
    "secret deleted": Fault(
        "secrets", "is scheduled for deletion", "restore-secret",
        {"secretsmanager.DescribeSecret": of_secret(secret(DeletedDate=CREATED))},
    ),
    "secret without a value": Fault(
        "secrets", "has no value", "put-secret-value",
        {"secretsmanager.DescribeSecret": of_secret(secret(VersionIdsToStages={}))},
    ),
    "secret under a key that is not named": Fault(
        "secrets", "notifications.0.secretKeyArn is missing", "Set notifications.0.secretKeyArn",
        keys={
            "notifications": [{"kind": "slack", "secretArn": SECRET}],
        },
    ),
    "secret under another key": Fault(
        "secrets", f"secretKeyArn is {OTHER_KEY}", "Set notifications.0.secretKeyArn",
        keys={
            "notifications": [
                {"kind": "slack", "secretArn": SECRET, "secretKeyArn": OTHER_KEY}
            ],
        },
    ),
    "key disabled": Fault(
        "secrets", "whose state is Disabled", "Enable that key",
        {"kms.DescribeKey": _key("Disabled")},
    ),
    "key for an administrator only": Fault(
        "secrets", f"encrypted with {KEY}, whose policy does not let the account's", "--key --env",
        {"kms.GetKeyPolicy": _key_policy("Allow", principal="role/Admin")},
    ),
    "key that denies": Fault(
        "secrets", "its readers may not decrypt it", "AllowUseByPoliciesOfTheAccount",
        {"kms.GetKeyPolicy": _key_policy("Allow", "Deny")},
    ),
    "secret that denies": Fault(
        "secrets",
        "notifications.0.secretArn has a resource policy whose statement Locked denies the "
        "functions secretsmanager:GetSecretValue.",
        f"the roles arn:aws:iam::{ACCOUNT}:role/webhook-buffer-prd-*",
        _denying(Sid="Locked"),
    ),
    "secret that may deny": Fault(
        "secrets", "statement 1 denies secretsmanager:GetSecretValue depending on aws:SourceVpce",
        "Make sure that functions may read the secret",
        _denying(Condition={"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}),
        level=Level.UNKNOWN,
    ),
    "secret whose policy can't be read": Fault(
        "secrets", "the resource policy of notifications.0.secretArn denies functions to read it",
        "docs/permissions.md",
        {"secretsmanager.GetResourcePolicy": Refusal("AccessDeniedException")},
        level=Level.UNKNOWN,
    ),
}  # fmt: skip
