"""Names that a deployment takes: free, or of what its own stacks have."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from os.path import dirname

from botocore.exceptions import ClientError

from monitoring.model.catalog import Catalog
from settings.schema import Settings
from webhook_buffer.operations import physical_names as kinds
from webhook_buffer.operations.environment import Environment
from webhook_buffer.operations.preflight.model import NAME_TAKEN, Problem

# Source: CloudWatch API reference, DescribeAlarms: 100 names a call.
_ALARMS_PER_CALL = 100


def names(catalog: Catalog, target: Environment) -> Iterator[Problem]:
    """No name that a stack is going to take is of something outside of it.

    What the stack already has costs no call.
    """
    adopted = kinds.stores(target.settings)
    for stack, entries in kinds.by_stack(target.settings, catalog).items():
        owned = kinds.Owned(target, stack)
        new = [
            entry
            for entry in entries
            if entry.kind in _KINDS and entry not in adopted and entry not in owned
        ]
        for kind in dict.fromkeys(entry.kind for entry in new):
            what, taken = _KINDS[kind]
            for name in taken(target, [entry.name for entry in new if entry.kind == kind]):
                yield Problem(f"The {what} {name} already exists outside our stacks.", NAME_TAKEN)


def _one_by_one(
    ask: Callable[[Environment, str], object], *missing: str
) -> Callable[[Environment, Sequence[str]], Iterator[str]]:
    """Those of some names that AWS knows.

    Args:
        ask: raises botocore's error if AWS does not.
        missing: that error's codes.
    """

    def taken(target: Environment, names: Sequence[str]) -> Iterator[str]:
        for name in names:
            try:
                ask(target, name)
            except ClientError as error:
                if error.response["Error"]["Code"] not in missing:
                    raise
            else:
                yield name

    return taken


def _topic_arn(settings: Settings, name: str) -> str:
    return f"arn:{settings.partition}:sns:{settings.place}:{name}"


def _logs(target: Environment, names: Sequence[str]) -> Iterator[str]:
    """Those of functions, and those of APIs."""
    for folder, wanted in groupby(sorted(names), dirname):
        pages = target.logs.get_paginator("describe_log_groups").paginate(
            logGroupNamePrefix=f"{folder}/{target.settings.prefix}"
        )
        known = {group["logGroupName"] for page in pages for group in page["logGroups"]}
        yield from (name for name in wanted if name in known)


def _alarms(target: Environment, names: Sequence[str]) -> Iterator[str]:
    """Alarms and composite alarms share their names."""
    for start in range(0, len(names), _ALARMS_PER_CALL):
        pages = target.cloudwatch.get_paginator("describe_alarms").paginate(
            AlarmNames=names[start : start + _ALARMS_PER_CALL],
            AlarmTypes=["MetricAlarm", "CompositeAlarm"],
        )
        for page in pages:
            for alarm in (*page.get("MetricAlarms", ()), *page.get("CompositeAlarms", ())):
                yield alarm["AlarmName"]


def _dashboards(target: Environment, names: Sequence[str]) -> Iterator[str]:
    pages = target.cloudwatch.get_paginator("list_dashboards").paginate(
        DashboardNamePrefix=target.settings.dashboard_name
    )
    known = {entry["DashboardName"] for page in pages for entry in page["DashboardEntries"]}
    yield from (name for name in names if name in known)


def _rules(target: Environment, names: Sequence[str]) -> Iterator[str]:
    pages = target.events.get_paginator("list_rules").paginate(NamePrefix=target.settings.prefix)
    known = {rule["Name"] for page in pages for rule in page["Rules"]}
    yield from (name for name in names if name in known)


def _exports(target: Environment, names: Sequence[str]) -> Iterator[str]:
    pages = target.cloudformation.get_paginator("list_exports").paginate()
    known = {export["Name"] for page in pages for export in page["Exports"]}
    yield from (name for name in names if name in known)


# What each kind is called, and how those of some names are found that exist. Tables and the bucket
# that outlive their stack, and what belongs to a domain, have checks of their own.
_KINDS: Mapping[str, tuple[str, Callable[[Environment, Sequence[str]], Iterator[str]]]] = {
    kinds.QUEUE: (
        "queue",
        _one_by_one(
            lambda target, name: target.sqs.get_queue_url(QueueName=name),
            "AWS.SimpleQueueService.NonExistentQueue",
            "QueueDoesNotExist",
        ),
    ),
    kinds.FUNCTION: (
        "function",
        _one_by_one(
            lambda target, name: target.functions.get_function_configuration(FunctionName=name),
            "ResourceNotFoundException",
        ),
    ),
    kinds.LOG: ("log group", _logs),
    kinds.TABLE: (
        "table",
        _one_by_one(
            lambda target, name: target.dynamodb.describe_table(TableName=name),
            "ResourceNotFoundException",
        ),
    ),
    kinds.SECRET: (
        "secret",
        _one_by_one(
            lambda target, name: target.secrets.describe_secret(SecretId=name),
            "ResourceNotFoundException",
        ),
    ),
    kinds.TOPIC: (
        "topic",
        _one_by_one(
            lambda target, name: target.sns.get_topic_attributes(
                TopicArn=_topic_arn(target.settings, name)
            ),
            "NotFound",
            "NotFoundException",
        ),
    ),
    kinds.ALARM: ("alarm", _alarms),
    kinds.COMPOSITE: ("alarm", _alarms),
    kinds.DASHBOARD: ("dashboard", _dashboards),
    kinds.RULE: ("EventBridge rule", _rules),
    kinds.EXPORT: ("CloudFormation export", _exports),
}
