"""YAML templates in one pass over the parser's events: values, and the lines of the resources.

It is bounded: aliases and merge keys (``<<``) multiply what a few lines hold, so values are counted
as often as they are used. Building from events needs no recursion and no tree of nodes in between.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from alarmproof.base.bounded_yaml import DEEPEST, MOST_NODES

_CORE = "tag:yaml.org,2002:"
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MERGE = "<<"
# Source: CloudFormation user guide, "Template format": no !!timestamp; dates are texts. Merge keys
# are handled where keys are.
_RESOLVERS = {
    first: [
        (tag.removeprefix(_CORE), form)
        for tag, form in resolvers
        if not tag.endswith((":timestamp", ":merge", ":value"))
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_CONSTRUCTOR = yaml.constructor.SafeConstructor()
_SCALARS = {
    "int": _CONSTRUCTOR.construct_yaml_int,
    "float": _CONSTRUCTOR.construct_yaml_float,
    "bool": _CONSTRUCTOR.construct_yaml_bool,
    "null": _CONSTRUCTOR.construct_yaml_null,
}
_CONTAINERS = {"map", "seq", "omap"}


@dataclass(slots=True)
class _Frame:
    """A mapping or list that is being built.

    Attributes:
        count: values in it, aliases followed; ``height``: how deep they are nested.
        path: of keys that lead to it; kept for the two topmost levels.
    """

    value: dict[str, Any] | list[Any]
    tag: str | None
    anchor: str | None
    key: str | None = None
    count: int = 1
    height: int = 1
    merged: list[Any] | None = None


class _Builder:
    """Builds values of events.

    Attributes:
        lines: of the keys below ``Resources``, counted from 1.
    """

    def __init__(self) -> None:
        self.root: Any = None
        self.lines: dict[str, int] = {}
        self._open: list[_Frame] = []
        # Value, count and height, by anchor; None while it is being built.
        self._anchors: dict[str, tuple[Any, int, int] | None] = {}
        self._total = 0
        self._documents = 0

    def feed(self, event: Any) -> None:
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            self._start(event)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            self._end()
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise ValueError(f"line {_line(event)}: a second document in one file")

    def _scalar(self, event: Any) -> None:
        frame = self._open[-1] if self._open else None
        if frame is not None and isinstance(frame.value, dict) and frame.key is None:
            self._key(frame, event)
            return
        value = _typed(event)
        if event.anchor:
            self._anchors[event.anchor] = (value, 1, 1)
        self._add(value, 1, 1)

    def _key(self, frame: _Frame, event: Any) -> None:
        frame.key = event.value
        if len(self._open) == 2 and self._open[0].key == "Resources":
            line = _line(event)
            if event.value in self.lines:
                raise ValueError(
                    f"line {line}: the resource '{event.value}' is on line "
                    f"{self.lines[event.value]} already"
                )
            self.lines[event.value] = line
        if event.anchor:
            self._anchors[event.anchor] = (event.value, 1, 1)

    def _start(self, event: Any) -> None:
        frame = self._open[-1] if self._open else None
        if frame is not None and isinstance(frame.value, dict) and frame.key is None:
            raise ValueError(f"line {_line(event)}: a key that is not a text")
        if len(self._open) >= DEEPEST:
            raise ValueError(f"nested more than {DEEPEST} levels deep")
        value: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
        if event.anchor:
            self._anchors[event.anchor] = None
        self._open.append(_Frame(value, event.tag, event.anchor))

    def _end(self) -> None:
        frame = self._open.pop()
        if isinstance(frame.value, dict) and frame.merged:
            frame.value = _merge(frame.merged, frame.value)
        value = _tagged(frame.tag, frame.value)
        if frame.anchor:
            self._anchors[frame.anchor] = (value, frame.count, frame.height)
        # Its own values are in the total already.
        self._total -= frame.count - 1
        self._add(value, frame.count, frame.height)

    def _alias(self, event: Any) -> None:
        if event.anchor not in self._anchors:
            raise ValueError(f"line {_line(event)}: the alias '{event.anchor}' has no anchor")
        known = self._anchors[event.anchor]
        if known is None:
            raise ValueError(
                f"line {_line(event)}: nested more than {DEEPEST} levels deep, or an alias of "
                "itself"
            )
        frame = self._open[-1] if self._open else None
        if frame is not None and isinstance(frame.value, dict) and frame.key is None:
            if not isinstance(known[0], str):
                raise ValueError(f"line {_line(event)}: a key that is not a text")
            frame.key = known[0]
            return
        self._add(*known)

    def _add(self, value: Any, count: int, height: int) -> None:
        self._total += count
        if self._total > MOST_NODES:
            raise ValueError(f"more than {MOST_NODES:,} values, aliases followed")
        if not self._open:
            self.root = value
            return
        frame = self._open[-1]
        frame.count += count
        frame.height = max(frame.height, height + 1)
        if len(self._open) + height > DEEPEST:
            raise ValueError(f"nested more than {DEEPEST} levels deep")
        if isinstance(frame.value, list):
            frame.value.append(value)
            return
        assert frame.key is not None
        if frame.key == _MERGE:
            merged = value if isinstance(value, list) else [value]
            frame.merged = [*(frame.merged or ()), *merged]
        else:
            frame.value[frame.key] = value
        frame.key = None


def load(text: str) -> tuple[Any, dict[str, int]]:
    """A template's value with CloudFormation's short forms, and the lines of its resources.

    Raises:
        ValueError: When it can't be parsed, or holds too much.
    """
    builder = _Builder()
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            builder.feed(event)
    except yaml.YAMLError as error:
        raise ValueError(_described(error)) from None
    return builder.root, builder.lines


def _described(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    what = getattr(error, "problem", None) or str(error).replace("\n", " ")
    return f"line {mark.line + 1}: {what}" if mark else str(what)


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _merge(merged: list[Any], own: dict[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for mapping in reversed(merged):
        if not isinstance(mapping, dict):
            raise ValueError("a merge key (<<) of something that is not a mapping")
        result |= mapping
    return result | own


def _typed(event: Any) -> Any:
    """A scalar as a number, a truth value, nothing or a text."""
    tag, text = event.tag, event.value
    if tag is None or tag == "!":
        if not event.implicit[0]:
            return text
        if text.isdigit() and text.isascii() and (text[0] != "0" or text == "0"):
            return int(text)
        for kind, form in _RESOLVERS.get(text[:1], ()):
            if form.match(text):
                return _SCALARS[kind](yaml.ScalarNode(f"{_CORE}{kind}", text))
        return text
    if tag.startswith(_CORE):
        kind = tag.removeprefix(_CORE)
        if kind == "str":
            return text
        if kind in _SCALARS:
            return _SCALARS[kind](yaml.ScalarNode(tag, text))
    return _tagged(tag, text)


def _tagged(tag: str | None, value: Any) -> Any:
    """``!Ref x`` as ``{"Ref": "x"}``."""
    if tag is None or tag == "!":
        return value
    if tag.startswith(_CORE):
        if tag.removeprefix(_CORE) in _CONTAINERS:
            return value
        raise ValueError(f"the tag '{tag}' is not one of CloudFormation's")
    name = tag.removeprefix("!")
    return {name if name in ("Ref", "Condition") else f"Fn::{name}": value}
