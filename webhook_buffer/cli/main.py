"""Where the ``webhook-buffer`` command begins: it loads what the words given need, and no more.

The settings, and what deploys, take most of a second to load; alarms of any template are tested
without them.
"""

from __future__ import annotations

import sys

import typer
from alarmproof.errors import AlarmproofError
from rich.console import Console

from settings.errors import WebhookBufferError
from webhook_buffer.cli import alarmproof


def main() -> None:
    """Runs the command line; an error of ours is a message and an exit code, no traceback."""
    try:
        _app()()
    except (WebhookBufferError, AlarmproofError) as error:
        Console(stderr=True, highlight=False).print("[red]Error:[/] ", end="")
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)


def _app() -> typer.Typer:
    words = sys.argv[1:3]
    if len(words) == 2 and words[0] == "alarms" and words[1] in alarmproof.COMMANDS:
        app = typer.Typer(
            add_completion=False,
            pretty_exceptions_enable=False,
            context_settings={"help_option_names": ["-h", "--help"]},
        )
        alarms = typer.Typer()
        alarmproof.add_to(alarms)
        app.add_typer(alarms, name="alarms")
        app.callback()(lambda: None)
        return app
    from webhook_buffer.cli.app import app as whole

    return whole
