"""What the files of templates are called: those of nested stacks, and stacks after their files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

# The types of resources that are nested stacks.
STACK = "AWS::CloudFormation::Stack"
SERVERLESS_APPLICATION = "AWS::Serverless::Application"
_SUFFIXES = (".template.json", ".template.yaml", ".template.yml", ".template", ".json", ".yaml",
             ".yml")  # fmt: skip


def nested_names(entry: Any) -> Iterator[str]:
    """The file names that a nested stack's template may have, the surest first."""
    if not isinstance(entry, dict) or entry.get("Type") not in (STACK, SERVERLESS_APPLICATION):
        return
    for name in _written_names(entry):
        for suffix in ("", *_SUFFIXES):
            yield f"{name}{suffix}"


def _written_names(entry: Mapping[str, Any]) -> Iterator[str]:
    metadata, properties = entry.get("Metadata"), entry.get("Properties")
    path = metadata.get("aws:asset:path") if isinstance(metadata, dict) else None
    if isinstance(path, str):
        yield path
    url = None
    if isinstance(properties, dict):
        url = properties.get("TemplateURL", properties.get("Location"))
    if isinstance(url, dict):
        url = _end_of(url)
    if isinstance(url, str) and url:
        if "://" not in url:
            yield url
        yield PurePosixPath(url).name


def _end_of(url: Mapping[str, Any]) -> Any:
    """What an address ends with that ``Fn::Sub`` or ``Fn::Join`` makes."""
    substituted, joined = url.get("Fn::Sub"), url.get("Fn::Join")
    if isinstance(substituted, list) and substituted:
        substituted = substituted[0]
    if isinstance(joined, list) and len(joined) == 2 and isinstance(joined[1], list):
        return joined[1][-1] if joined[1] else None
    return substituted


def normal(file: str) -> str:
    """A path that is the same for every way to write it."""
    return str(Path(file).resolve(strict=False))


def unique_names(files: Sequence[str]) -> list[str]:
    """A stack's name for each file: what it is called, with its folder where that is not enough."""
    names = [_stem(file) for file in files]
    for depth in range(1, 5):
        doubled = {name for name, count in Counter(names).items() if count > 1}
        if not doubled:
            break
        names = [
            "/".join([*Path(file).parts[-1 - depth : -1], _stem(file)]) if name in doubled else name
            for file, name in zip(files, names, strict=True)
        ]
    # The same template as JSON and as YAML.
    doubled = {name for name, count in Counter(names).items() if count > 1}
    return [file if name in doubled else name for file, name in zip(files, names, strict=True)]


def _stem(file: str) -> str:
    name = Path(file).name
    for suffix in _SUFFIXES:
        if name.endswith(suffix) and name != suffix:
            return name.removesuffix(suffix)
    return name
