"""What commands print in a terminal: steps, tables, progress bars, differences."""

from __future__ import annotations

import difflib
import json
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table

from settings.errors import InputError

console = Console(highlight=False)
# Longer values stand on lines of their own.
_SHOWN = 60


@contextmanager
def step(name: str) -> Iterator[None]:
    """Shows a step while it runs and how long it took."""
    started = time.monotonic()
    with console.status(name):
        yield
    console.print(f"[green]✓[/] {name} [dim]({time.monotonic() - started:.1f} s)[/]")


def require_answer(yes: bool) -> None:
    """Makes sure that the confirmation was given, or can be asked for.

    Raises:
        InputError: When neither is the case.
    """
    if not yes and not sys.stdin.isatty():
        raise InputError(
            "This command asks for confirmation, and standard input is not a terminal; pass --yes "
            "(with make: YES=1)."
        )


def progress() -> Progress:
    """Bars with a count; without a terminal only their last state is printed."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        console=console,
    )


def safe(text: str) -> str:
    """A stranger's text without what a terminal or rich would obey."""
    return escape("".join(char if char.isprintable() else ascii(char)[1:-1] for char in text))


def moment(milliseconds: float) -> str:
    """A time since the epoch, in UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def show(rows: Sequence[tuple[str, str]]) -> None:
    """Prints names and values as a table."""
    table = Table(show_header=False)
    for _ in range(2):
        table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(name, value)
    console.print(table)


def show_change(path: str, before: Any, after: Any) -> None:
    """Prints a field that differs: both values, or the lines of long ones that do.

    Args:
        before, after: JSON values; None where it is not there.
    """
    if before is None and isinstance(after, dict) and "definition" in after:
        console.print(f"    {escape(path)}: [green](new {after['definition']['type']})[/]")
        return
    texts = [_value(side) for side in (before, after)]
    if None not in (before, after) and any("\n" in text for text in texts):
        console.print(f"    {escape(path)}:")
        for line in _text_diff(*texts):
            console.print(f"      {line}", soft_wrap=True)
        return
    red, green = (escape(re.sub(r"\n\s*", " ", text)) for text in texts)
    if max(len(red), len(green)) > _SHOWN:
        console.print(f"    {escape(path)}:")
        console.print(f"      [red]- {red}[/]", soft_wrap=True)
        console.print(f"      [green]+ {green}[/]", soft_wrap=True)
        return
    console.print(f"    {escape(path)}: [red]{red}[/] → [green]{green}[/]", soft_wrap=True)


def _text_diff(before: str, after: str) -> Iterator[str]:
    lines = difflib.unified_diff(before.split("\n"), after.split("\n"), n=1, lineterm="")
    for line in islice(lines, 2, None):  # after the names of two files
        if line.startswith("@@"):
            continue
        color = {"-": "red", "+": "green"}.get(line[:1])
        yield f"[{color}]{escape(line)}[/]" if color else f"[dim]{escape(line)}[/]"


def _value(value: Any) -> str:
    """A value as text; what is long on several lines, so that they can be compared."""
    if value is None:
        return "(none)"
    if isinstance(value, str):
        return value
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else json.dumps(value, ensure_ascii=False, indent=1)


def milliseconds(percentile: Callable[[float], float]) -> str:
    """Median and 99th percentile in words."""
    return f"p50 {percentile(50):.0f} ms, p99 {percentile(99):.0f} ms"
