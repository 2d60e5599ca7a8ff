"""Metrics and their values, which alarms are evaluated on.

Times are Unix seconds, UTC; a value at time ``t`` with step ``s`` was measured in ``[t, t + s)``;
NaN is a missing value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    # Linting works without numpy.
    from alarmproof.base.arrays import Values


@dataclass(frozen=True, slots=True, order=True)
class MetricKey:
    """A metric, as CloudWatch identifies it.

    Attributes:
        dimensions: (name, value), sorted by name.
        account: that has it, where an alarm names another than its own; empty otherwise.
    """

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...] = ()
    account: str = ""

    @classmethod
    def of(
        cls,
        namespace: str,
        name: str,
        dimensions: Mapping[str, str] | None = None,
        account: str = "",
    ) -> MetricKey:
        """A key from dimensions in any order."""
        return cls(namespace, name, tuple(sorted((dimensions or {}).items())), account)

    def __str__(self) -> str:
        dimensions = ", ".join(f"{name}={value}" for name, value in self.dimensions)
        return (
            f"{self.namespace} {self.name}"
            + (f" {{{dimensions}}}" if dimensions else "")
            + (f" of account {self.account}" if self.account else "")
        )


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Values of one metric at equal distances.

    Attributes:
        statistic: ``Sum``, ``p99``, … where each value is that statistic of its step; None
            where each value is one observation, of which any statistic can be made.
        start: of the first value; a multiple of the step, or of 60.
        step: seconds; 1, 5, 10, 20, 30, or a multiple of 60.
        unit: that the values were published with; None where it is that which the alarm asks for.
    """

    metric: MetricKey
    statistic: str | None
    start: int
    step: int
    values: Values
    unit: str | None = None

    @property
    def end(self) -> int:
        """Where the last value's step ends."""
        return self.start + self.step * len(self.values)


class Recording(Protocol):
    """Where series come from: a test case, a file, AWS."""

    def series(self, metric: MetricKey) -> Sequence[Series]:
        """All series of one metric: its observations, or one for each recorded statistic.

        Empty when the metric was never seen: every period of it is then missing.
        """
        ...
