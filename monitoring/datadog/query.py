"""Parses Datadog's queries: enough of the grammar to find what Datadog would refuse.

Source: Datadog documentation, "Querying", "Functions" and, for monitors, API reference, "Monitors".
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass

_AGGREGATIONS = r"avg|sum|min|max|count|p50|p75|p90|p95|p99"
ATOM = re.compile(
    rf"(?:(?P<space>{_AGGREGATIONS}):)?(?P<metric>[a-zA-Z][\w.]*)\{{(?P<scope>[^{{}}]*)\}}"
    r"(?:\s+by\s+\{(?P<by>[^{}]*)\})?(?P<methods>(?:\.\w+\([^()]*\))*)"
)
_METHODS = {"as_count", "as_rate", "rollup", "fill", "weighted"}
_FUNCTIONS = {
    "abs", "anomalies", "autosmooth", "calendar_shift", "clamp_max", "clamp_min", "count_nonzero",
    "count_not_null", "cumsum", "cutoff_max", "cutoff_min", "day_before", "default_zero",
    "derivative", "diff", "dt", "ewma_3", "ewma_5", "ewma_10", "ewma_20", "exclude_null",
    "forecast", "hour_before", "integral", "is_greater", "log10", "log2", "median_3", "median_5",
    "median_7", "median_9", "monotonic_diff", "month_before", "moving_rollup", "outliers",
    "per_hour", "per_minute", "per_second", "piecewise_constant", "robust_trend", "rollup",
    "timeshift", "top", "trend_line", "week_before",
}  # fmt: skip
_OVER_TIME = "avg|sum|min|max|count|percentile|change|pct_change"
_MONITOR = re.compile(
    rf"(?P<over>{_OVER_TIME})\(last_(?P<window>\d+[mhdw])\):(?P<of>.+?)"
    r"\s*(?P<sign>>=|<=|>|<)\s*(?P<number>-?\d+(\.\d+)?)",
    re.DOTALL,
)
_LOGS = re.compile(
    r'logs\("(?P<search>(?:[^"\\]|\\.)*)"\)(?:\.index\("[^"]*"\))?\.rollup\("[a-z]+"'
    r'(?:, "[^"]*")?\)(?P<by>\.by\("[^"]*"\))?\.last\("(?P<window>\d+[mhd])"\)'
    r"\s*(?P<sign>>=|<=|>|<)\s*(?P<number>-?\d+(\.\d+)?)"
)
_FORMULA = re.compile(
    r'formula\("(?P<of>[^"]*)"\)\.last\("\d+[mhd]"\)'
    r"\s*(?P<sign>>=|<=|>|<)\s*(?P<number>-?\d+(\.\d+)?)"
)
_BURN = re.compile(
    r'burn_rate\("(?P<slo>[^"]+)"\)\.over\("(?:7|30|90)d"\)\.long_window\("\d+[hd]"\)'
    r'\.short_window\("\d+[mhd]"\)\s*(?P<sign>>=|<=|>|<)\s*(?P<number>-?\d+(\.\d+)?)'
)
# One entry of a scope: a tag, with a variable or wildcard in it or not; or a variable alone.
_TAG = re.compile(r"\*|!?\$[a-z_]+(\.value)?|!?[@\w.-]+:[\w.$*/:@-]+")


class QueryError(ValueError):
    """When a query can't be read; it says where."""


@dataclass(frozen=True, slots=True)
class Read:
    """What a query is made of.

    Attributes:
        metrics: their names.
        variables: template variables, without their ``$``.
        by: the tags it is grouped by.
        number: what a monitor's query compares with; None in other queries.
        sign: how.
    """

    metrics: tuple[str, ...]
    variables: frozenset[str]
    by: tuple[str, ...]
    number: float | None = None
    sign: str = ""


