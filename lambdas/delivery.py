"""One delivery attempt: an HTTP request to the backend that ends before its deadline.

``http.client`` rather than a pooled client: it sends the request line and headers as they
are given (urllib3 rewrites escapes), follows no redirects, and never repeats a request by
itself, which would break the order.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any

from lambdas.backend_url import Backend, address
from lambdas.envelope import Envelope
from lambdas.extract import HEADER_NAME

# Source: RFC 9110, 7.6.1, and RFC 2616, 13.5.1, for the older ones. Content-Length and Host
# are written anew; Expect was answered by the API already.
_HOP_BY_HOP = frozenset(
    {
        "connection", "keep-alive", "proxy-authenticate", "proxy-authorization",
        "proxy-connection", "te", "trailer", "trailers", "transfer-encoding", "upgrade",
        "host", "content-length", "expect",
    }
)  # fmt: skip
_OURS = "x-buffer-"

_CONNECT_SECONDS = 3.0
# What is read of an answer's body, so that the backend can finish writing a usual one.
_DRAIN_BYTES = 65_536
_DRAIN_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an attempt: a status, or the class of a network error.

    Attributes:
        started_at: milliseconds since the epoch.
        duration_ms: from connecting to the answer's status.
        status: the backend's HTTP status; None when no answer arrived.
        error: ``ConnectTimeout``, ``ReadTimeout``, ``ConnectionRefused``, ``ConnectionReset``,
            ``NameResolution``, ``Tls``, ``BadAnswer``, ``Unsendable`` or ``Connection``; None
            with a status.
        retry_after: the answer's Retry-After header, unread.
    """

    started_at: int
    duration_ms: float
    status: int | None = None
    error: str | None = None
    retry_after: str | None = None

    @property
    def delivered(self) -> bool:
        """2xx, and nothing else."""
        return self.status is not None and 200 <= self.status < 300


def attempt(
    backend: Backend, envelope: Envelope, extra: Mapping[str, str], *, seconds: float
) -> Outcome:
    """Sends one webhook and waits for the status.

    Args:
        backend: where to.
        envelope: the webhook.
        extra: the ``X-Buffer-*`` headers, and those that take the place of the webhook's own.
        seconds: for everything: name resolution, connecting, TLS, sending, the answer.
    """
    started_at = round(time.time() * 1000)
    started = time.monotonic()

    def outcome(**what: Any) -> Outcome:
        milliseconds = round((time.monotonic() - started) * 1000, 1)
        return Outcome(started_at=started_at, duration_ms=milliseconds, **what)

    try:
        connection = _connected(backend, min(seconds, _CONNECT_SECONDS))
    except (OSError, ValueError) as failure:
        return outcome(error=_connect_error(failure))
    # Socket timeouts bound each read, not their sum: a backend that sends a byte now and
    # then would outlive them. Shutting the socket down ends whatever waits on it.
    expired = threading.Event()
    remaining = max(0.0, seconds - (time.monotonic() - started))
    # The socket itself: the connection lets go of it once an answer's head is there.
    sock = connection.sock
    deadline = threading.Timer(remaining, _shut_down, (sock, expired))
    deadline.daemon = True
    deadline.start()
    try:
        response = _exchange(connection, backend, envelope, extra)
        if expired.is_set():  # http.client takes an answer cut off in its head for a whole one
            return outcome(error="ReadTimeout")
        answered = outcome(status=response.status, retry_after=response.getheader("Retry-After"))
        _drain(response, sock)
        return answered
    except (OSError, http.client.HTTPException, ValueError) as failure:
        return outcome(error="ReadTimeout" if expired.is_set() else _exchange_error(failure))
    finally:
        deadline.cancel()
        connection.close()


def forwarded(headers: Iterable[tuple[str, str]]) -> list[tuple[str, bytes]]:
    """The webhook's own headers as they go out.

    Hop-by-hop headers and those that ``Connection`` names stay behind; so do names that are
    ours and what HTTP does not allow, which would otherwise block the group for ever.
    """
    pairs = list(headers)
    named = {
        token.strip().lower()
        for name, value in pairs
        if name.lower() == "connection"
        for token in value.split(",")
    }
    sent = []
    for name, value in pairs:
        lowered = name.lower()
        if lowered in _HOP_BY_HOP or lowered in named or lowered.startswith(_OURS):
            continue
        if HEADER_NAME.fullmatch(name) and not any(char in value for char in "\r\n\0"):
            sent.append((name, value.encode("utf-8", "surrogatepass")))
    return sent


