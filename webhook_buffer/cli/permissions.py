"""``webhook-buffer permissions``: IAM policies for those who work with an environment."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import typer

from monitoring.documents.markdown import table
from settings.errors import InputError
from settings.loader import load
from settings.paths import ROOT
from settings.schema import Settings
from webhook_buffer.cli.aws_calls import calls_by_command
from webhook_buffer.operations import function_rights, rights
from webhook_buffer.operations.key_policy import key_policy

FILE = ROOT / "docs" / "permissions.md"
ACCOUNT = FILE.with_name("account.md")
# Environments whose policies the page shows.
_EXAMPLE = "prd"
# Commands that refuse any environment on AWS, or do nothing there.
_LAPTOP_ONLY = {"alarms record", "alarms record-failures", "demo", "down", "up"}
_READ_ONLY = ("alarms status", "console", "diff", "logs", "outputs", "status", "webhooks parked")


def permissions(
    app: typer.Typer,
    env: str,
    *,
    commands: Sequence[str],
    trusted: str | None = None,
    key: bool = False,
) -> None:
    """Prints a policy as JSON.

    Args:
        app: the command line.
        commands: that it allows; without any, all.
        trusted: whose trust policy is printed instead.
        key: whether the policy of the key that encrypts the data is printed instead.

    Raises:
        InputError: When a command is unknown, or asks AWS for nothing.
    """
    settings = load(env)
    if trusted:
        print(_json(rights.trust(trusted)))
        return
    if key:
        print(_json(key_policy(settings)))
        return
    known = by_command(app)
    for name in commands:
        if name not in known:
            raise InputError(
                f"'{name}' is not a command that needs rights on AWS; those are {', '.join(known)}."
            )
    print(_json(policy(settings, known, commands or tuple(known))))


def policy(
    settings: Settings, calls: Mapping[str, frozenset[str]], commands: Sequence[str]
) -> dict[str, Any]:
    """The policy that lets somebody run commands in an environment.

    Args:
        calls: of each command.
    """
    return rights.policy(settings, sorted({call for name in commands for call in calls[name]}))


def by_command(app: typer.Typer) -> dict[str, frozenset[str]]:
    """The calls of each command that works on AWS."""
    by_name = calls_by_command(app)
    return {name: calls for name, calls in by_name.items() if name not in _LAPTOP_ONLY}


def parts(app: typer.Typer) -> Mapping[str, str]:
    """The generated parts of ``docs/permissions.md``."""
    calls, settings = by_command(app), load(_EXAMPLE)
    rows = [
        [f"`{name}`", ", ".join(f"`{action}`" for action in rights.actions(calls[name]))]
        for name in calls
    ]
    functions = [
        [f"`{name}`", f"`{right.action}`", right.resource, right.why]
        for name, all_of_them in function_rights.RIGHTS.items()
        for right in all_of_them
    ]
    return {
        "functions": table(["function", "action", "resource", "what for"], functions),
        "rights": table(["command", "actions"], rows),
        "operator": f"```json\n{_json(policy(settings, calls, tuple(calls)))}\n```",
        "reader": f"```json\n{_json(policy(settings, calls, _READ_ONLY))}\n```",
    }


def account_parts() -> Mapping[str, str]:
    """The generated parts of ``docs/account.md``."""
    return {"key policy": f"```json\n{_json(key_policy(load(_EXAMPLE)))}\n```"}


def _json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2)
