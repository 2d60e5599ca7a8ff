"""What the commands do and print, wherever the alarms come from.

Each function returns the exit code: 0 when all is well, 1 with findings or failed cases. Modules
that need an extra are imported when a command runs.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from alarmproof import extras
from alarmproof.base import files
from alarmproof.base.errors import InputError
from alarmproof.findings_output import Format, failure_reported, formatted, print_findings
from alarmproof.printable import counted, printable, styled

if TYPE_CHECKING:
    from alarmproof.base.definitions import Templates
    from alarmproof.config import Config
    from alarmproof.known_findings import Baselines
    from alarmproof.lint import Allowance, Finding
    from alarmproof.recordings import Recorded
    from alarmproof.replay import Replay

# Columns of the table of a replay, after the alarm.
_FIGURES = ("Fired", "Notified", "A week", "In ALARM", "Longest", "Flaps")


def run_lint(
    templates: Templates,
    *,
    max_reaction: int,
    allowances: Sequence[Allowance],
    form: Format,
    strict: bool,
    allow_empty: bool = False,
    config: Config | None = None,
    baselines: Baselines | None = None,
    live: bool = False,
    check_links: bool = False,
    errors: Sequence[InputError] = (),
    skipped: int = 0,
) -> int:
    """Prints the findings of all rules, and then what is wrong with files that can't be used.

    Args:
        max_reaction: seconds.
        strict: whether warnings, and notes of what was not judged, fail as well.
        allow_empty: whether templates without an alarm pass.
        config: of the project.
        baselines: what is known already, and where to write it.
        live: whether to ask CloudWatch about metrics that are not known.
        check_links: whether to ask for the runbooks that alarms link to.
        errors: of files that can't be used.
        skipped: how many files of folders are not templates.

    Raises:
        InputError: When there is no alarm, or a file can't be used.
    """
    from alarmproof import lint
    from alarmproof.joined_findings import joined

    for error in errors[:-1]:
        print_error(str(error))
    empty = not (templates.alarms or templates.absent or templates.unread)
    with failure_reported(form, errors):
        if errors and empty:
            raise errors[-1]
        if empty and not allow_empty:
            raise InputError(
                "No alarm in the files given, so nothing was checked. Name the files that have "
                "them, or pass --allow-empty."
            )
        findings = lint.lint(
            templates,
            max_reaction=max_reaction,
            allowances=[*allowances, *(config.allowances if config else ())],
            severities=config.severities if config else {},
            patterns=config.patterns if config else {},
            own_metrics=config.own_metrics if config else (),
            outside=_asked(templates, config, live=live, check_links=check_links),
        )
        if baselines:
            read = [alarm.source.file for alarm in templates.alarms]
            for sentence in baselines.unneeded(findings, read):
                typer.echo(printable(sentence), err=True)
            findings = baselines.applied(findings)
    if form == "text":
        print_findings(joined(findings), len(templates.alarms), skipped)
    else:
        print(formatted(findings, form, errors, strict=strict))
    if errors:
        raise errors[-1]
    return int(lint.failed(findings, strict=strict))


def _asked(
    templates: Templates, config: Config | None, *, live: bool, check_links: bool
) -> list[Finding]:
    """What CloudWatch and linked runbooks answer that is wrong, where they are to be asked."""
    outside: list[Finding] = []
    if live:
        extras.require("live", "Asking CloudWatch")
        from alarmproof import live_metrics

        own_metrics = config.own_metrics if config else ()
        outside += live_metrics.findings(templates, live_metrics.client(), own_metrics)
    if check_links:
        from alarmproof import links

        outside += links.findings(templates, config.patterns.get("runbook") if config else None)
    return outside


def run_cases(
    paths: Sequence[Path], templates: Templates, *, junit: Path | None, words: str = ""
) -> int:
    """Runs the cases of files and folders, and draws those that fail.

    Args:
        words: only cases with these in the title or the alarm's name.
    """
    extras.require("test", "Testing alarms")
    from alarmproof import ascii_chart, runner
    from alarmproof.cases import load

    started = time.monotonic()
    cases = load(paths)
    outcomes = runner.run(runner.selected(cases, words) if words else cases, templates)
    width = max(len(outcome.alarm.source.logical_id) for outcome in outcomes)
    columns = min(shutil.get_terminal_size().columns, 120)
    for outcome in outcomes:
        sign = styled("✓", "green") if outcome.passed else styled("✗", "red")
        print(f"{sign} {outcome.alarm.source.logical_id:<{width}}  {outcome.case.title}")
        for note in outcome.notes:
            print(f"  note: {printable(note)}")
        if not outcome.passed:
            print(ascii_chart.failed(outcome, width=columns), end="\n\n")
    if junit:
        from alarmproof.junit import junit as written

        files.write_text(junit, written(outcomes))
    failed = sum(not outcome.passed for outcome in outcomes)
    if failed:
        print(f"{failed} of {counted(len(outcomes), 'case')} failed.")
        return 1
    print(f"{counted(len(outcomes), 'case')} passed in {time.monotonic() - started:.1f} s.")
    return 0


def run_init(templates: Templates, output: Path) -> int:
    """Writes a first case file, and says for which alarms it has no cases.

    Raises:
        InputError: When the file is there already, or no alarm can be evaluated.
    """
    extras.require("test", "Writing cases")
    from alarmproof import first_cases

    if output.exists():
        raise InputError(f"{output}: is there already. Name another file with --output.")
    text, lacking = first_cases.text(templates)
    files.write_text(output, text)
    for sentence in (*lacking, *_refused(templates)):
        print(printable(sentence))
    written = counted(text.count("\n  - title: "), "case")
    print(f"{output}: {written} for {counted(len(templates.alarms), 'alarm')}.")
    return 0


def _refused(templates: Templates) -> Iterator[str]:
    """A sentence for each alarm that CloudWatch does not take."""
    from alarmproof import lint
    from alarmproof.rules import RULES

    refused = {rule.id for rule in RULES if rule.why.startswith("CloudWatch refuses the alarm")}
    for finding in lint.lint(templates):
        if finding.rule in refused and finding.severity == "error":
            what = f"CloudWatch refuses the alarm ({finding.rule}): {finding.message}"
            yield f"{finding.alarm}: {what} {finding.remedy}"


def load_recording(file: Path) -> Recorded:
    """The recorded metrics of a file."""
    extras.require("test", "Replaying metrics")
    from alarmproof import recordings

    return recordings.load(file)


def run_replay(
    templates: Templates,
    recording: Recorded,
    *,
    changes: Sequence[str],
    since: str | None = None,
    page: Path | None,
    save: Path | None,
) -> int:
    """Prints who would have been notified.

    Args:
        changes: ``ALARM.threshold=600``, to compare with.
        since: how much of the recording's end counts, as ``12h``; all of it by default.
        page: where to write the HTML report.
        save: where to keep the recording.
    """
    from alarmproof import recordings, replay

    tried = [replay.parse_change(change) for change in changes]
    if save:
        recordings.save(save, recording.every())
    start = recording.start - recording.start % 60
    if since:
        start = max(start, recording.end - seconds(since))
    end = recording.end - recording.end % 60
    result = replay.replay(templates, recording, start=start, end=end, changes=tried)
    _print_replay(result)
    if page:
        from alarmproof.report import report

        title = f"Replay of {len(result.before)} alarms"
        files.write_text(page, report(result, recording, title=title))
        print(f"Report: {page}")
    return 0


def seconds(since: str) -> int:
    """``30d`` or ``12h`` of ``--since``, in seconds.

    Raises:
        InputError: When it is something else.
    """
    extras.require("test", "Replaying metrics")
    from alarmproof import notation

    try:
        return notation.seconds(since)
    except ValueError as error:
        raise InputError(f"--since: {error}.") from None


def print_error(message: str) -> None:
    """An error on standard error."""
    typer.secho("Error: ", fg="red", err=True, nl=False)
    typer.echo(message, err=True)


def _print_replay(result: Replay) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from alarmproof.notation import duration

    console = Console(highlight=False)
    after = {alarm.alarm.name: alarm for alarm in result.after}
    common = _common_prefix([alarm.alarm.name for alarm in result.before])
    of = f", alarms {escape(common)}…" if common else ""
    table = Table(title=f"{duration(result.end - result.start)} of metrics{of}")
    table.add_column("Alarm", overflow="fold", min_width=12)
    for name in _FIGURES:
        table.add_column(name, justify="right")
    for alarm in result.before:
        both = [alarm, after[alarm.alarm.name]] if after else [alarm]
        if not any(side.incidents for side in both):
            continue
        cells = zip(*(result.figures(side) for side in both), strict=True)
        shown = [" → ".join(dict.fromkeys(texts)) for texts in cells]
        table.add_row(escape(alarm.alarm.name.removeprefix(common)), *shown)
    if table.row_count:
        console.print(table)
    else:
        console.print("No alarm fired.")
    for label, alarms in (("", result.before), (" after the changes", result.after)):
        if alarms:
            notified = result.notified(alarms)
            console.print(f"Notified of ALARM{label}: {notified}", soft_wrap=True, markup=False)
    unseen = [
        alarm.alarm.name.removeprefix(common)
        for alarm in result.before
        if alarm.unseen and not alarm.refused
    ]
    if unseen:
        console.print(f"Without any data: {', '.join(unseen)}", soft_wrap=True, markup=False)
    for alarm in result.before:
        if alarm.refused:
            console.print(f"Not evaluated: {alarm.refused}", soft_wrap=True, markup=False)


def _common_prefix(names: Sequence[str]) -> str:
    """The common prefix of all names, up to a hyphen."""
    first, last = min(names, default=""), max(names, default="")
    alike = next(
        (n for n, pair in enumerate(zip(first, last, strict=False)) if pair[0] != pair[1]), 0
    )
    return first[: first.rfind("-", 0, alike) + 1]
