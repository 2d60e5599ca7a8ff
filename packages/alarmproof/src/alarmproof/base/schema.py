"""CloudFormation's schema of CloudWatch's alarms, applied to resolved properties.

The schema is ``data/alarm_schema.json``, which ``tools/extract_schema.py`` writes. Of JSON Schema
it uses a part: what is applied here, and the test of the package says that there is no more.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any

from alarmproof.base.known import CUSTOM
from alarmproof.base.values import NO_VALUE, Unknown

# The keywords that are applied.
APPLIED = frozenset(
    (
        "$ref", "type", "properties", "items", "required", "enum", "pattern", "minLength",
        "maxLength", "minimum", "maximum", "minItems", "maxItems", "maxUniqueItems", "uniqueItems",
        "dependentExcluded", "requiredXor", "oneOf",
    )
)  # fmt: skip
_SHOWN = 60


@cache
def _schemas() -> Mapping[str, Any]:
    data = resources.files("alarmproof").joinpath("data/alarm_schema.json").read_text("utf-8")
    loaded: Mapping[str, Any] = json.loads(data)
    return loaded


def units() -> tuple[str, ...]:
    """The units that CloudWatch has."""
    alarm = _schemas()["AWS::CloudWatch::Alarm"]
    return tuple(alarm["properties"]["Unit"]["enum"])


Violation = tuple[str, str]


def violations(kind: str, properties: Mapping[str, Any]) -> Iterator[Violation]:
    """What CloudFormation refuses: the property and a sentence; what is unknown is not judged.

    Args:
        kind: a resource type; nothing is said about one without a schema.
        properties: resolved.
    """
    schema = _schemas().get(kind)
    if schema is not None and kind not in CUSTOM:
        yield from _Check(schema).value("", properties, schema)


def unknown_names(kind: str, properties: Mapping[str, Any]) -> Iterator[tuple[str, str, list[str]]]:
    """Properties that a type does not have: where, the name, and the names that it has there."""
    schema = _schemas().get(kind)
    if schema is not None:
        yield from _unknown_names("", properties, schema, schema.get("definitions", {}))


def _unknown_names(
    where: str, value: Any, schema: Mapping[str, Any], definitions: Mapping[str, Any]
) -> Iterator[tuple[str, str, list[str]]]:
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    if isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _unknown_names(
                f"{where}[{number}]", inner, schema.get("items", {}), definitions
            )
    elif isinstance(value, Mapping) and "properties" in schema:
        for name, inner in value.items():
            if name in schema["properties"]:
                below = schema["properties"][name]
                yield from _unknown_names(_path(where, name), inner, below, definitions)
            else:
                yield where, str(name), list(schema["properties"])


class _Check:
    def __init__(self, root: Mapping[str, Any]) -> None:
        self._definitions = root.get("definitions", {})

    def value(self, where: str, value: Any, schema: Mapping[str, Any]) -> Iterator[Violation]:
        """One value, and all within it."""
        if "$ref" in schema:
            schema = self._definitions[schema["$ref"].rpartition("/")[2]]
        if isinstance(value, Unknown) or value is NO_VALUE or value is None:
            return
        if isinstance(value, Mapping):
            if schema.get("type", "object") == "object":
                yield from self._object(where, value, schema)
        elif isinstance(value, list):
            if schema.get("type") == "array":
                yield from self._list(where, value, schema)
        else:
            yield from _scalar(where, value, schema)

    def _object(
        self, where: str, value: Mapping[str, Any], schema: Mapping[str, Any]
    ) -> Iterator[Violation]:
        there = {name for name, inner in value.items() if inner is not None}
        for name in schema.get("required", ()):
            if name not in there:
                yield where, f"{where or 'It'} has no {name}."
        excluding = schema.get("dependentExcluded", {})
        pairs = {tuple(sorted((name, other))) for name, others in excluding.items()
                 for other in others}  # fmt: skip
        # CloudFormation takes an empty list for none.
        filled = {name for name in there if value[name] != []}
        for name, other in sorted(pairs):
            if name in filled and other in filled:
                yield where, f"{_path(where, name)} and {other} exclude each other."
        alternatives = [alternative["required"][0] for alternative in schema.get("oneOf", ())]
        for names in filter(None, (schema.get("requiredXor"), alternatives)):
            given = sorted(there & set(names))
            if len(given) != 1:
                shown = ", ".join(given) or "none"
                yield where, f"Exactly one of {', '.join(names)} is needed; here it is: {shown}."
        for name, inner in schema.get("properties", {}).items():
            if name in there:
                yield from self.value(_path(where, name), value[name], inner)

    def _list(self, where: str, value: list[Any], schema: Mapping[str, Any]) -> Iterator[Violation]:
        known = not any(isinstance(inner, Unknown) for inner in value)
        most = schema.get("maxItems", schema.get("maxUniqueItems"))
        if known and most is not None and len(value) > most:
            yield where, f"{where} has {len(value)} elements; at most {most} are allowed."
        if known and len(value) < schema.get("minItems", 0):
            yield where, f"{where} has {len(value)} elements; {schema['minItems']} are needed."
        if schema.get("uniqueItems") and known:
            shown = [json.dumps(inner, sort_keys=True, default=str) for inner in value]
            if len(set(shown)) < len(shown):
                yield where, f"{where} has an element twice."
        for number, inner in enumerate(value[: most or len(value)]):
            yield from self.value(f"{where}[{number}]", inner, schema.get("items", {}))


def _scalar(where: str, value: Any, schema: Mapping[str, Any]) -> Iterator[Violation]:
    """CloudFormation takes "5" for 5 and "true" for true, so that only the content is judged."""
    text = str(value)
    kind = schema.get("type")
    if kind in ("number", "integer"):
        yield from _numeric(where, text, schema)
    elif kind == "string":
        if len(text) > schema.get("maxLength", len(text)):
            most = schema["maxLength"]
            yield where, f"{where} has {len(text)} characters; at most {most} are allowed."
        if len(text) < schema.get("minLength", 0):
            yield where, f"{where} is empty."
        elif "pattern" in schema and not re.search(schema["pattern"], text):
            yield where, f"{where} '{_short(text)}' does not match {schema['pattern']}."
    allowed = schema.get("enum")
    if allowed is not None and text not in allowed:
        yield where, f"{where} '{_short(text)}' is not one of {', '.join(allowed)}."


def _numeric(where: str, text: str, schema: Mapping[str, Any]) -> Iterator[Violation]:
    try:
        number = float(text)
    except ValueError:
        yield where, f"{where} '{_short(text)}' is not a number."
        return
    if number < schema.get("minimum", number):
        yield where, f"{where} is {_short(text)}; at least {schema['minimum']} is needed."
    if number > schema.get("maximum", number):
        yield where, f"{where} is {_short(text)}; at most {schema['maximum']} is allowed."


def _path(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
