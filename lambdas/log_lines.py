"""Reading the log lines of our functions.

A line is JSON that a function of ours wrote. What senders put into it is escaped, so it never
becomes a line or a field of its own.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from lambdas.base import aws
from lambdas.base.safe_json import json_object

# Seconds between two pages: FilterLogEvents is limited to 5 calls a second for the whole account
# and region, and others read logs too. Source: CloudWatch Logs user guide, "CloudWatch Logs
# quotas".
_PAUSE = 0.4
_LONGEST_PAUSE = 8.0
_CALL_SECONDS = 10.0


def lines(
    log_group: str, pattern: str, begin: int, end: int, *, until: float
) -> Iterator[dict[str, Any]]:
    """Our lines of a log that match a pattern, page by page.

    Source: CloudWatch Logs API reference, FilterLogEvents: a page has 1 MB or 10,000 events at
    most, may be empty, and is the last one without a token; events later than the end are left out.

    Args:
        begin, end: milliseconds since the epoch; the end is left out.
        until: when to stop reading, by the monotonic clock.

    Raises:
        AwsError: When a page can't be read; ``Timeout`` when the time is over.
    """
    request: dict[str, Any] = {
        "logGroupName": log_group,
        "filterPattern": pattern,
        "startTime": begin,
        "endTime": end - 1,
    }
    pause = _PAUSE
    while True:
        left = until - time.monotonic()
        if left <= 0:
            raise aws.AwsError("Timeout", retryable=True)
        try:
            reply = aws.LOGS.call("FilterLogEvents", request, seconds=_CALL_SECONDS, within=left)
        except aws.AwsError as error:
            if not error.retryable or left <= pause:
                raise
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
            continue
        for event in reply.get("events", ()):
            line = json_object(event["message"])
            if line and isinstance(line.get("event"), str) and isinstance(line.get("at"), int):
                yield line
        if not reply.get("nextToken"):
            return
        request["nextToken"] = reply["nextToken"]
        pause = _PAUSE
        time.sleep(min(pause, left))
