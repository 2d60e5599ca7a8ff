"""Intrinsic functions of one stack in one world, resolved as far as a template allows.

What only a deployment knows stays a text that names it, so that two references to the same thing
come out equal. Source: CloudFormation template reference, "Intrinsic function reference".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from alarmproof.base.bounded_yaml import DEEPEST
from alarmproof.base.errors import InputError
from alarmproof.base.values import (
    LONGEST_TEXT,
    NO_VALUE,
    Reference,
    TooLargeError,
    Unknown,
    leaves,
    unknown_in,
)
from alarmproof.reading import arns, parameters
from alarmproof.reading.conditions import Conditions, World
from alarmproof.reading.file_names import STACK

# Properties that are a resource's name in CloudWatch's dimensions and in ARNs.
_NAMES = (
    "QueueName", "FunctionName", "TableName", "TopicName", "RoleName", "AlarmName", "Name",
    "LogGroupName", "DashboardName",
)  # fmt: skip
# Source: each service's API reference; a dashboard's and an alarm's have 255 characters.
_LONGEST_NAME = 1024
# Characters and elements that the functions of one template make in one world, and how deep names
# may be made of names. Source: CloudFormation user guide, "Understand CloudFormation quotas": a
# template has at most 1 MB and 500 resources, so no real one comes near.
MOST_MADE = 10_000_000
_SUBSTITUTED = re.compile(r"\$\{(!?)([^}]*)\}")
_DYNAMIC = re.compile(r"\{\{resolve:([^}]*)\}\}")


class Scope(Protocol):
    """What a template's values can refer to: a stack."""

    @property
    def name(self) -> str: ...
    @property
    def file(self) -> str: ...
    @property
    def resources(self) -> Mapping[str, Any]: ...
    @property
    def parameters(self) -> Mapping[str, Any]: ...
    @property
    def mappings(self) -> Mapping[str, Any]: ...
    @property
    def conditions(self) -> Mapping[str, Any]: ...
    @property
    def values(self) -> Mapping[str, Any]: ...

    def output_of(self, logical_id: str, output: str) -> Any:
        """An output of a nested stack; None where it is not known."""
        ...


