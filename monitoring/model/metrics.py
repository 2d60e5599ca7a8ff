"""The metrics that signals read: AWS's own, and ours from ``lambdas.metrics``.

Sources: SQS developer guide, "Available CloudWatch metrics"; Lambda developer guide, "Types of
metrics"; API Gateway developer guide, "Working with metrics for HTTP APIs" and "Amazon API
Gateway dimensions and metrics" (REST); DynamoDB developer guide, "Metrics and dimensions".
"""

from __future__ import annotations

from lambdas import metrics as ours
from monitoring.model.signals import Kind, Metric


def _queue(name: str, unit: str = "Count") -> Metric:
    return Metric(Kind.QUEUE, "AWS/SQS", name, unit)


def _function(name: str, unit: str = "Count") -> Metric:
    return Metric(Kind.FUNCTION, "AWS/Lambda", name, unit)


def _api(kind: Kind, name: str, unit: str = "Count") -> Metric:
    return Metric(kind, "AWS/ApiGateway", name, unit)


def _buffer(name: str) -> Metric:
    return Metric(Kind.BUFFER, ours.NAMESPACE, name, ours.UNITS[name])


# What is repeatedly received and never deleted is left out of this one, says the guide: a
# webhook that fails at its group's head may not show here. HEAD_AGE does show it.
QUEUE_AGE = _queue("ApproximateAgeOfOldestMessage", "Seconds")
QUEUE_VISIBLE = _queue("ApproximateNumberOfMessagesVisible")
QUEUE_IN_FLIGHT = _queue("ApproximateNumberOfMessagesNotVisible")
QUEUE_GROUPS = _queue("ApproximateNumberOfGroupsWithInflightMessages")
QUEUE_SENT = _queue("NumberOfMessagesSent")
QUEUE_DELETED = _queue("NumberOfMessagesDeleted")
QUEUE_DUPLICATES = _queue("NumberOfDeduplicatedSentMessages")

FUNCTION_ERRORS = _function("Errors")
FUNCTION_THROTTLES = _function("Throttles")
FUNCTION_DURATION = _function("Duration", "Milliseconds")
FUNCTION_CONCURRENCY = _function("ConcurrentExecutions")
FUNCTION_INVOCATIONS = _function("Invocations")

HTTP_COUNT = _api(Kind.HTTP_API, "Count")
HTTP_4XX = _api(Kind.HTTP_API, "4xx")
HTTP_5XX = _api(Kind.HTTP_API, "5xx")
HTTP_LATENCY = _api(Kind.HTTP_API, "Latency", "Milliseconds")

REST_COUNT = _api(Kind.REST_API, "Count")
REST_4XX = _api(Kind.REST_API, "4XXError")
REST_5XX = _api(Kind.REST_API, "5XXError")
REST_LATENCY = _api(Kind.REST_API, "Latency", "Milliseconds")

# Published per table; throttles per table without its indexes, system errors per operation only.
TABLE_WRITE_THROTTLES = Metric(Kind.TABLE, "AWS/DynamoDB", "WriteThrottleEvents", "Count")
TABLE_READ_THROTTLES = Metric(Kind.TABLE, "AWS/DynamoDB", "ReadThrottleEvents", "Count")
TABLE_WRITES = Metric(Kind.TABLE, "AWS/DynamoDB", "ConsumedWriteCapacityUnits", "Count")
TABLE_READS = Metric(Kind.TABLE, "AWS/DynamoDB", "ConsumedReadCapacityUnits", "Count")
TABLE_UPDATE_ERRORS = Metric(
    Kind.TABLE, "AWS/DynamoDB", "SystemErrors", "Count", {"Operation": "UpdateItem"}
)

# What the metric filters of the stack count; the name in full is `{function}-{name}`.
LOG_NAMESPACE = f"{ours.NAMESPACE}/Logs"
LOG_ERRORS = Metric(Kind.LOG, LOG_NAMESPACE, "log-errors", "Count")
LOG_WARNINGS = Metric(Kind.LOG, LOG_NAMESPACE, "log-warnings", "Count")
LOG_TROUBLE = Metric(Kind.LOG, LOG_NAMESPACE, "log-trouble", "Count")  # either of the two

ACCEPTED = _buffer("Accepted")
BACKEND_2XX = _buffer("Backend2xx")
BACKEND_3XX = _buffer("Backend3xx")
BACKEND_4XX = _buffer("Backend4xx")
BACKEND_5XX = _buffer("Backend5xx")
BACKEND_TIMEOUT = _buffer("BackendTimeout")
BACKEND_CONNECTION_ERROR = _buffer("BackendConnectionError")
BACKEND_DURATION = _buffer("BackendDuration")
# Shares of it: ``PR(4.5:)`` is what found the backend unavailable, ``PR(2.5:4.5)`` what it refused.
BACKEND_OUTCOME = _buffer("BackendOutcome")
DELIVERY_LAG = _buffer("DeliveryLag")
HEAD_AGE = _buffer("HeadAge")
BLOCKED_GROUP = _buffer("BlockedGroup")
RECORD_FAILED = _buffer("RecordFailed")
HEARTBEAT_ARRIVED = _buffer("HeartbeatArrived")
HEARTBEAT_REFUSED = _buffer("HeartbeatRefused")
UNACCOUNTED = _buffer("Unaccounted")
