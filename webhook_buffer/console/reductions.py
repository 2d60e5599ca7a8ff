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
    there = np.isfinite(values)
    size = np.abs(values, where=there & (values != 0), out=np.ones_like(values))
    scale = 10.0 ** (5 - np.floor(np.log10(size)))
    with np.errstate(invalid="ignore"):
        made = np.round(values * scale) / scale
    if there.all():
        listed: list[float | None] = made.tolist()
        return listed
    return [
        value if known else None for value, known in zip(made.tolist(), there.tolist(), strict=True)
    ]
