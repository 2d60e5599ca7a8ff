"""Measured values as a person reads them, and as CloudWatch's sentences hold them."""

from __future__ import annotations

import math
import re

from lambdas.alarm_events import Reading

# "62.0 (24/11/26 03:11:00)", day first. Numbers are Java's: 1.5E-5.
_DATAPOINT = re.compile(r"(-?\d+(?:\.\d+)?(?:E-?\d+)?) \((\d\d)/(\d\d)/(\d\d) (\d\d:\d\d:\d\d)\)")
_MISSING = re.compile(r"(\d+) missing datapoints? (?:was|were) treated as \[Breaching\]")
_TIME_UNITS = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))
_SIDES = {"LessThanThreshold": "below ", "LessThanOrEqualToThreshold": "at most "}


def value_in(reason: str, unit: str, counted: str = "") -> str | None:
    """The most recent value in CloudWatch's sentence, in words; None if it has none.

    Args:
        counted: what a count counts, in the plural; of a share, what is so much of what.
    """
    said = []
    datapoints = _DATAPOINT.findall(reason)
    if datapoints:
        value, *_ = max(
            datapoints,
            key=lambda datapoint: (datapoint[3], datapoint[2], datapoint[1], datapoint[4]),
        )
        said.append(with_noun(float(value), unit, counted))
    elif "no datapoints were received" in reason:
        return "no data"
    if missing := _MISSING.search(reason):
        said.append(f"no data in {missing[1]} {'period' if missing[1] == '1' else 'periods'}")
    return ", ".join(said) or None


def with_noun(value: float, unit: str, counted: str) -> str:
    """``2 failed attempts``, ``1 failed attempt``, ``62 % of the attempts failed``."""
    said = amount(value, unit)
    if not counted:
        return said
    if unit == "Count" and value == 1:  # each noun of a count's phrase is in the plural
        counted = re.sub(r"(?<=[a-z])(?<!s)s\b", "", counted)
    return f"{said} {counted}"


def threshold_in(reading: Reading, unit: str) -> str | None:
    """The threshold in words; ``below`` where it is crossed downwards."""
    if reading.threshold is None:
        return None
    return side(reading.comparison) + amount(reading.threshold, unit)


def side(comparison: str) -> str:
    """What is said before a threshold that is crossed downwards, by CloudWatch's comparison."""
    return _SIDES.get(comparison, "")


def amount(value: float, unit: str) -> str:
    """A value in words: ``5 min 20 s``, ``62 %``, ``1,200``."""
    if unit == "Percent":
        return f"{_number(value)} %"
    if unit == "Count" or not math.isfinite(value):
        return _number(value)
    return duration(value / 1000 if unit == "Milliseconds" else value)


def duration(seconds: float) -> str:
    """A span in its two largest units: ``2 h 5 min``, ``5 min 20 s``, ``850 ms``."""
    if seconds < 0:
        return f"-{duration(-seconds)}"
    if seconds < 1:
        return f"{_number(1000 * seconds)} ms" if seconds else "0 s"
    if seconds < 60:
        return f"{_number(seconds)} s"
    said: list[str] = []
    left = round(seconds)
    for name, size in _TIME_UNITS:
        whole, left = divmod(left, size)
        if said or whole:
            said.append(f"{whole} {name}" if whole else "")
    return " ".join(filter(None, said[:2]))


def ordinal(number: int) -> str:
    """``2nd``, ``11th``."""
    ends = {1: "st", 2: "nd", 3: "rd"}
    return f"{number}{'th' if number % 100 in (11, 12, 13) else ends.get(number % 10, 'th')}"


def _number(value: float) -> str:
    """Three significant digits, or all before the point."""
    return f"{value:.3g}" if abs(value) < 99.95 else f"{value:,.0f}"
