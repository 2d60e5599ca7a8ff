"""Series and times as people write them in test cases.

Source of the notation: Prometheus' documentation, "Unit testing for rules" (promtool).
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime

import numpy as np

from alarmproof.base.arrays import Values

# Values that one case may hold: a year of minutes.
MOST = 530_000
# A case's values are below; doubling one never overflows.
LARGEST = 1e300
_NUMBER = r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?"
_ITEM = re.compile(
    rf"(?:(?P<start>{_NUMBER})(?:(?P<sign>[+-])(?P<step>\d+(?:\.\d+)?(?:[eE][-+]?\d+)?))?|(?P<missing>_))"
    r"(?:x(?P<times>\d+))?"
)
_TIME = re.compile(r"(?:(\d{1,6})d)?\s*(?:(\d{1,6})h)?\s*(?:(\d{1,8})m)?\s*(?:(\d{1,8})s)?")
# Seconds of evaluations and samples are multiples of this.
GRAIN = 10


def values(text: str) -> Values:
    """``0x3 5+5x2 _x2 7`` is ``0 0 0 0 5 10 15 missing missing 7``; NaN is missing.

    A number repeated N times comes N + 1 times, for it is the first and N more; ``_xN`` is N
    missing values.

    Raises:
        ValueError: When an item is none of these; it names the item.
    """
    parts: list[Values] = []
    total = 0
    for item in text.split():
        match = _ITEM.fullmatch(item)
        if not match or (match["step"] and not match["times"]):
            raise ValueError(
                f"'{item}' is not a value; write 5, 5x3, 5+2x3, 5-2x3, _ (missing) or _x3"
            )
        times = match["times"]
        count = int(times or 0) + 1
        if match["missing"]:
            count = int(times or 1)
        total += count
        if total > MOST:
            raise ValueError(f"'{item}' makes more than {MOST:,} values")
        if match["missing"]:
            parts.append(np.full(count, np.nan))
            continue
        step = float(match["step"] or 0) * (-1 if match["sign"] == "-" else 1)
        first = float(match["start"])
        if not math.isfinite(first + step * count):
            raise ValueError(f"'{item}' is too large a number; write one below 1e300")
        parts.append(np.array(first + step * np.arange(count), np.float64))
    if not total:
        raise ValueError("the values are empty; write at least one")
    return np.concatenate(parts)


def seconds(text: str) -> int:
    """``90m``, ``1h30m``, ``2d``, ``30s`` in seconds; multiples of ten seconds.

    Raises:
        ValueError: When it is not such a duration.
    """
    match = _TIME.fullmatch(text.strip())
    parts = [int(part or 0) for part in match.groups()] if match and any(match.groups()) else None
    if parts is None or parts[3] % GRAIN:
        raise ValueError(
            f"'{text}' is not a duration; write 5m, 1h30m, 2d, or multiples of 10s such as 30s"
        )
    days, hours, minutes, rest = parts
    return rest + 60 * (minutes + 60 * (hours + 24 * days))


def duration(value: int) -> str:
    """Seconds as ``1h 30m``; the way cases write them."""
    minutes, rest = divmod(value, 60)
    parts = [
        (minutes // 1440, "d"), (minutes // 60 % 24, "h"), (minutes % 60, "m"), (rest, "s"),
    ]  # fmt: skip
    return " ".join(f"{number}{unit}" for number, unit in parts if number) or "0m"


def moment(text: str) -> int:
    """ISO 8601 in Unix seconds; UTC where no offset is given.

    Raises:
        ValueError: When it is something else, or not a multiple of ten seconds.
    """
    try:
        parsed = datetime.fromisoformat(text.strip())
        at = (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        at = 0.5
    if at % GRAIN or at < 0:
        raise ValueError(f"'{text}' is not a time; write 2026-05-01T08:00Z")
    return round(at)
