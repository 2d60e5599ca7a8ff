"""Datadog's own test agent on 127.0.0.1: takes the spans that functions send, and shows them."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3

from tests.conftest import eventually


@dataclass(frozen=True)
class TraceAgent:
    """A running agent."""

    url: str

    def spans(self) -> list[dict[str, Any]]:
        """Every span received so far, in the order they began."""
        reply = urllib3.request("GET", f"{self.url}/test/traces", retries=False, timeout=5.0)
        spans = [span for trace in json.loads(reply.data) for span in trace]
        return sorted(spans, key=lambda span: int(span["start"]))


@contextmanager
def trace_agent(folder: Path) -> Iterator[TraceAgent]:
    """An agent on free ports, stopped in the end.

    Args:
        folder: for its files.
    """
    port, http, grpc = _free_ports(3)
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
        eventually(answers)
        yield agent
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
