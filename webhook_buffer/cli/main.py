"""The ``webhook-buffer`` entry point, which prints errors without a traceback."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import NoReturn

from alarmproof.base.errors import AlarmproofError
from alarmproof.base.files import open_streams

from settings.errors import FileError, WebhookBufferError


def main() -> None:
    """Runs the command line."""
    from webhook_buffer.cli.app import app
    from webhook_buffer.cli.groups import built

    run(built(app))


def run(command: Callable[[], object]) -> None:
    """Runs a command; our own errors become a message and an exit code, not a traceback."""
    open_streams()
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
        if isinstance(error, BrokenPipeError):  # the reader closed the pipe
            sys.exit(1)
        _end(FileError(error), FileError.exit_code)
    except Exception as error:
        from settings.mistakes import mistake

        wrong = mistake(error)
        if wrong is None:
            raise
        _end(wrong, wrong.exit_code)


def _end(error: Exception, exit_code: int) -> NoReturn:
    from rich.console import Console

    Console(stderr=True, highlight=False).print("[red]Error:[/] ", end="")
    print(error, file=sys.stderr)
    sys.exit(exit_code)
