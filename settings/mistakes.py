"""Python mistakes in the definitions, as errors of the source tree."""

from __future__ import annotations

import importlib
import inspect
import re
import sys
import traceback
from collections.abc import Collection, Iterator
from difflib import get_close_matches
from pathlib import Path
from types import FrameType, ModuleType

from settings.errors import DefinitionError
from settings.paths import ROOT

_DATA = ("alarms", "dashboards")
# The types that definitions are written in; what they refuse is a mistake of the definition.
_FORMS = ("monitoring", "model")
# Python's words for arguments that a call has too many of, or lacks.
_ARGUMENT = re.compile(
    r"(\w+)(?:\.__init__)?\(\) (?:got an unexpected keyword argument '(\w+)'|missing .*)"
)


def mistake(error: Exception, root: Path = ROOT) -> DefinitionError | None:
    """The error of whoever edited ``alarms/`` or ``dashboards/``, or None when it isn't theirs.

    It lists the mistake of every module: Python itself stops at the first.

    Args:
        error: any exception. It is a mistake of a definition when a definition's file can't be
            parsed, or when the project's code that raised it is a definition (or one of the types
            in ``monitoring/model``, called by a definition).
    """
    first = _mistake(error, root)
    if first is None:
        return None
    return DefinitionError(list(dict.fromkeys([first, *_others(root)])))


def _mistake(error: Exception, root: Path) -> str | None:
    """A mistake with its file, line and remedy; None when it isn't one of a definition."""
    if isinstance(error, SyntaxError) and error.filename:
        file = _within(error.filename, root)
        if file and file.parts[0] in _DATA:
            return _problem(
                file, error.lineno, error, error.msg, "correct this line, or the one before it"
            )
    frames = [
        (file, line, frame)
        for frame, line in traceback.walk_tb(error.__traceback__)
        if (file := _within(frame.f_code.co_filename, root))
    ]
    while frames and frames[-1][0].parts[:2] == _FORMS:
        frames.pop()
    if frames and frames[-1][0].parts[0] in _DATA:
        file, line, frame = frames[-1]
        return _problem(file, line, error, str(error), _remedy(error, frame))
    return None


def _others(root: Path) -> Iterator[str]:
    """The mistakes of all modules, each loaded whatever becomes of the others.

    Their packages load them all, and so nothing of a package where one of them is wrong: here
    they stand in an empty one.
    """
    before = _taken_out()
    try:
        for package in _DATA:
            empty = ModuleType(package)
            empty.__path__ = [str(root / package)]
            sys.modules[package] = empty
            for file in sorted(root.joinpath(package).glob("[!_]*.py")):
                try:
                    importlib.import_module(f"{package}.{file.stem}")
                except Exception as error:
                    problem = _mistake(error, root)
                    if problem:
                        yield problem
    finally:
        _taken_out()
        sys.modules.update(before)


def _taken_out() -> dict[str, ModuleType]:
    """Unloads the modules of definitions, and returns them."""
    names = [name for name in sys.modules if name.partition(".")[0] in _DATA]
    return {name: sys.modules.pop(name) for name in names}


def _remedy(error: Exception, frame: FrameType) -> str:
    """What to write in place of it, as far as Python knows."""
    if isinstance(error, NameError):
        return _instead(error.name, {*frame.f_globals, *frame.f_locals})
    if isinstance(error, AttributeError):
        return _instead(error.name, [name for name in dir(error.obj) if name[0] != "_"])
    if isinstance(error, ImportError) and error.name and error.name in sys.modules:
        match = re.search(r"cannot import name '(\w+)'", str(error))
        return _instead(match and match[1], dir(sys.modules[error.name]))
    match = _ARGUMENT.match(str(error)) if isinstance(error, TypeError) else None
    called = match and {**frame.f_globals, **frame.f_locals}.get(match[1])
    if match is None or not callable(called):
        return "correct this line"
    taken = [*inspect.signature(called).parameters]
    remedy = _instead(match[2], taken) if match[2] else "add it"
    return f"{remedy} ({match[1]} takes {', '.join(taken)})"


def _instead(name: str | None, known: Collection[str]) -> str:
    """The name that was probably meant."""
    near = get_close_matches(name or "", known, n=1)
    return f"did you mean '{near[0]}'?" if near else "correct this line"


def _within(name: str, root: Path) -> Path | None:
    """A source file's path below the root; None for libraries, also those installed below it."""
    path = Path(name)
    if not path.is_relative_to(root) or "site-packages" in path.parts:
        return None
    return path.relative_to(root)


def _problem(file: Path, line: int | None, error: Exception, text: str, remedy: str) -> str:
    reason = " ".join(f"{type(error).__name__}: {text}".split())
    return f"{file.as_posix()}, line {line}: {reason}; {remedy}"
