"""The fake as a program of its own, which outlives the command that starts it."""

from __future__ import annotations

import time
from pathlib import Path

import urllib3

from settings.errors import InputError, ToolError
from settings.paths import ROOT
from webhook_buffer.laptop.process import HOST, Background, Running, free_port, listens

_START_SECONDS = 60.0


class _Process(Background):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "datadog")

    def start(self, port: int | None = None) -> Running:
        """Starts it on a port that was asked for, or else on its last, or on any free one."""
        if port and listens(port):
            raise InputError(f"Port {port} on {HOST} is taken by another program.")
        last = self.last_port()
        port = port or (last if last and not listens(last) else free_port())
        state = self.folder / "datadog-objects.json"
        process, running = self._spawn(
            "webhook_buffer.laptop.fake_datadog", "--port", str(port), "--state", str(state),
            port=port, cwd=ROOT, environ={},
        )  # fmt: skip
        deadline = time.monotonic() + _START_SECONDS
        while not _answers(running.endpoint_url):
            if process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise ToolError("The fake Datadog did not start.", log=self.log)
            time.sleep(0.05)
        return running


def started(folder: Path, port: int | None = None) -> str:
    """The URL of the fake of this folder, started where it was not running.

    Args:
        folder: keeps its objects, its pid and its log.
        port: on 127.0.0.1; without one its last, or any free one.

    Raises:
        InputError: When the port is taken, or the fake runs on another one.
        ToolError: When it does not come up.
    """
    process = _Process(folder)
    known = process.running()
    if known and port not in (None, known.port):
        raise InputError(f"The fake Datadog runs on port {known.port} already.")
    return (known or process.start(port)).endpoint_url


def running(folder: Path) -> str | None:
    """The URL of the fake of this folder, if it runs."""
    known = _Process(folder).running()
    return known.endpoint_url if known else None


def stop(folder: Path) -> None:
    """Stops the fake of this folder; its objects stay."""
    _Process(folder).stop()


def _answers(url: str) -> bool:
    try:
        return urllib3.request("GET", url, timeout=2.0, retries=False).status == 200
    except urllib3.exceptions.HTTPError:
        return False
