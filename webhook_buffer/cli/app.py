"""The ``webhook-buffer`` command: its subcommands and options. Their code is loaded on use.

``webhook-buffer --help`` and a shell's completion load no settings and nothing that deploys.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated

import typer

from webhook_buffer.cli import alarmproof
from webhook_buffer.cli.groups import Sections, deferred
from webhook_buffer.cli.options import LOCAL, Env, Json, Level, NoLint, Yes

_ON_LAPTOP = "On the laptop"
_ANYWHERE = "On the laptop and on AWS"

app = typer.Typer(
    name="webhook-buffer",
    help="A FIFO buffer in front of any backend's webhooks: run it, deploy it, inspect it.",
    no_args_is_help=True,
    rich_markup_mode=None,
    cls=Sections,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@cache
def _alarmproof() -> typer.Typer:
    alarms = typer.Typer(callback=lambda: None, rich_markup_mode=None)
    alarmproof.add_to(alarms)
    return alarms


def _alarms(command: str | None) -> typer.Typer:
    """The group ``alarms``; alarms of any template are tested without loading ours."""
    if command in alarmproof.COMMANDS:
        return _alarmproof()
    from webhook_buffer.cli.alarms import alarms_app

    return alarms_app


def _datadog(_: str | None) -> typer.Typer:
    from webhook_buffer.cli.datadog import datadog_app

    return datadog_app


def _drill(_: str | None) -> typer.Typer:
    from webhook_buffer.cli.drill import drill_app

    return drill_app


def _dashboards(_: str | None) -> typer.Typer:
    from webhook_buffer.cli.dashboards import dashboards_app

    return dashboards_app


def _backend(_: str | None) -> typer.Typer:
    from webhook_buffer.cli.backend import backend_app

    return backend_app


def _webhooks(_: str | None) -> typer.Typer:
    from webhook_buffer.cli.webhooks import webhooks_app

    return webhooks_app


def _sources(_: str | None) -> typer.Typer:
    from webhook_buffer.cli.sources import sources_app

    return sources_app


app.add_typer(
    typer.Typer(
        cls=deferred(_alarms),
        help="List, explain, trigger, test, lint and replay alarms.",
        no_args_is_help=True,
    ),
    name="alarms",
    rich_help_panel=_ANYWHERE,
)
app.add_typer(
    typer.Typer(
        cls=deferred(_datadog),
        help="Plan and publish monitors, SLOs, dashboards and downtimes; find drift.",
        no_args_is_help=True,
    ),
    name="datadog",
    rich_help_panel=_ANYWHERE,
)
app.add_typer(
    typer.Typer(
        cls=deferred(_drill),
        help="Fire drills: cause a failure, and check who is notified, in time, of what.",
        no_args_is_help=True,
    ),
    name="drill",
    rich_help_panel=_ANYWHERE,
)
app.add_typer(
    typer.Typer(
        cls=deferred(_sources),
        help="List who may send, check a captured request, take a secret by handshake.",
        no_args_is_help=True,
    ),
    name="sources",
    rich_help_panel=_ANYWHERE,
)
app.add_typer(
    typer.Typer(
        cls=deferred(_dashboards),
        help="List dashboards, and render them, or exported Datadog JSON, with a session's data.",
        no_args_is_help=True,
    ),
    name="dashboards",
    rich_help_panel=_ON_LAPTOP,
)
app.add_typer(
    typer.Typer(
        cls=deferred(_webhooks),
        help="Find recorded webhooks; show, release and drop parked ones; print the cost of one.",
        no_args_is_help=True,
    ),
    name="webhooks",
    rich_help_panel=_ANYWHERE,
)
app.add_typer(
    typer.Typer(
        cls=deferred(_backend),
        help="Make the faux backend fail, or restore it: down, status, slow, reset; up.",
        no_args_is_help=True,
    ),
    name="backend",
    rich_help_panel=_ON_LAPTOP,
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"webhook-buffer {version('webhook-buffer')}")
        raise typer.Exit


@app.callback()
def _root(
    _: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    pass


@app.command(rich_help_panel=_ON_LAPTOP)
def demo(
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave everything running, as `up` does.")
    ] = False,
) -> None:
    """Show the whole story: deploy, GitHub's payloads, an outage, the alarm, the recovery."""
    from webhook_buffer.cli.demo import demo as run

    run(keep=keep)


