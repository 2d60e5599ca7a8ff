"""What an alarm does about silence, few samples and time."""

from __future__ import annotations

from collections.abc import Iterator

from alarmproof.base.alarms import AnyAlarm, MetricAlarm, Missing
from alarmproof.base.metric_table import Silence
from alarmproof.rules.context import Context, fires_above, single_metric
from alarmproof.rules.registry import ERROR, WARNING, Hit, rule
from alarmproof.rules.silence import DYNAMODB


@rule(
    "never-clears",
    ERROR,
    finds="a metric that is only there when something happens, with `TreatMissingData: ignore`",
    why="Once in ALARM, it stays there.",
    remedy="Set TreatMissingData to notBreaching.",
)
def never_clears(context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Nothing ever says that it is over."""
    single = single_metric(alarm)
    if single is None:
        return
    alarm, _, metric = single
    event = context.publishing.silence_of(metric) is Silence.EVENT and metric.namespace != DYNAMODB
    if event and alarm.missing is Missing.IGNORE and fires_above(alarm):
        yield (
            f"{metric.name} is published only when it happens, and missing data does not "
            "end the alarm."
        )


@rule(
    "always-breaches",
    ERROR,
    finds="metrics that are only there when something happens, with missing data that breaches",
    why="It is in ALARM while all is well, or while there is no traffic.",
    remedy="Set TreatMissingData to notBreaching.",
)
def always_breaches(context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Silence of such a metric is good news; without traffic it says nothing, a warning."""
    if not isinstance(alarm, MetricAlarm) or alarm.band:
        return
    if alarm.missing is not Missing.BREACHING or not fires_above(alarm) or not alarm.metrics:
        return
    silences = {context.publishing.silence_of(metric) for metric in alarm.metrics}
    names = ", ".join(dict.fromkeys(str(metric.name) for metric in alarm.metrics))
    single = single_metric(alarm)
    if single and silences == {Silence.EVENT}:
        yield (
            f"{names} is published only when it happens, and missing data counts as "
            "breaching: it is in ALARM while all is well."
        )
    elif silences <= {Silence.EVENT, Silence.TRAFFIC} and not any(
        _FILLS in (query.expression or "") for query in alarm.queries
    ):
        verb = "has" if single else "have"
        yield Hit(
            f"{names} {verb} no data without traffic, and missing data counts as breaching: then "
            "it is in ALARM.",
            WARNING,
        )


# What makes a value of a missing one.
_FILLS = "FILL("


@rule(
    "few-samples",
    WARNING,
    finds="a single datapoint of a high percentile",
    why="With little traffic, a single slow request sets it off.",
    remedy="Require several datapoints, or set EvaluateLowSampleCountPercentile to ignore.",
)
def few_samples(_context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """With few samples a high percentile is the largest of them."""
    single = single_metric(alarm)
    if single is None or single[0].low_samples == "ignore":
        return
    alarm, query, _ = single
    statistic = query.statistic or ""
    digits = statistic[1:].replace(".", "", 1)
    high = statistic.startswith("p") and digits.isascii() and digits.isdigit()
    if high and float(statistic[1:]) >= 90 and alarm.datapoints_to_alarm == 1:
        yield (
            f"One datapoint of {statistic} sets it off, and with few samples a {statistic} is just "
            "the largest one."
        )


@rule(
    "slow-reaction",
    WARNING,
    finds="an evaluation that takes longer than `--max-reaction`",
    why="It notifies later than people expect.",
    remedy="Shorten the period or require fewer datapoints.",
)
def slow_reaction(context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """The earliest time after a breach at which it can fire."""
    if not isinstance(alarm, MetricAlarm) or alarm.name in context.parts:
        return
    least = (alarm.datapoints_to_alarm - 1) * alarm.period + 60
    if least > context.max_reaction:
        yield (
            f"It can react after {least} s at the earliest ({alarm.datapoints_to_alarm} datapoints "
            f"of {alarm.period} s); the limit is {context.max_reaction} s."
        )
