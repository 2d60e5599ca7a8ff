"""Whether Datadog's AWS integration may read what the monitors and dashboards rest on.

Without a right nothing fails: metrics come without tags, or do not come, and no query finds them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from settings.errors import InputError
from webhook_buffer.operations.environment import Environment, aws_errors

# Source: Datadog documentation, "AWS Manual Setup Guide": the name that it proposes.
DEFAULT_ROLE = "DatadogIntegrationRole"
# Action → what is missing without it. Source: Datadog documentation, "Amazon API Gateway", "Amazon
# SQS", "Amazon Lambda" and "Amazon DynamoDB", "Metric collection", and "AWS Integration" for
# CloudWatch; of `lambda:List*` and `cloudwatch:Get*` one action each, as a simulation takes no
# wildcards.
ACTIONS: Mapping[str, str] = {
    "apigateway:GET": "tags of API stages, by which our API is found",
    "cloudwatch:GetMetricData": "all metrics of CloudWatch",
    "cloudwatch:ListMetrics": "all metrics of CloudWatch",
    "dynamodb:DescribeTable": "size and item count of tables",
    "dynamodb:ListTables": "metrics of tables",
    "dynamodb:ListTagsOfResource": "tags of tables",
    "lambda:ListFunctions": "functions in the Serverless view",
    "lambda:ListTags": "tags of functions",
    "sqs:ListQueues": "metrics of queues",
    "tag:GetResources": "tags of queues, functions and APIs: env, service",
}
_GONE = "NoSuchEntity"


def missing(target: Environment, role: str = DEFAULT_ROLE) -> dict[str, str]:
    """The actions that the integration's role may not use, each with what is missing without it.

    Raises:
        InputError: When the account does not have the role.
        WebhookBufferError: When IAM can't be asked.
    """
    with aws_errors(target.settings):
        try:
            arn = target.iam.get_role(RoleName=role)["Role"]["Arn"]
        except ClientError as error:
            if error.response["Error"]["Code"] == _GONE:
                raise InputError(
                    f"The account of environment '{target.settings.environment}' does not have "
                    f"the role '{role}'. Name the role of Datadog's AWS integration with --role."
                ) from None
            raise
        answer = target.iam.simulate_principal_policy(
            PolicySourceArn=arn, ActionNames=[*ACTIONS], MaxItems=len(ACTIONS)
        )
    return {action: ACTIONS[action] for action in ACTIONS if not _allowed(action, answer)}


def _allowed(action: str, answer: Mapping[str, Any]) -> bool:
    """Source: IAM API reference, ``SimulatePrincipalPolicy``: names come back as they were sent."""
    results = answer["EvaluationResults"]
    decisions = {result["EvalActionName"]: result["EvalDecision"] for result in results}
    return decisions.get(action) == "allowed"
