"""The fake as a program of its own, which outlives the command that starts it."""

from __future__ import annotations

from pathlib import Path

import urllib3

from settings.errors import InputError
from settings.paths import ROOT
from webhook_buffer.laptop.programs.process import HOST, Background, Running, free_port, listens


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
        self._await(process, "The fake Datadog", lambda: _answers(running.endpoint_url))
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
