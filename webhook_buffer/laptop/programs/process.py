"""Programs that outlive the command that starts them, on 127.0.0.1, each with a record.

The record is written before the program is started, with a token that stands in its command line:
a command that is killed in between leaves a program that the next one finds.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from settings.errors import FileError, ToolError
from webhook_buffer.operations.files import private_folder, write

HOST = "127.0.0.1"
START_SECONDS = 60.0
_STOP_SECONDS = 10.0
_RELEASE_SECONDS = 2.0
# Source: Linux, ip-sysctl, ip_local_port_range begins at 32768; RFC 6335, dynamic ports at 49152.
_PORTS = range(20_000, 32_768)
# What a program needs to run at all; everything else stays outside.
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "SYSTEMROOT", "VIRTUAL_ENV")

# Programs that this process started, by pid: the children to wait for.
_CHILDREN: dict[int, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True)
class Running:
    """A started program. ``started`` distinguishes its process from a later one with the same
    pid."""

    pid: int
    started: float
    port: int

    @property
    def endpoint_url(self) -> str:
        return f"http://{HOST}:{self.port}"


@dataclass(frozen=True)
class _Record:
    """What was started, or was about to be: then it has no pid yet."""

    port: int
    token: str = ""
    pid: int | None = None
    started: float = 0.0

    def running(self) -> Running | None:
        """The program that this describes, if it is alive."""
        try:
            process = psutil.Process(self.pid) if self.pid else _with_token(self.token)
            if process is None or process.status() == psutil.STATUS_ZOMBIE:
                return None
            created = process.create_time()
            same = self.pid is None or abs(created - self.started) < 1
            return Running(process.pid, created, self.port) if same else None
        except psutil.Error:
            return None


def _option(token: str) -> str:
    """An option of Python's that it takes and ignores. Source: "Command line", ``-X``."""
    return f"webhook-buffer={token}"


def _with_token(token: str) -> psutil.Process | None:
    return next(
        (
            process
            for process in psutil.process_iter(["cmdline"])
            if _option(token) in (process.info["cmdline"] or ())
        ),
        None,
    )


class Background:
    """One program, known by the folder that holds its record and its log, and by its name there."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.log = folder / f"{name}.log"
        self._record_file = folder / f"{name}.json"
        self._port_file = folder / f"{name}.port"

    def running(self) -> Running | None:
        """The program that this folder's record describes, if it is alive."""
        record = self._recorded()
        return record.running() if record else None

    def died(self) -> bool:
        """Whether it was started, was not stopped, and is not running."""
        return self._record_file.exists() and self.running() is None

    def last_port(self) -> int | None:
        """The port of the program that this folder's record describes, alive or not; once it was
        stopped, the one that is kept for its next start."""
        record = self._recorded()
        return record.port if record else self._kept_port()

    def _keep_port(self, port: int) -> None:
        """Keeps a port that a user may have chosen, or written down somewhere."""
        write(self._port_file, str(port))

    def _kept_port(self) -> int | None:
        try:
            return int(self._port_file.read_text())
        except (OSError, ValueError):
            return None

    def _recorded(self) -> _Record | None:
        """What was started last, or was about to be."""
        try:
            return _Record(**json.loads(self._record_file.read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def _spawn(
        self, module: str, *arguments: str, port: int, cwd: Path, environ: Mapping[str, str]
    ) -> tuple[subprocess.Popen[bytes], Running]:
        """Starts a Python module as a process of its own, and records which one that is.

        Args:
            environ: its variables besides those that any program needs.

        Raises:
            FileError: When the record can't be written; then nothing was started, or it is stopped.
        """
        record = _Record(port, secrets.token_hex(8))
        passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        private_folder(self.folder)
        with self.log.open("w") as log:
            self._record(record)
            process = subprocess.Popen(
                [sys.executable, "-X", _option(record.token), "-m", module, *arguments],
                env={**passed_on, **environ}, cwd=cwd, start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
        _CHILDREN[process.pid] = process
        running = Running(process.pid, psutil.Process(process.pid).create_time(), port)
        try:
            self._record(replace(record, pid=running.pid, started=running.started))
        except FileError:
            self.stop()
            raise
        return process, running

    def _await(
        self,
        process: subprocess.Popen[bytes],
        name: str,
        ready: Callable[[], bool],
        *,
        elsewhere: str = "Run the command again, which takes another port.",
    ) -> None:
        """Waits until a program that was just started is ready.

        Args:
            name: what the error calls it.
            elsewhere: what to do where another program was quicker to take its port.

        Raises:
            ToolError: When it ends before that, or takes too long; then it is stopped.
        """
        deadline = time.monotonic() + START_SECONDS
        while not ready():
            code = process.poll()
            if code is not None or time.monotonic() > deadline:
                port = self.last_port()
                self.stop()
                if code is not None and port and listens(port):
                    taken = f"Port {port} on {HOST} is in use by another program."
                    raise ToolError(f"{name} did not start. {taken} {elsewhere}", log=self.log)
                late = f"did not answer within {START_SECONDS:.0f} s"
                ended = f"exited during start-up (exit code {code})"
                raise ToolError(f"{name} {late if code is None else ended}.", log=self.log)
            time.sleep(0.05)

    def _record(self, record: _Record) -> None:
        write(self._record_file, json.dumps(vars(record)))

    def stop(self) -> Running | None:
        """Stops the program and all it started, by pid; what was stopped."""
        running = self.running()
        recorded = self._recorded()
        if running:
            _end(running.pid)
        self._record_file.unlink(missing_ok=True)
        pid = running.pid if running else recorded and recorded.pid
        if pid and (child := _CHILDREN.pop(pid, None)):
            # Reaps it; its end comes a moment after it can be seen as dead.
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(_STOP_SECONDS)
        _reap()
        return running


def _reap() -> None:
    """Reaps children that ended by themselves."""
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
    """A port that nothing has, below those that systems give to connections and to programs that
    ask for any port: one of these could be gone before a program has started."""
    while True:
        port = _PORTS.start + secrets.randbelow(len(_PORTS))
        with socket.socket() as probe:
            try:
                probe.bind((HOST, port))
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    continue
                raise
            return port


def usable_port(*wanted: int | None) -> int:
    """The first of these ports that is free, or any.

    A program that was just killed keeps its port for a moment, while its threads end one by one,
    so a port that is taken is tried until ``_RELEASE_SECONDS`` are over.
    """
    return next((port for port in wanted if port and _released(port)), None) or free_port()


def _released(port: int) -> bool:
    deadline = time.monotonic() + _RELEASE_SECONDS
    while listens(port):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def listens_itself(running: Running) -> bool:
    """Whether a program listens on its port, and not another one that was quicker."""
    try:
        sockets = psutil.Process(running.pid).net_connections(kind="tcp")
    except psutil.Error:
        return False
    return any(
        entry.status == psutil.CONN_LISTEN and entry.laddr.port == running.port for entry in sockets
    )


def listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0
