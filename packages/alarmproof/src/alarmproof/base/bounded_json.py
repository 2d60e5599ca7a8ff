"""Reads JSON so that what can't be read is said with its line, and in this package's words."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

# Python reads integers of up to 4,300 digits.
_LONG_NUMBER = re.compile(r"(?<!\d)\d{4301,}")


def load(text: str, parse_constant: Callable[[str], Any] | None = None) -> Any:
    """The text as plain data.

    Args:
        parse_constant: takes ``NaN`` and the infinities.

    Raises:
        json.JSONDecodeError: When it is not JSON.
        ValueError: When it has a number that can't be read; it says where.
    """
    try:
        return json.loads(text, parse_constant=parse_constant)
    except json.JSONDecodeError:
        raise
    except ValueError:
        number = _LONG_NUMBER.search(text)
        if number is None:
            raise
        line = text.count("\n", 0, number.start()) + 1
        raise ValueError(f"line {line}: a number of {len(number[0]):,} digits") from None
