"""Several values become one: over resources, over time, over all that is shown."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


def reduced(values: Values, how: str, axis: int) -> Values:
    """Along an axis; NaN is missing, and of nothing but missing values comes NaN.

    Args:
        how: ``sum``, ``count``, ``max``, ``min``; anything else is the average.
    """
    there = ~np.isnan(values)
    number = there.sum(axis=axis)
    filled = np.where(there, values, 0.0)
    if how in ("sum", "count"):
        made = filled.sum(axis=axis)
    elif how == "max":
        made = np.where(there, values, -np.inf).max(axis=axis)
    elif how == "min":
        made = np.where(there, values, np.inf).min(axis=axis)
    else:
        made = filled.sum(axis=axis) / np.maximum(number, 1)
    return np.where(number > 0, made, np.nan)


def aggregated(values: Values, aggregator: str) -> float:
    """One number of a whole stretch; NaN without values."""
    there = values[~np.isnan(values)]
    if aggregator == "last" and len(there):
        return float(there[-1])
    return float(reduced(values, aggregator, 0))


def rounded(values: Values) -> list[float | None]:
    """For JSON: to six digits, None where a value is missing."""
    return [None if np.isnan(value) else float(f"{value:.6g}") for value in values]
