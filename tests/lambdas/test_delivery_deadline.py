"""Every attempt ends in time, whatever the backend does, and TLS is spoken only when trusted."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lambdas import delivery
from lambdas.base import dial
from lambdas.base.backend_url import Backend
from lambdas.base.envelope import Envelope
from lambdas.delivery import Outcome
from tests.lambdas.conftest import Wire, read_request
from tests.waiting import Stopwatch

_OPENSSL = shutil.which("openssl") or "openssl"


def _attempt(url: str, *, body: bytes = b"{}", seconds: float = 2.0) -> Outcome:
    webhook = Envelope("POST", "/a", "", (), body, 0)
    return delivery.attempt(Backend.parse(url), webhook, {}, seconds=seconds)


@pytest.mark.parametrize(
    "begins", [b"", b"HTTP/1.1 200 O", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 O"]
)
def test_deadline_is_for_the_whole(begins: bytes) -> None:
    """A backend that sends a byte now and then is cut off at the deadline all the same."""

    def script(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(begins)
        while begins and not wire.over.wait(0.05):
            connection.sendall(b"K")
        wire.over.wait(5)

    with Wire(script) as wire:
        started = time.monotonic()
        with Stopwatch() as stopwatch:
            outcome = _attempt(wire.url, seconds=0.25)
        seconds = time.monotonic() - started
        assert seconds > 0.2
        assert stopwatch.seconds() < 0.75
    assert (outcome.status, outcome.error) == (None, "ReadTimeout")
    assert 200 < outcome.duration_ms < 1000 * seconds + 1


def test_deadline_while_sending() -> None:
    """A backend that does not read what is sent is cut off at the deadline."""
    body = bytes(16 << 20)
    with Wire(lambda _: wire.over.wait(5)) as wire, Stopwatch() as stopwatch:
        assert _attempt(wire.url, body=body, seconds=0.2).error == "ReadTimeout"
        assert stopwatch.seconds() < 0.8


@pytest.mark.parametrize("more", [b"", b"Content-Length: 9999\r\n", b"Connection: close\r\n"])
def test_slow_end_of_an_answer_is_no_failure(more: bytes) -> None:
    """Once the head is there the webhook is delivered, and what drips in is cut at the deadline."""

    def script(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + more + b"\r\n")
        while not wire.over.wait(0.05):
            connection.sendall(b".")

    with Wire(script) as wire, Stopwatch() as stopwatch:
        assert _attempt(wire.url, seconds=0.3).delivered
        assert stopwatch.seconds() < 0.9


def test_hanging_name_resolution(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name server that hangs is a ``ConnectTimeout``; what it finds too late is not used."""
    hanging, resolved = threading.Event(), threading.Event()
    connected: list[bytes] = []
    real = socket.getaddrinfo

    def resolve(_host: str, *rest: Any, **more: Any) -> Any:
        hanging.wait(5)
        resolved.set()
        return real("127.0.0.1", *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with Wire(lambda connection: connected.append(connection.recv(1))) as wire:
        started = time.monotonic()
        with Stopwatch() as stopwatch:
            outcome = _attempt(f"http://slow.test:{wire.port}", seconds=0.2)
        assert time.monotonic() - started > 0.15
        assert stopwatch.seconds() < 0.8
        assert (outcome.status, outcome.error) == (None, "ConnectTimeout")
        hanging.set()
        assert resolved.wait(2)
    assert not connected


def test_silent_tls_handshake() -> None:
    """A backend that accepts and never shakes hands is a ``ConnectTimeout``."""
    with Wire(lambda _: wire.over.wait(5)) as wire:
        url = f"https://127.0.0.1:{wire.port}"
        assert _attempt(url, seconds=0.2).error == "ConnectTimeout"


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A self-signed certificate for 127.0.0.1, with its key in the same file."""
    key, file = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        [_OPENSSL, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", key, "-out", file],
        check=True, capture_output=True,
    )  # fmt: skip
    file.write_text(file.read_text() + key.read_text())
    return file


class _TlsWire(Wire):
    """Runs its script over TLS with a certificate of its own."""

    def __init__(self, certificate: Path, script: Callable[[socket.socket], object]) -> None:
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(certificate)

        def secured(connection: socket.socket) -> None:
            with server.wrap_socket(connection, server_side=True) as secure:
                script(secure)

        super().__init__(secured)
        self.url = f"https://127.0.0.1:{self.port}"


@pytest.fixture
def trust(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], None]]:
    """Makes a certificate the one that is trusted."""
    dial._tls.cache_clear()
    yield lambda certificate: monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    dial._tls.cache_clear()


@pytest.mark.parametrize("trusted", [True, False])
def test_tls(trust: Callable[[Path], None], certificate: Path, trusted: bool) -> None:
    """Only a trusted certificate gets the request; any other is ``Tls`` and gets nothing."""
    bodies: list[bytes] = []

    def script(connection: socket.socket) -> None:
        bodies.append(read_request(connection).body)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

    if trusted:
        trust(certificate)
    with _TlsWire(certificate, script) as wire:
        outcome = _attempt(wire.url)
    assert (outcome.status, outcome.error) == ((200, None) if trusted else (None, "Tls"))
    assert bodies == ([b"{}"] if trusted else [])


@pytest.mark.parametrize(
    ("begins", "status", "error"),
    [
        (b"", None, "ReadTimeout"),
        (b"HTTP/1.1 200 O", None, "ReadTimeout"),
        (b"HTTP/1.1 200 OK\r\n\r\n", 200, None),
    ],
)
def test_deadline_over_tls(
    trust: Callable[[Path], None],
    certificate: Path,
    begins: bytes,
    status: int | None,
    error: str | None,
) -> None:
    """The deadline holds over TLS as well, before, within and after an answer's head."""
    trust(certificate)

    def script(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(begins)
        while not wire.over.wait(0.05):
            connection.sendall(b"." if begins else b"")

    with _TlsWire(certificate, script) as wire, Stopwatch() as stopwatch:
        outcome = _attempt(wire.url, seconds=0.3)
        assert stopwatch.seconds() < 0.9
    assert (outcome.status, outcome.error) == (status, error)
