"""The scripted backend: ``FauxBackend`` on a socket of 127.0.0.1, which can also refuse
connections."""

from __future__ import annotations

import contextlib
import socket
import struct
from http.server import ThreadingHTTPServer
from types import TracebackType
from typing import Self

from lambdas.faux_backend import FauxBackend
from webhook_buffer.laptop.programs.listener import AnyMethod, listening
from webhook_buffer.laptop.programs.process import HOST, free_port


class ScriptedBackend:
    """Serves a ``FauxBackend`` until it is closed; use it as a context manager.

    Args:
        faux: what answers; by default one that obeys the flags in bodies.
        port: without one, any that nobody gets while it refuses connections.
    """

    def __init__(self, faux: FauxBackend | None = None, port: int | None = None) -> None:
        self.faux = faux or FauxBackend(obey_flags=True)
        self._server: ThreadingHTTPServer | None = None
        self._port = port or free_port()
        self.resume()

    @property
    def url(self) -> str:
        """The same before and after an outage."""
        return f"http://{HOST}:{self._port}"

    def resume(self) -> None:
        """Listens (again)."""
        if self._server is not None:
            return
        handler = type("Handler", (_Handler,), {"faux": self.faux})
        self._server = listening(handler, self._port)

    def refuse(self) -> None:
        """Goes down: connections are refused until ``resume``."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        failure: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.refuse()


class _Handler(AnyMethod):
    """Hands any method on any path to ``faux``."""

    deliveries = True
    faux: FauxBackend

    def serve(self) -> None:
        body = self.content()
        # As on the wire: http.server's own path folds leading slashes.
        target = self.requestline.split(" ")[1]
        headers: dict[str, str] = {}
        for name, value in self.headers.items():
            key = name.lower()
            headers[key] = f"{headers[key]}, {value}" if key in headers else value
        answer = self.faux.answer(self.command, target, headers, body)
        self.close_connection = True
        # The sender gave up, which needs no handling here.
        with contextlib.suppress(ConnectionError):
            if answer.reset:
                self.connection.setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                )
                self.connection.close()
                return
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            # Else a client may send the next request on a connection that is being closed.
            self.send_header("Connection", "close")
            self.end_headers()
