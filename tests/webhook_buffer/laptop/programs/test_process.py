"""A program in the background: recorded before it is started, so that none is orphaned."""

from __future__ import annotations

import errno
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import psutil
import pytest

from settings.errors import FileError
from settings.paths import ROOT
from tests.waiting import eventually
from webhook_buffer.laptop import laptop
from webhook_buffer.laptop.programs import process
from webhook_buffer.laptop.programs.process import HOST, Background, free_port, usable_port

_STARTED = """
import os, sys
from pathlib import Path
from typing import Any
from webhook_buffer.laptop.programs.process import Background

class Killed(Background):
    def _record(self, record):
        if record.pid:
            print(record.pid, flush=True)
            os.kill(os.getpid(), 9)
        super()._record(record)

folder, port = Path(sys.argv[1]), sys.argv[2]
Killed(folder, "server")._spawn(
    "http.server", port, "--bind", "127.0.0.1", port=int(port), cwd=folder, environ={}
)
"""


def test_a_kill_between_leaves_no_orphan(tmp_path: Path) -> None:
    """A command killed between starting a program and recording its pid: the next one finds it."""
    port = free_port()
    killed = subprocess.run(
        [sys.executable, "-c", _STARTED, str(tmp_path), str(port)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert killed.returncode == -9, killed.stderr
    pid = int(killed.stdout)
    server = Background(tmp_path, "server")
    running = eventually(server.running)
    assert (running.pid, running.port) == (pid, port)
    assert server.stop() == running
    assert not psutil.pid_exists(pid)
    assert server.running() is None


def test_a_killed_program_gets_its_port_back() -> None:
    """Its socket closes a moment after its end: functions know the port, so it is waited for."""
    with socket.create_server((HOST, 0)) as killed:
        port = killed.getsockname()[1]
        closes = threading.Timer(0.2, killed.close)
        closes.start()
        assert usable_port(port) == port
        closes.join()


def test_a_free_port_is_given_to_nobody_else() -> None:
    """A free port is none that the system gives to who asks for any."""
    with socket.create_server((HOST, 0)) as other:
        assert free_port() < 32_768 <= other.getsockname()[1]


def test_a_port_that_stays_taken_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next wanted one is used."""
    monkeypatch.setattr(process, "_RELEASE_SECONDS", 0.1)
    free = free_port()
    with socket.create_server((HOST, 0)) as other:
        assert usable_port(other.getsockname()[1], free) == free


@pytest.mark.parametrize("written", [0, 1], ids=["no record", "no pid in it"])
def test_a_record_that_can_not_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: int
) -> None:
    """Without its record a program is not started; without its pid there, it is stopped again."""
    texts: list[str] = []

    def full(file: Path, text: str) -> None:
        if len(texts) == written:
            raise FileError(OSError(errno.ENOSPC, "No space left on device"), file)
        texts.append(text)
        file.write_text(text)

    started: list[subprocess.Popen[bytes]] = []

    class Noted(subprocess.Popen[bytes]):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            started.append(self)

    monkeypatch.setattr(subprocess, "Popen", Noted)
    monkeypatch.setattr(process, "write", full)
    server = Background(tmp_path, "server")
    with pytest.raises(FileError, match=r"server\.json: No space left"):
        _spawn(server)
    assert len(started) == written
    assert all(child.poll() is not None for child in started)
    assert not (tmp_path / "server.json").exists()


def _spawn(server: Background) -> None:
    port = free_port()
    server._spawn(
        "http.server", str(port), "--bind", "127.0.0.1", port=port, cwd=server.folder, environ={}
    )


def test_the_laptops_folder_is_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an earlier version left open to others is closed when the laptop is next used."""
    state = tmp_path / "state"
    state.mkdir(mode=0o755)
    monkeypatch.setattr(laptop, "STATE", state)
    laptop.emulator()
    assert state.stat().st_mode & 0o777 == 0o700
