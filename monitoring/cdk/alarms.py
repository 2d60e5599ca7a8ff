"""Alarms and composite alarms as CloudFormation resources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aws_cdk import CfnResource
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from constructs import Construct

from functions.factory import FunctionFactory
from monitoring.alarm_set import AlarmSet
from monitoring.cloudwatch.alarms import (
    ALARM,
    COMPOSITE,
    alarm_properties,
    composite_properties,
    needed_by,
)

# A function creates them where CloudFormation can't: on the laptop.
_CUSTOM = {ALARM: "Custom::Alarm", COMPOSITE: "Custom::CompositeAlarm"}


class Alarms(Construct):
    """The alarms of an environment, each with its topics.

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
        self._on_laptop = on_laptop
        arns = {purpose: topic.topic_arn for purpose, topic in topics.items()}
        runbook = alarms.settings.runbookUrl
        made = {}
        for alarm in alarms.alarms:
            properties = alarm_properties(alarm, runbook=runbook, topics=arns)
            # The emulator's CloudFormation supports neither alarms on metric math nor composites.
            known = "Metrics" not in properties
            made[alarm.signal.id] = self._resource(alarm.signal.id, ALARM, properties, known=known)
        for incident in alarms.composites:
            composite = incident.composite
            properties = composite_properties(incident, alarms, topics=arns)
            resource = self._resource(composite.id, COMPOSITE, properties, known=False)
            for other in needed_by(incident):
                if other in made:
                    resource.add_resource_dependency(made[other])
            made[composite.id] = resource

    def _resource(
        self, construct_id: str, kind: str, properties: Mapping[str, Any], *, known: bool
    ) -> CfnResource:
        """The resource itself, or a custom resource in its place.

        Args:
            known: whether the emulator's CloudFormation can make it.
        """
        if self._on_laptop and not known:
            made_by = {"ServiceToken": self._on_laptop.function_arn}
            return CfnResource(
                self, construct_id, type=_CUSTOM[kind], properties={**made_by, **properties}
            )
        return CfnResource(self, construct_id, type=kind, properties=dict(properties))


def laptop_alarms(scope: Construct, functions: FunctionFactory) -> lambda_.Function:
    """Creates alarms that the emulator's API supports and its CloudFormation does not."""
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
