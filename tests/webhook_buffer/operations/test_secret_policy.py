"""A secret's resource policy that denies functions to read it is told from one that does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from settings.loader import load
from webhook_buffer.operations.secret_policy import denials

_SETTINGS = load("prd")
_IAM = f"arn:aws:iam::{_SETTINGS.awsAccount}"
_OURS = f"{_IAM}:role/webhook-buffer-prd-"
_ADMIN = f"{_IAM}:role/Admin"


def _unknown(statement: Mapping[str, Any]) -> tuple[str, ...] | None:
    """What of a denial can't be evaluated; None where nothing is denied."""
    whole = {"Effect": "Deny", "Action": "secretsmanager:Get*", "Resource": "*", **statement}
    denial = next(denials(_SETTINGS, {"Statement": whole}), None)
    return denial.unknown if denial else None


def _unless(operator: str, key: str, *values: str) -> dict[str, Any]:
    return {"Principal": {"AWS": "*"}, "Condition": {operator: {key: list(values)}}}


@pytest.mark.parametrize(
    "statement",
    [
        {"Principal": "*"},
        {"Principal": {"AWS": [_ADMIN, f"{_IAM}:root"]}},
        {"Principal": {"AWS": _SETTINGS.awsAccount}},
        {"Principal": "*", "Action": [], "NotAction": "secretsmanager:Describe*"},
        {"NotPrincipal": {"AWS": [_ADMIN, f"{_IAM}:root"]}},
        _unless("ArnNotEquals", "aws:PrincipalArn", _ADMIN),
        _unless("StringNotLike", "aws:principalarn", f"{_IAM}:role/webhook-buffer-dev-*"),
        _unless("StringNotEquals", "aws:PrincipalAccount", "999999999999"),
        _unless("ArnLike", "aws:PrincipalArn", f"{_IAM}:role/*"),
    ],
)
def test_denies(statement: dict[str, Any]) -> None:
    """A statement about everyone, or about everyone but others, denies the functions."""
    assert _unknown(statement) == ()


@pytest.mark.parametrize(
    "statement",
    [
        {"Principal": "*", "Effect": "Allow"},
        {"Principal": "*", "Action": "secretsmanager:PutSecretValue"},
        {"Principal": "*", "NotAction": "SecretsManager:getsecretvalue"},
        {"Principal": {"AWS": _ADMIN}},
        {"Principal": {"Service": "lambda.amazonaws.com"}},
        _unless("ArnNotLike", "aws:PrincipalArn", _ADMIN, f"{_OURS}*"),
        _unless("StringNotLikeIfExists", "aws:PrincipalArn", "arn:aws:iam::*:role/webhook-*"),
        _unless("StringNotEquals", "aws:PrincipalAccount", _SETTINGS.awsAccount),
        _unless("StringEquals", "aws:PrincipalArn", _ADMIN),
        _unless("Bool", "aws:SecureTransport", "false"),
    ],
)
def test_denies_others(statement: dict[str, Any]) -> None:
    """A statement about others, about another action, or that lets the roles in, denies nothing."""
    assert _unknown(statement) is None


@pytest.mark.parametrize(
    ("statement", "unknown"),
    [
        (_unless("StringNotEquals", "aws:SourceVpce", "vpce-1"), ("aws:SourceVpce",)),
        (_unless("Null", "aws:PrincipalArn", "true"), ("aws:PrincipalArn",)),
        # Without a wildcard's operator the asterisk is a character, which no role's name has.
        (_unless("StringNotEquals", "aws:PrincipalArn", f"{_OURS}*"), ("aws:PrincipalArn",)),
        (_unless("ArnNotLike", "aws:PrincipalArn", f"{_OURS}Notify*"), ("aws:PrincipalArn",)),
        ({"Principal": {"AWS": f"{_OURS}NotifyRole1-X"}}, ("Principal",)),
        ({"NotPrincipal": {"AWS": f"{_OURS}NotifyRole1-X"}}, ("NotPrincipal",)),
    ],
)
def test_may_deny(statement: dict[str, Any], unknown: tuple[str, ...]) -> None:
    """What can't be known before a deployment is named, and neither denied nor let pass."""
    assert _unknown(statement) == unknown
