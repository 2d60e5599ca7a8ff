"""Whether a threshold is one that the metric can cross, and in the metric's unit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import inf
from typing import NamedTuple

from alarmproof.base import metric_table
from alarmproof.base.alarms import AnyAlarm, MetricAlarm
from alarmproof.base.metric_data import MetricKey
from alarmproof.rules.context import Context, fires_above, single_metric
from alarmproof.rules.registry import ERROR, WARNING, Hit, rule


class _Limit(NamedTuple):
    """A property of a resource that a metric of it can't exceed.

    Attributes:
        default: of the property, in its own unit.
        factor: from the property's unit to the metric's.
    """

    metric: str
    dimension: str
    kind: str
    property: str
    default: float
    factor: float
    what: str


# Source: CloudFormation template reference, of each type.
_LIMITS = (
    _Limit("Duration", "FunctionName", "AWS::Lambda::Function", "Timeout", 3, 1000, "the timeout"),
    _Limit("ApproximateAgeOfOldestMessage", "QueueName", "AWS::SQS::Queue",
           "MessageRetentionPeriod", 345_600, 1, "the retention"),
    _Limit("FreeStorageSpace", "DBInstanceIdentifier", "AWS::RDS::DBInstance",
           "AllocatedStorage", inf, 1024**3, "the storage"),
)  # fmt: skip


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
    if published is None or threshold is None or published.negative:
        return
    if threshold < 0 or (threshold == 0 and alarm.comparison == "LessThanThreshold"):
        yield f"{metric.name} is never below 0, and the threshold is {threshold:g}."
        return
    if threshold == 0 and alarm.comparison == "GreaterThanOrEqualToThreshold":
        if published.silence is not metric_table.Silence.EVENT:
            yield Hit(f"{metric.name} is never below 0, so it is always at least 0.", WARNING)
        return
    most, whose = _most(context, alarm, metric) or (published.most, "it can't be more")
    additive = query.statistic in ("Sum", "SampleCount")
    if alarm.comparison.startswith("LessThan") and threshold > most and not additive:
        yield f"{metric.name} is {most:g} at most ({whose}), so it is always below {threshold:g}."
        return
    beyond = threshold > most or (threshold == most and alarm.comparison == "GreaterThanThreshold")
    if beyond and fires_above(alarm) and not additive:
        yield f"{metric.name} is {most:g} at most ({whose}), and the threshold is {threshold:g}."


def _most(context: Context, alarm: MetricAlarm, metric: MetricKey) -> tuple[float, str] | None:
    """The greatest value that a resource of the templates allows, and what says so."""
    most = None
    for limit in _LIMITS:
        name = dict(metric.dimensions).get(limit.dimension, "")
        resource = limit.metric == metric.name and context.resource(
            limit.kind, name, stack=alarm.source.stack
        )
        if resource:
            value = limit.factor * _number(resource.resolved.get(limit.property), limit.default)
            most = value, f"{limit.what} of '{resource.source.logical_id}'"
    return most


def _number(value: object, default: float) -> float:
    """A property as a number; infinite where it is not one, so that nothing is above it."""
    if value is None or value == "":
        return default
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return float("inf")


@rule(
    "threshold-unit",
    WARNING,
    finds="a threshold that looks as if it were in another unit than the metric",
    why="It never fires, or always.",
    remedy="Convert the threshold to the metric's unit.",
)
def threshold_unit(_context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Gigabytes for bytes, milliseconds for seconds and the reverse, a share for percent."""
    yield from _percent_of_description(alarm)
    single = single_metric(alarm)
    if single is None or single[0].threshold is None or single[0].band:
        return
    alarm, query, metric = single
    entry = metric_table.published(metric)
    additive = query.statistic in ("Sum", "SampleCount")
    threshold = single[0].threshold
    if entry is None or additive or threshold <= 0:
        return
    above = fires_above(alarm)
    meant = (_meant_above if above else _meant_below)(metric.name, entry.unit, threshold)
    if meant:
        yield (
            f"{metric.name} is in {entry.unit}, and the threshold of {threshold:g} looks like "
            f"{meant}."
        )
    elif above and metric.name.endswith("Utilization") and entry.most != 1 and threshold < 1:
        yield f"{metric.name} is in percent, and the threshold of {threshold:g} looks like a share."


def _meant_above(name: str, unit: str | None, threshold: float) -> str | None:
    """The unit that an upper limit seems to be in."""
    if name in _AGES and threshold < _YOUNG:
        return "seconds"
    if unit == "Seconds" and name in _FAST and threshold >= _SLOW_SECONDS:
        return "milliseconds"
    if unit == "Milliseconds" and threshold <= _FAST_MILLISECONDS:
        return "seconds"
    return None


def _meant_below(name: str, unit: str | None, threshold: float) -> str | None:
    """The unit that a lower limit seems to be in."""
    if unit == "Bytes" and "Free" in name and threshold < _FEW_BYTES:
        return "percent or gigabytes"
    if unit == "Megabytes" and threshold >= _MANY_MEGABYTES:
        return "bytes"
    return None


def _percent_of_description(alarm: AnyAlarm) -> Iterator[str]:
    """Math in percent with a threshold that is the described percentage as a share; reported:
    https://github.com/hashicorp/terraform-provider-aws/pull/7785.
    """
    if not isinstance(alarm, MetricAlarm) or alarm.threshold is None:
        return
    shown = f"{alarm.threshold * 100:g}"
    for query in alarm.queries:
        text = (query.expression or "").replace(" ", "")
        times = query.id == alarm.returned and ("*100" in text or "100*" in text)
        if times and 0 < alarm.threshold < 1 and re.search(
            rf"(?<![\d.]){re.escape(shown)} ?(%|percent)", alarm.description
        ):  # fmt: skip
            yield (
                f"'{query.expression}' is in percent, the threshold is {alarm.threshold:g}, and "
                f"the description says {shown} %."
            )


# Less free space than this notifies nobody in time.
_FEW_BYTES = 1_000_000
# What answers within a few seconds, in seconds; longer than this, its client has given up.
_FAST = frozenset(("TargetResponseTime", "Latency", "ReadLatency", "WriteLatency"))
_SLOW_SECONDS = 60
# More megabytes than a node has, and less milliseconds than a reader needs for a batch.
_MANY_MEGABYTES, _YOUNG = 100_000_000, 1000
_AGES = frozenset(("GetRecords.IteratorAgeMilliseconds", "IteratorAge"))
# A limit that everything exceeds.
_FAST_MILLISECONDS = 5
