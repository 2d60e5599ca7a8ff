"""Web pages of other origins reach nothing that controls this laptop."""

from __future__ import annotations

import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import urllib3

from tests.emulated_aws import client
from webhook_buffer.laptop import inbox
from webhook_buffer.laptop.backend import ScriptedBackend
from webhook_buffer.laptop.fake_datadog.server import FakeDatadog
from webhook_buffer.laptop.inbox_server import Inbox
from webhook_buffer.laptop.programs.guard import refusal
from webhook_buffer.laptop.programs.listener import listening
from webhook_buffer.laptop.programs.process import Running

_HOST = ("Host", "127.0.0.1:4566")

_ALLOWED = {
    "a client": [_HOST],
    "localhost": [("host", "localhost:4566")],
    "below localhost": [("host", "bucket.s3.localhost:4566")],
    "IPv6": [("host", "[::1]:4566")],
    "no port": [("host", "LOCALHOST")],
    "its own page": [_HOST, ("Origin", "http://127.0.0.1:4566")],
    "a link on its own page": [_HOST, ("Referer", "http://127.0.0.1:4566/objects?x=1")],
    "a form on its own page": [_HOST, ("Sec-Fetch-Site", "same-origin")],
    "typed by hand": [_HOST, ("Sec-Fetch-Site", "none")],
}
_REFUSED = {
    "no host": [],
    "two hosts": [_HOST, ("Host", "evil.example")],
    "a rebound name": [("Host", "evil.example:4566")],
    "a name that only looks local": [("Host", "localhost.evil.example")],
    "another such name": [("Host", "127.0.0.1.evil.example")],
    "an address of the network": [("Host", "192.168.1.2:4566")],
    "a user part": [("Host", "127.0.0.1@evil.example")],
    "any address": [("Host", "0.0.0.0:4566")],
    "an origin": [_HOST, ("Origin", "https://evil.example")],
    "an opaque origin": [_HOST, ("Origin", "null")],
    "an empty origin": [_HOST, ("Origin", "")],
    "another port": [_HOST, ("Origin", "http://127.0.0.1:3000")],
    "another name of this machine": [_HOST, ("Origin", "http://localhost:4566")],
    "another scheme": [_HOST, ("Origin", "https://127.0.0.1:4566")],
    "a second origin": [_HOST, ("Origin", "http://127.0.0.1:4566"), ("origin", "http://e.example")],
    "a referer alone": [_HOST, ("Referer", "https://evil.example/page")],
    "a referer that is no URL": [_HOST, ("Referer", "http://[")],
    "a referer with a prefix": [_HOST, ("Referer", "http://127.0.0.1:4566.evil.example/")],
    "an image without a referer": [_HOST, ("Sec-Fetch-Site", "cross-site")],
    "a page at another port": [_HOST, ("Sec-Fetch-Site", "same-site")],
}  # fmt: skip


@pytest.mark.parametrize("name", _ALLOWED)
def test_own_requests_pass(name: str) -> None:
    """Programs, and pages of the very same origin, get through."""
    assert refusal(_ALLOWED[name]) is None


@pytest.mark.parametrize("name", _REFUSED)
def test_foreign_requests_are_refused(name: str) -> None:
    """Whichever header gives a foreign page away is enough."""
    assert refusal(_REFUSED[name])


def test_deliveries_keep_their_senders_headers() -> None:
    """A delivery bears its sender's ``Origin``; its ``Host`` is still the laptop's."""
    delivery = [("X-Buffer-Message-Id", "1"), ("Origin", "https://app.example")]
    assert refusal([_HOST, *delivery], deliveries=True) is None
    assert refusal([_HOST, *delivery])
    assert refusal([("Host", "evil.example"), *delivery], deliveries=True)


def test_a_reason_is_short() -> None:
    """A stranger's header is cut where it is shown."""
    reason = refusal([_HOST, ("Origin", "https://" + "x" * 10_000)])
    assert reason
    assert len(reason) < 250


