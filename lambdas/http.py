"""One HTTP exchange, bounded as a whole: all that the functions ask of HTTP.

Written on sockets rather than on ``http.client``: that loads the mail parser (a third of a cold
start), bounds each read but not their sum, and gives up on an answer with 101 headers, whose
status is there all the same. ``docs/decisions/0017-http-exchange.md`` says more.

Nothing is repeated, no redirect is followed, and nothing is inflated: no answer is asked for in
a compressed form, and one that comes so is read as the bytes that it is.
"""

from __future__ import annotations

import re
import select
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import urlsplit

# Of an answer's head, interim answers included. Servers and proxies allow 8 to 64 KB.
_MAX_HEAD_BYTES = 256 * 1024
_MAX_HEADERS = 1000
_MAX_CHUNK_LINE_BYTES = 4096
_READ_BYTES = 65_536
# Idle connections that are kept, for each place.
_MAX_IDLE = 2

# Source: RFC 9110, 5.6.2 and 9.1: a header's name is a token, and so is a method.
HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_TARGET = re.compile(r"[!-~]+")
_UNSENDABLE = re.compile(rb"[\r\n\0]")
_STATUS_LINE = re.compile(rb"HTTP/1\.([0-9]) +([1-9][0-9]{2})(?:[ \t].*)?")
_LENGTH = re.compile(r"[0-9]{1,18}")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?")
# Source: RFC 9110, 15.3.5 and 15.4.5.
_WITHOUT_BODY = (204, 304)


class HttpError(Exception):
    """When no answer came; it names the class of the failure, never the URL, a secret maybe.

    Attributes:
        kind: ``NameResolution``, ``ConnectTimeout``, ``ConnectionRefused``, ``Tls``,
            ``ConnectionReset``, ``ReadTimeout``, ``BadAnswer``, ``TooLarge``, ``Unsendable``,
            ``NotAnHttpUrl`` or ``Connection``.
    """

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class Origin(NamedTuple):
    """Where a connection goes: ``https``, a name or address, a port."""

    scheme: str
    host: str
    port: int


class Request(NamedTuple):
    """A request as it goes over the wire."""

    method: str
    head: bytes
    body: bytes

    @classmethod
    def of(
        cls, method: str, target: str, headers: Iterable[tuple[str, bytes]], body: bytes
    ) -> Request:
        """A request from its parts.

        Args:
            headers: all of them, with Host and Content-Length.

        Raises:
            HttpError: When HTTP has no form for one of them.
        """
        if not HEADER_NAME.fullmatch(method) or not _TARGET.fullmatch(target):
            raise HttpError("Unsendable")
        lines = [f"{method} {target} HTTP/1.1".encode()]
        for name, value in headers:
            if not HEADER_NAME.fullmatch(name) or _UNSENDABLE.search(value):
                raise HttpError("Unsendable")
            lines.append(name.encode() + b": " + value)
        return cls(method, b"\r\n".join([*lines, b"", b""]), body)


class Answer(NamedTuple):
    """An answer.

    Attributes:
        headers: by name in lower case; a repeated name has its first value.
        at: when its head was there, on the monotonic clock.
        body: empty where it was not asked for.
    """

    status: int
    headers: Mapping[str, str]
    at: float
    body: bytes = b""


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
    connection = _Connection(origin, min(deadline, time.monotonic() + connect_seconds))
    try:
        connection.deadline = deadline
        answer = connection.exchange(request)
        connection.deadline = min(deadline, time.monotonic() + drain_seconds)
        try:
            connection.body(request.method, answer, _READ_BYTES)
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
        connection = _Connection(origin, min(deadline, time.monotonic() + connect_seconds))
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


