"""HTTP servers on 127.0.0.1 that accept any method and path."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from webhook_buffer.laptop.process import HOST


class AnyMethod(BaseHTTPRequestHandler):
    """Hands every request to ``serve``, and writes no log: what came is kept by whoever serves."""

    protocol_version = "HTTP/1.1"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self.serve
        raise AttributeError(name)

    def serve(self) -> None:
        """Answers the request."""
        raise NotImplementedError

    def log_message(self, *_: Any) -> None:
        pass


def listening(handler: type[AnyMethod], port: int) -> ThreadingHTTPServer:
    """A server that answers from a thread of its own.

    Args:
        port: 0 for any free one.
    """
    server = ThreadingHTTPServer((HOST, port), handler)
    serve = {"poll_interval": 0.02}
    threading.Thread(target=server.serve_forever, kwargs=serve, daemon=True).start()
    return server
