"""``webhook-buffer datadog``: what Datadog has, what it is to have, and making it so."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import typer.core
from rich.markup import escape

from settings.errors import DatadogError, InputError, SettingsError, WebhookBufferError
from settings.loader import load
from settings.paths import CDK_JSON, ROOT
from settings.schema import Settings
from webhook_buffer.cli.alarms import Env, Yes
from webhook_buffer.cli.terminal import console, progress, require_answer, show_change
from webhook_buffer.laptop import laptop

if TYPE_CHECKING:
    from monitoring.datadog.sync.api import Api
    from monitoring.datadog.sync.diff import Change
    from monitoring.datadog.sync.plan import Plan, Step
    from monitoring.datadog.sync.publish import Failure

datadog_app = typer.Typer(
    help="Datadog: plan and publish monitors, SLOs, dashboards and downtimes; find drift.",
    no_args_is_help=True,
)

_SIGNS = {"create": "[green]+[/]", "update": "[yellow]~[/]", "delete": "[red]-[/]"}
_GONE = "no longer defined"


class _OneForErrors(typer.core.TyperCommand):
    """A command whose exit code 2 means changes: every error is 1, a wrong option too."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except Exception as error:
            if hasattr(error, "exit_code") and error.exit_code == 2:
                error.exit_code = 1
            raise

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except WebhookBufferError as error:
            error.exit_code = 1
            raise


@datadog_app.command("plan", cls=_OneForErrors)
def plan_objects(
    env: Env = "local",
    detailed: Annotated[
        bool,
        typer.Option("--detailed-exitcode", help="Exit with 0: no changes, 2: changes, 1: error."),
    ] = False,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write the plan as JSON, too.")
    ] = None,
) -> None:
    """Show what `apply` would change. Writes nothing to Datadog."""
    api, settings = _api(env)
    found = _plan(api, settings)
    if out:
        try:
            out.write_text(json.dumps(found.document(), indent=2) + "\n", "utf-8")
        except OSError as error:
            raise InputError(f"--out {out}: {error.strerror}; name another file") from None
    _show(found)
    wrote = "Nothing was written." if api.writes == 0 else f"{api.writes} writes!"
    console.print(f"Plan: {_summary(found)} {wrote}", soft_wrap=True)
    if detailed and found.changing():
        raise typer.Exit(2)


@datadog_app.command("apply")
def apply_objects(
    env: Env = "local",
    yes: Yes = False,
    prune: Annotated[
        bool, typer.Option("--prune", help="Also delete what is no longer defined.")
    ] = False,
) -> None:
    """Show the plan, ask, and make Datadog so."""
    require_answer(yes)
    api, settings = _api(env)
    found = _plan(api, settings)
    _show(found, _GONE if prune else f"{_GONE}; --prune deletes it")
    console.print(f"Plan: {_summary(found)}", soft_wrap=True)
    if not found.changing(prune=prune):
        left = " without --prune" if found.changing() else ""
        console.print(f"Nothing to do{left}.")
        return
    if not yes:
        typer.confirm(f"Publish this to {api.keys.url}?", abort=True)
    _publish(api, settings, found, prune=prune)


@datadog_app.command("destroy")
def destroy_objects(env: Env = "local", yes: Yes = False) -> None:
    """Delete everything of an environment from Datadog; nothing else is touched."""
    from monitoring.datadog.sync.plan import plan

    require_answer(yes)
    api, settings = _api(env)
    with console.status("Reading Datadog"):
        found = plan(api, settings, [])
    _show(found, "")
    if not found.steps:
        if found.copies or found.unmarked:
            console.print("Nothing more to delete; what is named above stays. Mend it there.")
        else:
            console.print(f"Nothing of environment '{env}' is in {api.keys.url}.")
        return
    if not yes:
        question = f"Delete these {len(found.steps)} objects from {api.keys.url}?"
        typer.confirm(question, abort=True)
    _publish(api, settings, found, prune=True)


