"""What AWS's services publish: metrics, their dimensions and ranges, as data.

Sources, all AWS's own pages, read in stored copies of 2025 and 2026: SQS developer guide,
"Available CloudWatch metrics for Amazon SQS"; Lambda developer guide, "Types of metrics for Lambda
functions"; API Gateway developer guide, "Amazon API Gateway dimensions and metrics", "Working with
metrics for HTTP APIs" and "Monitor WebSocket API execution"; DynamoDB developer guide, "DynamoDB
metrics and dimensions"; SNS developer guide, "CloudWatch metrics for Amazon SNS"; EventBridge user
guide, "Monitoring Amazon EventBridge".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import inf


@dataclass(frozen=True, slots=True)
class Published:
    """A metric that a service publishes.

    Attributes:
        dimensions: the sets of names under which it is published; an empty one is the account.
        on_event: whether it is published only when what it counts happens; then a period without
            data says that nothing happened.
        most: the largest value of a datapoint, where there is one.
    """

    dimensions: frozenset[frozenset[str]]
    on_event: bool = False
    most: float = inf


def _each(
    names: str, dimensions: Iterable[str], *, on_event: bool = False, most: float = inf
) -> dict[str, Published]:
    """Metrics alike; each set of dimensions is written ``A B``."""
    sets = frozenset(frozenset(together.split()) for together in dimensions)
    return {name: Published(sets, on_event, most) for name in names.split()}


# Source: SQS developer guide, "Amazon SQS message quotas" and "FIFO queue quotas".
_MOST_IN_FLIGHT, _LONGEST_RETENTION = 120_000, 14 * 86_400
# Source: Lambda developer guide, "Lambda quotas": a function's timeout, in milliseconds.
_LONGEST_RUN = 900_000.0

_FUNCTION = (
    "", "FunctionName", "FunctionName Resource", "FunctionName Resource ExecutedVersion",
)  # fmt: skip
_REST = ("ApiName", "ApiName Stage", "ApiName Stage Method Resource")
_HTTP = ("ApiId", "ApiId Stage", "ApiId Stage Method Resource")
_WEBSOCKET = ("ApiId", "ApiId Stage", "ApiId Stage Route")
_TABLE = ("TableName", "TableName GlobalSecondaryIndexName")
_OPERATION = ("TableName Operation",)
_TOPIC = ("", "TopicName", "Application Platform", "Platform", "PhoneNumber")
_RULE = ("", "RuleName", "EventBusName", "EventBusName RuleName")

SERVICES: Mapping[str, Mapping[str, Published]] = {
    "AWS/SQS": {
        **_each(
            "ApproximateAgeOfOldestMessage ApproximateAgeOfOldestMessageInQuietGroups",
            ("QueueName",),
            most=_LONGEST_RETENTION,
        ),
        **_each(
            "ApproximateNumberOfMessagesNotVisible "
            "ApproximateNumberOfMessagesNotVisibleInQuietGroups "
            "ApproximateNumberOfGroupsWithInflightMessages",
            ("QueueName",),
            most=_MOST_IN_FLIGHT,
        ),
        **_each(
            "ApproximateNumberOfMessagesVisible ApproximateNumberOfMessagesDelayed "
            "ApproximateNumberOfMessagesVisibleInQuietGroups "
            "ApproximateNumberOfMessagesDelayedInQuietGroups ApproximateNumberOfNoisyGroups "
            "NumberOfDeduplicatedSentMessages NumberOfEmptyReceives NumberOfMessagesDeleted "
            "NumberOfMessagesReceived NumberOfMessagesSent SentMessageSize",
            ("QueueName",),
        ),
    },
    "AWS/Lambda": {
        **_each(
            "Invocations Errors Throttles ProvisionedConcurrencyInvocations "
            "ProvisionedConcurrencySpilloverInvocations ConcurrentExecutions "
            "ProvisionedConcurrentExecutions ProvisionedConcurrencyUtilization "
            "PostRuntimeExtensionsDuration AsyncEventsReceived AsyncEventAge OffsetLag",
            _FUNCTION,
        ),
        **_each("Duration", _FUNCTION, most=_LONGEST_RUN),
        **_each("IteratorAge", (*_FUNCTION, "EventSourceMappingUUID")),
        **_each(
            "DeadLetterErrors DestinationDeliveryFailures AsyncEventsDropped "
            "OversizedRecordCount RecursiveInvocationsDropped SignatureValidationErrors",
            _FUNCTION,
            on_event=True,
        ),
        **_each("UnreservedConcurrentExecutions ClaimedAccountConcurrency", ("",)),
        **_each(
            "PolledEventCount FilteredOutEventCount InvokedEventCount FailedInvokeEventCount "
            "DroppedEventCount OnFailureDestinationDeliveredEventCount DeletedEventCount "
            "ProvisionedPollers",
            ("EventSourceMappingUUID", "EventSourceMappingUUID FunctionName"),
        ),
    },
    "AWS/ApiGateway": {
        **_each("4XXError 5XXError CacheHitCount CacheMissCount", _REST),
        **_each("Count Latency IntegrationLatency", (*_REST, *_HTTP, *_WEBSOCKET)),
        **_each("4xx 5xx DataProcessed", _HTTP),
        **_each("ConnectCount MessageCount IntegrationError", _WEBSOCKET),
        **_each("ClientError ExecutionError", _WEBSOCKET),
    },
    "AWS/DynamoDB": {
        **_each(
            "ConsumedReadCapacityUnits ConsumedWriteCapacityUnits ProvisionedReadCapacityUnits "
            "ProvisionedWriteCapacityUnits OnDemandMaxReadRequestUnits "
            "OnDemandMaxWriteRequestUnits",
            _TABLE,
        ),
        **_each(
            "ReadThrottleEvents WriteThrottleEvents ReadProvisionedThroughputThrottleEvents "
            "WriteProvisionedThroughputThrottleEvents ReadKeyRangeThroughputThrottleEvents "
            "WriteKeyRangeThroughputThrottleEvents ReadMaxOnDemandThroughputThrottleEvents "
            "WriteMaxOnDemandThroughputThrottleEvents ReadAccountLimitThrottleEvents "
            "WriteAccountLimitThrottleEvents OnlineIndexThrottleEvents",
            _TABLE,
            on_event=True,
        ),
        **_each("ThrottledRequests SystemErrors", _OPERATION, on_event=True),
        **_each("UserErrors", ("",), on_event=True),
        **_each("ConditionalCheckFailedRequests", ("TableName",), on_event=True),
        **_each("TransactionConflict", ("TableName",), on_event=True),
        **_each("SuccessfulRequestLatency ReturnedItemCount", (*_OPERATION, *_TABLE)),
        **_each("TimeToLiveDeletedItemCount AgeOfOldestUnreplicatedRecord", ("TableName",)),
        **_each("ReplicationLatency PendingReplicationCount", ("TableName ReceivingRegion",)),
        **_each(
            "AccountMaxReads AccountMaxTableLevelReads AccountMaxTableLevelWrites AccountMaxWrites "
            "AccountProvisionedReadCapacityUtilization AccountProvisionedWriteCapacityUtilization",
            ("",),
        ),
    },
    "AWS/SNS": {
        **_each(
            "NumberOfMessagesPublished NumberOfNotificationsDelivered PublishSize",
            _TOPIC,
        ),
        **_each(
            "NumberOfNotificationsFailed NumberOfNotificationsFilteredOut "
            "NumberOfNotificationsFilteredOut-InvalidAttributes "
            "NumberOfNotificationsFilteredOut-NoMessageAttributes "
            "NumberOfNotificationsFilteredOut-MessageAttributes "
            "NumberOfNotificationsFilteredOut-InvalidMessageBody "
            "NumberOfNotificationsFilteredOut-MessageBody NumberOfNotificationsRedrivenToDlq "
            "NumberOfNotificationsFailedToRedriveToDlq",
            _TOPIC,
            on_event=True,
        ),
        **_each("SMSSuccessRate", ("", "PhoneNumber", "SMSType Country"), most=1),
        **_each("SMSMonthToDateSpentUSD", ("",)),
    },
    # Source: EventBridge user guide, "Monitoring Amazon EventBridge": which metrics it "only sends
    # to CloudWatch if it isn't zero"; TriggeredRules is there when a rule is triggered.
    "AWS/Events": {
        **_each("TriggeredRules InvocationAttempts SuccessfulInvocationAttempts ThrottledRules "
                "DeadLetterInvocations", _RULE),
        **_each("MatchedEvents", (*_RULE, "EventSourceName")),
        **_each("Events", ("EventSourceName",)),
        **_each("InvocationsCreated", ("",)),
        **_each(
            "Invocations FailedInvocations InvocationsSentToDlq InvocationsFailedToBeSentToDlq "
            "RetryInvocationAttempts",
            _RULE,
            on_event=True,
        ),
        **_each(
            "IngestionToInvocationStartLatency IngestiontoInvocationStartLatency "
            "IngestionToInvocationCompleteLatency IngestionToInvocationSuccessLatency",
            _RULE,
        ),
        **_each("EventBusEncryptionStarted EventBusEncryptionCompleted", ("EventBusName",)),
        **_each("EventBusEncryptionFailed", ("EventBusName",), on_event=True),
        **_each(
            " ".join(
                f"{call}{name}"
                for call in ("PutEvents", "PutPartnerEvents")
                for name in ("ApproximateCallCount", "ApproximateFailedCount",
                             "ApproximateSuccessCount", "ApproximateThrottledCount",
                             "EntriesCount", "FailedEntriesCount", "Latency", "RequestSize")
            ),
            ("",),
        ),
    },
}  # fmt: skip
