"""Datadog's metric queries as trees that can be evaluated on numbers.

``monitoring.datadog.query`` says what Datadog refuses; here a query that it takes becomes a tree,
and one whose scope or function can't be evaluated is refused with the reason.

Source: Datadog documentation, "Querying" and "Functions".
"""

from __future__ import annotations

import ast
from collections.abc import Collection
from dataclasses import dataclass

from monitoring.datadog.query import ATOM, QueryError

_OPERATORS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
# A query is written by people; a deeper tree is none of theirs.
_DEEPEST = 40


@dataclass(frozen=True, slots=True)
class Number:
    """A constant."""

    value: float


@dataclass(frozen=True, slots=True)
class Name:
    """Another query, by the name that a formula calls it."""

    name: str


@dataclass(frozen=True, slots=True)
class Atom:
    """One metric.

    Attributes:
        aggregation: over what the scope leaves; ``avg`` where nothing is written.
        tags: entries of the scope, all of which have to hold; without variables and ``*``.
        variables: template variables of the scope, without their ``$``.
        by: tags that it is grouped by.
        methods: name and arguments of each, in order: ``("rollup", ("sum", "60"))``.
    """

    aggregation: str
    metric: str
    tags: tuple[str, ...]
    variables: tuple[str, ...]
    by: tuple[str, ...]
    methods: tuple[tuple[str, tuple[str, ...]], ...]

    def method(self, name: str) -> tuple[str, ...] | None:
        """The arguments of a method; None where it is not called."""
        return next((arguments for called, arguments in self.methods if called == name), None)


@dataclass(frozen=True, slots=True)
class Call:
    """A function of one expression and constants."""

    function: str
    argument: Node
    constants: tuple[float | str, ...]


@dataclass(frozen=True, slots=True)
class Binary:
    """Arithmetic; ``operator`` is one of ``+ - * /``."""

    operator: str
    left: Node
    right: Node


Node = Number | Name | Atom | Call | Binary


def metric(text: str) -> Node:
    """A metric query as a tree.

    Raises:
        QueryError: When it can't be read, or its scope can't be evaluated.
    """
    atoms: list[Atom] = []
    parts: list[str] = []
    position = 0
    for match in ATOM.finditer(text):
        atoms.append(_atom(match.groupdict(default="")))
        parts += [text[position : match.start()], f" _{len(atoms) - 1} "]
        position = match.end()
    parts.append(text[position:])
    names: dict[str, Node] = {f"_{place}": atom for place, atom in enumerate(atoms)}
    return _tree("".join(parts), names)


def formula(text: str, names: Collection[str]) -> Node:
    """A formula over named queries as a tree.

    Raises:
        QueryError: When it can't be read, or names a query that does not exist.
    """
    return _tree(text, {name: Name(name) for name in names})


def atoms(node: Node) -> list[Atom]:
    """Every metric of a tree."""
    match node:
        case Atom():
            return [node]
        case Call(argument=argument):
            return atoms(argument)
        case Binary(left=left, right=right):
            return [*atoms(left), *atoms(right)]
    return []


def _atom(fields: dict[str, str]) -> Atom:
    tags, variables = [], []
    scope = fields["scope"].replace(" AND ", ",")
    for entry in filter(None, (part.strip() for part in scope.split(","))):
        if entry.startswith("$"):
            variables.append(entry.removeprefix("$").removesuffix(".value"))
        elif entry == "*":
            continue
        elif any(sign in entry for sign in " ()!*$"):
            raise QueryError(f"has the scope '{entry}', which can't be evaluated here")
        else:
            tags.append(entry)
    methods = []
    for call in filter(None, fields["methods"].split(")")):
        name, _, inside = call.lstrip(".").partition("(")
        arguments = tuple(argument.strip() for argument in inside.split(",") if argument.strip())
        methods.append((name, arguments))
    return Atom(
        fields["space"] or "avg", fields["metric"], tuple(tags), tuple(variables),
        tuple(tag.strip() for tag in fields["by"].split(",") if tag.strip()), tuple(methods),
    )  # fmt: skip


def _tree(text: str, names: dict[str, Node]) -> Node:
    try:
        body = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise QueryError("can't be read; are its brackets balanced?") from None
    return _node(body, names, 0)


def _node(node: ast.expr, names: dict[str, Node], depth: int) -> Node:
    if depth > _DEEPEST:
        raise QueryError("is nested too deeply")
    match node:
        case ast.Constant(value=int() | float() as value):
            return Number(float(value))
        case ast.Name(id=name) if name in names:
            return names[name]
        case ast.Name(id=name):
            raise QueryError(f"uses '{name}', which is not one of its queries")
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return Binary("-", Number(0.0), _node(operand, names, depth + 1))
        case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _OPERATORS:
            return Binary(
                _OPERATORS[type(operator)],
                _node(left, names, depth + 1),
                _node(right, names, depth + 1),
            )
        case ast.Call(func=ast.Name(id=called), args=[first, *others]):
            return Call(called, _node(first, names, depth + 1), tuple(map(_constant, others)))
    raise QueryError("can't be read")


def _constant(node: ast.expr) -> float | str:
    match node:
        case ast.Constant(value=int() | float() as value):
            return float(value)
        case ast.Constant(value=str() as text):
            return text
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            return -float(value)
    raise QueryError("has an argument that is not a constant")
