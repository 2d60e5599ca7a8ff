"""Which webhooks an alarm is about, for its notification.

What is parked stands in an index that has no bodies; what waits in the queue, and whether it still
does, in the lines of ``subscribe``'s log; what is lost, in those of the audit's. Group ids come
from senders: ``plain`` is how a text may show them.
"""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import quote

from lambdas import log_lines, parked_index
from lambdas.base import aws

# How many a notification names. One more is looked for: it says that there are more.
MOST = 3

# By what a guide calls them: the kinds of rows, and whether the newest or the oldest are wanted.
_ROWS = {
    "held": (("state",), False),
    "parked": (("aside", "state"), True),
    "expiring": (("held", "aside"), False),
}
# What their log lines have: a metric, or an event's name. Source: CloudWatch Logs user guide,
# "Using filter patterns to match terms in JSON log events".
_LINES: dict[str, tuple[str, int | str]] = {
    "blocked": ("BlockedGroup", 1),
    "braked": ("ParkingBraked", 1),
    "lost": ("event", "webhook.lost"),
}
WHICH = frozenset((*_ROWS, *_LINES))
# Whose ids a pattern of 1,024 characters has room for.
# Source: CloudWatch Logs API reference, FilterLogEvents.
_MOST_ASKED = 6
# After one of these a message waits no more.
_GONE = frozenset(("webhook.delivered", "webhook.already-delivered", "webhook.parked"))

# Rows of a kind that are read: what somebody dropped stays listed, and is passed over.
_MOST_ROWS = 25
# Minutes of a log, counted back from the alarm: mostly the latest are enough. The audit names a
# lost webhook once, and counts it for six hours.
_LOG_MINUTES = ((5, -1), (15, 5))
_AUDIT_MINUTES = ((60, -1), (420, 60))
# Source: SQS API reference, SendMessage: a group's id has 128 characters at most.
_MOST_CHARACTERS = 128
# What could end a code span, mention somebody, or become a link or markup in a channel.
_ACTIVE = re.compile(r"[^\w.:/#+=-]|:(?=//)", re.ASCII)


class Webhook(NamedTuple):
    """A webhook that blocks, is parked, or is lost.

    Attributes:
        since: when its group was held, when it was parked, or when it was received if it waits or
            is lost; milliseconds since the epoch, None if not known.
    """

    group_id: str
    message_id: str
    since: int | None


def look(
    which: str, *, table: str, log_group: str | None, at: int, within: float
) -> tuple[Webhook, ...]:
    """The webhooks that a guide asks for, one more than ``MOST`` at most.

    Args:
        which: one of ``WHICH``; of another there are none.
        table: of parked webhooks.
        log_group: of ``subscribe``; of the audit for what is lost.
        at: when the alarm changed, milliseconds since the epoch.
        within: how long looking may take, seconds.

    Raises:
        AwsError: When they can't be read in that time.
    """
    until = time.monotonic() + within
    if which in _ROWS and table:
        webhooks = _parked(table, *_ROWS[which], until=until)
    elif which in _LINES and log_group:
        minutes = _AUDIT_MINUTES if which == "lost" else _LOG_MINUTES
        webhooks = _logged(log_group, _LINES[which], minutes, at, until=until)
    else:
        webhooks = []
    return tuple(webhooks[: MOST + 1])


def plain(text: str) -> str:
    """An id as a text may show it: what a channel would act on is percent-encoded."""
    return _ACTIVE.sub(lambda match: quote(match[0], safe=""), text)


def _parked(table: str, kinds: tuple[str, ...], newest: bool, *, until: float) -> list[Webhook]:
    now = round(time.time() * 1000)
    rows = [
        row
        for kind in kinds
        for row in parked_index.rows(
            table, kind, before=now, newest=newest, most=_MOST_ROWS, until=until
        )
        if "dropped_at" not in row
    ]
    try:
        webhooks = [
            _webhook(row["group_id"]["S"], row["id"]["S"], int(row["parked_at"]["N"]))
            for row in rows
        ]
    except (KeyError, TypeError, ValueError):
        raise aws.AwsError("UnreadableRow", retryable=False) from None
    return _once(sorted(webhooks, key=lambda webhook: webhook.since or 0, reverse=newest))


def _logged(
    log_group: str,
    sought: tuple[str, int | str],
    minutes: tuple[tuple[int, int], ...],
    at: int,
    *,
    until: float,
) -> list[Webhook]:
    """From the latest lines with a field's value; from part of them if there is too little time."""
    for back, forth in minutes:
        begin, end = (at - 60_000 * minutes for minutes in (back, forth))
        lines: list[dict[str, Any]] = []
        try:
            for line in _with(sought, log_group, begin, end, until):
                lines.append(line)  # one by one: what was read before a failure counts
        except aws.AwsError:
            if not lines:
                raise
        webhooks = _once(
            [
                _webhook(line["group_id"], line["message_id"], _received_at(line))
                for line in sorted(lines, key=lambda line: line["at"], reverse=True)
            ]
        )
        if sought != _LINES["lost"]:
            webhooks = _waiting(log_group, webhooks, begin, at + 60_000, until=until)
        if webhooks:
            return webhooks
    return []


def _waiting(
    log_group: str, webhooks: list[Webhook], begin: int, end: int, *, until: float
) -> list[Webhook]:
    """Those that wait still, by the log; all of them where there is too little time to see."""
    some = webhooks[:_MOST_ASKED]
    if not some:
        return []
    pattern = " || ".join(f"$.message_id = {json.dumps(webhook.message_id)}" for webhook in some)
    gone = set()
    with contextlib.suppress(aws.AwsError):
        for line in log_lines.lines(log_group, f"{{ {pattern} }}", begin, end, until=until):
            if line["event"] in _GONE:
                gone.add(line.get("message_id"))
    return [webhook for webhook in some if webhook.message_id not in gone]


def _with(
    sought: tuple[str, int | str], log_group: str, begin: int, end: int, until: float
) -> Iterator[dict[str, Any]]:
    name, value = sought
    pattern = f"{{ $.{name} = {json.dumps(value)} }}"
    for line in log_lines.lines(log_group, pattern, begin, end, until=until):
        named = isinstance(line.get("group_id"), str) and isinstance(line.get("message_id"), str)
        if named and line.get(name) == value:
            yield line


def _received_at(line: dict[str, Any]) -> int | None:
    age, since = line.get("age_ms"), line.get("since")
    if isinstance(age, int):
        return int(line["at"]) - age
    try:
        return round(1000 * datetime.fromisoformat(since).timestamp()) if since else None
    except (TypeError, ValueError):
        return None


def _webhook(group_id: str, message_id: str, since: int | None) -> Webhook:
    return Webhook(group_id[:_MOST_CHARACTERS], message_id[:_MOST_CHARACTERS], since)


def _once(webhooks: list[Webhook]) -> list[Webhook]:
    """The first of each message."""
    firsts: dict[str, Webhook] = {}
    for webhook in webhooks:
        firsts.setdefault(webhook.message_id, webhook)
    return list(firsts.values())
