"""What rules look at beside an alarm: all alarms, and the resources around them, by name."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from alarmproof.base import composites
from alarmproof.base.alarms import Action, AnyAlarm, CompositeAlarm, MetricAlarm, Query
from alarmproof.base.defaults import MAX_REACTION
from alarmproof.base.definitions import Resource
from alarmproof.base.metric_data import MetricKey
from alarmproof.base.own_metrics import OwnMetrics
from alarmproof.base.values import Unknown
from alarmproof.rules.publishing import Publishing
from alarmproof.rules.resources import Resources

# What refers to alarms without anybody being notified.
_ONLY_SHOW = frozenset(
    ("AWS::CloudWatch::Dashboard", "AWS::CloudWatch::AlarmMuteRule", "AWS::SSM::Parameter",
     "AWS::IAM::Policy", "AWS::IAM::Role")
)  # fmt: skip


@dataclass(frozen=True)
class Context(Resources):
    """Everything that a check may look at.

    Attributes:
        max_reaction: seconds within which an alarm has to react.
        patterns: ``name`` and ``runbook``, which names and runbook links have to match.
        declared: the metrics of one's own that the project declares.
    """

    max_reaction: int = MAX_REACTION
    patterns: Mapping[str, re.Pattern[str]] = field(default_factory=dict)
    declared: Sequence[OwnMetrics] = ()

    @cached_property
    def own_metrics(self) -> Mapping[str, OwnMetrics]:
        """The declared metrics, by namespace."""
        return {metrics.namespace: metrics for metrics in self.declared}

    @cached_property
    def composites(self) -> tuple[CompositeAlarm, ...]:
        return tuple(alarm for alarm in self.templates.alarms if isinstance(alarm, CompositeAlarm))

    @cached_property
    def parts(self) -> frozenset[str]:
        """The names of alarms that are part of a composite one."""
        return frozenset(
            name for composite in self.composites for name in composites.parts(composite)
        )

    @cached_property
    def in_circles(self) -> frozenset[str]:
        """The names of composite alarms whose rules lead back to themselves."""
        graph = {composite.name: composites.parts(composite) for composite in self.composites}
        return frozenset(
            name for group in _strongly_connected(graph) for name in group
            if len(group) > 1 or name in graph[name]
        )  # fmt: skip

    @cached_property
    def by_name(self) -> Mapping[str, AnyAlarm]:
        return {alarm.name: alarm for alarm in self.templates.alarms}

    @cached_property
    def by_declared_name(self) -> Mapping[str, Sequence[AnyAlarm]]:
        """Alarms that have an ``AlarmName``, by that."""
        readers: dict[str, list[AnyAlarm]] = defaultdict(list)
        for alarm in self.templates.alarms:
            if alarm.declared_name is not None:
                readers[alarm.declared_name].append(alarm)
        return readers

    @cached_property
    def by_condition(self) -> Mapping[tuple[object, ...], Sequence[MetricAlarm]]:
        """Metric alarms by what they compare with what."""
        alarms: dict[tuple[object, ...], list[MetricAlarm]] = defaultdict(list)
        for alarm in self.templates.alarms:
            if isinstance(alarm, MetricAlarm):
                alarms[condition(alarm)].append(alarm)
        return alarms

    @cached_property
    def spellings(self) -> Mapping[tuple[str, ...], Counter[tuple[str, str]]]:
        """How many alarms read which metric, by what its spellings have in common."""
        counts: dict[tuple[str, ...], Counter[tuple[str, str]]] = defaultdict(Counter)
        for alarm in self.templates.alarms:
            for names in {(metric.namespace, metric.name) for metric in alarm.metrics}:
                if not any(isinstance(name, Unknown) for name in names):
                    counts[slip_key(*names)][names] += 1
        return counts

    def topics(self, alarm: AnyAlarm) -> Iterator[tuple[str, Resource]]:
        """The topics in the templates that an alarm's alarm actions publish to."""
        for action in alarm.alarm_actions:
            given = action.given if isinstance(action, Action) else action
            topic = self.resource("AWS::SNS::Topic", given, stack=alarm.source.stack)
            if topic is not None:
                yield str(action), topic

    def is_used(self, alarm: AnyAlarm) -> bool:
        """Whether a resource, other than what only shows or mutes alarms, depends on an alarm."""
        types = self.users.get((alarm.source.stack, alarm.source.logical_id), frozenset())
        return bool(types - _ONLY_SHOW) or alarm.declared_name in self.named_alarms

    @cached_property
    def agent_configurations(self) -> Sequence[str]:
        """Resources that configure the CloudWatch agent to measure disks, as text."""
        texts = (
            json.dumps([resource.properties, resource.metadata], default=str)
            for resource in self.templates.resources.values()
        )
        return [text for text in texts if "metrics_collected" in text and "disk" in text]

    @cached_property
    def publishing(self) -> Publishing:
        """What in the templates publishes metrics of one's own."""
        return Publishing(tuple(self.templates.resources.values()), self.own_metrics)

    def properties(self, alarm: AnyAlarm) -> Mapping[str, Any]:
        """An alarm's properties, resolved; empty where it does not come from a template."""
        resource = self.templates.resource_of(alarm)
        return resource.resolved if resource else {}


