"""Texts for a terminal or a log, strangers' among them."""

from __future__ import annotations

import sys

import typer


def printable(text: str) -> str:
    """A text without control characters, which a terminal would obey."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def counted(number: int, what: str) -> str:
    """``1 alarm``, ``2 alarms``."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def styled(text: str, color: str) -> str:
    """A text in a color, on a terminal only."""
    return typer.style(text, fg=color) if sys.stdout.isatty() else text
