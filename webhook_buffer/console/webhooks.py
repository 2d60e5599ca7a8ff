"""Webhooks as a person looks for them: those that retry first, found by any id that is known."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from webhook_buffer.laptop.practice import RECEIVED, entries
from webhook_buffer.live.session import Session
from webhook_buffer.live.webhooks import Webhook
from webhook_buffer.operations.logs import Line
from webhook_buffer.operations.parked import release_command

Shown = dict[str, Any]

_LISTED = 200
_LINES = 200
_DELIVERY = "x-github-delivery"
_TERM = re.compile(r"(status|attempts|group|path|method|id|error):(>=|<=|>|<)?(.+)")
# States of webhooks that wait, the most urgent first; the others follow, the newest first.
_URGENT = ("retrying", "queued", "parked")
_STATES = (*_URGENT, "dropped", "consumed", "delivered")


class Tracker:
    """What a session and the faux backend say of webhooks, beyond ``session.webhooks``.

    Args:
        backend: the faux backend's folder; None where there is none.
    """

    def __init__(self, backend: Path | None) -> None:
        self._backend = backend
        self._session: Session | None = None
        self._read = 0
        # Real time of the next attempt, by message id.
        self._next: dict[str, float] = {}
        self._deliveries: dict[str, str] = {}
        self._stamp: tuple[int, int] = (0, 0)

    def update(self, session: Session) -> None:
        """Takes in what is new."""
        if session is not self._session:
            self._session, self._read, self._next = session, 0, {}
        for line in reversed(
            list(islice(reversed(session.lines), session.lines_read - self._read))
        ):
            name, seconds = line.fields.get("message_id"), line.fields.get("retry_seconds")
            if isinstance(name, str) and isinstance(seconds, int | float):
                self._next[name] = line.at / 1000 + seconds
        self._read = session.lines_read
        self._refresh()

    def next_attempt(self, webhook: Webhook) -> float | None:
        """When it is attempted again, Unix seconds; None where that isn't known."""
        return self._next.get(webhook.message_id) if webhook.state == "retrying" else None

    def delivery(self, message_id: str) -> str | None:
        """The sender's own id of a webhook; None where the backend has not received it."""
        return self._deliveries.get(message_id)

    def received(self, message_id: str) -> list[Shown]:
        """The requests that the faux backend received of a webhook."""
        if self._backend is None:
            return []
        return [
            entry
            for entry in entries(self._backend / RECEIVED)
            if entry["headers"].get("x-buffer-message-id") == message_id
        ]

    def _refresh(self) -> None:
        if self._backend is None:
            return
        file = self._backend / RECEIVED
        try:
            status = file.stat()
        except OSError:
            return
        if self._stamp == (status.st_ino, status.st_size):
            return
        self._stamp = (status.st_ino, status.st_size)
        for entry in entries(file):
            headers = entry["headers"]
            if _DELIVERY in headers and "x-buffer-message-id" in headers:
                self._deliveries[headers["x-buffer-message-id"]] = headers[_DELIVERY]


def listed(
    session: Session,
    tracker: Tracker,
    *,
    query: str = "",
    state: str = "",
    minutes: int | None = None,
    most: int = _LISTED,
) -> Shown:
    """The webhooks that match, those that retry first, the longest first of all.

    Args:
        query: words that have to be in it; ``status:503``, ``attempts:>3`` and the like.
        state: only of this state.
        minutes: only those that came within so many, of real time.
    """
    tracker.update(session)
    counts = dict.fromkeys(_STATES, 0)
    waiting: list[Webhook] = []
    done: list[Webhook] = []
    terms = query.split()
    since = session.until - 60 * minutes if minutes is not None else 0.0
    for webhook in reversed(session.webhooks.values()):
        if since and _came(webhook) < since:
            continue
        if webhook.heartbeat and "heartbeat" not in terms:
            continue
        if terms and not all(_matches(webhook, term, tracker) for term in terms):
            continue
        its = webhook.state
        counts[its] += 1
        if state in ("", its):
            (waiting if its in _URGENT else done).append(webhook)
    wanted = [*sorted(waiting, key=_urgency), *done]
    return {
        "counts": counts,
        "webhooks": [_row(webhook, tracker) for webhook in wanted[:most]],
        "more": max(0, len(wanted) - most),
    }


