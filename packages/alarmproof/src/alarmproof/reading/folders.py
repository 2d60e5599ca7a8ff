"""The templates, plans and answers below a folder, told apart from other files by their content."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alarmproof.base import files
from alarmproof.base.errors import InputError
from alarmproof.base.values import listed
from alarmproof.reading import documents, live, terraform
from alarmproof.reading.documents import Document

SUFFIXES = (".json", ".yaml", ".yml", ".template")
_SKIPPED = frozenset({"node_modules", "venv", "__pycache__"})
# The Serverless Framework writes what it deploys into a hidden folder, as no other tool does.
_SERVERLESS = (".serverless", "cloudformation-template-update-stack.json")
_KEYS = (
    r"""["']?\b(?:Resources|AWSTemplateFormatVersion|Transform|MetricAlarms|CompositeAlarms"""
    r"""|LogAlarms|planned_values|format_version)["']?[ \t]*:"""
)
_IN_FLOW, _IN_BLOCK = re.compile(_KEYS), re.compile(f"^{_KEYS}", re.MULTILINE)
_MEANT = re.compile(
    r"AWSTemplateFormatVersion|\bAWS::\w+::\w|\"(?:MetricAlarms|planned_values)\"[ \t]*:"
)
_MOST_FILES = 50_000
_MOST_ENTRIES = 500_000
_MOST_TEMPLATES = 5_000
# Bytes of all files that are looked into, and of those that are parsed.
_MOST_READ, _MOST_PARSED = 1_000_000_000, 100_000_000


@dataclass(slots=True)
class Scan:
    """What is below a folder.

    Attributes:
        documents: by their files, in order.
        errors: of files that look like a template and can't be read.
        skipped: how many files are something else.
    """

    documents: dict[Path, Document] = field(default_factory=dict)
    errors: list[InputError] = field(default_factory=list)
    skipped: int = 0


def scan(folder: Path, passed: frozenset[Path] = frozenset()) -> Scan:
    """Reads what is a template, a plan or an answer of DescribeAlarms.

    Args:
        passed: folders that are not entered.

    Raises:
        InputError: When there is more than can be read; it names the folder.
    """
    result = Scan()
    read = parsed = 0
    for file in _files(folder, passed, result.errors):
        try:
            text = _text(file)
        except InputError as error:
            result.errors.append(error)
            continue
        read += len(text)
        if read > _MOST_READ:
            raise _too_much(folder, f"{_MOST_READ / 1e9:g} GB of JSON and YAML")
        if not _has_sign(text):
            result.skipped += 1
            continue
        parsed += len(text)
        if parsed > _MOST_PARSED or len(result.documents) >= _MOST_TEMPLATES:
            limit = f"{_MOST_TEMPLATES:,} templates or {_MOST_PARSED / 1e6:g} MB of them"
            raise _too_much(folder, limit)
        try:
            document = documents.parsed(file, text)
        except InputError as error:
            if _MEANT.search(text):
                result.errors.append(error)
            else:
                result.skipped += 1
            continue
        if is_one(document.data):
            result.documents[file] = document
        else:
            result.skipped += 1
    return result


def named(folder: Path, name: str) -> list[Path]:
    """Files of a name below a folder."""
    return [file for file in _files(folder, frozenset(), []) if file.name == name]


def _too_much(folder: Path, limit: str) -> InputError:
    return InputError(f"{folder}: more than {limit}. Name the folder that has the templates.")


def _files(folder: Path, passed: frozenset[Path], errors: list[InputError]) -> Iterator[Path]:
    """Files by their endings, but not those of packages, assets, and hidden folders."""

    def unreadable(error: OSError) -> None:
        errors.append(files.unreadable(Path(error.filename or folder), error))

    entries = looked_at = 0
    for place, folders, names in os.walk(folder, onerror=unreadable):
        inside = Path(place)
        entries += len(folders) + len(names)
        if entries > _MOST_ENTRIES:
            raise _too_much(folder, f"{_MOST_ENTRIES:,} files and folders")
        folders[:] = sorted(
            name for name in folders
            if name not in _SKIPPED and not name.startswith((".", "asset."))
            and inside / name not in passed
        )  # fmt: skip
        for name in sorted(names):
            file = inside / name
            if name.endswith(SUFFIXES) and not name.startswith(".") and file.is_file():
                looked_at += 1
                if looked_at > _MOST_FILES:
                    raise _too_much(folder, f"{_MOST_FILES:,} JSON and YAML files")
                yield file
        compiled = inside.joinpath(*_SERVERLESS)
        if compiled.is_file():
            yield compiled


def _text(file: Path) -> str:
    """A file's text; empty where it can't be a template, however it goes on.

    Raises:
        InputError: When it can't be read, or begins like a template and is larger than any.
    """
    try:
        return documents.text_of(file)
    except InputError:
        start = ""
        with suppress(OSError), file.open("rb") as stream:
            start = stream.read(100_000).decode("utf-8", "replace")
        if _MEANT.search(start) and _has_sign(start):
            raise
        return ""


def _has_sign(text: str) -> bool:
    flow = text.lstrip()[:1] == "{"
    return bool((_IN_FLOW if flow else _IN_BLOCK).search(text))


def is_one(data: Mapping[str, Any]) -> bool:
    """Whether a file's content is a template, a plan or an answer."""
    if live.is_answer(data) or terraform.is_plan(data) or "AWSTemplateFormatVersion" in data:
        return True
    transform, resources = data.get("Transform"), data.get("Resources")
    if any(str(name).startswith("AWS::") for name in listed(transform)):
        return True
    return isinstance(resources, dict) and any(
        str(name).startswith("Fn::ForEach")
        or (isinstance(entry, dict) and isinstance(entry.get("Type"), str))
        for name, entry in resources.items()
    )
