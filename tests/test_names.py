"""Variables and functions have the name of what they hold or do."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from settings.paths import ROOT

# Each says that there is something, not what.
_SAY_NOTHING = {"found", "one"}
# Where one may be bound: a word or a full stop follows in prose. Parsing all files takes seconds.
_MAY_BIND = re.compile(
    rf"\b(?:{'|'.join(_SAY_NOTHING)})\b[ \t]*(?:[=:,()\]}}|#\\]|in\b|if\b|$)", re.MULTILINE
)
_PARTS = [
    *(ROOT / name for name in ("app.py", "packages", "tests")),
    *sorted(file.parent for file in ROOT.glob("*/__init__.py")),
]


def _bound(code: str) -> Iterator[tuple[str, int]]:
    """Every variable, parameter and function of a module, with the line that binds it.

    None of a module that binds no such name.
    """
    if not _MAY_BIND.search(code):
        return
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node.lineno
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno
        elif isinstance(node, ast.MatchAs | ast.MatchStar) and node.name:
            yield node.name, node.lineno


@pytest.mark.parametrize("part", _PARTS, ids=lambda part: part.name)
def test_variables_say_what_they_hold(part: Path) -> None:
    """A reader sees an alarm, a row or a match, and need not look up what is iterated."""
    assert [
        f"{file.relative_to(ROOT)}:{line}: name what '{name}' holds or does"
        for file in ([part] if part.is_file() else sorted(part.rglob("*.py")))
        for name, line in _bound(file.read_text("utf-8"))
        if name in _SAY_NOTHING
    ] == []


@pytest.mark.parametrize(
    "code",
    [
        "one = 1",
        "for one in (): pass",
        "[one for one in ()]",
        "def read(one): pass",
        "lambda found: 0",
        "def found(): pass",
        "with x as found: pass",
        "if found := 1: pass",
        "match x:\n  case {'a': found}: pass",
    ],
)
def test_every_binding_is_seen(code: str) -> None:
    """However a variable comes to be."""
    assert {name for name, _ in _bound(code)} & _SAY_NOTHING
