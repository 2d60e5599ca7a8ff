"""Reads ``cdk.json``: an environment's block as validated settings, its mistakes in words."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from settings.errors import FileError, SettingsError
from settings.paths import CDK_JSON
from settings.schema import Settings

# Chooses the environment. Not ENV, which a POSIX shell sets to a file of its own.
VARIABLE = "WEBHOOK_BUFFER_ENV"


def environments(file: Path = CDK_JSON) -> dict[str, dict[str, Any]]:
    """The blocks in ``cdk.json``: what its ``context`` holds that is an object.

    Raises:
        FileError: When the file can't be read.
        SettingsError: When it is missing or not JSON.
    """
    try:
        document = json.loads(file.read_text())
        context = document["context"]
    except FileNotFoundError:
        raise SettingsError(
            file, None, [f"not found in {file.parent}; run this in the project"]
        ) from None
    except OSError as error:
        raise FileError(error, file) from None
    except ValueError as error:
        raise SettingsError(file, None, [f"not valid JSON: {error}; correct it there"]) from None
    except (KeyError, TypeError):
        raise SettingsError(file, None, ['has no "context"; put the environments there']) from None
    return {name: block for name, block in context.items() if isinstance(block, dict)}


def load(
    environment: str | None = None,
    *,
    file: Path = CDK_JSON,
    overrides: Mapping[str, Any] | None = None,
) -> Settings:
    """One environment's settings.

    Args:
        environment: its name; without one the variable ``WEBHOOK_BUFFER_ENV`` decides.
        file: ``cdk.json``.
        overrides: keys that take the place of the block's (None removes one).

    Raises:
        SettingsError: When the environment does not exist or its block can't be used. It names
            every problem, each with its key and remedy.
    """
    blocks = environments(file)
    name = _chosen(environment, blocks, file)
    block = {**blocks[name], **(overrides or {})}
    block = {key: value for key, value in block.items() if value is not None}
    if block.get("environment", name) != name:
        other = block["environment"]
        problem = f"key 'environment': {other!r} is not the block's name; write '{name}'"
        raise SettingsError(file, name, [problem])
    try:
        settings = Settings.model_validate(block)
    except ValidationError as error:
        raise SettingsError(
            file, name, [problem for entry in error.errors() for problem in _problems(entry)]
        ) from None
    others = {other: block for other, block in blocks.items() if other != name}
    if problems := _collisions(settings, others):
        raise SettingsError(file, name, problems)
    return settings


def _chosen(environment: str | None, blocks: Mapping[str, Any], file: Path) -> str:
    """The name of the environment that was asked for.

    Raises:
        SettingsError: When none was, or there is no such block.
    """
    name = environment or os.environ.get(VARIABLE)
    known = _listed(set(blocks)) or "none"
    if not name:
        remedy = f"choose one with --env, {VARIABLE}=… or -c env=… (known: {known})"
        raise SettingsError(file, None, [f"no environment chosen; {remedy}"])
    if name not in blocks:
        raise SettingsError(file, name, [f'unknown; known are {known}. Add its block to "context"'])
    return name


def _collisions(settings: Settings, others: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The other environments, by name, that would share a stack or a log with this one."""
    return [
        f"key 'service': environment '{other}' also uses {min(taken)} in this account and region, "
        "so deploying either would change the other; choose another 'service'"
        for other, block in others.items()
        if _place(block) == (settings.awsAccount, settings.awsRegion)
        and (taken := _stacks_and_logs(settings.prefix) & _stacks_and_logs(_prefix(block)))
    ]


def _place(block: Mapping[str, Any]) -> tuple[Any, Any]:
    """Where a block, which may be invalid, is deployed to."""
    return block.get("awsAccount"), block.get("awsRegion")


def _prefix(block: Mapping[str, Any]) -> str:
    return f"{block.get('service')}-{block.get('environment')}"


def _stacks_and_logs(prefix: str) -> set[str]:
    """Names that environments of different prefixes could share."""
    return {prefix, f"{prefix}-monitoring", f"{prefix}-faux-backend"}


def _problems(entry: Any) -> list[str]:
    """One of pydantic's errors; a block's contradictions come as a single error, line by line."""
    if entry["type"] == "value_error" and not entry["loc"]:
        lines = entry["msg"].removeprefix("Value error, ").splitlines()
        return [f"key '{key}': {rest}" for key, _, rest in (line.partition(": ") for line in lines)]
    return [_problem(entry)]


def _problem(entry: Any) -> str:
    """One of pydantic's errors in our words: key, what is wrong, remedy."""
    path = ".".join(str(part) for part in entry["loc"])
    text = entry["msg"].removeprefix("Value error, ")
    match entry["type"]:
        case "missing":
            return f"key '{path}': missing; add it"
        case "extra_forbidden":
            known = "" if "." in path else f" (known: {_listed(set(Settings.model_fields))})"
            return f"key '{path}': unknown; remove it or correct its spelling{known}"
        case "value_error" if isinstance(entry["input"], dict):
            return f"key '{path}': {text}"
        case "model_type" | "dict_type":
            return f"key '{path}': must be a block, {{…}} (it is {_shown(path, entry['input'])})"
        case "list_type":
            return f"key '{path}': must be a list, […] (it is {_shown(path, entry['input'])})"
        case _:
            return (
                f"key '{path}': {text[0].lower()}{text[1:]} (it is {_shown(path, entry['input'])})"
            )


def _shown(path: str, value: Any) -> str:
    """A wrong value, unless it may be a secret."""
    may_be_secret = path.rpartition(".")[2] in (
        "sentryDsn",
        "backend_url",
        "secretArn",
        "apiKeySecretArn",
        "applicationKeySecretArn",
    )
    return "not shown" if may_be_secret else json.dumps(value)


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names))
