"""Texts of a given form: how they are checked, and their words in errors and docs/settings.md."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Form:
    """A text that matches a pattern as a whole.

    Args:
        words: complete "is not …": "an AWS account's twelve digits".
    """

    words: str
    pattern: str

    def matches(self, text: str) -> bool:
        return re.fullmatch(self.pattern, text) is not None

    def __call__(self, text: str) -> str:
        if not self.matches(text):
            raise ValueError(f"is not {self.words}")
        return text


@dataclass(frozen=True)
class Parsed:
    """A text that a parser accepts; the parser's ``ValueError`` says what is wrong.

    Args:
        words: what such a text is called: "an extractor".
    """

    words: str
    parse: Callable[[str], object]

    def __call__(self, text: str) -> str:
        self.parse(text)
        return text
