"""``webhook-buffer backend``: break the faux backend on this laptop, and mend it."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from settings.errors import InputError
from settings.loader import load
from webhook_buffer.cli.terminal import console
from webhook_buffer.laptop import laptop
from webhook_buffer.laptop.practice import Mode

backend_app = typer.Typer(rich_markup_mode=None)
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s)?")
# The longest that a delivery attempt may last.
_MOST_SECONDS = 60.0


@backend_app.command()
def up() -> None:
    """Restore it: answer every webhook with 200 at once."""
    _set(Mode())


@backend_app.command()
def down() -> None:
    """Refuse every connection."""
    _set(Mode(listens=False))


@backend_app.command()
def status(
    code: Annotated[int, typer.Argument(metavar="STATUS", help="HTTP status.", min=200, max=599)],
) -> None:
    """Answer every webhook with one HTTP status."""
    _set(Mode(status=code))


@backend_app.command(context_settings={"ignore_unknown_options": True})  # -1s is a time
def slow(
    time: Annotated[str, typer.Argument(metavar="TIME", help="How long, such as 8s or 500ms.")],
) -> None:
    """Wait before each answer; 0 restores it."""
    match = _DURATION.fullmatch(time.strip())
    seconds = float(match[1]) / (1000 if match[2] == "ms" else 1) if match else -1.0
    if not 0 <= seconds <= _MOST_SECONDS:
        raise InputError(f"'{time}' is not a time of up to {_MOST_SECONDS:.0f} s; write 8s, 500ms.")
    _set(Mode(slow=(seconds, seconds) if seconds else None))


@backend_app.command()
def reset() -> None:
    """Reset every connection instead of answering. To restore it: up."""
    _set(Mode(reset=True))


def _set(mode: Mode) -> None:
    laptop.environment(load("local"))  # which mends what was left behind
    laptop.backend().set(mode)
    console.print(f"The faux backend {mode.words}.")
    if mode != Mode():
        console.print("To restore it: webhook-buffer backend up")