def monitor(text: str, kind: str, variables: Mapping[str, str] | None = None) -> Read:
    """A monitor's query.

    Args:
        variables: the searches that a formula over log lines names, by their names.

    Raises:
        QueryError: When it is not a query of its type.
    """
    pattern = {"log alert": _LOGS, "slo alert": _BURN}.get(kind, _MONITOR)
    if variables:
        pattern = _FORMULA
    match = pattern.fullmatch(text)
    if match is None:
        raise QueryError(f"is not a query of a {kind}: {_shortened(text)}")
    number, sign = float(match["number"]), match["sign"]
    if pattern is _LOGS:
        by = tuple(re.findall(r'\.by\("([^"]*)"\)', text))
        grouped = tuple(tag.strip() for tag in ",".join(by).split(",") if tag.strip())
        _balanced(match["search"])
        return Read((), frozenset(), grouped, number, sign)
    if pattern is _FORMULA:
        formula(match["of"], set(variables or ()))
        for searched in (variables or {}).values():
            _balanced(searched)
    if pattern is _BURN or pattern is _FORMULA:
        return Read((), frozenset(), (), number, sign)
    read = metric(match["of"])
    return Read(read.metrics, read.variables, read.by, number, sign)


def metric(text: str) -> Read:
    """Arithmetic over metrics, as a widget or SLO has it.

    Raises:
        QueryError: When brackets, functions or scopes are not as Datadog takes them.
    """
    names: list[str] = []
    variables: set[str] = set()
    by: list[str] = []

    def atom(match: re.Match[str]) -> str:
        names.append(match["metric"])
        variables.update(_scope(match["scope"]))
        by.extend(tag.strip() for tag in (match["by"] or "").split(",") if tag.strip())
        for method in re.findall(r"\.(\w+)\(", match["methods"]):
            if method not in _METHODS:
                raise QueryError(f"calls .{method}(), which Datadog does not know")
        return "Q"

    formula(ATOM.sub(atom, text), {"Q"})
    if not names:
        raise QueryError(f"does not name a metric: {_shortened(text)}")
    return Read(tuple(names), frozenset(variables), tuple(dict.fromkeys(by)))


def formula(text: str, names: set[str]) -> None:
    """Checks arithmetic over named queries.

    Raises:
        QueryError: When it can't be read, or names a query that does not exist.
    """
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except SyntaxError:
        raise QueryError(f"can't be read; are its brackets balanced? {_shortened(text)}") from None
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=called)):
                if called not in _FUNCTIONS:
                    raise QueryError(f"calls {called}(), which Datadog does not know")
            case ast.Call():
                raise QueryError(f"can't be read: {_shortened(text)}")
            case ast.Name(id=name):
                if name not in names and name not in _FUNCTIONS:
                    raise QueryError(f"uses '{name}', which is not one of its queries")
            case (
                ast.Expression() | ast.BinOp() | ast.UnaryOp() | ast.Constant() | ast.keyword()
                | ast.operator() | ast.unaryop() | ast.expr_context()
            ):  # fmt: skip
                pass
            case _:
                raise QueryError(f"can't be read: {_shortened(text)}")


def search(text: str) -> frozenset[str]:
    """The template variables of a log, event or trace search.

    Raises:
        QueryError: When brackets or quotes are not balanced.
    """
    _balanced(text)
    return frozenset(re.findall(r"\$([a-z_]+)", text))


def _scope(text: str) -> set[str]:
    entries = [entry.strip() for entry in re.split(r",|\bAND\b|\bOR\b", text) if entry.strip()]
    if not entries:
        raise QueryError("has an empty scope; write {*} for everything")
    for entry in entries:
        if not _TAG.fullmatch(entry.strip("() ")):
            raise QueryError(f"has the scope '{entry}', which is neither a tag nor a variable")
    return set(re.findall(r"\$([a-z_]+)", text))


def _balanced(text: str) -> None:
    plain = text.replace('\\"', '"')
    depth = lowest = 0
    for sign in re.sub(r'"[^"]*"', "", plain):
        depth += (sign == "(") - (sign == ")")
        lowest = min(lowest, depth)
    if depth or lowest < 0 or plain.count('"') % 2:
        raise QueryError(f"has brackets or quotes that are not balanced: {_shortened(text)}")


def _shortened(text: str) -> str:
    return text if len(text) <= 120 else f"{text[:119]}…"
