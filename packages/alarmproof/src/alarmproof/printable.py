"""Strangers' texts for a terminal or a log."""

from __future__ import annotations


def printable(text: str) -> str:
    """A text without control characters, which a terminal would obey."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
