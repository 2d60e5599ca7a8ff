"""Live alarms as a loop: poll, judge every minute, set states, until it is stopped.

Everything it knows is in its folder (``control`` has the names of its files).
"""

from __future__ import annotations

import contextlib
import json
import math
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from alarmproof.base.alarms import AnyAlarm, State

from settings.errors import WebhookBufferError
from settings.schema import Settings
from webhook_buffer.live import session as sessions
from webhook_buffer.live import sources
from webhook_buffer.live.control import SESSION, VERDICTS, Control
from webhook_buffer.live.drops import Drops
from webhook_buffer.live.judge import Judge, Verdict
from webhook_buffer.live.pace import MINUTE, REAL_TIME
from webhook_buffer.live.session import Change, Event, Session
from webhook_buffer.live.states import States
from webhook_buffer.operations.environment import Environment
from webhook_buffer.operations.files import write

# Seconds after a minute's end until it is judged, in which its last lines come in.
_GRACE = 0.2
# Between two polls: a share of a minute, within these bounds; seconds.
_POLL_SHARE, _POLL_LEAST, _POLL_MOST = 1 / 12, 0.3, 2.0
_POLL_AFTER = 0.05
# Between two looks for what was dropped.
_DROPS_SECONDS = 3.0
# From this size on the file is rewritten, without what is not kept.
_FILE_BYTES = 64 * 2**20
# Session time of an audit, as it is deployed. Source: monitoring/cdk/end_to_end.py.
_AUDIT_SECONDS = 1800
_PRELUDE = 4 * 3600


