"""``make bench``: what a warm publish costs, as ratios within one run.

Absolute times are this machine's; only the ratios are worth comparing. Runs alternate, so that
a machine that slows down slows both sides.
"""

from __future__ import annotations

import http.client
import json
import os
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from rich.console import Console
from rich.table import Table

from tests.conftest import context, http_event
from webhook_buffer.laptop.emulator import Emulator

WARM_RUNS = 400
WARM_UP = 20


def main() -> None:
    """Measures and prints."""
    with tempfile.TemporaryDirectory() as folder:
        emulator = Emulator(Path(folder))
        try:
            environ = _environ(emulator.start().endpoint_url)
            measured = _warm(environ)
        finally:
            emulator.stop()
    table = Table()
    for column in ("", "median", "to send_message"):
        table.add_column(column, overflow="fold")
    bare = measured["boto3's send_message"]
    for name, seconds in measured.items():
        ratio = statistics.median(one / other for one, other in zip(seconds, bare, strict=True))
        table.add_row(name, f"{statistics.median(seconds) * 1000:.2f} ms", f"{ratio:.2f}")
    Console().print(table)


def _warm(environ: dict[str, str]) -> dict[str, list[float]]:
    """A warm publish, a bare ``send_message`` of the same body, and the same bytes as they are."""
    os.environ.update(environ)
    # The log is part of the work; where it goes is not.
    sys.stdout, terminal = open(os.devnull, "w"), sys.stdout  # noqa: SIM115, PTH123
    import lambdas.publish as publish

    client: Any = boto3.client("sqs")
    event = http_event({"group_id": "bench", "payload": "x" * 2_000})
    parts = urlsplit(environ["AWS_ENDPOINT_URL"])
    connection = http.client.HTTPConnection(parts.netloc)

    def send_message() -> None:
        client.send_message(
            QueueUrl=environ["QUEUE_URL"],
            MessageBody=event["body"],
            MessageGroupId="bench",
            MessageDeduplicationId=str(uuid.uuid4()),
        )

    def floor() -> None:
        connection.request("POST", "/", *_request(environ["QUEUE_URL"], event["body"]))
        connection.getresponse().read()

    sides = {
        "warm publish": lambda: publish.handler(event, context()),
        "boto3's send_message": send_message,
        "the same bytes by http.client": floor,
    }
    rounds = []
    try:
        for _ in range(WARM_RUNS + WARM_UP):
            rounds.append([_time(call) for call in sides.values()])
    finally:
        connection.close()
        sys.stdout.close()
        sys.stdout = terminal
    return {name: [one[at] for one in rounds[WARM_UP:]] for at, name in enumerate(sides)}


def _request(queue_url: str, body: str) -> tuple[bytes, dict[str, str]]:
    """A SendMessage call that is not worked out anew: only its deduplication id is."""
    parameters = {
        "QueueUrl": queue_url,
        "MessageBody": body,
        "MessageGroupId": "bench",
        "MessageDeduplicationId": str(uuid.uuid4()),
    }
    scope = "Credential=test/20261126/us-east-1/sqs/aws4_request"
    headers = {
        "Content-Type": "application/x-amz-json-1.0",
        "X-Amz-Target": "AmazonSQS.SendMessage",
        "Authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0",
    }
    return json.dumps(parameters).encode(), headers


def _time(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _environ(endpoint_url: str) -> dict[str, str]:
    environ = {
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "SENTRY_DSN": "https://key@127.0.0.1/1",
        "GROUP_ID": '["json:group_id"]',
        "GROUP_ID_MISSING": "own",
        "HEARTBEATS": "true",
        "DEDUPLICATION_ID": "[]",
        "RELEASE": "bench",
    }
    os.environ.update(environ)
    attributes: Any = {"FifoQueue": "true"}
    queue = boto3.client("sqs").create_queue(QueueName="bench.fifo", Attributes=attributes)
    return {**os.environ, **environ, "QUEUE_URL": queue["QueueUrl"]}


if __name__ == "__main__":
    main()
