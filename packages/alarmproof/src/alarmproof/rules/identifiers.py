"""Whether an alarm's metric is that of the resource that it means."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from alarmproof.base.alarms import AnyAlarm
from alarmproof.base.definitions import Resource
from alarmproof.base.values import Reference, Unknown
from alarmproof.rules.context import Context
from alarmproof.rules.registry import ERROR, WARNING, Hit, rule
from alarmproof.rules.resources import key

_API_V2, _REST_API = "AWS::ApiGatewayV2::Api", "AWS::ApiGateway::RestApi"
_QUEUE = "AWS::SQS::Queue"
_REST_ONLY = frozenset(("4XXError", "5XXError", "CacheHitCount", "CacheMissCount"))
_HTTP_ONLY = frozenset(("4xx", "5xx", "DataProcessed"))

# What Ref of a resource is, where that is not the value of the dimension; and what is.
# Source: CloudFormation template reference, "Return values" of each type.
_WRONG_REF = {
    (_QUEUE, "QueueName"): ("the queue's URL", "Fn::GetAtt QueueName"),
    ("AWS::SNS::Topic", "TopicName"): ("the topic's ARN", "Fn::GetAtt TopicName"),
    (_REST_API, "ApiName"): ("the API's id", "the API's Name"),
    ("AWS::ElasticLoadBalancingV2::LoadBalancer", "LoadBalancer"): (
        "the load balancer's ARN", "Fn::GetAtt LoadBalancerFullName",
    ),
    ("AWS::ElasticLoadBalancingV2::TargetGroup", "TargetGroup"): (
        "the target group's ARN", "Fn::GetAtt TargetGroupFullName",
    ),
    ("AWS::Lambda::Version", "Resource"): ("the version's ARN", "FUNCTION:VERSION"),
    ("AWS::Lambda::Alias", "Resource"): ("the alias's ARN", "FUNCTION:ALIAS"),
    ("AWS::Lambda::Alias", "FunctionName"): ("the alias's ARN", "Ref of the function"),
    ("AWS::Lambda::Version", "FunctionName"): ("the version's ARN", "Ref of the function"),
    ("AWS::ECS::Service", "ServiceName"): ("the service's ARN", "Fn::GetAtt Name"),
    ("AWS::EFS::AccessPoint", "FileSystemId"): ("the access point's id", "Ref of the file system"),
    ("AWS::ElastiCache::ReplicationGroup", "CacheClusterId"): (
        "the replication group's id", "its nodes' ids, such as GROUP-001",
    ),
}  # fmt: skip
# What Ref of a type is the name of. Source: CloudFormation template reference, "Return values".
_NAME = "its name"
_NAMED_BY_REF = dict.fromkeys(
    ("AWS::DynamoDB::Table", "AWS::ECS::Cluster", "AWS::EFS::FileSystem", "AWS::Kinesis::Stream",
     "AWS::KinesisFirehose::DeliveryStream", "AWS::Lambda::Function", "AWS::S3::Bucket"),
    "Ref",
)  # fmt: skip
# How a value ends that only the deployment knows, where it is an address.
_ADDRESSES = (".Endpoint.Address", ".ReadEndpoint.Address", ".DNSName", ".DomainEndpoint")
# The types of resources whose names are the values of dimensions.
_NAMED = {
    "FunctionName": "AWS::Lambda::Function",
    "QueueName": _QUEUE,
    "TopicName": "AWS::SNS::Topic",
    "TableName": "AWS::DynamoDB::Table",
    "StreamName": "AWS::Kinesis::Stream",
    "LogGroupName": "AWS::Logs::LogGroup",
    "ClusterName": "AWS::ECS::Cluster",
    "BucketName": "AWS::S3::Bucket",
}
# Identifiers that are stored in lower case, however they are given. Source: the API references of
# RDS, DocumentDB and Neptune, CreateDBInstance and CreateDBCluster; ElastiCache API reference,
# CreateCacheCluster and CreateReplicationGroup: "This parameter is stored as a lowercase string."
_LOWERED = frozenset(
    (
        "CacheClusterId",
        "DBClusterIdentifier",
        "DBInstanceIdentifier",
        "DbClusterIdentifier",
        "ReplicationGroupId",
    )
)
_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_LOWERING = frozenset(("AWS/DocDB", "AWS/ElastiCache", "AWS/Neptune", "AWS/RDS"))
# Which load balancers a target group may belong to, by its protocol. Source: Elastic Load Balancing
# API reference, CreateTargetGroup, Protocol.
_BALANCERS = {
    "application": "AWS/ApplicationELB", "network": "AWS/NetworkELB", "gateway": "AWS/GatewayELB",
}  # fmt: skip
_PROTOCOLS = {
    "HTTP": "application", "HTTPS": "application", "GENEVE": "gateway", "TCP": "network",
    "TLS": "network", "UDP": "network", "TCP_UDP": "network",
}  # fmt: skip


def _meant(context: Context, alarm: AnyAlarm, kind: str, value: str) -> Resource | None:
    return context.resource(kind, value, stack=alarm.source.stack)


@rule(
    "other-api-kind",
    ERROR,
    finds="a REST API's metric or dimension for an HTTP API, or the other way around",
    why="It never has data.",
    remedy="HTTP APIs publish 4xx and 5xx by ApiId; REST APIs publish 4XXError and 5XXError by "
    "ApiName.",
)
def other_api_kind(context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Source: API Gateway developer guide, the pages on metrics of both kinds."""
    for metric in alarm.metrics:
        if metric.namespace != "AWS/ApiGateway":
            continue
        for name, value in metric.dimensions:
            if name not in ("ApiId", "ApiName"):
                continue
            v2 = _meant(context, alarm, _API_V2, value)
            rest = _meant(context, alarm, _REST_API, value)
            http = v2 is not None and v2.resolved.get("ProtocolType", "HTTP") == "HTTP"
            if http and rest is None and (metric.name in _REST_ONLY or name == "ApiName"):
                yield f"'{value}' is an HTTP API, which has no {metric.name} by {name}."
            elif rest is not None and v2 is None and (
                metric.name in _HTTP_ONLY or name == "ApiId"
            ):  # fmt: skip
                yield f"'{value}' is a REST API, which has no {metric.name} by {name}."


