"""Remedies in the words of the tool that an alarm is written with.

Templates of SAM and plain CloudFormation are written as they are read, and so is the advice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from alarmproof.base.alarms import AnyAlarm
from alarmproof.base.definitions import Templates
from alarmproof.reading.terraform_types import ALARMS, NESTED, RESOURCES

# Source: CDK developer guide, "Constructs": where a resource comes from, in its metadata.
_PATH = "aws:cdk:path"
# What the Serverless Framework adds to each template that it makes.
_SERVERLESS = "ServerlessDeploymentBucket"
_SEVERAL_WORDS = re.compile(r"\b[A-Z][a-zA-Z]*[a-z][A-Z][a-zA-Z]*\b")
# What is not an attribute of an alarm. Source: the AWS provider's pages of these resources.
_TERRAFORM = {
    "Fn::GetAtt LoadBalancerFullName": "its arn_suffix",
    "Fn::GetAtt TargetGroupFullName": "its arn_suffix",
    "Fn::GetAtt QueueName": "its name",
    "Fn::GetAtt TopicName": "its name",
    "Fn::GetAtt Name": "its name",
    "AWS::Lambda::Permission": "aws_lambda_permission",
    "--parameter NAME=VALUE or --parameters FILE": "-var when the plan is made",
    "--parameter NAME=VALUE": "-var when the plan is made",
}
# Source: CDK reference, aws-cloudwatch, AlarmProps and TreatMissingData.
_CDK = {
    "TreatMissingData to notBreaching": "treatMissingData to TreatMissingData.NOT_BREACHING",
    "TreatMissingData to breaching": "treatMissingData to TreatMissingData.BREACHING",
    "ExtendedStatistic": "statistic",
    "EvaluateLowSampleCountPercentile": "evaluateLowSampleCountPercentile",
    "Fn::GetAtt LoadBalancerFullName": "loadBalancerFullName",
    "Fn::GetAtt TargetGroupFullName": "targetGroupFullName",
    "Fn::GetAtt QueueName": "queueName",
    "Fn::GetAtt TopicName": "topicName",
    "Fn::GetAtt Name": "serviceName",
    "Add an AWS::Lambda::Permission for": "Use LambdaAction, or grantInvoke for",
    "TreatMissingData": "treatMissingData",
    "DatapointsToAlarm": "datapointsToAlarm",
    "EvaluationPeriods": "evaluationPeriods",
    "ReturnData": "returnData",
}


def remedy(text: str, alarm: AnyAlarm, templates: Templates) -> str:
    """A remedy as it reads for an alarm's tool, with where the tool has the alarm."""
    source = alarm.source
    if any(f"{kind}." in source.logical_id for kind in ALARMS):
        return f"{_replaced(text, 'terraform')} It is {source.logical_id}."
    resource = templates.resource_of(alarm)
    path = resource.metadata.get(_PATH) if resource else None
    if isinstance(path, str) and path:
        return f"{_replaced(text, 'cdk')} It is the construct {path.removesuffix('/Resource')}."
    if (source.stack, _SERVERLESS) in templates.resources:
        return f"{text} This template is made from serverless.yml: change it there."
    return text


def message(text: str, alarm: AnyAlarm) -> str:
    """What is wrong, with Terraform's attributes where it has the alarm.

    Only for names that are not ordinary words, too, such as ``TreatMissingData``.
    """
    if not any(f"{kind}." in alarm.source.logical_id for kind in ALARMS):
        return text
    words = _words("terraform")
    return _SEVERAL_WORDS.sub(lambda match: words.get(match[0], match[0]), text)


def _replaced(text: str, tool: str) -> str:
    words = _words(tool)
    return _pattern(tool).sub(lambda match: words[match[0]], text)


@cache
def _words(tool: str) -> Mapping[str, str]:
    if tool == "cdk":
        return _CDK
    attributes = [RESOURCES[kind][1] for kind in ALARMS] + [NESTED["metric_query"]]
    return {
        **{
            property_: name
            for table in attributes
            for name, property_ in table.items()
            if not property_.startswith("_")
        },
        **_TERRAFORM,
    }


@cache
def _pattern(tool: str) -> re.Pattern[str]:
    longest_first = sorted(_words(tool), key=len, reverse=True)
    return re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, longest_first))})(?!\w)")
