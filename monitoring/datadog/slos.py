"""SLOs, rendered from the objectives.

Source: Datadog API reference, "Service Level Objectives".
"""

from __future__ import annotations

from typing import Any

from monitoring.alarm_set import AlarmSet
from monitoring.datadog.definition import Definition, Kind, marked, reference, tags
from monitoring.datadog.monitor_queries import filled, rendered
from monitoring.model.datadog import Objective

_TIMEFRAME = "30d"
# A warning once half of the budget is gone.
_WARNING_SHARE = 0.5


def slos(alarms: AlarmSet) -> list[Definition]:
    """Every SLO of an environment; none where it did not create any of its resources."""
    if not alarms.resources.ours:
        return []
    return [_of(objective, alarms) for objective in alarms.catalog.objectives]


def _of(objective: Objective, alarms: AlarmSet) -> Definition:
    settings = alarms.settings
    budget = alarms.resources.value(objective.budget, "Percent")
    target = round(100 - budget, 6)
    warning = round(100 - budget * _WARNING_SHARE, 6)
    text = f"{objective.promise} Runbook: {settings.runbookUrl}#slo-{objective.key}"
    body: dict[str, Any] = {
        "name": f"[{settings.service} {settings.environment}] {objective.title}",
        "type": "monitor" if objective.monitors else "metric",
        "description": marked(text, settings, objective.key),
        "tags": tags(settings),
        "thresholds": [{"timeframe": _TIMEFRAME, "target": target, "warning": warning}],
        "timeframe": _TIMEFRAME,
        "target_threshold": target,
        "warning_threshold": warning,
    }
    if objective.monitors:
        body["monitor_ids"] = [reference(Kind.MONITOR, monitor) for monitor in objective.monitors]
    else:
        parts = {
            name: rendered(query, alarms.resources, settings)
            for name, query in objective.queries.items()
        }
        body["query"] = {
            "numerator": filled(objective.good, parts),
            "denominator": filled(objective.total, parts),
        }
    return Definition(Kind.SLO, objective.key, body)
