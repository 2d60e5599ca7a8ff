"""What to look at: dashboards as data. What renders them stands in ``monitoring``.

Lines name their resources by role, numbers come from signals and facts, so that nothing here
knows a physical name or repeats a threshold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from monitoring.model.signals import Query


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
    color: str | None = None


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One graph, or one number.

    Attributes:
        unit: of the y axis, as ``monitoring.model.signals`` knows it; thresholds must be in it.
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


@dataclass(frozen=True, slots=True)
class Series:
    """A metric by Datadog's own name, for what CloudWatch has no counterpart of.

    Attributes:
        aggregation: over what ``role`` and ``tags`` leave: ``sum``, ``avg``, ``max``, ``min``, or a
            distribution's percentile (``p95``).
        role: whose resource it is of; the whole service's without one.
        rate: a count per second, for formulas that hold over any time shown.
        id, hidden, color: as a ``Line``'s.
    """

    name: str
    aggregation: str
    label: str
    role: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    rate: bool = False
    id: str = ""
    hidden: bool = False
    color: str | None = None


@dataclass(frozen=True, slots=True)
class LogCount:
    """How many log lines there are of a kind.

    Attributes:
        search: in Datadog's syntax, beside those of the service or of ``role``'s function.
    """

    search: str
    label: str
    role: str = ""
    id: str = ""
    hidden: bool = False
    color: str | None = None


@dataclass(frozen=True, kw_only=True)
class Graph:
    """A graph, or one number, in Datadog.

    Attributes:
        unit: that thresholds and formulas are in, as ``monitoring.model.signals`` knows it; what is
            drawn is in the unit that Datadog has for the metrics.
        signals: whose thresholds are drawn, by id.
        limits: facts that are drawn, each with its label.
        period: what a count is over, and a maximum the highest of: seconds, or the fact.
        shape: ``line``, ``area`` or ``bars``; bars are stacked.
        number: one value over the time the reader chose, in place of a graph.
    """

    title: str
    unit: str
    lines: tuple[Line | Series | LogCount | Formula, ...]
    signals: tuple[str, ...] = ()
    limits: Mapping[str, str] = field(default_factory=dict)
    period: int | str = 60
    shape: str = "line"
    number: bool = False


@dataclass(frozen=True, slots=True)
class Note:
    """Text in Markdown; links to ``headings`` of the runbook follow it."""

    text: str
    headings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SloState:
    """An objective and what is left of its error budget."""

    key: str
    title: str


@dataclass(frozen=True, slots=True)
class MonitorStates:
    """The state of every monitor that is published for the environment."""

    title: str


@dataclass(frozen=True, slots=True)
class EventList:
    """What happened, as events tell it.

    Attributes:
        search: in Datadog's syntax; ``{prefix}`` is what physical names begin with.
    """

    title: str
    search: str


@dataclass(frozen=True, slots=True)
class LogList:
    """The latest log lines, of the service or of ``role``'s function."""

    title: str
    search: str = ""
    role: str = ""


@dataclass(frozen=True, slots=True)
class TraceList:
    """The latest traces of ``role``'s function."""

    title: str
    role: str
    search: str = ""


Widget = Graph | Note | SloState | MonitorStates | EventList | LogList | TraceList


@dataclass(frozen=True, slots=True)
class Group:
    """Widgets that answer one question; those of a row share its width evenly."""

    title: str
    rows: tuple[tuple[Widget, ...], ...]


@dataclass(frozen=True, slots=True)
class Board:
    """A dashboard of Datadog's.

    Attributes:
        key: tells it from the environment's others.
        about: its purpose, in a sentence.
    """

    key: str
    title: str
    about: str
    groups: tuple[Group, ...]
