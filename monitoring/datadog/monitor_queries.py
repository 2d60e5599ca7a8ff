"""The queries of monitors that only Datadog evaluates.

Source: Datadog API reference, "Monitors", and Datadog documentation, "Logs Monitor".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from monitoring.alarm_set import AlarmSet
from monitoring.datadog import metrics
from monitoring.model.datadog import (
    WINDOWS,
    BurnRate,
    DatadogMonitor,
    LogQuery,
    MetricQuery,
    window_covering,
)
from monitoring.model.signals import Comparison
from monitoring.resources import Resources, plain
from settings.schema import Settings

SIGNS = {
    Comparison.ABOVE: ">",
    Comparison.AT_LEAST: ">=",
    Comparison.BELOW: "<",
    Comparison.AT_MOST: "<=",
}
ALERT_WINDOW = 1800


def query(monitor: DatadogMonitor, alarms: AlarmSet, critical: float) -> tuple[str, str]:
    """The query and the type of a monitor."""
    ends = f"{SIGNS[monitor.comparison]} {plain(critical)}"
    window = WINDOWS[seconds(monitor, alarms.resources)]
    first = next(iter(monitor.queries.values()))
    if isinstance(first, BurnRate):
        long, short = WINDOWS[first.long], WINDOWS[first.short]
        slo = f'burn_rate("{{$ref:slo:{first.slo}}}").over("30d")'
        return f'{slo}.long_window("{long}").short_window("{short}") {ends}', "slo alert"
    if isinstance(first, LogQuery):
        return f"{_of_logs(monitor, first, alarms, window)} {ends}", "log alert"
    return f"{_of_metrics(monitor, first, alarms, window)} {ends}", "query alert"


def seconds(monitor: DatadogMonitor, resources: Resources) -> int:
    """The monitor's window."""
    if isinstance(monitor.window, int):
        return monitor.window
    return window_covering(resources.number(monitor.window)) or max(WINDOWS)


def searches(monitor: DatadogMonitor, alarms: AlarmSet) -> list[dict[str, Any]]:
    """The searches that a formula over log lines names, as the option ``variables``."""
    if monitor.expression is None:
        return []
    return [
        {
            "data_source": "logs",
            "name": name,
            "search": {"query": _search(query, alarms)},
            "indexes": ["*"],
            "compute": {"aggregation": "count"},
            "group_by": [],
        }
        for name, query in monitor.queries.items()
        if isinstance(query, LogQuery)
    ]


def rendered(query: MetricQuery, resources: Resources, settings: Settings) -> str:
    """A metric query as Datadog reads it, without what happens over time."""
    metric = metrics.METRICS[query.name]
    filters = {**scope(resources, settings, query.role), **query.tags}
    text = ",".join(f"{name}:{value}" for name, value in sorted(filters.items()))
    if query.percentile:
        return f"{query.over_time}:{query.name}{{{text}}}"
    counted = ".as_count()" if query.over_time == "sum" and metric.type != "gauge" else ""
    return f"{query.over_time}:{query.name}{{{text}}}{counted}"


def scope(resources: Resources, settings: Settings, role: str | None) -> dict[str, str]:
    """The tags of a role's metrics; of the whole service without one."""
    whole = {"env": settings.environment, "service": settings.service}
    if role is None:
        return whole
    resource = resources.by_role[role]
    # An API's id is known only once it is deployed; ours carries the tags of its stack.
    if role == "api" and resources.ours:
        return whole
    return metrics.scope(resource)


def filled(expression: str, parts: Mapping[str, str]) -> str:
    """An expression with the queries that its names stand for."""
    return re.sub(r"[A-Za-z_]\w*", lambda match: parts.get(match[0], match[0]), expression)


def _search(logs: LogQuery, alarms: AlarmSet) -> str:
    settings = alarms.settings
    text = f"service:{settings.service} env:{settings.environment} {logs.search}".rstrip()
    return alarms.resources.filled(text)


def _of_logs(monitor: DatadogMonitor, first: LogQuery, alarms: AlarmSet, window: str) -> str:
    if monitor.expression is not None:
        return f'formula("{monitor.expression}").last("{window}")'
    text = _search(first, alarms).replace('"', '\\"')
    by = "".join(f'.by("{tag}")' for tag in monitor.by)
    return f'logs("{text}").index("*").rollup("count"){by}.last("{window}")'


def _of_metrics(monitor: DatadogMonitor, first: MetricQuery, alarms: AlarmSet, window: str) -> str:
    parts = {
        name: rendered(query, alarms.resources, alarms.settings)
        for name, query in monitor.queries.items()
        if isinstance(query, MetricQuery)
    }
    text = filled(monitor.expression or next(iter(parts)), parts)
    if monitor.unusual is not None:
        usual = (
            f"anomalies({text}, 'agile', {monitor.unusual}, direction='both', interval=60, "
            f"alert_window='last_{WINDOWS[ALERT_WINDOW]}', seasonality='weekly', "
            "timezone='utc', count_default_zero='true')"
        )
        return f"avg(last_{window}):{usual}"
    over = "percentile" if first.percentile else first.over_time
    return f"{over}(last_{window}):{text}"
