"""Deploying an environment and deleting it, on the laptop and on AWS."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import typer
from rich.markup import escape

from monitoring.channels import unlinked, unrouted
from settings import exposure
from settings.loader import load
from settings.paths import ROOT
from settings.schema import Settings
from webhook_buffer import composition
from webhook_buffer.cli import preflight
from webhook_buffer.cli.alarms import by_reason
from webhook_buffer.cli.datadog_steps import Publication
from webhook_buffer.cli.running import smoke_test
from webhook_buffer.cli.terminal import console, require_answer, step
from webhook_buffer.laptop import inbox, laptop
from webhook_buffer.operations import deployment, record_indexes, stores
from webhook_buffer.operations.cdk import Cdk, check_node
from webhook_buffer.operations.environment import Environment, not_deployed, require_account
from webhook_buffer.operations.grouping import change_of_groups
from webhook_buffer.operations.physical_names import BUCKET, Named
from webhook_buffer.operations.preflight.runner import left_to_do


def up(port: int | None, endpoint_port: int | None) -> None:
    """Starts the emulator where it is not running, and deploys to it.

    Args:
        port: of the emulator; without one its last, or the usual one.
        endpoint_port: of the public webhook endpoint, likewise.
    """
    _next_steps(deploy_here(port, endpoint_port))


def deploy_here(port: int | None = None, endpoint_port: int | None = None) -> dict[str, str]:
    """``up`` without its advice; the outputs."""
    target = _target(load("local"), port, endpoint_port)
    cdk = deployment.prepare(target, step, composition.CATALOG)
    return _apply(target, cdk)


def down() -> None:
    """Stops all that ``up`` started: live alarms first, which read the others."""
    settings = load("local")
    emulator = laptop.emulator()
    running = emulator.running()
    beside = [program.stop() for program in laptop.beside()]
    if laptop.stopped_datadog():
        console.print("Stopped the fake Datadog; it keeps its objects.")
    laptop.live_alarms().end_session()
    if running is None:
        emulator.stop()
        laptop.forget(settings)
        console.print("Stopped what was left." if any(beside) else "Nothing is running.")
        return
    waiting = deployment.waiting(laptop.environment(settings)) or 0
    emulator.stop()
    laptop.forget(settings)
    console.print(f"Stopped the emulator (pid {running.pid}, port {running.port}).")
    if waiting:
        console.print(f"Lost with it: the webhooks that were still queued ({waiting}).")
    console.print(f"Kept: its log and the last deployment's, in {_shown(laptop.STATE)}")


def synth(env: str, *, lint: bool) -> None:
    """Writes the templates."""
    check_node()
    settings = load(env)
    folder = laptop.STATE / settings.environment
    target = Environment(settings=settings, folder=folder, outputs_file=laptop.OUTPUTS)
    cdk = deployment.synthesize(target, step, composition.CATALOG, lint=lint)
    _warn(settings)
    if settings.existing is None:
        console.print(record_indexes.NOTICE, soft_wrap=True)
    console.print(f"Templates: {_shown(cdk.assembly)}")


def diff(env: str, *, lint: bool) -> None:
    """Prints what a deployment would change, and on the laptop whether it started the emulator."""
    settings = load(env)
    was_running = not settings.on_laptop or laptop.emulator().running() is not None
    target = _target(settings)
    cdk = deployment.prepare(target, step, composition.CATALOG, lint=lint)
    _show_changes(target, cdk)
    started = None if was_running else laptop.emulator().running()
    if started:
        console.print(
            f"The emulator was started for this (pid {started.pid}, port {started.port}) "
            "and keeps running. To stop it: webhook-buffer down",
            soft_wrap=True,
        )


def deploy(env: str, *, yes: bool, lint: bool) -> None:
    """Checks, shows the changes, asks, deploys, publishes to Datadog, and runs the smoke tests."""
    settings = load(env)
    require_answer(yes)
    target = _target(settings)
    if not settings.on_laptop:
        require_account(target)
        preflight.require(target)
    cdk = deployment.prepare(target, step, composition.CATALOG, lint=lint)
    _show_changes(target, cdk)
    publication = Publication(settings) if settings.datadog else None
    if publication:
        publication.plan()
    if not yes:
        typer.confirm(f"Deploy this to '{env}' ({settings.awsAccount})?", abort=True)
    if publication:
        publication.require_permissions()
    outputs = _apply(target, cdk)
    if publication:
        publication.publish(outputs.get("Release"))
    if settings.existing:
        console.print("The existing resources are monitored now.")
    else:
        console.print(f"Endpoint: [bold]{outputs['BufferedEndpoint']}[/]")
        _show_indexes(target)
        smoke_test(target, failures=False, deliver=False)
    preflight.show_problems(left_to_do(target))


def destroy(env: str, *, yes: bool) -> None:
    """Deletes an environment's stacks.

    Raises:
        NotDeployedError: When there are none.
    """
    settings = load(env)
    require_answer(yes)
    target = laptop.environment(settings)
    stacks = deployment.deployed(target)
    if not stacks:
        raise not_deployed(settings)
    _announce_destruction(target, stacks)
    if not yes:
        typer.confirm(f"Destroy '{env}'?", abort=True)
    cdk = deployment.synthesize(target, step, composition.CATALOG, lint=False)
    deployment.destroy(target, cdk, step)
    laptop.forget(settings)
    kept = stores.existing(target)
    if kept:
        console.print("Kept, and adopted by the next deployment. To delete it for good:")
    for store in kept:
        console.print(f"  {_deletion(target, store)}", soft_wrap=True)


def _announce_destruction(target: Environment, stacks: Collection[str]) -> None:
    """Prints what will be deleted, and what will be kept."""
    settings = target.settings
    env = settings.environment
    console.print(f"This deletes environment '{env}' in {settings.awsRegion}:")
    if settings.monitoring_stack_name in stacks:
        console.print("  the alarms, the dashboard and their topics;")
    if settings.prefix in stacks:
        waiting = deployment.waiting(target) or 0
        console.print(
            f"  the queue, with about {waiting} webhooks in it; the functions, APIs and logs.\n"
            f"It keeps the tables {settings.table_name} and {settings.parking_table_name}, with "
            f"what is parked, and the bucket {settings.bodies_bucket_name}; a later deployment "
            "reuses them."
        )
    if settings.datadog:
        console.print(
            f"It keeps what is in Datadog: webhook-buffer datadog destroy --env {env}",
            soft_wrap=True,
        )


def _deletion(target: Environment, store: Named) -> str:
    """The command that deletes a table or a bucket."""
    where = f"--endpoint-url {target.endpoint_url} " if target.endpoint_url else ""
    where += f"--region {target.settings.awsRegion}"
    if store.kind == BUCKET:
        return f"aws s3 rb --force {where} s3://{store.name}"
    return f"aws dynamodb delete-table {where} --table-name {store.name}"


def _target(
    settings: Settings, port: int | None = None, endpoint_port: int | None = None
) -> Environment:
    """An environment to deploy to; on the laptop, its emulator is started if it is not running."""
    check_node()
    if not settings.on_laptop:
        return laptop.environment(settings)
    if port is None and laptop.complete():
        target = laptop.started(settings, endpoint_port=endpoint_port)
    else:
        with step("Starting the emulator, a faux backend and an inbox"):
            target = laptop.started(settings, port, endpoint_port)
    if settings.datadog:
        laptop.started_datadog()
    return target


def _show_changes(target: Environment, cdk: Cdk) -> None:
    """Prints what a deployment would change, what it would delete, and whether order is at risk."""
    print(cdk.diff())
    groups = change_of_groups(target)
    if groups:
        console.print(f"[yellow]![/] {escape(groups)}", soft_wrap=True)
    _show_indexes(target)
    left = stores.left(target)
    if left:
        names = ", ".join(store.name for store in left)
        console.print(f"Adopted as it is, from an earlier deployment: {names}", soft_wrap=True)
    gone = deployment.leftover(target)
    if gone:
        console.print(
            f"[red]\\[-][/] Stack {gone} will be deleted: 'monitoring' is false.", soft_wrap=True
        )


def _show_indexes(target: Environment) -> None:
    """Says which index the record table gets next, and which later."""
    notice = record_indexes.planned(target).notice()
    if notice:
        console.print(f"[yellow]![/] {notice}", soft_wrap=True)


def _apply(target: Environment, cdk: Cdk) -> dict[str, str]:
    """Deploys, and warns about alarms that reach no channel; the outputs."""
    outputs = deployment.apply(target, cdk, step)
    if target.settings.on_laptop:
        laptop.connect(target, outputs)
        inbox.provide(target)
        if target.settings.monitoring and target.settings.environment == "local":
            with step("Starting live alarms and the console"):
                laptop.live_alarms().start()
                laptop.console().start()
    _warn(target.settings)
    return outputs


def _warn(settings: Settings) -> None:
    """Says who can send, which alarms reach no channel or link, and which signals are left out."""
    for notice in exposure.notices(settings):
        console.print(f"[yellow]![/] {notice}", soft_wrap=True)
    if settings.monitoring:
        for warning in filter(None, (*unrouted(settings), unlinked(settings))):
            console.print(f"[yellow]![/] {warning}", soft_wrap=True)
    if settings.existing:
        for reason, signals in by_reason(composition.alarm_set(settings)).items():
            console.print(f"Left out: {', '.join(signals)}: {reason}", soft_wrap=True)


def show_addresses(endpoint: str) -> None:
    """Prints where the buffer and its console are."""
    console.print(f"\nThe buffer runs at [bold]{endpoint}[/]", soft_wrap=True)
    page = laptop.console().address()
    if page:
        console.print(f"See it in a browser: {page}", soft_wrap=True)


def _next_steps(outputs: dict[str, str]) -> None:
    endpoint = outputs["BufferedEndpoint"]
    show_addresses(endpoint)
    console.print("Try it:")
    console.print(f'  curl -d \'{{"group_id": "order-1"}}\' {endpoint}/orders', soft_wrap=True)
    for words, what in (
        ("logs", "see what became of it"),
        ("smoke", "test the whole path"),
        ("backend down", "break the backend, then: alarms status"),
        ("drill run backend-unreachable", "see who is notified of that, and when"),
        ("datadog apply", "publish to a fake Datadog"),
        ("down", "stop it"),
    ):
        console.print(f"  webhook-buffer {words:<30}  # {what}", soft_wrap=True)


def _shown(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
