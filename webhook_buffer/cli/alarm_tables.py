"""The tables of ``webhook-buffer alarms list``: a line each, whatever the terminal's width."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from monitoring import cost, wording
from monitoring.alarm_set import AlarmSet
from webhook_buffer.cli.terminal import console

# From this many columns on, a table has all of its columns.
_WIDE = 150
_STYLES = {"page": "red", "ticket": "yellow", "info": "cyan"}


def show_alarms(alarms: AlarmSet) -> None:
    """Prints a line per alarm."""
    rows = [
        (
            alarm.signal.id,
            alarm.severity.value,
            alarm.signal.title,
            notified_as(alarms, alarm.signal.id),
            ", ".join(map(str, alarm.signal.covers)),
            f"{cost.of_alarm(alarm):.2f}",
            wording.condition(alarm),
        )
        for alarm in alarms.alarms
    ]
    heads = ("Signal", "Severity", "What is wrong", "Notified as", "Covers", "$/month")
    _show(f"Alarms of '{alarms.settings.environment}'", (*heads, "Fires when"), rows, essential=3)


def show_incidents(alarms: AlarmSet) -> None:
    """Prints a line per incident."""
    rows = [
        (
            alarm.composite.id,
            alarm.severity.value,
            alarm.composite.title,
            wording.parts(alarm),
        )
        for alarm in alarms.composites
    ]
    heads = ("Incident", "Severity", "What is wrong", "Active while")
    if rows:
        _show(
            "Incidents: several signals, one notification; alarms drill takes the id of a signal",
            heads,
            rows,
            essential=3,
        )


def show_cost(alarms: AlarmSet) -> None:
    """Prints what the monitoring costs, part by part."""
    lines = cost.monthly(alarms)
    rows = [
        (line.part, f"{line.amount:.2f}".rjust(5), line.quantity, line.remark) for line in lines
    ]
    rows.append(("total", f"{cost.total(lines):.2f}".rjust(5), "", cost.DATED))
    heads = ("Part", "    $", "Quantity", "Remark")
    _show("Monthly cost of the monitoring stack", heads, rows, essential=4)


def notified_as(alarms: AlarmSet, signal_id: str) -> str:
    """The incident that notifies of a signal, or the signal itself."""
    incident = alarms.incident(signal_id)
    return incident.composite.id if incident else "itself"


def _show(
    title: str, heads: Sequence[str], rows: Sequence[Sequence[str]], *, essential: int
) -> None:
    """Prints one line per row, cut where the terminal ends.

    Args:
        essential: how many columns a narrow terminal shows.
    """
    count = len(heads) if console.width >= _WIDE else essential
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)][:count]
    console.print(f"[bold]{title}[/]")
    for row in (heads, *rows):
        line = Text("  ").join(
            Text(cell.ljust(width), style="bold" if row is heads else _STYLES.get(cell, ""))
            for cell, width in zip(row[:count], widths, strict=True)
        )
        line.rstrip()
        line.truncate(console.width, overflow="ellipsis")
        console.print(line, no_wrap=True)
    console.print()
