"""Metric math: parsed expressions evaluated on whole series at once.

Source: CloudWatch user guide, "Metric math syntax and functions" and "Using IF expressions". What
is missing counts as 0 beside what is there; ``IF`` drops a point whose condition is missing.

A function over one series gives a number. AWS says that in an alarm it "acts differently when extra
data is requested" and recommends not to use it there; here the number of each datapoint is that of
the evaluation periods that end with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from alarmproof.base.arrays import Values
from alarmproof.base.errors import NotSupportedError
from alarmproof.base.expressions import Expression, Node
from alarmproof.base.math_functions import ACROSS, BACKWARD, CLOCK, EACH
from alarmproof.math_reductions import (
    across,
    before,
    interpolated,
    over_time,
    repeated,
    running_sum,
)

_EACH: Mapping[str, Callable[[Values], Values]] = {
    "ABS": np.abs, "CEIL": np.ceil, "FLOOR": np.floor, "LOG": np.log, "LOG10": np.log10,
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
        points: datapoints that a number is made of; None for all.
    """

    values: Mapping[str, Values]
    metrics: tuple[str, ...]
    starts: Values
    period: int
    points: int | None = None


@dataclass(frozen=True, slots=True)
class _Number:
    """A scalar: one for everything, or one that goes with each datapoint."""

    values: Values


@dataclass(frozen=True, slots=True)
class _Series:
    """A time series."""

    values: Values


@dataclass(frozen=True, slots=True)
class _Array:
    """An array of series.

    Attributes:
        values: of shape (series, …).
        there: of shape (series, …, 1): which of them are in the array, in each evaluated range.
    """

    values: Values
    there: NDArray[np.bool_]


_Any = _Number | _Series | _Array


def evaluate(expression: Expression, context: Context) -> Values:
    """An expression's values, of the context's shape or a scalar; NaN is missing.

    Raises:
        NotSupportedError: When it makes several series, or uses an id that no query has.
    """
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        result = _Evaluation(expression.text, context).value(expression.tree)
        if isinstance(result, _Array):
            raise NotSupportedError(
                f"expression '{expression.text}': it makes several series, and an alarm watches one"
            )
        return np.where(np.isfinite(result.values), result.values, np.nan)


class _Evaluation:
    def __init__(self, text: str, context: Context) -> None:
        self._text, self._context = text, context

    def _wrong(self, what: str) -> NotSupportedError:
        return NotSupportedError(f"expression '{self._text}': {what}")

    def value(self, node: Node) -> _Any:
        match node.kind:
            case "number":
                return _Number(np.float64(node.value))  # type: ignore[arg-type]
            case "name":
                if node.value not in self._context.values:
                    raise self._wrong(f"no query has the id '{node.value}'")
                return _Series(self._context.values[node.value])
            case "list":
                return self._array([self.value(part) for part in node.parts])
            case "operation":
                return _operated(node.value, *(self.value(part) for part in node.parts))
            case "call":
                return self._call(node.value, node.parts)
            case _:
                raise self._wrong(f"'{node.value}' stands alone")

    def _array(self, parts: list[_Any]) -> _Array:
        """Several values as one array; arrays in it are joined."""
        shape = self._context.starts.shape
        values: list[Values] = []
        there: list[NDArray[np.bool_]] = []
        for part in parts:
            if isinstance(part, _Array):
                values += list(part.values)
                there += list(part.there)
            else:
                values.append(np.broadcast_to(part.values, shape))
                there.append(np.ones((*shape[:-1], 1), dtype=bool))
        if not values:
            raise self._wrong("an array without a series")
        return _Array(np.stack(values), np.stack(there))

    def _call(self, name: str, parts: tuple[Node, ...]) -> _Any:
        if name == "PERIOD":
            return _Number(np.float64(self._context.period))  # type: ignore[arg-type]
        if name == "METRICS":
            return self._metrics(parts)
        if name in ACROSS:
            several = len(parts) > 1
            return self._across(name, Node("list", "[", parts) if several else parts[0])
        first = self.value(parts[0])
        if name == "TIME_SERIES":
            if not isinstance(first, _Number):
                raise self._wrong("TIME_SERIES takes a number")
            return _Series(np.broadcast_to(first.values, self._context.starts.shape))
        if name in EACH:
            return _mapped(first, lambda values: _finite(_EACH[name](values)))
        if name in CLOCK:
            return _mapped(first, lambda _: _clock(_CLOCK[name], self._context.starts), series=True)
        if name in BACKWARD:
            return self._backward(name, first)
        if name == "FILL":
            return self._filled(first, parts[1])
        if name == "IF":
            return _chosen(first, *(self.value(part) for part in parts[1:]))
        return self._of_array(name, first, parts)

    def _metrics(self, parts: tuple[Node, ...]) -> _Array:
        wanted = parts[0].value if parts else ""
        names = [name for name in self._context.metrics if wanted in name]
        if not names:
            raise self._wrong(f"no query's id has '{wanted}' in it")
        return self._array([_Series(self._context.values[name]) for name in names])

    def _across(self, name: str, node: Node) -> _Any:
        value = self.value(node)
        if isinstance(value, _Array):
            return _Series(across(name, value.values, value.there))
        if isinstance(value, _Number):
            return value
        return _Number(over_time(name, value.values, self._context.points))

    def _backward(self, name: str, value: _Any) -> _Any:
        def made(values: Values) -> Values:
            if name == "RUNNING_SUM":
                return running_sum(values)
            earlier, ago = before(values)
            seconds = ago * self._context.period
            if name == "DIFF_TIME":
                return np.where(np.isnan(values) | np.isnan(earlier), np.nan, seconds)
            difference = values - earlier
            return difference / seconds if name == "RATE" else difference

        if isinstance(value, _Number):
            raise self._wrong(f"{name} takes a series")
        return _mapped(value, made)

    def _filled(self, value: _Any, filler: Node) -> _Any:
        if isinstance(value, _Number):
            raise self._wrong("FILL takes a series")
        if filler.kind == "word":
            return _mapped(value, repeated if filler.value == "REPEAT" else interpolated)
        given = self.value(filler)
        if isinstance(given, _Array):
            raise self._wrong("FILL takes a number or one series to fill with")
        return _mapped(value, lambda values: np.where(np.isnan(values), given.values, values))

    def _of_array(self, name: str, value: _Any, parts: tuple[Node, ...]) -> _Any:
        if not isinstance(value, _Array):
            raise self._wrong(f"{name} takes an array of series")
        if name == "METRIC_COUNT":
            return _Number(value.there.sum(axis=0).astype(float))
        if name == "REMOVE_EMPTY":
            filled = (~np.isnan(value.values)).any(axis=-1, keepdims=True)
            return _Array(value.values, value.there & filled)
        if name == "SORT":
            ordered = self._ordered(value, parts[1].value, descending=parts[2].value == "DESC")
            return self._sliced(ordered, 0, self._whole(parts[3])) if len(parts) > 3 else ordered
        if name == "SLICE":
            end = self._whole(parts[2]) if len(parts) > 2 else None
            return self._sliced(value, self._whole(parts[1]), end)
        rank = np.cumsum(value.there, axis=0) - 1
        last = value.there.sum(axis=0, keepdims=True) - 1
        wanted = value.there & (rank == (0 if name == "FIRST" else last))
        return _Series(across("MAX", value.values, wanted))

    def _ordered(self, value: _Array, by: str, *, descending: bool) -> _Array:
        keys = over_time(by, value.values, None)[..., -1:]
        keys = np.where(value.there & ~np.isnan(keys), -keys if descending else keys, np.inf)
        order = np.argsort(keys, axis=0, kind="stable")
        return _Array(
            np.take_along_axis(value.values, order, axis=0),
            np.take_along_axis(value.there, order, axis=0),
        )

    def _sliced(self, value: _Array, begin: int, end: int | None) -> _Array:
        rank = np.cumsum(value.there, axis=0) - 1
        kept = (rank >= begin) & (rank < (len(value.values) if end is None else end))
        return _Array(value.values, value.there & kept)

    def _whole(self, node: Node) -> int:
        if node.kind != "number" or float(node.value) != int(float(node.value)):
            raise self._wrong(f"'{node.value}' is not a whole number")
        return int(float(node.value))


