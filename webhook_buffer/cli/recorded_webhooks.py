"""What ``webhook-buffer webhooks`` prints of records."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from settings.errors import InputError
from webhook_buffer.cli.terminal import console, moment, safe, show
from webhook_buffer.operations import records
from webhook_buffer.operations.environment import Environment
from webhook_buffer.operations.records import Record, Whole

# What of a long body is shown.
BODY_CHARACTERS = 2000
_DAY_MS = 86_400_000


def show_whole(webhook: Whole, *, as_json: bool) -> None:
    """Prints a record with its attempts and its request; as JSON with the whole body."""
    row = _row(webhook.record)
    if as_json:
        print(json.dumps({**row, "attempts": webhook.history, "request": webhook.readable()}))
        return
    rows = [(name, safe(str(value))) for name, value in row.items() if value is not None]
    rows += attempts(webhook.history)
    request = webhook.request
    query = f"?{request['rawQueryString']}" if request.get("rawQueryString") else ""
    rows.append(("request", safe(f"{request.get('httpMethod')} {request.get('path')}{query}")))
    rows.append(body(webhook.body))
    show(rows)


def attempts(history: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The latest attempts, a row each."""
    return [
        (f"attempt {attempt['number']}", f"{moment(attempt['at'])}: {_answer(attempt)}")
        for attempt in history.get("recent", [])
    ]


def body(content: bytes | None) -> tuple[str, str]:
    """The beginning of a body, as a row."""
    if content is None:
        return "body", "not stored, or not kept any more"
    text = content.decode("utf-8", "backslashreplace")
    return f"body ({len(content)} bytes)", safe(text[:BODY_CHARACTERS])


def search(
    target: Environment,
    *,
    group: str | None,
    delivery: str | None,
    since: str | None,
    until: str | None,
    most: int,
    as_json: bool,
) -> None:
    """Prints the records that a search finds.

    Raises:
        InputError: When the words exclude each other, or are not times.
    """
    if group and delivery:
        raise InputError("--group and --delivery exclude each other; pass one of them.")
    end = _milliseconds("--until", until) if until else round(time.time() * 1000)
    start = 0 if group or delivery else end - _DAY_MS
    start = _milliseconds("--since", since) if since else start
    if start > end:
        raise InputError("--since is later than --until.")
    matching = records.search(
        target, group=group, delivery=delivery, since=start, until=end, most=most
    )
    if as_json:
        print(json.dumps([_row(record) for record in matching]))
        return
    for record in matching:
        console.print(_line(record), soft_wrap=True)
    if not matching:
        console.print("No recorded webhook matches.")
    elif len(matching) == most:
        console.print(f"These are the latest {most}; --limit or --until finds others.")


def _milliseconds(option: str, text: str) -> int:
    try:
        at = datetime.fromisoformat(text)
        return round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        raise InputError(
            f"{option}: '{safe(text)}' is not a time such as 2026-11-26T10:00, in UTC."
        ) from None


def _line(record: Record) -> str:
    answer = f", {record.status}" if record.status else ""
    attempted = f"{record.attempts} attempt{'' if record.attempts == 1 else 's'}"
    delivery = f"  delivery {safe(record.delivery)}" if record.delivery else ""
    return (
        f"{moment(record.received_at)}  {record.state:9} {safe(record.id)}  group "
        f"{safe(record.group_id)}  {attempted}{answer}{delivery}"
    )


def _row(record: Record) -> dict[str, Any]:
    delivered = record.delivered_at
    return {
        "id": record.id,
        "group_id": record.group_id,
        "state": record.state,
        "source": record.source or None,
        "delivery_id": record.delivery,
        "attempt_count": record.attempts,
        "status": record.status,
        "received_at": moment(record.received_at),
        "delivered_at": None if delivered is None else moment(delivered),
    }


def _answer(attempt: Mapping[str, Any]) -> str:
    return str(attempt["status"]) if "status" in attempt else safe(str(attempt.get("error")))
