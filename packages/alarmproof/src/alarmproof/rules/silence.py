"""What an alarm makes of periods without data."""

from __future__ import annotations

from collections.abc import Iterator

from alarmproof.alarms import AnyAlarm, MetricAlarm, Missing, Query
from alarmproof.metric_data import MetricKey
from alarmproof.metric_table import Silence, published
from alarmproof.rules.context import Context, fires_above, metric_queries, single_metric
from alarmproof.rules.registry import ERROR, WARNING, Hit, rule

DYNAMODB = "AWS/DynamoDB"
_PAUSES = (Silence.TRAFFIC, Silence.EVENT)
_GAPS = (*_PAUSES, Silence.UNKNOWN)


def _single(alarm: AnyAlarm) -> tuple[MetricAlarm, Query, MetricKey] | None:
    """An alarm that compares one metric as it is with a number."""
    single = single_metric(alarm)
    return None if single is None or single[0].band else single


def _has_gaps(context: Context, metric: MetricKey) -> bool:
    """Whether periods without data are usual; DynamoDB's metrics have a rule of their own."""
    return context.publishing.silence_of(metric) in _GAPS and metric.namespace != DYNAMODB


@rule(
    "ends-in-insufficient-data",
    WARNING,
    finds="a metric without data while nothing happens, with `TreatMissingData: missing`",
    why="After a breach and silence the alarm goes to INSUFFICIENT_DATA instead of OK.",
    remedy="Set TreatMissingData to notBreaching.",
)
def ends_in_insufficient_data(context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Only metrics of which it is known that they pause."""
    single = _single(alarm)
    if single is None:
        return
    alarm, _, metric = single
    pauses = context.publishing.silence_of(metric) in _PAUSES and metric.namespace != DYNAMODB
    if pauses and alarm.missing is Missing.MISSING and fires_above(alarm):
        yield (
            f"{metric.name} has no data while nothing happens, so the alarm leaves ALARM for "
            "INSUFFICIENT_DATA."
        )


@rule(
    "gap-completes-breach",
    WARNING,
    finds="several datapoints required of a metric with gaps, with `TreatMissingData: missing`",
    why="One breaching datapoint among gaps is enough: CloudWatch looks only at the data it has.",
    remedy="Set TreatMissingData to notBreaching, or use FILL(metric, 0).",
)
def gap_completes_breach(context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Source: CloudWatch user guide, "Configuring how CloudWatch alarms treat missing data"."""
    single = _single(alarm)
    if single is None:
        return
    alarm, _, metric = single
    several = alarm.datapoints_to_alarm > 1 and alarm.missing is Missing.MISSING
    if several and _has_gaps(context, metric):
        yield (
            f"It asks for {alarm.datapoints_to_alarm} datapoints, but a single breach followed by "
            f"periods without data sets it off as well ({metric.name} can have gaps)."
        )


@rule(
    "ok-after-gap",
    WARNING,
    finds="OK actions on a metric with gaps, with `TreatMissingData: missing`",
    why="After every gap, and after it is created, the alarm goes from INSUFFICIENT_DATA to OK and "
    "notifies.",
    remedy="Set TreatMissingData to notBreaching or ignore; for the time after it is created, set "
    "WarmUpConfiguration.",
)
def ok_after_gap(context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Whoever is notified of OK was notified of no ALARM before."""
    single = _single(alarm)
    if single is None or not single[0].ok_actions or not single[0].actions_enabled:
        return
    alarm, _, metric = single
    if _has_gaps(context, metric) and alarm.missing is Missing.MISSING:
        yield f"It notifies of OK after every gap in {metric.name}, without an ALARM before."


@rule(
    "silence-not-low",
    ERROR,
    finds="a lower limit that silence never crosses",
    why="When everything stops there is no data, and the alarm does not fire.",
    remedy="Set TreatMissingData to breaching, or compare FILL(metric, 0).",
)
def silence_not_low(context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """An error where only zero would breach, and zero is never published; else a warning."""
    single = _single(alarm)
    if single is None or not single[0].comparison.startswith("LessThan"):
        return
    alarm, query, metric = single
    counts = query.statistic in ("Sum", "SampleCount")
    if (
        context.publishing.silence_of(metric) not in _PAUSES
        or not counts
        or alarm.threshold is None
    ):
        return
    seen = alarm.missing is Missing.BREACHING or (
        alarm.missing is Missing.MISSING and alarm.insufficient_data_actions
    )
    if seen:
        return
    counted = published(metric)
    least = counted.least if counted else 0
    inclusive = alarm.comparison == "LessThanOrEqualToThreshold"
    never = least > alarm.threshold if inclusive else least >= alarm.threshold > 0
    if never:
        yield (
            f"{metric.name} is never published as 0: with nothing to count there is no data, which "
            f"is treated as {alarm.missing.value}, so the alarm never fires."
        )
    else:
        yield Hit(
            f"With nothing to count {metric.name} has no data, which is treated as "
            f"{alarm.missing.value}: a complete stop does not set the alarm off.",
            WARNING,
        )


@rule(
    "fires-while-well",
    WARNING,
    finds="a lower limit on a metric that counts failures",
    why="It is in ALARM while all is well.",
    remedy="Turn the comparison around.",
)
def fires_while_well(_context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Silence counts as well where missing data is breaching."""
    single = _single(alarm)
    if single is None or not single[0].comparison.startswith("LessThan"):
        return
    alarm, _, metric = single
    entry = published(metric)
    if entry is None or not entry.failure or alarm.threshold is None:
        return
    inclusive = alarm.comparison == "LessThanOrEqualToThreshold"
    zero_breaches = alarm.threshold >= 0 if inclusive else alarm.threshold > 0
    if zero_breaches:
        yield f"{metric.name} counts failures, and having none of them breaches."


@rule(
    "dynamodb-missing",
    WARNING,
    finds="an alarm on a DynamoDB metric that relies on how missing data is treated",
    why="Two pages of AWS contradict each other, and only one can be right.",
    remedy="Don't rely on it: compare FILL(metric, 0), or a metric that is always there.",
)
def dynamodb_missing(context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Source: the two pages that the message names."""
    single = _single(alarm)
    if single is None:
        return
    alarm, _, metric = single
    event = metric.namespace == DYNAMODB and context.publishing.silence_of(metric) is Silence.EVENT
    if event and fires_above(alarm):
        yield (
            f"{metric.name} has no data while nothing happens. The API reference "
            "(PutMetricAlarm, TreatMissingData) says that alarms on AWS/DynamoDB always ignore "
            "missing data, so that the alarm would stay in ALARM; the user guide (Configuring how "
            "CloudWatch alarms treat missing data) advises notBreaching for ThrottledRequests."
        )


@rule(
    "daily-metric",
    ERROR,
    finds="a metric that is published once or twice a day, with a shorter period",
    why="Almost every period is without data.",
    remedy="Set the period to that of the metric.",
)
def daily_metric(_context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """In expressions as well."""
    for query, metric in metric_queries(alarm):
        entry = published(metric)
        if entry and entry.every and (query.period or 0) < entry.every:
            ignored = isinstance(alarm, MetricAlarm) and alarm.missing is Missing.IGNORE
            yield Hit(
                f"{metric.name} is published every {entry.every} s, and the period is "
                f"{query.period} s.",
                WARNING if ignored else None,
                f"Set the period to {entry.every}.",
            )
