"""The CDK's bootstrap, stacks, concurrency and log policies of an account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.fake_aws import Answer, Refusal
from tests.webhook_buffer.operations.preflight.environment import ACCOUNT, REGION, Fault
from webhook_buffer.operations.preflight.model import Level


def _limits(total: int, left: int) -> dict[str, Any]:
    return {"AccountLimit": {"ConcurrentExecutions": total, "UnreservedConcurrentExecutions": left}}


def _policy(name: str, length: int) -> dict[str, Any]:
    return {"policyName": name, "policyDocument": "x" * length}


GOOD: Mapping[str, Answer] = {
    "lambda.GetAccountSettings": _limits(1000, 1000),
    "logs.DescribeResourcePolicies": {"resourcePolicies": []},
    "ssm.GetParameter": {"Parameter": {"Value": "28"}},
}  # fmt: skip


FAULTS = {
    "not bootstrapped": Fault(
        "bootstrap", "is not bootstrapped", f"aws-cdk bootstrap aws://{ACCOUNT}/{REGION}",
        {"ssm.GetParameter": Refusal("ParameterNotFound")},
    ),
    "bootstrapped long ago": Fault(
        "bootstrap", "has version 5; 6 is needed", "aws-cdk bootstrap",
        {"ssm.GetParameter": {"Parameter": {"Value": "5"}}},
    ),
    "Lambda concurrency of 10": Fault(
        "concurrency", "10 of the account's Lambda concurrency is left", "lower maxConcurrency",
        {"lambda.GetAccountSettings": _limits(10, 10)}, {"lambdaConcurrencyQuota": 10},
    ),
    "concurrency reserved by others": Fault(
        "concurrency", "21 of the account's Lambda concurrency is left", "quota raised",
        {"lambda.GetAccountSettings": _limits(1000, 21)},
    ),
    "reserved concurrency": Fault(
        "concurrency", "reservedConcurrency (150) leaves 50", "to 100 or less",
        {"lambda.GetAccountSettings": _limits(1000, 200)}, {"reservedConcurrency": 150},
    ),
    "another quota": Fault(
        "concurrency", "concurrency is 3000; lambdaConcurrencyQuota", "lambdaConcurrencyQuota to 3",
        {"lambda.GetAccountSettings": _limits(3000, 3000)}, level=Level.TODO,
    ),
    "log policy full": Fault(
        "log-policies", "AWSLogDeliveryWrite20150319 has 100 characters left", "APIs that are gone",
        {
            "logs.DescribeResourcePolicies": {
                "resourcePolicies": [_policy("AWSLogDeliveryWrite20150319", 5020)]
            }
        },
    ),
    "too many log policies": Fault(
        "log-policies", "has 10 log resource policies", "Delete one",
        {
            "logs.DescribeResourcePolicies": {
                "resourcePolicies": [_policy(f"p{number}", 9) for number in range(10)]
            }
        },
    ),
}  # fmt: skip
