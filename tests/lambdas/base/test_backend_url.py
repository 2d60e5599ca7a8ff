"""No request can change where it is delivered, nor climb out of the backend's base path."""

from __future__ import annotations

import posixpath
import re
import socket
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lambdas import delivery
from lambdas.base.backend_url import Backend
from lambdas.base.envelope import Envelope
from tests.lambdas.conftest import HttpStub, Wire, read_request

_BASES = ("", "/hooks", "/a/b%2Fc")
_HOSTILE = (
    "//evil.com", "///evil.com/x", "/http://169.254.169.254/", "http://evil.com/", "@evil.com/",
    "/@evil.com/", ":8080/", "/\\evil.com", "\\\\evil.com\\x", "/../admin", "/..", "/a/../../admin",
    "/./../admin", "/%2e%2e/admin", "/%2E%2e%2fadmin", "/.%2e/.%2e/admin", "/a%2f..%2f..%2fadmin",
    "/..%5c..%5cadmin", "/..\\..\\admin", "/..;x/admin", "/..%3bx=1/admin", "/a/..;/..;/admin",
    "/%5c%2e%2e%5cadmin", "/a//../../../admin", "/x?@evil.com/..", "/x#/../..",
    "/ HTTP/1.1\r\nHost: evil",
    "/\x00/..", "/\u2025/admin", "/\uff0e\uff0e/admin", "/%", "/%2", "/%zz/..", "", "..", "?",
    "\ud800",
)  # fmt: skip
_PIECES = st.sampled_from(
    ["/", "//", ".", "..", "%2e", "%2E", "%2f", "%5c", "\\", ";", "%3b", "@", ":", "?", "#", "%",
     "%25", "%41", "a", "evil.com", "http:", " ", "\r\n", "\t", "\x00", "é", "\ud800"]
)  # fmt: skip
_PATHS = (
    st.sampled_from(_HOSTILE)
    | st.lists(_PIECES, max_size=12).map("".join)
    | st.text(st.characters(), max_size=30)
)


def _backend(base: str = "") -> Backend:
    return Backend.parse(f"http://backend.test:8080{base}")


@given(st.sampled_from(_BASES), _PATHS, _PATHS)
def test_target_stays_below_the_base_path(base: str, path: str, query: str) -> None:
    """As a client would resolve it and as a server would decode it, a target stays in its place."""
    target = _backend(base).target(path, query)
    assert re.fullmatch(r"[!-~]+", target)  # visible ASCII: nothing ends the request line
    assert "#" not in target

    sent, _, sent_query = target.partition("?")
    assert sent.startswith(f"{base}/")
    assert bool(sent_query) == bool(query)
    # A client's view: resolved below the backend's URL, it still begins with that URL.
    root = f"http://backend.test:8080{base}/"
    resolved = urljoin(root, root + sent.removeprefix(f"{base}/"))
    assert resolved.startswith(root)
    assert urlsplit(resolved)[:2] == ("http", "backend.test:8080")
    # A server's view: decoded once, every slash a separator, parameters after ";" ignored.
    below = unquote(sent).removeprefix(unquote(base)).replace("\\", "/")
    for seen in (below, "/".join(part.partition(";")[0] for part in below.split("/"))):
        assert f"{posixpath.normpath('/base/' + seen)}/".startswith("/base/")


@pytest.mark.parametrize("path", _HOSTILE)
def test_hostile_paths_have_no_climbing_segment(path: str) -> None:
    """No segment of a hostile path's target is one that any server climbs at."""
    target = _backend("/hooks").target(path, "")
    decoded = unquote(target).replace("\\", "/")
    assert ".." not in [segment.partition(";")[0] for segment in decoded.split("/")]
    assert target.startswith("/hooks/")


@given(st.text(st.sampled_from("abcXYZ019-_~!$&'()*+,;=:@é %"), max_size=20), st.text(max_size=20))
@example("%41%2F%c3%A9", "a=%41&b=+&c=%zz")
@example("a%2fb", 'x[]=1&y={}|^`"<>\\')
def test_what_is_written_is_kept(segment: str, query: str) -> None:
    """Escapes keep their bytes and case, plain characters stay plain, only the rest is escaped."""
    target = _backend().target(f"/{segment}", query)
    path, _, sent_query = target.partition("?")
    assert _unescaped_by_us(path.removeprefix("/"), segment)
    assert _unescaped_by_us(sent_query, query)


def _unescaped_by_us(sent: str, written: str) -> bool:
    """Whether ``sent`` is ``written`` with some characters, but no written escape, escaped."""
    for piece in re.findall(r"%[0-9A-Fa-f]{2}|.", written, re.DOTALL):
        escaped = "".join(f"%{byte:02X}" for byte in piece.encode("utf-8", "surrogatepass"))
        if sent.startswith(piece) and not (piece == "%" and len(piece) == 1):
            sent = sent[len(piece) :]
        elif len(piece) == 1 and sent.startswith(escaped):
            assert not piece.isascii() or not piece.isalnum()
            sent = sent[len(escaped) :]
        else:
            return False
    return sent == ""


