"""The ``webhook-buffer`` command. ``webhook-buffer --help`` lists what it can do."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from alarms import CATALOG
from lambdas.extract import HEADER_NAME
from monitoring.channels import unrouted
from settings.errors import InputError, ProofFailedError
from settings.loader import load
from settings.paths import ROOT
from settings.schema import Settings
from webhook_buffer.cli.alarms import Env, Yes, alarms_app, by_reason
from webhook_buffer.cli.datadog import Publication, datadog_app
from webhook_buffer.cli.demo import demo
from webhook_buffer.cli.terminal import console, milliseconds, progress, require_answer, show, step
from webhook_buffer.composition import alarm_set
from webhook_buffer.laptop import inbox, laptop
from webhook_buffer.laptop.emulator import DEFAULT_PORT
from webhook_buffer.operations import deployment, logs
from webhook_buffer.operations.cdk import Cdk, check_node
from webhook_buffer.operations.environment import (
    Environment,
    buffer_outputs,
    not_deployed,
    outputs,
    stack,
)
from webhook_buffer.operations.send import Sender, Summary, from_files, paced
from webhook_buffer.operations.smoke import Smoke

app = typer.Typer(
    name="webhook-buffer",
    help="A FIFO buffer in front of any backend's webhooks: run it, deploy it, look into it.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
app.add_typer(alarms_app, name="alarms", rich_help_panel="On the laptop and on AWS")
app.add_typer(datadog_app, name="datadog", rich_help_panel="On the laptop and on AWS")
_ON_LAPTOP = "On the laptop"
_ANYWHERE = "On the laptop and on AWS"

app.command(rich_help_panel=_ON_LAPTOP)(demo)


@app.command(rich_help_panel=_ON_LAPTOP)
def up(
    port: Annotated[
        int | None,
        typer.Option(help=f"Port on 127.0.0.1; {DEFAULT_PORT} at first.", min=1, max=65535),
    ] = None,
) -> None:
    """Start the emulator and deploy the buffer onto it; run again, it updates what changed."""
    target = _target(load("local"), port)
    cdk = deployment.prepare(target, step, CATALOG)
    _next_steps(_apply(target, cdk))


@app.command(rich_help_panel=_ON_LAPTOP)
def down() -> None:
    """Stop what `up` started."""
    settings = load("local")
    emulator = laptop.emulator()
    running = emulator.running()
    if laptop.stopped_datadog():
        console.print("Stopped Datadog's stand-in; it keeps its objects.")
    if running is None:
        emulator.stop()
        console.print("Nothing is running.")
        return
    waiting = deployment.waiting(laptop.target(settings)) or 0
    emulator.stop()
    laptop.forget(settings)
    console.print(f"Stopped the emulator (pid {running.pid}, port {running.port}).")
    if waiting:
        console.print(f"Gone with it: the webhooks that were still in the queue ({waiting}).")
    console.print(f"Left: its log and the last deployment's, in {_shown(laptop.STATE)}")


@app.command(rich_help_panel=_ANYWHERE)
def status(env: Env = "local") -> None:
    """Say what runs, which release, and how much waits in the queue."""
    settings = load(env)
    target = laptop.target(settings)
    found = buffer_outputs(target)
    rows = [
        ("Stack", settings.prefix),
        ("Release", found["Release"]),
        ("Endpoint", found["BufferedEndpoint"]),
        ("Backend", settings.backend_url or "faux backend"),
        ("In the queue", f"about {deployment.waiting(target)}"),
    ]
    if settings.on_laptop:
        running = laptop.emulator().require()
        rows.insert(0, ("Emulator", f"{running.endpoint_url} (pid {running.pid})"))
        if settings.datadog:
            url = laptop.datadog_url() or "not running; webhook-buffer up starts it"
            rows.insert(1, ("Datadog's stand-in", url))
    show(rows)


@app.command(rich_help_panel=_ANYWHERE)
def send(
    path: Annotated[Path, typer.Argument(help="A payload, or a folder with one payload a file.")],
    env: Env = "local",
    rate: Annotated[float, typer.Option(help="Webhooks per second, at most.", min=0.01)] = 10,
    repeat: Annotated[int, typer.Option(help="How many times over.", min=1)] = 1,
    header: Annotated[
        list[str] | None, typer.Option("--header", "-H", help="'Name: value'; may be repeated.")
    ] = None,
    method: Annotated[str, typer.Option(help="HTTP method.")] = "POST",
    to: Annotated[str, typer.Option(help="Path and query at the endpoint.")] = "/",
) -> None:
    """Send payloads one after the other, and say what became of them."""
    headers = dict(_header(line) for line in header or [])
    if not HEADER_NAME.fullmatch(method):
        raise InputError(f"'{method}' is no HTTP method; write POST, PUT, …")
    webhooks = from_files(path, method=method, target="/" + to.removeprefix("/"), headers=headers)
    endpoint = buffer_outputs(laptop.target(load(env)))["BufferedEndpoint"]
    sender = Sender(endpoint)
    started = time.monotonic()
    receipts = []
    with progress() as bar:
        task = bar.add_task("Sending", total=len(webhooks) * repeat)
        for webhook in paced(webhooks, rate=rate, repeat=repeat):
            receipts.append(sender.post(webhook))
            bar.advance(task)
    summary = Summary(receipts)
    rows = [
        ("Sent", str(len(receipts))),
        ("Accepted", str(summary.accepted)),
        ("Rate", f"{len(receipts) / (time.monotonic() - started):.1f} per second"),
    ]
    if summary.accepted:
        rows.append(("Accept latency", milliseconds(summary.latency_ms)))
    for reason, count in summary.refusals.most_common():
        rows.append(("[red]Not accepted[/]", f"{count} x {reason}"))
    show(rows)
    if summary.accepted < len(receipts):
        raise ProofFailedError(f"{len(receipts) - summary.accepted} webhooks were not accepted.")


@app.command(rich_help_panel=_ANYWHERE)
def smoke(
    env: Env = "local",
    failures: Annotated[
        bool, typer.Option("--failures", help="Also make the faux backend fail.")
    ] = False,
    deliver: Annotated[
        bool, typer.Option("--deliver", help="Send test webhooks to a real backend too.")
    ] = False,
) -> None:
    """Test what is deployed: every claim is checked against it."""
    target = laptop.target(load(env))
    _smoke(target, failures=failures, deliver=deliver)


@app.command("outputs", rich_help_panel=_ANYWHERE)
def show_outputs(env: Env = "local") -> None:
    """Print the stacks' outputs as JSON, read from CloudFormation."""
    settings = load(env)
    target = laptop.target(settings)
    found = {settings.main_stack_name: outputs(target)}
    beside = stack(target, settings.monitoring_stack_name) if settings.monitoring else None
    if beside:
        found[settings.monitoring_stack_name] = dict(beside.outputs)
    console.print_json(data=found)


