"""Metric math: parsed expressions evaluated on whole series at once.

Source: CloudWatch user guide, "Using math expressions with CloudWatch metrics". What is missing
counts as 0 beside what is there; ``IF`` drops a point whose condition is missing, and gives 0
where the branch it takes is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from alarmproof.arrays import Values
from alarmproof.errors import NotSupportedError
from alarmproof.expressions import Expression, Node

_ACROSS: Mapping[str, Callable[..., Values]] = {
    "SUM": np.nansum, "AVG": np.nanmean, "MIN": np.nanmin, "MAX": np.nanmax,
}  # fmt: skip
_EACH: Mapping[str, Callable[[Values], Values]] = {
    "ABS": np.abs, "CEIL": np.ceil, "FLOOR": np.floor,
}  # fmt: skip
_CLOCK: Mapping[str, Callable[[datetime], int]] = {
    "MINUTE": lambda at: at.minute,
    "HOUR": lambda at: at.hour,
    "DAY": lambda at: at.isoweekday(),
    "DATE": lambda at: at.day,
    "MONTH": lambda at: at.month,
    "YEAR": lambda at: at.year,
    "EPOCH": lambda at: round(at.timestamp()),
}


@dataclass(frozen=True, slots=True)
class Context:
    """What an expression is evaluated on.

    Attributes:
        values: by query id; time runs along the last axis, the oldest first. A scalar has no
            axes.
        metrics: the ids that ``METRICS()`` stands for.
        starts: of each point's period, as Unix seconds; of the values' shape.
        period: seconds.
    """

    values: Mapping[str, Values]
    metrics: tuple[str, ...]
    starts: Values
    period: int


def evaluate(expression: Expression, context: Context) -> Values:
    """An expression's values, of the context's shape or a scalar; NaN is missing."""
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        result = _value(expression.tree, context, expression.text)
        return np.where(np.isfinite(result), result, np.nan)


def _value(node: Node, context: Context, text: str) -> Values:
    match node.kind:
        case "number":
            return np.float64(node.value)  # type: ignore[return-value]
        case "name":
            if node.value not in context.values:
                raise NotSupportedError(f"expression '{text}': no query has the id '{node.value}'")
            return context.values[node.value]
        case "operation":
            left, right = (_value(part, context, text) for part in node.parts)
            return _operate(node.value, left, right)
        case "call":
            return _call(node, context, text)
        case _:
            raise NotSupportedError(f"expression '{text}': '{node.value}' stands alone")


def _is_number(values: Values) -> bool:
    """Whether it is one number for a whole window, as a literal or what a window was reduced to."""
    return np.ndim(values) == 0 or (np.ndim(values) == 2 and values.shape[-1] == 1)


def _operate(operator: str, left: Values, right: Values) -> Values:
    scalar = _is_number(left) or _is_number(right)
    missing = np.isnan(left) | np.isnan(right) if scalar else np.isnan(left) & np.isnan(right)
    a, b = (left, right) if scalar else (np.nan_to_num(left), np.nan_to_num(right))
    result = _OPERATIONS[operator](a, b)
    return np.where(missing, np.nan, result)


_OPERATIONS: Mapping[str, Callable[[Values, Values], Values]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": lambda a, b: np.where(b == 0, np.nan, np.divide(a, b)),
    "^": np.power,
    "<": lambda a, b: np.less(a, b).astype(float),
    "<=": lambda a, b: np.less_equal(a, b).astype(float),
    ">": lambda a, b: np.greater(a, b).astype(float),
    ">=": lambda a, b: np.greater_equal(a, b).astype(float),
    "==": lambda a, b: np.equal(a, b).astype(float),
    "!=": lambda a, b: np.not_equal(a, b).astype(float),
    "&&": lambda a, b: np.logical_and(a, b).astype(float),
    "||": lambda a, b: np.logical_or(a, b).astype(float),
    "AND": lambda a, b: np.logical_and(a, b).astype(float),
    "OR": lambda a, b: np.logical_or(a, b).astype(float),
}


def _call(node: Node, context: Context, text: str) -> Values:
    name = node.value
    if name in _ACROSS:
        return _across(name, node.parts, context, text)
    if name == "PERIOD":
        return np.float64(context.period)  # type: ignore[return-value]
    if name == "METRICS":
        raise NotSupportedError(f"expression '{text}': METRICS() is used outside of SUM, AVG, …")
    first = _value(node.parts[0], context, text)
    if name == "IF":
        others = [_value(part, context, text) for part in node.parts[1:]]
        taken = np.nan_to_num(others[0])
        other = np.nan_to_num(others[1]) if len(others) == 2 else np.float64(np.nan)
        if len(others) == 1:
            taken = others[0]
        chosen = np.where(np.nan_to_num(first) != 0, taken, other)
        return np.where(np.isnan(first), np.nan, chosen)
    if name == "FILL":
        if node.parts[1].value == "REPEAT":
            return _repeated(first)
        return np.where(np.isnan(first), _value(node.parts[1], context, text), first)
    if name in _EACH:
        return _EACH[name](first)
    if name in _CLOCK:
        return np.where(np.isnan(first), np.nan, _clock(_CLOCK[name], context.starts))
    if name == "RUNNING_SUM":
        return np.where(np.isnan(first), np.nan, np.cumsum(np.nan_to_num(first), axis=-1))
    before, ago = _before(first)
    difference = first - before
    return difference / (ago * context.period) if name == "RATE" else difference


def _across(name: str, parts: tuple[Node, ...], context: Context, text: str) -> Values:
    inner = parts[0].parts if len(parts) == 1 and parts[0].kind == "list" else parts
    listed = len(inner) > 1 or parts[0].kind == "list"
    if len(inner) == 1 and inner[0].kind == "call" and inner[0].value == "METRICS":
        wanted = inner[0].parts[0].value if inner[0].parts else ""
        found = [context.values[one] for one in context.metrics if wanted in one]
        listed = True
    else:
        found = [_value(part, context, text) for part in inner]
    if not listed:
        if np.ndim(found[0]) == 0:
            return found[0]
        return _reduced(name, found[0], axis=-1, keepdims=True)
    return _reduced(name, np.stack(np.broadcast_arrays(*found)), axis=0, keepdims=False)


def _reduced(name: str, values: Values, *, axis: int, keepdims: bool) -> Values:
    """Without missing values; missing where all are."""
    nothing = np.isnan(values).all(axis=axis, keepdims=keepdims)
    whole = np.where(np.isnan(values).all(axis=axis, keepdims=True), 0.0, values)
    return np.where(nothing, np.nan, _ACROSS[name](whole, axis=axis, keepdims=keepdims))


def _last_index(values: Values) -> Values:
    """Along the last axis, where the newest value up to each point stands; -1 without."""
    index = np.where(np.isnan(values), -1, np.arange(values.shape[-1]))
    result: Values = np.maximum.accumulate(index, axis=-1)
    return result


def _taken(values: Values, index: Values) -> Values:
    found = np.take_along_axis(values, np.maximum(index, 0).astype(int), axis=-1)
    return np.where(index < 0, np.nan, found)


def _repeated(values: Values) -> Values:
    return _taken(values, _last_index(values)) if np.ndim(values) else values


def _before(values: Values) -> tuple[Values, Values]:
    """The value before each point, and how many points ago it was."""
    index = _last_index(values)
    shifted = np.concatenate([np.full((*index.shape[:-1], 1), -1), index[..., :-1]], axis=-1)
    return _taken(values, shifted), np.arange(values.shape[-1]) - shifted


def _clock(part: Callable[[datetime], int], starts: Values) -> Values:
    """A part of the time, UTC, of each point's period."""
    unique, where = np.unique(starts, return_inverse=True)
    parts = np.array([part(datetime.fromtimestamp(int(at), UTC)) for at in unique], dtype=float)
    return parts[where].reshape(np.shape(starts))
