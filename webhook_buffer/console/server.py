"""The program of the console: ``python -m webhook_buffer.console.server --port … --folder …``."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
from pathlib import Path
from typing import Any

from hypercorn.asyncio import serve
from hypercorn.config import Config

from settings.loader import load
from webhook_buffer.composition import alarm_set
from webhook_buffer.console.api import Api
from webhook_buffer.console.feeds import FileFeed, Place
from webhook_buffer.console.guarded import Guarded
from webhook_buffer.console.state import State
from webhook_buffer.laptop import laptop
from webhook_buffer.laptop.console import token_of
from webhook_buffer.laptop.programs.process import HOST

# Event streams live long; what else is open is closed after it.
_SHUTDOWN_SECONDS = 1.0


async def served(state: State, port: int, token: str, ended: asyncio.Event) -> None:
    """Serves until it is ended."""
    config = Config()
    config.bind = [f"{HOST}:{port}"]
    config.graceful_timeout = config.shutdown_timeout = _SHUTDOWN_SECONDS
    config.loglevel = "WARNING"
    app: Any = Guarded(Api(state).app(), token, writes=state.place.kind == "laptop")
    await serve(app, config, shutdown_trigger=ended.wait)


async def until_signalled(state: State, port: int, token: str) -> None:
    """Serves until the process receives SIGTERM or SIGINT."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, ended.set)
    await served(state, port, token, ended)


def main() -> None:
    """Serves what runs on the laptop."""
    parser = argparse.ArgumentParser(prog="webhook_buffer.console.server", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    arguments = parser.parse_args()
    os.nice(5)  # the buffer goes first
    settings = load("local")
    place = Place.of_laptop(laptop.STATE, laptop.environment(settings, mends=False))
    asyncio.run(
        until_signalled(
            State(FileFeed(place), alarm_set(settings)), arguments.port, token_of(arguments.folder)
        )
    )


if __name__ == "__main__":
    main()
