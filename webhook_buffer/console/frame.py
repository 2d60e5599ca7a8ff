"""The time that a chart covers, in buckets."""

from __future__ import annotations

from dataclasses import dataclass

from webhook_buffer.live.pace import MINUTE


@dataclass(frozen=True, slots=True)
class Frame:
    """The buckets of time that something is evaluated for.

    Attributes:
        start: session time of the first; a multiple of the step.
        step: seconds, full minutes.
        count: how many.
    """

    start: int
    step: int
    count: int

    @classmethod
    def over(cls, start: int, end: int, step: int = MINUTE) -> Frame:
        """The buckets that lie in a stretch, as Datadog aligns them."""
        first = start // step * step
        return cls(first, step, max(1, -(-(end - first) // step)))

    @property
    def end(self) -> int:
        return self.start + self.step * self.count

    @property
    def times(self) -> list[int]:
        return list(range(self.start, self.end, self.step))
