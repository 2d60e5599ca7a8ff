"""``make bench``: what a warm publish costs, as ratios within one run.

Absolute times are this machine's; only the ratios are worth comparing. Runs alternate, so that
a machine that slows down slows both sides.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import importlib
import json
import os
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

import boto3
from rich.console import Console
from rich.table import Table

from tests.function_events import context, http_event
from webhook_buffer.laptop.emulator import Emulator

_SECRET = "arn:aws:secretsmanager:us-east-1:000000000000:secret:bench"
WARM_RUNS = 400
WARM_UP = 20


def main() -> None:
    """Measures and prints."""
    with tempfile.TemporaryDirectory() as folder:
        emulator = Emulator(Path(folder))
        try:
            environ = _environ(emulator.start().endpoint_url)
            environ["SOURCES"] = str(_sources(Path(folder)))
            first_read, measured = _warm(environ)
        finally:
            emulator.stop()
    table = Table()
    for column in ("", "median", "to send_message"):
        table.add_column(column, overflow="fold")
    bare = measured["boto3's send_message"]
    for name, seconds in measured.items():
        ratio = statistics.median(
            duration / other for duration, other in zip(seconds, bare, strict=True)
        )
        table.add_row(name, f"{statistics.median(seconds) * 1000:.2f} ms", f"{ratio:.2f}")
    Console().print(table)
    plain, verified = measured["warm publish"], measured["warm publish, verified"]
    ratio = statistics.median(
        duration / other for duration, other in zip(verified, plain, strict=True)
    )
    Console().print(
        f"Verified to not verified: {ratio:.2f}. The secret's first read, once per container: "
        f"{first_read * 1000:.1f} ms.",
        soft_wrap=True,
    )


def _warm(environ: dict[str, str]) -> tuple[float, dict[str, list[float]]]:
    """A warm publish, plain and verified, a bare ``send_message`` of the same body, and the same
    bytes as they are; before them, how long the first read of a secret takes."""
    # The log is part of the work; where it goes is not.
    sys.stdout, terminal = open(os.devnull, "w"), sys.stdout  # noqa: SIM115, PTH123
    os.environ.update(environ)
    verifying = _publish()
    del os.environ["SOURCES"]
    publish = _publish()
    start = time.perf_counter()
    verifying.CONFIG.sources._secrets.get(_SECRET, within=5)
    first_read = time.perf_counter() - start

    client: Any = boto3.client("sqs")
    event = http_event({"group_id": "bench", "payload": "x" * 2_000})
    mac = hmac.new(b"secret", event["body"].encode(), hashlib.sha256).hexdigest()
    signed = {**event, "headers": {"x-hub-signature-256": f"sha256={mac}"}}
    assert verifying.handler(signed, context())["statusCode"] == 200
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
        "warm publish, verified": lambda: verifying.handler(signed, context()),
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
    measured = {
        name: [timings[at] for timings in rounds[WARM_UP:]] for at, name in enumerate(sides)
    }
    return first_read, measured


def _publish() -> ModuleType:
    """``lambdas.publish``, loaded again in the current environment."""
    sys.modules.pop("lambdas.publish", None)
    return importlib.import_module("lambdas.publish")


def _sources(folder: Path) -> Path:
    """A file with a source that is verified with a secret of the emulator's."""
    reply = boto3.client("secretsmanager").create_secret(Name="bench", SecretString="secret")
    assert reply["ARN"].startswith(_SECRET)
    verify = {
        "scheme": "hmac",
        "header": "x-hub-signature-256",
        "prefix": "sha256=",
        "signed": "{body}",
    }
    source = {
        "name": "bench",
        "paths": ["/*"],
        "methods": ["POST"],
        "verify": {**verify, "secretArn": _SECRET},
    }
    file = folder / "sources.json"
    file.write_text(json.dumps([source]))
    return file


def _request(queue_url: str, body: str) -> tuple[bytes, dict[str, str]]:
    """A SendMessage call that is prepared once: only its deduplication id changes."""
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
        "DEDUPLICATION_ID": "[]",
        "RELEASE": "bench",
    }
    os.environ.update(environ)
    attributes: Any = {"FifoQueue": "true"}
    queue = boto3.client("sqs").create_queue(QueueName="bench.fifo", Attributes=attributes)
    return {**os.environ, **environ, "QUEUE_URL": queue["QueueUrl"]}


if __name__ == "__main__":
    main()
