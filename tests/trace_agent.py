"""Datadog's own test agent on 127.0.0.1: takes the spans that functions send, and shows them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3

from tests.waiting import eventually
from webhook_buffer.laptop.programs.process import free_port


@dataclass(frozen=True)
class TraceAgent:
    """A running agent."""

    url: str

    def spans(self) -> list[dict[str, Any]]:
        """Every span received so far, in the order they began."""
        reply = urllib3.request("GET", f"{self.url}/test/traces", timeout=30.0)
        spans = [span for trace in json.loads(reply.data) for span in trace]
        return sorted(spans, key=lambda span: int(span["start"]))


@contextmanager
def trace_agent(folder: Path) -> Iterator[TraceAgent]:
    """An agent on free ports, stopped in the end.

    Args:
        folder: for its files.
    """
    ports: set[int] = set()
    while len(ports) < 3:
        ports.add(free_port())
    port, http, grpc = ports
    command: Sequence[str] = [
        str(Path(sys.executable).with_name("ddapm-test-agent")),
        "--port", str(port), "--otlp-http-port", str(http), "--otlp-grpc-port", str(grpc),
        "--snapshot-dir", str(folder), "--disable-llmobs-data-forwarding",
    ]  # fmt: skip
    log = folder / "agent.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
    agent = TraceAgent(f"http://127.0.0.1:{port}")

    def answers() -> bool:
        assert process.poll() is None, log.read_text()
        try:
            return urllib3.request("GET", f"{agent.url}/info", retries=False).status == 200
        except urllib3.exceptions.HTTPError:
            return False

    try:
        eventually(answers, seconds=60)
        yield agent
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
