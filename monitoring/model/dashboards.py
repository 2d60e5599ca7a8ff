"""The data model of dashboards: one for CloudWatch and Datadog, which render it.

Lines name their resources by role, numbers come from signals and facts, so that dashboards know
no physical name and repeat no threshold.

A panel is written once. Where the two differ in what they hold, its lines say so: our own metrics
are log lines in Datadog, which keeps no statistic of them that we read; percentiles over a range
and SQS's groups exist in CloudWatch alone; memory, cost, cold starts, traces and logs in Datadog
alone. A line, formula, panel, row or section with nothing to show in one of them is left out
there. So panels of the last kind have lines for Datadog only, and the few that judge a percentile
(``Late in an hour``) have lines for CloudWatch only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from monitoring.model.signals import Kind, Query, variables

# What panels, and Datadog's monitors, may be in. CloudWatch has the first four.
UNITS = ("Count", "Seconds", "Milliseconds", "Percent", "US dollars", "Mebibytes")


class Color(StrEnum):
    """The colors of lines. Datadog knows them by the names of its palettes."""

    GREEN = "#2ca02c"
    BLUE = "#1f77b4"
    ORANGE = "#ff7f0e"
    RED = "#d62728"
    PURPLE = "#9467bd"
    BROWN = "#8c564b"
    GRAY = "#7f7f7f"


class Shape(StrEnum):
    """How a panel's lines are drawn.

    CloudWatch has no bars over time and draws ``BARS`` as lines; Datadog stacks all bars.
    """

    LINES = "lines"
    BARS = "bars"
    STACKED = "stacked"


@dataclass(frozen=True, slots=True)
class Series:
    """A metric by Datadog's own name, for what CloudWatch does not have.

    Attributes:
        aggregation: over what ``role`` and ``tags`` leave: ``sum``, ``avg``, ``max``, ``min``, or a
            distribution's percentile (``p95``).
        role: whose resource it is of; the whole service's by default.
        needs: the role of the function that Datadog must instrument for it, where neither name
            nor ``role`` says so.
        rate: a count per second, for formulas that hold over any time shown.
    """

    name: str
    aggregation: str
    role: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    needs: str = ""
    rate: bool = False


@dataclass(frozen=True, slots=True)
class LogCount:
    """How many log lines of a kind Datadog has.

    Attributes:
        search: in Datadog's syntax, beside the service's or those of ``role``'s function.
    """

    search: str
    role: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """What a panel draws, and where each dashboard reads it.

    Attributes:
        label: facts stand in braces: ``within {slo.delivery_target} ms``.
        cloudwatch: None where CloudWatch does not have it.
        datadog: a ``Query`` is translated into Datadog's name; None where Datadog does not have it.
        id: what formulas of the same panel call it.
        hidden: only formulas show it.
        color: by default the dashboard chooses.
    """

    label: str
    cloudwatch: Query | None = None
    datadog: Query | Series | LogCount | None = None
    id: str = ""
    hidden: bool = False
    color: Color | None = None


@dataclass(frozen=True, slots=True)
class Formula:
    """Arithmetic over a panel's lines; shown where all lines that it names are.

    Attributes:
        datadog: the expression in Datadog, where it differs.
    """

    expression: str
    label: str
    color: Color | None = None
    datadog: str = ""

    @property
    def used(self) -> set[str]:
        """The ids of the lines that it names."""
        return variables(self.expression) | variables(self.datadog)


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One graph, or one number.

    Attributes:
        unit: that thresholds and formulas are in, as ``monitoring.model.signals`` knows it. In
            CloudWatch it is the y axis's; Datadog draws metrics in its own units.
        axis: the label of CloudWatch's y axis, where the unit alone is not clear.
        signals: whose thresholds are drawn, by id.
        monitors: of Datadog's, whose thresholds are drawn there, by id.
        limits: facts that are drawn, each with its label; units of time are converted.
        period: what a count is over, and a maximum the highest of: seconds, or the fact.
        number: one value over the time the reader chose, in place of a graph.
        budget: of a number in percent, the fact that says how much may be missing of 100: Datadog
            shows the number in red where more is missing, and in green otherwise.
    """

    title: str
    unit: str
    lines: tuple[Line | Formula, ...]
    axis: str = ""
    signals: tuple[str, ...] = ()
    monitors: tuple[str, ...] = ()
    limits: Mapping[str, str] = field(default_factory=dict)
    period: int | str = 60
    shape: Shape = Shape.LINES
    number: bool = False
    budget: str = ""

    def shown(self, has: Callable[[Line], bool]) -> Panel | None:
        """The panel with the lines that a dashboard has; None where none of them is visible."""
        there = {line.id for line in self.lines if isinstance(line, Line) and has(line)}
        visible = [
            line
            for line in self.lines
            if (line.used <= there if isinstance(line, Formula) else has(line) and not line.hidden)
        ]
        used = {name for line in visible if isinstance(line, Formula) for name in line.used}
        lines = tuple(
            line
            for line in self.lines
            if line in visible or (isinstance(line, Line) and has(line) and line.id in used)
        )
        return replace(self, lines=lines) if visible else None


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
    """The latest events.

    Attributes:
        search: in Datadog's syntax; ``{prefix}`` is what physical names begin with,
            ``{deployment}`` finds the events that mark deployments.
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


# CloudWatch shows panels alone.
Widget = Panel | Note | SloState | MonitorStates | EventList | LogList | TraceList


@dataclass(frozen=True, slots=True)
class Section:
    """Widgets that answer one question; those of a row share its width evenly."""

    title: str
    rows: tuple[tuple[Widget, ...], ...]


@dataclass(frozen=True, slots=True)
class Board:
    """A Datadog dashboard.

    Attributes:
        key: distinguishes it from the environment's other dashboards.
        about: its purpose, in a sentence.
    """

    key: str
    title: str
    about: str
    sections: tuple[Section, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """What an environment has: all that dashboards may depend on.

    Attributes:
        buffer: whether it has a buffer of ours, with functions that emit our metrics.
        existing: the roles of resources that this project did not create, with their kinds.
        functions: the roles of the functions that this project deploys.
        heartbeats: whether a function sends test webhooks.
        sources: the names of those that may send.
        streamed: whether CloudWatch's metrics come to Datadog by a stream, minutes sooner than
            Datadog's polling.
    """

    buffer: bool = True
    existing: Mapping[str, Kind] = field(default_factory=dict)
    functions: tuple[str, ...] = ()
    heartbeats: bool = False
    sources: tuple[str, ...] = ()
    streamed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboards:
    """The dashboards of a project, as functions of what an environment has.

    Attributes:
        cloudwatch: the sections of the one CloudWatch dashboard.
        datadog: Datadog's dashboards.
    """

    cloudwatch: Callable[[Deployed], tuple[Section, ...]]
    datadog: Callable[[Deployed], tuple[Board, ...]]
