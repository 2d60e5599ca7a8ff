"""Metric math expressions, parsed: which queries they name, and whether they can be evaluated.

Source: CloudWatch user guide, "Using math expressions with CloudWatch metrics". Anything
unsupported is rejected.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from alarmproof.errors import NotSupportedError, SyntaxProblemError

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
LOOKING_BACK = frozenset({"RATE", "DIFF", "RUNNING_SUM"})
ACROSS = frozenset({"SUM", "AVG", "MIN", "MAX"})
EACH = frozenset({"ABS", "CEIL", "FLOOR"})
CLOCK = frozenset({"MINUTE", "HOUR", "DAY", "DATE", "MONTH", "YEAR", "EPOCH"})
_KNOWN = sorted({"IF", "FILL", "METRICS", "PERIOD", *LOOKING_BACK, *ACROSS, *EACH, *CLOCK})


@dataclass(frozen=True, slots=True)
class Node:
    """A part of an expression: a number, a name, a text, a call, an operation or a list."""

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


def compile_expression(text: str) -> Expression:
    """Parses an expression.

    Raises:
        NotSupportedError: When it holds something unsupported; the message has the position.
    """
    if len(text) > _LONGEST:
        raise SyntaxProblemError(f"expression '{text[:40]}…': longer than {_LONGEST} characters")
    if _INSIGHTS.match(text):
        raise NotSupportedError(
            f"'{text[:60]}' is a Metrics Insights query, which reads more than the alarm's series"
        )
    try:
        tree = _Parser(text).parse()
        nodes = list(_walk(tree))
    except RecursionError:
        raise NotSupportedError(f"expression '{text[:40]}…': nested too deeply") from None
    return Expression(
        text,
        tree,
        ids=frozenset(node.value for node in nodes if node.kind == "name"),
        looks_back=any(map(_looks_back, nodes)),
    )


def _walk(node: Node) -> list[Node]:
    return [node, *(inner for part in node.parts for inner in _walk(part))]


def _looks_back(node: Node) -> bool:
    if node.kind != "call":
        return False
    if node.value in ACROSS:
        # Over one series it is a number for the whole window; over several it is a series.
        return len(node.parts) == 1 and node.parts[0].kind not in ("list", "call", "number")
    repeats = node.value == "FILL" and node.parts[1].value == "REPEAT"
    return repeats or node.value in LOOKING_BACK


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

    def _unsupported(self, what: str) -> NotSupportedError:
        return NotSupportedError(f"expression '{self._text}': {what}")

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
            return self._call(value, self._listed(")"), position)
        if kind == "name" and value not in _BINDS:
            if value in ("REPEAT", "LINEAR"):
                return Node("word", value)
            if value.isupper():
                raise self._error(f"'{value}' is not supported", position)
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

    def _call(self, name: str, parts: tuple[Node, ...], position: int) -> Node:
        allowed = {"IF": (2, 3), "FILL": (2, 2), "METRICS": (0, 1), "PERIOD": (1, 1)}
        if name in ACROSS:
            allowed[name] = (1, 99)
        elif name in LOOKING_BACK | EACH | CLOCK:
            allowed[name] = (1, 1)
        if name not in allowed:
            raise self._unsupported(
                f"the function {name} is not supported (known: {', '.join(_KNOWN)}) at character "
                f"{position + 1}"
            )
        least, most = allowed[name]
        if not least <= len(parts) <= most:
            raise self._error(f"{name} takes {least} to {most} arguments", position)
        if name == "FILL" and parts[1].value == "LINEAR":
            raise self._unsupported(
                f"FILL with LINEAR is not supported at character {position + 1}"
            )
        return Node("call", name, parts)
