"""Where the ``webhook-buffer`` command begins, and where its errors end."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import NoReturn

from alarmproof.errors import AlarmproofError

from settings.errors import FileError, WebhookBufferError


def main() -> None:
    """Runs the command line."""
    from webhook_buffer.cli.app import app

    run(app)


def run(command: Callable[[], object]) -> None:
    """Runs a command; an error of ours is a message and an exit code, no traceback."""
    try:
        try:
            command()
        finally:
            sys.stdout.flush()
    except (WebhookBufferError, AlarmproofError) as error:
        _end(error, error.exit_code)
    except OSError as error:
        if error.filename is None:  # standard output, which would fail once more at the end
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):  # whoever read it has seen enough
            sys.exit(1)
        _end(FileError(error), FileError.exit_code)


def _end(error: Exception, exit_code: int) -> NoReturn:
    from rich.console import Console

    Console(stderr=True, highlight=False).print("[red]Error:[/] ", end="")
    print(error, file=sys.stderr)
    sys.exit(exit_code)