class Engine:
    """One run of live alarms.

    Args:
        folder: keeps its files; exists.
        alarms: as deployed.
    """

    def __init__(self, target: Environment, folder: Path, alarms: Sequence[AnyAlarm]) -> None:
        self._target, self._folder = target, folder
        self._judge = Judge(alarms, target.settings.alarm_name(""))
        self._states = States(target, alarms)
        self._file = folder / SESSION
        self.session, self._source = self._begin()
        self._drops = Drops(target, every=_DROPS_SECONDS)
        self._judged = self._due()  # by then, if the session was there before
        self._beats: dict[str, float] = {}
        self._published: dict[str, Any] = {}
        self._marked = _going_on(self.session)

    def run(self, ended: threading.Event) -> None:
        """Polls and judges until ``ended`` is set.

        What fails is tried again: the emulator may be busy, or be deployed to.
        """
        self._states.begin(_performed(self.session))
        self._put(self._verdicts(self._due()), Control.read(self._folder), publish=True)
        try:
            while not ended.is_set():
                started = time.monotonic()
                try:
                    self._step()
                    self._note(None)
                except WebhookBufferError as error:
                    print(f"{time.strftime('%H:%M:%S')} {error}", flush=True)
                    self._note(str(error))
                ended.wait(self._pause(time.monotonic() - started))
        finally:
            with contextlib.suppress(WebhookBufferError):  # the emulator may be gone
                self._states.end()

    def _begin(self) -> tuple[Session, sources.LaptopSource]:
        """Goes on with the session of the folder, or begins one."""
        now = time.time()
        limits = sources.deployed_limits(self._target)
        session: Session | None = None
        try:
            session = Session.open(self._file)
        except WebhookBufferError:
            session = None
        if session is None:
            session = Session.begun(
                self._target.settings.environment,
                real=now,
                pace=REAL_TIME,
                limits=limits,
                roles=sources.roles_of(self._target.settings),
            )
            for event in prelude_of(self._target.settings, session.start):
                session.apply(event)
            session.save(self._file)
        source = sources.LaptopSource(self._target, since=session.until - 1)
        source.skip(session.recent)
        return session, source

    def _step(self) -> None:
        """One poll, and a verdict where a minute is over."""
        control = Control.read(self._folder)
        control.put_in_force(self._folder)
        if control.pace != self.session.clock.pace:
            self._record({"kind": "pace", "real": time.time(), "pace": control.pace})
        if control.mark != self._marked:
            real, text = control.mark or _over(self._marked)
            self._marked = control.mark
            self._record({"kind": "mark", "real": real, "text": text})
        self._record(self._source.poll())
        for event in self._drops.poll(self.session.webhooks.parked, time.time()):
            self._record(event)
        due = self._due()
        if due > self._judged:
            for minute in range(max(self._judged + MINUTE, due - 9 * MINUTE), due, MINUTE):
                self._put(self._verdicts(minute), control)
            self._put(self._verdicts(due), control, publish=True)
            self._judged = due
            self._trim()
        self._beat()

    def _due(self) -> int:
        """The last minute that is over, and whose lines are in."""
        now = self.session.clock.session(self.session.until - _GRACE)
        return max(self.session.start, math.floor(now / MINUTE) * MINUTE)

    def _pause(self, spent: float) -> float:
        """Until the next poll: soon, and right after the end of a minute."""
        clock = self.session.clock
        usual = min(_POLL_MOST, max(_POLL_LEAST, clock.pace * _POLL_SHARE)) - spent
        next_due = clock.real(self._judged + MINUTE) + _GRACE + _POLL_AFTER - time.time()
        return max(_POLL_AFTER, min(usual, next_due))

    def _verdicts(self, end: int) -> list[Verdict]:
        return self._judge.judge(self.session, end)

    def _put(self, verdicts: Sequence[Verdict], control: Control, *, publish: bool = False) -> None:
        def changed(verdict: Verdict, notified: bool) -> None:
            change = Change(
                at=verdict.since or self.session.start,
                real=time.time(),
                alarm=verdict.alarm,
                state=verdict.state,
                reason=verdict.reason,
                notified=notified,
            )
            self._record({"kind": "change", "change": asdict(change)})

        self._states.put(verdicts, held=frozenset(control.held), changed=changed)
        if publish:
            self._publish(verdicts)

    def _publish(self, verdicts: Sequence[Verdict]) -> None:
        now = time.time()
        document = {
            "environment": self.session.environment,
            "judged": self._due(),
            "real": now,
            "ahead": self.session.clock.session(now) - now,
            "pace": self.session.clock.pace,
            "problem": None,
            "verdicts": [asdict(verdict) for verdict in verdicts],
        }
        self._write(document)

    def _note(self, problem: str | None) -> None:
        """Says beside the verdicts why there are no newer ones; None where all is well."""
        if problem != self._published["problem"]:
            self._write({**self._published, "problem": problem})

    def _write(self, document: dict[str, Any]) -> None:
        write(self._folder / VERDICTS, json.dumps(document))
        self._published = document

    def _record(self, event: Event) -> None:
        self.session.apply(event)
        with self._file.open("a") as stream:
            stream.write(f"{sessions.text(event)}\n")

    def _trim(self) -> None:
        if self._file.stat().st_size > _FILE_BYTES:
            self.session.save(self._file)

    def _beat(self) -> None:
        """Runs heartbeat and audit by the session's clock where it is faster than theirs."""
        if self.session.clock.pace == REAL_TIME:
            self._beats.clear()
            return
        settings = self._target.settings
        periods = {"heartbeat": 60 * settings.heartbeatMinutes, "audit": _AUDIT_SECONDS}
        for name, period in periods.items():
            if name in settings.functions and self.session.now >= self._beats.get(name, 0.0):
                self._beats[name] = (self.session.now // period + 1) * period
                self._target.functions.invoke(
                    FunctionName=settings.function_name(name), InvocationType="Event"
                )


def _going_on(session: Session) -> tuple[float, str] | None:
    """The last mark of a drill that was not over when a session was left."""
    last = session.marks[-1] if session.marks else None
    return (last.real, last.text) if last and session.drilled(last.real) else None


def _over(mark: tuple[float, str] | None) -> tuple[float, str]:
    """The mark at the end of a drill, after its last one."""
    name = mark[1].partition(":")[0] if mark else ""
    return time.time(), f"{name}: {sessions.OVER}"


def _performed(session: Session) -> dict[str, str]:
    """The state of each alarm whose actions ran last, as far as a session knows."""
    performed: dict[str, str] = {}
    for change in session.timeline:
        performed.setdefault(change.alarm, State.OK.value)
        if change.notified:
            performed[change.alarm] = change.state
    return performed


def prelude_of(settings: Settings, start: int) -> list[Event]:
    """Good health before a session: webhooks, heartbeats that arrived, probes, audits that ran.

    Args:
        start: of the session.
    """
    beat = 60 * settings.heartbeatMinutes
    beats = [(start - MINUTE - at, 1.0) for at in range(0, _PRELUDE, beat)]
    audits = [(start - MINUTE - at, 1.0) for at in range(0, _PRELUDE, _AUDIT_SECONDS)]
    keys: dict[tuple[str, str, str], Any] = {
        ("AWS/Lambda", "Invocations", "audit"): audits,
        ("WebhookBuffer", "Accepted", ""): beats,
    }
    if settings.sends_heartbeats:
        keys["WebhookBuffer", "HeartbeatArrived", ""] = beats
        keys["AWS/Lambda", "Invocations", "notify"] = beats
    return [{"kind": "cells", "key": key, "values": values} for key, values in keys.items()]
