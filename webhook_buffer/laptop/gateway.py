"""API Gateway's front on the laptop: one HTTP API, at any host name, with every path of its own.

The emulator has paths of its own on every host (``/health``, ``/login``, ``/v2``, …), answers
``OPTIONS`` itself and folds trailing slashes. Here requests go to the API's integration past all
that, in the emulator's process: as API Gateway takes them, with its limits.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any
from urllib.parse import parse_qs

from ministack.core.sigv4 import decode_header_value
from ministack.services import apigateway

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]

# Source: API Gateway developer guide, "Quotas for configuring and running an HTTP API": payload
# size, and the total of request line and header values. Assumed: the statuses' numbers.
MAX_BODY_BYTES = 10 * 1024 * 1024
MAX_HEAD_BYTES = 10_240
_BODY_SECONDS = 30.0
_STAGE = "$default"
# They belong to a connection, which ends here. Source: RFC 9110, 7.6.1.
_OF_A_CONNECTION = {
    "connection", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade",
}  # fmt: skip


class RefusedError(Exception):
    """A request that API Gateway answers itself."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class _Method(str):
    """A method that equals no other: the emulator would answer ``OPTIONS`` for an API without a
    CORS configuration, and API Gateway hands it on.

    Source: API Gateway developer guide, "Configure CORS for HTTP APIs": requests are answered for
    an API that has such a configuration; ours have none.
    """

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other


def known(api_id: str) -> bool:
    """Whether the emulator has an HTTP API of this id that serves its own root."""
    return apigateway.find_api_scope(api_id) is not None and _STAGE in apigateway.stages_for_api(
        api_id
    )


class Gateway:
    """An ASGI application: every request goes to one API.

    Args:
        api_id: the API's id now; None while nothing is deployed.
    """

    def __init__(self, api_id: Callable[[], str | None]) -> None:
        self._api_id = api_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            try:
                status, headers, body = await self._answer(scope, receive)
            except RefusedError as refused:
                status, headers = refused.status, {"Content-Type": "application/json"}
                body = json.dumps({"message": refused.message}).encode()
            headers.setdefault("apigw-requestid", base64.b64encode(os.urandom(11)).decode())
            await answer(send, status, headers, body)

    async def _answer(self, scope: Scope, receive: Receive) -> tuple[int, dict[str, Any], bytes]:
        path = _path(scope["raw_path"].decode("ascii"))
        query = scope["query_string"].decode("ascii")
        headers = _headers(scope["headers"])
        if len(path) + len(query) + sum(map(len, headers.values())) > MAX_HEAD_BYTES:
            raise RefusedError(431, "Request Header Fields Too Large")
        body = await _body(receive)
        if body or "transfer-encoding" in headers:
            headers["content-length"] = str(len(body))
        api_id = self._api_id()
        if api_id is None or not known(api_id):
            raise RefusedError(
                503, "Service Unavailable: nothing is deployed here; webhook-buffer up"
            )
        answered: tuple[int, dict[str, Any], bytes] = await apigateway.handle_execute(
            api_id,
            _STAGE,
            apigateway.decode_http_api_path(path),
            _Method(scope["method"]),
            {name: value for name, value in headers.items() if name not in _OF_A_CONNECTION},
            body,
            parse_qs(query, keep_blank_values=True),
            raw_query_string=query,
        )
        return answered


async def answer(send: Send, status: int, headers: Mapping[str, Any], body: bytes) -> None:
    """Sends a whole answer. A header's value may be a list: one line each."""
    lines = [(b"content-length", str(len(body)).encode())]
    for name, value in headers.items():
        values = value if isinstance(value, (list, tuple)) else [value]
        if name.lower() != "content-length":
            lines += [(name.lower().encode(), str(line_value).encode()) for line_value in values]
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": body})


def _path(target: str) -> str:
    """The raw path of a request's target, also where that is a whole URL.

    Source: RFC 9112, 3.2.2: a server takes the absolute form, too.
    """
    if target.startswith("/"):
        return target
    scheme, separator, rest = target.partition("://")
    if not separator or scheme.lower() not in ("http", "https"):
        raise RefusedError(400, "Bad Request")
    return "/" + rest.partition("/")[2]


def _headers(lines: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers as an HTTP API hands them on: small letters, repeated ones joined by a comma.

    Source: API Gateway developer guide, "Create AWS Lambda proxy integrations for HTTP APIs",
    payload format 2.0. Cookies are joined as RFC 9113, 8.2.3 says.
    """
    headers: dict[str, str] = {}
    for raw, value in lines:
        name, text = raw.decode("latin-1").lower(), decode_header_value(value)
        between = "; " if name == "cookie" else ","
        headers[name] = f"{headers[name]}{between}{text}" if name in headers else text
    return headers


async def _body(receive: Receive) -> bytes:
    """The whole body. One that is too large is read to its end, so that its sender gets to read
    the answer, and not kept.
    """
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    raise RefusedError(400, "Bad Request")  # its sender is gone
                size += len(message.get("body", b""))
                chunks.append(message.get("body", b""))
                if size > MAX_BODY_BYTES:
                    chunks.clear()
                if not message.get("more_body"):
                    break
    except TimeoutError:
        raise RefusedError(408, "Request Timeout") from None
    if size > MAX_BODY_BYTES:
        raise RefusedError(413, "Request Entity Too Large")
    return b"".join(chunks)


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        phase = (await receive())["type"]
        await send({"type": f"{phase}.complete"})
        if phase == "lifespan.shutdown":
            return
