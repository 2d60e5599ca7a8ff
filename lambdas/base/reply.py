"""What a sender is answered, and what is logged of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple


class Reply(NamedTuple):
    """An answer to a request.

    Attributes:
        body: an object goes out as JSON, a text as it is.
        headers: besides Content-Type of JSON and the release.
        fields: what the log line says besides the request's own facts.
        metrics: what the log line counts.
        event: the log line's name; by default whether the webhook was queued.
    """

    status: int
    body: Mapping[str, Any] | str
    headers: Mapping[str, str] = MappingProxyType({})
    fields: Mapping[str, Any] = MappingProxyType({})
    metrics: Mapping[str, float] = MappingProxyType({})
    event: str = "webhook.refused"

    def as_http(self, release: str) -> dict[str, Any]:
        """The answer as an HTTP API takes it from a function."""
        headers = {"X-Buffer-Release": release, **self.headers}
        body = self.body
        if not isinstance(body, str):
            headers = {"Content-Type": "application/json", **headers}
            body = json.dumps(body)
        return {"statusCode": self.status, "headers": headers, "body": body}


def refusal(
    status: int, error: str, headers: Mapping[str, str] | None = None, **fields: Any
) -> Reply:
    """A refusal: what is wrong and what to do, as JSON.

    Args:
        error: in words that contain nothing from the request.
        fields: of the log line.
    """
    return Reply(status, {"error": error}, headers or {}, fields)


def unmatched(error: str, reason: str) -> Reply:
    """The refusal of a request whose path nothing takes.

    It is counted apart: scanners ask for such paths, whoever the senders are.
    """
    return refusal(404, error, reason=reason)._replace(metrics={"Unmatched": 1})


def counted(reply: Reply) -> Reply:
    """An answer to a request of a source, with the count of what it refuses.

    Every refusal of a source has a reason, by which it is counted.
    """
    if reply.event != "webhook.refused":
        return reply
    return reply._replace(metrics={**reply.metrics, "SourceRefused": 1})
