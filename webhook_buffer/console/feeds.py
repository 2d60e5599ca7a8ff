"""Where a console's session comes from: files of what runs here, an exported file, or AWS."""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from settings.errors import WebhookBufferError
from webhook_buffer.console.alarms import Alarms
from webhook_buffer.laptop.inbox import FILE as INBOX_FILE
from webhook_buffer.laptop.inbox import SENTRY_FILE
from webhook_buffer.live.aws import POLL_SECONDS, AwsSource
from webhook_buffer.live.control import SESSION, VERDICTS
from webhook_buffer.live.pace import MINUTE
from webhook_buffer.live.session import Event, Follower, Session
from webhook_buffer.live.values import Key
from webhook_buffer.operations.budget import Budget
from webhook_buffer.operations.environment import Environment

# Between two polls at most, while AWS refuses; seconds.
_MOST_SECONDS = 600.0
# Longer than a poll takes that gets stuck.
_END_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where everything is.

    Attributes:
        session: the session's file.
        verdicts: what the engine publishes; None where no engine runs.
        inbox, backend: folders; None where there is none.
        target: what runs; None where a file is shown.
    """

    session: Path | None = None
    verdicts: Path | None = None
    inbox: Path | None = None
    backend: Path | None = None
    target: Environment | None = None

    @classmethod
    def of_laptop(cls, state: Path, target: Environment) -> Place:
        """That of what runs on the laptop."""
        alarms = state / "alarms"
        return cls(
            session=alarms / SESSION, verdicts=alarms / VERDICTS, inbox=state / "inbox",
            backend=state / "backend", target=target,
        )  # fmt: skip

    @property
    def kind(self) -> str:
        """``laptop``, ``file`` or ``aws``."""
        if self.session is None:
            return "aws"
        return "file" if self.target is None else "laptop"


class Feed(Protocol):
    """What a console follows.

    Attributes:
        place: where everything else is.
        session: None while there is none.
        reads: the metrics that a session on AWS has; None where a session has what it observed.
    """

    place: Place
    session: Session | None
    reads: Collection[Key] | None

    @property
    def said(self) -> str:
        """What is said of the reading at this moment; empty where there is nothing."""

    def update(self) -> None:
        """Takes in what is new.

        Raises:
            WebhookBufferError: When there is a problem, in its words.
        """

    def stamps(self) -> dict[str, Any]:
        """By part of the page, something that differs once the part does."""

    def verdicts(self, alarms: Alarms) -> Mapping[str, Any] | None:
        """The verdict on each alarm, as live alarms publish it; None while there is none."""


class FileFeed:
    """A session's file, which may still be written, and what is published beside it."""

    reads: Collection[Key] | None = None

    def __init__(self, place: Place) -> None:
        assert place.session is not None
        self.place = place
        self.session: Session | None = None
        self._follower = Follower(place.session)
        self._judged: tuple[Session, int, Mapping[str, Any]] | None = None

    def update(self) -> None:
        """Takes in what is new.

        Raises:
            WebhookBufferError: When the file can't be read, or holds no session.
        """
        self.session = None
        self.session = self._follower.update()

    def stamps(self) -> dict[str, Any]:
        """What changes whenever a file does, by the part of the page that shows it."""
        session = self.session
        return {
            "alarms": _stamp(self.place.verdicts) or (session and int(session.now) // MINUTE),
            "inbox": [
                _stamp(self.place.inbox and self.place.inbox / name)
                for name in (INBOX_FILE, SENTRY_FILE)
            ],
        }

    @property
    def said(self) -> str:
        """Nothing: a file is read as it is."""
        return ""

    def verdicts(self, alarms: Alarms) -> Mapping[str, Any] | None:
        """The engine's verdicts; without an engine, ours on the session, once a minute of it."""
        session = self.session
        if self.place.verdicts is not None:
            try:
                document: Mapping[str, Any] = json.loads(self.place.verdicts.read_text("utf-8"))
            except (OSError, ValueError):
                return None
            return document
        if session is None:
            return None
        minute = int(session.now) // MINUTE
        if self._judged is None or self._judged[:2] != (session, minute):
            self._judged = (session, minute, alarms.document(session))
        return self._judged[2]


class AwsFeed:
    """An environment on AWS, read once a minute by a thread of its own.

    What the thread read is taken in by ``update``, so that the session is used from one thread.

    Args:
        session: without anything in it yet.
    """

    def __init__(
        self, target: Environment, source: AwsSource, session: Session, budget: Budget
    ) -> None:
        self.place = Place(target=target)
        self.session: Session | None = None
        self.reads: Collection[Key] | None = frozenset(source.reads.values())
        self._source, self._made, self._budget = source, session, budget
        self._read: queue.SimpleQueue[tuple[list[Event], Sequence[Any]]] = queue.SimpleQueue()
        self._described: Sequence[Mapping[str, Any]] = ()
        self._problem = "Reading AWS for the first time …"
        # Replaced, never changed: the thread reads it.
        self._parked: Collection[str] = ()
        self._wait = POLL_SECONDS
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begins to read."""
        self._thread.start()

    def stop(self) -> None:
        """Ends reading."""
        self._ended.set()
        self._thread.join(_END_SECONDS)

    def poll(self) -> float:
        """Reads once; how long to wait until the next time, seconds."""
        try:
            self._read.put(self._source.poll(time.time(), self._parked))
        except WebhookBufferError as error:
            self._wait = min(_MOST_SECONDS, 2 * self._wait)
            self._problem = f"{error} Trying again in {self._wait / MINUTE:.0f} min."
        else:
            self._wait, self._problem = POLL_SECONDS, ""
        return self._wait

    def update(self) -> None:
        """Takes in what the thread has read.

        Raises:
            WebhookBufferError: When it could not read.
        """
        while not self._read.empty():
            events, self._described = self._read.get()
            for event in events:
                self._made.apply(event)
            self.session = self._made
            self._parked = self._made.webhooks.parked
        if self._problem:
            raise WebhookBufferError(self._problem)

    def stamps(self) -> dict[str, Any]:
        """The states change with the session."""
        return {"alarms": self.session and self.session.until}

    @property
    def said(self) -> str:
        """How often AWS was asked, and what could not be read."""
        calls = f"{self._budget.spent} calls within the last hour, of {self._budget.most} at most."
        skipped = self._source.skipped
        return f"{calls} Too many log lines of {skipped}: some were left out." if skipped else calls

    def verdicts(self, alarms: Alarms) -> Mapping[str, Any] | None:
        """CloudWatch's own states, with the newest values of what was read."""
        session = self.session
        if session is None:
            return None
        values = alarms.values(session)
        return {
            "judged": int(session.now) // MINUTE * MINUTE,
            "pace": session.clock.pace,
            "verdicts": [_verdict(alarm, values) for alarm in self._described],
        }

    def _run(self) -> None:
        wait = 0.0
        while not self._ended.wait(wait):
            wait = self.poll()


def _verdict(alarm: Mapping[str, Any], values: Mapping[str, float | None]) -> dict[str, Any]:
    """An alarm of DescribeAlarms in the form of live alarms' verdicts."""
    since = alarm.get("StateTransitionedTimestamp") or alarm.get("StateUpdatedTimestamp")
    suppressed = alarm.get("ActionsSuppressedReason") or alarm.get("ActionsSuppressedBy")
    return {
        "alarm": alarm["AlarmName"],
        "state": alarm["StateValue"],
        "since": since.timestamp() if since else None,
        "value": values.get(alarm["AlarmName"]),
        "threshold": alarm.get("Threshold"),
        "comparison": alarm.get("ComparisonOperator", ""),
        "reason": alarm.get("StateReason", ""),
        "notified": None,
        "suppressed": suppressed,
    }


def _stamp(file: Path | None) -> tuple[int, int, int] | None:
    if file is None:
        return None
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
