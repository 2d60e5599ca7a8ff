"""Every name that an environment's stacks take in its account; a test has the templates agree."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from botocore.exceptions import ClientError

from monitoring.alarm_set import PROBE, alarm_set
from monitoring.model.catalog import Catalog
from monitoring.model.signals import Severity
from settings.schema import Settings
from webhook_buffer.operations.environment import Environment, aws_errors

QUEUE = "AWS::SQS::Queue"
FUNCTION = "AWS::Lambda::Function"
LOG = "AWS::Logs::LogGroup"
TABLE = "AWS::DynamoDB::Table"
BUCKET = "AWS::S3::Bucket"
SECRET = "AWS::SecretsManager::Secret"  # noqa: S105 - a type
TOPIC = "AWS::SNS::Topic"
ALARM = "AWS::CloudWatch::Alarm"
COMPOSITE = "AWS::CloudWatch::CompositeAlarm"
DASHBOARD = "AWS::CloudWatch::Dashboard"
RULE = "AWS::Events::Rule"
DOMAIN = "AWS::ApiGatewayV2::DomainName"
RECORD_SET = "AWS::Route53::RecordSet"
# No resource, though CloudFormation takes each name once per account and region.
EXPORT = "export"
# What the laptop's stack makes of alarms that the emulator's CloudFormation does not know.
_CUSTOM = {"Custom::Alarm": ALARM, "Custom::CompositeAlarm": COMPOSITE}
# What a stack lists and no longer has. Source: CloudFormation API reference, StackResourceSummary.
_GONE = {"DELETE_COMPLETE", "DELETE_SKIPPED"}


class Named(NamedTuple):
    """Something with a name of its own.

    Attributes:
        kind: CloudFormation's type.
    """

    kind: str
    name: str


def by_stack(settings: Settings, catalog: Catalog) -> Mapping[str, list[Named]]:
    """What is named in each stack of an environment, with the catalog's alarms."""
    stacks = {}
    if settings.existing is None:
        stacks[settings.prefix] = list(_of_buffer(settings))
    if settings.monitoring:
        stacks[settings.monitoring_stack_name] = list(_of_monitoring(settings, catalog))
    return stacks


def stores(settings: Settings) -> list[Named]:
    """What outlives the buffer's stack, and is adopted by the next one."""
    return [
        Named(TABLE, settings.table_name),
        Named(TABLE, settings.parking_table_name),
        Named(BUCKET, settings.bodies_bucket_name),
    ]


def _of_buffer(settings: Settings) -> Iterator[Named]:
    yield Named(QUEUE, settings.queue_name)
    yield from _functions(settings, settings.buffer_functions)
    yield Named(LOG, settings.access_log_group_name(settings.prefix))
    if settings.create_faux_backend:
        backend = settings.function_name("faux-backend")
        yield Named(LOG, settings.access_log_group_name(backend))
    yield from stores(settings)
    if settings.sends_heartbeats:
        yield Named(SECRET, settings.heartbeat_key_name)
    if settings.domain_name:
        yield Named(DOMAIN, settings.domain_name)
        yield Named(RECORD_SET, f"{settings.domain_name}.")
    yield Named(EXPORT, settings.api_id_export)
    yield Named(EXPORT, settings.endpoint_export)


def _of_monitoring(settings: Settings, catalog: Catalog) -> Iterator[Named]:
    yield Named(QUEUE, settings.notify_queue_name)
    yield Named(QUEUE, settings.notify_dlq_name)
    made_by = ["laptop-alarms"] if settings.on_laptop else []
    yield from _functions(settings, [*settings.monitoring_functions, *made_by])
    yield Named(TABLE, settings.incidents_table_name)
    mail = [channel.mail_topic for channel in settings.notifications if channel.addresses]
    for purpose in (*Severity, *mail):
        yield Named(TOPIC, settings.topic_name(purpose))
    alarms = alarm_set(settings, catalog)
    for alarm in alarms.alarms:
        yield Named(ALARM, alarm.name)
    for composite in alarms.composites:
        yield Named(COMPOSITE, composite.name)
    yield Named(DASHBOARD, settings.dashboard_name)
    scheduled = set(settings.monitoring_functions) - {"notify"}
    for function in sorted(scheduled):
        yield Named(RULE, settings.function_name(function))
    if settings.sends_heartbeats:
        yield Named(ALARM, settings.alarm_name(PROBE))


def _functions(settings: Settings, names: list[str]) -> Iterator[Named]:
    for name in names:
        yield Named(FUNCTION, settings.function_name(name))
        yield Named(LOG, settings.log_group_name(name))


class Owned:
    """What a stack has, by CloudFormation's own account: nothing where there is no stack."""

    def __init__(self, target: Environment, stack: str) -> None:
        """Asks CloudFormation.

        Raises:
            WebhookBufferError: When it can't be asked.
        """
        self._ids: dict[str, list[str]] = {}
        with aws_errors(target.settings):
            try:
                pages = target.cloudformation.get_paginator("list_stack_resources")
                for page in pages.paginate(StackName=stack):
                    for resource in page["StackResourceSummaries"]:
                        if resource["ResourceStatus"] not in _GONE:
                            kind = resource["ResourceType"]
                            physical = resource.get("PhysicalResourceId", "")
                            self._ids.setdefault(_CUSTOM.get(kind, kind), []).append(physical)
            except ClientError as error:
                if "does not exist" not in error.response["Error"]["Message"]:
                    raise

    def __contains__(self, named: Named) -> bool:
        if named.kind == EXPORT:
            return bool(self._ids)
        # A name, a queue's URL, an ARN, a bus and a rule. A secret's ARN ends in six more; the
        # emulator gives its name.
        more = r"(-\w{6})?" if named.kind == SECRET else ""
        form = re.compile(rf"(.*[:/|])?{re.escape(named.name)}{more}")
        return any(form.fullmatch(physical) for physical in self._ids.get(named.kind, ()))
