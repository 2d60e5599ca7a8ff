"""What rules look at beside an alarm: all alarms, and the resources around them, by name."""

from __future__ import annotations

import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from alarmproof import composites
from alarmproof.alarms import Action, AnyAlarm, CompositeAlarm, MetricAlarm, Query
from alarmproof.definitions import Resource, Templates
from alarmproof.metric_data import MetricKey
from alarmproof.own_metrics import OwnMetrics
from alarmproof.reading.values import Reference, Unknown, leaves, listed
from alarmproof.rules.publishing import Publishing

# What listens to topics without a subscription of its own, and the property that names them.
_LISTENERS = {
    "AWS::Chatbot::SlackChannelConfiguration": "SnsTopicArns",
    "AWS::Chatbot::MicrosoftTeamsChannelConfiguration": "SnsTopicArns",
}
_TOPIC_POLICIES = {"AWS::SNS::TopicPolicy": "Topics", "AWS::SNS::TopicInlinePolicy": "TopicArn"}
# What may do with a resource what these templates don't say.
_TAKERS = ("AWS::CloudFormation::", "AWS::Serverless::Application", "Custom::")
# What refers to alarms without anybody being notified.
_ONLY_SHOW = frozenset(
    ("AWS::CloudWatch::Dashboard", "AWS::CloudWatch::AlarmMuteRule", "AWS::SSM::Parameter",
     "AWS::IAM::Policy", "AWS::IAM::Role")
)  # fmt: skip
# What uses alarms by name.
_ALARM_USERS = (
    "AWS::Route53::HealthCheck", "AWS::CodeDeploy::DeploymentGroup", "AWS::ECS::Service",
    "AWS::AppConfig::Environment", "AWS::FIS::ExperimentTemplate",
    "AWS::AutoScaling::AutoScalingGroup", "AWS::SageMaker::Endpoint", "AWS::Events::Rule",
)  # fmt: skip


