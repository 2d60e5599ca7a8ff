"""Which files a path stands for: a template, a folder of them, or the assembly of a CDK app."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alarmproof.base import files
from alarmproof.base.errors import InputError
from alarmproof.reading import documents, folders
from alarmproof.reading.documents import Document
from alarmproof.reading.file_names import nested_names, unique_names
from alarmproof.reading.stacks import Deployed

_MANIFEST = "manifest.json"
_STACK, _ASSEMBLY = "aws:cloudformation:stack", "cdk:cloud-assembly"
# Assemblies within assemblies: an app has stages, which may have stages.
_DEEPEST = 5
_MOST_FILES = 5_000


@dataclass(slots=True)
class Deployment:
    """What paths stand for.

    Attributes:
        nested: documents that may be nested in the templates, by file.
        errors: of files that can't be read.
        skipped: how many files of folders are something else.
    """

    templates: list[Deployed] = field(default_factory=list)
    nested: Mapping[str, Document] = field(default_factory=dict)
    errors: list[InputError] = field(default_factory=list)
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class _Entry:
    """A file, with what a manifest says of it.

    Attributes:
        document: where it is read already.
    """

    file: Path
    stack: str = ""
    environment: str = ""
    document: Document | None = None


def deployed(paths: Sequence[Path]) -> Deployment:
    """The templates that paths stand for; a file that can't be read leaves the rest as it is."""
    result = Deployment()
    by_file: dict[str, _Entry] = {}
    for path in paths:
        try:
            entries = _in_folder(path, result) if path.is_dir() else [_Entry(path)]
        except InputError as error:
            result.errors.append(error)
            continue
        for entry in entries:
            by_file.setdefault(os.path.realpath(entry.file), entry)
    chosen = list(by_file.values())
    for entry, name in zip(chosen, _names(chosen), strict=True):
        try:
            document = entry.document or documents.read(entry.file)
        except InputError as error:
            result.errors.append(error)
            continue
        # The CDK writes a template without resources for an empty stack, and deploys none.
        if "Resources" in document.data or not entry.stack:
            result.templates.append(Deployed(document, name, entry.environment))
    given = [template.document for template in result.templates]
    result.nested = dict(_nested(given, result.errors))
    return result


def _names(chosen: Sequence[_Entry]) -> list[str]:
    """A name for each: the stack's, where that is unique, else what the file is called."""
    given = [entry.stack for entry in chosen]
    by_file = unique_names([str(entry.file) for entry in chosen])
    return [
        name if name and given.count(name) == 1 else other
        for name, other in zip(given, by_file, strict=True)
    ]


def _in_folder(folder: Path, result: Deployment) -> list[_Entry]:
    """Of an assembly what its manifest names, of another folder what its files contain."""
    try:
        listed = list(_of_manifest(folder, 0))
        if listed:
            return listed
        assemblies = {
            inside: entries
            for manifest in folders.named(folder, _MANIFEST)
            if (entries := list(_of_manifest(inside := manifest.parent, 0)))
        }
        scan = folders.scan(folder, frozenset(assemblies))
    except OSError as error:
        raise files.unreadable(folder, error) from None
    result.errors += scan.errors
    result.skipped += scan.skipped
    entries = [_Entry(file, document=document) for file, document in scan.documents.items()]
    entries += [entry for inside in assemblies.values() for entry in inside]
    if not entries and not scan.errors:
        looked = f", nor among its {scan.skipped:,} JSON and YAML files" if scan.skipped else ""
        raise InputError(
            f"{folder}: no template in this folder{looked}. Write it first (cdk synth, "
            "serverless package, terraform show -json), or name another folder."
        )
    return entries


def _of_manifest(folder: Path, depth: int) -> Iterator[_Entry]:
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
                yield _Entry(file, stack, _environment(artifact.get("environment")))
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


def _nested(given: Sequence[Document], errors: list[InputError]) -> Iterator[tuple[str, Document]]:
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
                try:
                    inner = documents.read(file)
                except InputError as error:
                    errors.append(error)
                    continue
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
