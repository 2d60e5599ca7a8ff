"""What publishes metrics of one's own: metric filters, code in the templates, declarations."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from alarmproof.base.definitions import Resource
from alarmproof.base.metric_data import MetricKey
from alarmproof.base.metric_table import Silence, published, silence_of
from alarmproof.base.own_metrics import OwnMetrics
from alarmproof.base.values import leaves, listed

# A text of so many characters can be code that publishes a metric.
_SHORTEST_CODE = 40
_PATTERN = "pattern"


@dataclass(frozen=True)
class Publishing:
    """The publishers of metrics that the templates have or the project declares.

    Attributes:
        own: what the project declares, by namespace.
    """

    resources: Sequence[Resource]
    own: Mapping[str, OwnMetrics]

    @cached_property
    def _filters(self) -> Sequence[tuple[str, tuple[str, str], Mapping[str, Any]]]:
        """Each metric of each metric filter: the filter's name, the metric, what it says of it."""
        return [
            (
                str(resource.resolved.get("FilterName", "")),
                (str(made.get("MetricNamespace")), str(made.get("MetricName"))),
                {**made, _PATTERN: resource.resolved.get("FilterPattern")},
            )
            for resource in self.resources
            if resource.type == "AWS::Logs::MetricFilter"
            for made in listed(resource.resolved.get("MetricTransformations"))
            if isinstance(made, Mapping)
        ]

    @cached_property
    def filtered_metrics(self) -> Mapping[tuple[str, str], frozenset[frozenset[str]]]:
        """The metrics of metric filters, by namespace and name, with their sets of dimensions."""
        dimensions: dict[tuple[str, str], set[frozenset[str]]] = defaultdict(set)
        for _, metric, made in self._filters:
            dimensions[metric].add(
                frozenset(
                    str(entry.get("Key")) for entry in listed(made.get("Dimensions"))
                    if isinstance(entry, Mapping)
                )
            )  # fmt: skip
        return {metric: frozenset(sets) for metric, sets in dimensions.items()}

    @cached_property
    def refused_filters(self) -> Mapping[tuple[str, str], str]:
        """Metrics of filters that CloudWatch Logs refuses, with the reason.

        Source: CloudWatch Logs user guide, "Create a metric filter": dimensions exclude a default
        value, and are only for patterns of JSON or of fields.
        """
        refused = {}
        for _, metric, made in self._filters:
            if not listed(made.get("Dimensions")):
                continue
            pattern = str(made.get(_PATTERN, "")).strip()
            if made.get("DefaultValue") is not None:
                refused[metric] = "has dimensions and a default value, which exclude each other"
            elif pattern and not pattern.startswith(("{", "[")) and "${" not in pattern:
                refused[metric] = "has dimensions, and its pattern is neither of JSON nor of fields"
        return refused

    @cached_property
    def metrics_of_filters(self) -> Mapping[str, tuple[str, str]]:
        """The metric that a filter publishes, by the filter's name."""
        return {name: metric for name, metric, _ in self._filters if name}

    @cached_property
    def filled_by_filters(self) -> frozenset[tuple[str, str]]:
        """The metrics that filters publish for other lines of the log as well."""
        return frozenset(
            metric for _, metric, made in self._filters if made.get("DefaultValue") is not None
        )

    def silence_of(self, metric: MetricKey) -> Silence:
        """What a period without data means, of a metric filter's metric as well.

        Source: CloudWatch Logs user guide, "Filter pattern syntax for metric filters", the default
        value: it is reported while lines are ingested that don't match.
        """
        name = (str(metric.namespace), str(metric.name))
        if name not in self.filtered_metrics or published(metric):
            return silence_of(metric)
        return Silence.TRAFFIC if name in self.filled_by_filters else Silence.EVENT

    def covers(self, metric: MetricKey) -> bool:
        """Whether it is known that something publishes a metric of one's own."""
        own = self.own.get(metric.namespace)
        return (
            (metric.namespace, metric.name) in self.filtered_metrics
            or (own is not None and metric.name in own.names)
            or self._is_written_out(str(metric.namespace), str(metric.name))
        )

    @cached_property
    def _texts(self) -> Sequence[str]:
        """Long texts of resources: code, start scripts, the configuration of agents."""
        return [
            leaf
            for resource in self.resources
            if not resource.type.startswith("AWS::CloudWatch::")
            for leaf in leaves(resource.resolved)
            if isinstance(leaf, str) and len(leaf) > _SHORTEST_CODE
        ]

    def _is_written_out(self, namespace: str, name: str) -> bool:
        """Whether code in the templates has both names, in quotes or as words of their own."""
        wanted = [
            re.compile(rf"(?<![\w/]){re.escape(word)}(?![\w/])") for word in (namespace, name)
        ]
        return any(all(pattern.search(text) for pattern in wanted) for text in self._texts)
