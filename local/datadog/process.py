"""The stand-in as a program of its own, which outlives the command that starts it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import urllib3

from errors import InputError, ToolError
from local.emulator import _CHILDREN, _PASSED_ON, Emulator, Running
from settings import ROOT

_HOST = "127.0.0.1"
_START_SECONDS = 20.0


class _Process(Emulator):
    """Kept track of as the emulator is, in files beside its own."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.log = folder / "datadog.log"
        self._pid_file = folder / "datadog.json"

    def start(self, port: int | None = None) -> Running:
        self.folder.mkdir(parents=True, exist_ok=True)
        state = self.folder / "datadog-objects.json"
        port = _free(port or self.last_port(), asked=port is not None)
        with self.log.open("w") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "local.datadog", "--port", str(port), "--state", str(state)],
                env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
                cwd=ROOT, start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
        _CHILDREN[process.pid] = process
        running = Running(process.pid, psutil.Process(process.pid).create_time(), port)
        self._pid_file.write_text(json.dumps(vars(running)))
        deadline = time.monotonic() + _START_SECONDS
        while not _answers(running.endpoint_url):
            if process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise ToolError("Datadog's stand-in did not start.", log=self.log)
            time.sleep(0.05)
        return running


def started(folder: Path, port: int | None = None) -> str:
    """The URL of the stand-in of this folder, started where it was not running.

    Args:
        folder: keeps its objects, its pid and its log.
        port: on 127.0.0.1; without one its last, or any free one.

    Raises:
        InputError: When the port is taken, or the stand-in runs on another one.
        ToolError: When it does not come up.
    """
    process = _Process(folder)
    known = process.running()
    if known and port not in (None, known.port):
        raise InputError(f"Datadog's stand-in runs on port {known.port} already.")
    return (known or process.start(port)).endpoint_url


def running(folder: Path) -> str | None:
    """The URL of the stand-in of this folder, if it runs."""
    known = _Process(folder).running()
    return known.endpoint_url if known else None


def stop(folder: Path) -> None:
    """Stops the stand-in of this folder; its objects stay."""
    _Process(folder).stop()


def _free(port: int | None, *, asked: bool) -> int:
    """A port that can be listened on: this one, or any if nobody asked for it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port or 0))
        except OSError:
            if asked or port is None:
                raise InputError(f"Port {port} on {_HOST} is taken by another program.") from None
            return _free(None, asked=False)
        return int(probe.getsockname()[1])


def _answers(url: str) -> bool:
    try:
        return urllib3.request("GET", url, timeout=2.0, retries=False).status == 200
    except urllib3.exceptions.HTTPError:
        return False
