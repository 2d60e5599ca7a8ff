"""Stacks: templates with the values of their parameters, nested ones below their parents."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from alarmproof.base.errors import InputError
from alarmproof.base.known import ALARM_TYPES
from alarmproof.base.values import NO_VALUE
from alarmproof.reading import conditions, parameters, sam
from alarmproof.reading.conditions import World
from alarmproof.reading.documents import Document
from alarmproof.reading.file_names import (
    SERVERLESS_APPLICATION,
    STACK,
    nested_names,
    normal,
)
from alarmproof.reading.foreach import Loops, has_loops
from alarmproof.reading.resolver import Resolver

# Nested stacks of nested stacks. Source: none; CloudFormation names no limit.
_DEEPEST = 10
# Resources of all stacks that are read together.
_MOST_RESOURCES = 100_000
_SECTIONS = ("Resources", "Parameters", "Mappings", "Conditions", "Outputs")


@dataclass(slots=True)
class Stack:
    """A template in the place where it is deployed.

    Attributes:
        name: unique among the stacks that are read together.
        environment: ``account/region`` where an assembly says it; empty otherwise.
        values: of the parameters that have one.
        unresolved: loops that can't be written out, with the reason.
        whole: whether everything that it refers to stands in it; no macro adds any of it.
    """

    name: str
    file: str
    lines: Mapping[str, int]
    resources: Mapping[str, Any]
    parameters: Mapping[str, Any]
    mappings: Mapping[str, Any]
    conditions: Mapping[str, Any]
    outputs: Mapping[str, Any]
    values: dict[str, Any]
    environment: str = ""
    unresolved: Mapping[str, str] = field(default_factory=dict)
    whole: bool = False
    children: dict[str, Stack] = field(default_factory=dict)
    exports: dict[str, Any] = field(default_factory=dict)
    _resolvers: dict[int, Resolver] = field(default_factory=dict)
    _worlds: list[World] | None = None

    @property
    def worlds(self) -> list[World]:
        """The worlds in which the conditions that its alarms ask for differ; at least one."""
        if self._worlds is None:
            asked = [
                name
                for entry in self.resources.values()
                if isinstance(entry, dict) and entry.get("Type") in ALARM_TYPES
                for name in conditions.used(entry)
            ]
            self._worlds = conditions.worlds(
                asked,
                self.conditions,
                self.parameters,
                self.mappings,
                lambda name: name in self.values,
            )
        return self._worlds

    def resolver(self, world: int = 0) -> Resolver:
        """The resolver of one of its worlds."""
        if world not in self._resolvers:
            self._resolvers[world] = Resolver(self, self.worlds[world], self.exports)
        return self._resolvers[world]

    def conditional(self, properties: Mapping[str, Any]) -> frozenset[str]:
        """The properties that a condition on a parameter chooses."""
        if not self.conditions:
            return frozenset()
        return frozenset(
            str(name)
            for name, value in properties.items()
            if conditions.depends_on_parameters(
                conditions.used(value), self.conditions, self.mappings
            )
        )

    def output_of(self, logical_id: str, output: str) -> Any:
        """An output of a nested stack; None where the template is not at hand."""
        child = self.children.get(logical_id)
        entry = child.outputs.get(output) if child else None
        if child is None or not isinstance(entry, dict):
            return None
        value = child.resolver().value(entry.get("Value"))
        return None if value is NO_VALUE else value


@dataclass(frozen=True, slots=True)
class Deployed:
    """A template to be read, and what is known about its deployment."""

    document: Document
    name: str
    environment: str = ""


def build(
    deployed: Sequence[Deployed],
    given: Mapping[str, str],
    nested: Mapping[str, Document],
    kept: Callable[[str], AbstractContextManager[None]],
) -> list[Stack]:
    """The stacks of templates; a nested one stands where its parent has it, and only there.

    Args:
        given: values of parameters, by ``NAME`` or ``STACK/NAME``.
        nested: documents that may be nested stacks, by file; those of ``deployed`` among them.
        kept: keeps what is wrong with a file, so that the others are read; a template may be
            malformed, or contain itself.
    """
    exports: dict[str, Any] = {}
    available = {**nested, **{stack.document.file: stack.document for stack in deployed}}
    builder = _Builder(given, exports, available)
    children = {
        file
        for stack in deployed
        for _, file in builder.nested(stack.document)
        if file != stack.document.file
    }
    roots = [stack for stack in deployed if stack.document.file not in children]
    stacks: list[Stack] = []
    for root in roots or deployed:
        with kept(root.document.file):
            stacks += builder.stack(root, {}, ())
    for stack in stacks:
        with kept(stack.file):
            exports |= _exported(stack)
    return stacks


def _exported(stack: Stack) -> dict[str, Any]:
    values = {}
    for entry in stack.outputs.values():
        export = entry.get("Export") if isinstance(entry, dict) else None
        if isinstance(export, dict) and "Name" in export:
            resolver = stack.resolver()
            values[resolver.text(export["Name"])] = resolver.value(entry.get("Value"))
    return values


class _Builder:
    def __init__(
        self, given: Mapping[str, str], exports: dict[str, Any], available: Mapping[str, Document]
    ) -> None:
        self._given, self._exports, self._available = given, exports, available
        self._by_path = {normal(file): file for file in available}
        self._by_name: dict[str, list[str]] = defaultdict(list)
        for path in self._by_path:
            self._by_name[PurePosixPath(path).name].append(path)
        self._resources = 0

    def nested(self, document: Document) -> Iterator[tuple[str, str]]:
        """The nested stacks of a template whose file is at hand: logical id and file."""
        resources = document.data.get("Resources")
        for logical_id, entry in (resources if isinstance(resources, dict) else {}).items():
            kind = entry.get("Type") if isinstance(entry, dict) else None
            if kind in (STACK, SERVERLESS_APPLICATION):
                file = self._file_of(entry, document)
                if file:
                    yield str(logical_id), file

    def _file_of(self, entry: Mapping[str, Any], document: Document) -> str | None:
        for name in nested_names(entry):
            path = normal(str(document.folder / name))
            if path in self._by_path:
                return self._by_path[path]
        for name in nested_names(entry):
            alike = [
                self._by_path[path]
                for path in self._by_name.get(PurePosixPath(name).name, ())
                if self._by_path[path] != document.file
            ]
            if len(alike) == 1 and self._takes(alike[0], entry):
                return alike[0]
        return None

    def _takes(self, file: str, entry: Mapping[str, Any]) -> bool:
        """Whether a template elsewhere declares the parameters that a nested stack passes."""
        properties = entry.get("Properties")
        passed = properties.get("Parameters") if isinstance(properties, dict) else None
        declared = self._available[file].data.get("Parameters")
        return not isinstance(passed, dict) or (
            isinstance(declared, dict) and passed.keys() <= declared.keys()
        )

    def stack(
        self, deployed: Deployed, inherited: Mapping[str, Any], above: tuple[str, ...]
    ) -> list[Stack]:
        """A stack, and those nested in it."""
        document = deployed.document
        if document.file in above or len(above) > _DEEPEST:
            raise InputError(f"{document.file}: stacks are nested in each other in a circle.")
        made = self._made(deployed, inherited)
        self._resources += len(made.resources)
        if self._resources > _MOST_RESOURCES:
            raise InputError(
                f"{document.file}: with the stacks nested in each other there are more than "
                f"{_MOST_RESOURCES:,} resources."
            )
        stacks = [made]
        for logical_id, file in self.nested(document):
            entry = document.data["Resources"][logical_id]
            properties = entry.get("Properties")
            passed = properties.get("Parameters") if isinstance(properties, dict) else None
            values = made.resolver().value(passed) if isinstance(passed, dict) else {}
            child = Deployed(
                self._available[file], f"{made.name}/{logical_id}", deployed.environment
            )
            below = self.stack(child, values, (*above, document.file))
            made.children[logical_id] = below[0]
            stacks += below
        return stacks

    def _made(self, deployed: Deployed, inherited: Mapping[str, Any]) -> Stack:
        document = deployed.document
        sections = {name: _section(document, name) for name in _SECTIONS}
        given = {
            name.removeprefix(f"{deployed.name}/"): value
            for name, value in sorted(self._given.items(), key=lambda entry: "/" in entry[0])
            if "/" not in name or name.startswith(f"{deployed.name}/")
        }
        values = parameters.values(sections["Parameters"], given, inherited)
        values |= {name: value for name, value in given.items() if name in parameters.PSEUDO}
        if deployed.environment:
            account, _, region = deployed.environment.partition("/")
            values = {"AWS::AccountId": account, "AWS::Region": region, **values}
        lines: Mapping[str, int] = document.lines
        unresolved: Mapping[str, str] = {}
        if has_loops(document.data):
            lines, unresolved = _unrolled(document, sections, values)
        return Stack(
            name=deployed.name,
            file=document.file,
            lines=lines,
            resources=sam.translated(document.data, sections["Resources"]),
            parameters=sections["Parameters"],
            mappings=sections["Mappings"],
            conditions=sections["Conditions"],
            outputs=sections["Outputs"],
            values=values,
            environment=deployed.environment or _place(values),
            unresolved=unresolved,
            whole="Transform" not in document.data and not has_loops(document.data),
            exports=self._exports,
        )


def _place(values: Mapping[str, Any]) -> str:
    """``account/region`` as they were given; empty where no region was."""
    region = values.get("AWS::Region")
    return f"{values.get('AWS::AccountId', '')}/{region}" if region else ""


def _unrolled(
    document: Document, sections: dict[str, Any], values: Mapping[str, Any]
) -> tuple[Mapping[str, int], Mapping[str, str]]:
    """Writes the loops of all sections out."""
    before = Stack(
        name="", file=document.file, lines={}, resources={}, values=dict(values),
        parameters=sections["Parameters"], mappings=sections["Mappings"], conditions={}, outputs={},
    )  # fmt: skip
    loops = Loops(Resolver(before, {}, {}).value, document.lines)
    try:
        for name in ("Conditions", "Resources", "Outputs"):
            sections[name] = loops.expand(sections[name])
    except ValueError as error:
        raise InputError(f"{document.file}: {error}.") from None
    return loops.lines, loops.unresolved


def _section(document: Document, name: str) -> Mapping[str, Any]:
    section = document.data.get(name)
    if section is None:
        return {}
    if not isinstance(section, dict):
        raise InputError(
            f"{document.file}: not a CloudFormation template: '{name}' is not a mapping."
        )
    return {str(key): value for key, value in section.items()}
