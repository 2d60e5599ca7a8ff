"""The program of live alarms: ``python -m webhook_buffer.laptop.judging --folder FOLDER``."""

from __future__ import annotations

import os

from settings.loader import load
from webhook_buffer.laptop import laptop
from webhook_buffer.laptop.programs import program
from webhook_buffer.live import engine, sources


def main() -> None:
    """Judges what runs on the laptop until it is ended."""
    arguments = program.arguments("judging", __doc__, listens=False)
    ended = program.end()
    os.nice(5)  # the buffer goes first
    target = laptop.environment(load("local"), mends=False)
    engine.Engine(target, arguments.folder, sources.deployed_alarms(target)).run(ended)


if __name__ == "__main__":
    main()
