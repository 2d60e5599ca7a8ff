"""Metric math expressions, parsed: which queries they name, and whether they can be evaluated.

Source: CloudWatch user guide, "Using math expressions with CloudWatch metrics". What can't be read
is a syntax problem; what depends on more than the alarm's series is not supported, by name.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from alarmproof.base.errors import NotSupportedError, SyntaxProblemError
from alarmproof.base.math_functions import (
    ACROSS,
    ARGUMENTS,
    BACKWARD,
    CLOCK,
    ELSEWHERE,
    FILLERS,
    NOT_IN_ALARMS,
    ORDERS,
    SORTED_BY,
)

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r'|(?P<text>"[^"]*"|\'[^\']*\')|(?P<sign>==|!=|<=|>=|&&|\|\||[-+*/^<>(),\[\]]))'
)
# Operators by precedence.
_BINDS = {
    "||": 1, "OR": 1, "&&": 2, "AND": 2, "==": 3, "!=": 3, "<": 4, "<=": 4, ">": 4, ">=": 4,
    "+": 5, "-": 5, "*": 6, "/": 6, "^": 8,
}  # fmt: skip
_UNARY = 7
# Source: CloudWatch user guide, "Metrics Insights query components and syntax".
_INSIGHTS = re.compile(r"\s*SELECT\s", re.IGNORECASE)
# Source: CloudWatch API reference, MetricDataQuery, Expression.
_LONGEST = 2048
_WORDS = frozenset({*FILLERS, *ORDERS, *SORTED_BY})


@dataclass(frozen=True, slots=True)
class Node:
    """A part of an expression.

    Attributes:
        kind: ``number``, ``name``, ``text``, ``word``, ``call``, ``operation`` or ``list``.
    """

    kind: str
    value: str
    parts: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression.

    Attributes:
        ids: the queries it names.
        looks_back: whether a point depends on the points before it.
    """

    text: str
    tree: Node
    ids: frozenset[str]
    looks_back: bool


@lru_cache(maxsize=4096)
def compile_expression(text: str) -> Expression:
    """Parses an expression.

    Raises:
        SyntaxProblemError: When it can't be read; the message has the position.
        NotSupportedError: When it depends on more than the alarm's series.
    """
    if len(text) > _LONGEST:
        raise SyntaxProblemError(f"expression '{text[:40]}…': longer than {_LONGEST} characters")
    if _INSIGHTS.match(text):
        raise NotSupportedError(
            f"'{text[:60]}' is a Metrics Insights query, which reads more than the alarm's series"
        )
    try:
        tree = _Parser(text).parse()
        nodes = list(walk(tree))
    except RecursionError:
        raise SyntaxProblemError(f"expression '{text[:40]}…': nested too deeply") from None
    return Expression(
        text,
        tree,
        ids=frozenset(node.value for node in nodes if node.kind == "name"),
        looks_back=any(map(_looks_back, nodes)),
    )


def tree_of(text: str | None) -> Node | None:
    """An expression's tree; None where it has none or can't be read."""
    try:
        return compile_expression(text).tree if text else None
    except NotSupportedError:
        return None


def walk(node: Node) -> Iterator[Node]:
    """A node and all below it."""
    yield node
    for part in node.parts:
        yield from walk(part)


# What an alarm can't compare. Source: CloudWatch API reference, MetricDataQuery of PutMetricAlarm:
# "Any expression used must return a single time series."
NOT_COMPARED = {
    "array": "makes several series, and an alarm watches one",
    "number": "makes a number, not a series; TIME_SERIES makes a series of it",
}


def kind_of(node: Node, kinds: Mapping[str, str]) -> str:
    """What an expression makes: a ``number``, a ``series``, or an ``array`` of them.

    Args:
        kinds: of other queries, by id; a series where it says nothing.
    """
    if node.kind == "name":
        return kinds.get(node.value, "series")
    if node.kind == "list":
        return "array"
    if node.kind in ("number", "text", "word"):
        return "number"
    parts = [kind_of(part, kinds) for part in node.parts]
    if node.kind == "call":
        name = node.value
        if name in ACROSS:
            return "number" if parts in (["series"], ["number"]) else "series"
        if name in ("METRICS", "SORT", "SLICE", "REMOVE_EMPTY"):
            return "array"
        if name in ("PERIOD", "METRIC_COUNT"):
            return "number"
        if name in CLOCK or name in ("FIRST", "LAST", "TIME_SERIES"):
            return "array" if name in CLOCK and parts == ["array"] else "series"
        if name == "FILL":
            return parts[0]
    return next((kind for kind in ("array", "series") if kind in parts), "number")


