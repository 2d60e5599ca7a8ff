"""The alarms of CloudFormation templates: any synthesized one, JSON or YAML.

Values that only a deployment knows stay symbolic, in a way that two references to the same thing
come out equal: a resource is its literal name where it has one, else its logical id. What can't be
used of an alarm stays with that alarm (``alarmproof.alarms.Problem``).
"""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from alarmproof import composites
from alarmproof.alarms import AnyAlarm, CompositeAlarm, MuteRule, Problem, ProblemKind, Source
from alarmproof.definitions import Absent, Resource, Templates, Unread
from alarmproof.errors import InputError
from alarmproof.reading import alarms, assembly, known, live, mute_rules, parameters, terraform
from alarmproof.reading.documents import Document
from alarmproof.reading.resolver import Resolver
from alarmproof.reading.stacks import Deployed, Stack, build, unique_names
from alarmproof.reading.values import NO_VALUE, listed

_MALFORMED = (
    AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError, RecursionError,
)  # fmt: skip


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


_MACRO, _STACK_SET = "Fn::Transform", "AWS::CloudFormation::StackSet"
_ACCEPTED = "Nothing has to change: AWS accepts it."


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
    kept = partial(_kept, errors)
    for template in deployed:
        with kept(template.document.file):
            if live.is_answer(template.document.data):
                parts.append(live.read(template.document))
            elif terraform.is_plan(template.document.data):
                parts.append(terraform.read(template.document))
            else:
                _require_template(template.document)
                templates.append(template)
    documents = [*(template.document for template in templates), *nested.values()]
    sections = [document.data.get("Parameters") for document in documents]
    declared = [str(name) for section in sections if isinstance(section, dict) for name in section]
    if not errors:
        parameters.require_known(given, declared)
    for stack in build(templates, given, nested, kept):
        with kept(stack.file):
            parts.append(_Reading(stack).templates())
    return _joined(parts)


def _require_template(document: Document) -> None:
    data = document.data
    if not isinstance(data.get("Resources"), dict):
        raise InputError(f"{document.file}: not a CloudFormation template: it has no 'Resources'.")
    for logical_id, entry in data["Resources"].items():
        if str(logical_id).startswith("Fn::ForEach"):
            continue
        if not isinstance(entry, dict) or not isinstance(entry.get("Properties") or {}, dict):
            raise InputError(
                f"{document.file}: resource '{logical_id}' is not an object with a Type."
            )


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
        alarms: list[AnyAlarm] = []
        absent: list[Absent] = []
        unread = list(self._unread_loops())
        resources: dict[tuple[str, str], Resource] = {}
        muting: list[MuteRule] = []
        for logical_id, entry in self._stack.resources.items():
            source = self._source(str(logical_id))
            if not isinstance(entry, dict):
                raise InputError(f"{source}: not an object with a Type.")
            kind = str(entry.get("Type"))
            condition = entry.get("Condition")
            not_read = _not_read(kind, entry.get("Properties"))
            if not_read:
                unread.append(Unread(source, kind, not_read, known=True, remedy=_ACCEPTED))
            if kind in known.ALARM_TYPES and not not_read:
                alarm = self._alarm(kind, entry, source)
                if alarm is None:
                    absent.append(Absent(source, str(condition)))
                    continue
                alarms.append(alarm)
            elif isinstance(condition, str) and not self._exists(condition):
                continue
            resource = self._resource(kind, entry, source)
            resources[self._stack.name, source.logical_id] = resource
            if kind == known.MUTE_RULE:
                rule = mute_rules.read(resource.resolved, source)
                if isinstance(rule, MuteRule):
                    muting.append(rule)
                else:
                    unread.append(Unread(source, kind, rule, known=True))
            elif kind.startswith("AWS::CloudWatch::") and kind not in (
                known.ALARM_TYPES | known.OTHER_TYPES
            ):
                why = "CloudFormation has no such type, or one that alarmproof doesn't know yet"
                unread.append(Unread(source, kind, why, known=False))
        return Templates(
            tuple(alarms), resources, tuple(absent), tuple(unread), tuple(muting),
            tuple(self._outputs()),
        )  # fmt: skip

    def _outputs(self) -> Iterator[object]:
        for entry in self._stack.outputs.values():
            if isinstance(entry, dict):
                with suppress(*_MALFORMED):
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
        except _MALFORMED:
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
            except _MALFORMED as error:
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


def _joined(parts: Sequence[Templates]) -> Templates:
    """All of them, with a name for each alarm that no other has."""
    alarms = [alarm for part in parts for alarm in part.alarms]
    names = _Names(alarms)
    resources: dict[tuple[str, str], Resource] = {}
    for part in parts:
        resources |= part.resources
    return Templates(
        tuple(map(names.renamed, alarms)),
        resources,
        tuple(absent for part in parts for absent in part.absent),
        tuple(unread for part in parts for unread in part.unread),
        tuple(names.retargeted(rule) for part in parts for rule in part.mute_rules),
        tuple(output for part in parts for output in part.outputs),
    )


class _Names:
    """Unique names: of alarms that share one, each gets its stack's before it."""

    def __init__(self, alarms: Sequence[AnyAlarm]) -> None:
        counts = Counter(alarm.name for alarm in alarms)
        in_stack = Counter((alarm.source.stack, alarm.name) for alarm in alarms)
        self._by_source: dict[tuple[str, str], str] = {}
        # What a name means within a stack, where that is another alarm's elsewhere.
        self._by_name: dict[tuple[str, str], str] = {}
        for alarm in alarms:
            stack, name = alarm.source.stack, alarm.name
            if counts[name] == 1:
                continue
            own = name if in_stack[stack, name] == 1 else alarm.source.logical_id
            unique = f"{stack}/{own}" if stack else own
            self._by_source[stack, alarm.source.logical_id] = unique
            self._by_name.setdefault((stack, name), unique)

    def renamed(self, alarm: AnyAlarm) -> AnyAlarm:
        """An alarm under its unique name, and with those of its parts."""
        if not self._by_source:
            return alarm
        stack = alarm.source.stack
        name = self._by_source.get((stack, alarm.source.logical_id), alarm.name)
        variants = tuple(map(self.renamed, alarm.variants))
        if not isinstance(alarm, CompositeAlarm):
            return dataclasses.replace(alarm, name=name, variants=variants)
        parts = {
            part: self._by_name[stack, part]
            for part in composites.written_names(alarm)
            if (stack, part) in self._by_name
        }
        return dataclasses.replace(alarm, name=name, variants=variants, parts=parts)

    def retargeted(self, rule: MuteRule) -> MuteRule:
        """A mute rule with the unique names of its alarms."""
        stack = rule.source.stack
        names = tuple(self._by_name.get((stack, name), name) for name in rule.alarms)
        return dataclasses.replace(rule, alarms=names)


@contextmanager
def _kept(errors: list[InputError], file: str) -> Iterator[None]:
    """Keeps what is wrong with a file."""
    try:
        with _malformed(file):
            yield
    except InputError as error:
        errors.append(error)


@contextmanager
def _malformed(where: object) -> Iterator[None]:
    """Names what can't be what CloudFormation's schema says, whatever it is instead."""
    try:
        yield
    except RecursionError:
        raise InputError(f"{where}: nested too deeply, or refers to itself.") from None
    except _MALFORMED as error:
        raise InputError(f"{where}: not what CloudFormation's schema says ({error}).") from None