@datadog_app.command("drift", cls=_OneForErrors)
def find_drift(env: Env = "local") -> None:
    """Tell what people changed by hand since it was published. Writes nothing; 2 if anything."""
    from monitoring.datadog.sync.plan import Action

    api, settings = _api(env)
    found = _plan(api, settings)
    present = [step for step in found.steps if step.id]
    if not present:
        console.print(f"Nothing of '{env}' is in {api.keys.url}: deleted, or not published yet.")
        console.print(f"To publish: webhook-buffer datadog apply --env {env}")
        raise typer.Exit(2)
    changed = _show_changed(present)
    gone = [step for step in found.steps if step.action is Action.CREATE]
    for step in gone:
        console.print(f"[red]-[/] {step.name} is not there: deleted, or not published yet")
    ours = [step for step in found.steps if step.action is Action.UPDATE and not step.by_hand]
    if ours:
        console.print(f"Not published yet: {', '.join(step.name for step in ours)}", soft_wrap=True)
    _show_others(found)
    if not (changed or gone or found.unmarked):
        console.print(f"No drift: {len(present)} objects are as they were published.")
        return
    without = f", {len(found.unmarked)} without marker" if found.unmarked else ""
    console.print(
        f"{changed} changed by hand, {len(gone)} missing{without}, of {len(found.steps)}."
    )
    if changed or gone:
        console.print(f"To undo: webhook-buffer datadog apply --env {env}")
    raise typer.Exit(2)


def _show_changed(present: Sequence[Step]) -> int:
    """What was changed by hand, field by field; returns how many objects."""
    changed = [step for step in present if step.by_hand]
    for step in changed:
        console.print(
            f"[yellow]~[/] {step.name} was changed by hand; it differs in:", soft_wrap=True
        )
        for change in step.changes:
            _tell(change, drift=True)
    return len(changed)


@datadog_app.command("import")
def import_object(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="dashboard or monitor.")],
    id: Annotated[str, typer.Argument(metavar="ID", help="At the end of its URL.")],  # noqa: A002
    env: Env = "local",
    key: Annotated[
        str | None, typer.Option(metavar="KEY", help="Its name here; from its title without one.")
    ] = None,
    yes: Yes = False,
) -> None:
    """Take over a dashboard or monitor that was made by hand: a file here, a marker there."""
    from monitoring.datadog.definition import Kind
    from monitoring.datadog.sync.adopt import adopt, adoption
    from webhook_buffer.composition import definitions

    require_answer(yes)
    if kind not in (Kind.DASHBOARD, Kind.MONITOR):
        raise InputError(f"'{kind}' can't be imported; write dashboard or monitor.")
    api, settings = _api(env)
    found = adoption(api, settings, Kind(kind), id, key, present=definitions(settings))
    file = found.file.relative_to(ROOT)
    console.print(f"{kind} {id}, '{escape(found.title)}', becomes {file}.", soft_wrap=True)
    for warning in found.warnings:
        console.print(f"[yellow]![/] {escape(warning)}; it is kept as it is.", soft_wrap=True)
    console.print("In Datadog its text gets the line that makes it ours; nothing else changes.")
    if not yes:
        typer.confirm("Take it over?", abort=True)
    adopt(api, found)
    console.print(f"Written: {file}. Next: webhook-buffer datadog plan --env {env}", soft_wrap=True)


@datadog_app.command("render")
def render_objects(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Where KIND/KEY.json goes.", file_okay=False)
    ],
    env: Env = "local",
) -> None:
    """Write every object as JSON, to paste into Datadog or to read. Needs no keys."""
    from monitoring.documents.datadog import files
    from webhook_buffer.composition import definitions

    written = files(definitions(load(env)))
    try:
        for name, text in written.items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, "utf-8")
    except OSError as error:
        raise InputError(f"{folder}: {error.strerror}; name another folder") from None
    console.print(f"{len(written)} files in {folder}.")


