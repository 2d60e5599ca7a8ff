"""Series and times as cases write them."""

from __future__ import annotations

import math

import pytest
from alarmproof import notation

_ = math.nan


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5", [5]),
        ("0x2", [0, 0, 0]),
        ("1+2x3", [1, 3, 5, 7]),
        ("9-4x2", [9, 5, 1]),
        ("_", [_]),
        ("_x2 1.5", [_, _, 1.5]),
        ("3 _x0", [3]),
        ("-1 -2x1 1e3", [-1, -2, -2, 1000]),
        ("0x3 5+5x2 _x2 7", [0, 0, 0, 0, 5, 10, 15, _, _, 7]),
    ],
)
def test_notation(text: str, expected: list[float]) -> None:
    """Values are written as promtool has them: the first, and how many more."""
    assert list(notation.values(text)) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    "text", ["", "x3", "1+2", "stale", "1..2", "5x", "0x9999999", "_x0", "1e999", "1e308+1e308x9"]
)
def test_what_is_no_value(text: str) -> None:
    """Anything else is refused, with what may be written, or that it is too much."""
    with pytest.raises(ValueError, match=r"write|more than"):
        notation.values(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0m", 0), ("90m", 5400), ("1h30m", 5400), ("1h 30m", 5400), ("2d", 172_800)],
)
def test_times(text: str, seconds: int) -> None:
    """Times are whole minutes, in the units that people use."""
    assert notation.seconds(text) == seconds
    assert notation.seconds(notation.duration(seconds)) == seconds
