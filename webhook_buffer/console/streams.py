"""Widgets that are lists of what happened: log lines, and changes of the alarms' states.

Source: Datadog documentation, "List Widget" and "Event Stream Widget".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import islice
from typing import Any

from monitoring.datadog.log_search import matcher
from webhook_buffer.console.log_counts import LogCounts
from webhook_buffer.console.numbers import UnmeasuredError
from webhook_buffer.live.session import Session
from webhook_buffer.operations.logs import Line

Shown = dict[str, Any]

_ROWS, _MOST_LINES = 25, 200
_MOST_CHARACTERS = 2000
# Fields of a line that stand beside it, or say nothing to a person. See lambdas/base/observe.py.
_COMMON = ("at", "level", "event", "service", "env", "function", "_aws")


def streamed(
    definition: Mapping[str, Any], session: Session, counts: LogCounts, start: int, end: int
) -> Shown:
    """The newest of what a widget lists.

    Args:
        start, end: session time.

    Raises:
        UnmeasuredError: When a session does not have it.
    """
    request = (definition.get("requests") or [{}])[0]
    query = request.get("query") or {}
    source = str(query.get("data_source") or definition["type"])
    search = str(query.get("query_string") or definition.get("query") or "")
    if source in ("logs_stream", "log_stream"):
        return _log_lines(search, session, counts, start, end)
    if source in ("event_stream", "event_timeline"):
        return _changes(search, session, start, end)
    if source == "trace_stream" or source.startswith("apm_"):
        raise UnmeasuredError("Traces are not kept in a session.")
    raise UnmeasuredError(f"A session does not have what '{source}' lists.")


def log_lines(search: str, session: Session, counts: LogCounts, start: int, end: int) -> Shown:
    """The newest log lines that match a search, over a stretch of session time.

    Raises:
        QueryError: When the search can't be read.
    """
    matches = matcher(search)
    begin, until = (1000 * session.clock.real(moment) for moment in (start, end))
    lines = (
        line
        for line in reversed(session.lines)
        if begin <= line.at < until and matches(counts.tags(line), line.fields, line.text)
    )
    shown = [_row(session, line) for line in islice(lines, _MOST_LINES + 1)]
    return {"lines": shown[:_MOST_LINES], "more": len(shown) > _MOST_LINES}


def _row(session: Session, line: Line) -> Shown:
    return {
        "at": session.clock.session(line.at / 1000),
        "source": line.function,
        "text": _said(line)[:_MOST_CHARACTERS],
        "level": str(line.fields.get("level", "")),
    }


def _said(line: Line) -> str:
    """A line's event and what it says of it, without what every line has and metrics' metadata."""
    if not line.fields:
        return line.text
    said = {name: value for name, value in line.fields.items() if name not in _COMMON}
    return f"{line.fields['event']} {json.dumps(said, ensure_ascii=False)}"


def _log_lines(search: str, session: Session, counts: LogCounts, start: int, end: int) -> Shown:
    newest = (_row(session, line) for line in counts.newest(session, search, matcher(search)))
    rows = [row for row in newest if start <= row["at"] < end]
    return {"lines": rows, **({} if rows else {"empty": "No such log line."})}


def _changes(search: str, session: Session, start: int, end: int) -> Shown:
    if "event:deployment" in search:
        raise UnmeasuredError("Deployments to the laptop are not recorded as events.")
    named = search.strip().strip('"')
    rows = [
        {"at": change.at, "source": change.alarm, "text": change.state, "level": change.state}
        for change in reversed(session.timeline)
        if named in change.alarm and start <= change.at <= end
    ][:_ROWS]
    return {"lines": rows, **({} if rows else {"empty": "No alarm changed its state."})}