def in_full(session: Session, tracker: Tracker, message_id: str) -> Shown | None:
    """A webhook with its attempts and log lines; None for an unknown one."""
    webhook = session.webhooks.get(message_id)
    if webhook is None:
        return None
    tracker.update(session)
    ahead = [
        other.message_id
        for other in _undelivered(session)
        if other.group == webhook.group and other.message_id != message_id
        if other.state != "parked" or other.held
        if (other.queued or 0) < (webhook.queued or 0)
    ]
    name = webhook.group if webhook.held else message_id
    return {
        **_row(webhook, tracker),
        "release": release_command(session.environment, name)
        if webhook.state == "parked"
        else None,
        "attempted": [
            {"at": attempt.at, "number": attempt.number, "status": attempt.status,
             "error": attempt.error, "took_ms": attempt.duration_ms}
            for attempt in webhook.attempts
        ],
        "waits_for": ahead[0] if webhook.state == "queued" and ahead else None,
        "lines": [_line(line) for line in _lines_of(session, message_id)],
        "received": tracker.received(message_id),
    }  # fmt: skip


def groups(session: Session, tracker: Tracker) -> list[Shown]:
    """Groups in which something waits, and what blocks each: a webhook that fails, or is held."""
    tracker.update(session)
    waiting: dict[str, list[Webhook]] = defaultdict(list)
    for webhook in _undelivered(session):
        if webhook.state != "parked" or webhook.held:
            waiting[webhook.group].append(webhook)
    made = []
    for group, several in waiting.items():
        first = min(several, key=lambda webhook: webhook.queued or 0)
        last = first.attempts[-1] if first.attempts else None
        made.append(
            {
                "group": group,
                "waiting": len(several),
                "since": first.queued,
                "blocked_by": first.message_id if first.attempted or first.held else None,
                "held": first.held,
                "attempts": first.attempted,
                "status": last.status if last else None,
                "error": last.error if last else None,
                "next_attempt": tracker.next_attempt(first),
            }
        )
    return sorted(made, key=lambda row: (row["blocked_by"] is None, row["since"] or 0))


def _undelivered(session: Session) -> Iterator[Webhook]:
    return (each for each in session.webhooks.undelivered.values() if not each.heartbeat)


def _came(webhook: Webhook) -> float:
    """When it came, or was first seen; Unix seconds."""
    return webhook.queued or (webhook.attempts[0].at if webhook.attempts else 0.0)


def _urgency(webhook: Webhook) -> tuple[int, float]:
    return _URGENT.index(webhook.state), _came(webhook)


def _row(webhook: Webhook, tracker: Tracker) -> Shown:
    last = webhook.attempts[-1] if webhook.attempts else None
    return {
        "id": webhook.message_id,
        "state": webhook.state,
        "group": webhook.group,
        "method": webhook.method,
        "path": webhook.path,
        "bytes": webhook.body_bytes,
        "queued": webhook.queued,
        "delivered": webhook.delivered,
        "attempts": webhook.attempted,
        "parked": webhook.parked,
        "held": webhook.held,
        "status": last.status if last else None,
        "error": last.error if last else None,
        "next_attempt": tracker.next_attempt(webhook),
        "delivery": tracker.delivery(webhook.message_id),
    }


def _matches(webhook: Webhook, term: str, tracker: Tracker) -> bool:
    if match := _TERM.fullmatch(term):
        return _compared(webhook, match[1], match[2] or "", match[3], tracker)
    if term == "heartbeat":
        return webhook.heartbeat
    texts = (webhook.message_id, webhook.group, webhook.path, webhook.method)
    return any(term.lower() in text.lower() for text in texts) or _is_delivery(
        webhook, term, tracker
    )


def _is_delivery(webhook: Webhook, term: str, tracker: Tracker) -> bool:
    return term.lower() in (tracker.delivery(webhook.message_id) or "").lower()


def _compared(webhook: Webhook, name: str, sign: str, value: str, tracker: Tracker) -> bool:
    if name in ("status", "attempts"):
        if not value.isdecimal() or len(value) > 9:
            return False
        numbers = (
            [attempt.status for attempt in webhook.attempts]
            if name == "status"
            else [webhook.attempted]
        )
        wanted = int(value)
        return any(number is not None and holds(number, sign, wanted) for number in numbers)
    if name == "error":
        return any(value.lower() in (attempt.error or "").lower() for attempt in webhook.attempts)
    if name == "id":
        return value in webhook.message_id or _is_delivery(webhook, value, tracker)
    return value.lower() in str(getattr(webhook, name)).lower()


def holds(number: int, sign: str, wanted: int) -> bool:
    """Whether a number is what ``>3``, ``<=3`` or ``3`` asks for."""
    match sign:
        case ">":
            return number > wanted
        case "<":
            return number < wanted
        case ">=":
            return number >= wanted
        case "<=":
            return number <= wanted
    return number == wanted


def _lines_of(session: Session, message_id: str) -> Iterable[Line]:
    lines = [line for line in session.lines if line.fields.get("message_id") == message_id]
    return lines[-_LINES:]


def _line(line: Line) -> Shown:
    return {
        "at": line.at / 1000,
        "function": line.function,
        "level": str(line.fields.get("level", "")),
        "event": str(line.fields.get("event", "")),
        "text": line.text[:4000],
    }
