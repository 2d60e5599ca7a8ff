"""Alarms as CloudFormation resources, both deployed and tested.

Plain properties, without the CDK, so that the stack's renderer and the alarms' tests read the
same ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from monitoring.alarm_set import Alarm, AlarmSet, CompositeAlarm
from monitoring.resources import Measure
from monitoring.wording import description

ALARM = "AWS::CloudWatch::Alarm"
COMPOSITE = "AWS::CloudWatch::CompositeAlarm"

Properties = dict[str, Any]
_SIMPLE = ("Sum", "Average", "Minimum", "Maximum", "SampleCount")


def alarm_properties(alarm: Alarm, *, runbook: str, topics: Mapping[str, object]) -> Properties:
    """The properties of an ``AWS::CloudWatch::Alarm``.

    Args:
        runbook: its URL, without a heading.
        topics: ARN, or what stands for it, by purpose.
    """
    properties: Properties = {
        "AlarmName": alarm.name,
        "AlarmDescription": description(alarm, runbook),
        "ComparisonOperator": alarm.signal.comparison.value,
        "Threshold": alarm.threshold,
        "EvaluationPeriods": alarm.periods,
        "DatapointsToAlarm": alarm.signal.datapoints,
        "TreatMissingData": alarm.signal.missing.value,
        **_actions(alarm.topics, topics),
    }
    if alarm.expression is None:
        [measure] = alarm.measures.values()
        key = "Statistic" if measure.statistic in _SIMPLE else "ExtendedStatistic"
        return {**properties, **_metric(measure), key: measure.statistic, "Period": alarm.period}
    stats = [
        {
            "Id": query,
            "ReturnData": False,
            "MetricStat": {
                "Metric": _metric(measure),
                "Period": alarm.period,
                "Stat": measure.statistic,
            },
        }
        for query, measure in alarm.measures.items()
    ]
    result = {
        "Id": "result",
        "Expression": alarm.expression,
        "Label": alarm.signal.title,
        "ReturnData": True,
    }
    return {**properties, "Metrics": [result, *stats]}


def composite_properties(
    alarm: CompositeAlarm, alarms: AlarmSet, *, topics: Mapping[str, object]
) -> Properties:
    """The properties of an ``AWS::CloudWatch::CompositeAlarm``.

    Args:
        alarms: the set it belongs to, where its suppressor is.
        topics: ARN, or what stands for it, by purpose.
    """
    composite = alarm.composite
    properties: Properties = {
        "AlarmName": alarm.name,
        "AlarmDescription": description(alarm, alarms.settings.runbookUrl),
        "AlarmRule": _rule(alarm),
        **_actions(alarm.topics, topics),
    }
    names = {composite.composite.id: composite.name for composite in alarms.composites}
    suppressor = names.get(composite.suppressed_by or "")
    if suppressor:
        properties |= {
            "ActionsSuppressor": suppressor,
            "ActionsSuppressorWaitPeriod": composite.wait,
            "ActionsSuppressorExtensionPeriod": composite.extension,
        }
    return properties


def template(alarms: AlarmSet) -> dict[str, Any]:
    """A template of the alarms alone as AWS has them, with topics named after their purposes."""
    settings = alarms.settings
    every: list[Alarm | CompositeAlarm] = [*alarms.alarms, *alarms.composites]
    purposes = {purpose for alarm in every for purpose in alarm.topics}
    topics = {purpose: settings.topic_arn(purpose) for purpose in sorted(purposes)}
    resources: dict[str, Any] = {
        alarm.signal.id: {
            "Type": ALARM,
            "Properties": alarm_properties(alarm, runbook=settings.runbookUrl, topics=topics),
        }
        for alarm in alarms.alarms
    }
    for composite in alarms.composites:
        resources[composite.composite.id] = {
            "Type": COMPOSITE,
            "DependsOn": needed_by(composite),
            "Properties": composite_properties(composite, alarms, topics=topics),
        }
    return {"Resources": resources}


def needed_by(alarm: CompositeAlarm) -> list[str]:
    """The ids of the alarms that a composite alarm names, and that have to be there before it."""
    composite = alarm.composite
    named = [*composite.parts, *sum(composite.unless.values(), ()), composite.suppressed_by]
    return [name for name in dict.fromkeys(named) if name]


def _actions(purposes: Iterable[str], topics: Mapping[str, object]) -> Properties:
    """The topics that are notified, of the beginning and of the end."""
    arns = [topics[purpose] for purpose in purposes]
    return {"ActionsEnabled": True, "AlarmActions": arns, "OKActions": arns}


def _rule(alarm: CompositeAlarm) -> str:
    terms = []
    for part in alarm.parts:
        on = [_on(member.name) for member in part]
        off = [f"NOT {_on(explanation.name)}" for explanation in alarm.explained(part)]
        term = " AND ".join([*on, *off])
        terms.append(f"({term})" if len(on) + len(off) > 1 else term)
    return " OR ".join(terms)


def _on(name: str) -> str:
    return f'ALARM("{name}")'


def _metric(measure: Measure) -> Properties:
    dimensions = [{"Name": name, "Value": value} for name, value in measure.dimensions.items()]
    properties: Properties = {"Namespace": measure.namespace, "MetricName": measure.name}
    return {**properties, "Dimensions": dimensions} if dimensions else properties
