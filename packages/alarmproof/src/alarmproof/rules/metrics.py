"""Whether a metric is published, under these dimensions, and in which range."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from alarmproof import metric_table
from alarmproof.alarms import AnyAlarm
from alarmproof.aws_metrics import SERVICES
from alarmproof.reading.values import Unknown
from alarmproof.rules.context import Context, fires_above, single_metric
from alarmproof.rules.registry import ERROR, NOTE, WARNING, Hit, rule


@rule(
    "unknown-metric",
    ERROR,
    finds="a metric that its AWS service does not publish",
    why="It never has data.",
    remedy="Use a metric of the service's list.",
)
def unknown_metric(_context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Near names are named; without a complete list of the service's metrics it is a warning."""
    for metric in alarm.metrics:
        known = metric_table.names(metric.namespace)
        if metric.name in known or isinstance(metric.name, Unknown):
            continue
        if metric_table.is_unverified(metric.namespace, metric.name):
            continue
        near = difflib.get_close_matches(metric.name, known, n=3, cutoff=0.7)
        if near and _differs_little(metric.name, near[0]):
            near = near[:1]
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        if known and metric_table.is_complete(metric.namespace):
            yield f"{metric.namespace} does not publish {metric.name}.{hint}"
        elif near and _differs_little(metric.name, near[0]):
            message = f"{metric.namespace} has no metric {metric.name} that alarmproof knows.{hint}"
            yield Hit(message, WARNING)


def _differs_little(name: str, other: str) -> bool:
    """Whether it is a slip rather than another metric: letters' case, an ending, a letter."""
    low, near = name.lower(), other.lower()
    return (
        low == near
        or low.rstrip("s") == near.rstrip("s")
        or low.removesuffix("count") == near.removesuffix("count")
        or difflib.SequenceMatcher(None, low, near).ratio() >= 0.95
    )


@rule(
    "unknown-namespace",
    WARNING,
    finds="a namespace that differs from an AWS service's only in case",
    why="It never has data.",
    remedy="Write the namespace as the service does.",
)
def unknown_namespace(_context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """``AWS/lambda`` for ``AWS/Lambda``, and the names of services for their namespaces."""
    for metric in alarm.metrics:
        namespace = str(metric.namespace)
        if namespace in metric_table.namespaces():
            continue
        near = metric_table.namespace_like(namespace)
        if near:
            yield f"The namespace is {near}, not {namespace}."


@rule(
    "metric-not-judged",
    NOTE,
    finds="a metric of an AWS service that alarmproof's table does not have",
    why="Whether it has data is not judged.",
    remedy="Check it in the service's guide, or let --live ask CloudWatch.",
    strict=False,
)
def metric_not_judged(_context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Metrics of one's own are not reported: nobody but their publisher knows them."""
    for metric in alarm.metrics:
        known = metric_table.names(metric.namespace)
        if not metric.namespace.startswith("AWS/") or metric.name in known:
            continue
        unverified = metric_table.is_unverified(metric.namespace, metric.name)
        if unverified or not metric_table.is_complete(metric.namespace):
            yield f"alarmproof does not know {metric.namespace} {metric.name}."


@rule(
    "unknown-dimension",
    ERROR,
    finds="dimensions under which the metric is not published",
    why="It never has data.",
    remedy="Name exactly the dimensions of one published set.",
)
def unknown_dimension(_context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Every published set of names is shown; without a complete list only slips are reported."""
    for metric in alarm.metrics:
        entry = metric_table.published(metric)
        names = frozenset(name for name, _ in metric.dimensions)
        if entry is None or names in entry.dimensions or not entry.dimensions:
            continue
        sets = sorted(" + ".join(sorted(dimensions)) or "none" for dimensions in entry.dimensions)
        given = " + ".join(sorted(names)) or "none"
        message = (
            f"{metric.name} is published with the dimensions {'; or '.join(sets)}, and here "
            f"they are: {given}."
        )
        if entry.exact:
            # Rows beside the complete lists have the sets that the service's page names.
            yield Hit(message, None if metric.namespace in SERVICES else WARNING)
        elif slips := list(_slips(names, entry.dimensions)):
            yield Hit(f"{message} Did you mean {slips[0]}?", WARNING)


def _slips(names: frozenset[str], sets: frozenset[frozenset[str]]) -> Iterator[str]:
    """Known names of dimensions that were meant by names that are not known."""
    known = frozenset(name for dimensions in sets for name in dimensions)
    low = {name.lower(): name for name in known}
    for name in sorted(names - known):
        near = difflib.get_close_matches(name.lower(), low, n=1, cutoff=0.85)
        if near:
            yield low[near[0]]


@rule(
    "out-of-range",
    ERROR,
    finds="a threshold that the metric can't cross: above the function's timeout, the queue's "
    "retention, a quota, 100 %, or below 0",
    why="It never fires, or always.",
    remedy="Set a threshold within the range.",
)
def out_of_range(context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """With the resource that sets the limit, where it is in a template."""
    single = single_metric(alarm)
    if single is None:
        return
    alarm, query, metric = single
    threshold = alarm.threshold
    published = metric_table.published(metric)
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
    if alarm.comparison.startswith("LessThan") and threshold > most and not additive:
        yield f"{metric.name} is {most:g} at most ({whose}), so it is always below {threshold:g}."
        return
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
    for metric in alarm.metrics:
        if metric.name != "IteratorAge":
            continue
        name = dict(metric.dimensions).get("FunctionName", "")
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
