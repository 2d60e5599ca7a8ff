"""How commands speak in a terminal: steps, tables, progress bars."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table

from errors import InputError

console = Console(highlight=False)


@contextmanager
def step(name: str) -> Iterator[None]:
    """Shows a step while it runs and how long it took."""
    started = time.monotonic()
    with console.status(name):
        yield
    console.print(f"[green]✓[/] {name} [dim]({time.monotonic() - started:.1f} s)[/]")


def require_answer(yes: bool) -> None:
    """Makes sure that there is an answer, or somebody to give it.

    Raises:
        InputError: When nobody can be asked.
    """
    if not yes and not sys.stdin.isatty():
        raise InputError("This asks before it changes anything, and nobody can answer; say --yes.")


def progress() -> Progress:
    """Bars with a count; without a terminal only their last state is printed."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        console=console,
    )


def show(rows: Sequence[tuple[str, str]]) -> None:
    """Prints names and values as a table."""
    table = Table(show_header=False)
    for _ in range(2):
        table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(name, value)
    console.print(table)


def milliseconds(percentile: Callable[[float], float]) -> str:
    """Median and 99th percentile in words."""
    return f"p50 {percentile(50):.0f} ms, p99 {percentile(99):.0f} ms"
