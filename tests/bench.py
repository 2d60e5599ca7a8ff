"""``make bench``: what a warm publish costs, as ratios within one run.

Absolute times are this machine's; only the ratios are worth comparing. Runs alternate, so that
a machine that slows down slows both sides.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
from rich.console import Console
from rich.table import Table

from tests.conftest import context, http_event
from webhook_buffer.laptop.emulator import Emulator

WARM_RUNS = 400
WARM_UP = 20

Ratio = tuple[str, list[float], list[float], str]


def main() -> None:
    """Measures and prints."""
    with tempfile.TemporaryDirectory() as folder:
        emulator = Emulator(Path(folder))
        try:
            environ = _environ(emulator.start().endpoint_url)
            ratios = [_warm(environ)]
        finally:
            emulator.stop()
    table = Table()
    for column in ("", "ours (median)", "bare (median)", "ratio", "asked for"):
        table.add_column(column, overflow="fold")
    for name, ours, bare, asked in ratios:
        ratio = statistics.median(one / other for one, other in zip(ours, bare, strict=True))
        ours_ms, bare_ms = (f"{statistics.median(side) * 1000:.1f} ms" for side in (ours, bare))
        table.add_row(name, ours_ms, bare_ms, f"{ratio:.2f}", asked)
    Console().print(table)


def _warm(environ: dict[str, str]) -> Ratio:
    """A warm publish, against a bare ``send_message`` of the same body."""
    os.environ.update(environ)
    # The log is part of the work; where it goes is not.
    sys.stdout, terminal = open(os.devnull, "w"), sys.stdout  # noqa: SIM115, PTH123
    import lambdas.publish as publish

    client: Any = boto3.client("sqs")
    event = http_event({"group_id": "bench", "payload": "x" * 2_000})

    def ours() -> float:
        return _time(lambda: publish.handler(event, context()))

    def bare() -> float:
        return _time(
            lambda: client.send_message(
                QueueUrl=environ["QUEUE_URL"],
                MessageBody=event["body"],
                MessageGroupId="bench",
                MessageDeduplicationId=str(uuid.uuid4()),
            )
        )

    try:
        measured = _alternate(ours, bare, WARM_RUNS, WARM_UP)
    finally:
        sys.stdout.close()
        sys.stdout = terminal
    return "warm publish, to send_message", *measured, "≤ 1.3"


def _alternate(
    ours: Callable[[], float], bare: Callable[[], float], runs: int, warm_up: int
) -> tuple[list[float], list[float]]:
    pairs = [(ours(), bare()) for _ in range(runs + warm_up)][warm_up:]
    return [one for one, _ in pairs], [other for _, other in pairs]


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
