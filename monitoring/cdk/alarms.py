"""Alarms and composite alarms as CloudFormation resources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import CfnResource
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from constructs import Construct

from buffer.functions import FunctionFactory
from monitoring.alarm_set import Alarm, AlarmSet, CompositeAlarm
from monitoring.resources import Measure
from monitoring.words import description

_ALARM = "AWS::CloudWatch::Alarm"
_COMPOSITE = "AWS::CloudWatch::CompositeAlarm"
# A function makes them where CloudFormation can't: on the laptop.
_CUSTOM = {_ALARM: "Custom::Alarm", _COMPOSITE: "Custom::CompositeAlarm"}


class Alarms(Construct):
    """The alarms of an environment, each told to its topics.

    Args:
        topics: by purpose.
        on_laptop: the function that makes alarms the emulator's CloudFormation does not know.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        alarms: AlarmSet,
        topics: Mapping[str, sns.ITopic],
        on_laptop: lambda_.IFunction | None,
    ) -> None:
        super().__init__(scope, construct_id)
        self._runbook = alarms.settings.runbookUrl
        self._topics = topics
        self._on_laptop = on_laptop
        made = {one.signal.id: self._alarm(one) for one in alarms.alarms}
        names = {one.composite.id: one.name for one in alarms.composites}
        for composite in alarms.composites:
            parts = [made[part] for part in composite.composite.parts if part in made]
            others = [composite.composite.suppressed_by]
            for explaining in composite.composite.unless.values():
                others += explaining
            resource = self._composite(composite, names)
            for needed in [*parts, *(made[one] for one in others if one in made)]:
                resource.add_resource_dependency(needed)
            made[composite.composite.id] = resource

    def _alarm(self, alarm: Alarm) -> CfnResource:
        properties = {
            "AlarmName": alarm.name,
            "AlarmDescription": description(alarm, self._runbook),
            "ComparisonOperator": alarm.signal.comparison.value,
            "Threshold": alarm.threshold,
            "EvaluationPeriods": alarm.periods,
            "DatapointsToAlarm": alarm.signal.datapoints,
            "TreatMissingData": alarm.signal.missing.value,
            **self._actions(alarm.topics),
        }
        if alarm.expression is None:
            [measure] = alarm.measures.values()
            properties |= _metric(measure)
            properties |= {_statistic_key(measure): measure.statistic, "Period": alarm.period}
            return self._resource(alarm.signal.id, _ALARM, properties, custom=False)
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
        label = alarm.signal.title
        result = {
            "Id": "result", "Expression": alarm.expression, "Label": label, "ReturnData": True,
        }  # fmt: skip
        properties["Metrics"] = [result, *stats]
        return self._resource(alarm.signal.id, _ALARM, properties, custom=True)

    def _composite(self, alarm: CompositeAlarm, names: Mapping[str, str]) -> CfnResource:
        composite = alarm.composite
        rule = _rule(alarm)
        properties: dict[str, Any] = {
            "AlarmName": alarm.name,
            "AlarmDescription": description(alarm, self._runbook),
            **self._actions(alarm.topics),
        }
        suppressor = names.get(composite.suppressed_by or "")
        if suppressor and self._on_laptop:
            # The emulator knows no suppressor, so the rule itself stays false.
            rule = f"({rule}) AND NOT {_on(suppressor)}"
        elif suppressor:
            properties |= {
                "ActionsSuppressor": suppressor,
                "ActionsSuppressorWaitPeriod": composite.wait,
                "ActionsSuppressorExtensionPeriod": composite.extension,
            }
        return self._resource(
            composite.id, _COMPOSITE, {**properties, "AlarmRule": rule}, custom=True
        )

    def _actions(self, purposes: Sequence[str]) -> dict[str, Any]:
        """Who is told, of the beginning and of the end."""
        arns = [self._topics[purpose].topic_arn for purpose in purposes]
        return {"ActionsEnabled": True, "AlarmActions": arns, "OKActions": arns}

    def _resource(
        self, construct_id: str, kind: str, properties: Mapping[str, Any], *, custom: bool
    ) -> CfnResource:
        """The resource itself, or its stand-in.

        Args:
            custom: whether the emulator needs a stand-in for it.
        """
        if custom and self._on_laptop:
            made_by = {"ServiceToken": self._on_laptop.function_arn}
            return CfnResource(
                self, construct_id, type=_CUSTOM[kind], properties={**made_by, **properties}
            )
        return CfnResource(self, construct_id, type=kind, properties=dict(properties))


def laptop_alarms(scope: Construct, functions: FunctionFactory) -> lambda_.Function:
    """Makes alarms that the emulator's API knows and its CloudFormation does not."""
    return functions.create(
        scope,
        "LaptopAlarms",
        name="laptop-alarms",
        module="laptop_alarms",
        timeout_seconds=30,
        environment={},
        statements=[
            iam.PolicyStatement(
                actions=[
                    "cloudwatch:PutMetricAlarm",
                    "cloudwatch:PutCompositeAlarm",
                    "cloudwatch:DeleteAlarms",
                ],
                resources=["*"],
            )
        ],
    )


def _rule(alarm: CompositeAlarm) -> str:
    terms = []
    for part in alarm.parts:
        on = [_on(one.name) for one in part]
        off = [f"NOT {_on(one.name)}" for one in alarm.explained(part)]
        term = " AND ".join([*on, *off])
        terms.append(f"({term})" if len(on) + len(off) > 1 else term)
    return " OR ".join(terms)


def _on(name: str) -> str:
    return f'ALARM("{name}")'


def _metric(measure: Measure) -> dict[str, Any]:
    dimensions = [{"Name": name, "Value": value} for name, value in measure.dimensions.items()]
    found: dict[str, Any] = {"Namespace": measure.namespace, "MetricName": measure.name}
    return {**found, "Dimensions": dimensions} if dimensions else found


def _statistic_key(measure: Measure) -> str:
    simple = ("Sum", "Average", "Minimum", "Maximum", "SampleCount")
    return "Statistic" if measure.statistic in simple else "ExtendedStatistic"
