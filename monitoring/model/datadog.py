"""What only Datadog can evaluate, as data: enhanced metrics, logs, traces, how fast an SLO burns.

A ``Signal`` says what CloudWatch can evaluate; a ``DatadogMonitor`` is its counterpart for the
rest. Both name resources by role and numbers by fact, and both become monitors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from monitoring.model.signals import (
    Comparison,
    FailureMode,
    Severity,
    Threshold,
)

# Source: Datadog API reference, "Monitors": the windows of a metric monitor.
WINDOWS = {60: "1m", 300: "5m", 600: "10m", 900: "15m", 1800: "30m", 3600: "1h", 7200: "2h",
           14_400: "4h", 86_400: "1d", 604_800: "1w"}  # fmt: skip


# What an expression may call. Source: Datadog documentation, "Add a Minimum Request Threshold for
# Error Rate Alerts": 1 or 0, by whether a query is greater than a number.
FUNCTIONS = frozenset({"is_greater"})


def window_covering(seconds: float) -> int | None:
    """The shortest of ``WINDOWS`` that is at least so long; None if all are shorter."""
    return min((window for window in WINDOWS if window >= seconds), default=None)


class Needs(StrEnum):
    """Without which a monitor has nothing to evaluate."""

    INSTRUMENTED = "functions that Datadog instruments"
    TRACES = "tracing"
    LOGS = "logs in Datadog"
    HEARTBEAT = "heartbeats"
    BUFFER = "a buffer of ours"


@dataclass(frozen=True, slots=True)
class MetricQuery:
    """A metric of Datadog's, over a scope.

    Attributes:
        name: as ``monitoring.datadog.metrics`` lists it.
        over_time: how the window's values become one: ``sum``, ``avg``, ``max``, ``min`` or a
            percentile of a distribution (``p95``).
        role: whose resource it is of; None for the whole service.
        tags: further ones of the scope.
    """

    name: str
    over_time: str = "sum"
    role: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def percentile(self) -> bool:
        """Whether it is one of a distribution."""
        return self.over_time.startswith("p") and self.over_time[1:].isdigit()


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Log lines of the service, counted. An expression over several of them is possible, too.

    Attributes:
        search: in Datadog's log search syntax, beside service and env; facts stand in braces.
            All of the service's lines without any.
    """

    search: str = ""


@dataclass(frozen=True, slots=True)
class BurnRate:
    """How fast an SLO's error budget goes.

    Attributes:
        slo: its key.
        long, short: windows, in seconds.
    """

    slo: str
    long: int
    short: int


@dataclass(frozen=True, kw_only=True)
class DatadogMonitor:
    """A condition to notice, as Datadog evaluates it.

    Attributes:
        id, title, impact, covers, severity, runbook: as a signal's.
        queries: by the name that the expression uses.
        expression: arithmetic over the queries; None with exactly one.
        by: of log lines, the attributes whose every value is judged by itself.
        threshold: that is wrong.
        warning: the share of the threshold from which it warns; None without.
        recovery: the share at which it ends again, so that it does not flap; None where it ends
            as soon as the threshold is no longer met.
        reading: the value in words, with ``{value}`` in place of its number and unit:
            "{value} timeouts".
        window: seconds, one of ``WINDOWS``; or the fact that the least sufficient of them covers.
        unusual: deviations by which the values differ from what is usual at that time; the
            threshold is then the share of the window that does.
        needs: without which it is left out.
        role: whose function it is about, if one's.
    """

    id: str
    title: str
    impact: str
    covers: tuple[FailureMode, ...]
    severity: Severity
    queries: Mapping[str, MetricQuery | LogQuery | BurnRate]
    threshold: Threshold
    comparison: Comparison
    window: int | str
    reading: str
    expression: str | None = None
    by: tuple[str, ...] = ()
    warning: float | None = None
    recovery: float | None = None
    unusual: int | None = None
    needs: tuple[Needs, ...] = ()
    runbook: str = ""
    role: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "runbook", self.runbook or self.id)


@dataclass(frozen=True, kw_only=True)
class Objective:
    """A service level objective over 30 days.

    Attributes:
        key: of the SLO; its runbook heading is ``slo-KEY``.
        target: the fact whose share of the budget is left, ``slo.accepted_budget``.
        good, total: sums of a metric each; both or none.
        monitors: keys of the monitors whose uptime it is, where there are no such metrics.
    """

    key: str
    title: str
    promise: str
    budget: str
    good: str = ""
    queries: Mapping[str, MetricQuery] = field(default_factory=dict)
    total: str = ""
    monitors: tuple[str, ...] = ()