@app.command("logs", rich_help_panel=_ANYWHERE)
def show_logs(
    env: Env = "local",
    function: Annotated[
        list[str] | None,
        typer.Option("--function", "-f", help="publish, subscribe, notify, …; by default all."),
    ] = None,
    minutes: Annotated[int, typer.Option(help="How far back.", min=1)] = 15,
    follow: Annotated[bool, typer.Option("--follow", help="Go on until Ctrl+C.")] = False,
    runtime: Annotated[bool, typer.Option("--runtime", help="Lambda's own lines too.")] = False,
) -> None:
    """Show what the functions logged, merged by time."""
    settings = load(env)
    known = settings.functions
    chosen = function or known
    for name in chosen:
        if name not in known:
            raise InputError(f"'{name}' is no function of '{env}'; it has {', '.join(known)}.")
    since = round((time.time() - 60 * minutes) * 1000)
    target = laptop.target(settings)
    if not follow:
        lines = logs.read(target, chosen, since=since, runtime=runtime)
        for line in lines:
            print(logs.describe(line))
        if not lines:
            console.print(f"Nothing was logged in the last {minutes} minutes.")
        return
    try:
        for line in logs.follow(target, chosen, since=since, runtime=runtime):
            print(logs.describe(line), flush=True)
    except KeyboardInterrupt:
        pass


@app.command(rich_help_panel=_ANYWHERE)
def synth(env: Env) -> None:
    """Synthesize the stacks and say where the templates are."""
    check_node()
    settings = load(env)
    folder = laptop.STATE / settings.environment
    target = Environment(settings=settings, folder=folder, outputs_file=laptop.OUTPUTS)
    cdk = deployment.synthesize(target, step, CATALOG)
    _warn(settings)
    console.print(f"Templates: {_shown(cdk.assembly)}")


@app.command(rich_help_panel=_ANYWHERE)
def diff(env: Env) -> None:
    """Show what a deployment would change."""
    target = _target(load(env))
    cdk = deployment.prepare(target, step, CATALOG)
    _show_changes(target, cdk)


@app.command(rich_help_panel=_ANYWHERE)
def deploy(env: Env, yes: Yes = False) -> None:
    """Show what changes, ask, deploy, and run the smoke tests against it."""
    settings = load(env)
    require_answer(yes)
    target = _target(settings)
    cdk = deployment.prepare(target, step, CATALOG)
    _show_changes(target, cdk)
    publication = Publication(settings) if settings.datadog else None
    if publication:
        publication.plan()
    if not yes:
        typer.confirm(f"Deploy this to '{env}' ({settings.awsAccount})?", abort=True)
    if publication:
        publication.require_permissions()
    found = _apply(target, cdk)
    if publication:
        publication.publish(found.get("Release"))
    if settings.existing:
        console.print("What exists already is watched now.")
        return
    console.print(f"Endpoint: [bold]{found['BufferedEndpoint']}[/]")
    _smoke(target, failures=False, deliver=False)