def _connected(backend: Backend, seconds: float) -> http.client.HTTPConnection:
    """An open connection. Runs in a thread, because name resolution knows no timeout.

    One that comes too late is closed unused: nothing was sent over it.
    """
    host = address(backend.host)

    def connect() -> http.client.HTTPConnection:
        if backend.scheme == "https":
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                host, backend.port, timeout=seconds, context=_tls()
            )
        else:
            connection = http.client.HTTPConnection(host, backend.port, timeout=seconds)
        connection.connect()
        # From here on the deadline bounds the exchange as a whole.
        connection.sock.settimeout(None)
        return connection

    executor = ThreadPoolExecutor(max_workers=1)
    future = executor.submit(connect)
    try:
        return future.result(timeout=seconds)
    except TimeoutError:
        future.add_done_callback(
            lambda late: late.result().close() if late.exception() is None else None
        )
        raise
    finally:
        executor.shutdown(wait=False)


@cache
def _tls() -> ssl.SSLContext:
    """The system's trust anchors, loaded once: they take longer than a request."""
    return ssl.create_default_context()


def _exchange(
    connection: http.client.HTTPConnection,
    backend: Backend,
    envelope: Envelope,
    extra: Mapping[str, str],
) -> http.client.HTTPResponse:
    target = backend.target(envelope.path, envelope.query)
    connection.putrequest(envelope.method, target, skip_host=True, skip_accept_encoding=True)
    connection.putheader("Host", backend.host_header)
    ours = {name.lower() for name in extra}
    for name, value in forwarded(envelope.headers):
        if name.lower() not in ours:
            connection.putheader(name, value)
    for name, text in extra.items():
        connection.putheader(name, text.encode())
    if envelope.body or envelope.method not in ("GET", "HEAD", "OPTIONS", "TRACE"):
        connection.putheader("Content-Length", str(len(envelope.body)))
    connection.putheader("Connection", "close")
    try:
        connection.endheaders(envelope.body or None)
    except (BrokenPipeError, ConnectionResetError):
        # A backend may answer (413, 401) and close before it has read the whole body.
        try:
            return _answer(connection)
        except (OSError, http.client.HTTPException):
            raise ConnectionResetError from None
    return _answer(connection)


def _answer(connection: http.client.HTTPConnection) -> http.client.HTTPResponse:
    """The final answer. Any number of interim ones may come first, and ``http.client`` skips
    only 100. Source: RFC 9110, 15.2.
    """
    response = connection.getresponse()
    while 102 <= response.status < 200:
        response.headers = None  # type: ignore[assignment]  # makes begin() read on
        response.begin()
    return response


def _shut_down(sock: socket.socket, expired: threading.Event) -> None:
    expired.set()
    try:
        # Of the socket below TLS: TLS's own would pull the session away under a reader.
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
    except OSError:
        pass  # closed already


def _drain(response: http.client.HTTPResponse, sock: socket.socket) -> None:
    """Reads a usual answer to its end; the status decided already, so failures don't matter."""
    end = time.monotonic() + _DRAIN_SECONDS
    left = _DRAIN_BYTES
    try:
        sock.settimeout(_DRAIN_SECONDS)
        while left > 0 and time.monotonic() < end and (read := response.read1(left)):
            left -= len(read)
    except (OSError, http.client.HTTPException):
        pass


def _connect_error(failure: Exception) -> str:
    match failure:
        case TimeoutError():
            return "ConnectTimeout"
        case ssl.SSLError():
            return "Tls"
        case socket.gaierror() | ValueError():  # ValueError: a name that DNS can't hold
            return "NameResolution"
        case ConnectionRefusedError():
            return "ConnectionRefused"
        case _:
            return "Connection"


def _exchange_error(failure: Exception) -> str:
    match failure:
        case ConnectionError():  # also http.client's "closed without an answer"
            return "ConnectionReset"
        case http.client.HTTPException():
            return "BadAnswer"
        case ValueError():  # a method or target that HTTP has no form for
            return "Unsendable"
        case _:
            return "Connection"
