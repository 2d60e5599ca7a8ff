"""The checks of ``alarmproof.lint_rules``: each yields a sentence for every problem of an alarm.

What a template can't show (who reads a mailbox, what a service will publish) is never guessed.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from alarmproof import composites, expressions
from alarmproof.aws_metrics import SERVICES
from alarmproof.errors import NotSupportedError
from alarmproof.model import (
    AnyAlarm,
    CompositeAlarm,
    MetricAlarm,
    Missing,
    Query,
    Resource,
    Templates,
)


@dataclass(frozen=True)
class Setting:
    """Everything that a check may look at.

    Attributes:
        max_reaction: seconds within which an alarm has to react.
    """

    templates: Templates
    max_reaction: int

    @cached_property
    def parts(self) -> frozenset[str]:
        """The names of alarms that are part of a composite one."""
        return frozenset(name for one in self.composites for name in _names(one))

    @cached_property
    def composites(self) -> tuple[CompositeAlarm, ...]:
        return tuple(one for one in self.templates.alarms if isinstance(one, CompositeAlarm))

    @cached_property
    def names(self) -> Counter[str]:
        return Counter(one.name for one in self.templates.alarms)

    def of_type(self, kind: str) -> Iterator[Resource]:
        return (one for one in self.templates.resources.values() if one.type == kind)

    def named(self, kind: str, key: str, name: str) -> Resource | None:
        """The resource of a type by its name or its logical id."""
        return next(
            (
                one
                for one in self.of_type(kind)
                if name in (one.resolved.get(key), one.source.logical_id)
            ),
            None,
        )

    @cached_property
    def subscribed_topics(self) -> frozenset[str]:
        """The names of topics with a subscription."""
        subscribed = {
            str(one.resolved.get("TopicArn", "")).rpartition(":")[2]
            for one in self.of_type("AWS::SNS::Subscription")
        }
        inline = {
            _topic_name(one)
            for one in self.of_type("AWS::SNS::Topic")
            if one.resolved.get("Subscription")
        }
        return frozenset(subscribed | inline)


def _names(alarm: CompositeAlarm) -> frozenset[str]:
    try:
        return composites.parse(alarm.rule)[1]
    except NotSupportedError:
        return frozenset()


def _topic_name(topic: Resource) -> str:
    return str(topic.resolved.get("TopicName") or topic.source.logical_id)


def _metric_queries(alarm: AnyAlarm) -> Iterator[Query]:
    if isinstance(alarm, MetricAlarm):
        yield from (query for query in alarm.queries if query.metric)


def _only(alarm: AnyAlarm) -> Query | None:
    """The query of an alarm on one metric as it is."""
    if isinstance(alarm, MetricAlarm) and len(alarm.queries) == 1 and alarm.queries[0].metric:
        return alarm.queries[0]
    return None


def unknown_metric(_setting: Setting, alarm: AnyAlarm) -> Iterator[str]:
    for query in _metric_queries(alarm):
        metric = query.metric
        assert metric
        published = SERVICES.get(metric.namespace)
        if published is not None and metric.name not in published:
            near = difflib.get_close_matches(metric.name, published, n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            yield f"{metric.namespace} does not publish {metric.name}.{hint}"


def unknown_dimension(_setting: Setting, alarm: AnyAlarm) -> Iterator[str]:
    for query in _metric_queries(alarm):
        metric = query.metric
        assert metric
        published = SERVICES.get(metric.namespace, {}).get(metric.name)
        names = frozenset(name for name, _ in metric.dimensions)
        if published and names not in published.dimensions:
            sets = sorted(" + ".join(sorted(one)) or "none" for one in published.dimensions)
            given = " + ".join(sorted(names)) or "none"
            yield (
                f"{metric.namespace} publishes {metric.name} by {' or '.join(sets)}, not by "
                f"{given}; there will never be a datapoint."
            )


def no_action(setting: Setting, alarm: AnyAlarm) -> Iterator[str]:
    if not alarm.alarm_actions and alarm.name not in setting.parts:
        yield "It has no alarm action, and is not part of a composite alarm."


def actions_disabled(_setting: Setting, alarm: AnyAlarm) -> Iterator[str]:
    if not alarm.actions_enabled:
        yield "Its actions are disabled."


def unsubscribed_topic(setting: Setting, alarm: AnyAlarm) -> Iterator[str]:
    topics = {_topic_name(one) for one in setting.of_type("AWS::SNS::Topic")}
    for action in alarm.alarm_actions:
        if action in topics and action not in setting.subscribed_topics:
            yield f"The topic '{action}' has no subscription."


def key_forbids(setting: Setting, alarm: AnyAlarm) -> Iterator[str]:
    for action in alarm.alarm_actions:
        topic = setting.named("AWS::SNS::Topic", "TopicName", action)
        key = str(topic.resolved.get("KmsMasterKeyId") or "") if topic else ""
        if not key:
            continue
        if key.endswith("alias/aws/sns"):
            yield f"The topic '{action}' uses AWS's own key, which CloudWatch may not use."
            continue
        logical_id = key.rpartition("/")[2]
        found = next(
            (
                one
                for one in setting.of_type("AWS::KMS::Key")
                if one.source.logical_id == logical_id
            ),
            None,
        )
        if found and not _lets_cloudwatch(found.resolved.get("KeyPolicy") or {}):
            yield f"The key '{logical_id}' of the topic '{action}' does not let CloudWatch use it."


def _lets_cloudwatch(policy: Mapping[str, Any]) -> bool:
    granted: set[str] = set()
    statements = policy.get("Statement") or []
    for one in statements if isinstance(statements, list) else [statements]:
        principal = one.get("Principal")
        services = principal.get("Service", []) if isinstance(principal, dict) else principal
        listed = services if isinstance(services, list) else [services]
        if one.get("Effect") == "Allow" and {"cloudwatch.amazonaws.com", "*"} & set(listed):
            actions = one.get("Action") or []
            granted.update(actions if isinstance(actions, list) else [actions])
    return bool(granted & {"kms:*", "*"}) or (
        "kms:Decrypt" in granted and any(one.startswith("kms:GenerateDataKey") for one in granted)
    )


def never_clears(_setting: Setting, alarm: AnyAlarm) -> Iterator[str]:
    query = _only(alarm)
    if not query or not query.metric or not isinstance(alarm, MetricAlarm):
        return
    published = SERVICES.get(query.metric.namespace, {}).get(query.metric.name)
    keeps = alarm.missing in (Missing.MISSING, Missing.IGNORE)
    dynamodb = query.metric.namespace == "AWS/DynamoDB"
    if published and published.on_event and (keeps or dynamodb) and _above(alarm):
        always = " (CloudWatch always ignores missing data of AWS/DynamoDB)" if dynamodb else ""
        yield (
            f"{query.metric.name} is published only when it happens, and missing data does not "
            f"end the alarm{always}."
        )


def always_breaches(_setting: Setting, alarm: AnyAlarm) -> Iterator[str]:
    query = _only(alarm)
    if not query or not query.metric or not isinstance(alarm, MetricAlarm):
        return
    published = SERVICES.get(query.metric.namespace, {}).get(query.metric.name)
    if alarm.missing is Missing.BREACHING and published and published.on_event and _above(alarm):
        yield (
            f"{query.metric.name} is published only when it happens, and missing data counts as "
            "breaching: it is in ALARM while all is well."
        )


def _above(alarm: MetricAlarm) -> bool:
    return alarm.comparison.startswith("GreaterThan")


def few_samples(_setting: Setting, alarm: AnyAlarm) -> Iterator[str]:
    query = _only(alarm)
    if not query or not isinstance(alarm, MetricAlarm) or alarm.low_samples == "ignore":
        return
    statistic = query.statistic or ""
    high = statistic.startswith("p") and statistic[1:].replace(".", "").isdigit()
    if high and float(statistic[1:]) >= 90 and alarm.datapoints_to_alarm == 1:
        yield (
            f"One datapoint of {statistic} sets it off, and with few samples a {statistic} is just "
            "the largest one."
        )


def slow_reaction(setting: Setting, alarm: AnyAlarm) -> Iterator[str]:
    if not isinstance(alarm, MetricAlarm) or alarm.name in setting.parts:
        return
    least = (alarm.datapoints_to_alarm - 1) * alarm.period + 60
    if least > setting.max_reaction:
        yield (
            f"It can react after {least} s at the earliest ({alarm.datapoints_to_alarm} datapoints "
            f"of {alarm.period} s); the limit is {setting.max_reaction} s."
        )


def out_of_range(setting: Setting, alarm: AnyAlarm) -> Iterator[str]:
    query = _only(alarm)
    if not query or not query.metric or not isinstance(alarm, MetricAlarm):
        return
    metric, threshold = query.metric, alarm.threshold
    published = SERVICES.get(metric.namespace, {}).get(metric.name)
    if published is None or threshold is None:
        return
    if threshold < 0 or (threshold == 0 and alarm.comparison == "LessThanThreshold"):
        yield f"{metric.name} is never below 0, and the threshold is {threshold:g}."
        return
    most, whose = published.most, "it can't be more"
    named = dict(metric.dimensions)
    name = named.get("FunctionName") or named.get("QueueName") or ""
    if metric.name == "Duration" and (
        function := setting.named("AWS::Lambda::Function", "FunctionName", name)
    ):
        most = 1000 * float(function.resolved.get("Timeout") or 3)
        whose = f"the timeout of '{function.source.logical_id}'"
    elif metric.name == "ApproximateAgeOfOldestMessage" and (
        queue := setting.named("AWS::SQS::Queue", "QueueName", name)
    ):
        most = float(queue.resolved.get("MessageRetentionPeriod") or 345_600)
        whose = f"the retention of '{queue.source.logical_id}'"
    additive = query.statistic in ("Sum", "SampleCount")
    beyond = threshold > most or (threshold == most and alarm.comparison == "GreaterThanThreshold")
    if beyond and _above(alarm) and not additive:
        yield f"{metric.name} is {most:g} at most ({whose}), and the threshold is {threshold:g}."


def duplicate_name(setting: Setting, alarm: AnyAlarm) -> Iterator[str]:
    if setting.names[alarm.name] > 1:
        yield f"{setting.names[alarm.name]} alarms have this name; one overwrites the other."


def same_alarm(setting: Setting, alarm: AnyAlarm) -> Iterator[str]:
    def what(one: MetricAlarm) -> tuple[object, ...]:
        return (
            one.queries, one.returned, one.comparison, one.threshold, one.period,
            one.evaluation_periods, one.datapoints_to_alarm, one.missing,
        )  # fmt: skip

    if not isinstance(alarm, MetricAlarm):
        return
    for other in setting.templates.alarms:
        if other is alarm:
            return
        if isinstance(other, MetricAlarm) and what(other) == what(alarm):
            yield f"It is the same alarm as '{other.name}', so everything is notified twice."


def circle(setting: Setting, alarm: AnyAlarm) -> Iterator[str]:
    if not isinstance(alarm, CompositeAlarm):
        return
    by_name = {one.name: one for one in setting.composites}
    pending, seen = list(_refers(alarm)), set[str]()
    while pending:
        name = pending.pop()
        if name == alarm.name:
            yield "Its rule leads back to itself, through other composite alarms."
            return
        if name in by_name and name not in seen:
            seen.add(name)
            pending += _refers(by_name[name])


def _refers(alarm: CompositeAlarm) -> list[str]:
    return [*_names(alarm), *([alarm.suppressor] if alarm.suppressor else [])]


def unknown_part(setting: Setting, alarm: AnyAlarm) -> Iterator[str]:
    if isinstance(alarm, CompositeAlarm):
        for name in sorted(set(_refers(alarm)) - setting.names.keys()):
            yield f"It refers to the alarm '{name}', which is not in any of the templates."


def no_description(_setting: Setting, alarm: AnyAlarm) -> Iterator[str]:
    if not alarm.description.strip():
        yield "It has no description."


def no_runbook(_setting: Setting, alarm: AnyAlarm) -> Iterator[str]:
    text = alarm.description.lower()
    if text.strip() and "runbook" not in text and "http" not in text:
        yield "Its description does not link to a runbook."


def not_evaluable(_setting: Setting, alarm: AnyAlarm) -> Iterator[str]:
    if isinstance(alarm, CompositeAlarm):
        try:
            composites.parse(alarm.rule)
        except NotSupportedError as error:
            yield str(error)
        return
    ids = {query.id for query in alarm.queries}
    for query in alarm.queries:
        if query.expression is None or query.id == alarm.band:
            continue
        try:
            undeclared = expressions.compile_expression(query.expression).ids - ids
        except NotSupportedError as error:
            yield str(error)
            continue
        for name in sorted(undeclared):
            yield f"The expression '{query.expression}' uses '{name}', which is not a query's id."


def iterator_age(setting: Setting, alarm: AnyAlarm) -> Iterator[str]:
    for query in _metric_queries(alarm):
        if not query.metric or query.metric.name != "IteratorAge":
            continue
        name = dict(query.metric.dimensions).get("FunctionName", "")
        sources = [
            str(one.resolved.get("EventSourceArn", ""))
            for one in setting.of_type("AWS::Lambda::EventSourceMapping")
            if str(one.resolved.get("FunctionName", "")) == name
        ]
        queues = {
            str(one.resolved.get("QueueName") or one.source.logical_id)
            for one in setting.of_type("AWS::SQS::Queue")
        }
        if sources and all(one in queues or ":sqs:" in one for one in sources):
            yield f"'{name}' reads only from SQS, and IteratorAge is for streams."


def negative_drain(_setting: Setting, alarm: AnyAlarm) -> Iterator[str]:
    """Time to drain as depth / (out - in): below zero while the backlog grows."""
    if not isinstance(alarm, MetricAlarm):
        return
    names = {query.id: query.metric.name for query in alarm.queries if query.metric}
    for query in alarm.queries:
        text = (query.expression or "").replace(" ", "")
        for out, gone in names.items():
            for into, come in names.items():
                if (
                    f"/({out}-{into})" in text
                    and gone == "NumberOfMessagesDeleted"
                    and come == "NumberOfMessagesSent"
                    and _above(alarm)
                ):
                    yield f"'{query.expression}' is negative while the backlog grows."
