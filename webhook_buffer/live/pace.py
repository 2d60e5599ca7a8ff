"""Session time: the clock of live alarms, which may run faster than a real one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MINUTE = 60
REAL_TIME = 60.0
# A minute can't be shorter: a failed attempt waits a whole second at least.
FASTEST = 3.0


@dataclass(frozen=True, slots=True)
class Stretch:
    """From a real moment on, a minute takes so many real seconds.

    Attributes:
        real, session: the same moment on both clocks, Unix seconds.
        pace: real seconds per minute of the session.
    """

    real: float
    session: float
    pace: float

    @property
    def factor(self) -> float:
        return MINUTE / self.pace


class Clock:
    """Converts between real and session time; the pace may change on the way.

    Args:
        stretches: in the order of time, at least one; before the first its pace is 60.
    """

    def __init__(self, stretches: Sequence[Stretch]) -> None:
        self.stretches = list(stretches)

    @classmethod
    def begun(cls, real: float, pace: float = REAL_TIME) -> Clock:
        """A clock that shows real time at its beginning."""
        return cls([Stretch(real, real, pace)])

    @property
    def pace(self) -> float:
        """Real seconds that a minute takes now."""
        return self.stretches[-1].pace

    def pace_at(self, real: float) -> float:
        """Real seconds that a minute takes at a real moment."""
        return next(
            (stretch.pace for stretch in reversed(self.stretches) if real >= stretch.real),
            REAL_TIME,
        )

    def change(self, real: float, pace: float) -> None:
        """Another pace from a moment on, which can't lie before the last change."""
        real = max(real, self.stretches[-1].real)
        self.stretches.append(Stretch(real, self.session(real), pace))

    def session(self, real: float) -> float:
        """What the session's clock shows at a real moment."""
        for stretch in reversed(self.stretches):
            if real >= stretch.real:
                return stretch.session + (real - stretch.real) * stretch.factor
        first = self.stretches[0]
        return first.session + (real - first.real)

    def real(self, session: float) -> float:
        """When the session's clock shows a time."""
        for stretch in reversed(self.stretches):
            if session >= stretch.session:
                return stretch.real + (session - stretch.session) / stretch.factor
        first = self.stretches[0]
        return first.real + (session - first.session)

    def waited(self, since: float, until: float) -> float:
        """Seconds of the session between two real moments."""
        return self.session(until) - self.session(since)


def described(pace: float) -> str:
    """A pace in words, as it stands wherever a time of a session is shown."""
    return f"1 minute = {pace:g} s" if pace != REAL_TIME else "real time"
