"""Drills started from the page: one at a time, in a thread, with what it does and its verdict."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitoring.alarm_set import AlarmSet
from settings.errors import InputError, WebhookBufferError
from webhook_buffer.laptop import laptop
from webhook_buffer.laptop.drills import runner
from webhook_buffer.laptop.drills.catalog import DRILLS
from webhook_buffer.laptop.drills.model import Drill, expected
from webhook_buffer.laptop.drills.seen import Place
from webhook_buffer.laptop.drills.verdict import Result
from webhook_buffer.laptop.journal import Journal, Running
from webhook_buffer.live.control import Control
from webhook_buffer.live.pace import FASTEST, REAL_TIME
from webhook_buffer.operations.environment import Environment

# How long a pace stays that was asked for outside of a drill.
_PACE_SECONDS = 900.0

Run = Callable[..., Result]


class _StoppedError(Exception):
    """When somebody stopped the drill."""


@dataclass
class _Current:
    """The drill that runs, or ran last.

    Attributes:
        failed: why it has no verdict; None while it runs, or when it has one.
    """

    name: str
    pace: float
    begun: float
    doing: str = "starting"
    stopping: bool = False
    result: Result | None = None
    failed: str | None = None
    over: bool = False


class Drills:
    """The drills of what runs on the laptop; elsewhere there are none.

    Args:
        live: the folder of live alarms, which is asked for a pace; the journal of a running drill
            is in the folder above it.
        run: runs one; ``runner.run``.
    """

    def __init__(
        self, target: Environment | None, alarms: AlarmSet, live: Path | None, run: Run = runner.run
    ) -> None:
        self._target, self._alarms, self._live, self._run = target, alarms, live, run
        self._current: _Current | None = None

    def document(self) -> dict[str, Any]:
        """What can be run, what runs (here, or started by a command), and the last verdict."""
        if self._target is None:
            return {"drills": [], "current": None}
        return {
            "drills": [self._listed(drill) for drill in DRILLS.values()],
            "current": self._elsewhere() or self._shown(),
        }

    def start(self, name: str, pace: float) -> None:
        """Begins a drill.

        Raises:
            InputError: When it can't be begun: unknown, another one runs, no such pace.
        """
        drill = DRILLS.get(name)
        if drill is None:
            raise InputError(f"Unknown drill '{name}'; known drills: {', '.join(DRILLS)}.")
        if self._target is None:
            raise InputError("This console shows a file: nothing runs that can be drilled.")
        _check(pace)
        if self._current and not self._current.over:
            raise InputError(f"The drill {self._current.name} is running.")
        if elsewhere := self._running_elsewhere():
            raise InputError(f"The drill {elsewhere.drill} is running, started by a command.")
        self._current = _Current(name, max(pace, drill.least_pace), time.time())
        work = threading.Thread(target=self._work, args=(drill, self._current), daemon=True)
        work.start()

    def pace(self, pace: float) -> None:
        """Has a minute of the session take so many real seconds, for a while.

        Raises:
            InputError: When no session runs here, a drill is running, or the pace is out of range.
        """
        if self._target is None or self._live is None:
            raise InputError("This console shows a saved session, whose pace can't be changed.")
        _check(pace)
        if Control.read(self._live).mark:
            raise InputError("A drill is running, at its own pace.")
        Control(pace, until=time.time() + _PACE_SECONDS).write(self._live)

    def stop(self) -> None:
        """Has the drill that runs end at its next step; what it changed is undone.

        Raises:
            InputError: When none runs.
        """
        if self._current is None or self._current.over:
            raise InputError("No drill is running.")
        self._current.stopping = True

    def _work(self, drill: Drill, current: _Current) -> None:
        def progress(doing: str) -> None:
            current.doing = doing
            if current.stopping and doing != "mending":
                raise _StoppedError

        try:
            current.result = self._run(drill, self._place(), pace=current.pace, progress=progress)
        except _StoppedError:
            current.failed = "It was stopped, and what it had changed is undone."
        except WebhookBufferError as error:
            current.failed = str(error)
        except Exception as error:
            current.failed = f"It ended unexpectedly: {type(error).__name__}: {error}"
            raise
        finally:
            current.over = True

    def _place(self) -> Place:
        assert self._target is not None
        endpoint = self._target.public_url
        if endpoint is None:
            raise InputError("Nothing runs here. To start it: webhook-buffer up")
        return Place(
            self._target, self._alarms, endpoint, laptop.STATE, laptop.backend(),
            laptop.live_alarms(),
        )  # fmt: skip

    def _listed(self, drill: Drill) -> dict[str, Any]:
        expecting, lacking = expected(drill, self._alarms, max(FASTEST, drill.least_pace))
        return {
            "name": drill.name,
            "title": drill.title,
            "expects": [
                {"signal": expectation.signal, "minutes": expectation.limit}
                for expectation in expecting
            ],
            "lacking": {name: self._alarms.left_out.get(name, "not deployed") for name in lacking},
            "least_pace": drill.least_pace,
            "why": drill.why,
        }

    def _running_elsewhere(self) -> Running | None:
        running = Journal(self._live.parent).running() if self._live else None
        return running if running and running.pid != os.getpid() else None

    def _elsewhere(self) -> Mapping[str, Any] | None:
        running = self._running_elsewhere()
        if running is None or self._live is None:
            return None
        current = _Current(
            running.drill, Control.read(self._live).pace, running.begun,
            doing=f"started by a command (pid {running.pid})",
        )  # fmt: skip
        return _document(current) | {"elsewhere": True}

    def _shown(self) -> Mapping[str, Any] | None:
        return _document(self._current) | {"elsewhere": False} if self._current else None


def _document(current: _Current) -> dict[str, Any]:
    shown: dict[str, Any] = {
        name: getattr(current, name)
        for name in ("name", "pace", "begun", "doing", "stopping", "failed", "over")
    }
    return shown | {"verdict": _verdict(current.result) if current.result else None}


def _check(pace: float) -> None:
    if not FASTEST <= pace <= REAL_TIME:
        raise InputError(f"The pace must be {FASTEST:g} s to {REAL_TIME:g} s a minute.")


def _verdict(result: Result) -> dict[str, Any]:
    return {
        "passed": result.passed,
        "skipped": result.skipped,
        "took": result.took,
        "claims": [
            {"what": claim.what, "holds": claim.holds, "seen": claim.seen}
            for claim in result.claims
        ],
        "notified": [
            {"minute": line.minute, "channel": line.channel, "title": line.title}
            for line in result.notified
        ],
    }
