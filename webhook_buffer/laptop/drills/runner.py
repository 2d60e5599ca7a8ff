"""Runs a drill on what `up` started: health, cause, signals, notifications, recovery, verdict."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from webhook_buffer.laptop.drills.causes import CAUSES, Stage
from webhook_buffer.laptop.drills.claims import judge, judge_parked
from webhook_buffer.laptop.drills.health import problem, require_start
from webhook_buffer.laptop.drills.model import Drill, Expected, expected
from webhook_buffer.laptop.drills.seen import POLL_SECONDS, Place, Seen
from webhook_buffer.laptop.drills.snapshot import differences, snapshot
from webhook_buffer.laptop.drills.traffic import Traffic
from webhook_buffer.laptop.drills.verdict import Result
from webhook_buffer.laptop.journal import Journal
from webhook_buffer.laptop.wanted import EXPIRES_SECONDS, renewed
from webhook_buffer.live.control import Control
from webhook_buffer.live.pace import MINUTE
from webhook_buffer.live.session import Session
from webhook_buffer.operations import drill_record, logs

# Real webhooks a second, at least and at most, and a minute of the session.
_RATE_LEAST, _RATE_MOST, _RATE_A_MINUTE = 1.0, 3.0, 60.0
# Minutes of health before the cause.
_HEALTHY = 2
_START_SECONDS, _DRAIN_SECONDS = 60.0, 60.0
# Real seconds that a notification may take besides.
_NOTIFIED_SECONDS = 5.0
# Real seconds that a function with other settings may take to start, on a busy machine.
_RESTART_SECONDS = 60.0
_UNDONE_SECONDS = 10.0
_SEED = 7

Progress = Callable[[str], None]
TrafficOf = Callable[..., Traffic]


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
        InputError: When another drill runs, or something is wrong already.
        WebhookBufferError: When something can't be changed, or can't be mended.
    """
    pace = max(pace, drill.least_pace)
    result = Result(
        drill=drill.name, title=drill.title, pace=pace, begun=time.time(),
        users_notice=drill.users_notice,
    )  # fmt: skip
    wanted, lacking = expected(drill, place.alarms, pace)
    if lacking:
        reasons = [place.alarms.left_out.get(signal, "it is not deployed") for signal in lacking]
        result.skipped = "; ".join(f"{a}: {b}" for a, b in zip(lacking, reasons, strict=True))
        return result
    journal = Journal(place.state)
    journal.begin(drill.name, place.target)
    try:
        require_start(place)
        before = snapshot(place)
        _Run(drill, place, pace, wanted, result, journal, progress).run(traffic)
    finally:
        progress("mending")
        journal.undo(place.target)
        result.took = time.time() - result.begun
    left = _left(before, place)
    result.claim("nothing is left behind", not left, "; ".join(left) or "all as it was before")
    return result


def _left(before: dict[str, object], place: Place) -> list[str]:
    """What is not as it was; an event source takes a moment to be enabled."""
    deadline = time.monotonic() + _UNDONE_SECONDS
    while (left := differences(before, snapshot(place))) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    return left


class _Run:
    """One run of a drill."""

    def __init__(
        self, drill: Drill, place: Place, pace: float, wanted: Sequence[Expected],
        result: Result, journal: Journal, progress: Progress,
    ) -> None:  # fmt: skip
        self._drill, self._place, self._pace, self._wanted = drill, place, pace, wanted
        self._result, self._journal, self._progress = result, journal, progress
        self._seen = Seen(place, drill, wanted, result.begun)
        self._mark: tuple[float, str] | None = None
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
            self._seen.wait_minutes(_HEALTHY)
            wrong = problem(self._seen, traffic)
            self._result.claim("all is well before the cause", not wrong, wrong or "it was")
            if wrong:
                return
            self._begin(stage)
            try:
                self._await_signals()
                judge_parked(self._result, self._seen, traffic)
            finally:
                self._progress("repairing")
                stage.repair()
                self._repaired = time.time()
                self._say("repaired")
            self._await_recovery()
            self._progress("draining")
            traffic.finish()
            self._await_delivery(traffic)
            judge(self._result, self._seen, traffic)

    @contextmanager
    def _session(self) -> Iterator[None]:
        """A session of the drill's own, at its pace, which ends soon after the drill does."""
        live = self._place.live
        self._journal.note(kind="control")
        live.end_session()
        self._want()
        live.start()
        with renewed(self._want):
            self._seen.until(
                lambda session: session.clock.pace == self._pace, _START_SECONDS, "live alarms"
            )
            yield

    def _want(self) -> None:
        until = time.time() + EXPIRES_SECONDS
        Control(self._pace, (), until, self._mark).write(self._place.live.folder)

    def _say(self, text: str) -> None:
        self._mark = (time.time(), f"drill {self._drill.name}: {text}")
        self._want()

    def _begin(self, stage: Stage) -> None:
        """Announces the drill, and causes the failure at the beginning of a minute."""
        self._progress("cause")
        self._seen.wait_minutes(0)
        self._journal.note(kind="record")
        self._announce(time.time(), _RESTART_SECONDS)
        cause = time.time()
        CAUSES[self._drill.cause](stage)
        if stage.restarted:
            self._progress(f"{stage.restarted} restarts")
            cause = self._restarted(stage.restarted)
            self._announce(cause, 0.0)
        self._seen.caused(cause)
        self._say(self._drill.title)

    def _announce(self, begins: float, reserve: float) -> None:
        """Has notify mark what is expected, within its limits."""
        marked: dict[str, tuple[float, float]] = {}
        for awaited in self._wanted:
            until = begins + (awaited.notified + 1) * self._pace + _NOTIFIED_SECONDS + reserve
            for name in (awaited.alarm.name, awaited.notifies.name):
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
            time.sleep(POLL_SECONDS)
        return time.time()

    def _await_signals(self) -> None:
        """Until every expected signal fired and notified, or the last limit is over."""
        limit = max(self._drill.lasts, *(expected.notified for expected in self._wanted)) + 1
        least = self._seen.cause + self._drill.lasts * self._pace

        def done(session: Session) -> bool:
            on = all(self._seen.first(session, expected.alarm.name) for expected in self._wanted)
            self._progress(
                f"cause, minute {self._seen.minute(session, time.time()):.0f} of {limit}"
            )
            return on and self._seen.all_notified(recovered=False) and time.time() >= least

        self._seen.until(done, limit * self._pace + _NOTIFIED_SECONDS)

    def _await_recovery(self) -> None:
        limit = max((expected.recovery for expected in self._wanted), default=1)

        def done(session: Session) -> bool:
            since = session.clock.waited(self._repaired, time.time()) / MINUTE
            self._progress(f"recovery, minute {since:.0f} of {limit}")
            names = {
                name
                for expected in self._wanted
                for name in (expected.alarm.name, expected.notifies.name)
            }
            return all(
                self._seen.state(session, name) == "OK" for name in names
            ) and self._seen.all_notified(recovered=True)  # fmt: skip

        self._seen.until(done, limit * self._pace + _NOTIFIED_SECONDS)

    def _await_delivery(self, traffic: Traffic) -> None:
        deadline = time.time() + _DRAIN_SECONDS
        while time.time() < deadline and self._seen.deliveries(traffic).lost:
            time.sleep(POLL_SECONDS)
