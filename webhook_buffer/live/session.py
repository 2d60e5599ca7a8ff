"""A session: everything that was observed of a running buffer, in memory and as one file.

The file has one JSON document per line: a header, then events in the order in which they became
known. Whoever reads it sees the same session as whoever writes it, also while it is written.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from settings.errors import FileError, InputError
from webhook_buffer.live.cells import Cells
from webhook_buffer.live.observations import Reader
from webhook_buffer.live.pace import MINUTE, Clock, Stretch
from webhook_buffer.live.values import Depth, Limits
from webhook_buffer.live.webhooks import Attempt, Webhook, Webhooks
from webhook_buffer.operations.files import write
from webhook_buffer.operations.logs import Line, fields_of

VERSION = 1
# The longest period of an alarm is a day; one more hour is in sight of it.
_KEPT_MINUTES = 25 * 60
_KEPT_LINES = 20_000
_KEPT_CHANGES = 5_000
# Seconds before the end of what was read, of which whoever goes on reads all again.
_AGAIN = 2.0
# Log lines that are one event of a saved file, which is read as a whole.
_LINES_TOGETHER = 500

Event = dict[str, Any]
# How the last mark of a drill ends.
OVER = "over"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A transition of an alarm.

    Attributes:
        at: session time; the end of the minute that decided.
        real: when it was put into force, Unix seconds.
        notified: whether its actions ran: of a suppressed one they did not.
    """

    at: int
    real: float
    alarm: str
    state: str
    reason: str
    notified: bool


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that somebody did: a drill's cause, its repair, another pace.

    Attributes:
        real: Unix seconds.
    """

    real: float
    text: str


class Session:
    """One stretch of observing a buffer.

    Attributes:
        environment: its name.
        clock: converts between session and real time.
        start: full minute, session time; cells before it are the prelude, made up, so that alarms
            on what is missing begin in good health.
        until: real time up to which everything has been read.
        cells: values by the minute of the session.
        lines: the newest log lines; ``lines_read`` counts all.
        recent: all lines of the last seconds, with the runtime's, for a source that goes on.
        webhooks: what became of each, by message id, the newest last.
        timeline: transitions of alarms, the newest last.
        marks: what somebody did.
        on_aws: whether its numbers and states are CloudWatch's.
    """

    def __init__(self, header: Mapping[str, Any]) -> None:
        self._header = dict(header)
        self.environment = str(header["environment"])
        self.clock = Clock([Stretch(*fields) for fields in header["clock"]])
        self.start = int(header["start"])
        self.until = float(header.get("until", self.clock.stretches[0].real))
        self._lines_from = float(header.get("lines_from", self.start))
        self.on_aws = bool(header.get("on_aws"))
        self.limits = Limits(*header["limits"])
        self.cells = Cells(header["roles"])
        self.lines: deque[Line] = deque(maxlen=_KEPT_LINES)
        self.lines_read = 0
        self.recent: list[Line] = []
        self.webhooks = Webhooks()
        self.timeline: deque[Change] = deque(maxlen=_KEPT_CHANGES)
        self.marks: deque[Mark] = deque(maxlen=_KEPT_CHANGES)
        self._reader = Reader(self.clock, self.limits)

    @classmethod
    def begun(
        cls,
        environment: str,
        *,
        real: float,
        pace: float,
        limits: Limits,
        roles: Mapping[str, str],
        **more: Any,
    ) -> Session:
        """A session that begins at a real moment.

        Args:
            more: ``lines_from`` and ``on_aws``, where they aren't as usual.
        """
        return cls(
            {
                **more,
                "environment": environment,
                "clock": [(real, real, pace)],
                "start": -(-int(real) // MINUTE) * MINUTE,
                "limits": [limits.blocked_attempts, limits.blocked_seconds],
                "roles": dict(roles),
            }
        )

    @property
    def now(self) -> float:
        """Session time up to which everything has been read."""
        return self.clock.session(self.until)

    @property
    def lines_from(self) -> float:
        """Session time from which on every line is there."""
        if len(self.lines) < self.lines_read:
            return self.clock.session(self.lines[0].at / 1000)
        return self._lines_from

    def drilled(self, real: float) -> bool:
        """Whether a drill was going on at a real moment, since its cause."""
        before = next((mark for mark in reversed(self.marks) if mark.real <= real), None)
        return before is not None and not before.text.endswith(OVER)

    def apply(self, event: Event) -> None:
        """Takes in an event.

        Raises:
            KeyError, TypeError, ValueError: When it is malformed.
        """
        match event["kind"]:
            case "read":
                self._read(event)
            case "seen":
                self._seen(event)
            case "stated":
                for minute, value in event["values"]:
                    self.cells.state(tuple(event["key"]), event["statistic"], minute, value)
            case "pace":
                self.clock.change(event["real"], event["pace"])
            case "change":
                self.timeline.append(Change(**event["change"]))
            case "mark":
                self.marks.append(Mark(event["real"], event["text"]))
            case "cells":
                for minute, value in event["values"]:
                    self.cells.add(tuple(event["key"]), minute, value)
            case "reader":
                self._reader.resume(event["state"])
            case "dropped":
                for name in event["webhooks"]:
                    self.webhooks.drop(name)
            case "recent":
                self.recent = _lines(event["lines"])
            case "lines":
                self._keep(_lines(event["lines"]))
            case "webhook":
                webhook = dict(event["webhook"])
                webhook["attempts"] = [Attempt(**attempt) for attempt in webhook["attempts"]]
                self.webhooks.keep(Webhook(**webhook))
            case kind:
                raise ValueError(f"unknown kind of event '{kind}'")

    def _read(self, event: Event) -> None:
        lines = _lines(event["lines"])
        depths = [Depth(*fields) for fields in event["depths"]]
        self.until = float(event["until"])
        for observation in self._reader.read(lines, depths, until=self.until):
            self.cells.add(observation.key, self.clock.session(observation.at), observation.value)
        for line in lines:
            self.webhooks.read(line)
        self._keep([line for line in lines if line.fields])
        again = 1000 * (self.until - _AGAIN)
        self.recent = [line for line in (*self.recent, *lines) if line.at >= again]
        self.cells.forget(int(self.now) - MINUTE * _KEPT_MINUTES)

    def _seen(self, event: Event) -> None:
        """Lines that only say what became of webhooks: metrics come from elsewhere."""
        lines = _lines(event["lines"])
        self.until = float(event["until"])
        for line in lines:
            self.webhooks.read(line)
        self._keep(lines)

    def _keep(self, lines: list[Line]) -> None:
        self.lines.extend(lines)
        self.lines_read += len(lines)

    def events(self) -> Iterator[Event]:
        """Events that make the same session, as far as it is kept."""
        for key, minute, values in self.cells.every():
            yield {"kind": "cells", "key": key, "values": [(minute, value) for value in values]}
        for key, statistic, pairs in self.cells.stated():
            yield {"kind": "stated", "key": key, "statistic": statistic, "values": pairs}
        yield {"kind": "reader", "state": self._reader.state()}
        lines = iter(self.lines)
        while together := list(islice(lines, _LINES_TOGETHER)):
            yield {"kind": "lines", "lines": _said(together)}
        yield {"kind": "recent", "lines": _said(self.recent)}
        for webhook in self.webhooks.values():
            yield {"kind": "webhook", "webhook": asdict(webhook)}
        for change in self.timeline:
            yield {"kind": "change", "change": asdict(change)}
        for mark in self.marks:
            yield {"kind": "mark", **asdict(mark)}

    def header(self) -> Event:
        """The first line of its file."""
        stretches = [
            [stretch.real, stretch.session, stretch.pace] for stretch in self.clock.stretches
        ]
        kind = {"kind": "session", "version": VERSION}
        known = {"clock": stretches, "until": self.until, "lines_from": self.lines_from}
        return {**kind, **self._header, **known}

    def save(self, file: Path) -> None:
        """Writes it as one file, whole or not at all.

        Raises:
            FileError: When it can't be written.
        """
        write(file, "".join(f"{text(event)}\n" for event in (self.header(), *self.events())))

    @classmethod
    def open(cls, file: Path) -> Session:
        """A session from its file, also from one that is being written.

        Raises:
            FileError: When the file can't be read.
            InputError: When it does not hold a session.
        """
        follower = Follower(file)
        session = follower.update()
        if session is None:
            raise InputError(f"{file}: no session in it. One begins with: webhook-buffer up")
        return session


class Follower:
    """Keeps a session up to date with its file while another process writes it."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._inode = 0
        self._position = 0
        self.session: Session | None = None

    def update(self) -> Session | None:
        """The session as it is now; None while the file has none.

        Raises:
            FileError: When the file can't be read.
            InputError: When it does not hold a session.
        """
        try:
            with self._file.open("rb") as stream:
                identity = stream.fileno()
                self._renew(identity)
                stream.seek(self._position)
                for number, line in enumerate(stream):
                    if not line.endswith(b"\n"):
                        break  # it is being written
                    self._apply(line, number)
                    self._position += len(line)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise FileError(error, self._file) from None
        return self.session

    def _renew(self, descriptor: int) -> None:
        """Starts over where the file was replaced."""
        import os

        status = os.fstat(descriptor)
        if status.st_ino != self._inode or status.st_size < self._position:
            self._inode, self._position, self.session = status.st_ino, 0, None

    def _apply(self, line: bytes, number: int) -> None:
        try:
            event = json.loads(line)
            if self.session is None:
                if event.get("kind") != "session" or event.get("version") != VERSION:
                    raise ValueError("it does not begin with a session's header")
                self.session = Session(event)
            else:
                self.session.apply(event)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            raise InputError(f"{self._file}: not a session (line {number + 1}: {error}).") from None


def text(event: Event) -> str:
    """An event as a line of the file."""
    return json.dumps(event, separators=(",", ":"))


def read_event(lines: Iterable[Line], depths: Iterable[Depth], until: float) -> Event:
    """The event of a poll of what runs."""
    return {
        "kind": "read",
        "until": until,
        "lines": _said(lines),
        "depths": [[depth.at, depth.visible, depth.in_flight, depth.role] for depth in depths],
    }


def _said(lines: Iterable[Line]) -> list[list[int | str]]:
    return [[line.at, line.function, line.text] for line in lines]


def _lines(given: Iterable[Any]) -> list[Line]:
    return [Line(at, function, said, fields_of(said)) for at, function, said in given]
