"""How many log lines match a search, minute by minute; each line is looked at once."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from monitoring.datadog.log_search import Matches, facet
from webhook_buffer.console.frame import Frame
from webhook_buffer.live.pace import MINUTE
from webhook_buffer.live.session import Session
from webhook_buffer.operations.logs import Line

_MOST_SEARCHES = 500
# The most groups of one search; more are ids, which nobody looks at side by side.
MOST_GROUPS = 1000
_NEWEST = 25


# A line's value of each facet.
Group = tuple[str, ...]


@dataclass(slots=True)
class _Found:
    """What matches one search.

    Attributes:
        position: how many lines of the session have been looked at.
        since: session time from which on all lines were looked at.
        counts: by minute, of each group; of a search that is not grouped, that of no facets.
    """

    since: float
    position: int = 0
    counts: dict[Group, Counter[int]] = field(default_factory=dict)
    newest: deque[Line] = field(default_factory=lambda: deque(maxlen=_NEWEST))


class TooManyGroupsError(Exception):
    """When a search has more than ``MOST_GROUPS`` groups."""


class LogCounts:
    """The counts of one session's searches.

    Args:
        prefix: what the physical names of functions begin with.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._of: dict[tuple[str, Group], _Found] = {}
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
        return _placed(lines.counts.get((), Counter()), lines.since, session, frame)

    def grouped(
        self, session: Session, search: str, matches: Matches, facets: Group, frame: Frame
    ) -> dict[Group, NDArray[np.float64]]:
        """The same for each group; a line without one of the facets is in none.

        Raises:
            TooManyGroupsError: When there are more than anybody compares.
        """
        lines = self._found(session, search, matches, facets)
        if len(lines.counts) > MOST_GROUPS:
            raise TooManyGroupsError
        return {
            group: _placed(counts, lines.since, session, frame)
            for group, counts in lines.counts.items()
        }

    def _found(self, session: Session, search: str, matches: Matches, facets: Group = ()) -> _Found:
        """What matches so far."""
        if session is not self._session or len(self._of) > _MOST_SEARCHES:
            self._of, self._session = {}, session
        key = (search, facets)
        lines = self._of.get(key) or self._of.setdefault(key, _Found(session.lines_from))
        new = list(islice(reversed(session.lines), session.lines_read - lines.position))
        for line in reversed(new):
            tags = self.tags(line)
            if matches(tags, line.fields, line.text):
                lines.newest.append(line)
                values = [facet(name, tags, line.fields) for name in facets]
                group = tuple(value for value in values if value is not None)
                if len(group) < len(facets) or len(lines.counts) > MOST_GROUPS:
                    continue
                minute = int(session.clock.session(line.at / 1000) // MINUTE) * MINUTE
                lines.counts.setdefault(group, Counter())[minute] += 1
        lines.position = session.lines_read
        return lines


def _placed(
    counts: Counter[int], since: float, session: Session, frame: Frame
) -> NDArray[np.float64]:
    values = np.full(frame.count, np.nan)
    times = np.array(frame.times)
    values[(times + frame.step > since) & (times < session.now)] = 0.0
    for minute, count in counts.items():
        place = (minute - frame.start) // frame.step
        if 0 <= place < frame.count:
            values[place] = np.nan_to_num(values[place]) + count
    return values
