"""Keeps web pages away from what controls this laptop: the emulator, the fake Datadog, the inbox.

A page that somebody visits can send requests to 127.0.0.1. Its browser says where the page comes
from, in headers that the page can't change; and a name that a stranger points at 127.0.0.1 (DNS
rebinding) stands in ``Host``.

Sources: Fetch standard, "`Origin` header" and "CORS protocol"; W3C, "Fetch Metadata Request
Headers"; RFC 6761, 6.3: ``localhost`` and all names below it are this machine.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

# Hosts of this machine, with any port; nobody else can own such a name.
_LOCAL = re.compile(r"(?:127\.0\.0\.1|\[::1\]|(?:[a-z0-9_-]+\.)*localhost)(?::\d{1,5})?", re.I)
# What a browser says of a request to the page's own origin, or one that its user typed.
_OWN_SITE = {"same-origin", "none"}
_SHOWN = 100
STATUS = 403


def refusal(headers: Iterable[tuple[str, str]], *, deliveries: bool = False) -> str | None:
    """Why a request must not be carried out; None where it may be.

    Args:
        headers: as they came, repeated ones too; names in any case.
        deliveries: whether the buffer delivers here. It passes on what a sender wrote, an
            ``Origin`` too; its own ``X-Buffer-Message-Id`` can't come from a page at another
            origin, whose browser would have to ask first and gets no permission.
    """
    values: dict[str, list[str]] = {}
    for name, value in headers:
        values.setdefault(name.lower(), []).append(value.strip())
    hosts = values.get("host", [])
    if len(hosts) != 1 or not _LOCAL.fullmatch(hosts[0]):
        return f"Host '{_shown(hosts)}' is not a name of this machine; use 127.0.0.1 or localhost."
    if deliveries and "x-buffer-message-id" in values:
        return None
    own = f"http://{hosts[0]}".lower()
    for name in ("origin", "referer"):
        for value in values.get(name, []):
            if _origin(value) != own:
                return f"{name.title()} '{_shown([value])}' is another origin than {own}."
    for site in values.get("sec-fetch-site", []):
        if site not in _OWN_SITE:
            return (
                f"A web page of another origin asked for this (Sec-Fetch-Site: {_shown([site])})."
            )
    return None


def body(reason: str) -> bytes:
    """The answer's JSON."""
    explained = "This port controls what runs on this laptop; web pages of other origins can't."
    return json.dumps({"error": f"Refused: {reason} {explained}"}).encode()


def _origin(value: str) -> str | None:
    """The origin of a URL, or of an ``Origin`` header; None where it has none."""
    try:
        parts = urlsplit(value)
    except ValueError:
        return None
    return f"{parts.scheme}://{parts.netloc}".lower()


def _shown(values: list[str]) -> str:
    return ", ".join(values)[:_SHOWN]
