"""What no package has about the metrics of AWS's services, as data with its sources.

The pages are AWS's own, of each service's guide: "Monitoring … with Amazon CloudWatch".
"""

from __future__ import annotations

from collections.abc import Mapping

# Metrics that the generated table lacks. Source: Step Functions developer guide, "Step Functions
# metrics for CloudWatch"; EventBridge Scheduler user guide, "Monitoring … with CloudWatch";
# OpenSearch Service developer guide, "Monitoring OpenSearch cluster metrics"; MSK developer guide,
# "Amazon MSK metrics for monitoring Standard brokers with CloudWatch"; WAF developer guide,
# "WAF core metrics and dimensions"; Billing user guide, "Creating a billing alarm"; CloudWatch user
# guide, "CloudWatch usage metrics"; Classic Load Balancers user guide, "CloudWatch metrics";
# ACM user guide, "Supported CloudWatch metrics".
NAMES: Mapping[str, str] = {
    "AWS/States": (
        "ExecutionsRedriven ExecutionsStarted ExecutionThrottled RedrivenExecutionsAborted "
        "RedrivenExecutionsFailed RedrivenExecutionsSucceeded RedrivenExecutionsTimedOut "
        "ActivityRunTime ActivityScheduleTime ActivityTime ActivitiesFailed "
        "ActivitiesHeartbeatTimedOut ActivitiesScheduled ActivitiesStarted ActivitiesSucceeded "
        "ActivitiesTimedOut LambdaFunctionRunTime LambdaFunctionScheduleTime LambdaFunctionTime "
        "LambdaFunctionsFailed LambdaFunctionsScheduled LambdaFunctionsStarted "
        "LambdaFunctionsSucceeded LambdaFunctionsTimedOut ServiceIntegrationRunTime "
        "ServiceIntegrationScheduleTime ServiceIntegrationTime ServiceIntegrationsFailed "
        "ServiceIntegrationsScheduled ServiceIntegrationsStarted ServiceIntegrationsSucceeded "
        "ServiceIntegrationsTimedOut ExpressExecutionMemory ExpressExecutionBilledDuration "
        "ExpressExecutionBilledMemory ThrottledEvents ProvisionedBucketSize ProvisionedRefillRate "
        "ConsumedCapacity OpenExecutionCount OpenExecutionLimit OpenMapRunCount OpenMapRunLimit "
        "ApproximateOpenMapRunCount ApproximateMapRunBacklogSize MapRunsStarted MapRunsSucceeded "
        "MapRunsFailed MapRunsTimedOut MapRunsAborted MapRunsRedriven"
    ),
    "AWS/Scheduler": (
        "InvocationAttemptCount TargetErrorCount TargetErrorThrottledCount InvocationThrottleCount "
        "InvocationDroppedCount InvocationsSentToDeadLetterCount "
        "InvocationsFailedToBeSentToDeadLetterCount "
        "InvocationsSentToDeadLetterCount_Truncated_MessageSizeExceeded"
    ),
    "AWS/ES": (
        "ClusterStatus.green ClusterStatus.yellow ClusterStatus.red Shards.active "
        "Shards.unassigned Nodes SearchableDocuments DeletedDocuments CPUUtilization "
        "FreeStorageSpace ClusterUsedSpace ClusterIndexWritesBlocked JVMMemoryPressure "
        "OldGenJVMMemoryPressure AutomatedSnapshotFailure CPUCreditBalance KMSKeyError "
        "KMSKeyInaccessible InvalidHostHeaderRequests OpenSearchRequests ElasticsearchRequests "
        "2xx 3xx 4xx 5xx MasterCPUUtilization MasterFreeStorageSpace MasterJVMMemoryPressure "
        "MasterReachableFromNode MasterSysMemoryUtilization SysMemoryUtilization "
        "OpenSearchDashboardsHealthyNodes KibanaHealthyNodes IndexingLatency IndexingRate "
        "SearchLatency SearchRate ThreadpoolWriteQueue ThreadpoolSearchQueue ThreadpoolBulkQueue "
        "ThreadpoolWriteRejected ThreadpoolSearchRejected DiskQueueDepth ReadLatency WriteLatency "
        "ReadIOPS WriteIOPS ReadThroughput WriteThroughput"
    ),
    "AWS/Kafka": (
        "ActiveControllerCount GlobalPartitionCount GlobalTopicCount OfflinePartitionsCount "
        "UnderReplicatedPartitions UnderMinIsrPartitionCount KafkaDataLogsDiskUsed "
        "KafkaAppLogsDiskUsed CpuUser CpuSystem CpuIdle CPUCreditBalance MemoryFree MemoryUsed "
        "HeapMemoryAfterGC BytesInPerSec BytesOutPerSec MessagesInPerSec MaxOffsetLag SumOffsetLag "
        "EstimatedMaxTimeLag OffsetLag PartitionCount LeaderCount ConnectionCount "
        "ZooKeeperRequestLatencyMsMean ZooKeeperSessionState BurstBalance SwapUsed RootDiskUsed"
    ),
    "AWS/WAFV2": (
        "AllowedRequests BlockedRequests CountedRequests PassedRequests CaptchaRequests "
        "ChallengeRequests RequestsWithValidCaptchaToken RequestsWithValidChallengeToken "
        "CaptchasAttempted CaptchasSolved ChallengesAttempted ChallengesSolved"
    ),
    "AWS/Billing": "EstimatedCharges",
    "AWS/Usage": "CallCount ResourceCount",
    "AWS/ELB": (
        "HTTPCode_ELB_500 HTTPCode_ELB_502 HTTPCode_ELB_503 HTTPCode_ELB_504 "
        "EstimatedALBActiveConnectionCount EstimatedALBConsumedLCUs EstimatedALBNewConnectionCount "
        "EstimatedProcessedBytes"
    ),
    "AWS/CertificateManager": "DaysToExpiry",
    "AWS/S3": (
        "BucketSizeBytes NumberOfObjects AllRequests GetRequests PutRequests DeleteRequests "
        "HeadRequests PostRequests SelectRequests ListRequests BytesDownloaded BytesUploaded "
        "4xxErrors 5xxErrors FirstByteLatency TotalRequestLatency ReplicationLatency "
        "BytesPendingReplication OperationsPendingReplication OperationsFailedReplication"
    ),
    "AWS/X-Ray": (
        "ApproximateTraceCount ErrorRate FaultRate OkRate ResponseTime ThrottleRate "
        "TracedRequestCount TracesIndexed"
    ),
}  # fmt: skip

