"""Invocations of functions by their log lines: how many, how long, and which failed.

Every invocation of ours that runs logs something. The emulator hands out lines of a busy function
late, with a later invocation's, and keeps nothing of one whose module could not be loaded: so one
that stays silent counts as failed after some seconds, and lines that come later take that back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from webhook_buffer.live.pace import Clock
from webhook_buffer.live.values import Observation
from webhook_buffer.operations.logs import Line

BOUNDARY = re.compile(r"(START|REPORT) RequestId: (\S+)(?:.*?\tDuration: ([0-9.]+) ms)?")
# Seconds of real time after which an invocation that logged nothing counts as failed: at least, at
# most, and as a share of the pace.
_SETTLE_LEAST, _SETTLE_MOST, _SETTLE_SHARE = 1.5, 5.0, 0.5
_SILENT_KEPT = 1_000


@dataclass(slots=True)
class Invocation:
    """One run of a function.

    Attributes:
        failed: None while none of its lines is known.
        ended: when its end became known.
    """

    function: str
    failed: bool | None = None
    started: float | None = None
    ended: float | None = None


class Invocations:
    """Reads boundaries and lines of invocations; the clock says how long silence may last."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._open: dict[str, Invocation] = {}
        # Those whose end is known and none of whose lines, in the order of their ends.
        self._silent: dict[str, Invocation] = {}
        # Those that counted as failed for that, the newest.
        self._condemned: dict[str, Invocation] = {}

    def state(self) -> list[dict[str, list[Any]]]:
        """All that is kept, as JSON values."""
        return [
            {
                name: [invocation.function, invocation.failed, invocation.started, invocation.ended]
                for name, invocation in some.items()
            }
            for some in (self._open, self._silent, self._condemned)
        ]

    def resume(self, state: list[Mapping[str, list[Any]]]) -> None:
        """Goes on from what ``state`` returned."""
        self._open, self._silent, self._condemned = (
            {name: Invocation(*values) for name, values in some.items()} for some in state
        )

    def boundary(self, line: Line, match: re.Match[str], at: float) -> Iterator[Observation]:
        """An invocation counts once its end is known: before, its lines may be missing."""
        request = match[2]
        invocation = self._open.setdefault(request, Invocation(line.function))
        if match[1] == "START":
            invocation.started = at
            return
        del self._open[request]
        invocation.ended = at
        began = at if invocation.started is None else invocation.started
        yield Observation(("AWS/Lambda", "Invocations", line.function), began, 1.0)
        if match[3]:
            yield Observation(("AWS/Lambda", "Duration", line.function), began, float(match[3]))
        if invocation.failed is None:
            self._silent[request] = invocation
        else:
            yield _errors(invocation, float(invocation.failed))

    def line(self, request: str, function: str, *, failed: bool) -> Iterator[Observation]:
        """Takes a line of an invocation, which the emulator may hand out after its end."""
        if condemned := self._condemned.pop(request, None):
            yield _errors(condemned, float(failed) - 1.0)
            return
        if silent := self._silent.pop(request, None):
            yield _errors(silent, float(failed))
            return
        invocation = self._open.setdefault(request, Invocation(function))
        invocation.failed = bool(invocation.failed) or failed

    def settle(self, now: float) -> Iterator[Observation]:
        """Counts invocations that stay silent as failed: all of ours log something.

        The emulator keeps nothing of one whose module could not be loaded.
        """
        settle = max(_SETTLE_LEAST, min(_SETTLE_MOST, _SETTLE_SHARE * self._clock.pace_at(now)))
        for request, invocation in list(self._silent.items()):
            if invocation.ended is None or now - invocation.ended <= settle:
                return
            del self._silent[request]
            self._condemned[request] = invocation
            yield _errors(invocation, 1.0)
        while len(self._condemned) > _SILENT_KEPT:
            del self._condemned[next(iter(self._condemned))]


def _errors(invocation: Invocation, value: float) -> Observation:
    at = invocation.ended if invocation.started is None else invocation.started
    return Observation(("AWS/Lambda", "Errors", invocation.function), at or 0.0, value)
