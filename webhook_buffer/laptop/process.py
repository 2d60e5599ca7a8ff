"""Programs that outlive the command that starts them, on 127.0.0.1, kept track of by pid."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

HOST = "127.0.0.1"
_STOP_SECONDS = 10.0
# What a program needs to run at all; everything else stays outside.
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "SYSTEMROOT", "VIRTUAL_ENV")

# Programs that this process started, by pid: the children to wait for.
_CHILDREN: dict[int, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True)
class Running:
    """A started program. ``started`` tells its process from a later one with the same pid."""

    pid: int
    started: float
    port: int

    @property
    def endpoint_url(self) -> str:
        return f"http://{HOST}:{self.port}"


class Background:
    """One program, known by the folder that holds its pid and its log, and by its name there."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.log = folder / f"{name}.log"
        self._pid_file = folder / f"{name}.json"

    def running(self) -> Running | None:
        """The program this folder's file speaks of, if it is alive."""
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
        """The port of the program that this folder's file speaks of, alive or not."""
        known = self._noted()
        return known.port if known else None

    def _noted(self) -> Running | None:
        """What this folder's file says was started last."""
        try:
            return Running(**json.loads(self._pid_file.read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def _spawn(
        self, module: str, *arguments: str, port: int, cwd: Path, environ: Mapping[str, str]
    ) -> tuple[subprocess.Popen[bytes], Running]:
        """Starts a Python module of its own, and notes which process that is.

        Args:
            environ: what it is told besides what any program needs.
        """
        passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        with self.log.open("w") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                env={**passed_on, **environ}, cwd=cwd, start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
        _CHILDREN[process.pid] = process
        running = Running(process.pid, psutil.Process(process.pid).create_time(), port)
        self._pid_file.write_text(json.dumps(vars(running)))
        return process, running

    def stop(self) -> Running | None:
        """Stops the program and all it started, by pid; what was stopped."""
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


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0
