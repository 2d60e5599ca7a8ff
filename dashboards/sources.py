"""Panels of the sources: what each sends, what is refused of it, and why."""

from __future__ import annotations

from dataclasses import replace

from dashboards.lines import logged
from monitoring.model import metrics
from monitoring.model.dashboards import Color, Line, LogCount, Panel, Shape
from monitoring.model.signals import Metric, Query

_PANELS_IN_A_ROW = 3


def rows(names: tuple[str, ...]) -> tuple[tuple[Panel, ...], ...]:
    """All sources beside each other, and below that why each refuses what it refuses."""
    reasons = [_reasons(name) for name in names]
    starts = range(0, len(reasons), _PANELS_IN_A_ROW)
    return (_all(names), *(tuple(reasons[at : at + _PANELS_IN_A_ROW]) for at in starts))


def _all(names: tuple[str, ...]) -> tuple[Panel, ...]:
    return (
        Panel(
            title="Accepted webhooks, by source",
            unit="Count",
            axis="webhooks",
            shape=Shape.STACKED,
            period=300,
            lines=tuple(_of_source(metrics.SOURCE_ACCEPTED, name) for name in names),
        ),
        Panel(
            title="Refused requests, by source",
            unit="Count",
            axis="requests",
            shape=Shape.STACKED,
            period=300,
            lines=(
                *(_of_source(metrics.SOURCE_REFUSED, name) for name in names),
                logged(metrics.UNMATCHED, "publish", "of no source", Color.GRAY),
            ),
        ),
        Panel(
            title="Failed reads of sources' secrets",
            unit="Count",
            axis="reads",
            shape=Shape.BARS,
            lines=(logged(metrics.SECRET_UNREADABLE, "publish", "failed", Color.RED),),
            signals=("secret-unreadable",),
        ),
    )


def _of_source(metric: Metric, source: str) -> Line:
    """A metric that is 1 in each log line of a source that it counts."""
    count = LogCount(f"@{metric.name}:1 @source:{source}", "publish")
    return Line(source, Query(metric, "Sum", f"source-{source}"), count)


def _reasons(source: str) -> Panel:
    """The same refusals as ``Refused requests, by source`` counts, by their reasons."""
    return Panel(
        title=f"{source}: refused requests, by reason",
        unit="Count",
        axis="requests",
        shape=Shape.STACKED,
        period=300,
        lines=tuple(_of_reason(source, reason) for reason in metrics.REFUSALS),
    )


def _of_reason(source: str, reason: str) -> Line:
    metric = replace(metrics.SOURCE_REFUSED, dimensions={"reason": reason})
    search = f"@{metric.name}:1 @source:{source} @reason:{reason}"
    query = Query(metric, "Sum", f"source-{source}")
    return Line(reason, query, LogCount(search, "publish"))
