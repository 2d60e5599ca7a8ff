"""What to look at: dashboards as data. What renders them stands in ``monitoring``.

Lines name their resources by role, numbers come from signals and facts, so that nothing here
knows a physical name or repeats a threshold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from monitoring.model import Query


@dataclass(frozen=True, slots=True)
class Line:
    """A metric in a panel.

    Attributes:
        label: facts stand in braces: ``within {slo.delivery_target} ms``.
        id: what formulas of the same panel call it.
        hidden: only formulas show it.
        color: ``#rrggbb``; by default CloudWatch chooses.
    """

    query: Query
    label: str
    id: str = ""
    hidden: bool = False
    color: str | None = None


@dataclass(frozen=True, slots=True)
class Formula:
    """Metric maths over a panel's lines."""

    expression: str
    label: str


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One graph, or one number.

    Attributes:
        unit: of the y axis, as ``monitoring.model`` knows it; thresholds must be in it.
        axis: what that axis is called, where the unit alone says too little.
        signals: whose thresholds are drawn, by id.
        limits: facts that are drawn, each with its label; units of time are converted.
        period: seconds, or the fact that gives them.
        stacked: areas on top of each other.
        number: one value over the time the reader chose, in place of a graph.
    """

    title: str
    unit: str
    lines: tuple[Line | Formula, ...]
    axis: str = ""
    signals: tuple[str, ...] = ()
    limits: Mapping[str, str] = field(default_factory=dict)
    period: int | str = 60
    stacked: bool = False
    number: bool = False

    @property
    def roles(self) -> frozenset[str]:
        """The roles whose resources it needs."""
        return frozenset(line.query.role for line in self.lines if isinstance(line, Line))


@dataclass(frozen=True, slots=True)
class Section:
    """Panels that answer one question; those of a row share its width evenly."""

    title: str
    rows: tuple[tuple[Panel, ...], ...]
