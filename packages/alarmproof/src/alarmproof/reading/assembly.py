"""Which files a path stands for: a template, a folder of them, or the assembly of a CDK app."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from alarmproof import files
from alarmproof.errors import InputError
from alarmproof.reading import documents
from alarmproof.reading.documents import Document
from alarmproof.reading.stacks import Deployed, nested_names, unique_names

# What tools call the templates that they write: CDK, SAM, Serverless, and people.
_PATTERNS = ("*.template.json", "*.template.yaml", "*.template.yml")
_ALONE = (
    "template.yaml", "template.yml", "template.json", "cloudformation-template-update-stack.json",
)  # fmt: skip
_SKIPPED = frozenset({"node_modules", ".git", ".venv", "venv", "__pycache__"})
_MANIFEST = "manifest.json"
_STACK, _ASSEMBLY = "aws:cloudformation:stack", "cdk:cloud-assembly"
# Assemblies within assemblies: an app has stages, which may have stages.
_DEEPEST = 5
_MOST_FILES = 5_000


def deployed(paths: Sequence[Path]) -> tuple[list[Deployed], dict[str, Document]]:
    """The templates that paths stand for, and the documents that may be nested in them.

    Raises:
        InputError: When a file can't be read, or a folder has none; it names the path.
    """
    named: list[tuple[Path, str, str]] = []
    for path in paths:
        named += _in_folder(path) if path.is_dir() else [(path, "", "")]
    seen: dict[str, tuple[Path, str, str]] = {}
    for entry in named:
        seen.setdefault(str(entry[0]), entry)
    chosen = list(seen.values())
    names = _names(chosen)
    templates = []
    for (file, stack, environment), name in zip(chosen, names, strict=True):
        document = documents.read(file)
        # The CDK writes a template without resources for an empty stack, and deploys none.
        if "Resources" in document.data or not stack:
            templates.append(Deployed(document, name, environment))
    return templates, dict(_nested([template.document for template in templates]))


def _names(chosen: Sequence[tuple[Path, str, str]]) -> list[str]:
    """A name for each: the stack's, where that is unique, else what the file is called."""
    given = [name for _, name, _ in chosen]
    by_file = unique_names([str(file) for file, _, _ in chosen])
    return [
        name if name and given.count(name) == 1 else other
        for name, other in zip(given, by_file, strict=True)
    ]


def _in_folder(folder: Path) -> list[tuple[Path, str, str]]:
    """Files with stack names and environments; both empty where no manifest says them."""
    try:
        listed = list(_of_manifest(folder, 0))
        if listed:
            return listed
        matching = _matching(folder)
    except OSError as error:
        raise files.unreadable(folder, error) from None
    if not matching:
        raise InputError(
            f"{folder}: no template in this folder ({', '.join((*_PATTERNS, *_ALONE))}). Write it "
            "first (cdk synth, sam build, serverless package), or name the file itself."
        )
    return [(file, "", "") for file in matching]


def _matching(folder: Path) -> list[Path]:
    """Files by the names that tools give templates, but not those of packages and assets."""
    files: list[Path] = []
    for inside, folders, names in os.walk(folder):
        folders[:] = [
            name for name in folders if name not in _SKIPPED and not name.startswith("asset.")
        ]
        files += [
            Path(inside, name)
            for name in names
            if any(fnmatch(name, pattern) for pattern in (*_PATTERNS, *_ALONE))
        ]
        if len(files) > _MOST_FILES:
            raise InputError(f"{folder}: more than {_MOST_FILES:,} templates in this folder.")
    return sorted(files)


def _of_manifest(folder: Path, depth: int) -> Iterator[tuple[Path, str, str]]:
    """The stacks of an assembly. Source: CDK's cloud assembly schema 55, ``Manifest``."""
    try:
        artifacts = documents.read(folder / _MANIFEST).data.get("artifacts")
    except InputError:
        return  # a manifest of something else, or none
    for name, artifact in sorted((artifacts if isinstance(artifacts, dict) else {}).items()):
        properties = artifact.get("properties") if isinstance(artifact, dict) else None
        if not isinstance(properties, dict):
            continue
        kind = artifact.get("type")
        if kind == _STACK and isinstance(properties.get("templateFile"), str):
            file = _within(folder, properties["templateFile"])
            if file.is_file():
                stack = str(properties.get("stackName") or name)
                yield file, stack, _environment(artifact.get("environment"))
        elif kind == _ASSEMBLY and isinstance(properties.get("directoryName"), str):
            inner = _within(folder, properties["directoryName"])
            if depth < _DEEPEST:
                yield from _of_manifest(inner, depth + 1)


def _within(folder: Path, name: str) -> Path:
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise InputError(f"{folder / _MANIFEST}: '{name}' is outside of this folder.")
    return path


def _environment(value: Any) -> str:
    """``aws://account/region`` as ``account/region``; empty where one is not known."""
    text = str(value or "").removeprefix("aws://")
    return "" if "unknown" in text else text


def _nested(given: Sequence[Document]) -> Iterator[tuple[str, Document]]:
    """Documents beside those given that they name as nested stacks."""
    pending, seen = list(given), {str(Path(document.file).resolve()) for document in given}
    while pending:
        document = pending.pop()
        resources = document.data.get("Resources")
        for entry in (resources if isinstance(resources, dict) else {}).values():
            for file in _candidates(entry, document.folder):
                resolved = str(file.resolve())
                if resolved in seen or len(seen) > _MOST_FILES:
                    continue
                seen.add(resolved)
                inner = documents.read(file)
                pending.append(inner)
                yield inner.file, inner


def _candidates(entry: Mapping[str, Any], folder: Path) -> Iterator[Path]:
    """Files within a folder that a nested stack may be; none outside of it is ever read."""
    for name in nested_names(entry):
        file = folder / name
        try:
            inside = file.resolve().is_relative_to(folder.resolve()) and file.is_file()
        except (OSError, ValueError):
            continue
        if inside:
            yield file
            return