@rule(
    "dead-letter-sent",
    ERROR,
    finds="a dead-letter queue watched by `NumberOfMessagesSent`",
    why="SQS does not count the messages that it moves there itself, so it never fires.",
    remedy="Use ApproximateNumberOfMessagesVisible.",
)
def dead_letter_sent(context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Source: SQS developer guide, "Using dead-letter queues in Amazon SQS"."""
    for metric in alarm.metrics:
        if metric.namespace != "AWS/SQS" or metric.name != "NumberOfMessagesSent":
            continue
        for name, value in metric.dimensions:
            queue = _meant(context, alarm, _QUEUE, value) if name == "QueueName" else None
            if queue is not None and key(queue) in context.dead_letter_queues:
                yield (
                    f"'{value}' is a dead-letter queue, and messages that SQS moves there are not "
                    "counted as sent."
                )


@rule(
    "drained-dead-letters",
    WARNING,
    finds="the length of a dead-letter queue that something drains",
    why="It is sampled once a minute, and the messages are gone before.",
    remedy="Watch NumberOfMessagesReceived, or what the consumer reports.",
)
def drained_dead_letters(context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Source: https://github.com/Readplace/readplace.com/pull/1127; SQS developer guide,
    "Available CloudWatch metrics for Amazon SQS".
    """
    for metric in alarm.metrics:
        if metric.name != "ApproximateNumberOfMessagesVisible":
            continue
        queue = _meant(context, alarm, _QUEUE, dict(metric.dimensions).get("QueueName", ""))
        if queue is None or key(queue) not in context.dead_letter_queues:
            continue
        for mapping in context.of_type("AWS::Lambda::EventSourceMapping"):
            given = mapping.resolved.get("EventSourceArn")
            if given and context.resource(_QUEUE, given, stack=mapping.source.stack) is queue:
                reader = mapping.resolved.get("FunctionName", "a function")
                yield f"'{reader}' drains the dead-letter queue '{queue.source.logical_id}'."


@rule(
    "wrong-reference",
    ERROR,
    finds="a `Ref` or an attribute of a resource that is not the value of the dimension",
    why="It never has data.",
    remedy="Refer to the attribute that is the dimension's value.",
)
def wrong_reference(context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """A queue's Ref is its URL, a topic's is its ARN, and so on."""
    for metric in alarm.metrics:
        for name, value in metric.dimensions:
            if isinstance(value, Unknown) and value.endswith(_ADDRESSES):
                yield Hit(f"{name} is given the address '{value}'.", remedy="Use its name.")
            if not isinstance(value, Reference):
                continue
            resource = context.templates.resources.get((value.stack, value.logical_id))
            if resource is None:
                continue
            wrong = _WRONG_REF.get((resource.type, name))
            if value.attribute == "Arn" and not name.endswith("Arn"):
                yield Hit(
                    f"{name} is given the ARN of '{value.logical_id}', not its name.",
                    remedy=f"Use {wrong[1] if wrong else _NAMED_BY_REF.get(resource.type, _NAME)}.",
                )
            if value.attribute == "Name" and name.endswith("Arn"):
                yield Hit(
                    f"{name} is given the name of '{value.logical_id}', not its ARN.",
                    remedy="Use Fn::GetAtt Arn.",
                )
            if wrong and value.attribute == "Ref":
                yield Hit(
                    f"{name} is given {wrong[0]} by Ref of '{value.logical_id}'.",
                    remedy=f"Use {wrong[1]}.",
                )


@rule(
    "other-engine",
    ERROR,
    finds="free storage of an Aurora instance",
    why="Aurora's storage grows by itself, and has no such metric.",
    remedy="Use FreeLocalStorage for temporary files, or VolumeBytesUsed of the cluster.",
)
def other_engine(context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Source: Aurora user guide, "Amazon CloudWatch metrics for Amazon Aurora"."""
    for metric in alarm.metrics:
        if (metric.namespace, metric.name) != ("AWS/RDS", "FreeStorageSpace"):
            continue
        name = dict(metric.dimensions).get("DBInstanceIdentifier", "")
        instance = _meant(context, alarm, "AWS::RDS::DBInstance", name)
        if instance and str(instance.resolved.get("Engine", "")).startswith("aurora"):
            yield f"'{instance.source.logical_id}' is an Aurora instance."


@rule(
    "other-load-balancer",
    ERROR,
    finds="a load balancer or a target group under the namespace of another kind of load balancer",
    why="Each kind publishes in its own namespace only, so it never has data.",
    remedy="Use the namespace of the load balancer's kind, and one of its metrics.",
)
def other_load_balancer(context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Only where the template says which kind it is; a name's prefix is ``wrong-value``."""
    for metric in alarm.metrics:
        if metric.namespace not in _BALANCERS.values():
            continue
        for _, value in metric.dimensions:
            namespace = _BALANCERS.get(_kind_of_balancer(context, value))
            if namespace is not None and namespace != metric.namespace:
                assert isinstance(value, Reference)
                yield f"'{value.logical_id}' publishes in {namespace}, not in {metric.namespace}."


def _kind_of_balancer(context: Context, value: str) -> str:
    """The kind of a load balancer or of a target group's; empty where a template does not say."""
    if not isinstance(value, Reference):
        return ""
    resource = context.templates.resources.get((value.stack, value.logical_id))
    if resource is None:
        return ""
    if resource.type == "AWS::ElasticLoadBalancingV2::LoadBalancer":
        return str(resource.resolved.get("Type", "application"))
    if resource.type == "AWS::ElasticLoadBalancingV2::TargetGroup":
        return _PROTOCOLS.get(str(resource.resolved.get("Protocol")), "")
    return ""


@rule(
    "case-differs",
    WARNING,
    finds="a name that differs from the resource's only in upper and lower case",
    why="CloudWatch's dimensions are case-sensitive, so it never has data.",
    remedy="Write it as the resource has it, or refer to the resource.",
)
def case_differs(context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Only literal names, and only where no resource has that very name.

    Identifiers of databases and caches are in lower case, whatever the resource's property says.
    """
    for metric in alarm.metrics:
        for name, value in metric.dimensions:
            if name in _LOWERED:
                if metric.namespace in _LOWERING and _is_upper(context, alarm, name, value):
                    yield Hit(
                        f"{name} is '{value}', and {metric.namespace} has it as '{value.lower()}'.",
                        remedy="Write it in lower case, in the resource as well.",
                    )
                continue
            kind = _NAMED.get(name)
            if kind is None or isinstance(value, Reference | Unknown):
                continue
            alike = context.names_of_type(kind).get(value.lower(), frozenset())
            if alike and value not in alike:
                yield f"{name} is '{value}', and the resource is called '{min(alike)}'."


def _is_upper(context: Context, alarm: AnyAlarm, name: str, value: str) -> bool:
    """Whether an identifier is surely not in lower case.

    Ref of a cluster is the identifier as the template has it. Source:
    https://github.com/aws/aws-cdk/pull/13710.
    """
    if isinstance(value, Reference):
        cluster = context.resource("AWS::RDS::DBCluster", value)
        given = cluster.resolved.get(name) if cluster and value.attribute == "Ref" else None
        return isinstance(given, str) and not isinstance(given, Unknown) and given != given.lower()
    if isinstance(value, Unknown):
        return False
    entry = context.templates.resource_of(alarm)
    # What is joined from references may be a logical id here, and not what the deployment has.
    written = entry is None or value in {text for _, text in _plain_texts(entry.properties, "")}
    return written and bool(_IDENTIFIER.fullmatch(value)) and value != value.lower()


@rule(
    "unresolved-text",
    ERROR,
    finds="a placeholder or a reference that stands as plain text",
    why="CloudWatch takes it literally: the metric, the name or the action does not exist.",
    remedy="Write Fn::Sub (!Sub) before the text; in Terraform, an expression instead of a text.",
)
def unresolved_text(context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Source: CloudFormation template reference, Fn::Sub; reported:
    https://github.com/DataBiosphere/azul/pull/5458.
    """
    entry = context.templates.resource_of(alarm)
    for path, text in _plain_texts(entry.properties if entry else {}, ""):
        placeholder = _PLACEHOLDER.search(text)
        if placeholder:
            yield f"{path} has '{placeholder[0]}' as plain text."
        elif _OF_TERRAFORM.fullmatch(text):
            yield f"{path} is the text '{text}'."


# Where a text may have a placeholder of CloudWatch's own, or says something to people.
_FREE = frozenset(("Label", "AlarmDescription", "Tags", "Metadata"))
_PLACEHOLDER = re.compile(r"\$\{(?:AWS::[A-Za-z]+|[A-Za-z][A-Za-z0-9.]*)\}")
_OF_TERRAFORM = re.compile(r"(?:aws_[a-z0-9_]+|module|var|local|data)(?:\.[A-Za-z_][\w-]*)+")


def _plain_texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Texts outside of functions, with the names of their properties."""
    if isinstance(value, str):
        if not isinstance(value, Reference | Unknown):
            yield path, value
    elif isinstance(value, list):
        for part in value:
            yield from _plain_texts(part, path)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if not str(key).startswith("Fn::") and key not in ("Ref", *_FREE):
                yield from _plain_texts(inner, f"{path}.{key}" if path else str(key))
