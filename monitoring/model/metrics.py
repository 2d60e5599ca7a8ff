"""The metrics that signals read: AWS's own, and those that the functions of this project write.

Everything about a metric stands in its record; wording, cost and documents read it there. The
functions keep the names and units they need to run alone, in ``lambdas.base.metrics``; a test
compares.

Sources: SQS developer guide, "Available CloudWatch metrics"; Lambda developer guide, "Types of
metrics"; API Gateway developer guide, "Working with metrics for HTTP APIs" and "Amazon API
Gateway dimensions and metrics" (REST); DynamoDB developer guide, "Metrics and dimensions".
"""

from __future__ import annotations

from dataclasses import replace

from monitoring.model.signals import Kind, Metric

NAMESPACE = "WebhookBuffer"
# What the metric filters of the stack count; the name in full is `{function}-{name}`.
LOG_NAMESPACE = f"{NAMESPACE}/Logs"

# Attempts at older webhooks say more about the webhook than about the backend.
FRESH_SECONDS = 20 * 60


def _queue(name: str, label: str, unit: str = "Count") -> Metric:
    return Metric(Kind.QUEUE, "AWS/SQS", name, unit, label)


def _function(name: str, label: str, unit: str = "Count") -> Metric:
    return Metric(Kind.FUNCTION, "AWS/Lambda", name, unit, label)


def _api(kind: Kind, name: str, label: str, unit: str = "Count") -> Metric:
    return Metric(kind, "AWS/ApiGateway", name, unit, label)


def _table(
    name: str, label: str, dimensions: dict[str, str] | None = None, unit: str = "Count"
) -> Metric:
    return Metric(Kind.TABLE, "AWS/DynamoDB", name, unit, label, dimensions or {})


def _log(name: str, label: str) -> Metric:
    return Metric(Kind.LOG, LOG_NAMESPACE, name, "Count", label)


def _ours(
    name: str, label: str, written: str, unit: str = "Count", *, steady: bool = False
) -> Metric:
    return Metric(Kind.BUFFER, NAMESPACE, name, unit, label, written=written, steady=steady)


# What is repeatedly received and never deleted is left out of this one, says the guide: a
# webhook that fails at its group's head may not show here. HEAD_AGE does show it.
QUEUE_AGE = _queue("ApproximateAgeOfOldestMessage", "age of the oldest message", "Seconds")
QUEUE_VISIBLE = _queue("ApproximateNumberOfMessagesVisible", "waiting messages")
QUEUE_IN_FLIGHT = _queue("ApproximateNumberOfMessagesNotVisible", "messages in flight")
QUEUE_GROUPS = _queue("ApproximateNumberOfGroupsWithInflightMessages", "groups in flight")
QUEUE_SENT = _queue("NumberOfMessagesSent", "messages sent")
QUEUE_RECEIVED = _queue("NumberOfMessagesReceived", "messages received")
QUEUE_EMPTY_RECEIVES = _queue("NumberOfEmptyReceives", "empty receives")
QUEUE_DELETED = _queue("NumberOfMessagesDeleted", "messages deleted")
QUEUE_DUPLICATES = _queue("NumberOfDeduplicatedSentMessages", "dropped duplicates")

FUNCTION_ERRORS = _function("Errors", "errors")
FUNCTION_THROTTLES = _function("Throttles", "throttles")
FUNCTION_DURATION = _function("Duration", "duration", "Milliseconds")
FUNCTION_CONCURRENCY = _function("ConcurrentExecutions", "concurrent executions")
FUNCTION_INVOCATIONS = _function("Invocations", "invocations")

HTTP_COUNT = _api(Kind.HTTP_API, "Count", "requests")
HTTP_4XX = _api(Kind.HTTP_API, "4xx", "4xx responses")
HTTP_5XX = _api(Kind.HTTP_API, "5xx", "5xx responses")
HTTP_LATENCY = _api(Kind.HTTP_API, "Latency", "latency", "Milliseconds")