class Resolver:
    """Resolves values of one stack."""

    def __init__(self, stack: Scope, world: World, exports: Mapping[str, Any]) -> None:
        self._stack = stack
        self._values = {**stack.values, **world}
        self._exports = exports
        self.conditions = Conditions(stack.conditions, self.value)
        # By logical id; None while it is being made.
        self._names: dict[str, Reference | None] = {}
        self._depth = 0
        self._left = MOST_MADE

    def _spend(self, cost: int) -> None:
        """Counts what functions make, so that a small template can't make much.

        Raises:
            InputError: When it is too much.
        """
        self._left -= cost
        if self._left < 0:
            raise InputError(
                f"{self._stack.file}: its functions make more than {MOST_MADE:,} characters."
            )

    def value(self, value: Any) -> Any:
        """A value with every intrinsic in it resolved, and without ``AWS::NoValue``.

        Raises:
            ValueError: When it is not what CloudFormation's reference says, or stands for too much.
        """
        if isinstance(value, str):
            return _dynamic(value) if "{{resolve:" in value else value
        if isinstance(value, list):
            resolved = [self.value(inner) for inner in value]
            return [inner for inner in resolved if inner is not NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            [(function, argument)] = value.items()
            if function == "Ref":
                # With language extensions the name may be made by a function.
                return self._ref(argument if isinstance(argument, str) else self.text(argument))
            if function == "Condition" and isinstance(argument, str):
                return self.conditions.holds(argument)
            if isinstance(function, str) and function.startswith("Fn::"):
                return self._intrinsic(function[4:], argument)
        resolved_entries = {name: self.value(inner) for name, inner in value.items()}
        return {name: inner for name, inner in resolved_entries.items() if inner is not NO_VALUE}

    def text(self, value: Any) -> str:
        """A value as text."""
        return self._as_text(self.value(value))

    def _as_text(self, value: Any) -> str:
        if isinstance(value, str):
            return value
        if isinstance(value, bool):
            return str(value).lower()
        text = _dumped(value)
        self._spend(2 * len(text))
        return text

    def _joined(self, texts: list[str], separator: str, parts: list[Any]) -> str:
        length = sum(map(len, texts)) + len(separator) * max(len(texts) - 1, 0)
        self._spend(length + len(parts))
        if length > LONGEST_TEXT:
            raise TooLargeError(f"a text of more than {LONGEST_TEXT:,} characters")
        text = separator.join(texts)
        missing = unknown_in(parts)
        return text if missing is None else Unknown(text, missing.why)

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return NO_VALUE
        if name in self._values:
            return self._values[name]
        if name in self._stack.resources:
            return self.name(name)
        if name in self._stack.parameters or name in parameters.PSEUDO:
            return parameters.unknown(name)
        return name

    def name(self, logical_id: str) -> Reference:
        """What a resource is called.

        Raises:
            InputError: When its name is made of itself, or too long.
        """
        if logical_id in self._names:
            name = self._names[logical_id]
            if name is None:
                raise InputError(
                    f"{self._stack.file} {logical_id}: its name refers to itself through other "
                    "resources."
                )
            return name
        if self._depth >= DEEPEST:
            raise InputError(
                f"{self._stack.file} {logical_id}: its name is made of other names, more than "
                f"{DEEPEST} deep."
            )
        self._names[logical_id] = None
        self._depth += 1
        try:
            name = self._literal_name(logical_id)
        except BaseException:
            del self._names[logical_id]
            raise
        finally:
            self._depth -= 1
        self._names[logical_id] = name
        return name

    def _literal_name(self, logical_id: str) -> Reference:
        entry = self._stack.resources[logical_id]
        properties = entry.get("Properties") if isinstance(entry, dict) else None
        name: Any = logical_id
        for key in _NAMES:
            literal = properties.get(key) if isinstance(properties, dict) else None
            if isinstance(literal, dict) and logical_id not in _dumped(literal):
                literal = self.value(literal)
            if isinstance(literal, str) and literal:
                name = literal
                break
        if len(name) > _LONGEST_NAME:
            raise InputError(
                f"{self._stack.file} {logical_id}: {key} has more than {_LONGEST_NAME} characters."
            )
        return Reference(name, self._stack.name, logical_id)

    def _intrinsic(self, function: str, argument: Any) -> Any:
        handler: Callable[[Resolver, Any], Any] | None = _FUNCTIONS.get(function)
        if handler is not None:
            try:
                return handler(self, argument)
            except (AttributeError, IndexError, KeyError, TypeError):
                raise ValueError(f"Fn::{function} has the wrong arguments") from None
        shown = self._as_text(self.value(argument))
        return Unknown(
            f"Fn::{function}({shown[:200]})",
            f"Fn::{function} is not a function that alarmproof resolves",
        )

    def get_att(self, argument: Any) -> Any:
        """``Fn::GetAtt``: an ARN or a name stands for the resource; the rest is unknown."""
        parts = argument.split(".", 1) if isinstance(argument, str) else argument
        logical_id, attribute = str(parts[0]), self.text(parts[1])
        if logical_id not in self._stack.resources:
            return Unknown(f"{logical_id}.{attribute}", f"{logical_id} is not in this template")
        name = self.name(logical_id)
        if attribute.startswith("Outputs.") and self._type_of(logical_id) == STACK:
            output = self._stack.output_of(logical_id, attribute.removeprefix("Outputs."))
            if output is not None:
                return output
        if attribute.endswith(("Arn", "Name", "ApiId")) or attribute == "Ref":
            return Reference(name, name.stack, name.logical_id, attribute)
        return Unknown(f"{name}.{attribute}", f"the deployment decides {attribute} of {logical_id}")

    def _type_of(self, logical_id: str) -> str:
        entry = self._stack.resources.get(logical_id)
        return str(entry.get("Type")) if isinstance(entry, dict) else ""

    def join(self, argument: Any) -> Any:
        """``Fn::Join``."""
        separator, parts = argument
        listed = self.value(parts)
        if isinstance(listed, Unknown):
            return Unknown(f"Fn::Join({listed})", listed.why)
        if not isinstance(listed, list):
            raise ValueError("Fn::Join takes a separator and a list")
        self._spend(len(listed) * (1 + len(str(separator))))
        texts = [part if isinstance(part, str) else self._as_text(part) for part in listed]
        return self._joined(texts, str(separator), listed)

    def sub(self, argument: Any) -> Any:
        """``Fn::Sub``; ``${!Literal}`` stays as ``${Literal}``."""
        text, names = (argument, {}) if isinstance(argument, str) else argument
        parts: list[Any] = []
        position = 0
        for match in _SUBSTITUTED.finditer(str(text)):
            parts.append(text[position : match.start()])
            position = match.end()
            name = match[2].strip()
            if match[1]:
                parts.append(f"${{{match[2]}}}")
            elif name in names:
                parts.append(self.value(names[name]))
            else:
                parts.append(self.get_att(name) if "." in name else self._ref(name))
        parts.append(text[position:])
        filled = [part for part in parts if part != ""]
        if len(filled) == 1 and isinstance(filled[0], str):
            return filled[0]
        return self._joined([self._as_text(part) for part in filled], "", filled)

    def select(self, argument: Any) -> Any:
        """``Fn::Select``."""
        index, among = argument
        listed, number = self.value(among), self.value(index)
        if isinstance(listed, arns.Pieces) and not isinstance(number, Unknown):
            return arns.piece(listed, self._type_of(listed.of.logical_id), int(number))
        if isinstance(listed, Unknown) or isinstance(number, Unknown):
            why = unknown_in([listed, number])
            return Unknown(
                f"Fn::Select({number}, {self._as_text(listed)[:200]})", why.why if why else ""
            )
        if not isinstance(listed, list) or not 0 <= int(number) < len(listed):
            raise ValueError(f"Fn::Select of entry {number} of {self._as_text(listed)[:100]}")
        return listed[int(number)]

    def split(self, argument: Any) -> Any:
        """``Fn::Split``."""
        separator, of = argument
        text = self.value(of)
        if isinstance(text, Unknown) and str(separator) not in text:
            return Unknown(f"Fn::Split({text})", text.why)
        if not str(separator):
            raise ValueError("Fn::Split takes a separator")
        if isinstance(text, Reference) and str(separator) not in text:
            return arns.Pieces.made(text, str(separator))
        whole = self._as_text(text)
        self._spend(len(whole))
        return whole.split(str(separator))

    def choose(self, argument: Any) -> Any:
        """``Fn::If``."""
        name, then, otherwise = argument
        return self.value(then if self.conditions.holds(str(name)) else otherwise)

    def import_value(self, argument: Any) -> Any:
        """``Fn::ImportValue``, of what the templates given export."""
        name = self.text(argument)
        if name in self._exports:
            return self._exports[name]
        return Unknown(name, f"no template given exports '{name}'")

    def find_in_map(self, argument: Any) -> Any:
        """``Fn::FindInMap``, with a default where language extensions give one."""
        name, first, second = (self.value(part) for part in argument[:3])
        missing = unknown_in([name, first, second])
        row = self._stack.mappings.get(self._as_text(name), {}).get(self._as_text(first), {})
        if self._as_text(second) in row:
            return self.value(row[self._as_text(second)])
        if len(argument) > 3 and isinstance(argument[3], dict) and "DefaultValue" in argument[3]:
            return self.value(argument[3]["DefaultValue"])
        shown = ".".join(map(self._as_text, (name, first, second)))
        return Unknown(shown, missing.why if missing else f"the mapping has no {shown}")

    def base64(self, argument: Any) -> Any:
        """``Fn::Base64``: no alarm is made of it, so it stays readable."""
        return Unknown(self.text(argument), "Fn::Base64 is not resolved")

    def length(self, argument: Any) -> Any:
        """``Fn::Length`` of the language extensions."""
        listed = self.value(argument)
        if isinstance(listed, list):
            return len(listed)
        return Unknown(f"Fn::Length({self._as_text(listed)[:200]})", "the list is not known")

    def to_json(self, argument: Any) -> str:
        """``Fn::ToJsonString`` of the language extensions."""
        return _dumped(self.value(argument))


_FUNCTIONS: Mapping[str, Callable[[Resolver, Any], Any]] = {
    "Base64": Resolver.base64,
    "FindInMap": Resolver.find_in_map,
    "GetAtt": Resolver.get_att,
    "If": Resolver.choose,
    "ImportValue": Resolver.import_value,
    "Join": Resolver.join,
    "Length": Resolver.length,
    "Select": Resolver.select,
    "Split": Resolver.split,
    "Sub": Resolver.sub,
    "ToJsonString": Resolver.to_json,
}


def _dynamic(text: str) -> Unknown:
    """A dynamic reference, which CloudFormation resolves when it deploys."""
    match = _DYNAMIC.search(text)
    shown = match[1] if match else text
    return Unknown(text, f"{{{{resolve:{shown}}}}} is read when the stack is deployed")


def _dumped(value: Any) -> str:
    length = 0
    for leaf in leaves(value):
        length += len(leaf) if isinstance(leaf, str) else 8
        if length > LONGEST_TEXT:
            raise TooLargeError(f"a text of more than {LONGEST_TEXT:,} characters")
    return json.dumps(value, sort_keys=True, default=str)
