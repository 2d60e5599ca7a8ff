"""What CloudWatch refuses although it has the form that CloudFormation's schema asks for.

Source: CloudWatch API reference, PutMetricAlarm and MetricDataQuery, as the model of botocore
1.43.106 has them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from alarmproof.model import Action, AnyAlarm, MetricAlarm
from alarmproof.rules.context import Context, metric_queries
from alarmproof.rules.registry import ERROR, Hit, rule

_STATISTICS = frozenset({"Average", "Maximum", "Minimum", "SampleCount", "Sum"})
_HIGH_RESOLUTION = (10, 20, 30)
_DAY, _WEEK, _HOUR = 86_400, 604_800, 3_600
_REFUSED = "CloudWatch refuses the alarm."


def _resolved(context: Context, alarm: AnyAlarm) -> Mapping[str, Any]:
    resource = context.templates.resources.get((alarm.source.stack, alarm.source.logical_id))
    return resource.resolved if resource else {}


@rule(
    "datapoints-to-alarm",
    ERROR,
    finds="more datapoints to alarm than evaluation periods, or less than one of either",
    why=_REFUSED,
    remedy="Make DatapointsToAlarm at least 1 and at most EvaluationPeriods.",
)
def datapoints_to_alarm(_context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """M of N with 1 ≤ M ≤ N."""
    if isinstance(alarm, MetricAlarm):
        m, n = alarm.datapoints_to_alarm, alarm.evaluation_periods
        if not 1 <= m <= n:
            yield f"DatapointsToAlarm is {m}, and EvaluationPeriods {n}."


@rule(
    "period",
    ERROR,
    finds="a period that is not 10, 20, 30 or full minutes, or periods that are too long together",
    why=_REFUSED,
    remedy="Use 10, 20, 30 or a multiple of 60 s; together one day at most, with periods of an "
    "hour or more seven days.",
)
def period(_context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Each period by itself, and all of the evaluation range."""
    if not isinstance(alarm, MetricAlarm):
        return
    for seconds in sorted({query.period for query in alarm.queries if query.period is not None}):
        if seconds not in _HIGH_RESOLUTION and (seconds < 60 or seconds % 60):
            yield f"The period is {seconds} s."
    whole = alarm.period * alarm.evaluation_periods
    most = _WEEK if alarm.period >= _HOUR else _DAY
    if whole > most:
        yield (
            f"{alarm.evaluation_periods} periods of {alarm.period} s are {whole:,} s together; "
            f"the most is {most:,} s."
        )


@rule(
    "statistic",
    ERROR,
    finds="a percentile or another extended statistic as `Statistic`",
    why="CloudFormation refuses the template.",
    remedy="Use ExtendedStatistic.",
)
def statistic(context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Of an alarm on one metric; ``Stat`` of ``Metrics`` takes both."""
    given = _resolved(context, alarm).get("Statistic")
    if isinstance(alarm, MetricAlarm) and isinstance(given, str) and given not in _STATISTICS:
        yield f"Statistic is '{given}', which is not one of {', '.join(sorted(_STATISTICS))}."


@rule(
    "returned-query",
    ERROR,
    finds="`Metrics` of which none or several return data",
    why=_REFUSED,
    remedy="Leave ReturnData true for the one entry that is compared, and set it to false for all "
    "others.",
)
def returned_query(context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """The band of an anomaly alarm is not counted."""
    entries = _resolved(context, alarm).get("Metrics")
    if not isinstance(alarm, MetricAlarm) or not isinstance(entries, list) or not entries:
        return
    returned = [
        str(entry.get("Id"))
        for entry in entries
        if isinstance(entry, dict)
        and str(entry.get("ReturnData", True)).lower() == "true"
        and entry.get("Id") != alarm.band
    ]
    if not returned:
        yield "No entry of Metrics returns data."
    elif len(returned) > 1:
        yield f"{len(returned)} entries of Metrics return data: {', '.join(returned[:5])}."


@rule(
    "ec2-action",
    ERROR,
    finds="an EC2 action on a metric that is not of one instance alone",
    why=_REFUSED,
    remedy="Watch a metric whose only dimension is InstanceId, or take the action out.",
)
def ec2_action(_context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Source: CloudWatch user guide, "Create alarms to stop, terminate, reboot, or recover"."""
    actions = (*alarm.alarm_actions, *alarm.ok_actions, *alarm.insufficient_data_actions)
    if not any(isinstance(action, Action) and action.kind == "ec2" for action in actions):
        return
    names = {name for query in metric_queries(alarm) if query.metric
             for name, _ in query.metric.dimensions}  # fmt: skip
    if names != {"InstanceId"}:
        shown = ", ".join(sorted(names)) or "none"
        yield f"Its EC2 action needs the dimension InstanceId alone; its metric has {shown}."
