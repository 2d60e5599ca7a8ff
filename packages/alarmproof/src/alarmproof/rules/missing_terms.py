"""What a missing term of a sum or a difference does to an expression."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from alarmproof.base.alarms import AnyAlarm, MetricAlarm, Query
from alarmproof.base.expressions import Node, tree_of, walk
from alarmproof.base.metric_table import Silence, silence_of
from alarmproof.rules.context import Context
from alarmproof.rules.registry import WARNING, Hit, rule

# Functions that grow with their argument.
_GROWING = frozenset(
    ("AVG", "CEIL", "FLOOR", "LOG", "LOG10", "MAX", "MIN", "RUNNING_SUM", "TIME_SERIES")
)
_SIGNS = {"+": (1, 1), "-": (1, -1)}
# Ends a walk through queries that name each other.
_DEEPEST = 20
# Characters of an expression that a remedy repeats.
_SHORT = 120


@rule(
    "missing-term",
    WARNING,
    finds="a sum or difference in which a missing term counts as 0 and brings the alarm on",
    why="A single late or lost datapoint sets it off.",
    remedy="Drop such points: IF(DATAPOINT_COUNT(a) + DATAPOINT_COUNT(b) == 2, a + b); or fill "
    "them: FILL(a, REPEAT).",
)
def missing_term(_context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Source: CloudWatch user guide, "Using math expressions with CloudWatch metrics"."""
    if not isinstance(alarm, MetricAlarm) or alarm.band:
        return
    queries = {query.id: query for query in alarm.queries}
    direction = 1 if alarm.comparison.startswith("Greater") else -1
    returned = queries.get(alarm.returned)
    if returned is None:
        return
    tree = tree_of(returned.expression)
    if tree is None or _is_guarded(tree):
        return
    terms = _Terms(queries)
    terms.walk(tree, direction, 0)
    for name in dict.fromkeys(terms.dangerous):
        whole = returned.expression or ""
        kept = f"IF(DATAPOINT_COUNT({name}) == 1, {whole if len(whole) <= _SHORT else '…'})"
        yield Hit(
            f"In '{whole}' a missing datapoint of '{name}' counts as 0, which brings the alarm on.",
            remedy=f"Drop such points: {kept}; or fill them: FILL({name}, REPEAT).",
        )


def _is_guarded(tree: Node) -> bool:
    """Whether the expression asks which datapoints there are."""
    return any(node.kind == "call" and node.value == "DATAPOINT_COUNT" for node in walk(tree))


@dataclass(slots=True)
class _Terms:
    """Terms whose absence moves an expression toward the threshold."""

    queries: Mapping[str, Query]
    dangerous: list[str] = field(default_factory=list)
    # Terms that are missing above a fraction's line as well, where they make it smaller.
    harmless: list[str] = field(default_factory=list)

    def walk(self, node: Node, direction: int, depth: int) -> None:
        """Args: direction: 1 where a larger value brings the alarm on, -1 where a smaller does."""
        if depth > _DEEPEST or not direction:
            return
        if node.kind == "name":
            query = self.queries.get(node.value)
            tree = tree_of(query.expression) if query else None
            if tree is not None and not _is_guarded(tree):
                self.walk(tree, direction, depth + 1)
        elif node.kind == "operation":
            self._operation(node, direction, depth)
        elif node.kind == "call":
            self._call(node, direction, depth)

    def _operation(self, node: Node, direction: int, depth: int) -> None:
        left, right = node.parts
        meant = _is_zero(left) or _is_zero(right)
        if node.value in _SIGNS and not meant and _is_series(left) and _is_series(right):
            for part, sign in zip(node.parts, _SIGNS[node.value], strict=True):
                if direction * sign < 0:
                    self._may_miss(part)
        if node.value in ("+", "*"):
            signs = (1, 1)
        elif node.value in ("-", "/"):
            signs = (1, -1)
        else:
            return
        before = list(self.harmless)
        if node.value == "/":
            self.harmless += [inner.value for inner in walk(left) if inner.kind == "name"]
        for part, sign in zip(node.parts, signs, strict=True):
            self.walk(part, direction * sign, depth + 1)
        self.harmless = before

    def _call(self, node: Node, direction: int, depth: int) -> None:
        if node.value == "SUM" and node.parts and node.parts[0].kind == "list" and direction < 0:
            for part in node.parts[0].parts:
                self._may_miss(part)
        elif node.value == "IF":
            for part in node.parts[1:]:
                self.walk(part, direction, depth + 1)
        elif node.value in _GROWING:
            for part in node.parts:
                self.walk(part, direction, depth + 1)

    def _may_miss(self, node: Node) -> None:
        """Keeps a term that is a metric, and of which silence does not mean none."""
        if node.kind != "name" or node.value in self.harmless:
            return
        query = self.queries.get(node.value)
        if query is None or query.metric is None:
            return
        counted = query.statistic in ("Sum", "SampleCount")
        nothing = silence_of(query.metric) in (Silence.EVENT, Silence.TRAFFIC)
        if not (counted and nothing):
            self.dangerous.append(node.value)


def _is_series(node: Node) -> bool:
    return any(inner.kind == "name" for inner in walk(node))


def _is_zero(node: Node) -> bool:
    """``0 * x``: who adds it wants the other term to count as 0 where it is missing."""
    zeros = [part for part in node.parts if part.kind == "number" and float(part.value) == 0]
    return node.kind == "operation" and node.value == "*" and bool(zeros)
