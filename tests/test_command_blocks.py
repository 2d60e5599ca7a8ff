"""Every command that a document shows can be pasted as it stands."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from alarmproof import cli as alarmproof
from typer.core import TyperGroup
from typer.exceptions import TyperException

from settings.paths import ROOT
from webhook_buffer.cli import app

_PROGRAMS = {
    "webhook-buffer": typer.main.get_command(app.app),
    "alarmproof": typer.main.get_command(alarmproof.app),
}
_TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
_DOCUMENTS = sorted(
    file
    for folder in (".", "docs", "docs/decisions", "packages/alarmproof", "packages/alarmproof/docs")
    for file in (ROOT / folder).glob("*.md")
)
_COMMAND = re.compile(r"(?:\$ )?(?:\.venv/bin/)?((?:webhook-buffer|alarmproof|make) .*)")


def _commands(text: str) -> Iterator[str]:
    """The lines of a document's shell blocks that call our programs, without a prompt."""
    blocks = re.findall(r"^ *```(\S*)\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
    for block in (block for language, block in blocks if language in ("", "sh")):
        for line in block.replace("\\\n", " ").splitlines():
            command = _COMMAND.fullmatch(line.strip())
            if command:
                yield command[1]


def _words(line: str) -> list[str]:
    """What a shell hands to the first program of a line, its name included."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
    lexer.whitespace_split = True
    words = []
    for word in lexer:
        if set(word) <= set("|&;<>"):
            break
        words.append(word)
    return words


def _parsed(program: str, words: list[str]) -> None:
    """Reads options and arguments as the program does, and runs nothing.

    Raises:
        TyperException: When the program would refuse them.
    """
    command = _PROGRAMS[program]
    context = command.make_context(program, list(words), resilient_parsing=False)
    while isinstance(command, TyperGroup) and "--help" not in words:
        rest = [*context._protected_args, *context.args]
        _, subcommand, rest = command.resolve_command(context, rest)
        assert subcommand
        command = subcommand
        context = command.make_context(command.name, rest, parent=context)


@pytest.mark.parametrize(
    ("file", "line"),
    [(file, line) for file in _DOCUMENTS for line in _commands(file.read_text("utf-8"))],
    ids=lambda part: part.name if isinstance(part, Path) else part.split("  ")[0],
)
def test_a_command_of_a_document_is_one(file: Path, line: str) -> None:
    """Its program takes the options and arguments before the comment, and make has the target."""
    try:
        program, *words = _words(line)
        if program == "make":
            assert {word for word in words if "=" not in word} <= _TARGETS, f"{file.name}: {line}"
        else:
            _parsed(program, words)
    except (TyperException, ValueError) as error:
        pytest.fail(f"{file.name}: {line}: {error}")
