"""How many log lines match a search, minute by minute; each line is looked at once."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from monitoring.datadog.log_search import Matches
from webhook_buffer.console.frame import Frame
from webhook_buffer.live.pace import MINUTE
from webhook_buffer.live.session import Session
from webhook_buffer.operations.logs import Line

_MOST_SEARCHES = 500
_NEWEST = 25


@dataclass(slots=True)
class _Found:
    """What matches one search.

    Attributes:
        position: how many lines of the session have been looked at.
        since: session time from which on all lines were looked at.
        counts: by minute.
    """

    since: float
    position: int = 0
    counts: Counter[int] = field(default_factory=Counter)
    newest: deque[Line] = field(default_factory=lambda: deque(maxlen=_NEWEST))


class LogCounts:
    """The counts of one session's searches.

    Args:
        prefix: what the physical names of functions begin with.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._of: dict[str, _Found] = {}
        self._session: Session | None = None

    def tags(self, line: Line) -> dict[str, str]:
        """The tags of a line that a search may name."""
        return {"functionname": f"{self._prefix}-{line.function}"}

    def newest(self, session: Session, search: str, matches: Matches) -> list[Line]:
        """The newest lines that match, the newest first; not more than are shown."""
        return list(reversed(self._found(session, search, matches).newest))

    def counted(
        self, session: Session, search: str, matches: Matches, frame: Frame
    ) -> NDArray[np.float64]:
        """How many match, by bucket; zero while lines are known, NaN outside that."""
        lines = self._found(session, search, matches)
        values = np.full(frame.count, np.nan)
        times = np.array(frame.times)
        values[(times + frame.step > lines.since) & (times < session.now)] = 0.0
        for minute, count in lines.counts.items():
            place = (minute - frame.start) // frame.step
            if 0 <= place < frame.count:
                values[place] = np.nan_to_num(values[place]) + count
        return values

    def _found(self, session: Session, search: str, matches: Matches) -> _Found:
        """What matches so far."""
        if session is not self._session or len(self._of) > _MOST_SEARCHES:
            self._of, self._session = {}, session
        lines = self._of.get(search) or self._of.setdefault(search, _Found(session.lines_from))
        new = list(islice(reversed(session.lines), session.lines_read - lines.position))
        for line in reversed(new):
            if matches(self.tags(line), line.fields, line.text):
                minute = int(session.clock.session(line.at / 1000) // MINUTE) * MINUTE
                lines.counts[minute] += 1
                lines.newest.append(line)
        lines.position = session.lines_read
        return lines
