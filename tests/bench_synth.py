"""``make bench``: what cfn-lint adds to ``webhook-buffer synth``.

``python -m tests.bench_synth``. Synthesis without it, with templates that it has not judged yet,
and with the same again alternate, so that a machine that slows down slows all of them. Processor
seconds of all processes are the most that it adds while a processor is free, because part of it
runs beside the synthesis; a busy machine changes them, and their share of the synthesis, little.
What is waited for counts on a free machine only.
"""

from __future__ import annotations

import resource
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from settings.loader import load
from tests.bench_startup import timed
from webhook_buffer.laptop import laptop
from webhook_buffer.operations.deployment import VERDICTS
from webhook_buffer.operations.template_lint import SKIP

_RUNS = 3
_ASKED = 4.0  # seconds
_ENV = "stg"
_SYNTH = [str(Path(sys.executable).with_name("webhook-buffer")), "synth", "--env", _ENV]


class _Run(NamedTuple):
    """Seconds of one synthesis."""

    processor: float
    waited: float


def _skipped() -> _Run:
    return _run(SKIP)


def _judged() -> _Run:
    (laptop.STATE / load(_ENV).environment / VERDICTS).unlink(missing_ok=True)
    return _run()


def _again() -> _Run:
    return _run()


_SIDES: dict[str, Callable[[], _Run]] = {
    SKIP: _skipped, "templates not judged yet": _judged, "the same again": _again,
}  # fmt: skip


def _run(*options: str) -> _Run:
    before = _processor()
    waited = timed([*_SYNTH, *options])
    return _Run(_processor() - before, waited)


def _processor() -> float:
    """Processor seconds of everything that was started and has ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Measures and prints medians."""
    for side in _SIDES.values():  # builds the asset, and Python's bytecode
        side()
    rounds = [{name: side() for name, side in _SIDES.items()} for _ in range(_RUNS)]
    table = Table(title=f"webhook-buffer synth, medians of {_RUNS} (asked for: {_ASKED:g} s more)")
    for column in ("", "processor", "adds", "to the synthesis", "waited", "adds"):
        table.add_column(column, overflow="fold")
    for name in _SIDES:
        processor, waited = (
            [getattr(measured[name], field) for measured in rounds] for field in _Run._fields
        )
        bare = [measured[SKIP] for measured in rounds]
        added = [seconds - other.processor for seconds, other in zip(processor, bare, strict=True)]
        waits = [seconds - other.waited for seconds, other in zip(waited, bare, strict=True)]
        share = statistics.median(
            more / other.processor for more, other in zip(added, bare, strict=True)
        )
        table.add_row(
            name, _seconds(processor), _seconds(added), f"{share:.2f}", _seconds(waited),
            _seconds(waits),
        )  # fmt: skip
    Console().print(table)


def _seconds(values: list[float]) -> str:
    return f"{statistics.median(values):.1f} s"


if __name__ == "__main__":
    main()
