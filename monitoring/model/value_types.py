"""Checks that the values of a definition are of the types that its fields are annotated with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from math import isfinite
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

_WORDS = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "True or False",
    NoneType: "None",
    tuple: "a tuple, as in (first, second) or (only,)",
    Mapping: "a dict",
}
# More members than this are not listed.
_FEW = 8


def problems(record: object, *, apart: tuple[type, ...] = ()) -> Iterator[str]:
    """The values of a dataclass that are of another type, as ``field.field: problem``.

    Args:
        apart: dataclasses in it that are checked by themselves.
    """
    yield from _of_record(record, "", apart)


def _of_record(record: object, path: str, apart: tuple[type, ...]) -> Iterator[str]:
    kind: Any = type(record)
    for name, expected, plain in _fields(kind):
        value = getattr(record, name)
        if type(value) not in plain:
            yield from _of_value(value, expected, f"{path}{name}", apart)


@cache
def _fields(record: Any) -> list[tuple[str, Any, frozenset[type]]]:
    """The name and type of each field, and the types of values that need no further look."""
    hints = get_type_hints(record)
    return [
        (field.name, hints[field.name], frozenset(filter(_is_plain, _choices(hints[field.name]))))
        for field in fields(record)
    ]


def _is_plain(kind: Any) -> bool:
    return isinstance(kind, type) and (kind in (str, int, bool, NoneType) or issubclass(kind, Enum))


def _of_value(value: object, expected: Any, where: str, apart: tuple[type, ...]) -> Iterator[str]:
    matching = next((of for of in _kinds(expected) if _is(value, of[0])), None)
    if matching is None:
        yield f"{where}: is {_shortened(value)}; write {_in_words(value, expected)}"
        return
    kind, inner = matching
    if isinstance(value, float) and not isfinite(value):
        yield f"{where}: is {value}, which is not a finite number; write a number"
    elif isinstance(value, tuple):
        for place, item in enumerate(value):
            yield from _of_value(item, inner[0], f"{where}.{place}", apart)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _of_value(key, inner[0], where, apart)
            yield from _of_value(item, inner[1], f"{where}.{key}", apart)
    elif is_dataclass(kind) and kind not in apart:
        yield from _of_record(value, f"{where}.", apart)


@cache
def _kinds(expected: Any) -> list[tuple[Any, tuple[Any, ...]]]:
    """The classes that a value may be of, each with the types of what is in it."""
    return [(get_origin(choice) or choice, get_args(choice)) for choice in _choices(expected)]


def _choices(expected: Any) -> tuple[Any, ...]:
    return get_args(expected) if get_origin(expected) in (Union, UnionType) else (expected,)


def _is(value: object, kind: Any) -> bool:
    if kind is Callable:
        return callable(value)
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, int | float if kind is float else kind)


def _in_words(value: object, expected: Any) -> str:
    return " or ".join(_of_type(value, kind) for kind, _ in _kinds(expected))


def _of_type(value: object, kind: Any) -> str:
    if isinstance(kind, type) and issubclass(kind, Enum):
        members = [f"{kind.__name__}.{member.name}" for member in kind]
        same = [f"{kind.__name__}.{member.name}" for member in kind if member.value == value]
        if len(members) > _FEW and not same:
            return f"a {kind.__name__}, as in {members[0]}"
        return " or ".join(same or members)
    return _WORDS.get(kind) or f"{kind.__name__}(…)"


def _shortened(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:59]}…"