# Namespaces of which all metrics are known, so that another name is an error; for the rest it is a
# note. Those of ``alarmproof.aws_metrics`` are complete as well.
COMPLETE = frozenset(("AWS/States", "AWS/Kinesis"))

# Sets of dimensions under which all metrics of a namespace are published.
DIMENSIONS: Mapping[str, tuple[str, ...]] = {
    "AWS/Kinesis": ("StreamName", "StreamName ShardId", "StreamName ConsumerName"),
}

# Source: the same pages. ``traffic``: silence means that there was no request; ``event``: only
# published when it happens; ``counts``: never published as 0; ``binary``: each sample is 0 or 1.
# Elastic Load Balancing's guides: "Reporting criteria: There is a nonzero value", and for counts of
# codes "Minimum, Maximum, and Average all return 1". Lambda developer guide: invocation metrics are
# "binary indicators". API Gateway developer guide: the average of 4XXError is a rate.
_HTTP_CODES = (
    "HTTPCode_ELB_3XX_Count", "HTTPCode_ELB_4XX_Count", "HTTPCode_ELB_5XX_Count",
    "HTTPCode_ELB_500_Count", "HTTPCode_ELB_502_Count", "HTTPCode_ELB_503_Count",
    "HTTPCode_ELB_504_Count", "HTTPCode_Target_2XX_Count", "HTTPCode_Target_3XX_Count",
    "HTTPCode_Target_4XX_Count", "HTTPCode_Target_5XX_Count",
)  # fmt: skip
_CLASSIC_CODES = (
    "HTTPCode_Backend_2XX", "HTTPCode_Backend_3XX", "HTTPCode_Backend_4XX", "HTTPCode_Backend_5XX",
    "HTTPCode_ELB_4XX", "HTTPCode_ELB_5XX", "HTTPCode_ELB_500", "HTTPCode_ELB_502",
    "HTTPCode_ELB_503", "HTTPCode_ELB_504",
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
    "AWS/States": {"traffic": (), "counts": ("ExecutionsStarted",), "binary": _EXECUTIONS},
    "AWS/AppSync": {"traffic": (), "binary": ("4XXError", "5XXError")},
    "AWS/CloudFront": {"traffic": ()},
    "AWS/Cognito": {"traffic": ()},
    "AWS/Scheduler": {"traffic": ()},
    "AWS/WAFV2": {"event": tuple(NAMES["AWS/WAFV2"].split())},
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

# Source: S3 user guide, "Amazon S3 daily storage metrics for buckets in CloudWatch".
EVERY: Mapping[tuple[str, str], int] = {
    ("AWS/S3", "BucketSizeBytes"): 86_400,
    ("AWS/S3", "NumberOfObjects"): 86_400,
}

# The largest value, for metrics that are a share of a whole, or 0 or 1. Source: EC2, RDS, EBS, EFS
# and CloudFront guides on metrics; EC2 status checks; Route 53 and VPN guides. ECS's utilization is
# not here: a service can use more than it reserved.
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

# Where the generated table has no unit, or words. Source: the pages above.
UNITS: Mapping[tuple[str, str], str] = {
    ("AWS/Lambda", "Duration"): "Milliseconds",
    ("AWS/SQS", "ApproximateAgeOfOldestMessage"): "Seconds",
    ("AWS/ApplicationELB", "TargetResponseTime"): "Seconds",
    ("AWS/ELB", "Latency"): "Seconds",
    ("AWS/States", "ExecutionTime"): "Milliseconds",
    ("AWS/RDS", "ReadLatency"): "Seconds",
    ("AWS/RDS", "WriteLatency"): "Seconds",
}
