"""A file as plain data, with the line of each resource; bounded in depth, size and time."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alarmproof.base import bounded_json, files
from alarmproof.base.bounded_yaml import DEEPEST
from alarmproof.base.errors import InputError

# Source: Terraform documentation, "JSON output format": a plan repeats every resource several
# times; CloudWatch's answers for thousands of alarms are as large.
LARGEST_JSON = 50_000_000
# Alarms that are read together: lint takes seconds for so many.
MOST_ALARMS = 10_000
_ALARM = re.compile(r"\bAWS::CloudWatch::Alarm\b")
_SIGN = re.compile(r'"(?:[^"\\]|\\.)*+"|[{}\[\]]', re.DOTALL)
_NAMED = re.compile(
    r'\b(?:address|AlarmName)"?:[ \t]*("(?:[^"\\\n]|\\["\\/bfnrt])*+"|[^"\s,][^\n,]*+)'
)
_COLON = re.compile(r"\s*:")


@dataclass(frozen=True, slots=True)
class Document:
    """A file's content.

    Attributes:
        file: as the user named it.
        lines: of the entries below ``Resources``, or of the names elsewhere, counted from 1.
    """

    data: Mapping[str, Any]
    file: str
    lines: Mapping[str, int] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        return Path(self.file).parent


def read(file: Path) -> Document:
    """A JSON or YAML file that holds a mapping.

    Raises:
        InputError: When it can't be read, or is something else; it names the file.
    """
    return parsed(file, text_of(file))


def text_of(file: Path) -> str:
    """A file's text.

    Raises:
        InputError: When it can't be read, or is larger than its kind may be.
    """
    largest = LARGEST_JSON if file.suffix == ".json" else files.LARGEST
    return files.read_text(file, largest=largest)


def parsed(file: Path, text: str) -> Document:
    """A file's text as a mapping.

    Raises:
        InputError: When it is something else, or has too many alarms; it names the file.
    """
    alarms = sum(1 for _ in _ALARM.finditer(text))
    if alarms > MOST_ALARMS:
        raise InputError(f"{file}: {too_many(alarms)}")
    try:
        if text.lstrip()[:1] in ("{", "["):
            data, lines = load_json(text)
        else:
            from alarmproof.reading import yaml_template

            data, lines = yaml_template.load(text)
    except ValueError as error:
        raise InputError(f"{file}: neither JSON nor YAML: {error}") from None
    if not isinstance(data, dict):
        raise InputError(f"{file}: not a CloudFormation template: it is not a mapping.")
    return Document(data, str(file), lines if "Resources" in data else _named_lines(text))


def too_many(alarms: int) -> str:
    """What to do about so many alarms."""
    return (
        f"{alarms:,} alarms are more than the {MOST_ALARMS:,} that are read together. Name fewer "
        "files, or divide the file."
    )


def _named_lines(text: str) -> dict[str, int]:
    """Where a plan has its addresses, or an answer its alarms: the first line of each name."""
    breaks = [match.start() for match in re.finditer("\n", text)]
    lines: dict[str, int] = {}
    for match in _NAMED.finditer(text):
        name = (
            str(json.loads(match[1], strict=False))
            if match[1].startswith('"')
            else match[1].strip()
        )
        lines.setdefault(name, bisect_right(breaks, match.start()) + 1)
    return lines


def load_json(text: str) -> tuple[Any, dict[str, int]]:
    """JSON's value, and the lines of what is below ``Resources``.

    Raises:
        ValueError: When it can't be parsed, is nested too deeply, or has a resource twice.
    """
    try:
        data = bounded_json.load(text, _refused)
    except RecursionError:
        raise ValueError(f"nested more than {DEEPEST} levels deep") from None
    except json.JSONDecodeError as error:
        if "{" in text[:1] and _maybe_yaml(text):
            from alarmproof.reading import yaml_template

            return yaml_template.load(text)
        raise ValueError(f"line {error.lineno}: {error.msg}") from None
    return data, _lines(text)


def _refused(constant: str) -> Any:
    raise ValueError(f"{constant} is not a number in JSON")


def _maybe_yaml(text: str) -> bool:
    """Whether it is a flow mapping of YAML, such as ``{Resources: {}}``."""
    return not re.match(r'\{\s*("|\}|$)', text)


def _lines(text: str) -> dict[str, int]:
    """Where the entries of ``Resources`` begin.

    Raises:
        ValueError: When it is nested too deeply, or has one twice.
    """
    breaks = [match.start() for match in re.finditer("\n", text)]
    lines: dict[str, int] = {}
    depth, inside, named = 0, False, False
    for match in _SIGN.finditer(text):
        sign = match[0]
        if sign in "{[":
            depth += 1
            inside = inside or (depth == 2 and named)
            if depth > DEEPEST:
                raise ValueError(f"nested more than {DEEPEST} levels deep")
        elif sign in "}]":
            depth -= 1
            inside = inside and depth >= 2
        elif depth == 1:
            if _COLON.match(text, match.end()):
                named = sign == '"Resources"'
        elif depth == 2 and inside and _COLON.match(text, match.end()):
            name = str(json.loads(sign))
            line = bisect_right(breaks, match.start()) + 1
            if name in lines:
                raise ValueError(
                    f"line {line}: the resource '{name}' is on line {lines[name]} already"
                )
            lines[name] = line
    return lines