REST_COUNT = _api(Kind.REST_API, "Count", "requests")
REST_4XX = _api(Kind.REST_API, "4XXError", "4xx responses")
REST_5XX = _api(Kind.REST_API, "5XXError", "5xx responses")
REST_LATENCY = _api(Kind.REST_API, "Latency", "latency", "Milliseconds")

# Published per table; throttles per table without its indexes, system errors and latency per
# operation only.
TABLE_WRITE_THROTTLES = _table("WriteThrottleEvents", "throttled writes")
TABLE_READ_THROTTLES = _table("ReadThrottleEvents", "throttled reads")
TABLE_WRITES = _table("ConsumedWriteCapacityUnits", "write capacity used")
TABLE_READS = _table("ConsumedReadCapacityUnits", "read capacity used")
TABLE_UPDATE_ERRORS = _table("SystemErrors", "system errors", {"Operation": "UpdateItem"})
# Within DynamoDB, without the way to it.
TABLE_GET_LATENCY, TABLE_UPDATE_LATENCY = (
    _table("SuccessfulRequestLatency", label, {"Operation": operation}, "Milliseconds")
    for label, operation in (("latency of reads", "GetItem"), ("latency of writes", "UpdateItem"))
)

LOG_ERRORS = _log("log-errors", "errors in the log")
LOG_WARNINGS = _log("log-warnings", "warnings in the log")
LOG_PROBLEMS = _log("log-problems", "errors and warnings in the logs")  # either of the two

_EACH_ANSWER = "by subscribe, for each attempt with this answer"