@app.command(rich_help_panel=_ANYWHERE)
def destroy(env: Env, yes: Yes = False) -> None:
    """Take an environment away; says what stays behind."""
    settings = load(env)
    require_answer(yes)
    target = laptop.target(settings)
    found = deployment.deployed(target)
    if not found:
        raise not_deployed(settings)
    console.print(f"This deletes environment '{env}' in {settings.awsRegion}:")
    if settings.monitoring_stack_name in found:
        console.print("  the alarms, the dashboard and the topics that tell of them;")
    if settings.prefix in found:
        waiting = deployment.waiting(target) or 0
        console.print(
            f"  the queue, with about {waiting} webhooks in it; the functions, APIs and logs.\n"
            f"It keeps the table {settings.table_name}; a later deployment takes it over."
        )
    if settings.datadog:
        console.print(
            f"It keeps what is in Datadog: webhook-buffer datadog destroy --env {env}",
            soft_wrap=True,
        )
    if not yes:
        typer.confirm(f"Destroy '{env}'?", abort=True)
    cdk = deployment.synthesize(target, step, CATALOG)
    deployment.destroy(target, cdk, step)
    laptop.forget(settings)
    if deployment.table_exists(target):
        where = f"--endpoint-url {target.endpoint_url} " if target.endpoint_url else ""
        console.print(f"Left: table {settings.table_name}. To delete it for good:")
        console.print(
            f"  aws dynamodb delete-table {where}--region {settings.awsRegion} "
            f"--table-name {settings.table_name}",
            soft_wrap=True,
        )


def _target(settings: Settings, port: int | None = None) -> Environment:
    """An environment's target; on the laptop the emulator is started where it was not running."""
    check_node()
    if not settings.on_laptop:
        return laptop.target(settings)
    if port is None and laptop.emulator().running():
        target = laptop.target(settings)
    else:
        with step("Starting the emulator"):
            target = laptop.started(settings, port)
    if settings.datadog:
        laptop.started_datadog()
    return target


def _show_changes(target: Environment, cdk: Cdk) -> None:
    """What a deployment would change, and what it would delete."""
    print(cdk.diff())
    gone = deployment.leftover(target)
    if gone:
        console.print(
            f"[red]\\[-][/] Stack {gone} is deleted: monitoring is false now.", soft_wrap=True
        )


def _apply(target: Environment, cdk: Cdk) -> dict[str, str]:
    """Deploys, and says what nobody would be told of; the outputs."""
    found = deployment.apply(target, cdk, step)
    if target.settings.on_laptop:
        inbox.provide(target)
    _warn(target.settings)
    return found


def _smoke(target: Environment, *, failures: bool, deliver: bool) -> None:
    tests = Smoke(target, buffer_outputs(target))
    count = 0
    for check in tests.checks(failures=failures, deliver=deliver):
        console.print(f"[green]✓[/] {check.claim} [dim]({check.detail})[/]", soft_wrap=True)
        count += 1
    if not (tests.practises or deliver):
        console.print("- delivery was not tested: the backend is real; --deliver sends to it")
    console.print(f"{count} smoke tests passed.")


def _warn(settings: Settings) -> None:
    """Says what nobody would be told of, and what existing resources can't be asked."""
    for warning in unrouted(settings) if settings.monitoring else ():
        console.print(f"[yellow]![/] {warning}", soft_wrap=True)
    if settings.existing:
        for reason, signals in by_reason(alarm_set(settings)).items():
            console.print(f"Left out: {', '.join(signals)}: {reason}", soft_wrap=True)


def _next_steps(found: dict[str, str]) -> None:
    endpoint = found["BufferedEndpoint"]
    console.print(f"\nThe buffer runs at [bold]{endpoint}[/]", soft_wrap=True)
    console.print("Try it:")
    console.print(f'  curl -d \'{{"group_id": "order-1"}}\' {endpoint}/orders', soft_wrap=True)
    console.print("  webhook-buffer logs      what became of it")
    console.print("  webhook-buffer smoke     test the whole path")
    console.print("  webhook-buffer alarms drill backend-down   see what an alarm tells")
    console.print("  webhook-buffer datadog apply   publish dashboards and monitors to a stand-in")
    console.print("  webhook-buffer down      stop it")


def _header(line: str) -> tuple[str, str]:
    name, separator, value = line.partition(":")
    name, value = name.strip(), value.strip()
    if not separator or not HEADER_NAME.fullmatch(name) or not value.isascii():
        raise InputError(f"'{line}' is no header; write 'Name: value', in ASCII.")
    return name, value


def _shown(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
