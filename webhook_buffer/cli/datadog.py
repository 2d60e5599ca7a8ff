"""``webhook-buffer datadog``: plan, publish, and find manual changes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import typer.core
from rich.markup import escape

from settings.errors import DatadogError, DefinitionError, InputError, WebhookBufferError
from settings.loader import load
from settings.paths import ROOT
from settings.schema import Settings
from webhook_buffer.cli.datadog_plan import GONE, show_drift, show_others, show_plan, summary
from webhook_buffer.cli.options import LOCAL, Env, Json, Yes
from webhook_buffer.cli.terminal import console, progress, require_answer
from webhook_buffer.laptop import laptop
from webhook_buffer.operations.files import write

if TYPE_CHECKING:
    from monitoring.datadog.sync.api import Api
    from monitoring.datadog.sync.plan import Plan
    from monitoring.datadog.sync.publish import Failure

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
        typer.Option("--detailed-exitcode", help="Exit with 0: no changes, 2: changes, 1: error."),
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Also write the plan to this file, as JSON."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show what `apply` would change. Read-only."""
    api, settings = _api(env)
    found = _plan(api, settings)
    if out:
        write(out, json.dumps(found.document(), indent=2) + "\n")
        if not as_json:
            console.print(f"Plan written to {out}", soft_wrap=True)
    if as_json:
        console.print_json(data=found.document())
        raise typer.Exit(2 if detailed and found.changing() else 0)
    show_plan(found)
    wrote = "Nothing was written." if api.writes == 0 else f"{api.writes} writes!"
    console.print(f"Plan: {summary(found)} {wrote}", soft_wrap=True)
    if detailed and found.changing():
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
    api, settings = _api(env)
    found = _plan(api, settings)
    show_plan(found, GONE if prune else f"{GONE}; --prune deletes it")
    console.print(f"Plan: {summary(found)}", soft_wrap=True)
    if not found.changing(prune=prune):
        left = " without --prune" if found.changing() else ""
        console.print(f"Nothing to do{left}.")
        return
    if not yes:
        typer.confirm(f"Publish this to {api.keys.url}?", abort=True)
    _publish(api, settings, found, prune=prune)


@datadog_app.command("destroy")
def destroy_objects(env: Env = LOCAL, yes: Yes = False) -> None:
    """Delete an environment's objects from Datadog. Nothing else is touched."""
    from monitoring.datadog.sync.plan import plan

    require_answer(yes)
    api, settings = _api(env)
    with console.status("Reading Datadog"):
        found = plan(api, settings, [])
    show_plan(found, "")
    if not found.steps:
        if found.copies or found.unmarked:
            console.print(
                "Nothing else to delete. The objects above stay; correct them in Datadog."
            )
        else:
            console.print(f"Environment '{env}' has no objects in {api.keys.url}.")
        return
    if not yes:
        question = f"Delete these {len(found.steps)} objects from {api.keys.url}?"
        typer.confirm(question, abort=True)
    _publish(api, settings, found, prune=True)


