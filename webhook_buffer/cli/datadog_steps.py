"""What the Datadog commands and ``deploy`` share: reaching Datadog, planning, publishing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.markup import escape

from settings.errors import DatadogError, DefinitionError
from settings.loader import load
from settings.schema import Settings
from webhook_buffer.cli.datadog_plan import show_plan, summary
from webhook_buffer.cli.terminal import console, progress
from webhook_buffer.laptop import laptop

if TYPE_CHECKING:
    from monitoring.datadog.sync.api import Api
    from monitoring.datadog.sync.plan import Plan
    from monitoring.datadog.sync.publish import Failure


class Publication:
    """The Datadog part of `deploy`: shows the plan, then publishes."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._api = api_of(settings)

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
        changes = self._show()
        if changes.changing(prune=False):
            publish(self._api, self._settings, changes, prune=False)
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
        changes = planned(self._api, self._settings)
        show_plan(changes)
        console.print(f"Datadog: {summary(changes)}", soft_wrap=True)
        return changes


def api_for(env: str) -> tuple[Api, Settings]:
    """Datadog as an environment reaches it, and its settings."""
    settings = load(env)
    return api_of(settings), settings


def api_of(settings: Settings) -> Api:
    from monitoring.datadog.definition import not_set_up
    from monitoring.datadog.sync.api import Api
    from webhook_buffer.operations import credentials

    if settings.datadog is None:
        raise not_set_up(settings)
    if settings.on_laptop:
        return Api(laptop.datadog_keys())
    return Api(credentials.keys(laptop.environment(settings)))


def planned(api: Api, settings: Settings) -> Plan:
    """The plan of definitions that have passed the checks.

    Raises:
        DefinitionError: When Datadog's own models refuse a definition.
    """
    from monitoring.datadog.sync.plan import plan
    from webhook_buffer.composition import definitions, refused

    with console.status("Checking the definitions"):
        wanted = definitions(settings)
        wrong = refused(wanted)
    if wrong:
        raise DefinitionError(wrong)
    with console.status("Reading Datadog"):
        return plan(api, settings, wanted)


def publish(api: Api, settings: Settings, changes: Plan, *, prune: bool) -> None:
    """Applies a plan, with a progress bar; prints what failed.

    Raises:
        DatadogError: When anything failed.
    """
    from monitoring.datadog.sync.publish import apply

    todo = changes.changing(prune=prune)
    with progress() as bars:
        task = bars.add_task("Publishing", total=len(todo))
        failures = apply(api, settings, changes, prune=prune, progress=lambda _: bars.advance(task))
    done = len(todo) - len(failures)
    console.print(f"{done} of {len(todo)} done at {api.keys.url}.", soft_wrap=True)
    if failures:
        raise DatadogError(_failed(failures, settings.environment))


def _failed(failures: Sequence[Failure], env: str) -> str:
    lines = [f"{failure.step.name}: {failure.reason}" for failure in failures]
    return "\n".join(
        [*lines, f"{len(failures)} failed, the rest is done. Fix this and run again: "
         f"webhook-buffer datadog apply --env {env}"]
    )  # fmt: skip
