"""What a secret's own resource policy denies the functions of an environment.

Within an account the functions' own policies allow; a resource policy can only deny. CloudFormation
ends the names of their roles with characters of its choice, so that their beginning is all that is
known of them before a deployment, and all that is looked at here.

Source: IAM user guide, "Policy evaluation for requests within a single account", "AWS JSON policy
elements: Principal", "... NotPrincipal", and "AWS global condition context keys", 2026-11-26.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from alarmproof.base.values import listed

from settings.schema import Settings
from webhook_buffer.operations.policies import principals

ACTION = "secretsmanager:GetSecretValue"
# Stands for the unknown end of a role's name, which only a wildcard can cover.
_ANY_END = "\0"


@dataclass(frozen=True, slots=True)
class Denial:
    """A statement that denies functions to read the secret.

    Attributes:
        statement: its Sid, or its position from 1.
        unknown: what of it can't be evaluated here; empty where it denies for certain.
    """

    statement: str
    unknown: tuple[str, ...]


def roles(settings: Settings) -> str:
    """How the ARNs of the functions' roles begin."""
    return f"arn:{settings.partition}:iam::{settings.awsAccount}:role/{settings.prefix}-"


def denials(settings: Settings, policy: Mapping[str, Any]) -> Iterator[Denial]:
    """The statements that deny all functions to read the secret, or some, or may do so."""
    for position, statement in enumerate(listed(policy["Statement"]), 1):
        if statement["Effect"] != "Deny" or not _names_action(statement):
            continue
        who = "NotPrincipal" if "NotPrincipal" in statement else "Principal"
        parts = [(who, _applies(settings, statement, who))]
        for operator, keys in statement.get("Condition", {}).items():
            parts += [
                (key, _holds(settings, operator, key, listed(values)))
                for key, values in keys.items()
            ]
        if not any(holds is False for _, holds in parts):
            unknown = dict.fromkeys(name for name, holds in parts if holds is None)
            yield Denial(str(statement.get("Sid") or position), tuple(unknown))


def _names_action(statement: Mapping[str, Any]) -> bool:
    def named(element: str) -> bool:
        patterns = listed(statement.get(element, []))
        return any(fnmatchcase(ACTION.lower(), pattern.lower()) for pattern in patterns)

    return not named("NotAction") if "NotAction" in statement else named("Action")


def _applies(settings: Settings, statement: Mapping[str, Any], element: str) -> bool | None:
    """Whether a statement is about the functions; None where it names one of their roles."""
    names = principals(statement, element)
    # It denies whoever has a boundary, named or not. Source: its page.
    if element == "NotPrincipal" and settings.permissionsBoundaryArn:
        return True
    if any(name.startswith((roles(settings), _sessions(settings))) for name in names):
        return None
    if element == "NotPrincipal":
        return True
    account = f"arn:{settings.partition}:iam::{settings.awsAccount}:root"
    return not {"*", settings.awsAccount, account}.isdisjoint(names)


def _sessions(settings: Settings) -> str:
    return roles(settings).replace(":iam::", ":sts::").replace(":role/", ":assumed-role/")


def _holds(settings: Settings, operator: str, key: str, values: list[str]) -> bool | None:
    """Whether a condition holds when a function reads the secret; None where that is not known."""
    key, negated = key.lower(), "Not" in operator
    if key == "aws:securetransport" and operator.startswith("Bool"):
        return "true" in [str(value).lower() for value in values]
    if "String" not in operator and "Arn" not in operator:
        return None
    if key == "aws:principalaccount":
        return (settings.awsAccount in values) != negated
    if key == "aws:principalarn":
        named = _named(settings, values, wildcards="Like" in operator or "Arn" in operator)
        return None if named is None else named != negated
    return None


def _named(settings: Settings, values: list[str], *, wildcards: bool) -> bool | None:
    """Whether ARNs cover the functions' roles: all, none, or some or perhaps (None)."""
    ours = roles(settings)
    if wildcards and any(fnmatchcase(ours + _ANY_END, value) for value in values):
        return True
    beginnings = [re.split(r"[*?]", value)[0] for value in values]
    if any(ours.startswith(beginning) or beginning.startswith(ours) for beginning in beginnings):
        return None
    return False
