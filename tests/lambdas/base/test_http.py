"""Every exchange ends within its bounds, whatever the other side does, and says how."""

from __future__ import annotations

import gzip
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from typing import Any

import pytest

from lambdas import delivery
from lambdas.base import http
from lambdas.base.aws import SQS, AwsError
from lambdas.base.backend_url import Backend
from lambdas.base.envelope import Envelope
from tests.lambdas.conftest import HttpStub, Wire, read_request
from tests.waiting import Stopwatch

# Within which an exchange ends that only its time ends, one whose head must be there by then, and
# one that its peer or its size ends: a busy machine must not make a timeout of these.
_SECONDS, _HEAD_SECONDS, _PATIENT_SECONDS = 0.1, 0.4, 10.0
# That it may take besides.
_GRACE = 0.8
_TIMEOUT = "ReadTimeout"

_CUT = b"HTTP/1.1 200 OK\r\nX-Cut: here"
_LONG = b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 70_000 + b"\r\nContent-Length: 2\r\n\r\n{}"
_MANY = b"HTTP/1.1 200 OK\r\n" + b"X-Many: 1\r\n" * 150 + b"Content-Length: 2\r\n\r\n{}"
_CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


class _Peer:
    """What the other side does once a connection is there."""

    def __init__(self, wire: Wire, connection: socket.socket) -> None:
        self.wire = wire
        self.connection = connection

    def drip(self, pieces: bytes = b"", *, every: float = 0.02) -> None:
        """A byte now and then, the last one for ever."""
        position = 0
        while not self.wire.over.wait(every):
            self.connection.sendall(pieces[position : position + 1] or b"x")
            position += 1

    def flood(self, piece: bytes) -> None:
        """The same again and again, as fast as it is taken."""
        while not self.wire.over.is_set():
            self.connection.sendall(piece * 100)

    def wait(self) -> None:
        self.wire.over.wait(5)

    def reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


_Script = Callable[[_Peer], object]


@cache
def _bomb() -> bytes:
    body = gzip.compress(bytes(64 << 20))
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"
    return head % len(body) + body


def _says(answer: bytes, then: _Script = lambda _: None) -> _Script:
    def script(peer: _Peer) -> None:
        read_request(peer.connection)
        peer.connection.sendall(answer)
        then(peer)

    return script


_DRIP: _Script = _Peer.drip
_WAIT: _Script = _Peer.wait
_RESET: _Script = _Peer.reset

