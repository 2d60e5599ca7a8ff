"""Checks that everything monitors and objectives refer to exists, in Datadog's table and here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from monitoring.alarm_set import AlarmSet
from monitoring.datadog import metrics
from monitoring.datadog.monitors import datadog_monitors
from monitoring.model.datadog import BurnRate, DatadogMonitor, LogQuery, MetricQuery
from monitoring.references import fact_problems, role_problems, threshold_problems
from monitoring.resources import FACT, Resources

# At least three quarters of a burn rate's short window have arrived when it is evaluated.
_LATENESS_IN_WINDOW = 4


def problems(alarms: AlarmSet) -> list[str]:
    """Unknown metrics, roles and facts, and numbers in a unit that can't be the metric's."""
    resources = alarms.resources
    problems_found: list[str] = []
    for monitor in datadog_monitors(alarms):
        of_monitor = [
            *threshold_problems(monitor.threshold, resources),
            *_of_queries(monitor.queries, resources),
            *_of_window(monitor, resources),
            *_of_unit(monitor),
            *_of_lateness(monitor, alarms),
        ]
        problems_found += _named("monitor", monitor.id, of_monitor)
    for objective in alarms.catalog.objectives if resources.ours else ():
        of_objective = [
            *fact_problems(objective.budget, resources),
            *_of_queries(objective.queries, resources),
        ]
        problems_found += _named("objective", objective.key, of_objective)
    return problems_found


def _named(kind: str, name: str, texts: Iterable[str]) -> list[str]:
    return [f"{kind} '{name}': {problem}" for problem in dict.fromkeys(texts)]


def _of_queries(queries: Mapping[str, object], resources: Resources) -> Iterator[str]:
    for name, query in queries.items():
        if isinstance(query, LogQuery):
            for fact in FACT.findall(query.search):
                yield from fact_problems(fact, resources)
        if not isinstance(query, MetricQuery):
            continue
        if metrics.known(query.name) is None:
            yield (
                f"query '{name}': monitoring/datadog/metrics.py has no metric '{query.name}'; "
                "add it there"
            )
        if query.role is not None:
            yield from role_problems(f"query '{name}'", query.role, resources)


def _of_window(monitor: DatadogMonitor, resources: Resources) -> Iterator[str]:
    if isinstance(monitor.window, str):
        yield from fact_problems(monitor.window, resources)


def _of_lateness(monitor: DatadogMonitor, alarms: AlarmSet) -> Iterator[str]:
    """A burn rate whose short window would mostly be a time of which nothing has arrived."""
    datadog = alarms.settings.datadog
    for query in monitor.queries.values():
        if not isinstance(query, BurnRate) or datadog is None:
            continue
        polled = any(
            metrics.METRICS[name].source is metrics.Source.POLLED
            for name in _measured(query.slo, alarms)
            if name in metrics.METRICS
        )
        late = metrics.LATEST[datadog.metrics] if polled else 0
        if query.short < _LATENESS_IN_WINDOW * late:
            yield (
                f"its short window of {query.short} s is less than {_LATENESS_IN_WINDOW} times "
                f"the {late} s by which the SLO's metrics are late; evaluate it on metrics that "
                "the functions send, or on log lines"
            )


def _measured(slo: str, alarms: AlarmSet) -> set[str]:
    """The metrics that an SLO rests on, its monitors' included."""
    monitors = {monitor.id: monitor for monitor in alarms.catalog.monitors}
    names: set[str] = set()
    for objective in alarms.catalog.objectives:
        if objective.key != slo:
            continue
        queries = [*objective.queries.values()]
        for name in objective.monitors:
            of = monitors[name].queries.values() if name in monitors else ()
            queries += [query for query in of if isinstance(query, MetricQuery)]
        names |= {query.name for query in queries}
    return names


def _of_unit(monitor: DatadogMonitor) -> Iterator[str]:
    if monitor.expression:
        return
    for query in monitor.queries.values():
        if isinstance(query, MetricQuery) and metrics.known(query.name):
            try:
                metrics.unit_factor(monitor.threshold.unit, query.name)
            except ValueError as error:
                yield f"the threshold's unit can't be the metric's: {error}"
