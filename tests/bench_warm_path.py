"""``make bench``: what a warm webhook costs ``publish`` and ``subscribe``: CPU by part, and memory.

SQS, DynamoDB and the backend are one small server in another process, so that its work is not
counted; names are resolved as on Lambda, in a thread, whose work is. Parts are timed by wrapping
their functions: cProfile would count every call in them, and small functions would seem costly.
Times are processor time of this machine; only the shares are worth comparing.
"""

from __future__ import annotations

import base64
import json
import os
import statistics
import subprocess
import sys
import time
import tracemalloc
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from rich.console import Console
from rich.table import Table

from tests.function_events import http_event
from tests.function_modules import function_environ

RUNS = 1000
WARM_UP = 50
_BODY = json.dumps({"id": "bench", "payload": "x" * 2_000}).encode()
_HEADERS = {
    "content-type": "application/json",
    "content-length": str(len(_BODY)),
    "host": "hooks.example.com",
    "user-agent": "GitHub-Hookshot/1",
    "x-github-event": "push",
    "x-hub-signature-256": "sha256=" + "0" * 64,
}
_SERVER = """
import socket, threading
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
body = b'{"MessageId": "m", "SequenceNumber": "1"}'
answer = b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(body) + body
def serve(connection):
    with connection, connection.makefile("rb") as stream:
        while stream.readline():
            length = 0
            while line := stream.readline().rstrip():
                name, _, value = line.lower().partition(b":")
                length = int(value) if name == b"content-length" else length
            stream.read(length)
            connection.sendall(answer)
while True:
    threading.Thread(target=serve, args=server.accept()[:1], daemon=True).start()
"""

# What takes its share, by module and function; what is inside another counts once, there.
_PARTS = {
    "publish": {
        "envelope.Envelope.from_event": "read the event",
        "extract.first": "find group and deduplication id",
        "envelope.pack": "pack the envelope",
        "aws.Service._attempt": "call SQS",
        "sigv4.signed": "sign",
        "http.ask": "exchange with SQS",
        "observe.log": "log",
    },
    "subscribe": {
        "envelope.unpack": "unpack the envelope",
        "dial._resolved": "resolve the backend's name",
        "dial._connected": "connect to the backend",
        "delivery._request": "build the backend's request",
        "http.deliver": "exchange with the backend",
        "record._request": "build the record",
        "aws.Service._attempt": "call DynamoDB",
        "sigv4.signed": "sign",
        "http.ask": "exchange with DynamoDB",
        "observe.log": "log",
    },
}


class Clock:
    """Processor seconds by part; a part's own, without the parts that it calls."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._inside: list[str] = []
        self._since = 0.0

    def switch(self, part: str | None) -> None:
        """Enters a part, or leaves the current one."""
        now = time.process_time()
        if self._inside:
            self.seconds[self._inside[-1]] += now - self._since
        if part is None:
            self._inside.pop()
        else:
            self._inside.append(part)
        self._since = now

    def timed(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def wrapper(*arguments: Any, **named: Any) -> Any:
            self.switch(part)
            try:
                return function(*arguments, **named)
            finally:
                self.switch(None)

        return wrapper


def main() -> None:
    """Measures and prints."""
    with _server() as url:
        os.environ.update(function_environ(url))
        # The log is part of the work; where it goes is not.
        sys.stdout, terminal = open(os.devnull, "w"), sys.stdout  # noqa: SIM115, PTH123
        try:
            measured = {name: _measured(name, call) for name, call in _calls().items()}
        finally:
            sys.stdout.close()
            sys.stdout = terminal
    for name, (rows, memory) in measured.items():
        table = Table(title=f"a warm {name}, {len(_BODY):,} bytes of body (processor time)")
        table.add_column("")
        table.add_column("µs", justify="right")
        table.add_column("share", justify="right")
        whole = rows.pop("whole")
        for part, seconds in [*sorted(rows.items(), key=lambda row: -row[1]), ("whole", whole)]:
            table.add_row(part, f"{seconds * 1e6:.0f}", f"{seconds / whole:.0%}")
        table.add_row("memory at its peak", f"{memory / 1024:.0f} KB", "")
        Console().print(table)


def _calls() -> Mapping[str, Callable[[], object]]:
    import lambdas.publish as publish
    import lambdas.subscribe as subscribe
    from lambdas.base import envelope

    event = http_event(_BODY.decode(), headers=_HEADERS)
    message = envelope.pack(envelope.Envelope.from_event(event))
    record: dict[str, Any] = {
        "messageId": "m",
        "receiptHandle": "h",
        "body": message.text,
        "attributes": {
            "ApproximateReceiveCount": "1",
            "MessageGroupId": "bench",
            "SequenceNumber": "1",
        },
        "messageAttributes": {
            "body": {
                "dataType": "Binary",
                "binaryValue": base64.b64encode(message.body).decode(),
            }
        },
    }

    context = SimpleNamespace(
        function_name="bench", aws_request_id="bench", get_remaining_time_in_millis=lambda: 9_000
    )

    def deliver() -> object:
        now = str(round(time.time() * 1000))
        record["attributes"]["ApproximateFirstReceiveTimestamp"] = now
        return subscribe.handler({"Records": [record]}, context)

    return {"publish": lambda: publish.handler(event, context), "subscribe": deliver}


def _measured(name: str, call: Callable[[], object]) -> tuple[dict[str, float], int]:
    """Medians in seconds, of the whole and of its parts, and bytes at the peak."""
    for _ in range(WARM_UP):
        call()
    whole = statistics.median(_seconds(call) for _ in range(RUNS))
    rounds: defaultdict[str, list[float]] = defaultdict(list)
    clock = Clock()
    with _wrapped(clock, _PARTS[name]):
        for _ in range(RUNS):
            clock.seconds.clear()
            clock.timed("all else", call)()
            for part, seconds in clock.seconds.items():
                rounds[part].append(seconds)
    parts = {part: statistics.median(seconds) for part, seconds in rounds.items()}
    return {**parts, "whole": whole}, _peak(call)


@contextmanager
def _wrapped(clock: Clock, parts: Mapping[str, str]) -> Iterator[None]:
    patches = []
    for path, part in parts.items():
        module, _, attribute = path.partition(".")
        owner: Any = sys.modules[f"lambdas.{module}"]
        *holders, attribute = attribute.split(".")
        for holder in holders:
            owner = getattr(owner, holder)
        patches.append(patch.object(owner, attribute, clock.timed(part, getattr(owner, attribute))))
    for patcher in patches:
        patcher.start()
    try:
        yield
    finally:
        for patcher in patches:
            patcher.stop()


def _seconds(call: Callable[[], object]) -> float:
    start = time.process_time()
    call()
    return time.process_time() - start


def _peak(call: Callable[[], object]) -> int:
    tracemalloc.start()
    call()
    before, _ = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    call()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak - before


@contextmanager
def _server() -> Iterator[str]:
    """The URL of a server that takes everything."""
    with subprocess.Popen(
        [sys.executable, "-c", _SERVER], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


if __name__ == "__main__":
    main()
