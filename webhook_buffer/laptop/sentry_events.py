"""Sentry's events, out of what its SDK posts.

Source: Sentry's developer documentation, "Envelopes": a header, then items of a header and a
payload each, one JSON document a line where no length says otherwise.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator
from io import BytesIO
from typing import Any

# A project's envelopes, whatever the project.
_PATH = re.compile(r"/api/\d+/envelope/")
_MOST_BYTES = 1024 * 1024
_GZIP = 16 + zlib.MAX_WBITS


def is_envelope(path: str) -> bool:
    """Whether the SDK posts to this path."""
    return bool(_PATH.fullmatch(path.partition("?")[0]))


def events(body: bytes, encoding: str) -> list[dict[str, Any]]:
    """The events of an envelope; none where it can't be read.

    Args:
        encoding: of the body, as its header says.
    """
    try:
        return list(_events(_plain(body, encoding)))
    except (ValueError, zlib.error, RecursionError):
        return []


def _plain(body: bytes, encoding: str) -> bytes:
    if not encoding:
        if len(body) > _MOST_BYTES:
            raise ValueError("it is too long")
        return body
    if encoding != "gzip":
        raise ValueError(f"it is encoded with {encoding}")
    reader = zlib.decompressobj(_GZIP)
    plain = reader.decompress(body, _MOST_BYTES)
    if reader.unconsumed_tail:
        raise ValueError("it is too long")
    return plain


def _events(envelope: bytes) -> Iterator[dict[str, Any]]:
    rest = BytesIO(envelope)
    rest.readline()
    while head := rest.readline():
        if not head.strip():
            continue
        header = json.loads(head)
        if not isinstance(header, dict):
            raise ValueError("an item has no header")
        length = header.get("length")
        if isinstance(length, int) and length >= 0:
            payload = rest.read(min(length, _MOST_BYTES))
        else:
            payload = rest.readline()
        event = json.loads(payload) if header.get("type") == "event" else None
        if isinstance(event, dict):
            yield event