def _strongly_connected(graph: Mapping[str, frozenset[str]]) -> Iterator[list[str]]:
    """Groups of nodes that lead to each other (Tarjan's algorithm, without recursion)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    for root in graph:
        if root in index:
            continue
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        work = [(root, iter(sorted(graph[root])))]
        while work:
            node, following = work[-1]
            for other in following:
                if other not in graph:
                    continue
                if other not in index:
                    index[other] = low[other] = len(index)
                    stack.append(other)
                    on_stack.add(other)
                    work.append((other, iter(sorted(graph[other]))))
                    break
                if other in on_stack:
                    low[node] = min(low[node], index[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    group: list[str] = []
                    while not group or group[-1] != node:
                        group.append(stack.pop())
                        on_stack.discard(group[-1])
                    yield group


def condition(alarm: MetricAlarm) -> tuple[object, ...]:
    """What an alarm compares with what, and when it fires."""
    return (
        alarm.queries, alarm.returned, alarm.comparison, alarm.threshold, alarm.period,
        alarm.evaluation_periods, alarm.datapoints_to_alarm, alarm.missing, alarm.wall_clock,
    )  # fmt: skip


def slip_key(*names: str) -> tuple[str, ...]:
    """Names without what slips change: case, signs, and an s more or less."""
    return tuple(re.sub(r"[\W_s]", "", name.lower()) for name in names)


def actions_of(alarm: AnyAlarm) -> Iterator[Action]:
    """All actions of an alarm that a template has, for whichever state."""
    for action in (
        *alarm.alarm_actions, *alarm.ok_actions, *alarm.insufficient_data_actions,
    ):  # fmt: skip
        if isinstance(action, Action):
            yield action


def metric_queries(alarm: AnyAlarm) -> Iterator[tuple[Query, MetricKey]]:
    """The queries of an alarm that read a metric, each with it."""
    if isinstance(alarm, MetricAlarm):
        yield from ((query, query.metric) for query in alarm.queries if query.metric)


def single_metric(alarm: AnyAlarm) -> tuple[MetricAlarm, Query, MetricKey] | None:
    """An alarm on one metric as it is, with its query; None for all others."""
    if isinstance(alarm, MetricAlarm) and len(alarm.queries) == 1:
        [query] = alarm.queries
        if query.metric:
            return alarm, query, query.metric
    return None


def fires_above(alarm: MetricAlarm) -> bool:
    """Whether values above the threshold are bad."""
    return alarm.comparison.startswith("GreaterThan")
