"""How a program of the laptop learns where it works, and when it is to end."""

from __future__ import annotations

import argparse
import signal
import threading
from pathlib import Path


def arguments(module: str, about: str | None, *, listens: bool) -> argparse.Namespace:
    """The folder that a program is started with, and the port of one that listens."""
    parser = argparse.ArgumentParser(prog=f"webhook_buffer.laptop.{module}", description=about)
    parser.add_argument("--folder", type=Path, required=True)
    if listens:
        parser.add_argument("--port", type=int, required=True)
    return parser.parse_args()


def end() -> threading.Event:
    """An event that is set once SIGTERM asks the program to end."""
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    return ended
