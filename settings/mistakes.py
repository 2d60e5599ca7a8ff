"""Python mistakes in the definitions, as errors of the source tree."""

from __future__ import annotations

import traceback
from pathlib import Path

from settings.errors import DefinitionError
from settings.paths import ROOT

_DATA = ("alarms", "dashboards")
# The types that definitions are written in; what they refuse is a mistake of the definition.
_FORMS = ("monitoring", "model")


def mistake(error: Exception, root: Path = ROOT) -> DefinitionError | None:
    """The error of whoever edited ``alarms/`` or ``dashboards/``, or None when it isn't theirs.

    Args:
        error: any exception. It is a mistake of a definition when a definition's file can't be
            parsed, or when the project's code that raised it is a definition (or one of the types
            in ``monitoring/model``, called by a definition).
    """
    if isinstance(error, SyntaxError) and error.filename:
        file = _within(error.filename, root)
        if file and file.parts[0] in _DATA:
            return _problem(file, error.lineno, error, error.msg)
    frames = [
        (file, frame.lineno)
        for frame in traceback.extract_tb(error.__traceback__)
        if (file := _within(frame.filename, root))
    ]
    while frames and frames[-1][0].parts[:2] == _FORMS:
        frames.pop()
    if frames and frames[-1][0].parts[0] in _DATA:
        return _problem(*frames[-1], error, str(error))
    return None


def _within(name: str, root: Path) -> Path | None:
    """A source file's path below the root; None for libraries, also those installed below it."""
    path = Path(name)
    if not path.is_relative_to(root) or "site-packages" in path.parts:
        return None
    return path.relative_to(root)


def _problem(file: Path, line: int | None, error: Exception, text: str) -> DefinitionError:
    reason = " ".join(f"{type(error).__name__}: {text}".split())
    return DefinitionError([f"{file.as_posix()}, line {line}: {reason}"])
