"""The emulator: on this machine only, apart from the user's environment, gone when stopped."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import urllib3

from settings.errors import InputError, ToolError
from tests.waiting import eventually
from webhook_buffer.laptop.backend import ScriptedBackend
from webhook_buffer.laptop.emulator import Emulator
from webhook_buffer.laptop.programs.process import Running


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[Emulator]:
    fresh = Emulator(tmp_path)
    yield fresh
    fresh.stop()


def test_listens_on_loopback_only(emulator: Emulator) -> None:
    """Nobody else on the network can reach it; the MQTT broker, which would listen on every
    address, is off, also where its port is free.
    """
    running = emulator.start()
    assert eventually(lambda: _begun(running.endpoint_url))["iot_mtls"] == "disabled"
    sockets = psutil.Process(running.pid).net_connections(kind="tcp")
    listening = {entry.laddr for entry in sockets if entry.status == psutil.CONN_LISTEN}
    assert listening == {("127.0.0.1", running.port)}


def _begun(url: str) -> dict[str, str] | None:
    """What the emulator says of itself once it has begun to listen wherever it will."""
    reply = urllib3.request("GET", f"{url}/_ministack/ready")
    said: dict[str, str] = reply.json()
    return said if reply.status == 200 else None


def test_functions_inherit_nothing_of_the_user(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Credentials and other variables of the user's shell stay outside."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the-user's")
    monkeypatch.setenv("PAYMENT_TOKEN", "the-user's")
    environ = psutil.Process(emulator.start().pid).environ()
    assert "the-user's" not in environ.values()


def test_start_again_returns_what_runs(emulator: Emulator) -> None:
    """A second start finds the first one's emulator, also from another object."""
    first = emulator.start()
    assert Emulator(emulator.folder).start() == first


def test_another_port_is_not_ignored(emulator: Emulator) -> None:
    """Asked for another port than it runs on, it says so."""
    running = emulator.start()
    with pytest.raises(InputError, match=f"already runs on port {running.port}"):
        emulator.start(running.port - 1)
    emulator.stop()
    assert emulator.last_port() == running.port  # which `up` takes again


def test_stop_ends_it_and_its_children(emulator: Emulator) -> None:
    """After a stop the process is gone and the port is free."""
    running = emulator.start()
    assert emulator.stop() == running
    assert not psutil.pid_exists(running.pid)
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", running.port)) != 0
    assert emulator.stop() is None


def test_a_reused_pid_is_left_alone(emulator: Emulator) -> None:
    """A process that merely has the noted pid is not ours, and survives a stop."""
    note = Running(pid=os.getpid(), started=1.0, port=1)
    (emulator.folder / "emulator.json").write_text(json.dumps(vars(note)))
    assert emulator.running() is None
    assert emulator.stop() is None


def test_taken_port(emulator: Emulator) -> None:
    """A taken port is named, with what to do; nothing is started."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(InputError, match=f"Port {port} on 127.0.0.1 is in use .* --port"):
            emulator.start(port)
    assert emulator.running() is None


def test_a_quicker_rival_is_named(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another laptop takes the port between the look at it and the start, and answers on it."""
    monkeypatch.setattr("webhook_buffer.laptop.emulator.listens", lambda _: False)
    with ScriptedBackend() as rival:
        port = int(rival.url.rpartition(":")[2])
        with pytest.raises(ToolError, match=f"Port {port} on 127.0.0.1 is in use .* --port"):
            emulator.start(port)
    assert emulator.last_port() is None


def test_death_is_reported_with_the_log(emulator: Emulator) -> None:
    """Whoever needs an emulator that died learns so, and where its log is."""
    running = emulator.start()
    psutil.Process(running.pid).kill()
    eventually(lambda: emulator.running() is None)
    with pytest.raises(ToolError, match="died after it was started") as caught:
        emulator.require()
    assert str(emulator.log) in str(caught.value)


def test_never_started(emulator: Emulator) -> None:
    """Without an emulator the error says how to start one."""
    with pytest.raises(ToolError, match="To start the buffer: webhook-buffer up"):
        emulator.require()


def test_failing_start_is_reported_with_the_log(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An emulator that ends while it starts is reported at once, with its log."""
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho broken; exit 3\n")
    python.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(python))
    with pytest.raises(ToolError, match=r"exit code 3") as caught:
        emulator.start()
    assert emulator.log.read_text() == "broken\n"
    assert str(emulator.log) in str(caught.value)