def _looks_back(node: Node) -> bool:
    if node.kind != "call":
        return False
    if node.value in ACROSS:
        # Over one series it is a number for the evaluated range; over several it is a series.
        return len(node.parts) == 1 and not _is_array(node.parts[0])
    fills = node.value == "FILL" and node.parts[1].value in FILLERS
    return fills or node.value in BACKWARD | {"SORT", "REMOVE_EMPTY"}


def _is_array(node: Node) -> bool:
    """Whether it is an array of series for sure."""
    arrays = ("METRICS", "SORT", "SLICE", "REMOVE_EMPTY")
    if node.kind == "list" or (node.kind == "call" and node.value in arrays):
        return True
    inherits = node.kind == "operation" or node.value in {"ABS", "CEIL", "FLOOR", "LOG", "LOG10"}
    return inherits and any(map(_is_array, node.parts))


class _Parser:
    """Precedence climbing over the tokens of one expression."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens: list[tuple[str, str, int]] = []
        position = 0
        while position < len(text.rstrip()):
            match = _TOKEN.match(text, position)
            if not match or not match.lastgroup:
                raise self._error(f"'{text[position:].strip()[:10]}' is not known", position)
            self._tokens.append(
                (match.lastgroup, match[match.lastgroup], match.start(match.lastgroup))
            )
            position = match.end()
        self._at = 0

    def parse(self) -> Node:
        node = self._operation(0)
        if self._at < len(self._tokens):
            _, value, position = self._tokens[self._at]
            raise self._error(f"'{value}' is not expected", position)
        return node

    def _error(self, what: str, position: int) -> SyntaxProblemError:
        return SyntaxProblemError(f"expression '{self._text}': {what} at character {position + 1}")

    def _peek(self) -> str:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else ""

    def _next(self) -> tuple[str, str, int]:
        if self._at >= len(self._tokens):
            raise self._error("it ends too early", len(self._text))
        self._at += 1
        return self._tokens[self._at - 1]

    def _expect(self, sign: str) -> None:
        _, value, position = self._next()
        if value != sign:
            raise self._error(f"'{sign}' is expected in place of '{value}'", position)

    def _operation(self, least: int) -> Node:
        left = self._operand()
        while (binds := _BINDS.get(self._peek(), -1)) >= max(least, 1):
            _, operator, _ = self._next()
            # A power binds to the right.
            right = self._operation(binds if operator == "^" else binds + 1)
            left = Node("operation", operator, (left, right))
        return left

    def _operand(self) -> Node:
        kind, value, position = self._next()
        if kind == "number":
            return Node("number", value)
        if kind == "text":
            return Node("text", value[1:-1])
        if value == "-":
            return Node("operation", "-", (Node("number", "0"), self._operation(_UNARY)))
        if value == "(":
            inner = self._operation(0)
            self._expect(")")
            return inner
        if value == "[":
            return Node("list", value, self._listed("]"))
        if kind == "name" and self._peek() == "(":
            self._next()
            return self._call(value, position)
        if kind == "name" and value not in _BINDS:
            if value in _WORDS:
                return Node("word", value)
            if value.isupper():
                raise self._error(f"'{value}' is not known", position)
            return Node("name", value)
        raise self._error(f"'{value}' is not expected", position)

    def _listed(self, end: str) -> tuple[Node, ...]:
        arguments: list[Node] = []
        while self._peek() != end:
            if arguments:
                self._expect(",")
            arguments.append(self._operation(0))
        self._next()
        return tuple(arguments)

    def _call(self, name: str, position: int) -> Node:
        if name in NOT_IN_ALARMS:
            raise self._error(f"CloudWatch refuses the function {name} in alarms", position)
        if name in ELSEWHERE:
            raise NotSupportedError(
                f"expression '{self._text}': the function {name} is not supported, because it "
                f"reads {ELSEWHERE[name]} (at character {position + 1})"
            )
        if name not in ARGUMENTS:
            near = difflib.get_close_matches(name.upper(), ARGUMENTS, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise self._error(f"the function {name} is not known{hint}", position)
        parts = self._listed(")")
        least, most = ARGUMENTS[name]
        if not least <= len(parts) <= most:
            raise self._error(f"{name} takes {least} to {most} arguments", position)
        words = [part.value for part in parts[1:] if part.kind == "word"]
        if name == "SORT" and not (
            parts[1].value in SORTED_BY and parts[2].value in ORDERS and len(words) == 2
        ):
            raise self._error(
                "SORT takes an array, AVG, MIN, MAX or SUM, and ASC or DESC", position
            )
        if name != "SORT" and words and not (name == "FILL" and words[0] in FILLERS):
            raise self._error(f"'{words[0]}' is not expected in {name}", position)
        if parts and parts[0].kind == "word":
            raise self._error(f"'{parts[0].value}' is not expected", position)
        return Node("call", name, parts)
