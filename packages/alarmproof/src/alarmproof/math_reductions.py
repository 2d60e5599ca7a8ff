"""Many values as one: across series, over time, and of each value with those before it.

Source: CloudWatch user guide, "Metric math syntax and functions": ``AVG`` treats missing values
as 0. Nothing is made of nothing: where no value is there, the result is missing. That ``STDDEV``
is that of a whole population is assumed; AWS does not say it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from alarmproof.base.arrays import Values

Flags = NDArray[np.bool_]


def across(name: str, values: Values, there: Flags) -> Values:
    """Of several series one.

    Args:
        values: (series, …).
        there: (series, …, 1): which series are in the array.
    """
    given = np.where(there, values, np.nan)
    count = np.broadcast_to(there, values.shape).sum(axis=0)
    return _reduced(name, given, count, axis=0)


def over_time(name: str, values: Values, points: int | None) -> Values:
    """Of each point and those before it a number, of the same shape.

    Args:
        points: that a number is made of, the newest included; None for all there are.
    """
    if np.ndim(values) == 0:
        return values
    width = values.shape[-1]
    if points is None:
        made = _reduced(name, values, np.array(width), axis=-1)
        return np.broadcast_to(made[..., None], values.shape)
    size = min(points, width)
    present = _trailing((~np.isnan(values)).astype(np.float64), size, np.add, 0.0)
    if name == "DATAPOINT_COUNT":
        return present
    if name in ("MIN", "MAX"):
        return _trailing(values, size, np.fmin if name == "MIN" else np.fmax, np.nan)
    center = np.zeros(1)
    if name == "STDDEV":
        # Squares of large numbers that hardly differ would cancel each other out.
        center = _reduced("AVG", np.nan_to_num(values), np.array(width), axis=-1)[..., None]
    total = _trailing(np.nan_to_num(values - center), size, np.add, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        if name == "SUM":
            made = total
        elif name == "AVG":
            made = total / np.minimum(np.arange(1, width + 1), size)
        else:
            squares = _trailing(np.nan_to_num(values - center) ** 2, size, np.add, 0.0)
            variance = squares / present - (total / present) ** 2
            highest, lowest = (_trailing(values, size, of, np.nan) for of in (np.fmax, np.fmin))
            # Equal values deviate by nothing, whatever rounding leaves of the difference.
            made = np.sqrt(np.where(highest == lowest, 0.0, np.maximum(variance, 0.0)))
        return np.where(present > 0, made, np.nan)


def _trailing(
    values: Values, size: int, operation: Callable[[Values, Values], Values], nothing: float
) -> Values:
    """An operation over each point and those before it, ``size`` in all, by doubling.

    Args:
        nothing: what stands before the first point.
    """
    before = np.full((*values.shape[:-1], size - 1), nothing)
    block = np.concatenate([before, values], axis=-1)
    width, step, offset = values.shape[-1], 1, 0
    result: Values | None = None
    while size:
        if size & step:
            part = block[..., offset : offset + width]
            result = part.copy() if result is None else operation(result, part)
            offset += step
            size -= step
        if size:
            block = operation(block[..., :-step], block[..., step:])
            step *= 2
    assert result is not None
    return result


def _reduced(name: str, values: Values, count: Values | NDArray[np.int64], *, axis: int) -> Values:
    """Without missing values, of which ``AVG`` counts them as zeros.

    Args:
        count: of values, the missing ones included.
    """
    nothing = np.isnan(values).all(axis=axis)
    whole = np.where(np.expand_dims(nothing, axis), 0.0, values)
    if name == "AVG":
        made = np.nansum(whole, axis=axis) / count
    elif name == "DATAPOINT_COUNT":
        present: Values = (~np.isnan(values)).sum(axis=axis).astype(np.float64)
        return present
    else:
        made = _FUNCTIONS[name](whole, axis=axis)
    result: Values = np.where(nothing, np.nan, made)
    return result


_FUNCTIONS: Mapping[str, Callable[..., Values]] = {
    "MAX": np.nanmax, "MIN": np.nanmin, "STDDEV": np.nanstd, "SUM": np.nansum,
}  # fmt: skip


def running_sum(values: Values) -> Values:
    """The sum so far, where there is a value."""
    return np.where(np.isnan(values), np.nan, np.cumsum(np.nan_to_num(values), axis=-1))


def _last_index(values: Values) -> NDArray[np.int64]:
    """Along the last axis, where the newest value up to each point stands; -1 without."""
    index = np.where(np.isnan(values), -1, np.arange(values.shape[-1]))
    result: NDArray[np.int64] = np.maximum.accumulate(index, axis=-1)
    return result


def _taken(values: Values, index: NDArray[np.int64]) -> Values:
    taken = np.take_along_axis(values, np.maximum(index, 0), axis=-1)
    return np.where(index < 0, np.nan, taken)


def repeated(values: Values) -> Values:
    """Gaps filled with the value before them."""
    return _taken(values, _last_index(values)) if np.ndim(values) else values


def interpolated(values: Values) -> Values:
    """Gaps filled along the line between the values on both sides."""
    if not np.ndim(values):
        return values
    width = values.shape[-1]
    left = _last_index(values)
    right = width - 1 - _last_index(values[..., ::-1])[..., ::-1]
    outside = (left < 0) | (right >= width)
    low, high = _taken(values, left), _taken(values, np.where(right < width, right, -1))
    share = (np.arange(width) - left) / np.maximum(right - left, 1)
    filled = np.where(outside, np.nan, low + (high - low) * share)
    return np.where(np.isnan(values), filled, values)


def before(values: Values) -> tuple[Values, Values]:
    """The value before each point, and how many points ago it was."""
    index = _last_index(values)
    shifted = np.concatenate([np.full((*index.shape[:-1], 1), -1), index[..., :-1]], axis=-1)
    return _taken(values, shifted), (np.arange(values.shape[-1]) - shifted).astype(float)
