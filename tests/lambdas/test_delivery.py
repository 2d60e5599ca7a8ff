"""One delivery attempt, against backends that answer, misbehave, or are not there."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from lambdas import delivery
from lambdas.base.backend_url import Backend
from lambdas.base.envelope import Envelope
from lambdas.delivery import Outcome
from tests.lambdas.conftest import HttpStub, Request, Wire, read_request

_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def _attempt(
    url: str,
    *,
    method: str = "POST",
    body: bytes = b"{}",
    headers: tuple[tuple[str, str], ...] = (),
    extra: Mapping[str, str] | None = None,
    seconds: float = 2.0,
) -> Outcome:
    webhook = Envelope(method, "/a", "", headers, body, 0)
    return delivery.attempt(Backend.parse(url), webhook, extra or {}, seconds=seconds)


def _against(script: Callable[[socket.socket], object], **how: Any) -> Outcome:
    with Wire(script) as wire:
        return _attempt(wire.url, **how)


def _says(answer: bytes) -> Callable[[socket.socket], None]:
    def script(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(answer)

    return script


def _received(http_stub: HttpStub, **how: Any) -> Request:
    assert _attempt(http_stub.url, **how).delivered
    [request] = http_stub.requests
    return request


@pytest.mark.parametrize(
    ("status", "delivered"),
    [(200, True), (204, True), (299, True), (300, False), (302, False), (400, False),
     (404, False), (410, False), (429, False), (500, False), (503, False), (600, False)],
)  # fmt: skip
def test_only_2xx_is_delivered(http_stub: HttpStub, status: int, delivered: bool) -> None:
    """2xx is delivered, any other status is a failed attempt, and no redirect is followed."""
    http_stub.then(status, b"", {"Location": f"{http_stub.url}/elsewhere", "Retry-After": "7"})
    outcome = _attempt(http_stub.url)
    assert (outcome.status, outcome.error) == (status, None)
    assert (outcome.delivered, outcome.retry_after) == (delivered, "7")
    assert [request.target for request in http_stub.requests] == ["/a"]
    assert abs(outcome.started_at - time.time() * 1000) < 2000
    assert 0 < outcome.duration_ms < 2000


@pytest.mark.parametrize(
    ("answer", "status", "error"),
    [
        (b"", None, "ConnectionReset"),
        (b"220 mail.test ESMTP\r\n", None, "BadAnswer"),
        (b"\x00\xff\xfe", None, "BadAnswer"),
        (b"HTTP/1.1 99999 X\r\n\r\n", None, "BadAnswer"),
        (b"HTTP/1.1 " + b"x" * 70_000, None, "BadAnswer"),
        (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 150 + b"\r\n", 200, None),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + _OK, 200, None),
        (b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n" + _OK, 200, None),
        (b"HTTP/1.1 103 Hints\r\n\r\n", None, "ConnectionReset"),
        (b"HTTP/1.0 200 OK\r\n\r\nuntil it closes", 200, None),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\ncut short", 200, None),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 200, None),
        (b"HTTP/1.1 500 " + "Größe".encode() + b"\r\n\r\n", 500, None),
    ],
)  # fmt: skip
def test_odd_answers(answer: bytes, status: int | None, error: str | None) -> None:
    """The first final status counts; what holds none is an error with a class of its own."""
    outcome = _against(_says(answer))
    assert (outcome.status, outcome.error) == (status, error)


def test_refused() -> None:
    """Nobody listening is ``ConnectionRefused``."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        outcome = _attempt(f"http://127.0.0.1:{unused.getsockname()[1]}")
    assert (outcome.status, outcome.error) == (None, "ConnectionRefused")


