"""Quotas of AWS that a template can exceed although its schema takes it, and what it has of each.

cfn-lint knows the lengths of properties; it counts nothing across resources.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from webhook_buffer.operations.template_limits import size

Template = Mapping[str, Any]


class Use(NamedTuple):
    """How much of a quota something takes.

    Attributes:
        quota: what is counted.
        where: the resource, or the template itself.
        taken: how much there is.
        most: that AWS takes.
    """

    quota: str
    where: str
    taken: int
    most: int


def uses(template: Template) -> Iterator[Use]:
    """All that a template takes of its quotas."""
    # Source: CloudFormation user guide, "Understand CloudFormation quotas".
    for section, most in {"Resources": 500, "Outputs": 200, "Parameters": 200}.items():
        yield Use(section, "template", len(template.get(section, {})), most)
    yield from _shared(template)
    for name, resource in template["Resources"].items():
        properties = resource.get("Properties", {})
        # Source: AWS Tagging user guide: 50 a resource. CloudFormation adds three of its own.
        yield Use("tags", name, len(properties.get("Tags", ())), 47)
        measure = _OF_TYPE.get(resource["Type"])
        for quota, count, most in measure(properties) if measure else ():
            yield Use(quota, name, count, most)


def _shared(template: Template) -> Iterator[Use]:
    """What several resources take of one."""
    for (kind, key), (quota, most) in _PARENTS.items():
        counts = Counter(
            json.dumps(resource["Properties"][key])
            for resource in template["Resources"].values()
            if resource["Type"] == kind
        )
        for parent, count in counts.items():
            yield Use(quota, parent, count, most)
    sizes: Counter[str] = Counter()
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::IAM::Policy":
            for role in resource["Properties"]["Roles"]:
                sizes[json.dumps(role)] += _length(resource["Properties"]["PolicyDocument"])
    for role, length in sizes.items():
        # Source: IAM user guide, "IAM and AWS STS quotas", as for all of IAM's below.
        yield Use("inline policies", role, length, 10_240)


# What a resource has of others that name it. Sources: CloudWatch Logs API reference,
# PutSubscriptionFilter and PutMetricFilter; API Gateway developer guide, "Quotas for configuring
# and running an HTTP API".
_PARENTS = {
    ("AWS::Logs::SubscriptionFilter", "LogGroupName"): ("subscription filters", 2),
    ("AWS::Logs::MetricFilter", "LogGroupName"): ("metric filters", 100),
    ("AWS::ApiGatewayV2::Route", "ApiId"): ("routes", 300),
    ("AWS::ApiGatewayV2::Integration", "ApiId"): ("integrations", 300),
    ("AWS::ApiGatewayV2::Stage", "ApiId"): ("stages", 10),
}
_Counts = Iterator[tuple[str, int, int]]


def _length(document: Any) -> int:
    """A policy's size, with references filled in; white space is not counted."""
    if isinstance(document, Mapping) and not document.keys().isdisjoint(
        {"Ref", "Fn::GetAtt", "Fn::Join", "Fn::ImportValue", "Fn::Sub"}
    ):
        return size(document) + 2
    if isinstance(document, Mapping):
        items = document.items()
        return 1 + sum(len(json.dumps(key)) + 2 + _length(value) for key, value in items)
    if isinstance(document, list):
        return 1 + sum(1 + _length(entry) for entry in document)
    return len(re.sub(r"\s", "", json.dumps(document)))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _role(properties: Mapping[str, Any]) -> _Counts:
    yield "managed policies", len(properties.get("ManagedPolicyArns", ())), 10
    yield "trust policy", _length(properties["AssumeRolePolicyDocument"]), 2_048


def _managed(properties: Mapping[str, Any]) -> _Counts:
    yield "managed policy", _length(properties["PolicyDocument"]), 6_144


def _queue_policy(properties: Mapping[str, Any]) -> _Counts:
    """Source: SQS developer guide, "Amazon SQS policy quotas"."""
    statements = properties["PolicyDocument"]["Statement"]
    yield "queue policy", _length(properties["PolicyDocument"]), 8_192
    yield "statements", len(statements), 20
    for statement in statements:
        yield "actions of a statement", len(_listed(statement["Action"])), 7


