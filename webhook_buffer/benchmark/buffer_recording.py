"""A buffer's series, simulated or recorded, for alarms on resources of any name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from alarmproof.base.arrays import Values
from alarmproof.base.metric_data import MetricKey, Series

from monitoring.model import metrics

# (namespace, metric, role, statistic): what a series measures; the role is a function or a queue.
Key = tuple[str, str, str, str]


@dataclass(frozen=True)
class BufferRecording:
    """A buffer's series, for alarms that may name the resources in any way.

    A resource is recognized by the end of its name: ``…-publish``, ``…-subscribe``.

    Attributes:
        origin: when minute 0 is, Unix seconds.
    """

    values: Mapping[Key, Values]
    origin: int = 0

    def series(self, metric: MetricKey) -> Sequence[Series]:
        role, name = role_of(metric)
        return [
            Series(metric, statistic, self.origin, 60, values)
            for (namespace, of, where, statistic), values in self.values.items()
            if (namespace, of, where) == (metric.namespace, name, role)
        ]


_LOG_COUNTS = (metrics.LOG_ERRORS, metrics.LOG_WARNINGS, metrics.LOG_PROBLEMS)
_ROLES = ("publish", "subscribe", "notify", "audit", "undelivered", "helpers")


def role_of(metric: MetricKey) -> tuple[str, str]:
    """The role and the metric's own name."""
    if metric.namespace == metrics.LOG_NAMESPACE:
        names = tuple(log_count.name for log_count in _LOG_COUNTS)
        name = next((name for name in names if metric.name.endswith(name)), metric.name)
        function = metric.name.removesuffix(f"-{name}").rpartition("-")[2]
        return function, name
    text = " ".join(value for _, value in metric.dimensions)
    named = next((role for role in _ROLES if text.endswith(role)), None)
    by_service = {
        "AWS/SQS": "queue", "AWS/ApiGateway": "api", "AWS/DynamoDB": "table",
        metrics.NAMESPACE: "buffer",
    }  # fmt: skip
    return named or by_service.get(metric.namespace, ""), metric.name
