"""What AWS would refuse of rendered templates, with the key to change.

Lengths and sizes are checked here; everything else is cfn-lint's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from settings.errors import SettingsError
from settings.paths import CDK_JSON
from settings.schema import Settings
from webhook_buffer.operations.cdk import without_secrets
from webhook_buffer.operations.template_lint import SKIP, Finding

_FUNCTION = "AWS::Lambda::Function"
# Source: Lambda quotas: names and values of a function's environment variables, together.
_ENVIRONMENT_BYTES = 4096
# What stands for a value that only a deployment knows, such as a queue's URL. Assumed.
_UNKNOWN_BYTES = 120
# Source: CloudFormation quotas: a template in S3, where the CDK puts it.
_TEMPLATE_BYTES = 1024 * 1024
# The longest texts, by type and property. Source: each service's API reference: PutMetricAlarm,
# PutCompositeAlarm, CreateFunction, CreateRole, CreateQueue, CreateTopic, PutRule, CreateTable.
_LENGTHS: Mapping[tuple[str, str], int] = {
    ("AWS::CloudWatch::Alarm", "AlarmDescription"): 1024,
    ("AWS::CloudWatch::Alarm", "AlarmName"): 255,
    ("AWS::CloudWatch::CompositeAlarm", "AlarmDescription"): 1024,
    ("AWS::CloudWatch::CompositeAlarm", "AlarmName"): 255,
    ("AWS::CloudWatch::CompositeAlarm", "AlarmRule"): 10240,
    ("AWS::DynamoDB::Table", "TableName"): 255,
    ("AWS::Events::Rule", "Name"): 64,
    ("AWS::IAM::Role", "Description"): 1000,
    (_FUNCTION, "Description"): 256,
    (_FUNCTION, "FunctionName"): 64,
    ("AWS::SNS::Topic", "TopicName"): 256,
    ("AWS::SQS::Queue", "QueueName"): 80,
}
# The key that a value comes from, by the function's variable or the property.
_KEYS: Mapping[str, str] = {
    "BACKEND_URL": "backend_url",
    "CHANNELS": "notifications",
    "DEDUPLICATION_ID": "deduplicationId",
    "GROUP_ID": "groupId",
    "SENTRY_DSN": "sentryDsn",
    "AlarmDescription": "runbookUrl",
    "CertificateArn": "acmCertificateArn",
    "DomainName": "domain",
    "FunctionName": "service",
    "HostedZoneId": "hostedZoneId",
    "MaximumConcurrency": "maxConcurrency",
    "MessageRetentionPeriod": "retentionDays",
    "QueueName": "service",
    "ReservedConcurrentExecutions": "reservedConcurrency",
    "RetentionInDays": "logRetentionDays",
    "ScheduleExpression": "heartbeatMinutes",
    "TableName": "service",
    "ThrottlingBurstLimit": "throttleBurst",
    "ThrottlingRateLimit": "throttleRate",
    "TruststoreUri": "mutualTlsTruststore",
    "VisibilityTimeout": "subscribeTimeoutSeconds",
}
# The key that a rule of cfn-lint blames: a region without a type of resource.
_KEYS_OF_RULES: Mapping[str, str] = {"E3006": "awsRegion"}
_NAME = "service"
# cfn-lint repeats values, however long.
_MESSAGE_LENGTH = 240


class Refusal(NamedTuple):
    """Something that AWS would refuse.

    Attributes:
        resource: its logical id.
        property: its name.
        problem: ``key 'x': what is wrong; remedy``.
    """

    resource: str
    property: str
    problem: str


def require(settings: Settings, templates: Sequence[Path], findings: Sequence[Finding]) -> None:
    """Checks templates.

    Args:
        findings: cfn-lint's.

    Raises:
        SettingsError: When AWS would refuse one; names each resource, and the key to change.
    """
    documents = {file.name: json.loads(file.read_text()) for file in templates}
    refusals = [refusal for document in documents.values() for refusal in exceeded(document)]
    known = {(refusal.resource, refusal.property) for refusal in refusals}
    problems = [refusal.problem for refusal in refusals]
    problems += [
        f"key 'tags': {file.name} has {file.stat().st_size} bytes, and CloudFormation takes "
        f"{_TEMPLATE_BYTES}; shorten what most resources repeat, such as tags"
        for file in templates
        if file.stat().st_size > _TEMPLATE_BYTES
    ]
    problems += [
        _explained(finding, documents[finding.file])
        for finding in findings
        if (finding.resource, finding.property) not in known
    ]
    if problems:
        raise SettingsError(CDK_JSON, settings.environment, problems)


def exceeded(template: Mapping[str, Any]) -> Iterator[Refusal]:
    """Each limit of a template that is exceeded, and by how much."""
    for name, resource in template.get("Resources", {}).items():
        kind, properties = resource["Type"], resource.get("Properties", {})
        for (limited, key), most in _LENGTHS.items():
            value = properties.get(key)
            if kind == limited and isinstance(value, str) and len(value) > most:
                problem = (
                    f"key '{_KEYS.get(key, _NAME)}': {key} of {name} ({kind}) has {len(value)} "
                    f"characters, and AWS takes {most}; shorten it"
                )
                yield Refusal(name, key, problem)
        if kind == _FUNCTION:
            yield from _environment(name, properties.get("Environment", {}).get("Variables", {}))


def _explained(finding: Finding, template: Mapping[str, Any]) -> str:
    """A finding of cfn-lint in the words of a refusal."""
    names = [str(part) for part in finding.path]
    keys = [_KEYS[name] for name in reversed(names) if name in _KEYS]
    key = _KEYS_OF_RULES.get(finding.rule) or next(iter(keys), None)
    where = ".".join(names)
    if finding.resource:
        kind = template["Resources"][finding.resource].get("Type", "no type")
        within = ".".join(names[3:])
        where = f"{within} of {finding.resource} ({kind})" if within else f"{names[1]} ({kind})"
    message = without_secrets(finding.message)
    if len(message) > _MESSAGE_LENGTH:
        message = f"{message[:_MESSAGE_LENGTH]}…"
    subject = f"key '{key}': " if key else ""
    remedy = "correct it" if key else "no key sets it, so report it"
    return (
        f"{subject}{finding.file}: {where}: {message} "
        f"({finding.rule}); {remedy}, or skip cfn-lint with {SKIP}"
    )


def _environment(name: str, variables: Mapping[str, Any]) -> Iterator[Refusal]:
    sizes = {key: len(key) + size(value) for key, value in variables.items()}
    if sum(sizes.values()) > _ENVIRONMENT_BYTES:
        longest = max(sizes, key=sizes.__getitem__)
        problem = (
            f"key '{_KEYS.get(longest, longest)}': the environment variables of {name} have about "
            f"{sum(sizes.values())} bytes, and Lambda takes {_ENVIRONMENT_BYTES}; {longest} has "
            f"{sizes[longest]} of them: shorten it"
        )
        yield Refusal(name, "Variables", problem)


def size(value: Any) -> int:
    """A value's size once its references are filled in."""
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, Mapping) and "Fn::Join" in value:
        between, parts = value["Fn::Join"]
        return sum(map(size, parts)) + len(between) * (len(parts) - 1)
    return _UNKNOWN_BYTES