@app.command(rich_help_panel=_ON_LAPTOP)
def up(
    port: Annotated[
        int | None,
        typer.Option(
            metavar="PORT",
            help="The emulator's port on 127.0.0.1. Default: the last used, or 4566.",
            min=1,
            max=65535,
        ),
    ] = None,
    endpoint_port: Annotated[
        int | None,
        typer.Option(
            metavar="PORT",
            help="The webhook endpoint's port on 127.0.0.1. Default: the last used, or 4560.",
            min=1,
            max=65535,
        ),
    ] = None,
) -> None:
    """Start the emulator and deploy the buffer to it. Run it again to deploy changes."""
    from webhook_buffer.cli import lifecycle

    lifecycle.up(port, endpoint_port)


@app.command(rich_help_panel=_ON_LAPTOP)
def down() -> None:
    """Stop everything that `up` started."""
    from webhook_buffer.cli import lifecycle

    lifecycle.down()


@app.command(rich_help_panel=_ON_LAPTOP)
def console(
    file: Annotated[
        Path | None,
        typer.Option("--open", metavar="FILE", help="Show an exported session until Ctrl+C."),
    ] = None,
    env: Env = LOCAL,
    port: Annotated[
        int | None,
        typer.Option(
            metavar="PORT",
            help="The console's port on 127.0.0.1. Default: the last used, or 4570.",
            min=1,
            max=65535,
        ),
    ] = None,
) -> None:
    """Print the address of a page with dashboards, alarms, notifications and webhooks.

    For an environment on AWS, the page reads CloudWatch with your credentials, until Ctrl+C; the
    hourly cost is printed first. Not yet tested on AWS.
    """
    from webhook_buffer.cli import console as command

    command.show(file, env, port)


@app.command(rich_help_panel=_ANYWHERE)
def status(env: Env = LOCAL, as_json: Json = False) -> None:
    """Show what is running, which release, and how many webhooks are queued."""
    from webhook_buffer.cli import running

    running.status(env, as_json=as_json)


@app.command(rich_help_panel=_ANYWHERE)
def send(
    path: Annotated[
        Path,
        typer.Argument(metavar="PATH", help="A payload, or a folder with one payload per file."),
    ],
    env: Env = LOCAL,
    rate: Annotated[
        float, typer.Option(metavar="N", help="Maximum webhooks per second.", min=0.01)
    ] = 10,
    repeat: Annotated[
        int, typer.Option(metavar="N", help="How many times to send everything.", min=1)
    ] = 1,
    header: Annotated[
        list[str] | None,
        typer.Option("--header", "-H", metavar="HEADER", help="'Name: value'. Repeatable."),
    ] = None,
    method: Annotated[str, typer.Option(metavar="METHOD", help="HTTP method.")] = "POST",
    to: Annotated[str, typer.Option(metavar="PATH", help="Path and query at the endpoint.")] = "/",
) -> None:
    """Send payloads one after the other and report how many were accepted."""
    from webhook_buffer.cli import running

    running.send(path, env, rate=rate, repeat=repeat, headers=header or [], method=method, to=to)


@app.command(rich_help_panel=_ANYWHERE)
def smoke(
    env: Env = LOCAL,
    failures: Annotated[
        bool, typer.Option("--failures", help="Also make the faux backend fail.")
    ] = False,
    deliver: Annotated[
        bool, typer.Option("--deliver", help="Also send test webhooks to a real backend.")
    ] = False,
) -> None:
    """Run smoke tests against a deployed buffer."""
    from webhook_buffer.cli import running

    running.smoke(env, failures=failures, deliver=deliver)


