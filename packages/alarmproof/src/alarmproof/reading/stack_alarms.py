"""The alarms of one stack, and all else of it that rules ask for.

What can't be used of an alarm stays with that alarm (``alarmproof.base.alarms.Problem``).
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from alarmproof.base import known
from alarmproof.base.alarms import AnyAlarm, MuteRule, Problem, ProblemKind, Source
from alarmproof.base.definitions import Absent, Fault, Resource, Templates, Unread
from alarmproof.base.errors import InputError
from alarmproof.base.values import NO_VALUE, listed
from alarmproof.reading import alarms, mute_rules, resource_faults
from alarmproof.reading.malformed import MALFORMED
from alarmproof.reading.resolver import Resolver
from alarmproof.reading.stacks import Stack

_MACRO, _STACK_SET = "Fn::Transform", "AWS::CloudFormation::StackSet"
_ACCEPTED = "Nothing has to change: AWS accepts it."


def read(stack: Stack) -> Templates:
    """All of one stack."""
    return _Reading(stack).templates()


@dataclass
class _Contents:
    """What has been read of a stack so far."""

    unread: list[Unread]
    alarms: list[AnyAlarm] = field(default_factory=list)
    absent: list[Absent] = field(default_factory=list)
    resources: dict[tuple[str, str], Resource] = field(default_factory=dict)
    muting: list[MuteRule] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


class _Reading:
    """Reads one stack."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._types = {
            (stack.name, logical_id): str(entry.get("Type"))
            for logical_id, entry in stack.resources.items()
            if isinstance(entry, dict)
        }

    def templates(self) -> Templates:
        contents = _Contents(unread=list(self._unread_loops()))
        for logical_id, entry in self._stack.resources.items():
            if not resource_faults.is_function(logical_id):
                self._entry(entry, self._source(str(logical_id)), contents)
        return Templates(
            tuple(contents.alarms), contents.resources, tuple(contents.absent),
            tuple(contents.unread), tuple(contents.muting), tuple(self._outputs()),
            tuple(contents.faults),
        )  # fmt: skip

    def _entry(self, entry: object, source: Source, contents: _Contents) -> None:
        malformed = resource_faults.form(entry, source)
        if malformed:
            contents.faults.append(malformed)
        if not isinstance(entry, dict) or malformed:
            return
        if self._stack.whole:
            contents.faults += resource_faults.attributes(entry, source)
        kind = str(entry.get("Type"))
        condition = entry.get("Condition")
        not_read = _not_read(kind, entry.get("Properties"))
        if not_read:
            contents.unread.append(Unread(source, kind, not_read, known=True, remedy=_ACCEPTED))
        if kind in known.ALARM_TYPES and not not_read:
            alarm = self._alarm(kind, entry, source)
            if alarm is None:
                contents.absent.append(Absent(source, str(condition)))
                return
            contents.alarms.append(alarm)
        elif isinstance(condition, str) and not self._exists(condition):
            return
        self._created(kind, entry, source, contents)

    def _created(
        self, kind: str, entry: Mapping[str, Any], source: Source, contents: _Contents
    ) -> None:
        """A resource that exists in some world, an alarm too."""
        resource = self._resource(kind, entry, source)
        contents.resources[self._stack.name, source.logical_id] = resource
        refused: list[Fault] = []
        if kind in known.OTHER_TYPES:
            refused = list(resource_faults.properties(kind, resource.resolved, source))
            contents.faults += refused
        if kind == known.MUTE_RULE:
            rule = mute_rules.read(resource.resolved, source)
            if isinstance(rule, MuteRule):
                contents.muting.append(rule)
            elif not refused:
                contents.unread.append(Unread(source, kind, rule, known=True))
        elif kind.startswith("AWS::CloudWatch::") and kind not in (
            known.ALARM_TYPES | known.OTHER_TYPES
        ):
            why = "CloudFormation has no such type, or one that alarmproof doesn't know yet"
            contents.unread.append(Unread(source, kind, why, known=False))

    def _outputs(self) -> Iterator[object]:
        for entry in self._stack.outputs.values():
            if isinstance(entry, dict):
                with suppress(*MALFORMED):
                    yield self._stack.resolver().value(entry.get("Value"))

    def _unread_loops(self) -> Iterator[Unread]:
        for key, why in self._stack.unresolved.items():
            yield Unread(self._source(key), "Fn::ForEach", why, known=True)

    def _source(self, logical_id: str) -> Source:
        stack = self._stack
        return Source(stack.file, logical_id, stack.lines.get(logical_id, 1), stack.name)

    def _exists(self, condition: str) -> bool:
        """Whether a condition holds in some world."""
        return any(
            self._stack.resolver(world).conditions.holds(condition)
            for world in range(len(self._stack.worlds))
        )

    def _resource(self, kind: str, entry: Mapping[str, Any], source: Source) -> Resource:
        properties = entry.get("Properties") or {}
        metadata = entry.get("Metadata")
        try:
            resolved = self._stack.resolver().value(properties)
        except MALFORMED:
            # A rule that looks at it finds what stands there.
            resolved = properties
        return Resource(
            kind,
            properties,
            source,
            resolved if isinstance(resolved, dict) else {},
            metadata if isinstance(metadata, dict) else {},
            frozenset(str(name) for name in listed(entry.get("DependsOn")) if name),
        )

    def _undefined(self, name: str, value: Any) -> Iterator[Problem]:
        """What a property refers to and the template does not have."""
        stack = self._stack
        if not stack.whole or isinstance(value, str):
            return
        for function, referred in dict.fromkeys(_names_in(value)):
            conditional = function == "Fn::If"
            here = stack.conditions if conditional else {**stack.resources, **stack.parameters}
            if referred not in here and not referred.startswith("AWS::"):
                what = "a condition" if conditional else "a resource or a parameter"
                why = f"{name} refers to '{referred}', which is not {what} of the template"
                yield Problem(ProblemKind.INVALID, name, why, blocks=False)

    def _alarm(self, kind: str, entry: Mapping[str, Any], source: Source) -> AnyAlarm | None:
        """An alarm with its variants; None where no world has it."""
        condition = entry.get("Condition")
        readings: list[tuple[int, AnyAlarm]] = []
        for world in range(len(self._stack.worlds)):
            conditions = self._stack.resolver(world).conditions
            try:
                exists = not isinstance(condition, str) or conditions.holds(condition)
            except ValueError:
                exists = True  # the alarm says what is wrong with its condition
            if exists:
                readings.append((world, self._in_world(kind, entry, source, world)))
        if not readings:
            return None
        distinct: list[tuple[int, AnyAlarm]] = []
        for world, alarm in readings:
            if all(alarm != other for _, other in distinct):
                distinct.append((world, alarm))
        named = [
            dataclasses.replace(alarm, world=self._described(world)) for world, alarm in distinct
        ]
        return dataclasses.replace(
            named[0],
            worlds=frozenset(world for world, _ in readings),
            variants=tuple(named[1:]),
        )

    def _described(self, world: int) -> str:
        values = self._stack.worlds[world]
        return ", ".join(f"{name}={value}" for name, value in values.items())

    def _in_world(
        self, kind: str, entry: Mapping[str, Any], source: Source, world: int
    ) -> AnyAlarm:
        resolver = self._stack.resolver(world)
        resolved: dict[str, Any] = {}
        broken: list[Problem] = []
        properties = entry.get("Properties") or {}
        for name, value in {"Condition": None, **properties}.items():
            try:
                if name == "Condition":
                    _check_condition(resolver, entry.get("Condition"))
                    continue
                known_value = resolver.value(value)
            except InputError:
                raise
            except MALFORMED as error:
                why = f"{name} is not what CloudFormation's reference says ({error})"
                broken.append(Problem(ProblemKind.INVALID, str(name), why))
                continue
            if known_value is not NO_VALUE:
                resolved[name] = known_value
            broken += self._undefined(str(name), value)
        alarm = alarms.read(kind, resolved, source, self._types)
        return dataclasses.replace(
            alarm,
            problems=(*alarm.problems, *broken),
            conditional=self._stack.conditional(properties),
            environment=self._stack.environment,
        )


