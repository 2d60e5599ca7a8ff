"""Which webhooks an alarm is about, for its notification.

What is parked stands in an index that has no bodies; what waits in the queue, in the lines of
``subscribe``'s log. Group ids come from senders: ``plain`` is how a text may show them.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import quote

from lambdas import aws, log_lines, parked_index

# How many a notification names. One more is looked for: it says that there are more.
MOST = 3

# By what a guide calls them: the kinds of rows, and whether the newest or the oldest are wanted.
_ROWS = {
    "held": (("state",), False),
    "parked": (("aside", "state"), True),
    "expiring": (("held", "aside"), False),
}
# The metric in their log lines. Source: CloudWatch Logs user guide, "Using filter patterns to match
# terms in JSON log events": a field is compared with a number.
_METRICS = {"blocked": "BlockedGroup", "braked": "ParkingBraked"}
WHICH = frozenset((*_ROWS, *_METRICS))

# Rows of a kind that are read: what somebody dropped stays listed, and is passed over.
_MOST_ROWS = 25
# Minutes of the log, counted back from the alarm: mostly the latest are enough.
_LOG_MINUTES = ((5, -1), (15, 5))
# Source: SQS API reference, SendMessage: a group's id has 128 characters at most.
_MOST_CHARACTERS = 128
# What could end a code span, mention somebody, or become a link or markup in a channel.
_ACTIVE = re.compile(r"[^\w.:/#+=-]|:(?=//)", re.ASCII)


class Webhook(NamedTuple):
    """A webhook that blocks, or is parked.

    Attributes:
        since: when its group was held, when it was parked, or when it was received if it waits;
            milliseconds since the epoch, None if not known.
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
        log_group: of ``subscribe``.
        at: when the alarm changed, milliseconds since the epoch.
        within: how long looking may take, seconds.

    Raises:
        AwsError: When they can't be read in that time.
    """
    until = time.monotonic() + within
    if which in _ROWS and table:
        webhooks = _parked(table, *_ROWS[which], until=until)
    elif which in _METRICS and log_group:
        webhooks = _logged(log_group, _METRICS[which], at, until=until)
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


def _logged(log_group: str, metric: str, at: int, *, until: float) -> list[Webhook]:
    """From the latest lines that have a metric; from part of them if there is too little time."""
    for back, forth in _LOG_MINUTES:
        begin, end = (at - 60_000 * minutes for minutes in (back, forth))
        lines: list[dict[str, Any]] = []
        try:
            for line in _with(metric, log_group, begin, end, until):
                lines.append(line)  # one by one: what was read before a failure counts
        except aws.AwsError:
            if not lines:
                raise
        webhooks = [
            _webhook(line["group_id"], line["message_id"], _received_at(line))
            for line in sorted(lines, key=lambda line: line["at"], reverse=True)
        ]
        if webhooks:
            return _once(webhooks)
    return []


def _with(
    metric: str, log_group: str, begin: int, end: int, until: float
) -> Iterator[dict[str, Any]]:
    for line in log_lines.lines(log_group, f"{{ $.{metric} = 1 }}", begin, end, until=until):
        named = isinstance(line.get("group_id"), str) and isinstance(line.get("message_id"), str)
        if named and line.get(metric):
            yield line


def _received_at(line: dict[str, Any]) -> int | None:
    age = line.get("age_ms")
    return line["at"] - age if isinstance(age, int) else None


def _webhook(group_id: str, message_id: str, since: int | None) -> Webhook:
    return Webhook(group_id[:_MOST_CHARACTERS], message_id[:_MOST_CHARACTERS], since)


def _once(webhooks: list[Webhook]) -> list[Webhook]:
    """The first of each message."""
    firsts: dict[str, Webhook] = {}
    for webhook in webhooks:
        firsts.setdefault(webhook.message_id, webhook)
    return list(firsts.values())
