"""The laptop's AWS: an embedded emulator (ministack), started and stopped by us.

It listens on 127.0.0.1 only, keeps its state in memory, and sees nothing of the user's
environment variables: functions inherit what it has.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import urllib3

from errors import InputError, ToolError
from settings import LAPTOP_ACCOUNT

DEFAULT_PORT = 4566
_HOST = "127.0.0.1"
_START_SECONDS = 60.0
_STOP_SECONDS = 10.0
# What a program needs to run at all; everything else stays outside.
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "SYSTEMROOT", "VIRTUAL_ENV")

# Emulators that this process started, by pid: the children to wait for.
_CHILDREN: dict[int, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True)
class Running:
    """A started emulator. ``started`` tells its process from a later one with the same pid."""

    pid: int
    started: float
    port: int

    @property
    def endpoint_url(self) -> str:
        return f"http://{_HOST}:{self.port}"


class Emulator:
    """One emulator, known by the folder that holds its pid and its log."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "emulator.log"
        self._pid_file = folder / "emulator.json"

    def running(self) -> Running | None:
        """The emulator this folder's file speaks of, if it is alive."""
        known = self._noted()
        if known is None:
            return None
        try:
            alive = psutil.Process(known.pid)
            same = abs(alive.create_time() - known.started) < 1
            return known if same and alive.status() != psutil.STATUS_ZOMBIE else None
        except psutil.Error:
            return None

    def last_port(self) -> int | None:
        """The port of the emulator that this folder's file speaks of, alive or not."""
        known = self._noted()
        return known.port if known else None

    def _noted(self) -> Running | None:
        """What this folder's file says was started last."""
        try:
            return Running(**json.loads(self._pid_file.read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def start(self, port: int | None = None) -> Running:
        """Starts the emulator, or returns the one that runs.

        Args:
            port: on 127.0.0.1; without one, any free port.

        Raises:
            InputError: When the port is taken, or the emulator runs on another one.
            ToolError: When the emulator does not come up.
        """
        known = self.running()
        if known:
            if port and port != known.port:
                raise InputError(
                    f"The emulator runs on port {known.port} already. "
                    "To move it: webhook-buffer down, then up again with --port."
                )
            return known
        self.folder.mkdir(parents=True, exist_ok=True)
        port = port or _free_port()
        if _listens(port):
            raise InputError(
                f"Port {port} on 127.0.0.1 is taken by another program. "
                "Stop that, or choose another with --port."
            )
        temporary = self.folder / "tmp"
        temporary.mkdir(exist_ok=True)
        environ = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        environ |= {
            "BIND_HOST": _HOST,
            "GATEWAY_PORT": str(port),
            "MINISTACK_ACCOUNT_ID": LAPTOP_ACCOUNT,
            "TMPDIR": str(temporary),
            "LOG_LEVEL": "WARNING",
        }
        with self.log.open("w") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "ministack"],
                env=environ, cwd=self.folder, start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
        _CHILDREN[process.pid] = process
        running = Running(process.pid, psutil.Process(process.pid).create_time(), port)
        self._pid_file.write_text(json.dumps(vars(running)))
        deadline = time.monotonic() + _START_SECONDS
        while not _healthy(running):
            if process.poll() is not None:
                raise ToolError(
                    f"The emulator ended while it started (exit code {process.returncode}).",
                    log=self.log,
                )
            if time.monotonic() > deadline:
                self.stop()
                raise ToolError(
                    f"The emulator did not answer within {_START_SECONDS:.0f} s.", log=self.log
                )
            time.sleep(0.1)
        return running

    def require(self) -> Running:
        """The running emulator.

        Raises:
            ToolError: When it was started and died, or was never started.
        """
        running = self.running()
        if running:
            return running
        if self._pid_file.exists():
            raise ToolError(
                "The emulator has died since it was started; what was queued is lost. "
                "Start again: webhook-buffer up",
                log=self.log,
            )
        raise ToolError("Nothing runs on this laptop. Start it: webhook-buffer up")

    def stop(self) -> Running | None:
        """Stops the emulator and the functions it runs, by pid; what was stopped."""
        known, running = self._noted(), self.running()
        self._pid_file.unlink(missing_ok=True)
        if running:
            _end(running.pid)
        if known and (child := _CHILDREN.pop(known.pid, None)):
            # Takes note of its end, which comes a moment after it can be seen as dead.
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(_STOP_SECONDS)
        _reap()
        return running


def _reap() -> None:
    """Takes note of children that ended by themselves."""
    for pid in [pid for pid, child in _CHILDREN.items() if child.poll() is not None]:
        del _CHILDREN[pid]


def _end(pid: int) -> None:
    """Ends a process and all it started: asks first, then insists."""
    with contextlib.suppress(psutil.NoSuchProcess):
        parent = psutil.Process(pid)
        family = [parent, *parent.children(recursive=True)]
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.terminate()
        for process in psutil.wait_procs(family, timeout=_STOP_SECONDS)[1]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()


def _healthy(running: Running) -> bool:
    try:
        url = f"{running.endpoint_url}/_ministack/health"
        reply = urllib3.request("GET", url, timeout=2.0, retries=False)
    except urllib3.exceptions.HTTPError:
        return False
    return reply.status == 200


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((_HOST, port)) == 0