class Publication:
    """What `deploy` does with Datadog: it shows the plan before it asks, and publishes after."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._api = _api_of(settings)

    def plan(self) -> None:
        """Shows what would change; a wrong key is found here, before anything changes."""
        self._planned = self._show()

    def require_permissions(self) -> None:
        """Makes sure that it may be published, before anything is deployed."""
        from monitoring.datadog.sync.publish import require_permissions

        require_permissions(self._api, self._planned, prune=False)

    def publish(self, release: str | None) -> None:
        """Publishes, and marks the deployment on the dashboards.

        Args:
            release: what runs now; None where there is no buffer of ours.
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
            console.print(f"[yellow]![/] The deployment is not marked: {escape(str(error))}")

    def _show(self) -> Plan:
        found = _plan(self._api, self._settings)
        _show(found)
        console.print(f"Datadog: {_summary(found)}", soft_wrap=True)
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
    """The plan of definitions that are known to be good."""
    from monitoring.datadog.sync.api import problems
    from monitoring.datadog.sync.plan import plan
    from webhook_buffer.composition import definitions

    with console.status("Checking the definitions"):
        wanted = definitions(settings)
        # What was imported works in Datadog already, whether or not the models know it.
        wrong = [problem for one in wanted if not one.imported for problem in problems(one)]
    if wrong:
        raise SettingsError(CDK_JSON, settings.environment, wrong)
    with console.status("Reading Datadog"):
        return plan(api, settings, wanted)


def _publish(api: Api, settings: Settings, found: Plan, *, prune: bool) -> None:
    """Carries a plan out, with a bar; says what failed.

    Raises:
        DatadogError: When anything failed.
    """
    from monitoring.datadog.sync.publish import apply

    todo = found.changing(prune=prune)
    with progress() as bars:
        task = bars.add_task("Publishing", total=len(todo))
        failures = apply(api, settings, found, prune=prune, tell=lambda _: bars.advance(task))
    done = len(todo) - len(failures)
    console.print(f"{done} of {len(todo)} done at {api.keys.url}.", soft_wrap=True)
    if failures:
        raise DatadogError(_told(failures, settings.environment))


def _told(failures: Sequence[Failure], env: str) -> str:
    lines = [f"{one.step.name}: {one.reason}" for one in failures]
    return "\n".join(
        [*lines, f"{len(failures)} failed, the rest is done. Mend it and run again: "
         f"webhook-buffer datadog apply --env {env}"]
    )  # fmt: skip


def _show(found: Plan, of_deletion: str = f"{_GONE}; --prune deletes it") -> None:
    """A plan's changes.

    Args:
        of_deletion: what is said of what would be deleted.
    """
    for step in found.changing():
        remark = of_deletion if step.action == "delete" else _remark(step)
        remark = "a duplicate, made by two applies at once" if step.duplicate else remark
        told = f"  [dim]{escape(remark)}[/]" if remark else ""
        console.print(f"{_SIGNS[step.action]} {step.name}{told}", soft_wrap=True)
        for change in step.changes:
            _tell(change)
    _show_others(found)


def _remark(step: Step) -> str:
    if step.by_hand:
        return "was changed by hand"
    body = step.definition.body if step.action == "create" and step.definition else {}
    return str(body.get("name") or body.get("title") or "")


def _show_others(found: Plan) -> None:
    """What looks like ours and is left alone, and who is muted."""
    for mute in found.mutes:
        console.print(f"[dim]·[/] {mute}", soft_wrap=True)
    for kind, key, id_ in found.copies:
        console.print(
            f"[yellow]![/] {kind} {id_} is a copy of {key} made by hand: it carries its marker. It "
            f"is left alone, and {key} is not deleted; take the marker's line out of the copy.",
            soft_wrap=True,
        )
    for kind, key, id_ in found.unmarked:
        console.print(
            f"[yellow]![/] {kind} {id_} has our tags, but {key}'s marker was taken out of its "
            "text. It is left alone and not made anew. Take the tag managed-by away, or put the "
            f"line back: {found.line(key)}",
            soft_wrap=True,
        )


def _tell(change: Change, *, drift: bool = False) -> None:
    """A field that differs. A plan goes from what is there to what is defined; drift tells it
    the other way round."""
    before, after = change.before, change.after
    if drift:
        before, after = after, before
    show_change(change.path, before, after)


def _summary(found: Plan) -> str:
    from monitoring.datadog.sync.plan import Action

    create, update, delete, same = (found.count(action) for action in Action)
    return f"{create} to create, {update} to update, {delete} to delete, {same} unchanged."
