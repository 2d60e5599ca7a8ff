"""What receives from functions on AWS: the extension's metric socket, and the forwarder's lines.

Neither comes from a registry, so neither runs here. These take what the library sends to them, by
the contracts that their sources state.
"""

from __future__ import annotations

import base64
import gzip
import json
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Metric:
    """A value of a distribution, and its tags (``name:value``)."""

    name: str
    value: float
    tags: tuple[str, ...]


@dataclass(frozen=True)
class Forwarded:
    """What the forwarder makes of log lines.

    Attributes:
        spans: with ids as numbers, as an agent has them.
        logs: every other line.
    """

    metrics: list[Metric] = field(default_factory=list)
    spans: list[dict[str, Any]] = field(default_factory=list)
    logs: list[str] = field(default_factory=list)

    def add(self, event: dict[str, Any]) -> None:
        """Sorts the lines of a CloudWatch Logs event into metrics, traces and logs.

        Source: DataDog/datadog-serverless-functions, ``aws/logs_monitoring/steps/splitting.py``
        (``split``, ``extract_metric``, ``extract_trace_payload``), ``steps/handlers/
        awslogs_handler.py`` (``extract_logs``).
        """
        data = json.loads(gzip.decompress(base64.b64decode(event["awslogs"]["data"])))
        for entry in data["logEvents"]:
            line = entry["message"]
            try:
                parsed = json.loads(line)
            except ValueError:
                parsed = None
            if metric := _metric(parsed):
                self.metrics.append(metric)
            elif spans := _spans(parsed):
                self.spans.extend(spans)
            else:
                self.logs.append(line)


def _metric(parsed: Any) -> Metric | None:
    if not isinstance(parsed, dict) or not {"m", "v", "e", "t"} <= parsed.keys():
        return None
    if not isinstance(parsed["t"], list) or not isinstance(parsed["v"], int | float):
        return None
    return Metric(parsed["m"], parsed["v"], tuple(parsed["t"]))


def _spans(parsed: Any) -> list[dict[str, Any]]:
    """The spans of a line with traces, which the forwarder's Go part reads.

    Source: the same repository, ``trace_forwarder/internal/apm/model.go``: ids are hexadecimal
    text of which the last 16 digits count, meta is text, metrics are numbers.
    """
    traces = parsed.get("traces") if isinstance(parsed, dict) else None
    if not isinstance(traces, list) or not traces or not traces[0]:
        return []
    spans = [span for trace in traces for span in trace]
    for span in spans:
        for name in ("trace_id", "span_id", "parent_id"):
            span[name] = int(span.get(name, "0")[-16:], 16)
        assert all(isinstance(value, str) for value in span["meta"].values())
        assert all(isinstance(value, int | float) for value in span.get("metrics", {}).values())
    return spans


def awslogs(group: str, lines: Sequence[str]) -> dict[str, Any]:
    """What CloudWatch Logs hands to a subscription's function.

    Source: CloudWatch Logs user guide, "Real-time processing of log data with subscriptions".
    """
    data = {
        "messageType": "DATA_MESSAGE",
        "owner": "111111111111",
        "logGroup": group,
        "logStream": "2026/11/26/[$LATEST]0",
        "subscriptionFilters": ["datadog"],
        "logEvents": [
            {"id": str(number), "timestamp": 1_795_000_000_000, "message": line}
            for number, line in enumerate(lines)
        ],
    }
    packed = gzip.compress(json.dumps(data).encode())
    return {"awslogs": {"data": base64.b64encode(packed).decode()}}


@dataclass(frozen=True)
class MetricSocket:
    """Receives DogStatsD datagrams, as the extension does on port 8125.

    Source: Datadog documentation, "DogStatsD datagram format":
    ``<name>:<value>|<type>|#<tag>,<tag>``, where the type ``d`` is a distribution.
    """

    port: int
    datagrams: list[str]

    def metrics(self) -> list[Metric]:
        """What came so far."""
        return [_distribution(datagram) for datagram in self.datagrams]


def _distribution(datagram: str) -> Metric:
    head, kind, *rest = datagram.split("|")
    assert kind == "d", datagram
    name, _, value = head.partition(":")
    tags = next((part[1:].split(",") for part in rest if part.startswith("#")), [])
    return Metric(name, float(value), tuple(tags))


@contextmanager
def metric_socket() -> Iterator[MetricSocket]:
    """A socket on a free port of 127.0.0.1, closed in the end."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        receiver = MetricSocket(server.getsockname()[1], [])

        def receive() -> None:
            while datagram := server.recv(65_536):
                receiver.datagrams.append(datagram.decode())

        thread = threading.Thread(target=receive)
        thread.start()
        try:
            yield receiver
        finally:
            # An empty datagram is the end.
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                client.sendto(b"", ("127.0.0.1", receiver.port))
            thread.join(5)
