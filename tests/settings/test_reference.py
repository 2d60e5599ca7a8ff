"""The words of a key are those of its field."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from pydantic import AfterValidator, Field

from settings.forms import Form, Parsed
from settings.monitoring import Part, Severity
from settings.reference import Key, keys, parts
from settings.schema import Settings

_PARTS = list(parts(Settings))


class Dish(Part):
    name: Annotated[str, AfterValidator(Form("a dish's name", "[a-z]+"))]
    note: str = Field(default="", min_length=1, description="Said | sung.")


class Menu(Part):
    seats: int = Field(ge=1, le=8, description="Guests.")
    share: float = Field(default=0.5, gt=0, lt=1)
    least: int = Field(default=2, ge=2)
    most: int | None = Field(default=None, le=9)
    open: bool = False
    kind: Literal["cold", "hot"] | None = None
    dishes: list[Dish] = Field(default=[], max_length=3)
    extras: dict[Severity, list[Annotated[str, AfterValidator(Parsed("an extra", str.encode))]]] = (
        Field(default={})
    )


@pytest.mark.parametrize("part", _PARTS, ids=lambda part: part.__name__)
def test_every_key_has_a_description(part: type[Part]) -> None:
    """A key without one would be an empty cell."""
    assert [name for name, field in part.model_fields.items() if not field.description] == []


def test_parts_are_found_at_any_depth() -> None:
    """Parts in lists, in blocks and in parts have tables, too."""
    names = {part.__name__ for part in _PARTS}
    assert {"Settings", "Channel", "AlarmChange", "ExistingQueue", "QuietHours"} <= names
    assert list(parts(Menu)) == [Menu, Dish]


def test_a_key_is_described_by_its_field() -> None:
    """Type, limits, default and description of each kind of field."""
    assert keys(Menu) == [
        Key("seats", "integer, 1 to 8", "required", "Guests."),
        Key("share", "number, above 0 to below 1", "`0.5`", ""),
        Key("least", "integer, at least 2", "`2`", ""),
        Key("most", "integer, at most 9", "–", ""),  # noqa: RUF001
        Key("open", "`true` or `false`", "`false`", ""),
        Key("kind", '`"cold"` or `"hot"`', "–", ""),  # noqa: RUF001
        Key("dishes", "list, at most 3 items; each a block", "`[]`", ""),
        Key("extras", 'block: `"page"`, `"ticket"` or `"info"` → list; each an extra', "`{}`", ""),
    ]
    assert keys(Dish) == [
        Key("name", "a dish's name", "required", ""),
        Key("note", "text, not empty", '`""`', "Said | sung."),
    ]
