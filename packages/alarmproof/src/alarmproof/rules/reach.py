"""Whether a statistic of a metric can reach the threshold, and has the unit that is asked for."""

from __future__ import annotations

from collections.abc import Iterator

from alarmproof.base.alarms import AnyAlarm
from alarmproof.base.metric_table import Silence, published
from alarmproof.base.metric_traits import GAUGES
from alarmproof.rules.context import Context, fires_above, metric_queries, single_metric
from alarmproof.rules.registry import ERROR, WARNING, Hit, rule


@rule(
    "unreachable-statistic",
    ERROR,
    finds="an average, a maximum or a percentile of a metric whose samples are 0 or 1",
    why="It never fires: such a statistic is 1 at most.",
    remedy="Use the statistic Sum.",
)
def unreachable_statistic(_context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Each request is one sample."""
    single = single_metric(alarm)
    if single is None:
        return
    alarm, query, metric = single
    entry = published(metric)
    if entry is None or alarm.threshold is None or not fires_above(alarm):
        return
    if query.statistic in ("Sum", "SampleCount") or not (query.statistic or "").startswith(
        ("Average", "Maximum", "Minimum", "p", "tm", "wm", "IQM", "TM", "WM")
    ):
        return
    inclusive = alarm.comparison == "GreaterThanOrEqualToThreshold"
    beyond = alarm.threshold > entry.sample if inclusive else alarm.threshold >= entry.sample
    if beyond:
        yield (
            f"Each sample of {metric.name} is {entry.sample:g} at most, so its "
            f"{query.statistic} can't cross {alarm.threshold:g}."
        )


@rule(
    "wrong-unit",
    ERROR,
    finds="a unit that the metric is not published with",
    why="CloudWatch finds no data with that unit.",
    remedy="Leave Unit out: CloudWatch does not convert, it filters.",
)
def wrong_unit(context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Source: CloudWatch API reference, PutMetricAlarm, Unit."""
    for query, metric in metric_queries(alarm):
        entry, own = published(metric), context.own_metrics.get(metric.namespace)
        unit = entry.unit if entry else own.unit if own else ""
        if unit and query.unit and query.unit != unit:
            yield f"{metric.name} is published in {unit}, not in {query.unit}."


@rule(
    "counts-samples",
    WARNING,
    finds="the number of samples, `SampleCount`, of a metric whose samples can be 0",
    why="It counts what did not happen as well, so it fires while all is well.",
    remedy="Use the statistic Sum.",
)
def counts_samples(context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """A failure count or a level of AWS's that can be 0, or a filter with a default value."""
    single = single_metric(alarm)
    if single is None or single[1].statistic != "SampleCount" or not fires_above(single[0]):
        return
    _, _, metric = single
    entry = published(metric)
    level = (metric.namespace, metric.name) in GAUGES
    zeros = entry is not None and (entry.failure or level) and entry.silence is not Silence.EVENT
    if zeros or (metric.namespace, metric.name) in context.publishing.filled_by_filters:
        yield f"{metric.name} has a sample of 0 when nothing happens, and SampleCount counts it."


@rule(
    "sum-of-gauge",
    WARNING,
    finds="the sum of a level, such as the length of a queue or a percentage",
    why="A level is sampled again and again, and the sum counts it as often.",
    remedy="Use Maximum or Average.",
)
def sum_of_gauge(_context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Where the threshold is more than a single sample would cross; reported:
    https://github.com/govuk-one-login/authentication-api/pull/6833.
    """
    single = single_metric(alarm)
    if single is None or single[1].statistic != "Sum" or single[0].band:
        return
    alarm, query, metric = single
    entry = published(metric)
    if entry is None or alarm.threshold is None:
        return
    level = (metric.namespace, metric.name) in GAUGES and (query.period or 0) > 60
    harmless = fires_above(alarm) and alarm.threshold <= (
        0 if alarm.comparison == "GreaterThanThreshold" else 1
    )
    if (level or entry.unit == "Percent") and not harmless:
        yield (
            f"{metric.name} is a level: its sum over {query.period} s counts each sample of it, "
            f"and is compared with {alarm.threshold:g}."
        )
