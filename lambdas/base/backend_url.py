"""The request target at the backend: base path + the webhook's path, as text.

Scheme, host and port come from settings and are never part of what is built here: the
connection is opened to the configured backend and only this target is sent over it, so
no path can redirect a delivery to another host. What remains to be prevented is climbing
out of the backend's base path, which dot segments would do.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit

# Source: RFC 3986, 3.3: pchar and "/" stand in a path as they are; "%" is kept where it
# already starts an escape.
_PATH_SAFE = "/:@!$&'()*+,;=-._~"
# Source: RFC 3986, 3.4: a query may also hold "/" and "?"; senders write more than that
# unescaped, and it goes out as it came in as long as it is visible ASCII.
_QUERY_SAFE = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in "%#")
# Names and IPv4 addresses; IPv6 addresses come without their brackets.
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_.-]{0,251}[a-z0-9_])?\.?|[0-9a-f:.]*:[0-9a-f:.]*")
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")


class Backend(NamedTuple):
    """Where webhooks go. ``base_path`` has no slash at its end."""

    scheme: str
    host: str
    port: int
    base_path: str

    @classmethod
    def parse(cls, url: str) -> Backend:
        """The backend from its URL.

        Raises:
            ValueError: When it is not a plain http(s) URL (credentials, query or fragment in it).
        """
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("must be an http:// or https:// URL with a host")
        if parts.username is not None or parts.password is not None:
            raise ValueError("must not hold credentials; they would end up in the template")
        if parts.query or parts.fragment or "?" in url or "#" in url:
            raise ValueError("must not hold a query or fragment; only a path is appended to it")
        try:
            port = parts.port
        except ValueError:
            port = 0
        if port == 0:
            raise ValueError("has a port that is not a number from 1 to 65535")
        if not _HOST.fullmatch(parts.hostname):
            raise ValueError(
                "has a host that is not an ASCII name or address; write it in Punycode"
            )
        port = port or (443 if parts.scheme == "https" else 80)
        return cls(parts.scheme, parts.hostname, port, _escaped(parts.path.rstrip("/"), _PATH_SAFE))

    @property
    def host_header(self) -> str:
        """The Host header: with the port where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        default = 443 if self.scheme == "https" else 80
        return host if self.port == default else f"{host}:{self.port}"

    def target(self, path: str, query: str) -> str:
        """What stands in the request line: always the base path, then the webhook's own.

        Escapes stay as the sender wrote them. What the API handed over decoded is escaped
        again; which of the characters that need no escape had one (``%2F`` or ``/``,
        ``%41`` or ``A``) can't be known then. Dot segments, also escaped ones, are resolved
        within the webhook's path (RFC 3986, 5.2.4) and stop at the base path.
        """
        webhook_path = _without_dot_segments(_escaped(path, _PATH_SAFE))
        escaped_query = _escaped(query, _QUERY_SAFE)
        return f"{self.base_path}/{webhook_path}" + (f"?{escaped_query}" if escaped_query else "")


def climbs(path: str) -> bool:
    """Whether a path has dot segments, in any of the spellings that a server may resolve."""
    return any(_dots(segment) for segment in path.split("/"))


def _escaped(text: str, safe: str) -> str:
    """Percent-encodes what may not stand in a request line; existing escapes are kept."""
    pieces: list[str] = []
    end = 0
    for match in _ESCAPE.finditer(text):
        pieces += [quote(text[end : match.start()], safe, errors="surrogatepass"), match.group()]
        end = match.end()
    pieces.append(quote(text[end:], safe, errors="surrogatepass"))
    return "".join(pieces)


def _without_dot_segments(path: str) -> str:
    """The path without its leading slash and with ``.`` and ``..`` segments resolved."""
    kept: list[str] = []
    segments = path.removeprefix("/").split("/")
    for position, segment in enumerate(segments):
        is_last = position == len(segments) - 1
        match _dots(segment):
            case 0:
                kept.append(segment)
            case 1:
                kept += [""] if is_last else []
            case _:
                del kept[-1:]
                kept += [""] if is_last else []
    return "/".join(kept)


def _dots(segment: str) -> int:
    """1 for a ``.`` segment, 2 for one that climbs, 0 for any other.

    Servers disagree on what climbs: escaped dots, ``..;x`` (Tomcat) and ``..\\x`` (IIS) count
    as dot segments somewhere, so they do here.
    """
    names = [name.partition(";")[0] for name in unquote(segment).replace("\\", "/").split("/")]
    if ".." in names:
        return 2
    return 1 if names == ["."] else 0
