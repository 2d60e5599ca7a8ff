"""Conditions of a template, and the worlds in which they differ where a value is not known.

A world gives each unknown parameter that a condition asks about one value: of those it allows, or
that it is compared with, or something else. So two conditions that exclude each other do so in
every world.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

World = Mapping[str, Any]

# Worlds that one template is read in.
MOST_WORLDS = 16
_OTHER = "(another value)"


class CircularError(ValueError):
    """When a condition refers to itself."""


class Conditions:
    """The conditions of one template in one world."""

    def __init__(self, declared: Mapping[str, Any], resolve: Callable[[Any], Any]) -> None:
        self._declared = declared
        self._resolve = resolve
        self._known: dict[str, bool | None] = {}

    def holds(self, name: str) -> bool:
        """Whether a condition holds; one that is not declared does not.

        Raises:
            CircularError: When it refers to itself.
        """
        if name not in self._known:
            self._known[name] = None
            self._known[name] = self._evaluate(self._declared.get(name, False))
        known = self._known[name]
        if known is None:
            raise CircularError(f"the condition '{name}' refers to itself")
        return known

    def _evaluate(self, expression: Any) -> bool:
        if isinstance(expression, dict) and len(expression) == 1:
            [(function, argument)] = expression.items()
            if function == "Condition":
                return self.holds(str(argument))
            if function == "Fn::Equals" and isinstance(argument, list) and len(argument) == 2:
                left, right = (_comparable(self._resolve(side)) for side in argument)
                return bool(left == right)
            parts = argument if isinstance(argument, list) else [argument]
            if function == "Fn::Not":
                return not self._evaluate(parts[0])
            if function == "Fn::And":
                return all(map(self._evaluate, parts))
            if function == "Fn::Or":
                return any(map(self._evaluate, parts))
        return bool(_comparable(self._resolve(expression)) == "true")


def _comparable(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float | str) else value


def used(value: Any) -> Iterator[str]:
    """The names of the conditions that an entry of a template asks for."""
    pending = [value]
    while pending:
        inner = pending.pop()
        if isinstance(inner, list):
            pending += inner
        elif isinstance(inner, dict):
            for key, part in inner.items():
                if key == "Condition" and isinstance(part, str):
                    yield part
                elif key == "Fn::If" and isinstance(part, list) and part:
                    yield str(part[0])
                pending.append(part)


def worlds(
    names: Iterable[str],
    declared: Mapping[str, Any],
    parameters: Mapping[str, Any],
    mappings: Mapping[str, Any],
    is_known: Callable[[str], bool],
) -> list[World]:
    """The worlds in which conditions may differ; a single empty one where all is known.

    Args:
        names: of the conditions that matter.
        declared: the template's ``Conditions``.
        is_known: whether a parameter or pseudo parameter has a value.
    """
    asked = _Asked(declared, mappings)
    for name in dict.fromkeys(names):
        asked.condition(name)
    candidates: dict[str, list[Any]] = {}
    for name, compared in asked.compared.items():
        if is_known(name):
            continue
        entry = parameters.get(name)
        allowed = entry.get("AllowedValues") if isinstance(entry, dict) else None
        if isinstance(allowed, list) and allowed:
            candidates[name] = allowed[:MOST_WORLDS]
        else:
            candidates[name] = [*compared, _OTHER][:MOST_WORLDS]
    combined = itertools.product(*candidates.values())
    return [
        dict(zip(candidates, values, strict=True))
        for values in itertools.islice(combined, MOST_WORLDS)
    ]


def depends_on_parameters(
    names: Iterable[str], declared: Mapping[str, Any], mappings: Mapping[str, Any]
) -> bool:
    """Whether conditions ask for any parameter or pseudo parameter."""
    asked = _Asked(declared, mappings)
    for name in names:
        asked.condition(name)
    return bool(asked.compared)


class _Asked:
    """Collects what conditions compare parameters with.

    Attributes:
        compared: by parameter, the values that it is compared with, in the order met.
    """

    def __init__(self, declared: Mapping[str, Any], mappings: Mapping[str, Any]) -> None:
        self.compared: dict[str, list[Any]] = {}
        self._declared, self._mappings = declared, mappings
        self._seen: set[str] = set()

    def condition(self, name: str) -> None:
        if name in self._seen:
            return
        self._seen.add(name)
        self._walk(self._declared.get(name))

    def _walk(self, value: Any) -> None:
        pending = [value]
        while pending:
            inner = pending.pop()
            if isinstance(inner, list):
                pending += inner
                continue
            if not isinstance(inner, dict):
                continue
            for key, part in inner.items():
                if key == "Condition" and isinstance(part, str):
                    self.condition(part)
                elif key == "Ref" and isinstance(part, str):
                    self.compared.setdefault(part, [])
                elif key == "Fn::Equals" and isinstance(part, list) and len(part) == 2:
                    self._equals(part)
                elif key == "Fn::FindInMap" and isinstance(part, list):
                    self._mapped(part)
                pending.append(part)

    def _equals(self, sides: list[Any]) -> None:
        for side, other in (sides, reversed(sides)):
            name = _parameter(side)
            if name and isinstance(other, str | int | float):
                self._add(name, [other])

    def _mapped(self, arguments: list[Any]) -> None:
        mapping = self._mappings.get(str(arguments[0])) if arguments else None
        if not isinstance(mapping, dict) or len(arguments) < 3:
            return
        if name := _parameter(arguments[1]):
            self._add(name, mapping)
        if name := _parameter(arguments[2]):
            for row in mapping.values():
                self._add(name, row if isinstance(row, dict) else ())

    def _add(self, name: str, values: Iterable[Any]) -> None:
        known = self.compared.setdefault(name, [])
        known += [value for value in values if value not in known]


def _parameter(value: Any) -> str | None:
    if isinstance(value, dict) and len(value) == 1 and isinstance(value.get("Ref"), str):
        return str(value["Ref"])
    return None
