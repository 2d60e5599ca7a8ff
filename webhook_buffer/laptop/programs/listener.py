"""HTTP servers on 127.0.0.1 that accept any method and path, but nothing from foreign web pages."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from webhook_buffer.laptop.programs import guard
from webhook_buffer.laptop.programs.process import HOST

# More than the buffer ever delivers, and than any object of Datadog's.
MAX_BODY_BYTES = 16 * 1024 * 1024


class AnyMethod(BaseHTTPRequestHandler):
    """Hands every request that passes the guard to ``serve``, and writes no log: what came is kept
    by whoever serves.

    Attributes:
        deliveries: whether the buffer delivers here, with its senders' headers.
    """

    protocol_version = "HTTP/1.1"
    # Seconds of silence until a connection is closed. Clients keep theirs that long.
    timeout = 75
    deliveries = False

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self._checked
        raise AttributeError(name)

    def serve(self) -> None:
        """Answers the request."""
        raise NotImplementedError

    def content(self) -> bytes:
        """Reads the request's body."""
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _checked(self) -> None:
        """Serves the request, or says why not."""
        reason = guard.refusal(self.headers.items(), deliveries=self.deliveries)
        if reason:
            self._refuse(guard.STATUS, guard.body(reason))
            return
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not (length.isascii() and length.isdecimal()):
            self._refuse(411, _error("Send the body with a Content-Length."))
        elif len(length) > len(str(MAX_BODY_BYTES)) or int(length) > MAX_BODY_BYTES:
            self._refuse(413, _error(f"Send a body of at most {MAX_BODY_BYTES} bytes."))
        else:
            self.serve()

    def _refuse(self, status: int, body: bytes) -> None:
        """Answers without having read the body, so that the connection is of no more use."""
        self.close_connection = True
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


class _Server(ThreadingHTTPServer):
    # With Python's 5, more connections at once than these are tried again by the client's system,
    # a second later. Source: Linux, listen(2).
    request_queue_size = 128


def listening(handler: type[AnyMethod], port: int) -> ThreadingHTTPServer:
    """A server that answers from a thread of its own.

    Args:
        port: 0 for any free one.
    """
    server = _Server((HOST, port), handler)
    serve = {"poll_interval": 0.02}
    threading.Thread(target=server.serve_forever, kwargs=serve, daemon=True).start()
    return server


def _error(text: str) -> bytes:
    return json.dumps({"error": text}).encode()