def _topic_policy(properties: Mapping[str, Any]) -> _Counts:
    """Source: SNS developer guide, "Amazon SNS API permissions"."""
    yield "topic policy", _length(properties["PolicyDocument"]), 30_000
    yield "statements", len(properties["PolicyDocument"]["Statement"]), 100


def _bucket_policy(properties: Mapping[str, Any]) -> _Counts:
    """Source: S3 user guide, "Bucket policies": 20 KB."""
    yield "bucket policy", _length(properties["PolicyDocument"]), 20_480


def _key(properties: Mapping[str, Any]) -> _Counts:
    """Source: KMS developer guide, "Resource quotas": 32 KB."""
    yield "key policy", _length(properties["KeyPolicy"]), 32_768


def _function(properties: Mapping[str, Any]) -> _Counts:
    """Source: Lambda developer guide, "Lambda quotas"."""
    yield "layers", len(properties.get("Layers", ())), 5
    variables = properties.get("Environment", {}).get("Variables", {})
    yield "variables", sum(len(key) + size(value) for key, value in variables.items()), 4_096


def _table(properties: Mapping[str, Any]) -> _Counts:
    """Source: DynamoDB developer guide, "Quotas in Amazon DynamoDB"."""
    indexes = properties.get("GlobalSecondaryIndexes", ())
    projected = sum(len(index["Projection"].get("NonKeyAttributes", ())) for index in indexes)
    yield "indexes", len(indexes), 20
    yield "projected attributes", projected, 100


def _rule(properties: Mapping[str, Any]) -> _Counts:
    """Source: EventBridge user guide, "Amazon EventBridge quotas"."""
    yield "targets", len(properties["Targets"]), 5


def _alarm(properties: Mapping[str, Any]) -> _Counts:
    """Source: CloudWatch user guide, "CloudWatch service quotas"; API reference, PutMetricAlarm."""
    metrics = properties.get("Metrics", ())
    yield "metrics", sum("MetricStat" in metric for metric in metrics), 10
    yield "dimensions", len(properties.get("Dimensions", ())), 30
    yield "actions", len(properties.get("AlarmActions", ())), 5


def _composite(properties: Mapping[str, Any]) -> _Counts:
    """Source: CloudWatch API reference, PutCompositeAlarm."""
    rule = _text(properties["AlarmRule"])
    yield "rule", len(rule), 10_240
    yield "children", len(set(re.findall(r"(?:ALARM|OK|INSUFFICIENT_DATA)\(([^()]+)\)", rule))), 100
    yield "elements", rule.count("("), 500
    yield "actions", len(properties.get("AlarmActions", ())), 5


def _dashboard(properties: Mapping[str, Any]) -> _Counts:
    """Source: CloudWatch user guide, "CloudWatch service quotas"; API reference, "Dashboard Body
    Structure and Syntax".
    """
    widgets = json.loads(_text(properties["DashboardBody"]))["widgets"]
    metrics = [len(widget["properties"].get("metrics", ())) for widget in widgets]
    yield "widgets", len(widgets), 500
    yield "metrics of a widget", max(metrics), 500
    yield "metrics of a dashboard", sum(metrics), 2_500
    yield "alarms of a widget", max(map(_alarms, widgets)), 100


def _alarms(widget: Mapping[str, Any]) -> int:
    return len(widget["properties"].get("alarms", ()))


def _text(value: Any) -> str:
    """A text with something in place of its references."""
    if isinstance(value, str):
        return value
    between, parts = value.get("Fn::Join", ("", ["x"]))
    return str(between).join(_text(part) for part in parts)


_OF_TYPE = {
    "AWS::CloudWatch::Alarm": _alarm,
    "AWS::CloudWatch::CompositeAlarm": _composite,
    "AWS::CloudWatch::Dashboard": _dashboard,
    "AWS::DynamoDB::Table": _table,
    "AWS::Events::Rule": _rule,
    "AWS::IAM::ManagedPolicy": _managed,
    "AWS::IAM::Role": _role,
    "AWS::KMS::Key": _key,
    "AWS::Lambda::Function": _function,
    "AWS::S3::BucketPolicy": _bucket_policy,
    "AWS::SNS::TopicPolicy": _topic_policy,
    "AWS::SQS::QueuePolicy": _queue_policy,
}
