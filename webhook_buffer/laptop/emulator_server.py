"""The emulator as a program: ministack behind a guard, and public webhook endpoints beside it.

``python -m webhook_buffer.laptop.emulator_server``; its variables are those of ministack. The
endpoints are asked for under ``ENDPOINTS_PATH``: ``PUT`` ``{"port": 4560, "api": "a1b2c3d4"}``.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import resource
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hypercorn.asyncio import serve
from hypercorn.config import Config
from ministack.app import app as ministack
from ministack.core.sigv4 import decode_header_value
from ministack.services.cloudformation import provisioners

from webhook_buffer.laptop import function_logs, function_updates
from webhook_buffer.laptop.emulator import ENDPOINTS_PATH
from webhook_buffer.laptop.gateway import Gateway, Receive, Scope, Send, answer, known
from webhook_buffer.laptop.programs import guard
from webhook_buffer.laptop.programs.process import HOST

_API_HOST = re.compile(r"([a-z0-9]+)\.execute-api\.localhost(?::\d+)?")
# Longer than a function runs. Headers have to arrive within it, too.
_KEEP_ALIVE_SECONDS = 75
_JSON = {"Content-Type": "application/json"}
# ministack refuses the name of a bucket that is there also where a stack takes it over, which AWS
# does. A bucket that is created under a name of another fails all the same.
provisioners.s3_bucket_name_conflict = lambda _: None
function_logs.install()
function_updates.install()


@dataclass
class _Endpoint:
    port: int
    api_id: str | None
    serving: asyncio.Task[None]
    stop: asyncio.Event


class Endpoints:
    """The public endpoints, by environment. Each listens on a port of its own."""

    def __init__(self) -> None:
        self._endpoints: dict[str, _Endpoint] = {}

    async def put(self, environment: str, port: int, api_id: str | None) -> int:
        """Lets an environment's endpoint listen on a port (0: any), in front of an API.

        Raises:
            OSError: When the port is taken.
        """
        before = self._endpoints.get(environment)
        if before and port in (0, before.port):
            before.api_id = api_id or before.api_id
            return before.port
        listening = socket.create_server((HOST, port))
        port = listening.getsockname()[1]
        config = _config(f"fd://{listening.detach()}")
        app: Any = Gateway(lambda: self._endpoints[environment].api_id)
        stop = asyncio.Event()
        serving = asyncio.create_task(serve(app, config, shutdown_trigger=stop.wait))
        self._endpoints[environment] = _Endpoint(port, api_id, serving, stop)
        if before:
            before.stop.set()
        return port

    async def close(self) -> None:
        """Stops listening."""
        for endpoint in self._endpoints.values():
            endpoint.stop.set()
        await asyncio.gather(*(endpoint.serving for endpoint in self._endpoints.values()))


class Server:
    """An ASGI application: the emulator's own port.

    Host names of HTTP APIs lead to these, like the public endpoints. All else is the emulator,
    which no web page of another origin may reach.
    """

    def __init__(self, endpoints: Endpoints) -> None:
        self._endpoints = endpoints

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await ministack(scope, receive, send)
            return
        headers = [
            (name.decode("latin-1").lower(), decode_header_value(value))
            for name, value in scope["headers"]
        ]
        reason = guard.refusal(headers)
        if scope["type"] == "http":
            api_id = _api_of(headers)
            if api_id:
                await Gateway(lambda: api_id)(scope, receive, send)
            elif reason:
                await answer(send, guard.STATUS, _JSON, guard.body(reason))
            elif scope["path"].startswith(ENDPOINTS_PATH):
                await self._administer(scope, receive, send)
            else:
                await ministack(scope, receive, _without_cors(send))
        elif reason:
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            await ministack(scope, receive, send)

    async def _administer(self, scope: Scope, receive: Receive, send: Send) -> None:
        message = await receive()
        try:
            asked = json.loads(message["body"])
            port = await self._endpoints.put(
                scope["path"].removeprefix(ENDPOINTS_PATH), asked["port"], asked["api"]
            )
        except OSError as error:
            reply = json.dumps({"error": error.strerror}).encode()
            await answer(send, 409, _JSON, reply)
            return
        await answer(send, 200, _JSON, json.dumps({"port": port}).encode())


def _api_of(headers: list[tuple[str, str]]) -> str | None:
    """The API whose own host name a request bears."""
    hosts = [value for name, value in headers if name == "host"]
    named = _API_HOST.fullmatch(hosts[0].lower()) if len(hosts) == 1 else None
    return named[1] if named and known(named[1]) else None


def _without_cors(send: Send) -> Send:
    """``send`` without the permissions that the emulator gives to every page."""

    async def sending(message: Mapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            kept = [
                (name, value)
                for name, value in message.get("headers", [])
                if not name.lower().startswith(b"access-control-")
            ]
            message = {**message, "headers": kept}
        await send(message)

    return sending


def _config(bind: str) -> Config:
    config = Config()
    config.bind = [bind]
    config.keep_alive_timeout = _KEEP_ALIVE_SECONDS
    config.read_timeout = _KEEP_ALIVE_SECONDS
    config.loglevel = os.environ["LOG_LEVEL"]
    return config


async def _run() -> None:
    endpoints = Endpoints()
    server: Any = Server(endpoints)
    await serve(server, _config(f"{HOST}:{os.environ['GATEWAY_PORT']}"))
    await endpoints.close()


def main() -> None:
    """Serves until it is terminated."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # one per connection
    # What is written into the present folder belongs there.
    os.chdir(os.environ["TMPDIR"])
    asyncio.run(_run())


if __name__ == "__main__":
    main()
