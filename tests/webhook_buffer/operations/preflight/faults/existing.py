"""What is only monitored: it exists, or its name has a mistake."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.fake_aws import Answer, Refusal
from tests.webhook_buffer.operations.preflight.environment import QUEUE_URL, RESOURCE_MISSING

MONITORED: Mapping[str, Any] = {
    **dict.fromkeys(("backend_url", "subdomain", "domain", "acmCertificateArn")),
    "openToEveryone": None,
    "existing": {
        "queues": [{"name": "orders.fifo"}],
        "functions": [{"name": "orders", "timeoutSeconds": 30}],
        "tables": [{"name": "orders"}],
        "apis": [
            {"name": "a1b2c3", "kind": "http"},
            {"name": "orders", "role": "rest", "kind": "rest"},
        ],
    },
}  # fmt: skip
GOOD: Mapping[str, Answer] = {
    "apigateway.GetRestApis": {"items": [{"id": "d4e5f6", "name": "orders"}]},
    "apigatewayv2.GetApi": {"ApiId": "a1b2c3"},
    "dynamodb.DescribeTable": lambda given: (
        {"Table": {}} if given["TableName"] == "orders" else RESOURCE_MISSING
    ),
    "lambda.GetFunctionConfiguration": lambda given: (
        {"FunctionName": "orders"} if given["FunctionName"] == "orders" else RESOURCE_MISSING
    ),
    "sqs.GetQueueUrl": lambda given: (
        QUEUE_URL
        if given["QueueName"] == "orders.fifo"
        else Refusal("AWS.SimpleQueueService.NonExistentQueue")
    ),
}
