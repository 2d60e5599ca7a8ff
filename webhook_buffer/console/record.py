"""Webhooks of the record: found by its indexes, and one with its request as it was received."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from lambdas.base import extract
from webhook_buffer.console import about
from webhook_buffer.console.webhooks import holds
from webhook_buffer.operations import records
from webhook_buffer.operations.environment import Environment
from webhook_buffer.operations.parked import release_command
from webhook_buffer.operations.records import Record

# How much of a body the page shows.
_BODY_CHARACTERS = 100_000
# How many webhooks a search reads; of them it lists those whose status and attempts fit.
_MOST = 200
# Where neither a webhook, a group nor a delivery is named: an hour takes four queries.
_MINUTES = 60
_LONGEST_MINUTES = 7 * 1440
_TERM = re.compile(r"(group|delivery|id):(.+)|(status|attempts):(>=|<=|>|<)?(\d{1,9})")

Shown = dict[str, Any]


class _Wanted(NamedTuple):
    """What a search asks for.

    Attributes:
        name: a message id or a delivery id; empty for any.
        compared: status and attempts, with sign and number.
    """

    name: str
    group: str
    compared: tuple[tuple[str, str, int], ...]

    @classmethod
    def of(cls, query: str) -> _Wanted:
        name = group = ""
        compared = []
        for term in query.split():
            match = _TERM.fullmatch(term)
            if match is None:
                name = term
            elif match[3]:
                compared.append((match[3], match[4] or "", int(match[5])))
            elif match[1] == "group":
                group = match[2]
            else:
                name = match[2]
        return cls(name, group, tuple(compared))

    def fits(self, record: Record) -> bool:
        if self.group and record.group_id != extract.allowed(self.group):
            return False
        numbers = {"status": record.status, "attempts": record.attempts}
        return all(
            (number := numbers[name]) is not None and holds(number, sign, wanted)
            for name, sign, wanted in self.compared
        )


class Records:
    """The record of what runs; of a file there is none."""

    def __init__(self, target: Environment | None) -> None:
        self._target = target

    @property
    def withheld(self) -> bool:
        """Whether requests are shown only when somebody asks: those of an environment on AWS."""
        return self._target is not None and not self._target.settings.on_laptop

    def search(self, query: str, *, minutes: int | None, now: float) -> Shown:
        """The latest webhooks that match, without their requests.

        Args:
            query: ``group:`` and ``delivery:`` or ``id:`` name what the indexes find, as a word
                alone does that is such an id; ``status:503`` and ``attempts:>3`` choose among it.
            minutes: only those that came within so many; any time where something is named.
            now: Unix seconds.

        Raises:
            WebhookBufferError: When AWS can't be asked, or the table has no index yet.
        """
        if self._target is None:
            return {"webhooks": [], "read": 0, "reason": about.without("file", "record")}
        wanted = _Wanted.of(query)
        until = round(1000 * now)
        if minutes is None and not (wanted.name or wanted.group):
            minutes = _MINUTES
        if minutes is not None:
            minutes = min(minutes, _LONGEST_MINUTES)
        since = 0 if minutes is None else until - 60_000 * minutes
        read = self._read(self._target, wanted, since, until)
        return {
            "webhooks": [_row(record) for record in read if wanted.fits(record)],
            "read": len(read),
            "more": len(read) == _MOST,
            "minutes": minutes,
        }

    def webhook(self, message_id: str) -> Shown | None:
        """A webhook as the record has it, without its request; None for an unknown one.

        Raises:
            WebhookBufferError: When AWS can't be asked.
        """
        if self._target is None:
            return None
        outline = records.outline(self._target, message_id)
        if outline is None:
            return None
        record, history = outline
        environment = self._target.settings.environment
        return {
            **_row(record),
            "release": release_command(environment, record.id)
            if record.state == "parked"
            else None,
            "attempted": [*map(_attempt, history.get("recent", ()))] or _only(record),
            "waits_for": None,
            "lines": [],
            "received": [],
        }

    def request(self, message_id: str) -> dict[str, Any] | None:
        """Path, method, headers and body as recorded; None before the first attempt.

        Raises:
            WebhookBufferError: When AWS can't be asked.
        """
        if self._target is None:
            return None
        recorded = records.whole(self._target, message_id)
        if recorded is None:
            return None
        request = recorded.readable()
        if request["body"]:
            request["body"] = request["body"][:_BODY_CHARACTERS]
        return request

    @staticmethod
    def _read(target: Environment, wanted: _Wanted, since: int, until: int) -> list[Record]:
        named = records.outline(target, wanted.name) if wanted.name else None
        if named and since <= named[0].received_at <= until:
            return [named[0]]
        return records.search(
            target,
            group=None if wanted.name else wanted.group or None,
            delivery=wanted.name or None,
            since=since,
            until=until,
            most=_MOST,
        )


def _row(record: Record) -> Shown:
    return {
        "id": record.id,
        "state": record.state,
        "group": record.group_id,
        "method": "",
        "path": "",
        "bytes": None,
        "queued": record.received_at / 1000,
        "delivered": None if record.delivered_at is None else record.delivered_at / 1000,
        "attempts": record.attempts,
        "parked": "",
        "held": False,
        "status": record.status,
        "error": None,
        "next_attempt": None,
        "delivery": record.delivery,
    }


def _attempt(attempt: Mapping[str, Any]) -> Shown:
    return {
        "at": attempt["at"] / 1000,
        "number": attempt["number"],
        "status": attempt.get("status"),
        "error": attempt.get("error"),
        "took_ms": attempt.get("duration_ms"),
    }


def _only(record: Record) -> list[Shown]:
    """The attempt of a webhook that its first one delivered, which has no row of its own."""
    if record.delivered_at is None:
        return []
    attempt = {"at": record.delivered_at, "number": record.attempts, "status": record.status}
    return [_attempt(attempt)]
