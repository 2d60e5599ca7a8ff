"""``webhook-buffer drill``: cause a failure on purpose, and check the whole chain to people."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from settings.errors import InputError, ProofFailedError
from settings.loader import load
from settings.paths import ROOT
from settings.schema import Settings
from webhook_buffer.cli.alarm_status import judged
from webhook_buffer.cli.options import LOCAL, Env, Yes, drill_names
from webhook_buffer.cli.terminal import console, require_answer
from webhook_buffer.composition import alarm_set
from webhook_buffer.laptop import laptop
from webhook_buffer.laptop.drills import deployed, report, runner
from webhook_buffer.laptop.drills.catalog import DRILLS
from webhook_buffer.laptop.drills.model import Drill, expected
from webhook_buffer.laptop.drills.seen import Place
from webhook_buffer.laptop.drills.verdict import Result
from webhook_buffer.live.pace import FASTEST, REAL_TIME, described
from webhook_buffer.operations.environment import buffer_outputs
from webhook_buffer.operations.files import check_writable, write

drill_app = typer.Typer(rich_markup_mode=None)
_PACE = re.compile(r"(\d+(?:\.\d+)?)s?")

Pace = Annotated[
    str,
    typer.Option(help=f"Real time of one minute, {FASTEST:g}s to {REAL_TIME:g}s.", metavar="TIME"),
]
JsonFile = Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Results as JSON.")]
HtmlFile = Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Results as a page.")]


@drill_app.command("list")
def list_drills(env: Env = LOCAL) -> None:
    """List drills: the failure each causes, and the alarms that must fire, with deadlines."""
    alarms = alarm_set(load(env))
    table = Table(show_lines=True)
    for name in ("Drill", "Cause", "Must fire", "Pace", "AWS"):
        table.add_column(name, overflow="fold", no_wrap=name == "Drill")
    for drill in DRILLS.values():
        expectations, lacking = expected(drill, alarms, REAL_TIME)
        fast, _ = expected(drill, alarms, drill.least_pace)
        fires = [
            f"{real.signal} within {real.limit} min"
            + (f" ({quick.limit} at {drill.least_pace:g} s)" if quick.limit > real.limit else "")
            for real, quick in zip(expectations, fast, strict=True)
        ]
        fires += [
            f"{signal} (not here: {alarms.left_out.get(signal, 'unknown')})" for signal in lacking
        ]
        cause = f"{drill.title}\n({drill.why})" if drill.why else drill.title
        pace, safe = f"{drill.least_pace:g} s", "yes" if drill.safe else "no"
        table.add_row(drill.name, cause, "\n".join(fires), pace, safe)
    console.print(table)
    console.print(
        "Must fire: in minutes of the session; in parentheses at the shortest pace, as what takes "
        "real seconds takes more of them. Pace: the shortest real time that a minute may take "
        "(--pace). AWS: may it run there?",
        soft_wrap=True,
    )


@drill_app.command("table")
def print_table(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="Results that --json wrote.")],
    json_file: JsonFile = None,
) -> None:
    """Print the table of docs/drills.md from the latest results in files.

    With --json, also merge them into one file, such as the parts of a long run.
    """
    results = report.together(files)
    if json_file:
        write(json_file, report.as_json(results))
    print(report.as_table(results), end="")


@drill_app.command("run")
def run_drill(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="A drill, as `list` shows it.", autocompletion=drill_names
        ),
    ],
    env: Env = LOCAL,
    pace: Pace = "3s",
    json_file: JsonFile = None,
    html_file: HtmlFile = None,
    yes: Yes = False,
) -> None:
    """Run one drill, and print the results.

    On AWS only those marked safe run, in real time, after saying what will happen.
    """
    if name not in DRILLS:
        raise InputError(f"Unknown drill '{name}'; known drills: {', '.join(DRILLS)}.")
    _check_files(json_file, html_file)
    settings, drills = load(env), [DRILLS[name]]
    results = _here(drills, pace) if settings.on_laptop else _deployed(drills, settings, yes=yes)
    _finish(results, json_file, html_file)


@drill_app.command("all")
def run_all(
    env: Env = LOCAL,
    pace: Pace = "3s",
    json_file: JsonFile = None,
    html_file: HtmlFile = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Skip drills that passed in the --json file.")
    ] = False,
    yes: Yes = False,
) -> None:
    """Run every drill, one after the other; with --json, results are written after each.

    On AWS only those marked safe run, in real time, after saying what will happen.
    """
    if resume and json_file is None:
        raise InputError("--resume needs the file of the earlier results: --json FILE.")
    _check_files(json_file, html_file)
    known = report.read(json_file) if resume and json_file and json_file.exists() else []
    settings, drills = load(env), list(DRILLS.values())
    if settings.on_laptop:
        results = _here(drills, pace, known, json_file)
    else:
        safe = [drill for drill in drills if drill.safe]
        results = _deployed(safe, settings, known, json_file, yes=yes)
    _finish(results, json_file, html_file, known)


def _check_files(*files: Path | None) -> None:
    """Results that take minutes are not lost for a file that can't be written."""
    for file in files:
        if file:
            check_writable(file)


def _here(
    drills: Sequence[Drill],
    pace: str,
    known: Sequence[Result] = (),
    json_file: Path | None = None,
) -> list[Result]:
    """Runs drills on the laptop."""
    seconds, place = pace_of(pace), here()

    def run(drill: Drill, progress: runner.Progress) -> Result:
        return runner.run(drill, place, pace=seconds, progress=progress)

    return _run(drills, run, seconds, known, json_file)


