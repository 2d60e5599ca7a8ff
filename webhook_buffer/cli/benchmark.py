"""``webhook-buffer alarms bench``: what alarms detect, beside the defaults of other projects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from settings.paths import ROOT
from webhook_buffer.cli.alarmproof import TemplateFiles, alarms_of
from webhook_buffer.cli.options import LOCAL, Env
from webhook_buffer.cli.terminal import console

if TYPE_CHECKING:
    from webhook_buffer.benchmark.detection import Results


def bench(
    template: TemplateFiles = None,
    env: Env = LOCAL,
    days: Annotated[
        int, typer.Option(metavar="N", min=1, max=90, help="Healthy days to simulate.")
    ] = 30,
    write: Annotated[bool, typer.Option("--write", help="Update docs/benchmark.md.")] = False,
) -> None:
    """Measure what alarms detect, how soon, and how often they page for nothing.

    With --template, the names of the resources have to end in -publish, -subscribe and so on.
    """
    from rich.progress import track

    from webhook_buffer.benchmark import detection, document
    from webhook_buffer.benchmark.scenarios import SCENARIOS

    name = "these alarms" if template else "webhook-buffer"
    alarms = alarms_of(template, env, opt_in=True).alarms
    sets = [detection.AlarmSet(name, alarms, lambda action: action.endswith("page"))]
    sets += detection.baseline_sets()
    steps = iter(track(range(len(SCENARIOS) + 2), "Simulating", transient=True))

    def progress() -> None:
        next(steps, None)

    results = detection.run(sets, days=days, progress=progress)
    _show(results, [alarm_set.name for alarm_set in sets], days)
    if write:
        (ROOT / "docs" / "benchmark.md").write_text(document.markdown(results), "utf-8")
        console.print("Written: docs/benchmark.md")


def _show(results: Results, names: list[str], days: int) -> None:
    """Prints a row for each set of alarms, and what the first one detected of each failure."""
    from rich.table import Table

    from webhook_buffer.benchmark import document
    from webhook_buffer.benchmark.scenarios import RECORDINGS, SCENARIOS

    # Without lines between the columns, so that all of them fit in 80 characters.
    title = f"{document.healthy(days)} and {len(SCENARIOS)} failures"
    table = Table(title=title, title_justify="left", box=None, padding=(0, 1))
    for number, head in enumerate(document.HEADS):
        table.add_column(head, justify="right" if number else "left", no_wrap=not number)
    for name in names:
        table.add_row(name, *document.summary(results, name))
    console.print(table)
    own = names[0]
    for scenario, detected in zip(SCENARIOS, results.by_set[own], strict=True):
        cell = document.cell(scenario, detected)
        console.print(f"{scenario.mode:>2} {scenario.title}: {cell}", soft_wrap=True)
    for recording, (_, recorded) in zip(RECORDINGS.values(), results.compared[own], strict=True):
        scenario = recording.scenario
        cell = document.cell(scenario, recorded)
        console.print(f"{scenario.mode:>2} {scenario.title}, recorded: {cell}", soft_wrap=True)
