"""``webhook-buffer datadog``: plan, publish, and find manual changes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import typer.core
from rich.markup import escape

from settings.errors import InputError, WebhookBufferError
from settings.loader import load
from settings.paths import ROOT
from webhook_buffer.cli.datadog_plan import GONE, show_drift, show_others, show_plan, summary
from webhook_buffer.cli.datadog_steps import api_for, planned, publish
from webhook_buffer.cli.options import LOCAL, Env, Json, Yes
from webhook_buffer.cli.terminal import console, require_answer
from webhook_buffer.laptop import laptop
from webhook_buffer.operations.files import write

if TYPE_CHECKING:
    pass

datadog_app = typer.Typer(rich_markup_mode=None)


class _OneForErrors(typer.core.TyperCommand):
    """A command whose exit code can be 2 for changes: then errors, wrong options too, are 1."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        ctx.meta[__name__] = self.name == "drift" or "--detailed-exitcode" in args
        try:
            return super().parse_args(ctx, args)
        except Exception as error:
            if ctx.meta[__name__] and hasattr(error, "exit_code") and error.exit_code == 2:
                error.exit_code = 1
            raise

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except WebhookBufferError as error:
            if ctx.meta[__name__]:
                error.exit_code = 1
            raise


@datadog_app.command("plan", cls=_OneForErrors)
def plan_objects(
    env: Env = LOCAL,
    detailed: Annotated[
        bool,
        typer.Option(
            "--detailed-exitcode",
            help="Exit with 0 for no changes, 2 for changes, 1 for errors, wrong options included.",
        ),
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Also write the plan to this file, as JSON."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show what `apply` would change. Read-only."""
    api, settings = api_for(env)
    changes = planned(api, settings)
    if out:
        write(out, json.dumps(changes.document(), indent=2) + "\n")
        if not as_json:
            console.print(f"Plan written to {out}", soft_wrap=True)
    if as_json:
        console.print_json(data=changes.document())
        raise typer.Exit(2 if detailed and changes.changing() else 0)
    show_plan(changes)
    wrote = "Nothing was written." if api.writes == 0 else f"{api.writes} writes!"
    console.print(f"Plan: {summary(changes)} {wrote}", soft_wrap=True)
    if detailed and changes.changing():
        raise typer.Exit(2)


@datadog_app.command("apply")
def apply_objects(
    env: Env = LOCAL,
    yes: Yes = False,
    prune: Annotated[
        bool, typer.Option("--prune", help="Also delete objects that are no longer defined.")
    ] = False,
) -> None:
    """Show the plan, ask for confirmation, and apply it to Datadog."""
    require_answer(yes)
    api, settings = api_for(env)
    changes = planned(api, settings)
    show_plan(changes, GONE if prune else f"{GONE}; --prune deletes it")
    console.print(f"Plan: {summary(changes)}", soft_wrap=True)
    if not changes.changing(prune=prune):
        left = " without --prune" if changes.changing() else ""
        console.print(f"Nothing to do{left}.")
        return
    if not yes:
        typer.confirm(f"Publish this to {api.keys.url}?", abort=True)
    publish(api, settings, changes, prune=prune)


@datadog_app.command("destroy")
def destroy_objects(env: Env = LOCAL, yes: Yes = False) -> None:
    """Delete an environment's objects from Datadog. Nothing else is touched."""
    from monitoring.datadog.sync.plan import plan

    require_answer(yes)
    api, settings = api_for(env)
    with console.status("Reading Datadog"):
        deletion = plan(api, settings, [])
    show_plan(deletion, "")
    if not deletion.steps:
        if deletion.copies or deletion.unmarked:
            console.print(
                "Nothing else to delete. The objects above stay; correct them in Datadog."
            )
        else:
            console.print(f"Environment '{env}' has no objects in {api.keys.url}.")
        return
    if not yes:
        question = f"Delete these {len(deletion.steps)} objects from {api.keys.url}?"
        typer.confirm(question, abort=True)
    publish(api, settings, deletion, prune=True)


@datadog_app.command("drift", cls=_OneForErrors)
def find_drift(env: Env = LOCAL) -> None:
    """List manual changes since the last apply. Read-only.

    Exits with 0 for no changes, 2 for changes, 1 for errors, wrong options included.
    """
    from monitoring.datadog.sync.plan import Action

    api, settings = api_for(env)
    comparison = planned(api, settings)
    present = [step for step in comparison.steps if step.id]
    if not present:
        console.print(
            f"Environment '{env}' has no objects in {api.keys.url}: deleted, or not published yet."
        )
        console.print(f"To publish: webhook-buffer datadog apply --env {env}")
        raise typer.Exit(2)
    changed = [step for step in present if step.by_hand]
    gone = [step for step in comparison.steps if step.action is Action.CREATE]
    show_drift(changed, gone)
    ours = [step for step in comparison.steps if step.action is Action.UPDATE and not step.by_hand]
    if ours:
        console.print(f"Not published yet: {', '.join(step.name for step in ours)}", soft_wrap=True)
    show_others(comparison)
    if not (changed or gone or comparison.unmarked):
        console.print(f"No drift: {len(present)} objects are as they were published.")
        return
    without = f", {len(comparison.unmarked)} without marker" if comparison.unmarked else ""
    console.print(
        f"{len(changed)} changed by hand, {len(gone)} missing{without}, of {len(comparison.steps)}."
    )
    if changed or gone:
        console.print(f"To undo: webhook-buffer datadog apply --env {env}")
    raise typer.Exit(2)


@datadog_app.command("import")
def import_object(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="dashboard or monitor.")],
    id: Annotated[str, typer.Argument(metavar="ID", help="The id at the end of its URL.")],  # noqa: A002
    env: Env = LOCAL,
    key: Annotated[
        str | None,
        typer.Option(metavar="KEY", help="Its name in the code; default: derived from its title."),
    ] = None,
    yes: Yes = False,
) -> None:
    """Manage a manually created dashboard or monitor: write its file, mark it in Datadog."""
    from monitoring.datadog.definition import Kind
    from monitoring.datadog.sync.adopt import adopt, adoption
    from webhook_buffer.composition import definitions

    if kind not in (Kind.DASHBOARD, Kind.MONITOR):
        raise InputError(f"'{kind}' can't be imported; write dashboard or monitor.")
    require_answer(yes)
    api, settings = api_for(env)
    adopted = adoption(api, settings, Kind(kind), id, key, present=definitions(settings))
    file = adopted.file.relative_to(ROOT) if adopted.file.is_relative_to(ROOT) else adopted.file
    console.print(
        f"{kind} {id}, '{escape(adopted.title)}', will be written to {file}.", soft_wrap=True
    )
    for warning in adopted.warnings:
        console.print(f"[yellow]![/] {escape(warning)}; it is kept as it is.", soft_wrap=True)
    if adopted.left_out:
        names = escape(", ".join(adopted.left_out))
        console.print(
            f"[yellow]![/] Left out, because Datadog's client has no such fields: {names}",
            soft_wrap=True,
        )
    console.print("In Datadog a marker is added to its text; nothing else changes.")
    if not yes:
        typer.confirm("Import it?", abort=True)
    adopt(api, adopted)
    console.print(f"Written: {file}. Next: webhook-buffer datadog plan --env {env}", soft_wrap=True)


