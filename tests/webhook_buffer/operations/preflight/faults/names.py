"""Names that somebody else's resources have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tests.fake_aws import Answer, Refusal
from tests.webhook_buffer.operations.preflight.environment import QUEUE_URL, RESOURCE_MISSING, Fault
from tests.webhook_buffer.operations.preflight.faults.secrets import secret
from tests.webhook_buffer.operations.preflight.faults.stores import of_table


def _of_function(name: str, answer: Any) -> Callable[[dict[str, Any]], Any]:
    """An answer for one function; any other does not exist."""
    return lambda given: answer if given["FunctionName"].endswith(name) else RESOURCE_MISSING


def _group(name: str) -> Callable[[dict[str, Any]], Any]:
    return lambda given: {"logGroups": [{"logGroupName": f"{given['logGroupNamePrefix']}{name}"}]}


def _of_alarm(name: str, kind: str) -> Callable[[dict[str, Any]], Any]:
    """One of the alarms that are asked for, and its type is given."""
    return lambda given: (
        {kind: [{"AlarmName": wanted} for wanted in given["AlarmNames"] if wanted.endswith(name)]}
    )


GOOD: Mapping[str, Answer] = {
    "cloudformation.ListExports": {"Exports": [{"Name": "others"}]},
    "cloudwatch.DescribeAlarms": {},
    "cloudwatch.ListDashboards": {"DashboardEntries": [{"DashboardName": "webhook-buffer-prd-2"}]},
    "events.ListRules": {"Rules": [{"Name": "webhook-buffer-prd-other"}]},
    "lambda.GetFunctionConfiguration": RESOURCE_MISSING,
    "logs.DescribeLogGroups": {"logGroups": []},
    "sns.GetTopicAttributes": Refusal("NotFound", status=404),
    "sqs.GetQueueUrl": Refusal("AWS.SimpleQueueService.NonExistentQueue"),
}  # fmt: skip


FAULTS = {
    "queue taken": Fault(
        "names", "webhook-buffer-prd.fifo already exists", "Delete it if nothing uses it",
        {
            "sqs.GetQueueUrl": lambda given: (
                QUEUE_URL
                if given["QueueName"].endswith(".fifo")
                else Refusal("AWS.SimpleQueueService.NonExistentQueue")
            )
        },
    ),
    "function taken": Fault(
        "names", "The function webhook-buffer-prd-publish already exists", "choose another",
        {"lambda.GetFunctionConfiguration": _of_function("publish", {"FunctionName": "x"})},
    ),
    "log group taken": Fault(
        "names",
        "The log group /aws/lambda/webhook-buffer-prd-notify already exists",
        "choose another",
        {"logs.DescribeLogGroups": _group("-notify")},
    ),
    "access log taken": Fault(
        "names",
        "The log group /aws/vendedlogs/webhook-buffer-prd already exists",
        "choose another",
        {"logs.DescribeLogGroups": _group("")},
    ),
    "queue of notifications taken": Fault(
        "names",
        "The queue webhook-buffer-prd-notifications-undelivered already exists",
        "choose another",
        {
            "sqs.GetQueueUrl": lambda given: (
                QUEUE_URL
                if given["QueueName"].endswith("-undelivered")
                else Refusal("AWS.SimpleQueueService.NonExistentQueue")
            )
        },
    ),
    "topic taken": Fault(
        "names", "The topic webhook-buffer-prd-mail-email already exists", "choose another",
        {
            "sns.GetTopicAttributes": lambda given: (
                {"Attributes": {}}
                if given["TopicArn"].endswith("-mail-email")
                else Refusal("NotFound", status=404)
            )
        },
    ),
    "alarm taken": Fault(
        "names", "The alarm webhook-buffer-prd-queue-age-page already exists", "choose another",
        {"cloudwatch.DescribeAlarms": _of_alarm("-queue-age-page", "MetricAlarms")},
    ),
    "composite alarm taken": Fault(
        "names", "The alarm webhook-buffer-prd-deliveries-failing already exists", "choose another",
        {"cloudwatch.DescribeAlarms": _of_alarm("-deliveries-failing", "CompositeAlarms")},
    ),
    "probe taken": Fault(
        "names", "The alarm webhook-buffer-prd-alert-path-probe already exists", "choose another",
        {"cloudwatch.DescribeAlarms": _of_alarm("-probe", "MetricAlarms")},
    ),
    "dashboard taken": Fault(
        "names", "The dashboard webhook-buffer-prd already exists", "choose another",
        {
            "cloudwatch.ListDashboards": {
                "DashboardEntries": [{"DashboardName": "webhook-buffer-prd"}]
            }
        },
    ),
    "heartbeat key taken": Fault(
        "names", "The secret webhook-buffer-prd-heartbeat-key already exists", "choose another",
        {"secretsmanager.DescribeSecret": secret()},
    ),
    "schedule taken": Fault(
        "names", "The EventBridge rule webhook-buffer-prd-audit already exists", "choose another",
        {"events.ListRules": {"Rules": [{"Name": "webhook-buffer-prd-audit"}]}},
    ),
    "export taken": Fault(
        "names",
        "The CloudFormation export webhook-buffer-prd-api-id already exists",
        "choose another",
        {"cloudformation.ListExports": {"Exports": [{"Name": "webhook-buffer-prd-api-id"}]}},
    ),
    "table of incidents taken": Fault(
        "names", "The table webhook-buffer-prd-incidents already exists", "choose another",
        {"dynamodb.DescribeTable": of_table("incidents", "id")},
    ),
}  # fmt: skip
