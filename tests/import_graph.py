"""What the modules of the tree import, and which tests can see a definition of ``alarms/``."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

from settings.paths import ROOT

_ALARMPROOF = ROOT / "packages" / "alarmproof" / "src"
_DEFINITIONS = ("alarms", "dashboards")


def modules(tops: Iterable[str]) -> dict[str, Path]:
    """Every module of these top folders, of the root and of alarmproof, by its dotted name."""
    files = [(ROOT, path) for top in tops for path in (ROOT / top).rglob("*.py")]
    files += [(ROOT, path) for path in ROOT.glob("*.py")]
    files += [(_ALARMPROOF, path) for path in _ALARMPROOF.rglob("*.py")]
    return {
        ".".join(path.relative_to(base).with_suffix("").parts).removesuffix(".__init__"): path
        for base, path in files
    }


@cache
def imports(file: Path) -> frozenset[str]:
    """The whole name of everything a file imports, wherever the import stands."""

    def names() -> Iterator[str]:
        for node in _statements(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{file}: relative import"
                yield from (f"{node.module}.{alias.name}" for alias in node.names)

    return frozenset(names())


def _statements(module: ast.Module) -> Iterator[ast.AST]:
    """Every statement, however deep; walking all expressions takes seven times as long."""
    pending: list[ast.AST] = [module]
    while pending:
        node = pending.pop()
        for part in ("body", "orelse", "finalbody", "handlers", "cases"):
            inner = getattr(node, part, None)
            pending += inner if isinstance(inner, list) else []
        yield node


def module_of(whole: str, known: Mapping[str, Path]) -> str | None:
    """The module of ours that an import reads: the name itself, or what holds it."""
    for name in (whole, whole.rpartition(".")[0]):
        if name in known:
            return name
    return None


def that_see_definitions() -> list[str]:
    """The tests that can see a definition: their imports lead to one, or they read the tree."""
    tops = sorted({file.parent.name for file in ROOT.glob("*/*.py")})
    known = modules(tops)

    def leads_to_one(module: str, seen: set[str]) -> bool:
        if module.partition(".")[0] in _DEFINITIONS:
            return True
        seen.add(module)
        reached = {module_of(whole, known) for whole in imports(known[module])} - {None}
        return any(leads_to_one(name, seen) for name in reached if name and name not in seen)

    return [
        file.relative_to(ROOT).as_posix()
        for name, file in sorted(known.items())
        if name.startswith("tests.")
        and file.name.startswith("test_")
        and ("ROOT" in file.read_text("utf-8") or leads_to_one(name, set()))
    ]
