"""``Fn::ForEach`` of the language extensions, written out before anything else is resolved.

Source: CloudFormation template reference, "Fn::ForEach": ``${Name}`` and ``&{Name}`` in keys and
values stand for the element, the latter without what is not alphanumeric.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

_PREFIX = "Fn::ForEach::"
# Entries that all loops of one template may make. Source: CloudFormation user guide, "Understand
# CloudFormation quotas": a template has at most 500 resources.
MOST_ENTRIES = 20_000


class Loops:
    """Writes out the loops of one template.

    Attributes:
        lines: of the entries made, where the loop has one.
        unresolved: keys of loops about CloudWatch whose collection is not known, with the reason.
    """

    def __init__(self, resolve: Callable[[Any], Any], lines: Mapping[str, int]) -> None:
        self._resolve = resolve
        self.lines: dict[str, int] = dict(lines)
        self.unresolved: dict[str, str] = {}
        self._made = 0

    def expand(self, entries: Mapping[str, Any]) -> dict[str, Any]:
        """The entries of a section, with every loop in them written out.

        Raises:
            ValueError: When a loop is malformed or makes too much.
        """
        return self._mapping(entries, {}, None)

    def _mapping(
        self, entries: Mapping[str, Any], names: Mapping[str, str], line: int | None
    ) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for key, value in entries.items():
            at = line or self.lines.get(key)
            if key.startswith(_PREFIX):
                for name, entry in self._loop(key, value, names, at):
                    made[name] = entry
                    if at:
                        self.lines.setdefault(name, at)
            else:
                made[_filled(key, names)] = self._value(value, names, line)
        return made

    def _value(self, value: Any, names: Mapping[str, str], line: int | None) -> Any:
        if isinstance(value, list):
            return [self._value(inner, names, line) for inner in value]
        if isinstance(value, str):
            return _filled(value, names) if names else value
        if not isinstance(value, dict):
            return value
        referred = value.get("Ref") if len(value) == 1 else None
        if isinstance(referred, str) and referred in names:
            return names[referred]
        if names or any(isinstance(key, str) and key.startswith(_PREFIX) for key in value):
            return self._mapping(value, names, line)
        return {key: self._value(inner, names, line) for key, inner in value.items()}

    def _loop(
        self, key: str, loop: Any, names: Mapping[str, str], line: int | None
    ) -> Iterator[tuple[str, Any]]:
        if not (isinstance(loop, list) and len(loop) == 3 and isinstance(loop[2], dict)):
            raise ValueError(f"{key} takes a name, a list and a mapping")
        name, collection, body = str(loop[0]), loop[1], loop[2]
        elements = self._resolve(self._value(collection, names, line))
        if not isinstance(elements, list):
            if "AWS::CloudWatch::" in json.dumps(body, default=str):
                self.unresolved[key] = getattr(elements, "why", "its list is not known")
            return
        for element in elements:
            for made in self._mapping(body, {**names, name: str(element)}, line).items():
                self._made += 1
                if self._made > MOST_ENTRIES:
                    raise ValueError(f"{key} makes more than {MOST_ENTRIES:,} entries")
                yield made


def _filled(text: str, names: Mapping[str, str]) -> str:
    if "{" not in text:
        return text

    def element(match: re.Match[str]) -> str:
        value = names.get(match[2])
        if value is None:
            return match[0]
        return re.sub(r"[^A-Za-z0-9]", "", value) if match[1] == "&" else value

    return re.sub(r"([$&])\{([A-Za-z0-9]+)\}", element, text)


def has_loops(document: Mapping[str, Any]) -> bool:
    """Whether a template has a loop: only then is it worth going through it."""
    pending: list[Any] = [document]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            if any(isinstance(key, str) and key.startswith(_PREFIX) for key in value):
                return True
            pending += value.values()
        elif isinstance(value, list):
            pending += value
    return False
