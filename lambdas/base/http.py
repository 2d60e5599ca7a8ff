"""One HTTP exchange, bounded as a whole: all that the functions ask of HTTP.

Written on sockets rather than on ``http.client``: that loads the mail parser (a third of a cold
start), bounds each read but not their sum, and gives up on an answer with 101 headers, whose
status is there all the same. ``docs/decisions/0017-http-exchange.md`` says more.

Nothing is repeated, no redirect is followed, and nothing is inflated: no answer is asked for in
a compressed form, and one that comes so is read as the bytes that it is.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from urllib.parse import urlsplit

from lambdas.base.dial import Origin, address, dial
from lambdas.base.wire import HEADER_NAME, Answer, Connection, HttpError, Request

__all__ = [
    "HEADER_NAME", "Answer", "HttpError", "Origin", "Request",
    "address", "ask", "deliver", "send",
]  # fmt: skip

# How much is read of an answer's rest once its status has decided.
_MAX_DRAINED_BYTES = 65_536
# Idle connections that are kept, for each place.
_MAX_IDLE = 2


def deliver(
    origin: Origin,
    request: Request,
    *,
    seconds: float,
    connect_seconds: float,
    drain_seconds: float,
) -> Answer:
    """Sends over a connection of its own and waits for the status.

    What is left of the answer is read for a while, so that the other side can finish writing a
    usual one; how that ends doesn't matter.

    Args:
        seconds: for everything: name resolution, connecting, TLS, sending, the answer.
        connect_seconds: for all that comes before sending.

    Raises:
        HttpError: When no whole head of an answer came.
    """
    deadline = time.monotonic() + seconds
    connected = dial(origin, min(deadline, time.monotonic() + connect_seconds))
    connection = Connection(connected, deadline)
    try:
        answer = connection.exchange(request)
        connection.deadline = min(deadline, time.monotonic() + drain_seconds)
        try:
            connection.body(request.method, answer, _MAX_DRAINED_BYTES)
        except HttpError:
            pass
        return answer
    finally:
        connection.close()


def ask(
    origin: Origin,
    request: Request,
    *,
    seconds: float,
    connect_seconds: float,
    most_bytes: int,
    keep: bool = False,
) -> Answer:
    """Sends and reads the whole answer.

    Args:
        seconds: for everything: name resolution, connecting, TLS, sending, the answer.
        connect_seconds: for all that comes before sending.
        most_bytes: of the answer's body.
        keep: whether to use a connection that an earlier exchange left, and to leave it.

    Raises:
        HttpError: When no whole answer came.
    """
    deadline = time.monotonic() + seconds
    connection = _idle(origin) if keep else None
    if connection is None:
        connected = dial(origin, min(deadline, time.monotonic() + connect_seconds))
        connection = Connection(connected, deadline)
    reusable = False
    try:
        connection.deadline = deadline
        answer = connection.exchange(request)
        body = connection.body(request.method, answer, most_bytes)
        reusable = keep and connection.reusable(answer)
    finally:
        if reusable:
            _put_aside(origin, connection)
        else:
            connection.close()
    return answer._replace(body=body)


def send(
    method: str,
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    seconds: float,
    most_bytes: int = 1024 * 1024,
) -> tuple[int, bytes]:
    """Sends to a URL once.

    Args:
        seconds: for everything.
        most_bytes: of the answer's body.

    Returns:
        The answer's status and body.

    Raises:
        HttpError: When no whole answer came, or the URL is none.
    """
    origin, target, host = _parts(url)
    ours = {"Host": host, "Content-Length": str(len(body)), "Connection": "close"}
    pairs = [(name, value.encode()) for name, value in {**headers, **ours}.items()]
    request = Request.of(method, target, pairs, body)
    answer = ask(origin, request, seconds=seconds, connect_seconds=seconds, most_bytes=most_bytes)
    return answer.status, answer.body


def _parts(url: str) -> tuple[Origin, str, str]:
    """Where a URL leads, its target in a request line, and its Host header."""
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise HttpError("NotAnHttpUrl") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise HttpError("NotAnHttpUrl")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Origin(parts.scheme, parts.hostname, port), target, parts.netloc.rpartition("@")[2]


# A warm function's connections to AWS. Lists, whose own methods no other thread interrupts.
_idle_connections: dict[Origin, list[Connection]] = {}


def _idle(origin: Origin) -> Connection | None:
    """A connection that an earlier exchange left, if the other side has not closed it since."""
    waiting = _idle_connections.setdefault(origin, [])
    while waiting:
        try:
            connection = waiting.pop()
        except IndexError:
            return None
        if not connection.is_stale():
            return connection
        connection.close()
    return None


def _put_aside(origin: Origin, connection: Connection) -> None:
    waiting = _idle_connections.setdefault(origin, [])
    if len(waiting) < _MAX_IDLE:
        waiting.append(connection)
    else:
        connection.close()
