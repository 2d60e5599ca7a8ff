"""The functions' logs, merged by time."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from sys import intern
from typing import Any

from botocore.exceptions import ClientError

from settings.errors import AwsRefusalError
from webhook_buffer.operations.environment import Environment, aws_errors, not_deployed
from webhook_buffer.operations.refusals import THROTTLED

_POLL_SECONDS = 1.0
# FilterLogEvents is limited for the whole account, and others read logs there too. Source:
# CloudWatch Logs quotas: a few calls a second, by region.
CALLS_PER_MINUTE = 60
_MOST_SECONDS = 60.0
# How much later than another a line may appear that was written before it. Assumed.
LATE_MS = 60_000
# The runtime's own lines and those of Datadog's library, which say nothing of a webhook.
_RUNTIME = (
    "START ", "END ", "REPORT ", "INIT_START ", '{"m":"aws.lambda.', '{"m": "aws.lambda.',
    '{"traces":', '{"traces": ',
)  # fmt: skip
# Shorter than an id, of which each line has its own.
_WORD = 32


@dataclass(frozen=True, slots=True)
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
    target: Environment,
    functions: Sequence[str],
    *,
    since: int,
    runtime: bool = False,
    called: Callable[[], object] = lambda: None,
) -> list[Line]:
    """What functions logged since a moment (milliseconds since the epoch), oldest first.

    Args:
        called: on each call to AWS.

    Raises:
        NotDeployedError: When an environment has no such log.
        WebhookBufferError: When AWS can't be asked.
    """
    lines = [line for function in functions for line in _of(target, function, since, called)]
    kept = [line for line in lines if runtime or not line.text.startswith(_RUNTIME)]
    return sorted(kept, key=lambda line: line.at)


def follow(
    target: Environment,
    functions: Sequence[str],
    *,
    since: int,
    runtime: bool = False,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[Line]:
    """``read`` again and again, each line once, until it has to stop or is interrupted.

    On AWS that costs about ``CALLS_PER_MINUTE`` calls, however many pages there are to read, and
    fewer while AWS throttles them.
    """
    shown: set[tuple[int, str, str]] = set()
    wait = _pause(target, len(functions))
    while not stop():
        calls: list[None] = []
        try:
            lines = read(
                target, functions, since=since, runtime=runtime, called=partial(calls.append, None)
            )
        except AwsRefusalError as error:
            if error.code not in THROTTLED:
                raise
            wait = min(2 * wait, _MOST_SECONDS)
            time.sleep(wait)
            continue
        wait = _pause(target, len(calls))
        for line in lines:
            if _key(line) not in shown:
                yield line
        shown = {_key(line) for line in lines}
        if lines:
            since = max(since, lines[-1].at - LATE_MS)
        time.sleep(wait)


def _pause(target: Environment, calls: int) -> float:
    """Seconds to the next reading after one of so many calls."""
    if target.settings.on_laptop:
        return _POLL_SECONDS
    return max(_POLL_SECONDS, 60 * calls / CALLS_PER_MINUTE)


def _key(line: Line) -> tuple[int, str, str]:
    return line.at, line.function, line.text


def _of(
    target: Environment, function: str, since: int, called: Callable[[], object]
) -> Iterator[Line]:
    group = target.settings.log_group_name(function)
    with aws_errors(target.settings):
        try:
            pages = target.logs.get_paginator("filter_log_events").paginate(
                logGroupName=group, startTime=since
            )
            for page in pages:
                called()
                for event in page["events"]:
                    text = event["message"].rstrip()
                    yield Line(event["timestamp"], function, text, fields_of(text))
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                raise not_deployed(target.settings) from None
            raise


def fields_of(text: str) -> dict[str, Any]:
    """The fields of a line that a function of ours wrote; empty for any other."""
    try:
        document = json.loads(text, object_pairs_hook=_interned)
    except (ValueError, RecursionError):
        return {}
    ours = isinstance(document, dict) and all(
        isinstance(document.get(name), str) for name in ("event", "level")
    )
    return document if ours else {}


def _interned(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose names and words are shared with all other lines: half of a line's memory."""
    return {
        intern(name): intern(value) if isinstance(value, str) and len(value) < _WORD else value
        for name, value in pairs
    }
