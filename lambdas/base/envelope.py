"""The message on the queue: a request exactly as it was received, and back again.

The message body holds a small JSON object (version, method, path, query, headers,
receipt time); the request's body travels beside it as the binary message attribute
``body``, byte for byte, so that binary webhooks need no base64 and reach the same
size as text. When the whole does not fit, the body is compressed. Where a trace is active,
the attribute ``_datadog`` carries it on, if there is room.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from typing import Any, NamedTuple

from lambdas.base.safe_json import json_object

VERSION = 1

# Source: SQS quotas, and API reference, SendMessage, 2026-11-26: a message is at most 1 MiB,
# message attributes included.
MAX_MESSAGE_BYTES = 1_048_576

# A heartbeat has both; ``lambdas/heartbeat_key.py`` says whether it is the monitoring's.
HEARTBEAT_HEADER = "x-buffer-heartbeat"
HEARTBEAT_PATH = "/webhook-buffer/heartbeat"

_BODY_ATTRIBUTE = "body"
_TRACE_ATTRIBUTE = "_datadog"
# What is taken and what is given back; also where a body compresses to less than a message.
# Source: Lambda quotas: 6 MB for a synchronous invocation's payload, so no webhook is bigger.
_MAX_BODY_BYTES = 6 * 1024 * 1024
# The last millisecond of the year 9999, where Python's dates end.
_MAX_RECEIVED_AT = 253_402_300_799_999


class TooLargeError(Exception):
    """When a request does not fit into one SQS message, compressed or not."""


class UncarriableError(Exception):
    """When a request has something that ``unpack`` would not give back."""


class UnreadableError(Exception):
    """When a message is not an envelope this version can read."""


class UnknownVersionError(UnreadableError):
    """When a message is an envelope of a version that a later release may be able to read."""


class Envelope(NamedTuple):
    """One webhook.

    Attributes:
        method: as sent (``POST``).
        path: as the API handed it over, starting with ``/``.
        query: raw query string without ``?``.
        headers: (name, value) pairs in order.
        body: the body's bytes.
        received_at: receipt at the API, milliseconds since the epoch.
        heartbeat: whether it is a test webhook of the monitoring, which counts as no traffic.
        source: the name of the source that took it; empty where none is configured.
        verified: the scheme by which the source was verified; empty where it was not.
        address: of its sender as the API saw it; it stays behind when the webhook is queued.
    """

    method: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    received_at: int
    heartbeat: bool = False
    source: str = ""
    verified: str = ""
    address: str = ""

    @classmethod
    def from_event(cls, event: dict[str, Any], *, prefix: str = "") -> Envelope:
        """The webhook as an HTTP API hands it over.

        Args:
            prefix: what all paths of this environment begin with, which belongs to no webhook.

        Source: API Gateway, payload format version 2.0: header names are lower-cased,
        repeated headers joined with a comma, and cookies moved to a list of their own.
        """
        body = event.get("body") or ""
        headers = list((event.get("headers") or {}).items())
        if event.get("cookies") and not any(name == "cookie" for name, _ in headers):
            headers.append(("cookie", "; ".join(event["cookies"])))
        context = event["requestContext"]
        path = event.get("rawPath") or "/"
        path = path if (inside := below(prefix, path)) is None else inside
        return cls(
            method=context["http"]["method"],
            path=path,
            query=event.get("rawQueryString") or "",
            headers=tuple(headers),
            body=base64.b64decode(body)
            if event.get("isBase64Encoded")
            else body.encode("utf-8", "surrogatepass"),
            received_at=int(context["timeEpoch"]),
            address=context["http"].get("sourceIp", ""),
        )


def below(prefix: str, path: str) -> str | None:
    """The part of a path that follows a prefix, as a path of its own; None if it is outside."""
    if path != prefix and not path.startswith(f"{prefix}/"):
        return None
    return path[len(prefix) :] or "/"


class Message(NamedTuple):
    """The parts of an SQS message: text, the bytes of the ``body`` attribute, and the trace."""

    text: str
    body: bytes
    trace: str = ""

    @property
    def size(self) -> int:
        """Bytes as SQS counts them: text plus each attribute's name, type and value."""
        sizes = [len(self.text.encode())]
        if self.body:
            sizes += [len(_BODY_ATTRIBUTE), len("Binary"), len(self.body)]
        if self.trace:
            sizes += [len(_TRACE_ATTRIBUTE), len("String"), len(self.trace.encode())]
        return sum(sizes)

    @property
    def attributes(self) -> dict[str, dict[str, str]]:
        """The message attributes as SendMessage takes them; SQS refuses empty ones."""
        values = {}
        if self.body:
            value = base64.b64encode(self.body).decode()
            values[_BODY_ATTRIBUTE] = {"DataType": "Binary", "BinaryValue": value}
        if self.trace:
            values[_TRACE_ATTRIBUTE] = {"DataType": "String", "StringValue": self.trace}
        return values