@datadog_app.command("render")
def render_objects(
    folder: Annotated[
        Path,
        typer.Argument(metavar="FOLDER", help="Where to write KIND/KEY.json.", file_okay=False),
    ],
    env: Env = LOCAL,
) -> None:
    """Write every object as JSON, to read or to paste into Datadog. Needs no keys."""
    from monitoring.documents.datadog import files
    from webhook_buffer.composition import definitions

    written = files(definitions(load(env)))
    for name, text in written.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write(folder / name, text)
    console.print(f"{len(written)} files in {folder}.")


@datadog_app.command("permissions")
def check_permissions(
    env: Env = LOCAL,
    role: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Its role; default: DatadogIntegrationRole."),
    ] = None,
) -> None:
    """Check the rights of Datadog's AWS integration. Read-only; 2 if any right is missing."""
    from webhook_buffer.operations.integration_role import ACTIONS, DEFAULT_ROLE, missing

    role = role or DEFAULT_ROLE

    settings = load(env)
    if settings.on_laptop:
        raise InputError("Datadog does not read the laptop's metrics; name an environment on AWS.")
    lacking = missing(laptop.environment(settings), role)
    for action, what in lacking.items():
        console.print(f"[red]missing[/] {action}: {what}", soft_wrap=True)
    console.print(
        f"{role}: {len(ACTIONS) - len(lacking)} of {len(ACTIONS)} rights.", soft_wrap=True
    )
    if lacking:
        raise typer.Exit(2)