class _Connection:
    """An open connection, on which every wait ends at its deadline."""

    def __init__(self, origin: Origin, deadline: float) -> None:
        """Connects.

        Raises:
            HttpError: When there is no connection at the deadline.
        """
        self.deadline = deadline
        self._received = bytearray()
        self._closed = False
        try:
            self._socket = self._connected(origin)
        except (OSError, ValueError) as failure:
            raise HttpError(_connect_error(failure)) from None

    def exchange(self, request: Request) -> Answer:
        """Sends a request and reads the head of its final answer.

        Raises:
            HttpError: When no whole head came.
        """
        try:
            try:
                self._send(request.head + request.body)
            except (BrokenPipeError, ConnectionResetError):
                # The other side may answer (413, 401) and close before it has read the body.
                try:
                    return self._head()
                except (OSError, HttpError):
                    raise HttpError("ConnectionReset") from None
            return self._head()
        except OSError as failure:
            raise HttpError(_exchange_error(failure)) from None

    def body(self, method: str, answer: Answer, most: int) -> bytes:
        """The answer's body.

        Raises:
            HttpError: When it does not come whole, or is bigger than ``most`` bytes.
        """
        if method == "HEAD" or answer.status in _WITHOUT_BODY or answer.status < 200:
            return b""
        try:
            if "chunked" in answer.headers.get("transfer-encoding", "").lower():
                return self._chunks(most)
            length = answer.headers.get("content-length")
            if length is None:
                return self._rest(most)
            if not _LENGTH.fullmatch(length):
                raise HttpError("BadAnswer")
            if int(length) > most:
                raise HttpError("TooLarge")
            return self._take(int(length))
        except OSError as failure:
            raise HttpError(_exchange_error(failure)) from None

    def reusable(self, answer: Answer) -> bool:
        """Whether another request may follow, once the answer's body was read."""
        closes = "close" in answer.headers.get("connection", "").lower()
        return not (self._closed or self._received or closes)

    def is_stale(self) -> bool:
        """Whether the other side has closed it, or said what nobody asked for."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return bool(poll.poll(0))

    def close(self) -> None:
        """Lets go of it."""
        self._socket.close()

    def _left(self) -> float:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def _connected(self, origin: Origin) -> socket.socket:
        addresses = self._resolved(address(origin.host), origin.port)
        failure: OSError = OSError()
        for number, (family, kind, protocol, _, place) in enumerate(addresses):
            connecting = socket.socket(family, kind, protocol)
            try:
                # Each address has its share: one that is silent must not take the others' time.
                connecting.settimeout(self._left() / (len(addresses) - number))
                connecting.connect(place)
                connecting.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if origin.scheme != "https":
                    return connecting
                # Python bounds a handshake as a whole.
                connecting.settimeout(self._left())
                return _tls().wrap_socket(connecting, server_hostname=origin.host)
            except OSError as error:
                connecting.close()
                failure = error
        raise failure

    def _resolved(self, host: str, port: int) -> list[Any]:
        """The addresses of a name. Asked for in a thread, because name resolution knows no
        timeout: one that takes longer is left behind, and what it finds is not used.
        """
        found: list[Any] = []

        def resolve() -> None:
            try:
                found.append(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
            except Exception as error:
                found.append(error)

        thread = threading.Thread(target=resolve, daemon=True)
        thread.start()
        thread.join(self._left())
        if not found:
            raise TimeoutError
        if isinstance(found[0], Exception):
            raise found[0]
        addresses: list[Any] = found[0]
        return addresses

    def _send(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            self._socket.settimeout(self._left())
            view = view[self._socket.send(view) :]

    def _fill(self) -> bool:
        """Receives more; False when there is no more."""
        self._socket.settimeout(self._left())
        data = self._socket.recv(_READ_BYTES)
        self._received += data
        self._closed = not data
        return bool(data)

    def _line(self, most: int) -> bytes:
        """The next line, without its end."""
        searched = 0
        while (end := self._received.find(b"\n", searched)) < 0:
            searched = len(self._received)
            if searched > most or not self._fill():
                raise HttpError("BadAnswer")
        if end > most:
            raise HttpError("BadAnswer")
        line = bytes(self._received[:end])
        del self._received[: end + 1]
        return line.removesuffix(b"\r")

    def _take(self, size: int) -> bytes:
        while len(self._received) < size:
            if not self._fill():
                raise HttpError("ConnectionReset")
        taken = bytes(self._received[:size])
        del self._received[:size]
        return taken

    def _rest(self, most: int) -> bytes:
        while self._fill():
            if len(self._received) > most:
                raise HttpError("TooLarge")
        return self._take(len(self._received))

    def _chunks(self, most: int) -> bytes:
        """Source: RFC 9112, 7.1."""
        body = bytearray()
        while True:
            size = _CHUNK_SIZE.fullmatch(self._line(_MAX_CHUNK_LINE_BYTES))
            if size is None:
                raise HttpError("BadAnswer")
            if len(body) + int(size[1], 16) > most:
                raise HttpError("TooLarge")
            if int(size[1], 16) == 0:
                break
            body += self._take(int(size[1], 16))
            if self._line(_MAX_CHUNK_LINE_BYTES):
                raise HttpError("BadAnswer")
        room = _MAX_HEAD_BYTES
        while trailer := self._line(room):
            room -= len(trailer)
        return bytes(body)

    def _head(self) -> Answer:
        """The final answer's head; any number of interim ones may come first, within the bounds.

        Source: RFC 9110, 15.2; 101 is final, it ends HTTP on this connection.
        """
        room = _MAX_HEAD_BYTES
        while True:
            if not self._received and not self._fill():
                raise HttpError("ConnectionReset")
            line = self._line(room)
            status_line = _STATUS_LINE.fullmatch(line)
            if status_line is None:
                raise HttpError("BadAnswer")
            room -= len(line)
            headers: dict[str, str] = {}
            for _ in range(_MAX_HEADERS + 1):
                line = self._line(room)
                if not line:
                    break
                room -= len(line)
                name, _, value = line.decode("latin-1").partition(":")
                headers.setdefault(name.strip().lower(), value.strip())
            else:
                raise HttpError("BadAnswer")
            status = int(status_line[2])
            if status_line[1] == b"0":
                headers.setdefault("connection", "close")
            if status >= 200 or status == 101:
                return Answer(status, headers, time.monotonic())


# A warm function's connections to AWS. Lists, whose own methods no other thread interrupts.
_idle_connections: dict[Origin, list[_Connection]] = {}


def _idle(origin: Origin) -> _Connection | None:
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


def _put_aside(origin: Origin, connection: _Connection) -> None:
    waiting = _idle_connections.setdefault(origin, [])
    if len(waiting) < _MAX_IDLE:
        waiting.append(connection)
    else:
        connection.close()


@cache
def _tls() -> ssl.SSLContext:
    """The system's trust anchors, loaded once: they take longer than a request."""
    return ssl.create_default_context()


def address(host: str) -> str:
    """What to connect to. Source: RFC 6761, 6.3: names under .localhost are the loopback
    address, which curl knows and Python's resolver does not.
    """
    return "127.0.0.1" if host.endswith(".localhost") else host


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
        case ConnectionError():
            return "ConnectionReset"
        case _:
            return "Connection"


def _exchange_error(failure: OSError) -> str:
    match failure:
        case TimeoutError():
            return "ReadTimeout"
        case ConnectionError():
            return "ConnectionReset"
        case _:
            return "Connection"