def _mapped(value: _Any, made: Callable[[Values], Values], *, series: bool = False) -> _Any:
    """The same of every series."""
    if isinstance(value, _Array):
        return _Array(np.broadcast_to(made(value.values), value.values.shape), value.there)
    result = made(value.values)
    return _Number(result) if isinstance(value, _Number) and not series else _Series(result)


def _operated(operator: str, left: _Any, right: _Any) -> _Any:
    """An operation. Between two series what is missing is 0; beside a number it stays missing."""
    numbers = [isinstance(side, _Number) for side in (left, right)]
    a, b = left.values, right.values
    missing = np.isnan(a) | np.isnan(b) if any(numbers) else np.isnan(a) & np.isnan(b)
    if not any(numbers):
        a, b = np.nan_to_num(a), np.nan_to_num(b)
    result = _finite(np.where(missing, np.nan, _OPERATIONS[operator](a, b)))
    for side in (left, right):
        if isinstance(side, _Array):
            both = isinstance(left, _Array) and isinstance(right, _Array)
            there = left.there & right.there if both else side.there  # type: ignore[union-attr]
            return _Array(result, there)
    return _Number(result) if all(numbers) else _Series(result)


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


def _finite(values: Values) -> Values:
    """Infinities, which no datapoint can be, are dropped."""
    return np.where(np.isfinite(values), values, np.nan)


def _chosen(condition: _Any, then: _Any, otherwise: _Any | None = None) -> _Any:
    """``IF``: a series that is missing where the condition holds counts as 0; elsewhere a point
    that is missing, or has no value to take, is dropped.
    """
    for value in (condition, then, otherwise):
        if isinstance(value, _Array):
            raise NotSupportedError("IF takes numbers and single series, not arrays of them")
    per_point = isinstance(condition, _Series)
    taken = np.nan_to_num(then.values) if per_point else then.values
    other = np.float64(np.nan) if otherwise is None else otherwise.values
    chosen = np.where(np.nan_to_num(condition.values) != 0, taken, other)
    result = np.where(np.isnan(condition.values), np.nan, chosen)
    series = per_point or isinstance(then, _Series) or isinstance(otherwise, _Series)
    return _Series(result) if series else _Number(result)


def _clock(part: Callable[[datetime], int], starts: Values) -> Values:
    """A part of the time, UTC, of each point's period, whether or not there is a value."""
    unique, where = np.unique(starts, return_inverse=True)
    parts = np.array([part(datetime.fromtimestamp(int(at), UTC)) for at in unique], dtype=float)
    return parts[where].reshape(np.shape(starts))