def _deployed(
    drills: Sequence[Drill],
    settings: Settings,
    known: Sequence[Result] = (),
    json_file: Path | None = None,
    *,
    yes: bool,
) -> list[Result]:
    """Runs drills on AWS, after saying what each does."""
    require_answer(yes)
    alarms, target = alarm_set(settings), laptop.environment(settings)
    place = deployed.Deployed(target, alarms, {})
    for drill in drills:
        deployed.plan(drill, replace(place, outputs={"BufferedEndpoint": ""}))
    place = replace(place, outputs=buffer_outputs(target))
    for drill in drills:
        for sentence in deployed.plan(drill, place):
            console.print(sentence, soft_wrap=True)
    if not yes:
        typer.confirm(f"Run this in '{settings.environment}'?", abort=True)

    def run(drill: Drill, progress: runner.Progress) -> Result:
        return deployed.run(drill, place, progress=progress)

    return _run(drills, run, REAL_TIME, known, json_file)


def _run(
    drills: Sequence[Drill],
    run: Callable[[Drill, runner.Progress], Result],
    pace: float,
    known: Sequence[Result],
    json_file: Path | None,
) -> list[Result]:
    """Runs drills, but for those that passed already at their pace."""
    passed = {(result.drill, result.pace): result for result in known if result.passed}
    results: list[Result] = []
    for drill in drills:
        if earlier := passed.get((drill.name, max(pace, drill.least_pace))):
            results.append(earlier)
            continue
        console.print(_announced(drill, pace), soft_wrap=True)
        with console.status(drill.name) as status:
            result = run(
                drill,
                lambda doing, name=drill.name: status.update(f"{name}: {doing}"),  # type: ignore[misc]
            )
        result.commit = commit()
        results.append(result)
        if json_file:
            write(json_file, report.as_json(report.latest([*known, *results])))
        show(result, whole=len(drills) == 1)
    if len(drills) > 1:
        console.print(table(results))
    return results


def _announced(drill: Drill, pace: float) -> str:
    """``backend-slow: begins, 1 minute = 15 s, because ...``."""
    slower = f", because {drill.why}" if pace < drill.least_pace else ""
    return f"{drill.name}: begins, {described(max(pace, drill.least_pace))}{slower}"


def commit() -> str:
    """The commit that this checkout is at; empty outside of a repository."""
    git = shutil.which("git")
    if git is None:
        return ""
    asked = [git, "rev-parse", "--short", "HEAD"]
    said = subprocess.run(asked, cwd=ROOT, text=True, capture_output=True, check=False)
    return said.stdout.strip()


def here() -> Place:
    """The buffer that runs on this laptop, with live alarms.

    Raises:
        NotDeployedError: When nothing runs here, or nothing judges it.
    """
    settings = load("local")
    target = laptop.environment(settings)
    outputs = buffer_outputs(target)
    judged()
    return Place(
        target, alarm_set(settings), outputs["BufferedEndpoint"], laptop.STATE, laptop.backend(),
        laptop.live_alarms(),
    )  # fmt: skip


def pace_of(text: str) -> float:
    """Real seconds per minute.

    Raises:
        InputError: When that is not a pace.
    """
    match = _PACE.fullmatch(text.strip())
    if not match or not FASTEST <= float(match[1]) <= REAL_TIME:
        raise InputError(
            f"'{text}' is not a pace; write the real time of a minute, {FASTEST:g}s to "
            f"{REAL_TIME:g}s."
        )
    return float(match[1])


def show(result: Result, *, whole: bool) -> None:
    """Prints a result: one line, and of one that did not pass, or as a whole, its claims."""
    if result.skipped:
        console.print(f"- {result.drill}: skipped; {escape(result.skipped)}", soft_wrap=True)
        return
    sign = "[green]✓[/]" if result.passed else "[red]✗[/]"
    console.print(f"{sign} {result.drill} [dim]({described(result.pace)}, {result.took:.0f} s)[/]")
    for claim in result.claims:
        if whole or not claim.holds:
            sign = "[green]✓[/]" if claim.holds else "[red]✗[/]"
            console.print(f"  {sign} {claim.what} [dim]({escape(claim.seen)})[/]", soft_wrap=True)
    if whole:
        for notification in result.notified:
            console.print(
                f"  [dim]{notification.minute:5.1f} min[/] {notification.channel}: "
                f"{escape(notification.title)}",
                soft_wrap=True,
            )


def table(results: Sequence[Result]) -> Table:
    """When each drill's first signal and first page came, and what became of the webhooks."""
    made = Table(title="Minutes from the cause")
    for name in ("Drill", "Pace", "First signals", "First page", "Lost", "Out of order", "Verdict"):
        made.add_column(name, overflow="fold")
    for result in results:
        claims = {claim.what: claim for claim in result.claims}
        lost, order = (claims.get(name) for name in ("nothing is lost", "nothing is out of order"))
        signals = ", ".join(f"{f.signal} {f.minute}" for f in result.fired if f.limit is not None)
        page = "" if result.paged is None else f"{result.paged:.1f} ({result.page_seconds:.1f} s)"
        verdict = "skipped" if result.skipped else "passed" if result.passed else "[red]failed[/]"
        counts = (lost.seen if lost else "", order.seen if order else "")
        made.add_row(result.drill, f"{result.pace:g} s", signals, page, *counts, verdict)
    return made


def _finish(
    results: Sequence[Result],
    json_file: Path | None,
    html_file: Path | None,
    known: Sequence[Result] = (),
) -> None:
    if json_file:
        write(json_file, report.as_json(report.latest([*known, *results])))
    if html_file:
        write(html_file, report.as_html(results))
    failed = [result.drill for result in results if not (result.passed or result.skipped)]
    if failed:
        raise ProofFailedError(f"Failed: {', '.join(failed)}. See the failures above.")
