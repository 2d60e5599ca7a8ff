"""Limits of AWS that a rendered template can exceed, found before CloudFormation does."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from settings.errors import SettingsError
from settings.paths import CDK_JSON
from settings.schema import Settings

_FUNCTION = "AWS::Lambda::Function"
# Source: Lambda quotas: names and values of a function's environment variables, together.
_ENVIRONMENT_BYTES = 4096
# What stands for a value that only a deployment knows, such as a queue's URL. Assumed.
_UNKNOWN_BYTES = 120
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
# The key that a long value comes from, by the function's variable or the property.
_KEYS: Mapping[str, str] = {
    "BACKEND_URL": "backend_url",
    "CHANNELS": "notifications",
    "DEDUPLICATION_ID": "deduplicationId",
    "GROUP_ID": "groupId",
    "SENTRY_DSN": "sentryDsn",
    "AlarmDescription": "runbookUrl",
}
_NAME = "service"


def require(settings: Settings, assembly: Path) -> None:
    """Checks the templates of an assembly.

    Raises:
        SettingsError: When AWS would refuse one; names each resource, and the key to change.
    """
    problems = [
        problem
        for file in sorted(assembly.glob("*.template.json"))
        for problem in exceeded(json.loads(file.read_text()))
    ]
    if problems:
        raise SettingsError(CDK_JSON, settings.environment, problems)


def exceeded(template: Mapping[str, Any]) -> Iterator[str]:
    """``key 'x': what is too long, by how much; remedy``, for each limit that is exceeded."""
    for name, resource in template.get("Resources", {}).items():
        kind, properties = resource["Type"], resource.get("Properties", {})
        for (limited, key), most in _LENGTHS.items():
            value = properties.get(key)
            if kind == limited and isinstance(value, str) and len(value) > most:
                yield (
                    f"key '{_KEYS.get(key, _NAME)}': {key} of {name} ({kind}) has {len(value)} "
                    f"characters, and AWS takes {most}; shorten it"
                )
        if kind == _FUNCTION:
            yield from _environment(name, properties.get("Environment", {}).get("Variables", {}))


def _environment(name: str, variables: Mapping[str, Any]) -> Iterator[str]:
    sizes = {key: len(key) + _bytes(value) for key, value in variables.items()}
    if sum(sizes.values()) > _ENVIRONMENT_BYTES:
        longest = max(sizes, key=sizes.__getitem__)
        yield (
            f"key '{_KEYS.get(longest, longest)}': the environment variables of {name} have about "
            f"{sum(sizes.values())} bytes, and Lambda takes {_ENVIRONMENT_BYTES}; {longest} has "
            f"{sizes[longest]} of them: shorten it"
        )


def _bytes(value: Any) -> int:
    """A value's size once its references are filled in."""
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, Mapping) and "Fn::Join" in value:
        between, parts = value["Fn::Join"]
        return sum(map(_bytes, parts)) + len(between) * (len(parts) - 1)
    return _UNKNOWN_BYTES
