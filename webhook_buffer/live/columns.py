"""One number a minute, in an array that moves on with the newest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from webhook_buffer.live.pace import MINUTE

# How many minutes are kept, the newest: twice what anybody looks back on.
_KEPT = 2 * 25 * 60


class Column:
    """Values by the minute of a session; NaN where there is none.

    Attributes:
        stale: minutes whose value is to be put again.
    """

    def __init__(self) -> None:
        self.stale: set[int] = set()
        self._start = 0
        self._values: NDArray[np.float64] = np.empty(0)

    def put(self, minute: int, value: float) -> None:
        """Sets a minute's value; one that is older than what is kept is dropped."""
        if not len(self._values):
            self._start = minute
        place = (minute - self._start) // MINUTE
        if place >= len(self._values):
            place = self._reach(place)
        elif place < 0:
            if len(self._values) - place > _KEPT:
                return
            self._values = np.concatenate([np.full(-place, np.nan), self._values])
            self._start, place = minute, 0
        self._values[place] = value

    def _reach(self, place: int) -> int:
        """Makes room for a newer minute, half as much again as there was; its new place."""
        surplus = max(0, place + 1 - _KEPT)
        kept = self._values[surplus:]
        self._start += MINUTE * surplus
        place -= surplus
        room = max(place + 1, min(_KEPT, len(kept) * 3 // 2)) - len(kept)
        self._values = np.concatenate([kept, np.full(room, np.nan)])
        return place

    def part(self, start: int, count: int) -> NDArray[np.float64]:
        """The values of some minutes from one on."""
        values = np.full(count, np.nan)
        first = (start - self._start) // MINUTE
        begin, end = max(0, first), min(len(self._values), first + count)
        if begin < end:
            values[begin - first : end - first] = self._values[begin:end]
        return values

    def pairs(self) -> list[tuple[int, float]]:
        """Minute and value, where there is one."""
        there = np.flatnonzero(~np.isnan(self._values))
        return [(self._start + MINUTE * int(at), float(self._values[at])) for at in there]
