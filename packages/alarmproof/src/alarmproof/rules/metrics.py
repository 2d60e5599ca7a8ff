"""Whether a metric is published, under these dimensions, and in which range."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from alarmproof.aws_metrics import SERVICES
from alarmproof.model import AnyAlarm, MetricAlarm
from alarmproof.rules.context import Context, fires_above, metric_queries, only_query
from alarmproof.rules.registry import ERROR, Hit, rule


@rule(
    "unknown-metric",
    ERROR,
    finds="a metric that its AWS service does not publish",
    why="It never has data.",
    remedy="Use a metric of the service's list.",
)
def unknown_metric(_context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Near names are named."""
    for query in metric_queries(alarm):
        metric = query.metric
        assert metric
        published = SERVICES.get(metric.namespace)
        if published is not None and metric.name not in published:
            near = difflib.get_close_matches(metric.name, published, n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            yield f"{metric.namespace} does not publish {metric.name}.{hint}"


@rule(
    "unknown-dimension",
    ERROR,
    finds="dimensions under which the metric is not published",
    why="It never has data.",
    remedy="Name exactly the dimensions of one published set.",
)
def unknown_dimension(_context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Every published set of names is shown."""
    for query in metric_queries(alarm):
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


@rule(
    "out-of-range",
    ERROR,
    finds="a threshold that the metric can't cross: above the function's timeout, the queue's "
    "retention, a quota, or below 0",
    why="It never fires.",
    remedy="Set a threshold within the range.",
)
def out_of_range(context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """With the resource that sets the limit, where it is in a template."""
    query = only_query(alarm)
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
    stack = alarm.source.stack
    if metric.name == "Duration" and (
        function := context.resource("AWS::Lambda::Function", name, stack=stack)
    ):
        most = 1000 * _number(function.resolved.get("Timeout"), 3)
        whose = f"the timeout of '{function.source.logical_id}'"
    elif metric.name == "ApproximateAgeOfOldestMessage" and (
        queue := context.resource("AWS::SQS::Queue", name, stack=stack)
    ):
        most = _number(queue.resolved.get("MessageRetentionPeriod"), 345_600)
        whose = f"the retention of '{queue.source.logical_id}'"
    additive = query.statistic in ("Sum", "SampleCount")
    beyond = threshold > most or (threshold == most and alarm.comparison == "GreaterThanThreshold")
    if beyond and fires_above(alarm) and not additive:
        yield f"{metric.name} is {most:g} at most ({whose}), and the threshold is {threshold:g}."


def _number(value: object, default: float) -> float:
    """A property as a number; infinite where it is not one, so that nothing is above it."""
    if value is None or value == "":
        return default
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return float("inf")


@rule(
    "iterator-age",
    ERROR,
    finds="IteratorAge of a function that reads from SQS",
    why="It never has data.",
    remedy="Use the queue's ApproximateAgeOfOldestMessage.",
)
def iterator_age(context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Only streams have iterators."""
    for query in metric_queries(alarm):
        if not query.metric or query.metric.name != "IteratorAge":
            continue
        name = dict(query.metric.dimensions).get("FunctionName", "")
        sources = [
            mapping.resolved.get("EventSourceArn", "")
            for mapping in context.of_type("AWS::Lambda::EventSourceMapping")
            if str(mapping.resolved.get("FunctionName", "")) == name
        ]
        stack = alarm.source.stack
        if sources and all(
            ":sqs:" in str(source) or context.resource("AWS::SQS::Queue", source, stack=stack)
            for source in sources
        ):
            yield f"'{name}' reads only from SQS, and IteratorAge is for streams."
