"""Whether something publishes an alarm's metric."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from alarmproof.base import metric_table
from alarmproof.base.alarms import AnyAlarm
from alarmproof.base.metric_data import MetricKey
from alarmproof.base.values import Unknown
from alarmproof.rules.context import Context
from alarmproof.rules.registry import ERROR, NOTE, WARNING, Hit, rule


@rule(
    "unknown-metric",
    ERROR,
    finds="a metric that its AWS service does not publish, or that is not among those declared",
    why="It never has data.",
    remedy="Use a metric of the service's list.",
)
def unknown_metric(context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Near names are named; without a complete list of the service's metrics it is a warning."""
    for metric in alarm.metrics:
        yield from _wrong(context, metric)


# How a name that is not there is read; that it is required says the schema.
_ABSENT = ("", "None")


def _wrong(context: Context, metric: MetricKey) -> Iterator[Hit]:
    own = context.own_metrics.get(metric.namespace)
    known = metric_table.names(metric.namespace)
    if metric.name in known or metric.name in _ABSENT or isinstance(metric.name, Unknown):
        return
    if metric_table.is_unverified(metric.namespace, metric.name):
        return
    if context.publishing.covers(metric):
        return
    near = difflib.get_close_matches(metric.name, own.names if own else known, n=3, cutoff=0.7)
    if near and _differs_little(metric.name, near[0]):
        near = near[:1]
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    elsewhere = _elsewhere(metric)
    if own:
        yield Hit(
            f"{metric.name} is not among the metrics of {metric.namespace} that "
            f"alarmproof.toml declares.{hint}",
            remedy="Use one of those, or declare it under [[metrics]].",
        )
    elif known and metric_table.is_complete(metric.namespace):
        yield Hit(f"{metric.namespace} does not publish {metric.name}.{hint}")
    elif near and _differs_little(metric.name, near[0]):
        message = f"{metric.namespace} has no metric {metric.name} that alarmproof knows.{hint}"
        yield Hit(message, WARNING)
    elif known and elsewhere:
        yield Hit(
            f"{metric.namespace} has no metric {metric.name} that alarmproof knows; by these "
            f"dimensions {elsewhere} has it.",
            WARNING,
            f"Set the namespace to {elsewhere}.",
        )
    elif metric_table.is_largely_known(metric.namespace):
        yield Hit(
            f"{metric.namespace} has no metric {metric.name} that alarmproof knows.{hint}",
            WARNING,
            "Use a metric of the service's list. What runs on an instance is published by an "
            "agent, in a namespace of its own.",
        )


def _elsewhere(metric: MetricKey) -> str:
    """The other namespace with a metric of that name and those dimensions; empty for none.

    Only where the namespace that is given has no metric with such dimensions.
    """
    given = frozenset(name for name, _ in metric.dimensions)
    if not given or given & metric_table.dimension_names(metric.namespace):
        return ""
    for namespace in metric_table.publishers(metric.name):
        entry = metric_table.published(MetricKey(namespace, metric.name))
        if entry and given in entry.dimensions:
            return namespace
    return ""


def _differs_little(name: str, other: str) -> bool:
    """Whether it is a slip rather than another metric: case, an ending, a letter, a word more."""
    low, near = name.lower(), other.lower()
    return (
        low == near
        or low.rstrip("s") == near.rstrip("s")
        or low.removesuffix("count") == near.removesuffix("count")
        or any(low == f"{near}{word}" for word in _ADDED)
        or difflib.SequenceMatcher(None, low, near).ratio() >= 0.95
    )


# What people put behind a metric's name although it is about the alarm.
_ADDED = ("alarm", "average", "high", "low", "max", "maximum", "metric", "min", "percent", "sum")
# A name so long is not chosen twice by chance.
_DISTINCT = 12


@rule(
    "unknown-namespace",
    WARNING,
    finds="a namespace that differs from an AWS service's only in case, or that has a metric of an "
    "AWS service's name and nothing that publishes it",
    why="It never has data.",
    remedy="Write the namespace as the service does.",
)
def unknown_namespace(context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """``AWS/lambda`` for ``AWS/Lambda``, and the names of services for their namespaces."""
    for metric in alarm.metrics:
        namespace = str(metric.namespace)
        if namespace in metric_table.namespaces() or isinstance(metric.namespace, Unknown):
            continue
        near = metric_table.namespace_like(namespace)
        if near:
            yield f"The namespace is {near}, not {namespace}."
            continue
        whose = metric_table.publishers(str(metric.name))
        distinct = len(whose) == 1 and len(metric.name) >= _DISTINCT
        if distinct and whose[0].startswith("AWS/") and not context.publishing.covers(metric):
            yield Hit(
                f"{metric.name} is a metric of {whose[0]}, and nothing here publishes it as "
                f"{namespace}.",
                remedy=f"Set the namespace to {whose[0]}, or declare {namespace} under "
                "[[metrics]] in alarmproof.toml.",
            )


@rule(
    "metric-not-judged",
    NOTE,
    finds="a metric that is neither in alarmproof's table nor published by anything in the "
    "templates nor declared",
    why="Whether it has data is not judged.",
    remedy="Check it in the service's guide, or let --live ask CloudWatch.",
    strict=False,
)
def metric_not_judged(context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Whether it is a service's, or of one's own."""
    for metric in alarm.metrics:
        space = metric.namespace
        if metric.name in metric_table.names(space) or space in (*context.own_metrics, *_ABSENT):
            continue
        if any(_wrong(context, metric)):
            continue
        if space not in metric_table.namespaces() and metric_table.namespace_like(space):
            continue
        if space.startswith("AWS/") or space in metric_table.namespaces():
            yield f"alarmproof does not know {space} {metric.name}."
        elif not context.publishing.covers(metric):
            yield Hit(
                f"Nothing in these templates publishes {space} {metric.name}.",
                remedy="Declare it under [[metrics]] in alarmproof.toml, or let --live ask "
                "CloudWatch.",
                shared=(f"Nothing in these templates publishes {space}", str(metric.name)),
            )


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
