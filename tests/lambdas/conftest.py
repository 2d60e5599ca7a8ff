"""Servers on 127.0.0.1 that say what the functions' tests need said, and keep what they saw."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any, Self

import pytest

from lambdas import source_deliveries
from lambdas.base import http
from tests.emulated_aws import client
from tests.function_modules import Functions
from tests.lambdas.fixtures.alarms import ALARM_GUIDES
from tests.lambdas.notifying import Loads
from webhook_buffer.laptop.backend import ScriptedBackend
from webhook_buffer.laptop.programs.process import Running


@dataclass(frozen=True)
class Request:
    """A request as it came over the wire; header names in lower case, repeats kept."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """The header's first value."""
        return dict(reversed(self.headers)).get(name)


class Wire:
    """Runs a script on every connection, each in a thread; use it as a context manager."""

    def __init__(self, script: Callable[[socket.socket], object]) -> None:
        self._script = script
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        # Set when the test is over: what a script that never answers waits for.
        self.over = threading.Event()
        self._threads = [threading.Thread(target=self._accept)]

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            self._script(connection)

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        failure: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.over.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(timeout=5)


def read_request(connection: socket.socket) -> Request:
    """One request, head and body.

    Raises:
        ConnectionError: When the client leaves before its head has ended.
    """

    def line_of(stream: BufferedReader) -> bytes:
        line = stream.readline()
        if not line.endswith(b"\n"):
            raise ConnectionError("the client left within its head")
        return line.rstrip(b"\r\n")

    with connection.makefile("rb") as stream:
        method, target, _ = line_of(stream).decode("ascii").split(" ")
        headers = []
        while line := line_of(stream):
            name, _, value = line.partition(b":")
            headers.append((name.decode("ascii").lower(), value.strip().decode("utf-8")))
        length = int(dict(headers).get("content-length", 0))
        return Request(method, target, tuple(headers), stream.read(length))


class HttpStub(Wire):
    """Answers requests from a script, then with 200 and ``{}``; keeps what it received."""

    def __init__(self) -> None:
        super().__init__(self._answer)
        self.requests: list[Request] = []
        # (status, headers, body) of the next answers.
        self.answers: deque[tuple[int, Mapping[str, str], bytes]] = deque()

    def then(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        """One more answer; a body that is not bytes goes out as JSON."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.answers.append((status, headers or {}, raw))

    def _answer(self, connection: socket.socket) -> None:
        self.requests.append(read_request(connection))
        status, headers, body = self.answers.popleft() if self.answers else (200, {}, b"{}")
        lines = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(body)}", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)


@pytest.fixture(autouse=True)
def no_delivery_is_noted() -> None:
    """Forgets what a warm function remembers of its sources."""
    source_deliveries._noted.clear()


@pytest.fixture(autouse=True)
def no_connection_is_left() -> Iterator[None]:
    """Closes the connections that a warm function would keep."""
    yield
    for waiting in http._idle_connections.values():
        while waiting:
            waiting.pop().close()


@pytest.fixture
def http_stub() -> Iterator[HttpStub]:
    """A scripted HTTP server."""
    with HttpStub() as stub:
        yield stub


class Sentry(HttpStub):
    """Sentry's ingestion, as far as events go."""

    @property
    def dsn(self) -> str:
        return f"http://5ec4e7@127.0.0.1:{self.port}/1"

    def raw(self) -> str:
        """All that was sent, readable."""
        return "\n".join(
            str(request.headers) + _plain(request).decode() for request in self.requests
        )

    def events(self) -> list[dict[str, Any]]:
        """The events in the envelopes received so far.

        Source: Sentry developer documentation, "Envelopes": a header line, then for each item
        a header line and its payload.
        """
        events = []
        for request in self.requests:
            lines = _plain(request).split(b"\n")
            for head, payload in zip(lines[1::2], lines[2::2], strict=False):
                if json.loads(head)["type"] == "event":
                    events.append(json.loads(payload))
        return events


def _plain(request: Request) -> bytes:
    encoding = request.header("content-encoding")
    assert encoding in (None, "gzip")
    return gzip.decompress(request.body) if encoding else request.body


@pytest.fixture
def sentry(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sentry]:
    """A Sentry of this test's own, whose DSN stands in the environment."""
    _forget_client()  # a thread of an earlier test may have made one after that test's end
    with Sentry() as stub:
        monkeypatch.setenv("SENTRY_DSN", stub.dsn)
        yield stub
        _forget_client()


def _forget_client() -> None:
    import sentry_sdk

    sentry_sdk.get_client().close(timeout=0)
    sentry_sdk.get_global_scope().set_client(None)


@pytest.fixture
def clients(functions: Functions, emulator: Running) -> Callable[[str], Any]:
    """Clients of the emulator's services; and the environment in which functions find them."""
    functions.publish()
    return lambda service: client(emulator.endpoint_url, service)


@pytest.fixture
def notify(
    functions: Functions, clients: Callable[[str], Any], backend: ScriptedBackend, tmp_path: Path
) -> Loads:
    """Loads ``lambdas.notify`` with channels that lead to the scripted backend, by path."""
    guides = tmp_path / "alarm_guides.json"
    guides.write_text(json.dumps(ALARM_GUIDES))

    def load(*channels: str, severities: tuple[str, ...] = ("page",), **more: str) -> ModuleType:
        said = [
            {
                "id": name,
                "kind": "https",
                "severities": severities,
                "secret_arn": clients("secretsmanager").create_secret(
                    Name=uuid.uuid4().hex, SecretString=f"{backend.url}/{name}"
                )["ARN"],
            }
            for name in channels
        ]
        variables = {"CHANNELS": json.dumps(said), "ALARM_GUIDES": str(guides), **more}
        return functions.load("lambdas.notify", variables)

    return load
