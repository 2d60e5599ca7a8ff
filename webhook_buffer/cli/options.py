"""Options that commands share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from monitoring.alarm_set import AlarmSet

# The default environment of every command.
LOCAL = "local"


def _environments(incomplete: str) -> Iterator[str]:
    """Shell completions for ``--env``."""
    from settings.loader import environments

    return (name for name in environments() if name.startswith(incomplete))


def _alarms(context: typer.Context) -> AlarmSet:
    """Those of the environment that was typed before, or of the default."""
    from settings.loader import load
    from webhook_buffer.composition import alarm_set

    return alarm_set(load(context.params.get("env") or LOCAL))


def alarm_ids(ctx: typer.Context, incomplete: str) -> list[str]:
    """Shell completions for the id of a signal or an incident."""
    alarms = _alarms(ctx)
    ids = [alarm.signal.id for alarm in alarms.alarms]
    ids += [composite.composite.id for composite in alarms.composites]
    return [name for name in ids if name.startswith(incomplete)]


def drill_names(incomplete: str) -> list[str]:
    """Shell completions for the name of a fire drill."""
    from webhook_buffer.laptop.drills.catalog import DRILLS

    return [name for name in DRILLS if name.startswith(incomplete)]


def dashboard_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Shell completions for the name of a dashboard."""
    from webhook_buffer.console.published import Published

    names = [board["key"] for board in Published(_alarms(ctx)).listed()]
    return [name for name in names if name.startswith(incomplete)]


Env = Annotated[
    str,
    typer.Option(
        "--env",
        metavar="NAME",
        envvar="WEBHOOK_BUFFER_ENV",
        help="Environment: a block in cdk.json's context.",
        autocompletion=_environments,
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]
NoLint = Annotated[
    bool, typer.Option("--no-lint", help="Do not check the templates with cfn-lint.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for other programs.")]
Level = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
