"""The resources beside the alarms: by type and name, and what they do with each other."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from alarmproof.base.definitions import Resource, Templates
from alarmproof.base.values import Reference, leaves, listed

# What listens to topics without a subscription of its own, and the property that names them.
_LISTENERS = {
    "AWS::Chatbot::SlackChannelConfiguration": "SnsTopicArns",
    "AWS::Chatbot::MicrosoftTeamsChannelConfiguration": "SnsTopicArns",
}
_TOPIC_POLICIES = {"AWS::SNS::TopicPolicy": "Topics", "AWS::SNS::TopicInlinePolicy": "TopicArn"}
# What may do with a resource what these templates don't say.
_TAKERS = ("AWS::CloudFormation::", "AWS::Serverless::Application", "Custom::")
# What uses alarms by name.
_ALARM_USERS = (
    "AWS::Route53::HealthCheck", "AWS::CodeDeploy::DeploymentGroup", "AWS::ECS::Service",
    "AWS::AppConfig::Environment", "AWS::FIS::ExperimentTemplate",
    "AWS::AutoScaling::AutoScalingGroup", "AWS::SageMaker::Endpoint", "AWS::Events::Rule",
)  # fmt: skip


@dataclass(frozen=True)
class Resources:
    """All resources of the templates."""

    templates: Templates

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

    def subscriptions_of(self, topic: Resource) -> Iterator[Mapping[str, Any]]:
        """The subscriptions of a topic that the templates define."""
        for entry in listed(topic.resolved.get("Subscription")):
            if isinstance(entry, Mapping):
                yield entry
        for subscription in self.of_type("AWS::SNS::Subscription"):
            given = subscription.resolved.get("TopicArn")
            stack = subscription.source.stack
            if given and self.resource("AWS::SNS::Topic", given, stack=stack) is topic:
                yield subscription.resolved

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
    def named_alarms(self) -> frozenset[str]:
        """The names of alarms that health checks, deployments and the like use."""
        return frozenset(
            str(leaf)
            for kind in _ALARM_USERS
            for resource in self.of_type(kind)
            for leaf in leaves(resource.resolved)
            if isinstance(leaf, str)
        )

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


def key(resource: Resource) -> tuple[str, str]:
    """A resource's identity: its stack and logical id."""
    return resource.source.stack, resource.source.logical_id


_NAMES = (
    "TopicName", "FunctionName", "QueueName", "TableName", "Name", "LogGroupName",
    "DBInstanceIdentifier", "ClusterName", "BucketName",
)  # fmt: skip


def _literal_names(resolved: Mapping[str, Any]) -> Iterator[str]:
    for name in _NAMES:
        value = resolved.get(name)
        if isinstance(value, str):
            yield str(value)