def _names_in(value: Any) -> Iterator[tuple[str, str]]:
    """``Ref``, ``Fn::GetAtt``, ``Fn::Sub`` or ``Fn::If``, each with the name that it refers to."""
    if isinstance(value, list):
        for part in value:
            yield from _names_in(part)
    elif isinstance(value, dict):
        for key, inner in value.items():
            first = inner[0] if isinstance(inner, list) and inner else inner
            if key == "Fn::Sub":
                own = inner[1] if isinstance(inner, list) and len(inner) == 2 else {}
                for name in _SUBSTITUTED.findall(str(first)):
                    if name not in (own if isinstance(own, dict) else {}):
                        yield key, name.partition(".")[0]
            elif key in ("Ref", "Fn::GetAtt", "Fn::If") and isinstance(first, str):
                yield key, first.partition(".")[0]
            yield from _names_in(inner)


_SUBSTITUTED = re.compile(r"\$\{\s*([^!}\s][^}\s]*)\s*\}")


def _not_read(kind: str, properties: Any) -> str:
    """Why the alarms of a resource are not read; empty where they are, or where it has none."""
    if not isinstance(properties, dict):
        return ""
    if kind in known.ALARM_TYPES and _MACRO in properties:
        return "a macro (Fn::Transform) makes its properties"
    body = properties.get("TemplateBody")
    if kind == _STACK_SET and isinstance(body, str) and "AWS::CloudWatch::" in body:
        return "the alarms in its TemplateBody are not read; pass them as a file of their own"
    return ""


def _check_condition(resolver: Resolver, condition: Any) -> None:
    """Raises what is wrong with the condition of a resource, if anything."""
    if isinstance(condition, str):
        resolver.conditions.holds(condition)
