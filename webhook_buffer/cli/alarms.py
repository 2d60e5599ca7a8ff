"""``webhook-buffer alarms``: what watches, when it fires, whom it tells, what it costs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import TaskID
from rich.table import Table

from monitoring import cost, wording
from monitoring.alarm_guide import steps, steps_of
from monitoring.alarm_set import AlarmSet, CompositeAlarm
from monitoring.cloudwatch.alarms import template as own
from settings.errors import InputError
from settings.loader import load
from settings.paths import ROOT
from webhook_buffer.cli import proof
from webhook_buffer.cli.terminal import console, progress, show, step
from webhook_buffer.composition import alarm_set
from webhook_buffer.laptop import inbox, laptop
from webhook_buffer.operations import drill
from webhook_buffer.operations.cdk import check_node
from webhook_buffer.operations.environment import outputs

alarms_app = typer.Typer(
    help="The alarms: list them, explain one, set one off.", no_args_is_help=True
)

proof.add_to(alarms_app)

Env = Annotated[
    str,
    typer.Option("--env", envvar="ENV", help="Environment: a block of cdk.json's context."),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")]
# Columns from which all columns of the list stand beside each other.
_WIDE = 150
_STYLES = {"page": "red", "ticket": "yellow", "info": "cyan"}


@alarms_app.command("list")
def list_alarms(env: Env = "local") -> None:
    """List every alarm with its condition, severity, failure modes and monthly cost."""
    alarms = alarm_set(load(env))
    console.print(_table(alarms, env))
    if alarms.composites:
        composites = Table(title="Incidents: several signals told as one")
        for name in ("Incident", "On while", "Severity"):
            composites.add_column(name, overflow="fold")
        for one in alarms.composites:
            severity = one.severity.value
            composites.add_row(
                one.composite.id, wording.parts(one), f"[{_STYLES[severity]}]{severity}[/]"
            )
        console.print(composites)
    for reason, signals in by_reason(alarms).items():
        console.print(f"Left out: {', '.join(signals)}: {reason}", soft_wrap=True)
    _show_cost(alarms)
    console.print("Details: webhook-buffer alarms show ID; failure modes: docs/alarms.md")


@alarms_app.command("show")
def show_alarm(
    name: Annotated[
        str, typer.Argument(metavar="ID", help="A signal's or incident's id, as `list` shows it.")
    ],
    env: Env = "local",
) -> None:
    """Explain one alarm: when it fires and why then, whom it tells, what to do first."""
    alarms = alarm_set(load(env))
    composite = next((one for one in alarms.composites if one.composite.id == name), None)
    rows = _of_composite(composite, alarms) if composite else _of_alarm(alarms, name)
    show(rows)


@alarms_app.command("drill")
def drill_alarm(
    name: Annotated[str, typer.Argument(metavar="ID", help="A signal's id, as `list` shows it.")],
    env: Env = "local",
    yes: Yes = False,
) -> None:
    """Set an alarm off, and show what arrives; then let it recover.

    On the laptop every channel ends in this terminal. On AWS your real channels are told.
    """
    settings = load(env)
    alarms = alarm_set(settings)
    alarm, incident, channels = drill.notified(alarms, name)
    target = laptop.target(settings)
    outputs(target)  # or there is nothing to set off
    drill.end_other_parts(target, alarm, incident)
    if not settings.on_laptop:
        if not yes:
            told = ", ".join(channels) or "nobody"
            typer.confirm(f"Set off {alarm.name} in '{env}', telling {told}?", abort=True)
        drill.force(target, alarm, "ALARM")
        console.print(f"{alarm.name} is in ALARM; CloudWatch takes it back by itself.")
        return
    if not channels:
        raise InputError(
            f"No channel of '{env}' hears of '{name}'. Add its severity to a channel's severities "
            "in cdk.json."
        )
    through = f" as part of {incident.composite.id}" if incident else ""
    console.print(
        f"[bold]{alarm.name}[/] will be told{through} to {', '.join(channels)}.", soft_wrap=True
    )
    with inbox.opened(target) as received:
        drill.force(target, alarm, "OK")
        received.settle()
        try:
            for state in ("ALARM", "OK"):
                received.next_second()
                with step(f"{alarm.signal.id} → {state}"):
                    drill.force(target, alarm, state)
                    notifications = received.expect(channels, recovered=state == "OK")
                for one in notifications:
                    _show_notification(one)
        finally:
            drill.force(target, alarm, "OK")


@alarms_app.command("record")
def record_alarms(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Recording: .json, .csv or .parquet.")
    ],
    env: Env = "local",
    minutes: Annotated[int, typer.Option(min=1, max=1440, help="Full minutes to record.")] = 10,
) -> None:
    """Record what the running buffer shows, for `alarms replay`; on the laptop, from its logs.

    On AWS, where CloudWatch records by itself: `alarms replay --from-aws`.
    """
    from alarmproof import recordings, template

    from webhook_buffer.operations import recorder

    settings = load(env)
    if not settings.on_laptop:
        raise InputError(
            f"'{env}' is on AWS, where CloudWatch records: "
            f"webhook-buffer alarms replay --from-aws --env {env} --save {file}"
        )
    if file.suffix.lower() not in recordings.FORMS:
        raise InputError(f"{file}: name a file that ends in {', '.join(recordings.FORMS)}.")
    target = laptop.target(settings)
    outputs(target)  # or there is nothing to record
    alarms = template.parse(own(alarm_set(settings)), f"the alarms of {env}")
    with progress() as bars:
        task = bars.add_task("Recording, by the minute", total=minutes)
        series = recorder.record(
            target, alarms.alarms, minutes=minutes, tell=lambda _: bars.advance(task)
        )
    recordings.save(file, series)
    console.print(f"{len(series)} series in {file}. Play them to the alarms:")
    console.print(f"  webhook-buffer alarms replay --env {env} --metrics {file}", soft_wrap=True)


@alarms_app.command("record-failures")
def record_failures(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Failures; all without any.")
    ] = None,
    folder: Annotated[Path, typer.Option(metavar="FOLDER", help="Where NAME.json goes.")] = ROOT
    / "webhook_buffer"
    / "benchmark"
    / "recordings",
    jobs: Annotated[int, typer.Option(min=1, max=16, help="Buffers at the same time.")] = 4,
) -> None:
    """Cause failures in buffers on this laptop, under traffic, and record what they show.

    Each runs on an emulator of its own for 19 minutes, one for 34; `alarms bench` reads them.
    """
    from concurrent.futures import ThreadPoolExecutor
    from contextlib import nullcontext
    from threading import Event

    from alarmproof import recordings, template
    from alarmproof.model import AnyAlarm

    from settings.schema import Settings
    from webhook_buffer.benchmark import detection
    from webhook_buffer.laptop import failures

    unknown = sorted(set(names or ()) - set(failures.CAUSES))
    if unknown:
        raise InputError(f"No failure '{unknown[0]}'. There are: {', '.join(failures.CAUSES)}.")
    check_node()
    folder.mkdir(parents=True, exist_ok=True)
    wanted = names or list(failures.CAUSES)
    peers = [alarm for one in detection.baseline_sets() for alarm in one.alarms]
    cancelled = Event()

    def alarms_of(settings: Settings) -> list[AnyAlarm]:
        ours = template.parse(own(alarm_set(settings)), "the alarms of the recorded buffer").alarms
        return [*ours, *peers]

    def one(name: str, task: TaskID) -> None:
        def tell(_: int) -> None:
            bars.advance(task)
            if cancelled.is_set():
                raise KeyboardInterrupt

        series = failures.record(
            name, laptop.STATE / "failures" / name, alarms_of, step=nullcontext, tell=tell
        )
        recordings.save(folder / f"{name}.json", series)

    with progress() as bars, ThreadPoolExecutor(jobs) as pool:
        running = [
            pool.submit(one, name, bars.add_task(name, total=detection.RECORDINGS[name].minutes))
            for name in wanted
        ]
        try:
            for future in running:
                future.result()
        except BaseException:
            cancelled.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    console.print(f"{len(wanted)} recordings in {folder}. Next: webhook-buffer alarms bench")


def by_reason(alarms: AlarmSet) -> dict[str, list[str]]:
    """What is left out, by the reason for it."""
    found: dict[str, list[str]] = {}
    for signal, reason in alarms.left_out.items():
        found.setdefault(reason, []).append(signal)
    return found


def _show_notification(received: inbox.Received) -> None:
    """As plain text where it is a mail, else the fallback text or the document."""
    content: Any = received.content
    if "subject" in content:
        text = f"{content['subject']}\n\n{content['text']}"
    else:
        text = json.dumps(content, indent=2, ensure_ascii=False)
    console.rule(f"[bold]{received.channel}[/]", align="left")
    console.print(text, markup=False, soft_wrap=True)


def _table(alarms: AlarmSet, env: str) -> Table:
    """Every alarm a row; what does not fit beside each other in a narrow terminal goes below."""
    wide = console.width >= _WIDE
    table = Table(title=f"Alarms of '{env}'", show_lines=not wide)
    table.add_column("Signal", no_wrap=True)
    for name in ("Condition", "Metrics") if wide else ("Condition and metrics",):
        table.add_column(name, overflow="fold")
    for name in ("Severity", "Told as", "Covers", "$/month") if wide else ():
        table.add_column(name, no_wrap=name != "Covers")
    for alarm in alarms.alarms:
        severity = f"[{_STYLES[alarm.severity.value]}]{alarm.severity.value}[/]"
        told_as = _told_as(alarms, alarm.signal.id)
        covers = ", ".join(str(mode) for mode in alarm.signal.covers)
        price = f"{cost.of_alarm(alarm):.2f}"
        condition, metrics = wording.condition(alarm), wording.metric_names(alarm)
        if wide:
            table.add_row(alarm.signal.id, condition, metrics, severity, told_as, covers, price)
        else:
            about = f"{severity}: {told_as}\ncovers {covers}\n${price} a month"
            table.add_row(f"{alarm.signal.id}\n{about}", f"{condition}\n[dim]{metrics}[/]")
    return table


def _told_as(alarms: AlarmSet, signal_id: str) -> str:
    incident = alarms.incident(signal_id)
    return incident.composite.id if incident else "itself"


def _show_cost(alarms: AlarmSet) -> None:
    lines = cost.monthly(alarms)
    table = Table(title="Monthly cost of the monitoring stack")
    table.add_column("Part")
    table.add_column("Quantity", justify="right")
    table.add_column("$", justify="right")
    table.add_column("Remark", overflow="fold")
    for line in lines:
        table.add_row(line.part, line.quantity, f"{line.amount:.2f}", line.remark)
    table.add_section()
    table.add_row("Total", "", f"{cost.total(lines):.2f}", cost.DATED)
    console.print(table)


def _of_alarm(alarms: AlarmSet, name: str) -> list[tuple[str, str]]:
    alarm, _, channels = drill.notified(alarms, name)
    signal = alarm.signal
    metrics = [
        f"{query}: {one.namespace} {one.name} {one.statistic} "
        + ", ".join(f"{key}={value}" for key, value in one.dimensions.items())
        for query, one in alarm.measures.items()
    ]
    return [
        ("Alarm", alarm.name),
        ("What is wrong", signal.title),
        ("Impact", signal.impact),
        ("Condition", wording.condition(alarm)),
        ("Expression", alarm.expression or "the metric itself"),
        ("Metrics", "\n".join(metrics)),
        ("Why this number", signal.threshold.reason),
        ("Missing data", f"{wording.missing(alarm)}: {signal.missing_reason}"),
        ("Severity", alarm.severity.value),
        ("Watched by", wording.EVALUATORS[signal.evaluated_by]),
        ("Told as", _told_as(alarms, name)),
        ("Told to", ", ".join(channels) or "nobody yet: see 'notifications' in docs/settings.md"),
        ("Covers", ", ".join(str(mode) for mode in signal.covers)),
        ("First steps", _numbered(steps_of(alarm, alarms))),
        ("Runbook", f"{alarms.settings.runbookUrl}#{signal.runbook}"),
        ("Cost", f"${cost.of_alarm(alarm):.2f} a month"),
    ]


def _of_composite(alarm: CompositeAlarm, alarms: AlarmSet) -> list[tuple[str, str]]:
    composite = alarm.composite
    silent = composite.suppressed_by
    return [
        ("Alarm", alarm.name),
        ("What is wrong", composite.title),
        ("Impact", composite.impact),
        ("On while", wording.parts(alarm)),
        ("Silent during", silent or "-"),
        ("Severity", alarm.severity.value),
        ("First steps", _numbered(steps(composite.id, alarms))),
    ]


def _numbered(texts: list[str]) -> str:
    return "\n".join(f"{n}. {text}" for n, text in enumerate(texts, start=1))
