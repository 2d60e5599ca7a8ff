"""``webhook-buffer alarms test, lint, replay, bench``: proof of our alarms, or of any."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from settings.errors import InputError, ProofFailedError
from settings.paths import ROOT

if TYPE_CHECKING:
    from alarmproof.model import Templates
    from alarmproof.recordings import Recorded
    from alarmproof.replay import Replay, Replayed

TemplateFiles = Annotated[
    list[Path] | None,
    typer.Option(
        "--template",
        help="A CloudFormation template, or a folder such as cdk.out; by default our own alarms.",
    ),
]
Environment = Annotated[
    str, typer.Option("--env", envvar="ENV", help="Environment, where no template is named.")
]
Format = Literal["text", "json", "sarif"]
_EXAMPLE_HOURS = {"fromHourUtc": 6, "untilHourUtc": 22}
_OWN_CASES = ROOT / "alarms" / "cases"
_ALLOWED = ROOT / "alarms" / "allow.yaml"


def run_cases(
    cases: Annotated[
        list[Path] | None,
        typer.Argument(help="Case files or folders; by default those in alarms/cases."),
    ] = None,
    template: TemplateFiles = None,
    env: Environment = "prd",
    junit: Annotated[Path | None, typer.Option(help="Write the outcomes as JUnit XML.")] = None,
) -> None:
    """Test alarms on series: whether they fire when they must, and are silent when they should.

    Works on any CloudFormation template, without AWS and without the CDK.
    """
    # Not before they are needed: other commands do without.
    from alarmproof import ascii_chart, runner
    from alarmproof.cases import load

    started = time.monotonic()
    outcomes = runner.run(load(cases or [_OWN_CASES]), alarms_of(template, env, opt_in=True))
    width = max(len(one.alarm.source.logical_id) for one in outcomes)
    for one in outcomes:
        sign = _styled("✓", "green") if one.passed else _styled("✗", "red")
        print(f"{sign} {one.alarm.source.logical_id:<{width}}  {one.case.title}")
        if not one.passed:
            print(
                ascii_chart.failed(one, width=min(shutil.get_terminal_size().columns, 120)),
                end="\n\n",
            )
    if junit:
        junit.write_text(runner.junit(outcomes), "utf-8")
    failed = sum(not one.passed for one in outcomes)
    if failed:
        raise ProofFailedError(f"{failed} of {len(outcomes)} cases failed.")
    print(f"{counted(len(outcomes), 'case')} passed in {time.monotonic() - started:.1f} s.")


def lint(
    template: TemplateFiles = None,
    env: Environment = "prd",
    promise: Annotated[
        int, typer.Option(min=60, help="Seconds within which an alarm has to react.")
    ] = 300,
    allow: Annotated[
        list[Path] | None,
        typer.Option(help="YAML list of {rule, alarm, reason}: findings that are meant to be so."),
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="How to print the findings.")] = "text",
    strict: Annotated[bool, typer.Option("--strict", help="Warnings fail, too.")] = False,
) -> None:
    """Find dead and dangerous alarms: those that never fire, never clear, or tell nobody.

    Works on any CloudFormation template. Exit code 1 with errors, 2 with bad input.
    """
    from alarmproof import lint as linter
    from alarmproof.lint_rules import ERROR

    allowances = [one for file in allow or () for one in linter.load_allowances(file)]
    alarms = alarms_of(template, env)
    if not template:
        known = {one.source.logical_id for one in alarms.alarms}
        allowed = linter.load_allowances(_ALLOWED)
        allowances += [one for one in allowed if one.alarm in known]
    findings = linter.lint(alarms, promise=promise, allowances=allowances)
    if form == "json":
        print(linter.as_json(findings))
    elif form == "sarif":
        print(linter.as_sarif(findings, version=version("webhook-buffer")))
    else:
        for one in findings:
            colour = "red" if one.severity == ERROR else "yellow"
            print(f"{_styled(one.severity, colour)} {one.rule}: {one.alarm} ({one.source})")
            print(f"  {one.why} {one.remedy}")
        errors = sum(one.severity == ERROR for one in findings)
        warnings = len(findings) - errors
        print(
            f"{counted(len(alarms.alarms), 'alarm')}: {counted(errors, 'error')}, "
            f"{counted(warnings, 'warning')}."
        )
    if any(strict or one.severity == ERROR for one in findings):
        raise typer.Exit(1)


def replay(
    metrics: Annotated[
        Path | None, typer.Option(help="Recorded series: JSON, CSV or Parquet (docs/replay.md).")
    ] = None,
    from_aws: Annotated[
        bool, typer.Option("--from-aws", help="Fetch them from CloudWatch, for --env.")
    ] = False,
    since: Annotated[str, typer.Option(help="How far back: 30d, 12h.")] = "14d",
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", help="Try another value, before and after: ALARM.threshold=600."),
    ] = None,
    template: TemplateFiles = None,
    env: Environment = "prd",
    page: Annotated[Path | None, typer.Option("--html", help="Write a report with charts.")] = None,
    save: Annotated[Path | None, typer.Option(help="Keep what was fetched in this file.")] = None,
) -> None:
    """Play recorded metrics to all alarms: who would have been told, when, how often?"""
    from alarmproof import recordings, replay, report

    if (metrics is None) is not from_aws:
        raise InputError("Say where the series are: --metrics FILE, or --from-aws.")
    alarms = alarms_of(template, env)
    tried = [replay.parse_change(one) for one in changes or ()]
    recording = recordings.load(metrics) if metrics else _fetched(alarms, env, since)
    if save:
        recordings.save(save, recording.every())
    start = recording.start - recording.start % 60
    if metrics and since != "14d":
        start = max(start, recording.end - _seconds(since))
    end = recording.end - recording.end % 60
    found = replay.replay(alarms, recording, start=start, end=end, changes=tried)
    _show_replay(found)
    if page:
        title = f"Replay of {len(found.before)} alarms"
        page.write_text(report.report(found, recording, title=title), "utf-8")
        print(f"Report: {page}")


def _seconds(text: str) -> int:
    from alarmproof import notation

    try:
        return notation.seconds(text)
    except ValueError as error:
        raise InputError(f"--since: {error}.") from None


def _fetched(alarms: Templates, env: str, since: str) -> Recorded:
    from alarmproof.recordings import Recorded

    from settings.loader import load
    from webhook_buffer.laptop import laptop
    from webhook_buffer.operations import history

    end = round(time.time())
    series = history.fetch(
        laptop.target(load(env)), alarms.alarms, start=end - _seconds(since), end=end
    )
    if not series:
        raise InputError(f"CloudWatch has no data of these metrics in the last {since}.")
    return Recorded.of(series)


def _show_replay(found: Replay) -> None:
    from alarmproof.notation import duration
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    after = {one.alarm.name: one for one in found.after}
    common = _beginning([one.alarm.name for one in found.before])
    of = f", alarms {common}…" if common else ""
    table = Table(title=f"{duration(found.end - found.start)} of metrics{of}")
    table.add_column("Alarm", overflow="fold", min_width=24)
    for name in ("On", "Told", "A week", "Time on", "Longest", "Flaps"):
        table.add_column(name, justify="right")
    for one in found.before:
        both = [one, after[one.alarm.name]] if after else [one]
        if not any(two.incidents for two in both):
            continue
        cells = zip(*(_figures(found, two) for two in both), strict=True)
        shown = [" → ".join(dict.fromkeys(texts)) for texts in cells]
        table.add_row(one.alarm.name.removeprefix(common), *shown)
    if table.row_count:
        console.print(table)
    else:
        console.print("No alarm went on.")
    for label, some in (("", found.before), (" after the changes", found.after)):
        if some:
            console.print(f"Told of ALARM{label}: {found.told(some)}", soft_wrap=True)
    unseen = [one.alarm.name.removeprefix(common) for one in found.before if one.unseen]
    if unseen:
        console.print(f"Without any data: {', '.join(unseen)}", soft_wrap=True)
    for one in found.before:
        if one.refused and not one.unseen:
            console.print(f"Not evaluated: {one.refused}", soft_wrap=True)


def _beginning(names: list[str]) -> str:
    """What all names begin with, up to a hyphen."""
    first, last = min(names, default=""), max(names, default="")
    alike = next(
        (n for n, pair in enumerate(zip(first, last, strict=False)) if pair[0] != pair[1]), 0
    )
    return first[: first.rfind("-", 0, alike) + 1]


def _figures(found: Replay, one: Replayed) -> list[str]:
    from alarmproof.notation import duration

    told = sum(one.told.values())
    share = one.seconds_in_alarm / (found.end - found.start)
    return [
        str(len(one.incidents)), str(told), found.a_week(told), f"{share:.2%}",
        duration(one.longest), str(one.flapping),
    ]  # fmt: skip


def bench(
    template: TemplateFiles = None,
    env: Environment = "prd",
    days: Annotated[int, typer.Option(min=1, max=90, help="Healthy days.")] = 30,
    write: Annotated[bool, typer.Option("--write", help="Write docs/benchmark.md anew.")] = False,
) -> None:
    """Measure what alarms notice, how soon, and how often for nothing, beside others' defaults.

    With --template the alarms have to name resources that end in -publish, -subscribe and so on.
    """
    from rich.console import Console
    from rich.progress import track
    from rich.table import Table

    from webhook_buffer.benchmark import detection as benchmark

    ours = alarms_of(template, env, opt_in=True)
    name = "these alarms" if template else "webhook-buffer"
    sets = [benchmark.AlarmSet(name, ours.alarms, lambda action: action.endswith("page"))]
    sets += benchmark.baseline_sets()
    steps = iter(track(range(len(benchmark.SCENARIOS) + 2), "Simulating", transient=True))
    results = benchmark.run(sets, days=days, progress=lambda: _next(steps))
    console = Console(highlight=False)
    table = Table(title=f"{days} healthy days and {len(benchmark.SCENARIOS)} failures")
    for number, head in enumerate(benchmark.HEADS):
        table.add_column(head, justify="right" if number else "left", min_width=0 if number else 24)
    for one in sets:
        table.add_row(one.name, *benchmark.summary(results, one.name))
    console.print(table)
    for number, scenario in enumerate(benchmark.SCENARIOS):
        cell = benchmark.cell(scenario, results.by_set[name][number])
        console.print(f"{scenario.mode:>2} {scenario.title}: {cell}", soft_wrap=True)
    for what, (_, real) in zip(benchmark.RECORDINGS.values(), results.compared[name], strict=True):
        cell = benchmark.cell(what.scenario, real)
        console.print(
            f"{what.scenario.mode:>2} {what.scenario.title}, recorded: {cell}", soft_wrap=True
        )
    if write:
        (ROOT / "docs" / "benchmark.md").write_text(benchmark.markdown(results), "utf-8")
        console.print("Written: docs/benchmark.md")


COMMANDS: Mapping[str, Callable[..., None]] = {
    "test": run_cases,
    "lint": lint,
    "replay": replay,
    "bench": bench,
}


def add_to(app: typer.Typer) -> None:
    """Makes the commands known to the group ``alarms``."""
    for name, command in COMMANDS.items():
        app.command(name)(command)


def counted(number: int, what: str) -> str:
    """``1 alarm``, ``2 alarms``."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def _next(steps: Iterator[object]) -> None:
    next(steps, None)


def alarms_of(paths: list[Path] | None, env: str, *, opt_in: bool = False) -> Templates:
    """The alarms of templates, or of this app's environment as they would be deployed.

    Args:
        opt_in: with those of ours that the environment leaves out until it asks for them.
    """
    from alarmproof import template

    if paths:
        return template.read(paths)
    from monitoring.cloudwatch.alarms import template as own
    from settings.loader import load
    from webhook_buffer.composition import alarm_set

    settings = load(env)
    if opt_in and settings.sends_heartbeats and settings.traffic is None:
        settings = load(env, overrides={"traffic": _EXAMPLE_HOURS})
    return template.parse(own(alarm_set(settings)), f"the alarms of {env}")


def _styled(text: str, colour: str) -> str:
    return typer.style(text, fg=colour) if sys.stdout.isatty() else text