@app.command(rich_help_panel=_ANYWHERE)
def outputs(env: Env = LOCAL) -> None:
    """Print the stacks' outputs as JSON, read from CloudFormation."""
    from webhook_buffer.cli import running

    running.outputs(env)


@app.command(rich_help_panel=_ANYWHERE)
def logs(
    env: Env = LOCAL,
    function: Annotated[
        list[str] | None,
        typer.Option(
            "--function",
            "-f",
            metavar="NAME",
            help="publish, subscribe, notify, …; default: all. Repeatable.",
        ),
    ] = None,
    minutes: Annotated[
        int, typer.Option(metavar="N", help="How many minutes to look back.", min=1)
    ] = 15,
    follow: Annotated[
        bool,
        typer.Option(
            "--follow",
            help="Keep printing new lines until Ctrl+C. On AWS about 60 calls a minute.",
        ),
    ] = False,
    level: Annotated[
        Level | None, typer.Option(help="Leave out lines below this level.", case_sensitive=False)
    ] = None,
    group: Annotated[
        str | None, typer.Option(metavar="ID", help="Only lines about this group id.")
    ] = None,
    message: Annotated[
        str | None, typer.Option(metavar="ID", help="Only lines about this message id.")
    ] = None,
    runtime: Annotated[
        bool, typer.Option("--runtime", help="Include the Lambda runtime's own lines.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show the functions' logs, merged by time."""
    from webhook_buffer.cli.logs import Selection
    from webhook_buffer.cli.logs import logs as run

    selection = Selection(level=level, group=group, message=message)
    run(
        env,
        functions=function,
        minutes=minutes,
        follow=follow,
        runtime=runtime,
        selection=selection,
        as_json=as_json,
    )


@app.command(rich_help_panel=_ANYWHERE)
def synth(env: Env = LOCAL, no_lint: NoLint = False) -> None:
    """Synthesize and validate the stacks, and print where the templates are."""
    from webhook_buffer.cli import lifecycle

    lifecycle.synth(env, lint=not no_lint)


@app.command(rich_help_panel=_ANYWHERE)
def diff(env: Env = LOCAL, no_lint: NoLint = False) -> None:
    """Show what a deployment would change; starts the emulator for an environment on the laptop."""
    from webhook_buffer.cli import lifecycle

    lifecycle.diff(env, lint=not no_lint)


@app.command(rich_help_panel=_ANYWHERE)
def preflight(env: Env = LOCAL, as_json: Json = False) -> None:
    """Check what a deployment needs, each problem with its remedy. Read-only.

    ✗ would make the deployment fail, and the exit code is then 1; ! is left to do after it; ? could
    not be checked.
    """
    from webhook_buffer.cli.preflight import preflight as run

    run(env, as_json=as_json)


@app.command(rich_help_panel=_ANYWHERE)
def deploy(env: Env = LOCAL, yes: Yes = False, no_lint: NoLint = False) -> None:
    """Run preflight, show the changes, ask for confirmation, deploy, run the smoke tests."""
    from webhook_buffer.cli import lifecycle

    lifecycle.deploy(env, yes=yes, lint=not no_lint)


@app.command(rich_help_panel=_ANYWHERE)
def destroy(env: Env = LOCAL, yes: Yes = False) -> None:
    """Delete an environment's stacks and list what is kept."""
    from webhook_buffer.cli import lifecycle

    lifecycle.destroy(env, yes=yes)


@app.command(rich_help_panel=_ANYWHERE)
def permissions(
    env: Env = LOCAL,
    command: Annotated[
        list[str] | None,
        typer.Option(metavar="COMMAND", help="'status', 'alarms status', …; default: all."),
    ] = None,
    trust: Annotated[
        str | None,
        typer.Option(metavar="ARN", help="Print the operator role's trust policy, for this ARN."),
    ] = None,
    key: Annotated[
        bool, typer.Option("--key", help="Print the key policy that encryptionKeyArn needs.")
    ] = False,
) -> None:
    """Print the IAM policy that commands need in an environment."""
    from webhook_buffer.cli.permissions import permissions as run

    run(app, env, commands=command or (), trusted=trust, key=key)