@pytest.mark.parametrize("host", ["nowhere.invalid", "x" * 64 + ".test", "a..test"])
def test_no_such_name(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that can't be resolved, or that DNS can't even hold, is ``NameResolution``."""
    real = socket.getaddrinfo

    def resolve(name: str, *rest: Any, **more: Any) -> Any:
        if name == "nowhere.invalid":  # no test asks the network
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return real(name, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    assert _attempt(f"http://{host}").error == "NameResolution"


def test_reset() -> None:
    """A connection broken off is ``ConnectionReset``."""

    def script(connection: socket.socket) -> None:
        read_request(connection)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    assert _against(script).error == "ConnectionReset"


def test_early_answer_to_a_big_body() -> None:
    """An answer given and the connection closed before the body was read still counts."""

    def script(connection: socket.socket) -> None:
        connection.recv(1024)
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nRetry-After: 9\r\n\r\n")

    outcome = _against(script, body=bytes(16 << 20))
    assert (outcome.status, outcome.retry_after, outcome.error) == (413, "9", None)


def test_closed_in_the_middle_of_a_big_body() -> None:
    """A connection closed over a big body without an answer is ``ConnectionReset``."""
    outcome = _against(lambda connection: connection.recv(1024), body=bytes(16 << 20))
    assert (outcome.status, outcome.error) == (None, "ConnectionReset")


def test_headers_go_out_as_they_came(http_stub: HttpStub) -> None:
    """Order, case, repeats and odd but legal values survive."""
    headers = (
        ("X-Signature", "sha256=é ,;\t="), ("x-repeat", "1"), ("x-repeat", "2"), ("Empty", ""),
        ("cookie", "a=1; b=2"), ("accept-encoding", "br"), ("user-agent", "sender/1"),
        ("authorization", "Bearer t"), ("content-type", "application/json"),
    )  # fmt: skip
    request = _received(http_stub, headers=headers, extra={"X-Buffer-Attempt": "1"})
    expected = tuple((name.lower(), value) for name, value in headers)
    assert request.headers == (
        ("host", f"127.0.0.1:{http_stub.port}"), *expected,
        ("x-buffer-attempt", "1"), ("content-length", "2"), ("connection", "close"),
    )  # fmt: skip


@pytest.mark.parametrize(
    "dropped",
    [
        (("Connection", "keep-alive, X-Secret , x-other"), ("x-secret", "1"), ("X-Other", "2")),
        (("connection", "x-a"), ("connection", "x-b"), ("x-a", "1"), ("x-b", "2")),
        (("keep-alive", "5"),), (("Transfer-Encoding", "chunked"),), (("TE", "trailers"),),
        (("trailer", "x"),), (("upgrade", "h2c"),), (("proxy-authorization", "x"),),
        (("Expect", "100-continue"),), (("Host", "evil.com"),), (("content-length", "99"),),
        (("X-Buffer-Message-Id", "forged"), ("x-buffer-anything", "forged")),
        (("x-split", "1\r\nEvil: 1"),), (("x-split", "1\nEvil: 1"),), (("x-nul", "\0"),),
        (("a b", "1"),), (("a:b", "1"),), (("", "1"),), (("größe", "1"),), (("a\r\nEvil", "1"),),
    ],
)  # fmt: skip
def test_dropped_headers(http_stub: HttpStub, dropped: tuple[tuple[str, str], ...]) -> None:
    """What belongs to one hop, what is ours, and what HTTP does not allow stays behind."""
    extra = {"X-Buffer-Message-Id": "m-1"}
    request = _received(http_stub, headers=(*dropped, ("x-kept", "yes")), extra=extra)
    assert request.headers == (
        ("host", f"127.0.0.1:{http_stub.port}"), ("x-kept", "yes"), ("x-buffer-message-id", "m-1"),
        ("content-length", "2"), ("connection", "close"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("method", "body", "length"),
    [("GET", b"", None), ("HEAD", b"", None), ("OPTIONS", b"", None), ("GET", b"x", "1"),
     ("POST", b"", "0"), ("PUT", b"\x00\xff", "2"), ("DELETE", b"", "0"), ("PATCH", b"x", "1")],
)  # fmt: skip
def test_methods_and_bodies(
    http_stub: HttpStub, method: str, body: bytes, length: str | None
) -> None:
    """Method and body arrive as sent; where there is no body, only methods that mean one say 0."""
    request = _received(http_stub, method=method, body=body)
    assert (request.method, request.body) == (method, body)
    assert request.header("content-length") == length


def test_localhost_names(http_stub: HttpStub) -> None:
    """A name under .localhost is this machine, and keeps its name in the Host header."""
    assert _attempt(f"http://api.localhost:{http_stub.port}").delivered
    assert http_stub.requests[0].header("host") == f"api.localhost:{http_stub.port}"


@pytest.mark.parametrize(
    "name",
    [
        "X_Buffer_Message_Id", "X-Buffer_Group", "x.buffer.attempt", "X-BUFFER-SOURCE",
        "x_datadog_trace_id", "x-datadog_parent-id", "X-Buffer-Original-Webhook-Id",
    ],
)  # fmt: skip
def test_names_that_servers_fold_onto_ours(http_stub: HttpStub, name: str) -> None:
    """A header that a backend could take for ours or for a trace's is not sent on."""
    request = _received(http_stub, headers=((name, "forged"), ("X_Other", "kept")))
    assert [value for _, value in request.headers if value in ("forged", "kept")] == ["kept"]
