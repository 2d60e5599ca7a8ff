"""Runs a drill on what `up` started: health, cause, signals, notifications, recovery, verdict."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from monitoring.alarm_set import AlarmSet, CompositeAlarm
from monitoring.channels import channels_for
from monitoring.model.signals import Severity
from settings.errors import ProofFailedError
from webhook_buffer.laptop import inbox
from webhook_buffer.laptop.drills import verdict
from webhook_buffer.laptop.drills.causes import CAUSES, Stage
from webhook_buffer.laptop.drills.model import Drill, Expected, expected
from webhook_buffer.laptop.drills.traffic import Traffic
from webhook_buffer.laptop.drills.verdict import Fired, Result, Told
from webhook_buffer.laptop.inbox import Received
from webhook_buffer.laptop.journal import Journal
from webhook_buffer.laptop.live_alarms import LiveAlarms
from webhook_buffer.laptop.practice import Mode, PracticeBackend
from webhook_buffer.live.engine import Control
from webhook_buffer.live.pace import MINUTE
from webhook_buffer.live.session import Change, Follower, Session
from webhook_buffer.operations import drill_record, logs
from webhook_buffer.operations.environment import Environment

# Real webhooks a second, at least and at most, and a minute of the session.
_RATE_LEAST, _RATE_MOST, _RATE_A_MINUTE = 1.0, 6.0, 60.0
# Minutes of health before the cause.
_HEALTHY = 2
# Minutes within which users' failures have to page somebody.
_PAGE_MINUTES = 3
_POLL_SECONDS = 0.1
_START_SECONDS, _DRAIN_SECONDS = 60.0, 60.0
# Real seconds that a notification may take besides, and after which a killed drill's pace ends.
_NOTIFIED_SECONDS, _EXPIRES_SECONDS, _RENEWED_SECONDS = 5.0, 20.0, 5.0
# Real seconds that a function with other settings may take to start, on a busy machine.
_RESTART_SECONDS = 60.0
_ROUNDING = 0.01
_SEED = 7

Progress = Callable[[str], None]
TrafficOf = Callable[..., Traffic]


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


def run(
    drill: Drill,
    place: Place,
    *,
    pace: float,
    progress: Progress,
    traffic: TrafficOf = Traffic,
) -> Result:
    """Runs one drill, and mends all that it changed.

    Args:
        pace: real seconds per minute; no less than the drill's least is taken.
        traffic: makes what is sent.
        progress: called with what is going on.

    Raises:
        InputError: When another drill runs.
        WebhookBufferError: When something can't be changed, or can't be mended.
    """
    pace = max(pace, drill.least_pace)
    result = Result(
        drill=drill.name, title=drill.title, pace=pace, begun=time.time(),
        users_notice=drill.users_notice,
    )  # fmt: skip
    wanted, lacking = expected(drill, place.alarms, pace)
    if lacking:
        reasons = [place.alarms.left_out.get(one, "it is not deployed") for one in lacking]
        result.skipped = "; ".join(f"{a}: {b}" for a, b in zip(lacking, reasons, strict=True))
        return result
    journal = Journal(place.state)
    journal.begin(drill.name)
    try:
        _Run(drill, place, pace, wanted, result, journal, progress).run(traffic)
    finally:
        progress("mending")
        journal.undo(place.target)
        result.took = time.time() - result.begun
    return result


class _Run:
    """One run of a drill."""

    def __init__(
        self, drill: Drill, place: Place, pace: float, wanted: Sequence[Expected],
        result: Result, journal: Journal, progress: Progress,
    ) -> None:  # fmt: skip
        self._drill, self._place, self._pace, self._wanted = drill, place, pace, wanted
        self._result, self._journal, self._progress = result, journal, progress
        self._follower = Follower(place.live.session_file)
        self._mark: tuple[float, str] | None = None
        self._cause, self._cause_session = 0.0, 0
        self._repaired = 0.0

    def run(self, made: TrafficOf) -> None:
        rate = self._drill.rate or min(
            _RATE_MOST, max(_RATE_LEAST, _RATE_A_MINUTE / self._pace)
        )  # fmt: skip
        with ExitStack() as stack:
            self._progress("a new session")
            stack.enter_context(self._session())
            traffic = made(self._place.endpoint, drill=self._drill.name, rate=rate, seed=_SEED)
            stack.callback(traffic.close)
            stage = Stage(
                self._place.target, self._place.backend, traffic, self._journal, self._pace
            )
            self._progress("healthy")
            self._wait_minutes(_HEALTHY)
            self._begin(stage)
            try:
                self._await_signals()
            finally:
                self._progress("repairing")
                stage.repair()
                self._repaired = time.time()
                self._say("repaired")
            self._await_recovery()
            self._progress("draining")
            traffic.finish()
            self._await_delivery(traffic)
            self._judge(traffic)

    @contextmanager
    def _session(self) -> Iterator[None]:
        """A session of the drill's own, at its pace, which ends soon after the drill does."""
        live, ended = self._place.live, threading.Event()
        self._journal.note(kind="control")
        live.end_session()
        self._want()
        live.start()

        def renew() -> None:
            while not ended.wait(_RENEWED_SECONDS):
                self._want()

        thread = threading.Thread(target=renew, daemon=True)
        thread.start()
        try:
            self._until(
                lambda session: session.clock.pace == self._pace, _START_SECONDS, "live alarms"
            )
            yield
        finally:
            ended.set()
            thread.join()

    def _want(self) -> None:
        until = time.time() + _EXPIRES_SECONDS
        Control(self._pace, (), until, self._mark).write(self._place.live.folder)

    def _say(self, text: str) -> None:
        self._mark = (time.time(), f"drill {self._drill.name}: {text}")
        self._want()

    def _begin(self, stage: Stage) -> None:
        """Announces the drill, and causes the failure at the beginning of a minute."""
        self._progress("cause")
        self._wait_minutes(0)
        self._journal.note(kind="record")
        self._announce(time.time(), _RESTART_SECONDS)
        self._cause = time.time()
        CAUSES[self._drill.cause](stage)
        if stage.restarted:
            self._progress(f"{stage.restarted} restarts")
            self._cause = self._restarted(stage.restarted)
            self._announce(self._cause, 0.0)
        clock = self._updated().clock
        self._cause_session = math.floor(clock.session(self._cause + _ROUNDING) / MINUTE) * MINUTE
        self._say(self._drill.title)

    def _announce(self, begins: float, reserve: float) -> None:
        """Has notify mark what is expected, within its limits."""
        marked: dict[str, tuple[float, float]] = {}
        for one in self._wanted:
            until = begins + (one.told + 1) * self._pace + _NOTIFIED_SECONDS + reserve
            for name in (one.alarm.name, one.notifies.name):
                marked[name] = (begins, max(until, marked.get(name, (0, 0))[1]))
        drill_record.write(self._place.target, self._drill.name, marked)

    def _restarted(self, function: str) -> float:
        """When a function first ran with its changed settings; at most some seconds are waited."""
        since = time.time()
        while time.time() < since + _RESTART_SECONDS:
            lines = logs.read(
                self._place.target, [function], since=round(1000 * since), runtime=True
            )
            if lines:
                return lines[0].at / 1000
            time.sleep(_POLL_SECONDS)
        return time.time()

    def _await_signals(self) -> None:
        """Until every expected signal fired and was told, or the last limit is over."""
        limit = max((one.told for one in self._wanted), default=1) + 1
        least = self._cause + self._drill.lasts * self._pace

        def done(session: Session) -> bool:
            on = all(self._first(session, one.alarm.name) for one in self._wanted)
            self._progress(f"cause, minute {self._minute(session):.0f} of {limit}")
            return on and self._all_told(recovered=False) and time.time() >= least

        self._until(done, limit * self._pace + _NOTIFIED_SECONDS)

    def _await_recovery(self) -> None:
        limit = max((one.recovery for one in self._wanted), default=1)

        def done(session: Session) -> bool:
            since = (
                session.clock.session(time.time()) - session.clock.session(self._repaired)
            ) / 60
            self._progress(f"recovery, minute {since:.0f} of {limit}")
            names = {name for one in self._wanted for name in (one.alarm.name, one.notifies.name)}
            return all(
                self._state(session, name) == "OK" for name in names
            ) and self._all_told(recovered=True)  # fmt: skip

        self._until(done, limit * self._pace + _NOTIFIED_SECONDS)

    def _await_delivery(self, traffic: Traffic) -> None:
        deadline = time.time() + _DRAIN_SECONDS
        while time.time() < deadline and self._deliveries(traffic).lost:
            time.sleep(_POLL_SECONDS)

    # What is seen.

    def _updated(self) -> Session:
        session = self._follower.update()
        if session is None:
            raise ProofFailedError("Live alarms have no session. Their log: "
                                   f"{self._place.live.log}")  # fmt: skip
        return session

    def _until(
        self, condition: Callable[[Session], bool], seconds: float, what: str | None = None
    ) -> None:
        """Waits for a condition of the session, at most so long.

        Args:
            what: is named in the error where it may not fail; without it, time just passes.
        """
        deadline = time.time() + seconds
        while time.time() < deadline:
            session = self._follower.update()
            if session and condition(session):
                return
            time.sleep(_POLL_SECONDS)
        if what:
            raise ProofFailedError(
                f"{what} did not follow within {seconds:.0f} s. Log: {self._place.live.log}"
            )

    def _wait_minutes(self, minutes: int) -> None:
        """So many whole minutes of the session, and until the next one begins."""
        clock = self._updated().clock
        now = clock.session(time.time())
        ends = (math.floor(now / MINUTE) + 1 + minutes) * MINUTE
        time.sleep(max(0.0, clock.real(ends) - time.time()))

    def _minute(self, session: Session) -> float:
        return (session.clock.session(time.time()) - self._cause_session) / MINUTE

    def _first(self, session: Session, alarm: str) -> Change | None:
        """An alarm's first ALARM since the cause."""
        return next(
            (
                change
                for change in session.timeline
                if change.alarm == alarm
                and change.state == "ALARM"
                and change.at > self._cause_session
            ),
            None,
        )

    def _state(self, session: Session, alarm: str) -> str:
        changes = [change for change in session.timeline if change.alarm == alarm]
        return changes[-1].state if changes else "OK"

    def _received(self) -> list[Received]:
        return list(inbox.received(inbox.folder_of(self._place.target), self._cause))

    def _channels(self, one: Expected) -> list[str]:
        """Who has to be notified of an expected signal."""
        if self._drill.through:
            return list(self._drill.through)
        return _channels(self._place, one)

    def _all_told(self, *, recovered: bool) -> bool:
        received = self._received()
        return all(
            any(_is_of(said, one, channel, recovered=recovered) for said in received)
            for one in self._wanted
            for channel in self._channels(one)
        )

    def _deliveries(self, traffic: Traffic) -> verdict.Deliveries:
        received = self._place.backend.received(self._result.begun)
        return verdict.deliveries(traffic.ledger, traffic, received)

    # What held.

    def _judge(self, traffic: Traffic) -> None:
        result, session, received = self._result, self._updated(), self._received()
        result.told = [self._told(session, said) for said in received]
        self._judge_signals(session)
        for one in self._wanted:
            self._judge_notified(session, one, received)
        self._judge_silence(session, received)
        self._judge_page(received)
        sent = self._deliveries(traffic)
        result.sent, result.accepted = len(traffic.ledger.sent), len(traffic.ledger.accepted)
        result.delivered = sent.delivered
        result.claim("nothing is lost", not sent.lost,
                     f"{len(sent.lost)} of {result.accepted} accepted")  # fmt: skip
        result.claim("nothing is out of order", not sent.out_of_order, f"{len(sent.out_of_order)}")
        healthy = self._place.backend.mode == Mode()
        result.claim("nothing is left behind", healthy, self._place.backend.mode.words)

    def _judge_signals(self, session: Session) -> None:
        limits = {one.signal: one.limit for one in self._wanted}
        names = {one.name: one.signal.id for one in self._place.alarms.alarms}
        for change in session.timeline:
            signal = names.get(change.alarm)
            new = signal not in {one.signal for one in self._result.fired}
            if signal and new and change.state == "ALARM" and change.at > self._cause_session:
                minute = (change.at - self._cause_session) // MINUTE
                self._result.fired.append(Fired(signal, minute, limits.get(signal)))
        minutes = {one.signal: one.minute for one in self._result.fired}
        for one in self._wanted:
            first = minutes.get(one.signal)
            self._result.claim(
                f"{one.signal} is on within {one.limit} min",
                first is not None and first <= one.limit,
                "never" if first is None else f"after {first} min",
            )

    def _judge_notified(
        self, session: Session, one: Expected, received: Sequence[Received]
    ) -> None:
        for channel in self._channels(one):
            on, over = (
                [said for said in received if _is_of(said, one, channel, recovered=recovered)]
                for recovered in (False, True)
            )
            marked = channel in self._drill.through or all(map(_marked, [*on, *over]))
            seen = "no notification"
            if on:
                seen = f"after {self._told(session, on[0]).minute:.1f} min"
                seen += ", marked as a drill" if marked else ", not marked as a drill"
            self._result.claim(f"{channel} is notified of {one.signal}", bool(on) and marked, seen)
            ended = f"after {self._told(session, over[0]).minute:.1f} min" if over else "never"
            self._result.claim(f"{channel} is notified of its end", bool(over), ended)

    def _judge_silence(self, session: Session, received: Sequence[Received]) -> None:
        on = {one.signal for one in self._result.fired}
        for signal in self._drill.silent:
            self._result.claim(f"{signal} stays silent", signal not in on,
                               "it fired" if signal in on else "it did")  # fmt: skip
        titles = {title for one in self._wanted for title in (*one.titles, one.notifies.name)}
        for signal in self._drill.follows:
            titles |= self._titles_of(signal)
        others = [
            said for said in received if not any(title in said.text for title in titles)
            and said.content.get("event_action") != "resolve"
        ]  # fmt: skip
        first = f"; {self._told(session, others[0]).title}" if others else ""
        self._result.claim("nobody is notified of anything else", not others,
                           f"{len(others)} notifications{first}")  # fmt: skip
        pager = {one.id for one in self._place.target.settings.notifications
                 if one.kind == "pagerduty"}  # fmt: skip
        opened = [
            said for said in received
            if said.channel in pager and said.content.get("event_action") == "trigger"
        ]  # fmt: skip
        if pager:
            self._result.claim("PagerDuty opens no incident", not opened, f"{len(opened)} events")

    def _judge_page(self, received: Sequence[Received]) -> None:
        paging = [one for one in self._wanted if one.notifies.severity is Severity.PAGE]
        pages = [
            said for said in received for one in paging for channel in self._channels(one)
            if _is_of(said, one, channel, recovered=False)
        ]  # fmt: skip
        if pages:
            self._result.page_seconds = min(said.at for said in pages) - self._cause
            self._result.paged = self._result.page_seconds / self._pace
        if self._drill.users_notice:
            paged = self._result.paged
            after = max(one.after for one in self._wanted) + _NOTIFIED_SECONDS
            self._result.claim(
                f"a page arrives within {_PAGE_MINUTES} min and {after:g} s",
                paged is not None and paged <= _PAGE_MINUTES + after / self._pace,
                "never" if paged is None else f"after {paged:.1f} min",
            )

    def _titles_of(self, signal: str) -> set[str]:
        alarms = self._place.alarms
        alarm, incident = alarms.alarm(signal), alarms.incident(signal)
        found = {alarm.signal.title} if alarm else set()
        return found | ({incident.composite.title} if incident else set())

    def _told(self, session: Session, said: Received) -> Told:
        seconds = said.at - self._cause
        minute = (session.clock.session(said.at) - self._cause_session) / MINUTE
        title = next(iter(_first_line(said).splitlines()), "")
        return Told(said.channel, round(minute, 2), round(seconds, 2), title, _marked(said),
                    said.recovered)  # fmt: skip


def _channels(place: Place, one: Expected) -> list[str]:
    """The channels of a signal's severity; PagerDuty is left alone in a drill."""
    topics = one.notifies.topics
    severities = [Severity(topic) for topic in topics if topic in set(Severity)]
    if isinstance(one.notifies, CompositeAlarm):
        severities = [one.notifies.severity]
    found = {
        channel.id
        for severity in severities
        for channel in channels_for(place.target.settings, severity)
        if channel.kind != "pagerduty"
    }
    return sorted(found)


def _is_of(said: Received, one: Expected, channel: str, *, recovered: bool) -> bool:
    if said.channel != channel or said.recovered is not recovered:
        return False
    return any(title in said.text for title in (*one.titles, one.notifies.name))


def _marked(said: Received) -> bool:
    return "DRILL" in _first_line(said)


def _first_line(said: Received) -> str:
    content = said.content
    payload = content.get("payload")
    texts = (content.get("subject"), content.get("title"), content.get("text"),
             payload.get("summary") if isinstance(payload, dict) else None,
             content.get("event_action"))  # fmt: skip
    return str(next((text for text in texts if text), ""))
