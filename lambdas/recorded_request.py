"""A webhook's request as the record has it: JSON, and its body whole.

A small body stands in the JSON. A larger one is deflated beside it, or in the bucket under the
webhook's id, so that a write to the record costs little whatever the body.
"""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from lambdas.base.envelope import Envelope

# The largest body in the JSON. Source: DynamoDB developer guide, "Read and write operations": a
# write unit is 1 KB.
_PLAIN_BYTES = 1024
# The largest deflated body in the item: above, write units cost more than an object in the bucket.
_ITEM_BYTES = 8192


class Packed(NamedTuple):
    """A request in the parts in which it is kept.

    Attributes:
        text: the request as JSON, in the shape that API Gateway's events have made familiar.
        body_bytes: of a body that the JSON leaves out.
        deflated: that body; empty where the JSON has it.
    """

    text: str
    body_bytes: int = 0
    deflated: bytes = b""

    @property
    def fits(self) -> bool:
        """Whether the item can hold what the JSON leaves out."""
        return len(self.deflated) <= _ITEM_BYTES


def pack(envelope: Envelope) -> Packed:
    """The request of a webhook whose credentials are already left out."""
    headers: dict[str, str] = {}
    for name, value in envelope.headers:
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    parameters: dict[str, str] = {}
    try:
        for name, value in parse_qsl(envelope.query, keep_blank_values=True):
            parameters[name] = f"{parameters[name]},{value}" if name in parameters else value
    except ValueError:
        pass  # more parameters than Python's parser takes: the raw query has them all
    try:
        body, is_base64 = envelope.body.decode(), False
    except UnicodeDecodeError:
        body, is_base64 = base64.b64encode(envelope.body).decode(), True
    plain = len(body) <= _PLAIN_BYTES and len(_json(body).encode()) <= _PLAIN_BYTES
    request: dict[str, Any] = {
        "path": envelope.path,
        "httpMethod": envelope.method,
        "headers": headers,
        "body": body if plain else None,
        # None where there are none, as API Gateway's own events have it.
        "queryStringParameters": parameters or None,
        "rawQueryString": envelope.query,
        "isBase64Encoded": is_base64,
    }
    if plain:
        return Packed(_json(request))
    return Packed(_json(request), len(envelope.body), zlib.compress(envelope.body, 6))


def object_key(message_id: str) -> str:
    """Where the bucket has a webhook's body, deflated."""
    return f"bodies/{message_id}"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
