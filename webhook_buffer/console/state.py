"""What the console knows: a session and its surroundings, kept up to date, and what changed."""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from alarmproof import template

from monitoring.alarm_set import AlarmSet
from monitoring.cloudwatch.alarms import template as alarms_template
from settings.errors import InputError, WebhookBufferError
from webhook_buffer.console.alarms import Alarms
from webhook_buffer.console.boards import Boards
from webhook_buffer.console.cloudwatch_board import CloudWatchBoard
from webhook_buffer.console.feeds import Feed
from webhook_buffer.console.log_counts import LogCounts
from webhook_buffer.console.numbers import Numbers
from webhook_buffer.console.published import CLOUDWATCH, Published, plain
from webhook_buffer.console.text import linked
from webhook_buffer.console.webhooks import Tracker
from webhook_buffer.live.judge import Judge
from webhook_buffer.live.pace import MINUTE
from webhook_buffer.live.session import Session

# Between two looks at the files, which is a call of the system each.
_POLL_SECONDS = 0.02
_EVENTS_KEPT = 200
_RANGE, _LONGEST = 3600, 25 * 3600


@dataclass
class Changes:
    """What changed, for whoever listens; numbered, so that a listener can resume."""

    begun: int = field(default_factory=lambda: int(time.time() * 1000))
    number: int = 0
    kept: deque[tuple[int, list[str]]] = field(default_factory=lambda: deque(maxlen=_EVENTS_KEPT))
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def add(self, what: list[str]) -> None:
        """Notifies all listeners."""
        async with self._changed:
            self.number += 1
            self.kept.append((self.number, what))
            self._changed.notify_all()

    def since(self, last: str) -> list[str] | None:
        """What changed after an event; None where that is not known any more."""
        begun, _, number = last.partition("-")
        if begun != str(self.begun) or not number.isdecimal():
            return None
        missed = [(at, what) for at, what in self.kept if at > int(number)]
        if len(missed) != self.number - int(number):
            return None
        return sorted({name for _, what in missed for name in what})

    async def wait(self, number: int, seconds: float) -> None:
        """Until something is newer than a number, or a while has passed."""
        async with self._changed:
            try:
                await asyncio.wait_for(
                    self._changed.wait_for(lambda: self.number > number), seconds
                )
            except TimeoutError:
                pass


class State:
    """One console's knowledge. All of it is used from one thread."""

    def __init__(self, feed: Feed, alarms: AlarmSet) -> None:
        self.feed, self.place, self.alarm_set = feed, feed.place, alarms
        self.settings = alarms.settings
        parsed = template.parse(alarms_template(alarms), "alarms").alarms
        self.alarms = Alarms(alarms, Judge(list(parsed), self.settings.alarm_name("")))
        self.counts = LogCounts(self.settings.prefix)
        self.tracker = Tracker(self.place.backend)
        self.changes = Changes()
        self.problem: str | None = None
        self._stamps: dict[str, Any] = {}
        self.published = Published(alarms)

    @property
    def session(self) -> Session | None:
        return self.feed.session

    def update(self) -> list[str]:
        """Takes in what is new; which parts of the page it concerns."""
        try:
            self.feed.update()
            self.problem = None
        except WebhookBufferError as error:
            self.problem = str(error)
        session = self.session
        stamps = {
            "session": (id(session), session.until, session.lines_read) if session else None,
            "timeline": (id(session), len(session.timeline)) if session else None,
            "problem": self.problem,
            **self.feed.stamps(),
        }
        changed = [name for name, stamp in stamps.items() if stamp != self._stamps.get(name)]
        self._stamps = stamps
        return changed

    async def follow(self) -> None:
        """Keeps it up to date until it is canceled."""
        while True:
            changed = self.update()
            if changed:
                await self.changes.add(changed)
            await asyncio.sleep(_POLL_SECONDS)

    def verdicts(self) -> Mapping[str, Any] | None:
        """The verdict on each alarm; None while there is none."""
        return self.feed.verdicts(self.alarms)

    def board(self, key: str, start: int | None, end: int | None) -> dict[str, Any] | None:
        """A dashboard with its numbers over a stretch of session time; None for an unknown one.

        Args:
            start, end: default: the last hour.
        """
        if key != CLOUDWATCH:
            body = self.published.boards.get(key)
            return None if body is None else self.rendered(body, start, end) | {"key": key}
        session = self.session
        if session is None:
            return None
        start, end = _stretch(session, start, end)
        document = self.verdicts() or {"verdicts": []}
        states = {verdict["alarm"]: verdict["state"] for verdict in document["verdicts"]}
        numbers = Numbers(session, self.alarm_set, self.counts, self.feed.reads)
        board = CloudWatchBoard(session, numbers, states, self.alarms.ids)
        shown = board.shown(self.published.cloudwatch, start, end, "CloudWatch dashboard")
        return self._linked(shown) | {"key": key}

    def rendered(
        self, body: Mapping[str, Any], start: int | None, end: int | None
    ) -> dict[str, Any]:
        """Any dashboard of Datadog's with numbers of this session.

        Raises:
            InputError: When it is not a dashboard.
        """
        session = self.session
        if session is None:
            raise InputError("there is no session")
        start, end = _stretch(session, start, end)
        numbers = Numbers(session, self.alarm_set, self.counts, self.feed.reads)
        boards = Boards(session, numbers, self.counts, self.published.slos, self.published.site)
        return self._linked(boards.shown(body, start, end))

    def _linked(self, shown: dict[str, Any]) -> dict[str, Any]:
        _link(shown["widgets"], self.alarms.headings)
        marks = self._marks(shown["from"], shown["to"])
        return shown | {"title": plain(shown["title"]), **marks}

    def _marks(self, start: int, end: int) -> dict[str, Any]:
        """What happened meanwhile: drills and repairs, and alarms that went on."""
        session = self.session
        assert session is not None
        marks: list[dict[str, Any]] = [
            {"at": session.clock.session(mark.real), "text": mark.text, "kind": "mark"}
            for mark in session.marks
        ]
        marks += [
            {"at": change.at, "text": self.alarms.ids[change.alarm], "kind": "alarm"}
            for change in session.timeline
            if change.state == "ALARM" and change.notified and change.alarm in self.alarms.ids
        ]
        return {"marks": [mark for mark in marks if start <= mark["at"] <= end]}


def _stretch(session: Session, start: int | None, end: int | None) -> tuple[int, int]:
    """Full minutes of the session, a day of it at most; by default the last hour."""
    until = math.ceil(min(end or math.inf, session.now) / MINUTE) * MINUTE
    begin = min(until - _RANGE if start is None else start, until - MINUTE)
    return max(until - _LONGEST, begin), until


def _link(widgets: list[dict[str, Any]], headings: Collection[str]) -> None:
    """Has notes lead to the runbook, whatever its address elsewhere."""
    for widget in widgets:
        _link(widget.get("widgets", []), headings)
        if "content" in widget:
            widget["content"] = linked(widget["content"], headings)
