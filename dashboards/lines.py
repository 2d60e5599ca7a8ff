"""Short forms of lines, by which dashboard has what they show."""

from __future__ import annotations

from collections.abc import Mapping

from monitoring.model.dashboards import Color, Line, LogCount, Series
from monitoring.model.signals import Metric, Query


def line(
    metric: Metric,
    statistic: str,
    role: str,
    label: str,
    color: Color | None = None,
    name: str = "",
) -> Line:
    """A CloudWatch metric that Datadog has, too."""
    query = Query(metric, statistic, role)
    return Line(label, query, query, id=name, color=color)


def hidden(metric: Metric, statistic: str, role: str, name: str) -> Line:
    """The same for formulas alone, which call it by ``name``."""
    query = Query(metric, statistic, role)
    return Line(name, query, query, id=name, hidden=True)


def cloudwatch(
    metric: Metric, statistic: str, role: str, label: str, color: Color | None = None
) -> Line:
    """A metric, or a statistic of it, that CloudWatch alone has."""
    return Line(label, Query(metric, statistic, role), color=color)


def logged(metric: Metric, role: str, label: str, color: Color | None = None) -> Line:
    """A metric of our own that is 1 where it is logged, by ``role``'s function."""
    query = Query(metric, "Sum", "buffer")
    return Line(label, query, LogCount(f"@{metric.name}:1", role), color=color)


def series(
    metric: str, aggregation: str, label: str, role: str = "", color: Color | None = None
) -> Line:
    """A metric that Datadog alone has."""
    return Line(label, datadog=Series(metric, aggregation, role), color=color)


def hidden_series(
    metric: str, aggregation: str, role: str, name: str, tags: Mapping[str, str] | None = None
) -> Line:
    """The same for formulas alone, which call it by ``name``."""
    source = Series(metric, aggregation, role, tags or {})
    return Line(name, datadog=source, id=name, hidden=True)
