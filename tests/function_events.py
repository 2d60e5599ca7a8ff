"""What Lambda hands to a function: events of the HTTP API, and a context."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

# The deployment's, under the name heartbeat-key.
HEARTBEAT_KEY = "k" * 64


def context(*, seconds: float = 10.0, clock: Callable[[], float] = time.monotonic) -> Any:
    """A Lambda context whose time runs out."""
    deadline = clock() + seconds
    return SimpleNamespace(
        function_name="test-function",
        aws_request_id=str(uuid.uuid4()),
        get_remaining_time_in_millis=lambda: max(0, int((deadline - clock()) * 1000)),
    )


def http_event(
    body: bytes | str | dict[str, Any] = b"",
    *,
    method: str = "POST",
    path: str = "/",
    query: str = "",
    headers: Mapping[str, str] | None = None,
    cookies: list[str] | None = None,
    address: str = "192.0.2.1",
) -> dict[str, Any]:
    """An HTTP API event, payload format 2.0."""
    if isinstance(body, dict):
        body = json.dumps(body)
    binary = isinstance(body, bytes)
    event: dict[str, Any] = {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": query,
        "headers": dict(headers or {}),
        "requestContext": {
            "http": {"method": method, "path": path, "sourceIp": address},
            "timeEpoch": round(time.time() * 1000),
        },
        "body": base64.b64encode(body).decode() if isinstance(body, bytes) else body,
        "isBase64Encoded": binary,
    }
    if cookies:
        event["cookies"] = cookies
    return event


def heartbeat_event(
    body: bytes = b"{}", *, at: float | None = None, key: str = HEARTBEAT_KEY, **event: Any
) -> dict[str, Any]:
    """The event of a heartbeat as the monitoring sends it, proven by a key.

    Args:
        at: when, in seconds since the epoch; now by default.
    """
    sent_at = int(time.time() if at is None else at)
    mac = hmac.new(key.encode(), f"{sent_at}.".encode() + body, hashlib.sha256).hexdigest()
    headers = {"x-buffer-heartbeat": f"{sent_at}.{mac}", **event.pop("headers", {})}
    return http_event(body, headers=headers, **{"path": "/webhook-buffer/heartbeat", **event})
