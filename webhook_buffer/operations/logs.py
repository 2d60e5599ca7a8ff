"""The functions' logs, merged by time."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from webhook_buffer.operations.environment import Environment, aws_errors, not_deployed

_POLL_SECONDS = 1.0
# The runtime's own lines and those of Datadog's library, which say nothing of a webhook.
_RUNTIME = (
    "START ", "END ", "REPORT ", "INIT_START ", '{"m":"aws.lambda.', '{"m": "aws.lambda.',
    '{"traces":', '{"traces": ',
)  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One line of a function's log.

    Attributes:
        at: milliseconds since the epoch.
        function: ``publish``.
        fields: of a JSON line; empty for any other.
    """

    at: int
    function: str
    text: str
    fields: dict[str, Any]


def read(
    target: Environment, functions: Sequence[str], *, since: int, runtime: bool = False
) -> list[Line]:
    """What functions logged since a moment (milliseconds since the epoch), oldest first.

    Raises:
        NotDeployedError: When an environment has no such log.
        WebhookBufferError: When AWS can't be asked.
    """
    lines = [line for function in functions for line in _of(target, function, since)]
    kept = [line for line in lines if runtime or not line.text.startswith(_RUNTIME)]
    return sorted(kept, key=lambda line: line.at)


def follow(
    target: Environment, functions: Sequence[str], *, since: int, runtime: bool = False
) -> Iterator[Line]:
    """``read`` again and again, each line once, until interrupted."""
    shown: set[tuple[int, str, str]] = set()
    while True:
        for line in read(target, functions, since=since, runtime=runtime):
            key = (line.at, line.function, line.text)
            if key not in shown:
                shown.add(key)
                yield line
        time.sleep(_POLL_SECONDS)


def describe(line: Line) -> str:
    """A line for people: time, level, event and fields, or the text as it is."""
    moment = datetime.fromtimestamp(line.at / 1000, UTC).strftime("%H:%M:%S.%f")[:-3]
    if not line.fields:
        return f"{moment} {line.function:12} {line.text}"
    left_out = {"at", "level", "event", "service", "env", "function", "request_id"}
    left_out |= _metrics(line.fields)
    shown = {key: value for key, value in line.fields.items() if key not in left_out}
    rest = " ".join(f"{key}={value}" for key, value in _flat(shown))
    return f"{moment} {line.function:12} {line.fields['level']:7} {line.fields['event']} {rest}"


def _flat(fields: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Fields as queries name them: ``http.status_code`` for ``status_code`` within ``http``."""
    for name, value in fields.items():
        if isinstance(value, dict):
            yield from ((f"{name}.{inner}", deeper) for inner, deeper in value.items())
        else:
            yield name, value


def _metrics(fields: Mapping[str, Any]) -> set[str]:
    """The fields of a line that are there for CloudWatch's metrics alone.

    Source: CloudWatch user guide, "Embedded metric format specification".
    """
    directives = fields.get("_aws", {}).get("CloudWatchMetrics", [])
    return {"_aws"} | {metric["Name"] for one in directives for metric in one["Metrics"]}


def _of(target: Environment, function: str, since: int) -> Iterator[Line]:
    group = target.settings.log_group_name(function)
    with aws_errors(target.settings):
        try:
            pages = target.logs.get_paginator("filter_log_events").paginate(
                logGroupName=group, startTime=since
            )
            for page in pages:
                for event in page["events"]:
                    text = event["message"].rstrip()
                    yield Line(event["timestamp"], function, text, _fields(text))
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                raise not_deployed(target.settings) from None
            raise


def _fields(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except ValueError:
        return {}
    return document if isinstance(document, dict) and "event" in document else {}
