"""What CloudFormation's schema, or CloudWatch itself, refuses when an alarm is created."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, TypeGuard

from alarmproof.base import composites, schema
from alarmproof.base.alarms import AnyAlarm, CompositeAlarm, MetricAlarm
from alarmproof.base.values import Unknown
from alarmproof.rules.context import Context, actions_of, metric_queries
from alarmproof.rules.registry import ERROR, WARNING, Hit, rule

_DAY, _WEEK, _HOUR = 86_400, 604_800, 3600
_ANOMALY = frozenset(
    ("LessThanLowerOrGreaterThanUpperThreshold", "LessThanLowerThreshold",
     "GreaterThanUpperThreshold")
)  # fmt: skip
_BASIC = frozenset(("SampleCount", "Average", "Sum", "Minimum", "Maximum"))
_NUMBER = r"(?:\d{1,2}(?:\.\d{1,10})?|100(?:\.0{1,10})?)"
_LIMIT = r"-?\d+(?:\.\d+)?"
# Source: CloudWatch user guide, "CloudWatch statistics definitions".
_EXTENDED = re.compile(
    rf"(?:p|tm|tc|ts|wm){_NUMBER}|IQM|PR\((?:{_LIMIT})?:(?:{_LIMIT})?\)"
    rf"|(?:TM|TC|TS|WM)\((?:{_LIMIT}%?)?:(?:{_LIMIT}%?)?\)",
    re.IGNORECASE,
)
# Properties with a rule that says what belongs there instead.
_JUDGED_BETTER = frozenset(["Statistic"])
# In an alarm, with MetricStat and with Expression each. Source: CloudWatch API reference,
# MetricDataQuery (botocore 1.43.106).
_MOST_QUERIES = 10
# Source: CloudWatch API reference, PutCompositeAlarm: at most 100 children.
_MOST_CHILDREN = 100


@rule(
    "schema",
    ERROR,
    finds="a value outside of what CloudFormation's schema allows",
    why="CloudFormation refuses the template.",
    remedy="Correct the value.",
)
def outside_schema(context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Types, lists of words, lengths, ranges, patterns, and properties that exclude each other."""
    resource = context.templates.resource_of(alarm)
    if resource is None:
        return
    worlds = (context.by_name.get(alarm.name, alarm), alarm)
    reported = {problem.property for world in worlds for problem in world.problems}
    for where, sentence in schema.violations(resource.type, resource.resolved):
        if where not in reported and where not in _JUDGED_BETTER:
            yield sentence