@datadog_app.command("drift", cls=_OneForErrors)
def find_drift(env: Env = LOCAL) -> None:
    """List manual changes since the last apply. Read-only.

    Exits with 0: no changes, 2: changes, 1: error.
    """
    from monitoring.datadog.sync.plan import Action

    api, settings = _api(env)
    found = _plan(api, settings)
    present = [step for step in found.steps if step.id]
    if not present:
        console.print(
            f"Environment '{env}' has no objects in {api.keys.url}: deleted, or not published yet."
        )
        console.print(f"To publish: webhook-buffer datadog apply --env {env}")
        raise typer.Exit(2)
    changed = [step for step in present if step.by_hand]
    gone = [step for step in found.steps if step.action is Action.CREATE]
    show_drift(changed, gone)
    ours = [step for step in found.steps if step.action is Action.UPDATE and not step.by_hand]
    if ours:
        console.print(f"Not published yet: {', '.join(step.name for step in ours)}", soft_wrap=True)
    show_others(found)
    if not (changed or gone or found.unmarked):
        console.print(f"No drift: {len(present)} objects are as they were published.")
        return
    without = f", {len(found.unmarked)} without marker" if found.unmarked else ""
    console.print(
        f"{len(changed)} changed by hand, {len(gone)} missing{without}, of {len(found.steps)}."
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
    api, settings = _api(env)
    found = adoption(api, settings, Kind(kind), id, key, present=definitions(settings))
    file = found.file.relative_to(ROOT) if found.file.is_relative_to(ROOT) else found.file
    console.print(
        f"{kind} {id}, '{escape(found.title)}', will be written to {file}.", soft_wrap=True
    )
    for warning in found.warnings:
        console.print(f"[yellow]![/] {escape(warning)}; it is kept as it is.", soft_wrap=True)
    if found.left_out:
        names = escape(", ".join(found.left_out))
        console.print(
            f"[yellow]![/] Left out, because Datadog's client has no such fields: {names}",
            soft_wrap=True,
        )
    console.print("In Datadog a marker is added to its text; nothing else changes.")
    if not yes:
        typer.confirm("Import it?", abort=True)
    adopt(api, found)
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
    found = missing(laptop.target(settings), role)
    for action, what in found.items():
        console.print(f"[red]missing[/] {action}: {what}", soft_wrap=True)
    console.print(f"{role}: {len(ACTIONS) - len(found)} of {len(ACTIONS)} rights.", soft_wrap=True)
    if found:
        raise typer.Exit(2)


class Publication:
    """The Datadog part of `deploy`: shows the plan, then publishes."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._api = _api_of(settings)

    def plan(self) -> None:
        """Shows what would change; a wrong key fails here, before anything changes."""
        self._planned = self._show()

    def require_permissions(self) -> None:
        """Asks for confirmation before anything is deployed."""
        from monitoring.datadog.sync.publish import require_permissions

        require_permissions(self._api, self._planned, prune=False)

    def publish(self, release: str | None) -> None:
        """Publishes, and marks the deployment on the dashboards.

        Args:
            release: the running release; None where this app deploys no buffer.
        """
        found = self._show()
        if found.changing(prune=False):
            _publish(self._api, self._settings, found, prune=False)
        settings = self._settings
        tags = [f"env:{settings.environment}", "event:deployment", f"service:{settings.service}"]
        what = f"Release {release}" if release else "Its monitoring"
        try:
            self._api.announce(
                f"{settings.prefix} was deployed", f"{what} was deployed.",
                [*tags, f"version:{release}"] if release else tags,
            )  # fmt: skip
        except DatadogError as error:
            console.print(
                f"[yellow]![/] The deployment was not marked in Datadog: {escape(str(error))}"
            )

    def _show(self) -> Plan:
        found = _plan(self._api, self._settings)
        show_plan(found)
        console.print(f"Datadog: {summary(found)}", soft_wrap=True)
        return found


def _api(env: str) -> tuple[Api, Settings]:
    """Datadog as an environment reaches it, and its settings."""
    settings = load(env)
    return _api_of(settings), settings


def _api_of(settings: Settings) -> Api:
    from monitoring.datadog.definition import not_set_up
    from monitoring.datadog.sync.api import Api
    from webhook_buffer.operations import credentials

    if settings.datadog is None:
        raise not_set_up(settings)
    if settings.on_laptop:
        return Api(laptop.datadog_keys())
    return Api(credentials.keys(laptop.target(settings)))


def _plan(api: Api, settings: Settings) -> Plan:
    """The plan of definitions that have passed the checks.

    Raises:
        DefinitionError: When Datadog's own models refuse a definition.
    """
    from monitoring.datadog.sync.api import problems
    from monitoring.datadog.sync.plan import plan
    from webhook_buffer.composition import definitions

    with console.status("Checking the definitions"):
        wanted = definitions(settings)
        # Imported objects already work in Datadog, whether or not the models know them.
        wrong = [problem for one in wanted if not one.imported for problem in problems(one)]
    if wrong:
        raise DefinitionError(wrong)
    with console.status("Reading Datadog"):
        return plan(api, settings, wanted)


def _publish(api: Api, settings: Settings, found: Plan, *, prune: bool) -> None:
    """Applies a plan, with a progress bar; prints what failed.

    Raises:
        DatadogError: When anything failed.
    """
    from monitoring.datadog.sync.publish import apply

    todo = found.changing(prune=prune)
    with progress() as bars:
        task = bars.add_task("Publishing", total=len(todo))
        failures = apply(api, settings, found, prune=prune, progress=lambda _: bars.advance(task))
    done = len(todo) - len(failures)
    console.print(f"{done} of {len(todo)} done at {api.keys.url}.", soft_wrap=True)
    if failures:
        raise DatadogError(_failed(failures, settings.environment))


def _failed(failures: Sequence[Failure], env: str) -> str:
    lines = [f"{one.step.name}: {one.reason}" for one in failures]
    return "\n".join(
        [*lines, f"{len(failures)} failed, the rest is done. Fix this and run again: "
         f"webhook-buffer datadog apply --env {env}"]
    )  # fmt: skip