# Name: what the other side does; what a delivery makes of it (a status, or a kind of failure);
# what an exchange that wants the whole answer makes of it.
_SCENARIOS: dict[str, tuple[_Script, int | str, int | str]] = {
    "silence before reading": (_WAIT, "ReadTimeout", "ReadTimeout"),
    "silence after reading": (_says(b"", _WAIT), "ReadTimeout", "ReadTimeout"),
    "closes at once": (lambda _: None, "ConnectionReset", "ConnectionReset"),
    "resets at once": (_RESET, "ConnectionReset", "ConnectionReset"),
    "closes after reading": (_says(b""), "ConnectionReset", "ConnectionReset"),
    "resets after reading": (_says(b"", _RESET), "ConnectionReset", "ConnectionReset"),
    "drips a status line": (_says(b"", _DRIP), "ReadTimeout", "ReadTimeout"),
    "drips after a version": (_says(b"HTTP/1.1 ", _DRIP), "ReadTimeout", "ReadTimeout"),
    "drips a header": (_says(_CUT, _DRIP), "ReadTimeout", "ReadTimeout"),
    "drips headers": (
        _says(b"HTTP/1.1 200 OK\r\n", lambda peer: peer.drip(b"A: b\r\n" * 1000)),
        "ReadTimeout", "ReadTimeout",
    ),
    "silence in the head": (_says(_CUT, _WAIT), "ReadTimeout", "ReadTimeout"),
    "closes in the status line": (_says(b"HTTP/1.1 200 O"), "BadAnswer", "BadAnswer"),
    "closes after the status": (_says(b"HTTP/1.1 200 OK\r\n"), "BadAnswer", "BadAnswer"),
    "closes in the head": (_says(_CUT), "BadAnswer", "BadAnswer"),
    "closes before the empty line": (_says(_CUT + b"\r\n"), "BadAnswer", "BadAnswer"),
    "resets in the head": (_says(_CUT, _RESET), "ConnectionReset", "ConnectionReset"),
    "150 headers": (_says(_MANY), 200, 200),
    "a header of 70 KB": (_says(_LONG), 200, 200),
    "endless headers": (
        _says(b"HTTP/1.1 200 OK\r\n", lambda peer: peer.flood(b"A: b\r\n")),
        "BadAnswer", "BadAnswer",
    ),
    "an endless header": (
        _says(b"HTTP/1.1 200 OK\r\nA: ", lambda peer: peer.flood(b"b")), "BadAnswer", "BadAnswer",
    ),
    "an endless status line": (
        _says(b"HTTP/1.1 200 ", lambda peer: peer.flood(b"K")), "BadAnswer", "BadAnswer",
    ),
    "endless interim answers": (
        _says(b"", lambda peer: peer.flood(b"HTTP/1.1 103 Hints\r\n\r\n")),
        "BadAnswer", "BadAnswer",
    ),
    "dripping interim answers": (
        _says(b"", lambda peer: peer.drip(b"HTTP/1.1 102 P\r\n\r\n" * 100)),
        "ReadTimeout", "ReadTimeout",
    ),
    "interim answers, then one": (
        _says(b"HTTP/1.1 100 C\r\n\r\nHTTP/1.1 103 H\r\nA: b\r\n\r\n"
              b"HTTP/1.1 204 No Content\r\n\r\n"), 204, 204,
    ),
    "another protocol": (_says(b"SSH-2.0-OpenSSH_9.9\r\n"), "BadAnswer", "BadAnswer"),
    "HTTP/2's frames": (_says(b"\x00\x00\x12\x04\x00\x00\n"), "BadAnswer", "BadAnswer"),
    "a status of two digits": (_says(b"HTTP/1.1 20 OK\r\n\r\n"), "BadAnswer", "BadAnswer"),
    "bytes that are not text": (_says(b"HTTP/1.1 500 \xff\xfe\r\n\xff: \x00\r\n\r\n"), 500, 500),
    "silence in the body": (
        _says(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", _WAIT), 200, "ReadTimeout",
    ),
    "drips a body": (
        _says(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", _DRIP), 200, "ReadTimeout",
    ),
    "drips a body without an end": (
        _says(b"HTTP/1.1 200 OK\r\n\r\n", _DRIP), 200, "ReadTimeout",
    ),
    "half a body": (
        _says(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"), 200, "ConnectionReset",
    ),
    "an endless body": (
        _says(b"HTTP/1.1 200 OK\r\n\r\n", lambda peer: peer.flood(b"x" * 1000)), 200, "TooLarge",
    ),
    "a body of 10 TB": (
        _says(b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999999\r\n\r\n"), 200, "TooLarge",
    ),
    "a length that is none": (
        _says(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"), 200, "BadAnswer",
    ),
    "a length of 5000 digits": (
        _says(b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n"),
        200, "BadAnswer",
    ),
    "a bomb": (lambda peer: _says(_bomb())(peer), 200, 200),
    "chunks": (_says(_CHUNKED + b"1;x=y\r\n{\r\n1\r\n}\r\n0\r\nA: b\r\n\r\n"), 200, 200),
    "half a chunk": (_says(_CHUNKED + b"9\r\n{"), 200, "ConnectionReset"),
    "chunks that drip": (
        _says(_CHUNKED, lambda peer: peer.drip(b"1\r\nx\r\n" * 1000)), 200, "ReadTimeout",
    ),
    "endless chunks": (
        _says(_CHUNKED, lambda peer: peer.flood(b"3e8\r\n" + b"x" * 1000 + b"\r\n")),
        200, "TooLarge",
    ),
    "a chunk of 16 EB": (_says(_CHUNKED + b"fffffffffffffff\r\n"), 200, "TooLarge"),
    "an endless size of a chunk": (
        _says(_CHUNKED, lambda peer: peer.flood(b"0")), 200, "BadAnswer",
    ),
    "endless trailers": (
        _says(_CHUNKED + b"0\r\n", lambda peer: peer.flood(b"A: b\r\n")), 200, "BadAnswer",
    ),
    "chunks that are none": (_says(_CHUNKED + b"zz\r\n"), 200, "BadAnswer"),
    "chunks of other sizes": (_says(_CHUNKED + b"1\r\n{}\r\n0\r\n\r\n"), 200, "BadAnswer"),
    "a redirect": (
        _says(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n"), 302, 302,
    ),
    "a change of protocol": (_says(b"HTTP/1.1 101 Switching\r\n\r\n", _WAIT), 101, 101),
}  # fmt: skip


@pytest.fixture(params=_SCENARIOS)
def peer(request: pytest.FixtureRequest) -> Iterator[tuple[str, int | str, int | str]]:
    """A scenario's server: its URL, and what becomes of a delivery and of a question."""
    script, delivered, asked = _SCENARIOS[request.param]
    with Wire(lambda connection: script(_Peer(wire, connection))) as wire:
        yield wire.url, delivered, asked


def test_delivery_ends_within_its_bounds(peer: tuple[str, int | str, int | str]) -> None:
    """An attempt ends in time; a webhook counts as delivered only by a whole head that says so."""
    url, expected, asked = peer
    webhook = Envelope("POST", "/a", "", (), b"{}", 0)
    seconds = _SECONDS if expected == _TIMEOUT else _PATIENT_SECONDS
    if expected != _TIMEOUT and asked == _TIMEOUT:
        seconds = _HEAD_SECONDS  # and time ends the rest
    with Stopwatch() as stopwatch:
        outcome = delivery.attempt(Backend.parse(url), webhook, {}, seconds=seconds)
    assert stopwatch.seconds() < seconds + _GRACE
    assert (outcome.status or outcome.error) == expected
    assert outcome.delivered == (expected in (200, 204))


def test_question_ends_within_its_bounds(peer: tuple[str, int | str, int | str]) -> None:
    """An exchange that wants the whole answer ends in time, too, and never holds more of it."""
    url, _, expected = peer
    seconds = _SECONDS if expected == _TIMEOUT else _PATIENT_SECONDS
    with Stopwatch() as stopwatch:
        try:
            status, body = http.send("POST", url, b"{}", {}, seconds=seconds)
            answer: int | str = status
            assert len(body) <= 1024 * 1024
        except http.HttpError as error:
            answer = str(error)
    assert stopwatch.seconds() < seconds + _GRACE
    assert answer == expected


def test_call_ends_within_its_bounds(
    peer: tuple[str, int | str, int | str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call of AWS has a reply or an error at the end of its time, both attempts included."""
    url, _, _ = peer
    for name, value in {
        "AWS_ENDPOINT_URL": url, "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    with Stopwatch() as stopwatch, suppress(AwsError):
        SQS.call("SendMessage", {}, seconds=_SECONDS / 2, within=_SECONDS)
    assert stopwatch.seconds() < _SECONDS + _GRACE


def test_a_client_that_leaves_is_no_request() -> None:
    """A head that is not whole, as of a client whose time is over, is none that somebody sent."""
    with HttpStub() as stub:
        for begun in (b"", b"POST /a HT", b"POST /a HTTP/1.1\r\nHost: x\r\n"):
            with socket.create_connection(("127.0.0.1", stub.port)) as client:
                client.sendall(begun)
        assert http.send("GET", f"{stub.url}/whole", b"", {}, seconds=10)[0] == 200
    assert [request.target for request in stub.requests] == ["/whole"]


def _ask(url: str, *, keep: bool = True, **request: Any) -> http.Answer:
    origin = http._parts(url)[0]
    parts = {"method": "POST", "target": "/", "headers": [("Host", b"x")], "body": b"", **request}
    return http.ask(
        origin, http.Request.of(**parts), seconds=2, connect_seconds=2, most_bytes=10, keep=keep
    )


@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", True),
        (_CHUNKED + b"2\r\n{}\r\n0\r\n\r\n", True),
        (b"HTTP/1.1 204 No Content\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: Close\r\n\r\n{}", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\n", False),
    ],
)
def test_connections_are_kept(answer: bytes, kept: bool) -> None:
    """A connection is used again where nothing of the last answer can be left in it."""
    connections = []

    def script(connection: socket.socket) -> None:
        connections.append(connection)
        while True:  # until the client leaves
            read_request(connection)
            connection.sendall(answer)

    with Wire(script) as wire:
        for _ in range(3):
            assert _ask(wire.url).status in (200, 204)
        assert len(connections) == (1 if kept else 3)
        _ask(wire.url, keep=False)
        assert len(connections) == (2 if kept else 4)
        for connection in connections:
            with suppress(OSError):  # closed already
                connection.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(
    "request_",
    [
        {"method": "GE T"}, {"method": ""}, {"method": "GET\r\n"}, {"target": "/a b"},
        {"target": "/\r\nEvil: 1"}, {"target": "/é"}, {"target": ""},
        {"headers": [("A\r\n", b"1")]}, {"headers": [("A", b"1\r\nEvil: 1")]},
        {"headers": [("", b"1")]}, {"headers": [("A", b"\0")]},
    ],
)  # fmt: skip
def test_unsendable(http_stub: HttpStub, request_: dict[str, Any]) -> None:
    """What HTTP has no form for is not sent, in whatever form."""
    with pytest.raises(http.HttpError, match="Unsendable"):
        _ask(http_stub.url, **request_)
    assert not http_stub.requests


def test_silent_address_leaves_time_for_the_next(
    http_stub: HttpStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a name has two addresses and the first is silent, the second is reached in time."""
    with socket.socket() as silent:
        # Its queue of connections is full, so that more of them are not answered.
        silent.bind(("127.0.0.1", 0))
        silent.listen(0)
        full = [socket.socket() for _ in range(2)]
        for connection in full:
            connection.setblocking(False)
            connection.connect_ex(silent.getsockname())
        kind = (socket.AF_INET, socket.SOCK_STREAM, 0, "")
        places = [(*kind, silent.getsockname()), (*kind, ("127.0.0.1", http_stub.port))]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: places)
        assert http.send("POST", "http://two.test", b"", {}, seconds=0.5)[0] == 200
        for connection in full:
            connection.close()
