"""One delivery attempt: an HTTP request to the backend that ends before its deadline.

It goes over a connection of its own, as the webhook's bytes and headers stand, and is never
repeated here, which would break the order.
"""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from lambdas.base import http
from lambdas.base.backend_url import Backend
from lambdas.base.envelope import Envelope

# Source: RFC 9110, 7.6.1, and RFC 2616, 13.5.1, for the older ones. Content-Length and Host are
# written afresh; Expect was answered by the API already.
_HOP_BY_HOP = frozenset(
    {
        "connection", "keep-alive", "proxy-authenticate", "proxy-authorization",
        "proxy-connection", "te", "trailer", "trailers", "transfer-encoding", "upgrade",
        "host", "content-length", "expect",
    }
)  # fmt: skip
_OURS = "x-buffer-"
# What continues a trace; see ``lambdas/base/tracing.py``.
_TRACE = re.compile("x-datadog-.+|traceparent|tracestate")
# Servers of the CGI family hand headers over as variables, in which these characters are alike.
# Source: RFC 3875, 4.1.18, for the hyphen.
_FOLDED = re.compile("[^0-9a-z]")
# What the headers of Standard Webhooks begin with; see ``lambdas/signing.py``.
_SIGNATURE = "webhook-"
_ORIGINAL = "X-Buffer-Original-"

_CONNECT_SECONDS = 3.0
# How long the rest of an answer may take, which no longer affects the result.
_DRAIN_SECONDS = 0.5


class Outcome(NamedTuple):
    """The result of an attempt: a status, or the class of a network error.

    Attributes:
        started_at: milliseconds since the epoch.
        duration_ms: from connecting to the answer's status.
        status: the backend's HTTP status; None when no answer arrived.
        error: the ``kind`` of ``lambdas.base.http.HttpError``; None with a status.
        retry_after: the answer's Retry-After header, unread.
    """

    started_at: int
    duration_ms: float
    status: int | None = None
    error: str | None = None
    retry_after: str | None = None

    @property
    def delivered(self) -> bool:
        """2xx, and nothing else."""
        return self.status is not None and 200 <= self.status < 300


def attempt(
    backend: Backend, envelope: Envelope, extra: Mapping[str, str], *, seconds: float
) -> Outcome:
    """Sends one webhook and waits for the status.

    Args:
        backend: where to.
        envelope: the webhook.
        extra: the ``X-Buffer-*`` headers, and those that take the place of the webhook's own.
        seconds: for everything: name resolution, connecting, TLS, sending, the answer.
    """
    started_at = round(time.time() * 1000)
    started = time.monotonic()

    def duration(until: float) -> float:
        return round((until - started) * 1000, 1)

    try:
        answer = http.deliver(
            http.Origin(backend.scheme, backend.host, backend.port),
            _request(backend, envelope, extra),
            seconds=seconds,
            connect_seconds=min(seconds, _CONNECT_SECONDS),
            drain_seconds=_DRAIN_SECONDS,
        )
    except http.HttpError as error:
        return Outcome(
            started_at=started_at, duration_ms=duration(time.monotonic()), error=error.kind
        )
    return Outcome(
        started_at=started_at,
        duration_ms=duration(answer.at),
        status=answer.status,
        retry_after=answer.headers.get("retry-after"),
    )


def forwarded(
    headers: Iterable[tuple[str, str]], *, signed: Collection[str] = ()
) -> list[tuple[str, bytes]]:
    """The webhook's own headers as they go out.

    Hop-by-hop headers and those that ``Connection`` names stay behind; so do names that are
    ours, or that a backend could take for ours, and what HTTP does not allow, which would
    otherwise block the group forever.

    Args:
        signed: names of the headers of our signature, in lower case; the sender's own go out
            under others.
    """
    pairs = list(headers)
    named = {
        token.strip().lower()
        for name, value in pairs
        if name.lower() == "connection"
        for token in value.split(",")
    }
    sent = []
    for name, value in pairs:
        lowered = name.lower()
        if lowered in _HOP_BY_HOP or lowered in named or _passes_for_ours(lowered, signed):
            continue
        if lowered in signed:
            name = _ORIGINAL + lowered.title()
        if http.HEADER_NAME.fullmatch(name) and not any(char in value for char in "\r\n\0"):
            sent.append((name, value.encode("utf-8", "surrogatepass")))
    return sent


def _passes_for_ours(name: str, signed: Collection[str]) -> bool:
    """Whether a name, in lower case, is ours or is folded onto one of ours."""
    folded = _FOLDED.sub("-", name)
    if folded == name:
        return name.startswith(_OURS)
    return folded.startswith(_OURS) or folded in signed or bool(_TRACE.fullmatch(folded))


def _request(backend: Backend, envelope: Envelope, extra: Mapping[str, str]) -> http.Request:
    """The request as it goes out.

    Raises:
        HttpError: When HTTP has no form for its method or target.
    """
    ours = {name.lower() for name in extra}
    headers = [("Host", backend.host_header.encode())]
    signed = {name for name in ours if name.startswith(_SIGNATURE)}
    own = forwarded(envelope.headers, signed=signed)
    headers += [pair for pair in own if pair[0].lower() not in ours]
    headers += [(name, text.encode()) for name, text in extra.items()]
    if envelope.body or envelope.method not in ("GET", "HEAD", "OPTIONS", "TRACE"):
        headers.append(("Content-Length", str(len(envelope.body)).encode()))
    headers.append(("Connection", b"close"))
    target = backend.target(envelope.path, envelope.query)
    return http.Request.of(envelope.method, target, headers, envelope.body)
