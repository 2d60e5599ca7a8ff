"""Where the ``webhook-buffer`` command begins: it loads what the words given need, and no more.

The settings, and what deploys, take most of a second to load; alarms of any template are tested
without them.
"""

from __future__ import annotations

import sys

import typer
from rich.console import Console

import cli_proof
from errors import WebhookBufferError


def main() -> None:
    """Runs the command line; an error of ours is a message and an exit code, no traceback."""
    try:
        _app()()
    except WebhookBufferError as error:
        Console(stderr=True, highlight=False).print("[red]Error:[/] ", end="")
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)


def _app() -> typer.Typer:
    words = sys.argv[1:3]
    if len(words) == 2 and words[0] == "alarms" and words[1] in cli_proof.COMMANDS:
        app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        alarms = typer.Typer()
        cli_proof.add_to(alarms)
        app.add_typer(alarms, name="alarms")
        app.callback()(lambda: None)
        return app
    import cli

    return cli.app
