"""What Datadog's own dashboards of Lambda, SQS, API Gateway and DynamoDB can chart, beside ours.

Datadog installs those dashboards with its integration; no JSON of them was at hand. It describes
the one of DynamoDB and the metrics of the one of enhanced Lambda metrics; the others can show
nothing but what the integration collects.
"""

from __future__ import annotations

from monitoring.model.recommended import Charted, Service, Source

_ENHANCED = Source(
    "Datadog's dashboard of enhanced Lambda metrics",
    "https://docs.datadoghq.com/serverless/aws_lambda/metrics",
)
_LAMBDA = Source(
    "Datadog's integration of Lambda",
    "https://docs.datadoghq.com/integrations/amazon_lambda/",
)
_SQS = Source(
    "SQS's metrics, all of which Datadog's integration collects",
    "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html",
)
_API = Source(
    "Datadog's integration of API Gateway",
    "https://docs.datadoghq.com/integrations/amazon_api_gateway/",
)
_TABLE = Source(
    "Datadog's dashboard of DynamoDB",
    "https://www.datadoghq.com/dashboards/dynamodb-dashboard/",
)
_NO_CACHE = "An HTTP API has no cache."
_ON_DEMAND = "The table is on demand: nothing is provisioned, and AWS publishes no number."


def _charted(
    service: Service, source: Source, beginning: str, metrics: dict[str, str]
) -> tuple[Charted, ...]:
    """Metrics with a common beginning, each with why ours leave it out; empty where they do not."""
    return tuple(
        Charted(service=service, source=source, metric=f"{beginning}.{name}", reason=reason)
        for name, reason in metrics.items()
    )


CHARTED: tuple[Charted, ...] = (
    *_charted(Service.LAMBDA, _ENHANCED, "aws.lambda.enhanced", {
        "invocations": "",
        "errors": "",
        "duration": "",
        "billed_duration": "It is the duration, rounded up to a millisecond; the cost is graphed.",
        "init_duration": "",
        "max_memory_used": "",
        "memorysize": "",
        "estimated_cost": "",
        "timeouts": "",
        "out_of_memory": "",
    }),
    *_charted(Service.LAMBDA, _LAMBDA, "aws.lambda", {
        "invocations": "",
        "errors": "",
        "throttles": "",
        "duration": "Its percentiles are graphed; an average hides the slowest call.",
        "duration.p99": "",
        "concurrent_executions": "Its maximum is graphed, because the quota limits that.",
        "concurrent_executions.maximum": "",
        "iterator_age": "No function reads a stream. The queue's age is graphed.",
        "dead_letter_errors": "No function has a dead-letter queue of its own; undelivered "
        "notifications are graphed as messages of their queue.",
    }),
    *_charted(Service.SQS, _SQS, "aws.sqs", {
        "approximate_age_of_oldest_message": "",
        "approximate_number_of_messages_visible": "",
        "approximate_number_of_messages_not_visible": "",
        "approximate_number_of_messages_delayed": "The queue has no delay.",
        "number_of_messages_sent": "",
        "number_of_messages_received": "",
        "number_of_empty_receives": "",
        "number_of_messages_deleted": "",
        "sent_message_size": "No alarm uses it: publish refuses what is too large with 413, "
        "which is graphed as 4xx.",
        "approximate_number_of_groups_with_inflight_messages": "CloudWatch's dashboard graphs it; "
        "how Datadog names it is not documented.",
        "number_of_deduplicated_sent_messages": "CloudWatch's dashboard graphs it; how Datadog "
        "names it is not documented.",
    }),
    *_charted(Service.API_GATEWAY, _API, "aws.apigateway", {
        "count": "",
        "4xx": "",
        "5xx": "",
        "latency": "Its percentiles are graphed; an average hides the slowest request.",
        "latency.p99": "",
        "integration_latency": "",
        "cache_hit_count": _NO_CACHE,
        "cache_miss_count": _NO_CACHE,
    }),
    *_charted(Service.DYNAMODB, _TABLE, "aws.dynamodb", {
        "successful_request_latency": "",
        "throttled_requests": "Events are graphed instead, reads and writes apart: a batch "
        "request counts only when all of it is throttled.",
        "read_throttle_events": "",
        "write_throttle_events": "",
        "system_errors": "",
        "user_errors": "AWS counts them for the whole account; the functions log their own.",
        "consumed_read_capacity_units": "",
        "consumed_write_capacity_units": "",
        "provisioned_read_capacity_units": _ON_DEMAND,
        "provisioned_write_capacity_units": _ON_DEMAND,
    }),
)  # fmt: skip
