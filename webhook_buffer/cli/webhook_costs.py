"""``webhook-buffer webhooks cost``, and the same table in ``docs/costs.md``."""

from __future__ import annotations

from rich.table import Table

from monitoring import cost
from monitoring.documents.markdown import table
from settings.loader import load
from settings.paths import ROOT
from webhook_buffer.cli.terminal import console
from webhook_buffer.operations import webhook_cost

FILE = ROOT / "docs" / "costs.md"
_EXAMPLE = "prd"
_SIZES = (300, 4_096, 65_536, 1_000_000)
_HEADS = (
    "body", "delivered: write units", "objects", "$ per million", "refused: attempts",
    "write units", "$ per million, parked",
)  # fmt: skip


def show(env: str, sizes: list[int] | None) -> None:
    """Prints what a webhook costs, by the size of its body."""
    printed = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    for head in _HEADS:
        # Wide enough for each word of the head, which would be cut otherwise.
        widest = max(map(len, head.split()))
        printed.add_column(head, justify="right", no_wrap=head == "body", min_width=widest)
    for row in _rows(env, tuple(sizes or _SIZES)):
        printed.add_row(*row)
    console.print(printed)
    console.print(f"JSON bodies; {cost.DATED}. docs/costs.md says what is counted.", soft_wrap=True)


def parts() -> dict[str, str]:
    """The generated parts of ``docs/costs.md``."""
    return {
        "webhook costs": table(list(_HEADS), _rows(_EXAMPLE, _SIZES)),
        "invocation": webhook_cost.invocation(),
    }


def _rows(env: str, sizes: tuple[int, ...]) -> list[list[str]]:
    settings = load(env)
    rows = []
    for size in sizes:
        good, bad = webhook_cost.delivered(size), webhook_cost.refused(size, settings)
        rows.append(
            [
                f"{size:,} bytes", str(good.writes), str(good.objects), f"{good.dollars:.2f}",
                str(bad.attempts), str(bad.writes), f"{bad.dollars:.2f}",
            ]
        )  # fmt: skip
    return rows
