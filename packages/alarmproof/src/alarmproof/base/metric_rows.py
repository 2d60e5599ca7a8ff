"""What no package has about the metrics of AWS's services, as data with its sources.

Names are in ``SOURCED``, each group with the page that lists them, or in ``UNVERIFIED``: no page of
AWS's that names those was found, so that they are neither known nor wrong. ``docs/metrics.md`` says
how many there are of each; a test counts them. What is known about a metric's behavior is in
``alarmproof.base.metric_traits``.
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
    Sourced(
        "AWS/AOSS",
        "2xx 3xx 4xx 5xx ActiveCollection DeletedDocuments IndexingOCU",
        'OpenSearch Service developer guide, "Monitoring OpenSearch Serverless with Amazon '
        'CloudWatch" (its first rows; 2xx to 5xx are on the page of an integration)',
        _DOCS + "opensearch-service/latest/developerguide/monitoring-cloudwatch.html",
    ),
    Sourced(
        "AWS/RUM",
        "Http4xxCount Http4xxCountPerPageView Http4xxCountPerSession Http5xxCount "
        "Http5xxCountPerPageView Http5xxCountPerSession HttpStatusCodeCount JsErrorCount "
        "NavigationFrustratedCount NavigationSatisfiedCount NavigationSatisfiedTransaction "
        "NavigationToleratedCount NavigationToleratedTransaction PerformanceNavigationDuration "
        "PerformanceResourceDuration RumEventPayloadSize SessionCount "
        "WebVitalsCumulativeLayoutShift WebVitalsFirstInputDelay WebVitalsLargestContentfulPaint",
        'CloudWatch user guide, "CloudWatch metrics that you can collect with CloudWatch RUM"',
        _DOCS + "AmazonCloudWatch/latest/monitoring/CloudWatch-RUM-metrics.html",
    ),
)

LIST = "Grafana's list of CloudWatch's metrics"
LIST_ADDRESS = (
    "https://github.com/grafana/grafana-aws-sdk/blob/00ac1b8cbf509636acfaeafff12bfd4788f52eff/"
    "pkg/cloudWatchConsts/metrics.go"
)
"""Where ``data/listed_metrics.json`` is from: a list that was made of the services' guides. Only
what neither the generated table nor ``SOURCED`` has was taken; it is complete for no service."""

UNVERIFIED: Mapping[str, str] = {
    "AWS/AOSS": (
        "IngestionDataRate IngestionDocumentErrors IngestionDocumentRate IngestionRequestErrors "
        "IngestionRequestLatency IngestionRequestRate IngestionRequestSuccess SearchOCU "
        "SearchRequestErrors SearchRequestLatency SearchRequestRate SearchableDocuments "
        "StorageUsedInS3"
    ),
    "AWS/ApplicationELB": (
        "BYoIPUtilPercentage LowReputationPacketsDropped LowReputationRequestsDenied PeakLCUs "
        "ReservedLCUs ZonalShiftedHostCount"
    ),
    "AWS/EC2": "InstanceEBSIOPSExceededCheck InstanceEBSThroughputExceededCheck",
    "AWS/ElastiCache": "IsPrimary",
    "AWS/Lambda": "CommittedEventCount MaxOffsetLag RestoreDuration SumOffsetLag",
    "AWS/DynamoDB": "FaultInjectionServiceInducedErrors",
    "AWS/NetworkELB": (
        "HealthyStateDNS HealthyStateRouting RejectedFlowCount RejectedFlowCount_TCP "
        "UnhealthyStateDNS UnhealthyStateRouting ZonalHealthStatus"
    ),
    "AWS/States": (
        "MapRunsAborted MapRunsFailed MapRunsRedriven MapRunsStarted MapRunsSucceeded "
        "MapRunsTimedOut OpenMapRunCount"
    ),
    "AWS/ELB": "HTTPCode_ELB_500 HTTPCode_ELB_502 HTTPCode_ELB_503 HTTPCode_ELB_504",
    "AWS/WAFV2": "ChallengesAttempted ChallengesSolved",
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
the rest it is a note, or a warning in ``LARGELY``. Those of ``alarmproof.base.aws_metrics`` are
complete as well."""

LARGELY = frozenset(
    ("AWS/ApplicationELB", "AWS/AutoScaling", "AWS/EBS", "AWS/EC2", "AWS/ECS", "AWS/EFS", "AWS/ELB",
     "AWS/ElastiCache", "AWS/Kinesis", "AWS/NATGateway", "AWS/NetworkELB", "AWS/RDS",
     "AWS/Redshift", "AWS/Route53", "AWS/S3", "AWS/TransitGateway", "AWS/VPN")
)  # fmt: skip
"""Namespaces that the generated table has as CloudWatch's console does, with the list of names and
``UNVERIFIED`` beside: another name is a warning."""