@pytest.mark.parametrize(
    ("base", "path", "query", "target"),
    [
        ("", "/", "", "/"), ("", "", "", "/"), ("/hooks", "/", "", "/hooks/"),
        ("/hooks/", "/a", "b=1&b=2", "/hooks/a?b=1&b=2"), ("", "/a/", "", "/a/"),
        ("", "//a//b", "", "//a//b"), ("/h", "/a/./b/../c", "", "/h/a/c"),
        ("/h", "/a/..", "", "/h/"), ("/h", "/../../..", "", "/h/"), ("/h", "/a/b/.", "", "/h/a/b/"),
        ("", "/größe 1", "", "/gr%C3%B6%C3%9Fe%201"), ("", "/a%20b%2Fc", "", "/a%20b%2Fc"),
        ("", "/100%", "p=100%", "/100%25?p=100%25"), ("", "/a?b#c", "", "/a%3Fb%23c"),
        ("", "/...", "", "/..."), ("", "/.hidden/..x", "", "/.hidden/..x"),
        ("", "/a@b:c", "", "/a@b:c"), ("", "/%252e%252e/", "", "/%252e%252e/"),
        ("", "/", "a=/../?b", "/?a=/../?b"), ("/gr\xf6\xdfe", "/", "", "/gr%C3%B6%C3%9Fe/"),
    ],
)  # fmt: skip
def test_table(base: str, path: str, query: str, target: str) -> None:
    """The base path, then the webhook's own, as the sender wrote it."""
    assert _backend(base).target(path, query) == target


@pytest.mark.parametrize("path", [path for path in _HOSTILE if path.isprintable()])
def test_on_the_wire(http_stub: HttpStub, path: str) -> None:
    """A hostile path arrives at the configured host, below its base path, under its own Host."""
    backend = Backend.parse(f"{http_stub.url}/hooks")
    webhook = Envelope("POST", path, "", (("host", "evil.com"),), b"{}", 0)
    assert delivery.attempt(backend, webhook, {}, seconds=2).delivered
    [request] = http_stub.requests
    assert request.target.startswith("/hooks/")
    assert [value for name, value in request.headers if name == "host"] == [
        f"127.0.0.1:{http_stub.port}"
    ]


def test_request_line_cannot_be_split() -> None:
    """Line breaks in path and query stay inside the request line, where they are escaped."""
    heads: list[bytes] = []

    def script(connection: socket.socket) -> None:
        heads.append(connection.recv(65_536, socket.MSG_PEEK))
        read_request(connection)
        connection.sendall(b"HTTP/1.1 204 Done\r\n\r\n")

    with Wire(script) as wire:
        webhook = Envelope("GET", "/ HTTP/1.1\r\nX: 1\r\n\r\n", "\r\nY: 2", (), b"", 0)
        assert delivery.attempt(Backend.parse(wire.url), webhook, {}, seconds=2).delivered
    assert heads[0].split(b"\r\n")[0] == (
        b"GET /%20HTTP/1.1%0D%0AX:%201%0D%0A%0D%0A?%0D%0AY:%202 HTTP/1.1"
    )


@pytest.mark.parametrize(
    ("url", "backend", "host_header"),
    [
        ("http://a.test", Backend("http", "a.test", 80, ""), "a.test"),
        ("https://A.test/", Backend("https", "a.test", 443, ""), "a.test"),
        ("https://a.test:444/x/y/", Backend("https", "a.test", 444, "/x/y"), "a.test:444"),
        ("http://a.test:443", Backend("http", "a.test", 443, ""), "a.test:443"),
        ("http://[::1]:8080/x", Backend("http", "::1", 8080, "/x"), "[::1]:8080"),
    ],
)
def test_backend_from_its_url(url: str, backend: Backend, host_header: str) -> None:
    """Scheme, host, port and base path come from the setting."""
    assert Backend.parse(url) == backend
    assert backend.host_header == host_header


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "http:// or https://"), ("ftp://a.test", "http:// or https://"),
        ("a.test/x", "http:// or https://"), ("http:///x", "with a host"),
        ("http://user:pw@a.test", "must not hold credentials"),
        ("http://@a.test", "must not hold credentials"),
        ("http://a.test?x=1", "query or fragment"), ("http://a.test/?", "query or fragment"),
        ("http://a.test/#", "query or fragment"), ("http://a.test:99999", "has a port"),
        ("http://a.test:x", "has a port"), ("http://a.test:0", "has a port"),
        ("http://[::1", "IPv6"), ("http://a b/", "not an ASCII name"),
        ("http://bücher.test", "Punycode"),
    ],
)  # fmt: skip
def test_no_backend(url: str, says: str) -> None:
    """Anything but a plain http(s) URL is refused with a clear error."""
    with pytest.raises(ValueError, match=says):
        Backend.parse(url)


@pytest.mark.parametrize(
    ("handed_over", "sent"),
    [
        ("/capture/plain", "/capture/plain"),
        ("/capture/space value", "/capture/space%20value"),
        ("/capture/hash#value", "/capture/hash%23value"),
        ("/capture/slash/value", "/capture/slash/value"),
        ("/capture/unicode-λ-世界", "/capture/unicode-%CE%BB-%E4%B8%96%E7%95%8C"),
        ("/capture/literal?value", "/capture/literal%3Fvalue"),
        ("/capture/literal%value", "/capture/literal%25value"),
    ],
)
def test_paths_as_aws_hands_them_over(handed_over: str, sent: str) -> None:
    """What an HTTP API decoded is encoded again, so that it means to the backend what it did there.

    Source: paths recorded from a deployed HTTP API, hotsock/voker,
    vokerhttp/testdata/ingress-paths.json.
    """
    assert _backend().target(handed_over, "") == sent
