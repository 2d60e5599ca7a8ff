"""``make bench``: how soon help is there, as ratios within one run.

Runs alternate, so that a machine that slows down slows both sides.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from settings.paths import ROOT

RUNS = 15
_BIN = Path(sys.executable).parent
_BARE = [sys.executable, "-c", "import typer, rich"]
_COMMANDS = {
    "webhook-buffer --help": 3,
    "alarmproof lint --help": 2,
}


def main() -> None:
    """Measures and prints."""
    table = Table()
    for column in ("", "ours (median)", "import typer, rich", "ratio", "asked for"):
        table.add_column(column, overflow="fold")
    for words, asked in _COMMANDS.items():
        name, *options = words.split()
        if not (_BIN / name).exists():
            continue
        pairs = [(timed([str(_BIN / name), *options]), timed(_BARE)) for _ in range(RUNS + 2)][2:]
        ratio = statistics.median(ours / bare for ours, bare in pairs)
        ours, bare = (
            f"{statistics.median(side) * 1000:.0f} ms" for side in zip(*pairs, strict=True)
        )
        table.add_row(words, ours, bare, f"{ratio:.2f}", f"≤ {asked}")
    Console().print(table)


def timed(command: list[str]) -> float:
    """Seconds until a command has ended."""
    start = time.perf_counter()
    subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
