"""What no package has about the metrics of AWS's services, as data with its sources.

Names are in ``SOURCED``, each group with the page that lists them, or in ``UNVERIFIED``: no page of
AWS's that names those was found, so that they are neither known nor wrong. ``docs/metrics.md`` says
how many there are of each; a test counts them. The behavior of metrics (``TRAITS``, ``MOST``) was
read for some namespaces and not for others: ``READ_TRAITS`` and ``READ_MOST`` say which.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

READ_ON = "2026-11-26"
"""When the stored copies of the pages were read; a copy can be older than the page."""


@dataclass(frozen=True, slots=True)
class Sourced:
    """Metrics of a namespace, with the page that names them.

    Attributes:
        names: separated by spaces; only those that the generated table does not have.
        title: the guide and the page.
        whole: whether a recent copy was read to the end and lists all metrics of the namespace,
            so that another name is an error.
    """

    namespace: str
    names: str
    title: str
    address: str
    whole: bool = False


_DOCS = "https://docs.aws.amazon.com/"
SOURCED: tuple[Sourced, ...] = (
    Sourced(
        "AWS/States",
        "AliasCount ApproximateMapRunBacklogSize ApproximateOpenMapRunCount ConsumedCapacity "
        "ExecutionsRedriven ExpressExecutionBilledDuration ExpressExecutionBilledMemory "
        "ExpressExecutionMemory LambdaFunctionRunTime LambdaFunctionScheduleTime "
        "LambdaFunctionTime LambdaFunctionsFailed LambdaFunctionsScheduled LambdaFunctionsStarted "
        "LambdaFunctionsSucceeded LambdaFunctionsTimedOut OpenExecutionCount OpenExecutionLimit "
        "OpenMapRunLimit ProvisionedBucketSize ProvisionedRefillRate RedrivenExecutionsAborted "
        "RedrivenExecutionsFailed RedrivenExecutionsSucceeded RedrivenExecutionsTimedOut "
        "ServiceIntegrationRunTime ServiceIntegrationScheduleTime ServiceIntegrationTime "
        "ServiceIntegrationsFailed ServiceIntegrationsScheduled ServiceIntegrationsStarted "
        "ServiceIntegrationsSucceeded ServiceIntegrationsTimedOut ThrottledEvents VersionCount",
        "Step Functions developer guide, "
        '"Monitoring Step Functions metrics using Amazon CloudWatch"',
        _DOCS + "step-functions/latest/dg/procedure-cw-metrics.html",
        whole=True,
    ),
    Sourced(
        "AWS/States",
        "LambdaFunctionsHeartbeatTimedOut",
        'CloudWatch user guide, "AWS Step Functions Metrics and Dimensions" (an old copy)',
        "https://github.com/awsdocs/amazon-cloudwatch-user-guide",
    ),
    Sourced(
        "AWS/ES",
        "2xx 3xx 4xx 5xx AutomatedSnapshotFailure BurstBalance CPUCreditBalance CPUUtilization "
        "ClusterIndexWritesBlocked ClusterStatus.green ClusterStatus.red ClusterStatus.yellow "
        "ClusterUsedSpace DeletedDocuments DiskQueueDepth ElasticsearchRequests FreeStorageSpace "
        "IndexingLatency IndexingRate InvalidHostHeaderRequests JVMMemoryPressure KMSKeyError "
        "KMSKeyInaccessible KibanaHealthyNodes MasterCPUUtilization MasterFreeStorageSpace "
        "MasterJVMMemoryPressure MasterOldGenJVMMemoryPressure MasterReachableFromNode "
        "MasterSysMemoryUtilization Nodes OldGenJVMMemoryPressure OpenSearchDashboardsHealthyNodes "
        "OpenSearchRequests ReadIOPS ReadLatency ReadThroughput SearchLatency SearchRate "
        "SearchableDocuments SegmentCount Shards.active Shards.activePrimary "
        "Shards.delayedUnassigned Shards.initializing Shards.relocating Shards.unassigned "
        "SysMemoryUtilization ThreadpoolBulkQueue ThreadpoolBulkRejected ThreadpoolSearchQueue "
        "ThreadpoolSearchRejected ThreadpoolWriteQueue ThreadpoolWriteRejected ThroughputThrottle "
        "WriteIOPS WriteLatency WriteThroughput",
        'OpenSearch Service developer guide, "Monitoring OpenSearch cluster metrics"',
        _DOCS + "opensearch-service/latest/developerguide/managedomains-cloudwatchmetrics.html",
    ),
    Sourced(
        "AWS/Kafka",
        "ActiveControllerCount BurstBalance BytesInPerSec BytesOutPerSec CPUCreditBalance "
        "ConnectionCount CpuIdle CpuSystem CpuUser EstimatedMaxTimeLag EstimatedTimeLag "
        "GlobalPartitionCount GlobalTopicCount HeapMemoryAfterGC KafkaAppLogsDiskUsed "
        "KafkaDataLogsDiskUsed LeaderCount MaxOffsetLag MemoryBuffered MemoryCached MemoryFree "
        "MemoryUsed MessagesInPerSec NetworkRxDropped NetworkRxErrors NetworkRxPackets "
        "NetworkTxDropped NetworkTxErrors NetworkTxPackets OfflinePartitionsCount OffsetLag "
        "PartitionCount ProduceTotalTimeMsMean RequestBytesMean RequestTime RootDiskUsed "
        "SumOffsetLag SwapFree SwapUsed TrafficShaping UnderMinIsrPartitionCount "
        "UnderReplicatedPartitions ZooKeeperRequestLatencyMsMean ZooKeeperSessionState",
        'MSK developer guide, "Amazon MSK Metrics for Monitoring with CloudWatch"',
        _DOCS + "msk/latest/developerguide/metrics-details.html",
    ),
    Sourced(
        "AWS/WAFV2",
        "AllowedRequests BlockedRequests CaptchaRequests ChallengeRequests CountedRequests "
        "PassedRequests RequestsWithValidCaptchaToken RequestsWithValidChallengeToken",
        'WAF developer guide, "Monitoring with Amazon CloudWatch"',
        _DOCS + "waf/latest/developerguide/monitoring-cloudwatch.html",
    ),
    Sourced(
        "AWS/Billing",
        "EstimatedCharges",
        "AWS SDK code examples, CloudWatch scenario for Java",
        "https://github.com/awsdocs/aws-doc-sdk-examples",
    ),
    Sourced(
        "AWS/Usage",
        "CallCount ResourceCount ThrottleCount",
        'CloudWatch user guide, "CloudWatch usage metrics"',
        _DOCS + "AmazonCloudWatch/latest/monitoring/CloudWatch-Usage-Metrics.html",
    ),
    Sourced(
        "AWS/ELB",
        "EstimatedALBActiveConnectionCount EstimatedALBConsumedLCUs "
        "EstimatedALBNewConnectionCount EstimatedProcessedBytes",
        'Classic Load Balancers user guide, "CloudWatch metrics for your Classic Load Balancer"',
        _DOCS + "elasticloadbalancing/latest/classic/elb-cloudwatch-metrics.html",
    ),
    Sourced(
        "AWS/CertificateManager",
        "CertificateIssuanceFailed CertificateIssuanceSuccess",
        'Certificate Manager user guide, "Supported CloudWatch metrics"',
        _DOCS + "acm/latest/userguide/cloudwatch-metrics.html",
    ),
)

UNVERIFIED: Mapping[str, str] = {
    "AWS/States": (
        "MapRunsAborted MapRunsFailed MapRunsRedriven MapRunsStarted MapRunsSucceeded "
        "MapRunsTimedOut OpenMapRunCount"
    ),
    "AWS/ELB": "HTTPCode_ELB_500 HTTPCode_ELB_502 HTTPCode_ELB_503 HTTPCode_ELB_504",
    "AWS/WAFV2": "CaptchasAttempted CaptchasSolved ChallengesAttempted ChallengesSolved",
    "AWS/X-Ray": (
        "ApproximateTraceCount ErrorRate FaultRate OkRate ResponseTime ThrottleRate "
        "TracedRequestCount TracesIndexed"
    ),
}  # fmt: skip


def _names() -> Mapping[str, frozenset[str]]:
    spaces = {row.namespace for row in SOURCED}
    return {
        space: frozenset(
            name for row in SOURCED if row.namespace == space for name in row.names.split()
        )
        for space in spaces
    }


NAMES = _names()
"""The names that a page lists, by namespace."""

COMPLETE = frozenset(row.namespace for row in SOURCED if row.whole)
"""Namespaces whose page was read whole: another name is an error, except an unverified name. For
the rest it is a note. Those of ``alarmproof.aws_metrics`` are complete as well."""

# Sets of dimensions under which all metrics of a namespace are published. Source: Kinesis Data
# Streams developer guide, "Monitoring the Amazon Kinesis Data Streams Service with Amazon
# CloudWatch"; the copy that was read names the dimensions of each metric, but not the newest
# metrics, so that the namespace is not complete.
DIMENSIONS: Mapping[str, tuple[str, ...]] = {
    "AWS/Kinesis": ("StreamName", "StreamName ShardId", "StreamName ConsumerName"),
}

# ``traffic``: silence means that there was no request; ``event``: only published when it happens;
# ``counts``: never published as 0; ``binary``: each sample is 0 or 1.
_HTTP_CODES = (
    "HTTPCode_ELB_3XX_Count", "HTTPCode_ELB_4XX_Count", "HTTPCode_ELB_5XX_Count",
    "HTTPCode_ELB_500_Count", "HTTPCode_ELB_502_Count", "HTTPCode_ELB_503_Count",
    "HTTPCode_ELB_504_Count", "HTTPCode_Target_2XX_Count", "HTTPCode_Target_3XX_Count",
    "HTTPCode_Target_4XX_Count", "HTTPCode_Target_5XX_Count",
)  # fmt: skip
_CLASSIC_CODES = (
    "HTTPCode_Backend_2XX", "HTTPCode_Backend_3XX", "HTTPCode_Backend_4XX", "HTTPCode_Backend_5XX",
    "HTTPCode_ELB_4XX", "HTTPCode_ELB_5XX",
)  # fmt: skip
_EXECUTIONS = (
    "ExecutionsStarted", "ExecutionsSucceeded", "ExecutionsFailed", "ExecutionsAborted",
    "ExecutionsTimedOut",
)  # fmt: skip
_ERROR_RATES = ("4XXError", "5XXError", "4xx", "5xx", "Count")
TRAITS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "AWS/Lambda": {
        "traffic": (),
        "always": ("ConcurrentExecutions", "UnreservedConcurrentExecutions",
                   "ClaimedAccountConcurrency", "ProvisionedConcurrentExecutions",
                   "ProvisionedConcurrencyUtilization", "IteratorAge", "OffsetLag"),
        "counts": ("Invocations",),
        "binary": ("Errors", "Throttles", "Invocations", "DeadLetterErrors",
                   "DestinationDeliveryFailures"),
    },
    "AWS/ApiGateway": {"traffic": (), "counts": ("Count",), "binary": _ERROR_RATES},
    "AWS/SNS": {
        "traffic": (), "counts": ("NumberOfMessagesPublished",),
        "always": ("SMSMonthToDateSpentUSD",),
    },
    "AWS/Events": {"traffic": (), "counts": ("Invocations", "TriggeredRules", "MatchedEvents")},
    # Each execution publishes ExecutionsStarted twice: 1, and 0 when it ends.
    "AWS/States": {"traffic": (), "binary": _EXECUTIONS},
    "AWS/AppSync": {"traffic": (), "binary": ("4XXError", "5XXError")},
    "AWS/CloudFront": {"traffic": ()},
    "AWS/Cognito": {"traffic": ()},
    "AWS/Scheduler": {"traffic": ()},
    "AWS/WAFV2": {"event": tuple(sorted(NAMES["AWS/WAFV2"]))},
    "AWS/S3": {
        "traffic": (), "always": ("BucketSizeBytes", "NumberOfObjects"),
        "binary": ("4xxErrors", "5xxErrors"),
    },
    "AWS/ApplicationELB": {
        "event": (*_HTTP_CODES, "RejectedConnectionCount", "TargetConnectionErrorCount",
                  "ClientTLSNegotiationErrorCount", "LambdaInternalError", "LambdaUserError"),
        "binary": _HTTP_CODES,
    },
    "AWS/ELB": {"event": (*_CLASSIC_CODES, "BackendConnectionErrors"), "binary": _CLASSIC_CODES},
}  # fmt: skip

# Whose pages were read for this. Lambda developer guide, "Types of metrics for Lambda functions":
# "binary indicators". Classic Load Balancers and WAF (pages above): "Reporting criteria: There is a
# nonzero value"; the codes' minimum, maximum and average are 1. S3 user guide, "Metrics and
# dimensions": 4xxErrors and 5xxErrors are 0 or 1. Step Functions (page above). The others are not
# verified.
READ_TRAITS = frozenset(("AWS/Lambda", "AWS/ELB", "AWS/WAFV2", "AWS/S3", "AWS/States"))

# Source: S3 user guide, "Amazon S3 daily storage metrics for buckets in CloudWatch".
EVERY: Mapping[tuple[str, str], int] = {
    ("AWS/S3", "BucketSizeBytes"): 86_400,
    ("AWS/S3", "NumberOfObjects"): 86_400,
}

# The largest value, for metrics that are a share of a whole, or 0 or 1. ECS's utilization is not
# here: a service can use more than it reserved.
MOST: Mapping[tuple[str, str], float] = {
    ("AWS/EC2", "CPUUtilization"): 100,
    ("AWS/RDS", "CPUUtilization"): 100,
    ("AWS/RDS", "BurstBalance"): 100,
    ("AWS/EBS", "BurstBalance"): 100,
    ("AWS/EFS", "PercentIOLimit"): 100,
    ("AWS/CloudFront", "4xxErrorRate"): 100,
    ("AWS/CloudFront", "5xxErrorRate"): 100,
    ("AWS/CloudFront", "TotalErrorRate"): 100,
    ("AWS/EC2", "StatusCheckFailed"): 1,
    ("AWS/EC2", "StatusCheckFailed_Instance"): 1,
    ("AWS/EC2", "StatusCheckFailed_System"): 1,
    ("AWS/Route53", "HealthCheckStatus"): 1,
    ("AWS/VPN", "TunnelState"): 1,
}

# Those that a page was read for: Route 53 developer guide, "Monitoring your resources with Amazon
# Route 53 health checks and Amazon CloudWatch". Those at 100 have the unit Percent in the generated
# table, except RDS's CPUUtilization. The others are not verified.
READ_MOST = frozenset((("AWS/Route53", "HealthCheckStatus"),))

# Where the generated table has no unit, or words. Read for: Classic Load Balancers, Step Functions
# (pages above). The others are not verified, and equal to the generated unit where it has one.
UNITS: Mapping[tuple[str, str], str] = {
    ("AWS/Lambda", "Duration"): "Milliseconds",
    ("AWS/SQS", "ApproximateAgeOfOldestMessage"): "Seconds",
    ("AWS/ApplicationELB", "TargetResponseTime"): "Seconds",
    ("AWS/ELB", "Latency"): "Seconds",
    ("AWS/States", "ExecutionTime"): "Milliseconds",
    ("AWS/RDS", "ReadLatency"): "Seconds",
    ("AWS/RDS", "WriteLatency"): "Seconds",
}