ACCEPTED = _ours(
    "Accepted", "accepted webhooks", "by publish, for each webhook that SQS accepted", steady=True
)
ID_REUSED = _ours(
    "IdReused",
    "deduplication ids with another request",
    "by publish, when a deduplication id comes again with another body, method, path or query, as "
    "one container sees it",
)
SIGNATURES_REFUSED = _ours(
    "SignatureRefused",
    "requests with a wrong signature",
    "by publish, for each request that it answers 401, in all and by source",
)
UNMATCHED = _ours(
    "Unmatched",
    "requests to no source",
    "by publish, for each request that it answers 404, because no source takes its path",
)
SECRET_UNREADABLE = _ours(
    "SecretUnreadable",
    "failed reads of a source's secret",
    "by publish, when a source's secret can't be used",
)
SIGNING_SECRET_UNREADABLE = _ours(
    "SigningSecretUnreadable",
    "failed reads of the signing secret",
    "by subscribe, when the secret that attempts are signed with can't be used",
)
SOURCE_ACCEPTED = Metric(
    Kind.SOURCE,
    NAMESPACE,
    "SourceAccepted",
    "Count",
    "webhooks accepted of the source",
    written="by publish, for each accepted webhook of a source",
)
SOURCE_REFUSED = Metric(
    Kind.SOURCE,
    NAMESPACE,
    "SourceRefused",
    "Count",
    "requests refused of the source",
    written="by publish, for each request of a source that is not queued; also by reason",
)
# Why, as the functions write it; one metric each. First what a signature may lack.
REFUSALS = (
    "wrong", "old", "early", "missing", "repeated", "malformed", "escaped", "foreign", "handshake",
    "unverifiable", "address", "method", "altered", "no-group", "too-large", "not-queued",
)  # fmt: skip
SOURCE_SIGNATURES_REFUSED = replace(
    SIGNATURES_REFUSED, kind=Kind.SOURCE, label="wrong signatures of the source"
)
BACKEND_2XX = _ours("Backend2xx", "2xx from the backend", _EACH_ANSWER, steady=True)
BACKEND_3XX = _ours("Backend3xx", "3xx from the backend", _EACH_ANSWER)
BACKEND_4XX = _ours("Backend4xx", "4xx from the backend", _EACH_ANSWER)
BACKEND_5XX = _ours("Backend5xx", "5xx from the backend", _EACH_ANSWER)
BACKEND_TIMEOUT = _ours(
    "BackendTimeout", "backend timeouts", "by subscribe, for each attempt without a timely answer"
)
BACKEND_CONNECTION_ERROR = _ours(
    "BackendConnectionError",
    "failed connections to the backend",
    "by subscribe, for each attempt that could not connect",
)
BACKEND_DURATION = _ours(
    "BackendDuration",
    "backend response time",
    "by subscribe, for every attempt",
    "Milliseconds",
    steady=True,
)
# Shares of it: ``PR(4.5:)`` is what found the backend unavailable, ``PR(2.5:4.5)`` what it refused.
BACKEND_OUTCOME = _ours(
    "BackendOutcome",
    "fresh attempts",
    f"by subscribe, for every attempt at a webhook younger than {FRESH_SECONDS // 60} minutes: 2 "
    "to 5 for 2xx to 5xx, 6 for a timeout, 7 for a connection error",
    steady=True,
)
DELIVERY_LAG = _ours(
    "DeliveryLag",
    "delivery lag",
    "by subscribe, for every delivery, from receipt at the API",
    "Milliseconds",
    steady=True,
)
HEAD_AGE = _ours(
    "HeadAge",
    "age at a failed attempt",
    "by subscribe, for every attempt that failed or could not be made",
    "Seconds",
)
BLOCKED_GROUP = _ours(
    "BlockedGroup",
    "failed attempts in blocked groups",
    "by subscribe, for each attempt that failed, or could not be made, at a webhook that failed "
    "too often or waited too long",
)
PAUSED_BACKEND_DOWN = _ours(
    "PausedBackendDown",
    "webhooks put back while the backend fails for everybody",
    "by subscribe, for each webhook that it puts back unattempted while the breaker is open",
)
PAUSED_RETRY_SHARE = _ours(
    "PausedRetryShare",
    "webhooks put back so that others get their turn",
    "by subscribe, for each webhook that failed before and is put back unattempted, because others "
    "like it took their share of the time",
)
PARKED = _ours(
    "Parked", "parked webhooks", "by subscribe, for each message that it parks instead of keeping"
)
RELEASED = _ours(
    "Released", "released webhooks", "by subscribe, for each delivery of a parked webhook"
)
PARKING_BRAKED = _ours(
    "ParkingBraked",
    "webhooks not parked because of the hourly limit",
    "by subscribe, for each failed attempt whose webhook is not parked because too many of its "
    "source were",
)
HELD_GROUPS = _ours(
    "HeldGroups",
    "held groups",
    "by subscribe, for each message that it parks in a held group, and by the audit, while a group "
    "is held",
)
HELD_SECONDS = _ours(
    "HeldSeconds",
    "time that a group is held",
    "by subscribe, for each message that it parks behind others, and by the audit, for the "
    "longest-held group",
    "Seconds",
)
PARKED_EXPIRING = _ours(
    "ParkedExpiring",
    "parked webhooks about to expire",
    "by the audit, while there are any",
)
RECORD_FAILED = _ours(
    "RecordFailed",
    "records not written or read",
    "by subscribe, for each record that could not be written, or read before another attempt",
)
HEARTBEAT_ARRIVED = _ours(
    "HeartbeatArrived", "heartbeats", "by subscribe, for each heartbeat", steady=True
)
HEARTBEAT_REFUSED = _ours(
    "HeartbeatRefused", "heartbeats refused", "by heartbeat, when the API refuses a test webhook"
)
UNACCOUNTED = _ours(
    "Unaccounted", "lost webhooks", "by the audit, while there are any, for six hours"
)

# The metrics that the functions write, in the order above.
OURS = tuple(
    metric
    for metric in list(vars().values())
    if isinstance(metric, Metric)
    and metric.kind in (Kind.BUFFER, Kind.SOURCE)
    and metric is not SOURCE_SIGNATURES_REFUSED  # SIGNATURES_REFUSED, by another dimension
)
