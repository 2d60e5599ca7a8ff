"""Groups of commands: their help in plain text, which is ready in a third of the time that rich's
takes, and commands that are loaded only when they are used.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import typer
from typer.core import TyperGroup


class Sections(TyperGroup):
    """A group whose help lists commands by their panel, each with its whole first paragraph."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Writes a section per panel."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for name in self.list_commands(ctx):
            command: Any = self.get_command(ctx, name)
            text = " ".join((command.help or "").split("\n\n")[0].split())
            sections.setdefault(command.rich_help_panel or "Commands", []).append((name, text))
        for title, rows in sections.items():
            with formatter.section(title):
                formatter.write_dl(rows)


def deferred(load: Callable[[str | None], typer.Typer]) -> type[TyperGroup]:
    """A class of groups whose commands are loaded when they are looked up.

    Args:
        load: returns the Typer app that has a command, by the command's name; for None, the app
            that has all of them.
    """

    class Deferred(Sections):
        def list_commands(self, _: Any) -> list[str]:
            return list(_commands(load(None)))

        def get_command(self, _: Any, cmd_name: str) -> Any:
            return _commands(load(cmd_name)).get(cmd_name)

        def resolve_command(self, ctx: Any, args: list[str]) -> Any:
            if self.get_command(ctx, args[0]) is None:
                self.commands = _commands(load(None))  # what Typer suggests for a typo
            return super().resolve_command(ctx, args)

    return Deferred


@cache
def built(app: typer.Typer) -> TyperGroup:
    """The group that an app describes; Typer itself would build it again in each call."""
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    return group


def _commands(app: typer.Typer) -> Any:
    return built(app).commands
