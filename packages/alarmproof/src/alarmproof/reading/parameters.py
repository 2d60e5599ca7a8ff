"""The parameters of a template: what they are worth, where that is known.

A value given by the user counts before what a parent stack sets, and that before the default.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from alarmproof.base import bounded_yaml, files
from alarmproof.base.errors import InputError
from alarmproof.base.values import Unknown

# Pseudo parameters that a deployment decides. Source: CloudFormation user guide, "Pseudo
# parameters reference".
PSEUDO = (
    "AWS::AccountId", "AWS::NotificationARNs", "AWS::Partition", "AWS::Region", "AWS::StackId",
    "AWS::StackName", "AWS::URLSuffix",
)  # fmt: skip
_SSM = "AWS::SSM::Parameter::"


def parse_assignments(assignments: Iterable[str]) -> dict[str, str]:
    """``NAME=VALUE`` texts as a mapping.

    Raises:
        InputError: When one is something else.
    """
    values: dict[str, str] = {}
    for text in assignments:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise InputError(f"--parameter '{text}': write NAME=VALUE.")
        values[name.strip()] = value
    return values


def load(file: Path) -> dict[str, str]:
    """The values of a file, in any of the forms that AWS's tools write.

    ``{"Name": "value"}``, ``{"Parameters": {…}}``, a list of ``{"ParameterKey", "ParameterValue"}``
    or of ``Name=value``; JSON or YAML.

    Raises:
        InputError: When it can't be read or is something else.
    """
    try:
        data = bounded_yaml.load(files.read_text(file))
    except ValueError as error:
        raise InputError(f"{file}: neither JSON nor YAML: {error}") from None
    if isinstance(data, dict):
        data = data.get("Parameters", data)
    if isinstance(data, dict) and all(not isinstance(value, dict) for value in data.values()):
        return {str(name): _text(value) for name, value in data.items()}
    if isinstance(data, list) and all(isinstance(entry, str) for entry in data):
        return parse_assignments(data)
    if isinstance(data, list) and all(
        isinstance(entry, dict) and {"ParameterKey", "ParameterValue"} <= entry.keys()
        for entry in data
    ):
        return {str(entry["ParameterKey"]): _text(entry["ParameterValue"]) for entry in data}
    raise InputError(
        f"{file}: not parameters. Write a mapping NAME: VALUE, or a list of ParameterKey and "
        "ParameterValue."
    )


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(map(_text, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def require_known(given: Iterable[str], declared: Mapping[str, Iterable[str]]) -> None:
    """Checks that every given parameter is one of a template's, or of the stack that it names.

    Args:
        declared: parameters by the stack's name.

    Raises:
        InputError: When one is not; a misspelt name would change nothing.
    """
    for text in given:
        stack, slash, name = text.rpartition("/")
        if slash and stack not in declared:
            hint = _hint(stack, declared) or f" There are: {', '.join(sorted(declared)[:8])}."
            raise InputError(f"--parameter {text}: no stack is called '{stack}'.{hint}")
        owners = (
            declared[stack] if slash else {name for names in declared.values() for name in names}
        )
        if name not in {*owners, *PSEUDO}:
            who = f"the stack '{stack}' does not have" if slash else "no template has"
            raise InputError(f"--parameter {text}: {who} this parameter.{_hint(name, owners)}")


def _hint(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f" Did you mean '{near[0]}'?" if near else ""


def values(
    declared: Mapping[str, Any], given: Mapping[str, Any], inherited: Mapping[str, Any]
) -> dict[str, Any]:
    """What each declared parameter is worth; those without a value are left out.

    Args:
        declared: the template's ``Parameters``.
        given: by the user, for this stack.
        inherited: from the parent stack.
    """
    known: dict[str, Any] = {}
    for name, entry in declared.items():
        if not isinstance(entry, dict):
            continue
        kind = str(entry.get("Type", "String"))
        if name in given:
            known[name] = _typed(given[name], kind)
        elif name in inherited:
            known[name] = _typed(inherited[name], kind)
        elif kind.startswith(_SSM):
            known[name] = _of_store(name, entry.get("Default"))
        elif "Default" in entry:
            known[name] = _typed(entry["Default"], kind)
    return known


def unknown(name: str) -> Unknown:
    """What stands for a parameter without a value."""
    what = name if name in PSEUDO else f"the parameter {name}, which has no default"
    return Unknown(
        f"${{{name}}}" if name in PSEUDO else name,
        f"it depends on {what}; give --parameter {name}=VALUE",
    )


def _of_store(name: str, key: Any) -> Unknown:
    where = f"'{key}' of the Parameter Store" if isinstance(key, str) else "the Parameter Store"
    return Unknown(
        f"ssm:{key}" if isinstance(key, str) else name,
        f"the parameter {name} is read from {where}; give --parameter {name}=VALUE",
    )


def _typed(value: Any, kind: str) -> Any:
    """A list's value as a list. Source: CloudFormation user guide, "Parameters", Type."""
    listed = kind == "CommaDelimitedList" or kind.startswith(("List<", f"{_SSM}Value<List<"))
    if isinstance(value, Unknown):
        return value
    if listed and isinstance(value, str | int | float) and not isinstance(value, bool):
        text = str(value)
        return [part.strip() for part in text.split(",")] if text else []
    if isinstance(value, dict):
        return json.dumps(value, sort_keys=True)[:1000]
    return value
