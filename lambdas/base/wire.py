"""HTTP/1.1 over a connection: requests written, answers read, within bounds of time and size."""

from __future__ import annotations

import re
import select
import socket
import time
from collections.abc import Iterable, Mapping
from typing import NamedTuple

# Limits of an answer's head, interim answers included. Servers and proxies allow 8 to 64 KB.
_MAX_HEAD_BYTES = 256 * 1024
_MAX_HEADERS = 1000
_MAX_CHUNK_LINE_BYTES = 4096
_READ_BYTES = 16_384

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


class Connection:
    """An open connection, on which every wait ends at its deadline."""

    def __init__(self, connected: socket.socket, deadline: float) -> None:
        self.deadline = deadline
        self._socket = connected
        self._received = bytearray()
        self._closed = False

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

    def _send(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            self._socket.settimeout(seconds_left(self.deadline))
            view = view[self._socket.send(view) :]

    def _fill(self) -> bool:
        """Receives more; False when there is no more."""
        self._socket.settimeout(seconds_left(self.deadline))
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


def seconds_left(deadline: float) -> float:
    """How long a wait may take that ends at a deadline on the monotonic clock.

    Raises:
        TimeoutError: When the deadline has passed.
    """
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _exchange_error(failure: OSError) -> str:
    match failure:
        case TimeoutError():
            return "ReadTimeout"
        case ConnectionError():
            return "ConnectionReset"
        case _:
            return "Connection"
