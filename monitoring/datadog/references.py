"""Checks that everything monitors and objectives refer to exists, in Datadog's table and here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from monitoring.alarm_set import AlarmSet
from monitoring.datadog import metrics
from monitoring.datadog.monitors import datadog_monitors
from monitoring.model.datadog import DatadogMonitor, MetricQuery
from monitoring.references import fact_problems, role_problems, threshold_problems
from monitoring.resources import Resources


def problems(alarms: AlarmSet) -> list[str]:
    """Unknown metrics, roles and facts, and numbers in a unit that can't be the metric's."""
    resources = alarms.resources
    found: list[str] = []
    for monitor in datadog_monitors(alarms):
        of_monitor = [
            *threshold_problems(monitor.threshold, resources),
            *_of_queries(monitor.queries, resources),
            *_of_unit(monitor),
        ]
        found += _named("monitor", monitor.id, of_monitor)
    for objective in alarms.catalog.objectives if resources.ours else ():
        of_objective = [
            *fact_problems(objective.budget, resources),
            *_of_queries(objective.queries, resources),
        ]
        found += _named("objective", objective.key, of_objective)
    return found


def _named(kind: str, name: str, found: Iterable[str]) -> list[str]:
    return [f"{kind} '{name}': {problem}" for problem in dict.fromkeys(found)]


def _of_queries(queries: Mapping[str, object], resources: Resources) -> Iterator[str]:
    for name, query in queries.items():
        if not isinstance(query, MetricQuery):
            continue
        if metrics.known(query.name) is None:
            yield (
                f"query '{name}': monitoring/datadog/metrics.py has no metric '{query.name}'; "
                "add it there"
            )
        if query.role:
            yield from role_problems(f"query '{name}'", query.role, resources)


def _of_unit(monitor: DatadogMonitor) -> Iterator[str]:
    if monitor.expression:
        return
    for query in monitor.queries.values():
        if isinstance(query, MetricQuery) and metrics.known(query.name):
            try:
                metrics.unit_factor(monitor.threshold.unit, query.name)
            except ValueError as error:
                yield f"the threshold's unit can't be the metric's: {error}"
