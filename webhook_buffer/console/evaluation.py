"""Datadog's queries and formulas, computed on a session.

Source: Datadog documentation, "Functions".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from monitoring.datadog import query_tree
from monitoring.datadog.metrics import known
from monitoring.datadog.query import QueryError
from monitoring.datadog.query_tree import Atom, Binary, Call, Name, Node, Number
from webhook_buffer.console.frame import Frame
from webhook_buffer.console.numbers import Numbers, UnmeasuredError
from webhook_buffer.console.reductions import Values, aggregated
from webhook_buffer.live.pace import MINUTE

# By group; the group of a query that is not grouped is empty.
Groups = dict[str, Values]

_OPERATIONS: Mapping[str, Callable[[Values, Values], Values]] = {
    "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide,
}  # fmt: skip


class Request:
    """One request of a widget: named queries, and formulas over them.

    Args:
        body: as a dashboard has it.
        least: seconds of a bucket where no query says it.
    """

    def __init__(self, body: Mapping[str, Any], least: int = MINUTE) -> None:
        self._metrics: dict[str, Node] = {}
        self._logs: dict[str, _Logs] = {}
        self._aggregators: dict[str, str] = {}
        self.step = least
        body = body if "queries" in body else {**body, "queries": list(_older(body))}
        self._units: dict[str, str] = {}
        for query in body["queries"]:
            self._query(query)
        names = [*self._metrics, *self._logs]
        given = body.get("formulas") or [{"formula": name} for name in names]
        self.formulas = [
            (query_tree.formula(str(query["formula"]), names), query) for query in given
        ]  # fmt: skip
        if not self.formulas:
            raise QueryError("is not one that this console evaluates")

    @staticmethod
    def label(formula: Mapping[str, Any], group: str) -> str:
        """What a formula's line of a group is called."""
        alias = str(formula.get("alias") or "")
        return " ".join(filter(None, (alias, group))) or str(formula.get("formula", "value"))

    def unit(self, formula: Mapping[str, Any]) -> str:
        """Datadog's word for a formula's unit, or that of the only metric it shows."""
        said = (formula.get("number_format") or {}).get("unit") or {}
        return str(said.get("unit_name") or self._units.get(str(formula.get("formula")), ""))

    def over_time(self, numbers: Numbers, start: int, end: int) -> tuple[Frame, list[Groups]]:
        """The frame, and each formula's values by group.

        Raises:
            UnmeasuredError: When the session can't have them.
        """
        frame = Frame.over(start, end, self.step)
        values = {name: _evaluated(node, numbers, frame) for name, node in self._metrics.items()}
        for name, logs in self._logs.items():
            values[name] = logs.counted(numbers, frame)
        return frame, [
            {
                group: np.broadcast_to(computed, (frame.count,))  # of a constant, too
                for group, computed in _computed(tree, values).items()
            }
            for tree, _ in self.formulas
        ]

    def as_numbers(self, numbers: Numbers, start: int, end: int) -> list[dict[str, float]]:
        """Each formula as one number for the whole stretch, by group.

        Raises:
            UnmeasuredError: When the session can't have them.
        """
        frame = Frame.over(start, end)
        groups: dict[str, Groups] = {}
        for name, node in self._metrics.items():
            atoms = query_tree.atoms(node)
            counted = atoms and atoms[0].aggregation == "sum"
            how = self._aggregators.get(name) or ("sum" if counted else "avg")
            percentile = how == "percentile" and isinstance(node, Atom)
            over = Frame(frame.start, frame.step * frame.count, 1) if percentile else frame
            groups[name] = {
                group: np.array([aggregated(values, "last" if percentile else how)])
                for group, values in _evaluated(node, numbers, over).items()
            }
        for name, logs in self._logs.items():
            groups[name] = {
                group: np.array([aggregated(counts, "sum")])
                for group, counts in logs.counted(numbers, frame).items()
            }
        return [
            {group: float(values[0]) for group, values in _computed(tree, groups).items()}
            for tree, _ in self.formulas
        ]

    def _query(self, query: Mapping[str, Any]) -> None:
        name, source = str(query.get("name", "q")), query.get("data_source")
        if source == "metrics":
            node = query_tree.metric(str(query["query"]))
            self._metrics[name] = node
            atoms = query_tree.atoms(node)
            metric = known(atoms[0].metric) if atoms else None
            self._units[name] = metric.unit if metric else ""
            for atom in atoms:
                self.step = max(self.step, _rollup(atom))
            if query.get("aggregator"):
                self._aggregators[name] = str(query["aggregator"])
        elif source == "logs":
            compute = query.get("compute", {})
            if compute.get("aggregation", "count") != "count":
                raise QueryError("computes something other than the number of log lines")
            search = str(query.get("search", {}).get("query", ""))
            self._logs[name] = _Logs(search, tuple(map(_Facet.of, query.get("group_by") or ())))
            self.step = max(self.step, int(compute.get("interval", 0)) // 1000)
        else:
            raise QueryError(f"asks {source}, which a session does not have")


def _older(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The queries of the forms that ``queries`` has replaced, and of a histogram.

    Source: Datadog API reference, "Dashboards": ``q``, ``log_query``, whose interval is in
    seconds, and ``query`` with the request type ``histogram``.
    """
    if isinstance(body.get("q"), str):
        yield {"data_source": "metrics", "name": "q", "query": body["q"]}
    if "log_query" in body:
        logs = body["log_query"]
        for place, compute in enumerate(logs.get("multi_compute") or [logs.get("compute") or {}]):
            interval = 1000 * int(compute.get("interval") or 0)
            yield {
                **logs, "data_source": "logs", "name": f"q{place or ''}",
                "compute": {**compute, "interval": interval},
            }  # fmt: skip
    if body.get("request_type") == "histogram":
        yield {"name": "q", **body["query"]}


@dataclass(frozen=True, slots=True)
class _Facet:
    """What log lines are grouped by.

    Attributes:
        most: how many of its values are shown, those with the most lines; else the fewest.
    """

    name: str
    most: int
    descending: bool

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> _Facet:
        order = (given.get("sort") or {}).get("order", "desc")
        return cls(str(given["facet"]), max(1, int(given.get("limit") or 10)), order != "asc")


@dataclass(frozen=True, slots=True)
class _Logs:
    """How many log lines match, group by group."""

    search: str
    facets: tuple[_Facet, ...]

    def counted(self, numbers: Numbers, frame: Frame) -> Groups:
        if not self.facets:
            return {"": numbers.of_logs(self.search, frame)}
        names = tuple(facet.name for facet in self.facets)
        groups = numbers.of_grouped_logs(self.search, names, frame)
        counts = {group: aggregated(values, "sum") for group, values in groups.items()}
        there = {group: count for group, count in counts.items() if count > 0}
        return {", ".join(group): groups[group] for group in _first(there, self.facets)}


def _first(
    counts: Mapping[tuple[str, ...], float], facets: Sequence[_Facet], place: int = 0
) -> list[tuple[str, ...]]:
    """The groups that are shown: of each facet its first values, within each of the one before."""
    if place == len(facets):
        return list(counts)
    totals: Counter[str] = Counter()
    for group, count in counts.items():
        totals[group[place]] += round(count)
    facet = facets[place]
    ranked = sorted(totals, key=lambda value: totals[value], reverse=facet.descending)
    return [
        group
        for value in ranked[: facet.most]
        for group in _first(
            {group: count for group, count in counts.items() if group[place] == value},
            facets,
            place + 1,
        )
    ]


def _rollup(atom: Atom) -> int:
    """Seconds of its buckets; 0 where it does not say."""
    arguments = atom.method("rollup") or ()
    seconds = int(arguments[1]) if len(arguments) > 1 and arguments[1].isdecimal() else 0
    return -(-min(seconds, 31 * 86_400) // MINUTE) * MINUTE


def _evaluated(node: Node, numbers: Numbers, frame: Frame) -> Groups:
    match node:
        case Atom():
            return numbers.of_datadog(node, frame)
        case Number(value=value):
            return {"": np.full(frame.count, value)}
        case Binary(operator=operator, left=left, right=right):
            first, other = (_evaluated(part, numbers, frame) for part in (left, right))
            return _operated(operator, first, other)
        case Call():
            return _called(node, _evaluated(node.argument, numbers, frame))
    raise UnmeasuredError("The console does not support this query.")


def _computed(node: Node, values: Mapping[str, Groups]) -> Groups:
    match node:
        case Name(name=name):
            return values[name]
        case Number(value=value):
            return {"": np.array([value])}
        case Binary(operator=operator, left=left, right=right):
            return _operated(operator, _computed(left, values), _computed(right, values))
        case Call():
            return _called(node, _computed(node.argument, values))
    raise UnmeasuredError("The console does not support this formula.")


def _operated(operator: str, left: Groups, right: Groups) -> Groups:
    """Group by group; what is not grouped goes with every group."""
    made: Groups = {}
    for group in left if "" not in left else right:
        value = left.get(group, left.get(""))
        other = right.get(group, right.get(""))
        if value is not None and other is not None:
            with np.errstate(all="ignore"):
                values = _OPERATIONS[operator](value, other)
            made[group] = np.where(np.isfinite(values), values, np.nan)
    return made


def _called(call: Call, groups: Groups) -> Groups:
    if call.function == "top":
        most = int(
            next((constant for constant in call.constants if isinstance(constant, float)), 10)
        )
        ranked = sorted(groups, key=lambda group: -_mean(groups[group]))
        return {group: groups[group] for group in ranked[:most]}
    made = _FUNCTIONS.get(call.function)
    if made is None:
        raise UnmeasuredError(f"This console does not compute {call.function}().")
    number = next((constant for constant in call.constants if isinstance(constant, float)), 0.0)
    with np.errstate(all="ignore"):
        return {group: made(values, number) for group, values in groups.items()}


def _mean(values: Values) -> float:
    there = values[~np.isnan(values)]
    return float(there.mean()) if len(there) else float("-inf")


def _differences(values: Values, _: float) -> Values:
    return np.concatenate([[np.nan], np.diff(values)])


_FUNCTIONS: Mapping[str, Callable[[Values, float], Values]] = {
    "abs": lambda values, _: np.abs(values),
    "clamp_max": np.minimum,
    "clamp_min": np.maximum,
    "cumsum": lambda values, _: np.cumsum(np.nan_to_num(values)),
    "default_zero": lambda values, _: np.nan_to_num(values),
    "diff": _differences,
    "monotonic_diff": lambda values, _: np.maximum(_differences(values, 0.0), 0.0),
    "log10": lambda values, _: np.log10(values),
    "log2": lambda values, _: np.log2(values),
    "cutoff_max": lambda values, limit: np.where(values > limit, np.nan, values),
    "cutoff_min": lambda values, limit: np.where(values < limit, np.nan, values),
    "exclude_null": lambda values, _: values,
}
