"""What a drill sees: the session that live alarms write, the inbox, and the backend's entries."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from monitoring.alarm_set import AlarmSet
from monitoring.channels import channels_for
from monitoring.model.signals import Severity
from settings.errors import ProofFailedError
from webhook_buffer.laptop import inbox
from webhook_buffer.laptop.drills import verdict
from webhook_buffer.laptop.drills.model import Drill, Expected
from webhook_buffer.laptop.drills.traffic import Traffic
from webhook_buffer.laptop.drills.verdict import Notified
from webhook_buffer.laptop.inbox import Received
from webhook_buffer.laptop.live_alarms import LiveAlarms
from webhook_buffer.laptop.practice import PracticeBackend
from webhook_buffer.live.pace import MINUTE
from webhook_buffer.live.session import Change, Follower, Session
from webhook_buffer.operations import parked
from webhook_buffer.operations.environment import Environment

POLL_SECONDS = 0.1
_ROUNDING = 0.01


@dataclass(frozen=True)
class Place:
    """What a drill runs on.

    Attributes:
        state: the folder of the laptop's state, with the journal.
        endpoint: where webhooks are sent.
    """

    target: Environment
    alarms: AlarmSet
    endpoint: str
    state: Path
    backend: PracticeBackend
    live: LiveAlarms


@dataclass
class Seen:
    """What can be seen of a drill.

    Attributes:
        wanted: what it expects.
        begun: when it began, Unix seconds.
        cause: when the failure began; Unix seconds, and the session's minute.
    """

    place: Place
    drill: Drill
    wanted: Sequence[Expected]
    begun: float
    cause: float = 0.0
    cause_minute: int = 0
    _follower: Follower = field(init=False)

    def __post_init__(self) -> None:
        self._follower = Follower(self.place.live.session_file)

    def caused(self, at: float) -> None:
        """The failure began at a real moment; within its minute."""
        clock = self.session().clock
        self.cause = at
        self.cause_minute = math.floor(clock.session(at + _ROUNDING) / MINUTE) * MINUTE

    def session(self) -> Session:
        """The session as it is now.

        Raises:
            ProofFailedError: When live alarms write none.
        """
        session = self._follower.update()
        if session is None:
            raise ProofFailedError(f"Live alarms have no session. Log: {self.place.live.log}")
        return session

    def until(
        self, condition: Callable[[Session], bool], seconds: float, what: str | None = None
    ) -> None:
        """Waits for a condition of the session, at most so long.

        Args:
            what: is named in the error where it may not fail; without it, time just passes.

        Raises:
            ProofFailedError: When it did not come true, and may not fail.
        """
        deadline = time.time() + seconds
        while time.time() < deadline:
            session = self._follower.update()
            if session and condition(session):
                return
            time.sleep(POLL_SECONDS)
        if what:
            raise ProofFailedError(
                f"{what} did not follow within {seconds:.0f} s. Log: {self.place.live.log}"
            )

    def wait_minutes(self, minutes: int) -> None:
        """So many whole minutes of the session, and until the next one begins."""
        clock = self.session().clock
        now = clock.session(time.time())
        ends = (math.floor(now / MINUTE) + 1 + minutes) * MINUTE
        time.sleep(max(0.0, clock.real(ends) - time.time()))

    def minute(self, session: Session, at: float) -> float:
        """Minutes of the session from the cause to a real moment."""
        return (session.clock.session(at) - self.cause_minute) / MINUTE

    def first(self, session: Session, alarm: str) -> Change | None:
        """An alarm's first ALARM since the cause."""
        return next((fired for fired in self.fired(session) if fired.alarm == alarm), None)

    def fired(self, session: Session) -> list[Change]:
        """The transitions to ALARM since the cause."""
        return [
            change
            for change in session.timeline
            if change.state == "ALARM" and change.at > self.cause_minute
        ]

    def state(self, session: Session, alarm: str) -> str:
        """An alarm's state by the session."""
        changes = [change for change in session.timeline if change.alarm == alarm]
        return changes[-1].state if changes else "OK"

    def received(self) -> list[Received]:
        """All notifications since the cause."""
        return list(inbox.received(inbox.folder_of(self.place.target), self.cause))

    def channels(self, expected: Expected) -> list[str]:
        """Who has to be notified of a signal; PagerDuty is left alone in a drill."""
        if self.drill.through:
            return list(self.drill.through)
        severities = [
            Severity(topic) for topic in expected.notifies.topics if topic in set(Severity)
        ]
        channels = {
            channel.id
            for severity in severities
            for channel in channels_for(self.place.target.settings, severity)
            if channel.kind != "pagerduty"
        }
        return sorted(channels)

    def all_notified(self, *, recovered: bool) -> bool:
        """Whether every channel was notified of every expected signal, or of its end."""
        received = self.received()
        return all(
            any(is_of(said, expected, channel, recovered=recovered) for said in received)
            for expected in self.wanted
            for channel in self.channels(expected)
        )

    def notification(self, session: Session, said: Received) -> Notified:
        """A notification as the result has it."""
        title = next(iter(first_line(said).splitlines()), "")
        minute, seconds = self.minute(session, said.at), said.at - self.cause
        return Notified(
            said.channel, round(minute, 2), round(seconds, 2), title, marked(said), said.recovered
        )

    def parked(self, traffic: Traffic) -> list[parked.ParkedWebhook]:
        """What is parked of what was sent."""
        groups = {sent.group for sent in traffic.ledger.sent}
        webhooks = parked.store(self.place.target).webhooks
        return [webhook for webhook in webhooks if webhook.group_id in groups]

    def deliveries(self, traffic: Traffic) -> verdict.Deliveries:
        """What became of what was sent, by what the backend wrote down."""
        return verdict.deliveries(traffic.ledger, traffic, self.place.backend.received(self.begun))


def is_of(said: Received, expected: Expected, channel: str, *, recovered: bool) -> bool:
    """Whether a notification is a channel's of a signal, or of its end."""
    if said.channel != channel or said.recovered is not recovered:
        return False
    return any(title in said.text for title in (*expected.titles, expected.notifies.name))


def marked(said: Received) -> bool:
    """Whether a notification says that it is a drill's."""
    return "DRILL" in first_line(said)


def first_line(said: Received) -> str:
    """What a person sees of a notification first, whatever its channel."""
    content = said.content
    payload = content.get("payload")
    summary = payload.get("summary") if isinstance(payload, dict) else None
    names = ("subject", "title", "text")
    texts = [*(content.get(name) for name in names), summary, content.get("event_action")]
    return str(next((text for text in texts if text), ""))
