"""The alarms of CloudFormation templates: any synthesized one, JSON or YAML.

Values that only a deployment knows stay symbolic, in a way that two references to the same thing
come out equal: a resource is its literal name where it has one, else its logical id. What can't be
used of an alarm stays with that alarm (``alarmproof.base.alarms.Problem``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from alarmproof.base.definitions import Templates
from alarmproof.base.errors import InputError
from alarmproof.reading import assembly, documents, live, parameters, stack_alarms, terraform
from alarmproof.reading.documents import Document
from alarmproof.reading.file_names import unique_names
from alarmproof.reading.joining import joined
from alarmproof.reading.malformed import kept
from alarmproof.reading.stacks import Deployed, build


@dataclass(frozen=True, slots=True)
class Usable:
    """What of some paths can be used.

    Attributes:
        errors: of the files that can't.
        skipped: how many files of folders are something else.
    """

    templates: Templates
    errors: tuple[InputError, ...]
    skipped: int


def read(paths: Sequence[Path], given: Mapping[str, str] | None = None) -> Templates:
    """The alarms of templates, folders such as cdk.out, Terraform plans and DescribeAlarms output.

    Args:
        given: values of parameters, by ``NAME`` or ``STACK/NAME``.

    Raises:
        InputError: When a file can't be read, or holds none of these; it names the file.
    """
    usable = read_usable(paths, given)
    if usable.errors:
        raise usable.errors[0]
    return usable.templates


def read_usable(paths: Sequence[Path], given: Mapping[str, str] | None = None) -> Usable:
    """The same without the files that can't be used, and what is wrong with those.

    Raises:
        InputError: When no template has a parameter of ``given``.
    """
    deployment = assembly.deployed(paths)
    errors = deployment.errors
    templates = _of(deployment.templates, deployment.nested, given or {}, errors)
    return Usable(templates, tuple(errors), deployment.skipped)


def parse(template: Mapping[str, object], file: str) -> Templates:
    """The alarms of one template.

    Args:
        file: what to call it in messages.
    """
    return parse_all([(template, file)])


def parse_all(
    documents: Sequence[tuple[Mapping[str, Any], str]], given: Mapping[str, str] | None = None
) -> Templates:
    """The alarms of several templates, each with the name of its file."""
    names = unique_names([file for _, file in documents])
    deployed = [
        Deployed(Document(data, file), name)
        for (data, file), name in zip(documents, names, strict=True)
    ]
    errors: list[InputError] = []
    templates = _of(deployed, {}, given or {}, errors)
    if errors:
        raise errors[0]
    return templates


def _of(
    deployed: Sequence[Deployed],
    nested: Mapping[str, Document],
    given: Mapping[str, str],
    errors: list[InputError],
) -> Templates:
    parts: list[Templates] = []
    templates: list[Deployed] = []
    keep = partial(kept, errors)
    for template in deployed:
        with keep(template.document.file):
            if live.is_answer(template.document.data):
                parts.append(live.read(template.document))
            elif terraform.is_plan(template.document.data):
                parts.append(terraform.read(template.document))
            else:
                _require_template(template.document)
                templates.append(template)
    stacks = build(templates, given, nested, keep)
    if not errors:
        parameters.require_known(given, {stack.name: stack.parameters for stack in stacks})
    for stack in stacks:
        with keep(stack.file):
            parts.append(stack_alarms.read(stack))
    alarms = sum(len(part.alarms) for part in parts)
    if alarms > documents.MOST_ALARMS:
        raise InputError(documents.too_many(alarms))
    return joined(parts)


def _require_template(document: Document) -> None:
    if not isinstance(document.data.get("Resources"), dict):
        raise InputError(f"{document.file}: not a CloudFormation template: it has no 'Resources'.")