@dataclass(frozen=True)
class Context:
    """Everything that a check may look at.

    Attributes:
        max_reaction: seconds within which an alarm has to react.
        patterns: ``name`` and ``runbook``, which names and runbook links have to match.
        declared: the metrics of one's own that the project declares.
    """

    templates: Templates
    max_reaction: int = 300
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

    @cached_property
    def _by_type(self) -> Mapping[str, Sequence[Resource]]:
        resources: dict[str, list[Resource]] = defaultdict(list)
        for resource in self.templates.resources.values():
            resources[resource.type].append(resource)
        return resources

    @cached_property
    def _by_name(self) -> Mapping[tuple[str, str], Sequence[Resource]]:
        """By type and literal name, or logical id."""
        resources: dict[tuple[str, str], list[Resource]] = defaultdict(list)
        for resource in self.templates.resources.values():
            for name in {resource.source.logical_id, *_literal_names(resource.resolved)}:
                resources[resource.type, name].append(resource)
        return resources

    def of_type(self, kind: str) -> Sequence[Resource]:
        """All resources of a type."""
        return self._by_type.get(kind, ())

    def resource(self, kind: str, value: Any, *, stack: str = "") -> Resource | None:
        """The resource of a type that a reference, an ARN or a name stands for.

        Args:
            stack: whose resources are meant where several have the name.
        """
        if isinstance(value, Reference):
            resource = self.templates.resources.get((value.stack, value.logical_id))
            return resource if resource is not None and resource.type == kind else None
        name = str(value).rpartition(":")[2].rpartition("/")[2]
        candidates = self._by_name.get((kind, name), ())
        mine = [candidate for candidate in candidates if candidate.source.stack == stack]
        return next(iter(mine or candidates), None)

    def topics(self, alarm: AnyAlarm) -> Iterator[tuple[str, Resource]]:
        """The topics in the templates that an alarm's alarm actions publish to."""
        for action in alarm.alarm_actions:
            given = action.given if isinstance(action, Action) else action
            topic = self.resource("AWS::SNS::Topic", given, stack=alarm.source.stack)
            if topic is not None:
                yield str(action), topic

    @cached_property
    def subscribed(self) -> frozenset[tuple[str, str]]:
        """The topics with a subscription, by stack and logical id."""
        topics = {key(topic) for topic in self.of_type("AWS::SNS::Topic") if
                 topic.resolved.get("Subscription")}  # fmt: skip
        for subscription in self.of_type("AWS::SNS::Subscription"):
            topic = self.resource(
                "AWS::SNS::Topic",
                subscription.resolved.get("TopicArn"),
                stack=subscription.source.stack,
            )
            if topic is not None:
                topics.add(key(topic))
        for kind, name in _LISTENERS.items():
            for listener in self.of_type(kind):
                for given in listed(listener.resolved.get(name)):
                    topic = self.resource("AWS::SNS::Topic", given, stack=listener.source.stack)
                    if topic is not None:
                        topics.add(key(topic))
        return frozenset(topics)

    @cached_property
    def users(self) -> Mapping[tuple[str, str], frozenset[str]]:
        """The types of resources that refer to a resource, by stack and logical id."""
        users: dict[tuple[str, str], set[str]] = defaultdict(set)
        for resource in self.templates.resources.values():
            for leaf in leaves(resource.resolved):
                if isinstance(leaf, Reference):
                    users[leaf.stack, leaf.logical_id].add(resource.type)
        return {name: frozenset(types) for name, types in users.items()}

    @cached_property
    def passed_on(self) -> frozenset[tuple[str, str]]:
        """What other stacks can import, and what goes to stacks and resources not at hand."""
        stacks = {stack for stack, _ in self.templates.resources}
        takers = (
            leaves(resource.resolved)
            for resource in self.templates.resources.values()
            if resource.type.startswith(_TAKERS)
            and "/".join(key(resource)) not in stacks
        )  # fmt: skip
        given = (*itertools.chain.from_iterable(takers), *self.templates.outputs)
        return frozenset((x.stack, x.logical_id) for x in given if isinstance(x, Reference))

    @cached_property
    def _named_alarms(self) -> frozenset[str]:
        """The names of alarms that health checks, deployments and the like use."""
        return frozenset(
            str(leaf)
            for kind in _ALARM_USERS
            for resource in self.of_type(kind)
            for leaf in leaves(resource.resolved)
            if isinstance(leaf, str)
        )

    def is_used(self, alarm: AnyAlarm) -> bool:
        """Whether a resource, other than what only shows or mutes alarms, depends on an alarm."""
        types = self.users.get((alarm.source.stack, alarm.source.logical_id), frozenset())
        return bool(types - _ONLY_SHOW) or alarm.declared_name in self._named_alarms

    @cached_property
    def policies_of_topics(self) -> Mapping[tuple[str, str], Sequence[Mapping[str, Any]]]:
        """The policies of topics in the templates, by stack and logical id."""
        statements: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
        for kind, name in _TOPIC_POLICIES.items():
            for policy in self.of_type(kind):
                for given in listed(policy.resolved.get(name)):
                    topic = self.resource("AWS::SNS::Topic", given, stack=policy.source.stack)
                    if topic is not None:
                        statements[key(topic)].append(policy.resolved)
        return statements

    @cached_property
    def dead_letter_queues(self) -> frozenset[tuple[str, str]]:
        """The queues that SQS moves messages to, by stack and logical id."""
        names = set()
        for queue in self.of_type("AWS::SQS::Queue"):
            policy = queue.resolved.get("RedrivePolicy")
            given = policy.get("deadLetterTargetArn") if isinstance(policy, Mapping) else None
            target = given and self.resource("AWS::SQS::Queue", given, stack=queue.source.stack)
            if target:
                names.add(key(target))
        return frozenset(names)

    @cached_property
    def publishing(self) -> Publishing:
        """What in the templates publishes metrics of one's own."""
        return Publishing(tuple(self.templates.resources.values()), self.own_metrics)

    @cached_property
    def _names_by_type(self) -> dict[str, Mapping[str, frozenset[str]]]:
        return {}

    def names_of_type(self, kind: str) -> Mapping[str, frozenset[str]]:
        """The literal names of a type's resources, by their lower case."""
        if kind not in self._names_by_type:
            by_lower: dict[str, set[str]] = defaultdict(set)
            for resource in self.of_type(kind):
                for name in _literal_names(resource.resolved):
                    by_lower[name.lower()].add(name)
            self._names_by_type[kind] = {low: frozenset(names) for low, names in by_lower.items()}
        return self._names_by_type[kind]

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


def key(resource: Resource) -> tuple[str, str]:
    """What tells a resource apart: its stack and logical id."""
    return resource.source.stack, resource.source.logical_id


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


_NAMES = (
    "TopicName", "FunctionName", "QueueName", "TableName", "Name", "LogGroupName",
    "DBInstanceIdentifier", "ClusterName", "BucketName",
)  # fmt: skip


def _literal_names(resolved: Mapping[str, Any]) -> Iterator[str]:
    for name in _NAMES:
        value = resolved.get(name)
        if isinstance(value, str):
            yield str(value)
