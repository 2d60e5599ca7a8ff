"""Where the ``webhook-buffer`` command begins, and where its errors end."""

from __future__ import annotations

import sys

from alarmproof.errors import AlarmproofError

from settings.errors import InputError, WebhookBufferError
from webhook_buffer.cli.app import app


def main() -> None:
    """Runs the command line; an error of ours is a message and an exit code, no traceback."""
    try:
        app()
    except (WebhookBufferError, AlarmproofError) as error:
        _end(error, error.exit_code)
    except OSError as error:
        _end(InputError(f"{error}"), 1)


def _end(error: Exception, exit_code: int) -> None:
    from rich.console import Console

    Console(stderr=True, highlight=False).print("[red]Error:[/] ", end="")
    print(error, file=sys.stderr)
    sys.exit(exit_code)
