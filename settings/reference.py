"""Every key in words: what may be written for it, its default, and its description."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from pydantic import AfterValidator, BaseModel
from pydantic.fields import FieldInfo

from settings.forms import Form, Parsed

_KINDS = {bool: "`true` or `false`", int: "integer", float: "number", str: "text"}


@dataclass(frozen=True)
class Key:
    """One key of a part, in Markdown."""

    name: str
    value: str
    default: str
    description: str


def parts(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """A model, and every model that its keys hold."""
    yield model
    for field in model.model_fields.values():
        for below in _models(field.annotation):
            yield from parts(below)


def keys(model: type[BaseModel]) -> list[Key]:
    """A part's keys, in the order of their fields."""
    return [
        Key(
            name, _value(field.annotation, field.metadata), _default(field), field.description or ""
        )
        for name, field in model.model_fields.items()
    ]


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    return "–" if field.default is None else f"`{json.dumps(field.default)}`"  # noqa: RUF001


def _value(annotation: Any, metadata: list[Any]) -> str:
    """What may be written for a key: ``integer, 2 to 1000``."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _value(arguments[0], [*arguments[1:], *metadata])
    if origin in (Union, UnionType):
        kinds = [_value(kind, metadata) for kind in arguments if kind is not NoneType]
        return " or ".join(dict.fromkeys(kinds))
    if origin is Literal:
        return _choice(arguments)
    if origin is list:
        return f"list{_limits(metadata, ' items')}; each {_value(arguments[0], [])}"
    if origin is dict:
        name, item = (_value(argument, []) for argument in arguments)
        return f"block: {name} → {item}"
    words = [_words(check) for check in metadata if isinstance(check, AfterValidator)]
    if words:
        return words[0]
    return _KINDS.get(annotation, "a block") + _limits(metadata, " characters")


def _words(check: AfterValidator) -> str:
    form = check.func
    return form.words if isinstance(form, Form | Parsed) else "text"


def _choice(values: tuple[Any, ...]) -> str:
    *most, last = (f"`{json.dumps(value)}`" for value in values)
    return f"{', '.join(most)} or {last}" if most else last


def _limits(metadata: list[Any], counted: str) -> str:
    """``, 2 to 1000`` for a number; ``, 1 to 10 items`` for what has a length."""
    low = high = unit = ""
    for limit in metadata:
        match limit:
            case Ge(ge=bound):
                low = f"{bound}"
            case Gt(gt=bound):
                low = f"above {bound}"
            case Le(le=bound):
                high = f"{bound}"
            case Lt(lt=bound):
                high = f"below {bound}"
            case MinLen(min_length=1):
                return ", not empty"
            case MinLen(min_length=bound):
                low, unit = f"{bound}", counted
            case MaxLen(max_length=bound):
                high, unit = f"{bound}", counted
    if low and high:
        return f", {low} to {high}{unit}"
    return f", at least {low}{unit}" if low else f", at most {high}{unit}" if high else ""
