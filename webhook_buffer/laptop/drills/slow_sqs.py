"""SQS that hangs at each first try: a proxy before the emulator, for the time of a drill."""

from __future__ import annotations

import contextlib
import threading
import time
from http.server import ThreadingHTTPServer
from urllib.parse import urlsplit

import urllib3

from webhook_buffer.laptop.programs.listener import AnyMethod, listening
from webhook_buffer.laptop.programs.process import HOST
from webhook_buffer.operations.environment import Environment, aws_errors

# Longer than publish waits for a try (lambdas/publish.py); then within its next one.
_FIRST_SECONDS, _NEXT_SECONDS = 3.3, 2.4


class HangingSqs:
    """Forwards what publish sends, but drops each first try of a message and delays the next."""

    def __init__(self, upstream: str) -> None:
        attributes = {"upstream": upstream, "seen": set(), "lock": threading.Lock()}
        self._server: ThreadingHTTPServer = listening(type("Proxy", (_Proxy,), attributes), 0)
        self.url = f"http://{HOST}:{self._server.server_port}"

    def queue_url(self, target: Environment) -> str:
        """The queue's URL at this proxy."""
        with aws_errors(target.settings):
            address = target.sqs.get_queue_url(QueueName=target.settings.queue_name)["QueueUrl"]
        return self.url + urlsplit(address).path

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Proxy(AnyMethod):
    upstream: str
    seen: set[bytes]
    lock: threading.Lock

    def serve(self) -> None:
        body = self.content()
        sends = b"MessageDeduplicationId" in body
        with self.lock:
            first = sends and body not in self.seen
            self.seen.add(body)
        if first:
            time.sleep(_FIRST_SECONDS)
            self.close_connection = True
            return
        if sends:
            time.sleep(_NEXT_SECONDS)
        headers = {k: v for k, v in self.headers.items() if k.lower() != "connection"}
        reply = urllib3.request(
            self.command, self.upstream + self.path, body=body, headers=headers, timeout=20.0,
            retries=False,
        )  # fmt: skip
        with contextlib.suppress(ConnectionError):  # publish gave up
            self._answer(reply)

    def _answer(self, reply: urllib3.BaseHTTPResponse) -> None:
        self.send_response(reply.status)
        for name in ("Content-Type", "x-amzn-RequestId"):
            if name in reply.headers:
                self.send_header(name, reply.headers[name])
        self.send_header("Content-Length", str(len(reply.data)))
        self.end_headers()
        self.wfile.write(reply.data)
