"""A YAML file's nodes: what is not as it should be is kept with its line, and reading goes on."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from alarmproof.base import bounded_yaml, files
from alarmproof.base.errors import InputError


def compose(file: Path) -> yaml.Node | None:
    """A file's node at the top; None where it is empty.

    Raises:
        InputError: When it can't be read, or is not YAML.
    """
    text = files.read_text(file)
    try:
        return bounded_yaml.compose(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{file}:{mark.line + 1}" if mark else str(file)
        what = getattr(error, "problem", None) or "it can't be parsed"
        raise InputError(f"{where}: not YAML: {what}.") from None
    except ValueError as error:
        raise InputError(f"{file}: not usable YAML: {error}.") from None


def line(node: yaml.Node) -> int:
    """Where a node begins, counted from 1."""
    return int(node.start_mark.line) + 1


@dataclass(slots=True)
class Reader:
    """What one file's nodes hold.

    Attributes:
        problems: each with file, line and remedy.
    """

    file: str
    problems: list[str] = field(default_factory=list)

    def wrong(self, node: yaml.Node, what: str) -> None:
        """Keeps what is wrong with a node."""
        self.problems.append(f"{self.file}:{line(node)}: {what}")

    def mapping(
        self,
        node: yaml.Node,
        known: tuple[str, ...] | None,
        what: str,
        required: Iterable[str] = (),
    ) -> dict[str, yaml.Node]:
        """A mapping's nodes by key.

        Args:
            known: the keys it may have; None for any.
            what: it is, for the message.
        """
        if not isinstance(node, yaml.MappingNode):
            self.wrong(node, f"{what} is a mapping (key: value)")
            return {}
        values: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = self.text(key)
            if known is not None and name not in known:
                self.wrong(key, f"{what} has no key '{name}'{_near(name, known)}")
            elif name in values:
                self.wrong(key, f"the key '{name}' is there twice")
            values[name] = value
        for name in required:
            if name not in values:
                self.wrong(node, f"{what} lacks '{name}'")
        return values

    def items(self, node: yaml.Node | None, what: str) -> list[yaml.Node]:
        """A list's nodes; none where the key is missing."""
        if node is None:
            return []
        if not isinstance(node, yaml.SequenceNode):
            self.wrong(node, f"'{what}' is a list (lines that begin with -)")
            return []
        return list(node.value)

    def text(self, node: yaml.Node) -> str:
        """A scalar as it is written."""
        if not isinstance(node, yaml.ScalarNode):
            self.wrong(node, "a text is expected here")
            return ""
        return str(node.value)

    def one_of(self, node: yaml.Node | None, known: Sequence[str], what: str) -> str | None:
        """A word of a few; None where the key is missing."""
        if node is None:
            return None
        text = self.text(node)
        if text in known:
            return text
        self.wrong(node, f"{what} '{text}' is not one of {', '.join(known)}")
        return None


def _near(name: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean '{close[0]}'?" if close else f"; it has {', '.join(known)}"