def test_the_emulator_refuses_and_changes_nothing(emulator: Running) -> None:
    """A page can neither reset the emulator nor list, create or run a function."""
    aws = client(emulator.endpoint_url, "sqs")
    url = aws.create_queue(QueueName="guarded")["QueueUrl"]
    plain = {"Content-Type": "text/plain"}
    for foreign in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Referer": "https://evil.example/"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Host": "rebound.example"},
    ):
        for method, path in (
            ("POST", "/_ministack/reset"),
            ("POST", "/2015-03-31/functions"),
            ("GET", "/2015-03-31/functions"),
            ("GET", f"/?Action=DeleteQueue&QueueUrl={url}"),
            ("OPTIONS", "/2015-03-31/functions"),
            ("PUT", "/_webhook-buffer/endpoints/local"),
            ("GET", "/_ministack/health"),
        ):
            reply = urllib3.request(
                method, f"{emulator.endpoint_url}{path}", headers={**plain, **foreign}
            )
            assert reply.status == 403, (foreign, method, path)
            assert reply.json()["error"].startswith("Refused: ")
            assert not _permissions(reply)
    assert url in aws.list_queues()["QueueUrls"]


def test_the_emulator_gives_no_page_permission(emulator: Running) -> None:
    """Answers to programs don't have ``Access-Control-Allow-Origin`` either."""
    for path in ("/_ministack/health", "/2015-03-31/functions", "/no-such-bucket/x"):
        for method in ("GET", "OPTIONS"):
            assert not _permissions(urllib3.request(method, f"{emulator.endpoint_url}{path}"))


def test_the_emulator_refuses_odd_requests(emulator: Running) -> None:
    """Without ``Host``, with two, or with a foreign URL as target: nothing is carried out."""
    for request in (
        b"POST /_ministack/reset HTTP/1.0\r\n\r\n",
        b"POST /_ministack/reset HTTP/1.1\r\nConnection: close\r\n\r\n",
        b"POST /_ministack/reset HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: e.example\r\n\r\n",
        b"POST http://e.example/_ministack/reset HTTP/1.1\r\nHost: e.example\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: http://e.example\r\nUpgrade: websocket\r\n"
        b"Connection: upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        b"Sec-WebSocket-Version: 13\r\n\r\n",
    ):
        assert _status(emulator.endpoint_url, request) in (400, 403), request


def _status(url: str, request: bytes) -> int:
    """The status that bytes on a socket are answered with."""
    parts = urlsplit(url)
    with socket.create_connection(
        (parts.hostname or "", parts.port or 0), timeout=10
    ) as connection:
        connection.sendall(request)
        return int(connection.makefile("rb").readline().split(b" ")[1])


def _permissions(reply: urllib3.BaseHTTPResponse) -> list[str]:
    return [name for name in reply.headers if name.lower().startswith("access-control")]


@pytest.mark.parametrize("kind", ["fake Datadog", "practice backend"])
def test_listeners_refuse(kind: str) -> None:
    """The fake Datadog and the practice backend refuse pages and odd bodies, and keep none."""
    with FakeDatadog() if kind == "fake Datadog" else ScriptedBackend() as listener:
        for foreign in (
            {"Origin": "https://evil.example"},
            {"Referer": "https://evil.example/"},
            {"Host": "rebound.example"},
            {"Sec-Fetch-Site": "cross-site"},
        ):
            for method in ("POST", "GET", "OPTIONS"):
                reply = urllib3.request(method, f"{listener.url}/api/v1/monitor", headers=foreign)
                assert (reply.status, reply.json()["error"][:9]) == (403, "Refused: ")
                assert not _permissions(reply)
        for header, status in (
            (b"Content-Length: x", 411),
            (b"Content-Length: -1", 411),
            (b"Transfer-Encoding: chunked", 411),
            (b"Content-Length: " + b"9" * 5000, 413),
        ):
            request = b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n%b\r\n\r\n" % header
            assert _status(listener.url, request) == status
        if isinstance(listener, ScriptedBackend):
            assert not listener.faux.received
            delivery = {"X-Buffer-Message-Id": "1", "Origin": "https://app.example"}
            assert urllib3.request("POST", listener.url, headers=delivery).status == 200
        else:
            assert not listener.requests


def test_the_inbox_refuses(tmp_path: Path) -> None:
    """A page can't put a notification into the inbox; what notify posts arrives."""
    server = listening(type("Handler", (Inbox,), {"folder": tmp_path}), 0)
    url = f"http://127.0.0.1:{server.server_port}/slack"
    try:
        forged = {"Origin": "https://evil.example", "Content-Type": "text/plain"}
        assert (
            urllib3.request("POST", url, body=b'{"text": "forged"}', headers=forged).status == 403
        )
        assert not list(tmp_path.iterdir())
        assert urllib3.request("POST", url, body=b'{"text": "real"}').status == 200
        assert "real" in (tmp_path / inbox.FILE).read_text()
    finally:
        server.shutdown()
        server.server_close()
