"""End-to-end checks: the heartbeat with its probe, and the delivery audit."""

from __future__ import annotations

from aws_cdk import ArnFormat, Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from constructs import Construct

from functions.encryption import READ_SECRET, WRITE_TABLE
from functions.factory import FunctionFactory
from functions.statements import allow, log_arn, table_arn
from monitoring.alarm_set import PROBE
from settings.schema import Settings

_TIMEOUT_SECONDS = 30
# The ledger is written before the time ends, and the next run goes on from there.
_AUDIT_TIMEOUT_SECONDS = 600
_AUDIT_MINUTES = 30
# How old a webhook is at its first look: log lines are there by then. The emulator's at once.
_SETTLE_SECONDS, _SETTLE_SECONDS_ON_LAPTOP = 1200, 60


def create_probe(scope: Construct, settings: Settings, topic: sns.ITopic) -> cloudwatch.CfnAlarm:
    """An alarm that only the heartbeat sets off; CloudWatch itself takes it back to OK."""
    return cloudwatch.CfnAlarm(
        scope,
        "Probe",
        alarm_name=settings.alarm_name(PROBE),
        alarm_description=(
            "Triggered by every heartbeat to test the path to notify; it notifies nobody. "
            "Its condition is never true. "
            f"Runbook: {settings.runbookUrl}#alert-path-broken"
        ),
        namespace="AWS/Lambda",
        metric_name="Invocations",
        dimensions=[
            cloudwatch.CfnAlarm.DimensionProperty(
                name="FunctionName", value=settings.function_name("notify")
            )
        ],
        statistic="Sum",
        period=60,
        evaluation_periods=1,
        datapoints_to_alarm=1,
        # More than Lambda could run in a minute.
        threshold=1e9,
        comparison_operator="GreaterThanThreshold",
        treat_missing_data="notBreaching",
        alarm_actions=[topic.topic_arn],
    )


def create_heartbeat(
    scope: Construct,
    settings: Settings,
    functions: FunctionFactory,
    *,
    endpoint: str,
    probe: cloudwatch.CfnAlarm,
) -> None:
    """Sends a marked webhook through the whole path, and a probe through the alert path."""
    # Secrets Manager appends six characters to the name.
    key = Stack.of(scope).format_arn(
        service="secretsmanager",
        resource="secret",
        resource_name=f"{settings.heartbeat_key_name}-??????",
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )
    function = functions.create(
        scope,
        "Heartbeat",
        name="heartbeat",
        module="heartbeat",
        timeout_seconds=_TIMEOUT_SECONDS,
        environment={
            "ENDPOINT": endpoint,
            "PROBE_ALARM": settings.alarm_name(PROBE),
            "HEARTBEAT_KEY": settings.heartbeat_key_name,
        },
        statements=[
            *allow([probe.attr_arn], "cloudwatch:SetAlarmState"),
            *allow([key], "secretsmanager:GetSecretValue"),
            *functions.encryption.allow(*READ_SECRET),
        ],
    )
    _every(scope, "Heartbeat", Duration.minutes(settings.heartbeatMinutes), function)


def create_audit(scope: Construct, settings: Settings, functions: FunctionFactory) -> None:
    """Looks for each accepted webhook among those delivered and parked, and those that wait."""
    settle = _SETTLE_SECONDS_ON_LAPTOP if settings.on_laptop else _SETTLE_SECONDS
    function = functions.create(
        scope,
        "Audit",
        name="audit",
        module="audit",
        timeout_seconds=_AUDIT_TIMEOUT_SECONDS,
        environment={
            "PUBLISH_LOG": settings.log_group_name("publish"),
            "SUBSCRIBE_LOG": settings.log_group_name("subscribe"),
            "QUEUE_NAME": settings.queue_name,
            "TABLE": settings.table_name,
            "LEDGER_TABLE": settings.incidents_table_name,
            "PARKING_TABLE": settings.parking_table_name,
            "PARKING_KEEP_SECONDS": str(settings.failure_policy.keepDays * 86_400),
            "SETTLE_SECONDS": str(settle),
            "PAUSE_SECONDS": str(settings.longest_pause_seconds),
        },
        statements=[
            *_audit_reads(scope, settings),
            # Rows of its own in the table of incidents.
            iam.PolicyStatement(
                actions=["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"],
                resources=[table_arn(scope, settings.incidents_table_name)],
                conditions={"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["audit#*"]}},
            ),
            *functions.encryption.allow(*WRITE_TABLE),
        ],
    )
    _every(scope, "Audit", Duration.minutes(_AUDIT_MINUTES), function)


def _audit_reads(scope: Construct, settings: Settings) -> list[iam.PolicyStatement]:
    """What the audit may read: two logs, the record, what is parked, and the queue's counts."""
    logs = [log_arn(scope, settings.log_group_name(name)) for name in ("publish", "subscribe")]
    parked = table_arn(scope, f"{settings.parking_table_name}/index/*")
    queue = Stack.of(scope).format_arn(
        service="sqs", resource=settings.queue_name, arn_format=ArnFormat.NO_RESOURCE_NAME
    )
    return [
        *allow(logs, "logs:FilterLogEvents"),
        *allow([table_arn(scope, settings.table_name)], "dynamodb:BatchGetItem"),
        *allow([parked], "dynamodb:Query"),
        *allow([queue], "sqs:GetQueueUrl", "sqs:GetQueueAttributes"),
    ]


def _every(scope: Construct, name: str, interval: Duration, function: lambda_.Function) -> None:
    # The next run covers a failed one, so it is not retried.
    target = targets.LambdaFunction(function, retry_attempts=0)
    function.configure_async_invoke(retry_attempts=0)
    events.Rule(
        scope,
        f"{name}Schedule",
        rule_name=function.function_name,
        schedule=events.Schedule.rate(interval),
        targets=[target],
    )