@rule(
    "datapoints-exceed-periods",
    ERROR,
    finds="`DatapointsToAlarm` greater than `EvaluationPeriods`",
    why="CloudWatch refuses the alarm.",
    remedy="Require at most as many datapoints as are evaluated.",
)
def datapoints_exceed_periods(_context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """M out of N."""
    if isinstance(alarm, MetricAlarm) and alarm.datapoints_to_alarm > alarm.evaluation_periods:
        yield (
            f"DatapointsToAlarm {alarm.datapoints_to_alarm} is more than EvaluationPeriods "
            f"{alarm.evaluation_periods}."
        )


@rule(
    "evaluation-too-long",
    ERROR,
    finds="an evaluation over more than a day, or with periods of an hour or more over a week",
    why="CloudWatch refuses the alarm.",
    remedy="Evaluate fewer or shorter periods.",
)
def evaluation_too_long(_context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Source: CloudWatch API reference, PutMetricAlarm, Period (botocore 1.43.106)."""
    if not isinstance(alarm, MetricAlarm) or alarm.wall_clock:
        return
    most = _WEEK if alarm.period >= _HOUR else _DAY
    whole = alarm.period * alarm.evaluation_periods
    if whole > most:
        yield (
            f"{alarm.evaluation_periods} periods of {alarm.period} s are {whole:,} s; with this "
            f"period CloudWatch allows {most:,} s."
        )


@rule(
    "invalid-period",
    ERROR,
    finds="a period that CloudWatch does not have",
    why="CloudWatch refuses the alarm.",
    remedy="Use 10, 20, 30 or a multiple of 60.",
)
def invalid_period(_context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Source: CloudWatch API reference, PutMetricAlarm, Period, and MetricStat, Period."""
    if not isinstance(alarm, MetricAlarm):
        return
    queried = len(alarm.queries) > 1
    allowed = (1, 5, 10, 20, 30) if queried else (10, 20, 30)
    for period in dict.fromkeys(query.period for query in alarm.queries):
        if period is not None and period not in allowed and (period < 60 or period % 60):
            yield f"A period of {period} s is not allowed."


@rule(
    "math-limits",
    ERROR,
    finds="math on more than ten metrics, of more than ten expressions, or on metrics of different "
    "periods",
    why="AWS's documentation rules it out for alarms.",
    remedy="Use the same period for all metrics, and several alarms under a composite alarm.",
)
def math_limits(_context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Whether CloudWatch refuses different periods is not documented, so it is a warning.

    Source: CloudWatch user guide, "Alarm data queries", Metric math.
    """
    if not isinstance(alarm, MetricAlarm) or len(alarm.queries) == 1:
        return
    metrics = [query for query, _ in metric_queries(alarm)]
    counts = {"metrics": len(metrics), "expressions": len(alarm.queries) - len(metrics)}
    for what, count in counts.items():
        if count > _MOST_QUERIES:
            yield f"It has {count} {what}; CloudWatch allows {_MOST_QUERIES}."
    periods = sorted({query.period for query in metrics if query.period})
    if len(periods) > 1:
        shown = f"{', '.join(map(str, periods[:-1]))} and {periods[-1]}"
        yield Hit(f"Its metrics have periods of {shown} s; AWS requires the same of all.", WARNING)


@rule(
    "missing-period",
    ERROR,
    finds="a query or math without a metric of its own, and without a `Period`",
    why="CloudWatch refuses the alarm: Period must not be null.",
    remedy="Give the expression a Period, beside Id and Expression.",
)
def missing_period(_context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Source: https://github.com/aws/aws-cdk/issues/7155."""
    if not isinstance(alarm, MetricAlarm) or not all(query.expression for query in alarm.queries):
        return
    unresolved = any(problem.property.endswith("Period") for problem in alarm.problems)
    if not unresolved and not any(query.period for query in alarm.queries):
        yield "None of its queries has a Period, and no metric has one for them."


@rule(
    "incomplete-metric",
    ERROR,
    finds="an alarm on a metric without `Namespace`, `Period` or a statistic",
    why="CloudWatch refuses the alarm.",
    remedy="Set what is missing.",
)
def incomplete_metric(context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Source: CloudWatch API reference, PutMetricAlarm, MetricName, Namespace, Period, Statistic;
    reported: https://github.com/sevenwestmedia-labs/pulumi-components/pull/33.
    """
    given = context.properties(alarm)
    if "MetricName" not in given or "Metrics" in given:
        return
    wanted = {"Namespace": ("Namespace",), "Period": ("Period",),
              "Statistic": ("Statistic", "ExtendedStatistic")}  # fmt: skip
    for name, properties in wanted.items():
        if not any(key in given for key in properties):
            yield f"It is on the metric {given['MetricName']} and has no {name}."


@rule(
    "sub-minute-period",
    ERROR,
    finds="a period below a minute on a metric of an AWS service",
    why="The metric has one datapoint a minute, so the other periods are without data.",
    remedy="Use a period of 60 or more.",
)
def sub_minute_period(_context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Source: CloudWatch API reference, PutMetricAlarm, Period."""
    for query, metric in metric_queries(alarm):
        if metric.namespace.startswith("AWS/") and 0 < (query.period or 60) < 60:
            yield f"{metric.name} has a datapoint a minute, and the period is {query.period} s."


@rule(
    "invalid-statistic",
    ERROR,
    finds="a statistic that CloudWatch does not have, or one in the wrong property",
    why="CloudFormation or CloudWatch refuses the alarm.",
    remedy="Statistic takes Average, Maximum, Minimum, SampleCount and Sum; percentiles and "
    "trimmed statistics belong in ExtendedStatistic.",
)
def invalid_statistic(context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """In ``Statistic``, ``ExtendedStatistic`` and each ``Stat``."""
    given = context.properties(alarm)
    statistic, extended = given.get("Statistic"), given.get("ExtendedStatistic")
    if _is_known_text(statistic) and statistic not in _BASIC:
        better = " It belongs in ExtendedStatistic." if _EXTENDED.fullmatch(statistic) else ""
        yield f"Statistic '{statistic[:40]}' is not one of the five.{better}"
    if _is_known_text(extended) and not _EXTENDED.fullmatch(extended):
        yield f"ExtendedStatistic '{extended[:40]}' is not a statistic that CloudWatch has."
    if not isinstance(alarm, MetricAlarm) or not given.get("Metrics"):
        return
    for query in alarm.queries:
        stat = query.statistic
        if not query.metric or not _is_known_text(stat) or stat in _BASIC:
            continue
        if not _EXTENDED.fullmatch(stat):
            yield f"Stat '{stat[:40]}' of '{query.id}' is not a statistic that CloudWatch has."


def _is_known_text(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and bool(value) and not isinstance(value, Unknown)


@rule(
    "returned-queries",
    ERROR,
    finds="`Metrics` of which not exactly one returns data",
    why="CloudWatch refuses the alarm.",
    remedy="Set ReturnData to true for the query that is compared, and to false for all others.",
)
def returned_queries(context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """With anomaly detection, the band and the metric that it is for return data."""
    entries = context.properties(alarm).get("Metrics")
    if not isinstance(alarm, MetricAlarm) or not isinstance(entries, list) or not entries:
        return
    entries = [entry for entry in entries if isinstance(entry, Mapping)]
    if any(isinstance(entry.get("ReturnData"), Unknown) for entry in entries):
        return
    returned = [
        str(entry.get("Id")) for entry in entries
        if str(entry.get("ReturnData", True)).lower() == "true"
    ]  # fmt: skip
    compared = [name for name in returned if name != alarm.band]
    if len(compared) != 1:
        shown = ", ".join(compared[:5]) or "none"
        yield f"Exactly one query has to return data to be compared, and here it is: {shown}."
    for name, count in Counter(str(entry.get("Id")) for entry in entries).items():
        if count > 1:
            yield f"{count} queries have the Id '{name}'."


@rule(
    "operator-and-threshold",
    ERROR,
    finds="an anomaly operator without a band, a plain operator with one, or a missing threshold "
    "or `EvaluationPeriods`",
    why="CloudWatch refuses the alarm.",
    remedy="Anomaly operators need ThresholdMetricId, all others need Threshold.",
)
def operator_and_threshold(context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Source: CloudWatch API reference, PutMetricAlarm, ComparisonOperator, ThresholdMetricId."""
    given = context.properties(alarm)
    if not isinstance(alarm, MetricAlarm) or not given or not alarm.comparison:
        return
    anomaly = alarm.comparison in _ANOMALY
    if anomaly and not alarm.band:
        yield f"{alarm.comparison} compares with a band, and there is no ThresholdMetricId."
    elif alarm.band and not anomaly:
        yield f"ThresholdMetricId is a band, and {alarm.comparison} compares with a number."
    elif not anomaly and given.get("Threshold") is None:
        yield "It has no Threshold."
    if given.get("EvaluationPeriods") is None:
        yield Hit("It has no EvaluationPeriods.", remedy="Set EvaluationPeriods.")
    if alarm.band and alarm.band not in {query.id for query in alarm.queries}:
        yield f"ThresholdMetricId '{alarm.band}' is not the Id of a query."
    if alarm.band and any(query.id == alarm.band and query.metric for query in alarm.queries):
        yield f"ThresholdMetricId '{alarm.band}' is a metric, and not a band."


@rule(
    "ec2-action",
    ERROR,
    finds="an EC2 action on a metric whose only dimension is not `InstanceId`, or recovery on "
    "another metric than `StatusCheckFailed_System`",
    why="CloudWatch refuses the alarm, or the action finds no instance.",
    remedy="Use a metric of the instance alone (InstanceId), or another action.",
)
def ec2_action(_context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Source: CloudWatch user guide, "Create alarms to stop, terminate, reboot, or recover"."""
    if not any(action.kind == "ec2" for action in actions_of(alarm)):
        return
    if isinstance(alarm, CompositeAlarm):
        yield "A composite alarm can't perform EC2 actions."
    elif isinstance(alarm, MetricAlarm):
        names = [
            sorted(name for name, _ in query.metric.dimensions)
            for query in alarm.queries if query.metric
        ]  # fmt: skip
        if any(isinstance(name, Unknown) for given in names for name in given):
            return
        if len(alarm.queries) > 1 or names != [["InstanceId"]]:
            shown = " + ".join(names[0]) if names and names[0] else "none"
            yield f"An EC2 action needs the dimension InstanceId alone, and here it is: {shown}."
        yield from _recovery(alarm)


def _recovery(alarm: MetricAlarm) -> Iterator[Hit]:
    """Source: EC2 user guide, "Add recover actions to Amazon CloudWatch alarms"."""
    recovers = any(str(action.given).endswith("ec2:recover") for action in actions_of(alarm))
    for metric in alarm.metrics if recovers else ():
        if metric.namespace == "AWS/EC2" and metric.name != "StatusCheckFailed_System":
            yield Hit(
                f"The action ec2:recover works with StatusCheckFailed_System only, and the metric "
                f"is {metric.name}.",
                WARNING,
                "Watch StatusCheckFailed_System, or reboot the instance instead.",
            )


@rule(
    "composite-limits",
    ERROR,
    finds="a composite alarm with an Auto Scaling action, of more than 100 alarms, or with a "
    "suppressor and without its periods",
    why="CloudWatch refuses the alarm.",
    remedy="Put the action on a metric alarm; divide the rule into several composite alarms; set "
    "ActionsSuppressorWaitPeriod and ActionsSuppressorExtensionPeriod.",
)
def composite_limits(context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Source: CloudWatch API reference, PutCompositeAlarm, AlarmActions and AlarmRule."""
    if not isinstance(alarm, CompositeAlarm):
        return
    if any(action.kind == "autoscaling" for action in actions_of(alarm)):
        yield "A composite alarm can't perform Auto Scaling actions."
    given = context.properties(alarm)
    if "ActionsSuppressor" in given:
        for name in ("ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod"):
            if name not in given:
                yield f"It has an ActionsSuppressor and no {name}."
    count = len(composites.written_names(alarm))
    if count > _MOST_CHILDREN:
        yield f"It depends on {count} alarms; CloudWatch allows {_MOST_CHILDREN}."
