"""A secret's resource policy that denies functions to it is told apart from one that does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from settings.loader import load
from settings.schema import Settings
from settings.secrets import secrets
from webhook_buffer.operations.secret_policy import denials

_SETTINGS = load("prd")
_IAM = f"arn:aws:iam::{_SETTINGS.awsAccount}"
_OURS = f"{_IAM}:role/webhook-buffer-prd-"
_ADMIN = f"{_IAM}:role/Admin"


def _unknown(
    statement: Mapping[str, Any], settings: Settings = _SETTINGS
) -> tuple[str, ...] | None:
    """What of a denial can't be evaluated; None where nothing is denied."""
    whole = {"Effect": "Deny", "Action": "secretsmanager:Get*", "Resource": "*", **statement}
    denial = next(denials(settings, {"Statement": whole}), None)
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


def test_a_boundary_is_always_denied_by_not_principal() -> None:
    """NotPrincipal denies roles with a permissions boundary even where it names them."""
    bounded = load("prd", overrides={"permissionsBoundaryArn": f"{_IAM}:policy/Bounds"})
    assert _unknown({"NotPrincipal": {"AWS": f"{_OURS}NotifyRole1-X"}}, bounded) == ()


def test_a_secret_that_only_commands_read_is_left_to_them() -> None:
    """Its policy may deny the functions: the application key is the command's alone."""
    place = f"arn:aws:secretsmanager:{_SETTINGS.place}:secret"
    keys = {
        "apiKeySecretArn": f"{place}:api-abcdef",
        "applicationKeySecretArn": f"{place}:b-abcdef",
    }
    by_functions = {
        secret.key: secret.by_functions
        for secret in secrets(load("prd", overrides={"datadog": keys}))
    }
    assert by_functions == {
        "datadog.apiKeySecretArn": True, "datadog.applicationKeySecretArn": False
    }  # fmt: skip
