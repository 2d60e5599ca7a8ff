"""Stacks that are deployed, and mail that is subscribed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from alarms import CATALOG
from settings.schema import Settings
from tests.fake_aws import Answer, Refusal
from tests.webhook_buffer.operations.preflight.environment import (
    ACCOUNT,
    BLOCK,
    CREATED,
    OTHER_KEY,
    QUEUE_URL,
    REGION,
    Fault,
)
from tests.webhook_buffer.operations.preflight.faults import requirements
from webhook_buffer.operations import physical_names

_NO_STACK = Refusal("ValidationError", "Stack with id x does not exist")


@cache
def _named() -> Mapping[str, list[physical_names.Named]]:
    return physical_names.by_stack(Settings.model_validate(BLOCK), CATALOG)


def _resources(given: Mapping[str, Any]) -> dict[str, Any]:
    """What CloudFormation says that a stack of the environment has."""
    now = {"LastUpdatedTimestamp": CREATED}
    starts = {
        physical_names.QUEUE: "https://sqs.us-east-1.amazonaws.com/333333333333/",
        physical_names.TOPIC: f"arn:aws:sns:{REGION}:{ACCOUNT}:",
        physical_names.SECRET: f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:",
    }
    ends = {physical_names.SECRET: "-AbCdEf"}
    listed = [
        {
            "LogicalResourceId": f"r{number}", "ResourceType": kind,
            "ResourceStatus": "CREATE_COMPLETE",
            "PhysicalResourceId": f"{starts.get(kind, '')}{name}{ends.get(kind, '')}", **now,
        }
        for number, (kind, name) in enumerate(_named()[given["StackName"]])
        if kind != physical_names.EXPORT
    ]  # fmt: skip
    return {"StackResourceSummaries": listed}


def _stack(status: str, **outputs: str) -> dict[str, Any]:
    listed = [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()]
    stack = {
        "StackName": "x", "CreationTime": CREATED, "StackStatus": status, "Outputs": listed,
    }  # fmt: skip
    return {"Stacks": [stack]}


def _subscriptions(arn: str | None) -> dict[str, Any]:
    if arn is None:
        return {"Subscriptions": []}
    subscription = {"Protocol": "email", "Endpoint": "ana@example.com", "SubscriptionArn": arn}
    return {"Subscriptions": [subscription]}


GOOD: Mapping[str, Answer] = {
    "cloudformation.DescribeStacks": _NO_STACK,
    "cloudformation.ListStackResources": _NO_STACK,
    "sns.ListSubscriptionsByTopic": Refusal("NotFound", status=404),
    "sqs.GetQueueAttributes": requirements.queue(),
}  # fmt: skip


def deployed(mail: str | None, **status: str) -> dict[str, Answer]:
    """The answers of an account in which both stacks are deployed."""

    def stacks(given: dict[str, Any]) -> dict[str, Any]:
        if given["StackName"].endswith("-monitoring"):
            return _stack(status.get("monitoring", "UPDATE_COMPLETE"), DashboardName="x")
        return _stack(
            status.get("buffer", "UPDATE_COMPLETE"), BufferedEndpoint="https://x", Release="1"
        )

    return {
        "cloudformation.DescribeStacks": stacks,
        "sns.ListSubscriptionsByTopic": _subscriptions(mail),
        "cloudformation.ListStackResources": _resources,
        "sqs.GetQueueUrl": QUEUE_URL,
    }


CONFIRMED = f"arn:aws:sns:{REGION}:{ACCOUNT}:topic:1"
FAULTS = {
    "update under way": Fault(
        "stacks", "is in state UPDATE_IN_PROGRESS", "Wait",
        deployed(CONFIRMED, buffer="UPDATE_IN_PROGRESS"),
    ),
    "failed rollback": Fault(
        "stacks", "webhook-buffer-prd-monitoring is in state UPDATE_ROLLBACK_FAILED",
        "continue-update-rollback", deployed(CONFIRMED, monitoring="UPDATE_ROLLBACK_FAILED"),
    ),
    "another key, while webhooks wait": Fault(
        "queued", f"About 5 webhooks wait in the queue under the key {OTHER_KEY}", "until the",
        {**deployed(CONFIRMED), "sqs.GetQueueAttributes": requirements.queue(OTHER_KEY)},
    ),
    "a stack of somebody else": Fault(
        "stacks", "webhook-buffer-prd is not this project's", "Choose another 'service'",
        {
            **deployed(CONFIRMED),
            "cloudformation.DescribeStacks": _stack(
                "UPDATE_COMPLETE", Website="x", DashboardName="x"
            ),
        },
    ),
}  # fmt: skip
