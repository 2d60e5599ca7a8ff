"""The program of live alarms: ``python -m webhook_buffer.laptop.judging --folder FOLDER``."""

from __future__ import annotations

import argparse
import os
import signal
import threading
from pathlib import Path

from settings.loader import load
from webhook_buffer.laptop import laptop
from webhook_buffer.live import engine, sources


def main() -> None:
    """Judges what runs on the laptop until it is ended."""
    parser = argparse.ArgumentParser(prog="webhook_buffer.laptop.judging", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    arguments = parser.parse_args()
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    os.nice(5)  # the buffer goes first
    target = laptop.target(load("local"), mends=False)
    engine.Engine(target, arguments.folder, sources.deployed_alarms(target)).run(ended)


if __name__ == "__main__":
    main()
