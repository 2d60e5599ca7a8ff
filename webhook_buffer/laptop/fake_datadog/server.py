"""The fake Datadog's HTTP: keys, permissions, limits and faults around what it holds."""

from __future__ import annotations

import contextlib
import copy
import json
import re
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.message import Message
from http.server import ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl

from webhook_buffer.laptop.fake_datadog import dashboards, downtimes, events, monitors, page, slos
from webhook_buffer.laptop.fake_datadog.faults import Counter, Fault, Limit, Reply, json_reply, met
from webhook_buffer.laptop.fake_datadog.store import Body, Call, RefusedError, Route, Store
from webhook_buffer.laptop.programs.listener import AnyMethod, listening
from webhook_buffer.laptop.programs.process import HOST

_VALIDATE = Route("GET", "/api/v1/validate", "", lambda _: {"valid": True})
_VALIDATE_KEYS = Route("GET", "/api/v2/validate_keys", "", lambda _: {"status": "ok"})
_ROUTES = (
    _VALIDATE,
    _VALIDATE_KEYS,
    *monitors.ROUTES,
    *slos.ROUTES,
    *dashboards.ROUTES,
    *downtimes.ROUTES,
    *events.ROUTES,
)


@dataclass(frozen=True)
class Request:
    """A request that came, and the status it was answered with; 0 if it was dropped."""

    method: str
    path: str
    query: dict[str, str]
    status: int
    body: Any


class FakeDatadog:
    """Datadog's API on this laptop; use it as a context manager.

    Args:
        state: the file that keeps its objects; without one they end with it.
        port: on 127.0.0.1; any free one by default.
        latency: seconds before every answer.
        limits: by the permission that the endpoints need, such as ``monitors_write``.
    """

    def __init__(
        self,
        *,
        api_key: str = "fake-api-key",
        app_key: str = "fake-app-key",
        state: Path | None = None,
        port: int = 0,
        latency: float = 0.0,
        limits: Mapping[str, Limit] | None = None,
    ) -> None:
        self.latency = latency
        self.requests: list[Request] = []
        self.faults: list[Fault] = []
        self.permissions = {route.permission for route in _ROUTES if route.permission}
        self.keys = (api_key, app_key)
        self._store = Store(state)
        self._counter = Counter(dict(limits or {}))
        self._port = port
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._connections: set[socket.socket] = set()
        self._server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{HOST}:{self._port}"

    def set_clock(self, clock: Callable[[], datetime]) -> None:
        """Takes the time from elsewhere."""
        self._store.clock = clock

    def objects(self, kind: str) -> dict[str, Body]:
        """What it holds of a kind, by id."""
        with self._lock:
            return copy.deepcopy(self._store[kind])

    def put(self, kind: str, id: str, body: Body) -> None:  # noqa: A002
        """Gives it an object as it is, unchecked: what was there before it."""
        with self._lock:
            self._store[kind][id] = copy.deepcopy(body)
            self._store.save()

    def edit(self, kind: str, id: str, change: Callable[[Body], None]) -> None:  # noqa: A002
        """Changes an object as a person does by hand."""
        with self._lock:
            change(self._store[kind][id])
            self._store.save()

    def __enter__(self) -> Self:
        handler = type("Handler", (_Handler,), {"fake": self})
        self._server = listening(handler, self._port)
        self._port = self._server.server_port
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        failure: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        # Connections that clients keep open would go on being served.
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def answer(self, method: str, target: str, headers: Message, content: bytes) -> Reply | None:
        """What a request is answered; None closes the connection instead."""
        path, _, search = target.partition("?")
        query = dict(parse_qsl(search, keep_blank_values=True))
        reply = None
        with self._lock:
            if not path.startswith("/api/"):
                return page.reply(self._store, path)
            fault = met(self.faults, method, path)
            if fault is None or fault.kind in ("slow", "lose_reply"):
                reply = self._carried_out(method, path, query, headers, content)
            elif fault.kind == "status":
                reply = fault.reply
            status = reply.status if reply else 0
            self.requests.append(Request(method, path, query, status, _parsed(content)))
        self._closing.wait(self.latency + (fault.seconds if fault else 0.0))
        return None if fault and fault.kind == "lose_reply" else reply

    def _carried_out(
        self,
        method: str,
        path: str,
        query: dict[str, str],
        headers: Message,
        content: bytes,
    ) -> Reply:
        limits: dict[str, str] = {}
        try:
            self._authorize(path, headers)
            route, key = _found(method, path)
            now = self._store.clock().timestamp()
            limits, exceeded = self._counter.count(route.permission, now)
            if exceeded:
                raise RefusedError(429, exceeded)
            if route.permission and route.permission not in self.permissions:
                raise RefusedError(403, "Forbidden", "Failed permission authorization checks")
            body = _parsed(content)
            if content and body is None:
                raise RefusedError(400, "Payload is not in the expected JSON format")
            answered = route.answer(Call(self._store, query, key, body))
            if method != "GET":
                self._store.save()
            return json_reply(204 if answered is None else 200, answered, limits)
        except RefusedError as refusal:
            return json_reply(refusal.status, refusal.body, limits)

    def _authorize(self, path: str, headers: Message) -> None:
        api_key, app_key = self.keys
        if headers.get("DD-API-KEY") != api_key:
            raise RefusedError(403, "Forbidden")
        if path in (_VALIDATE.path, events.PATH):
            return
        given = headers.get("DD-APPLICATION-KEY")
        if not given:
            raise RefusedError(401, "Unauthorized")
        if given != app_key:
            raise RefusedError(403, "Forbidden")

    def track(self, connection: socket.socket, *, begins: bool) -> None:
        """Takes note of a connection that begins or ends."""
        (self._connections.add if begins else self._connections.discard)(connection)


def _found(method: str, path: str) -> tuple[Route, str]:
    """The endpoint of a request, and the id in its path."""
    known = False
    for route in _ROUTES:
        if matched := re.fullmatch(route.path, path):
            if route.method == method:
                return route, matched.groupdict().get("id", "")
            known = True
    raise RefusedError(405, "Method Not Allowed") if known else RefusedError(404, "Not found")


def _parsed(content: bytes) -> Any:
    """A body's JSON; None where it is none."""
    try:
        return json.loads(content)
    except ValueError:
        return None


class _Handler(AnyMethod):
    """Hands any method on any path to ``fake``."""

    # An answer leaves in one piece: in two, the second waits for the first's receipt.
    wbufsize = -1
    fake: FakeDatadog

    def setup(self) -> None:
        super().setup()
        self.fake.track(self.connection, begins=True)

    def handle(self) -> None:
        # A client that gave up is its own affair.
        with contextlib.suppress(OSError):
            super().handle()

    def finish(self) -> None:
        self.fake.track(self.connection, begins=False)
        with contextlib.suppress(OSError):
            super().finish()

    def serve(self) -> None:
        reply = self.fake.answer(self.command, self.path, self.headers, self.content())
        if reply is None:
            self.close_connection = True
            return
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.content)))
        self.end_headers()
        self.wfile.write(reply.content)