def pack(envelope: Envelope, *, trace: str = "") -> Message:
    """The envelope as an SQS message.

    Args:
        trace: what carries the trace on. It stays behind where the message has no room for it:
            no webhook is refused for its sake.

    Raises:
        TooLargeError: When it does not fit even compressed.
        UncarriableError: When it is not what a request can be.
    """
    if not _is_request(envelope):
        raise UncarriableError
    if len(envelope.body) > _MAX_BODY_BYTES:
        raise TooLargeError
    message = _message(envelope, envelope.body, None)
    if message.size > MAX_MESSAGE_BYTES:
        message = _message(envelope, zlib.compress(envelope.body, 6), "deflate")
    if message.size > MAX_MESSAGE_BYTES:
        raise TooLargeError
    traced = message._replace(trace=trace)
    return traced if traced.size <= MAX_MESSAGE_BYTES else message


def received(message: Mapping[str, Any]) -> Envelope:
    """The envelope of a message as the event source hands it over.

    Raises:
        UnreadableError: When it is not one, or of an unknown version.
    """
    attribute = message.get("messageAttributes", {}).get(_BODY_ATTRIBUTE)
    try:
        body = base64.b64decode(attribute["binaryValue"], validate=True) if attribute else b""
    except (KeyError, TypeError, ValueError):
        raise UnreadableError("the attribute 'body' is not binary") from None
    return unpack(message["body"], body)


def unpack(text: str, body: bytes) -> Envelope:
    """The envelope from an SQS message's text and ``body`` attribute.

    Raises:
        UnreadableError: When the text is not an envelope, or its version is unknown.
    """
    fields = json_object(text)
    if fields is None or "v" not in fields:
        raise UnreadableError("the message is not a webhook-buffer envelope")
    # Every version that was ever written is read here: its messages may wait for 14 days.
    if fields["v"] != VERSION:
        raise UnknownVersionError(f"envelope version {fields['v']!r} is not {VERSION}")
    try:
        envelope = Envelope(
            method=fields["method"],
            path=fields["path"],
            query=fields["query"],
            headers=tuple((name, value) for name, value in fields["headers"]),
            body=inflated(body) if fields.get("encoding") == "deflate" else body,
            received_at=fields["received_at"],
            heartbeat=fields.get("heartbeat") is True,
            source=fields.get("source", ""),
            verified=fields.get("verified", ""),
        )
    except (KeyError, TypeError, ValueError, zlib.error):
        raise UnreadableError("the envelope is damaged") from None
    if not _is_request(envelope):
        raise UnreadableError("the envelope is damaged")
    return envelope


def _is_request(envelope: Envelope) -> bool:
    """Whether each part is of the kind that a request has, so that all that reads it can."""
    texts = (
        envelope.method,
        envelope.path,
        envelope.query,
        envelope.source,
        envelope.verified,
        *(text for pair in envelope.headers for text in pair),
    )
    # Not isinstance: a bool is an int to it.
    is_time = type(envelope.received_at) is int and 0 <= envelope.received_at <= _MAX_RECEIVED_AT
    return is_time and all(isinstance(text, str) for text in texts)


def _message(envelope: Envelope, body: bytes, encoding: str | None) -> Message:
    fields = {
        "v": VERSION,
        "method": envelope.method,
        "path": envelope.path,
        "query": envelope.query,
        "headers": envelope.headers,
        "received_at": envelope.received_at,
    }
    if envelope.heartbeat:
        fields["heartbeat"] = True
    if envelope.source:
        fields["source"] = envelope.source
    if envelope.verified:
        fields["verified"] = envelope.verified
    if encoding:
        fields["encoding"] = encoding
    # ASCII only: SQS refuses some Unicode characters, JSON escapes them all.
    return Message(text=json.dumps(fields, separators=(",", ":")), body=body)


def inflated(body: bytes) -> bytes:
    """A body that was deflated, as large as a webhook's can be.

    Raises:
        ValueError: When it is larger, or cut.
        zlib.error: When it is damaged.
    """
    inflater = zlib.decompressobj()
    whole = inflater.decompress(body, _MAX_BODY_BYTES)
    if not inflater.eof:
        raise ValueError
    return whole
