"""How many log lines match a search, minute by minute; each line is looked at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from monitoring.datadog.log_search import Matches
from webhook_buffer.console.frame import Frame
from webhook_buffer.live.pace import MINUTE
from webhook_buffer.live.session import Session
from webhook_buffer.operations.logs import Line

_MOST_SEARCHES = 500


class LogCounts:
    """The counts of one session's searches.

    Args:
        prefix: what the physical names of functions begin with.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._of: dict[str, tuple[int, Counter[int]]] = {}
        self._session: Session | None = None

    def tags(self, line: Line) -> dict[str, str]:
        """The tags of a line that a search may name."""
        return {"functionname": f"{self._prefix}-{line.function}"}

    def matching(self, session: Session, matches: Matches, most: int) -> list[Line]:
        """The newest lines that match, the newest first."""
        found = (
            line
            for line in reversed(session.lines)
            if matches(self.tags(line), line.fields, line.text)
        )
        return list(islice(found, most))

    def counted(
        self, session: Session, search: str, matches: Matches, frame: Frame
    ) -> NDArray[np.float64]:
        """How many match, by bucket; zero while the session lasts, NaN outside it."""
        if session is not self._session or len(self._of) > _MOST_SEARCHES:
            self._of, self._session = {}, session
        position, counts = self._of.get(search, (0, Counter()))
        for line in _newest(session, session.lines_read - position):
            if matches(self.tags(line), line.fields, line.text):
                counts[int(session.clock.session(line.at / 1000) // MINUTE) * MINUTE] += 1
        self._of[search] = (session.lines_read, counts)
        values = np.full(frame.count, np.nan)
        times = np.array(frame.times)
        values[(times + frame.step > session.start) & (times < session.now)] = 0.0
        for minute, count in counts.items():
            place = (minute - frame.start) // frame.step
            if 0 <= place < frame.count:
                values[place] = np.nan_to_num(values[place]) + count
        return values


def _newest(session: Session, many: int) -> Iterator[Line]:
    return islice(reversed(session.lines), many)
