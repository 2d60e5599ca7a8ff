"""Who may ask the console: this machine's user, with the token, from the console's own page."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from webhook_buffer.laptop.programs import guard

# Source: W3C, "Content Security Policy Level 3"; OWASP Secure Headers Project. Styles of elements
# are set through the CSSOM, which the policy allows.
_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; "
        "object-src 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_MOST_BYTES = 64 * 1024
_READING = ("GET", "HEAD")


class Guarded:
    """An application behind the token that its paths begin with.

    Args:
        writes: whether anything but reading is allowed.
    """

    def __init__(self, app: ASGIApp, token: str, *, writes: bool) -> None:
        self._app, self._token, self._writes = app, token, writes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        headers = [
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]
        ]
        refused = self._refused(scope, headers)
        if refused:
            await _answer(send, *refused)
            return
        inner = dict(scope)
        inner["path"] = scope["path"][len(self._token) + 1 :]
        inner["raw_path"] = inner["path"].encode()

        async def sending(message: Message) -> None:
            await send(_with_headers(message))

        await self._app(inner, receive, sending)

    def _refused(self, scope: Scope, headers: list[tuple[str, str]]) -> tuple[int, str] | None:
        reason = guard.refusal(headers)
        if reason:
            return guard.STATUS, f"Refused: {reason}"
        token, slash, _ = scope["path"].removeprefix("/").partition("/")
        if not slash or not hmac.compare_digest(token.encode(), self._token.encode()):
            return 404, "Open the address that this command prints: webhook-buffer console"
        if scope["method"] in _READING:
            return None
        if not self._writes:
            return 405, "This console only reads."
        values = {name.lower(): value for name, value in headers}
        if values.get("content-type", "").partition(";")[0].strip() != "application/json":
            return 415, "Send JSON."
        length = values.get("content-length", "")
        if not length.isdecimal() or len(length) > 9 or int(length) > _MOST_BYTES:
            return 413, f"Send at most {_MOST_BYTES} bytes, with a Content-Length."
        return None


def _with_headers(message: Message) -> Message:
    if message["type"] != "http.response.start":
        return message
    own = [(name.lower().encode(), value.encode()) for name, value in _HEADERS.items()]
    names = {name for name, _ in own}
    kept = [(name, value) for name, value in message["headers"] if name.lower() not in names]
    return {**message, "headers": [*kept, *own]}


async def _answer(send: Send, status: int, reason: str) -> None:
    body = json.dumps({"error": reason}).encode()
    headers: list[Any] = [
        (b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())
    ]  # fmt: skip
    await send(_with_headers({"type": "http.response.start", "status": status, "headers": headers}))
    await send({"type": "http.response.body", "body": body})
