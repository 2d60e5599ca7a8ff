"""How the metrics of AWS's services behave, as data with its sources.

Dimensions, silence, largest values and units, where the generated table does not have them. Silence
and largest values were read for some namespaces and not for others: ``READ_TRAITS`` and
``READ_MOST`` say which; ``docs/metrics.md`` shows it.
"""

from __future__ import annotations

from collections.abc import Mapping

from alarmproof.base.metric_rows import NAMES, UNVERIFIED

# Sets of dimensions under which all metrics of a namespace are published. Source: Kinesis Data
# Streams developer guide, "Monitoring the Amazon Kinesis Data Streams Service with Amazon
# CloudWatch"; the copy that was read names the dimensions of each metric, but not the newest
# metrics, so that the namespace is not complete.
DIMENSIONS: Mapping[str, tuple[str, ...]] = {
    "AWS/Kinesis": ("StreamName", "StreamName ShardId", "StreamName ConsumerName"),
    # Source: Classic Load Balancers user guide (page above), "Metric dimensions": each filters
    # alone; the console shows all load balancers together as well.
    "AWS/ELB": ("", "AvailabilityZone", "LoadBalancerName", "LoadBalancerName AvailabilityZone"),
    # Source: CloudFront developer guide, "Get metrics using the CloudWatch API": the dimension
    # Region is always Global; functions have FunctionName besides.
    "AWS/CloudFront": (
        "DistributionId Region", "DistributionId FunctionName Region", "FunctionName Region",
    ),
}  # fmt: skip

# Of which dimensions a metric has all of at least one set; a warning. Read on 2026-11-26, partly in
# older copies or in part: ECS developer guide, "Amazon ECS CloudWatch metrics" (all have
# ClusterName); EFS user guide, "CloudWatch metrics for Amazon EFS"; VPC user guide, "NAT gateway
# metrics and dimensions"; S3 user guide, "Metrics and dimensions" (FilterId is of request metrics,
# StorageType of storage); MSK developer guide, "Amazon MSK metrics for monitoring Express brokers
# with CloudWatch", "Monitor replication" (ReplicatorName) and, of data delivery, "Metric
# dimensions" (ClusterName); Aurora user guide, "Amazon CloudWatch dimensions for Aurora" (beside
# EngineName it is DbClusterIdentifier). Not verified: those of Service Connect, Auto Scaling,
# Billing, Data Firehose and OpenSearch.
NEEDED: Mapping[tuple[str, str], tuple[tuple[str, ...], ...]] = {
    ("AWS/ECS", ""): (("ClusterName",), ("DiscoveryName",), ("TargetDiscoveryName",)),
    ("AWS/ES", ""): (("ClientId",),),
    ("AWS/Billing", ""): (("Currency",),),
    ("AWS/EFS", ""): (("FileSystemId",),),
    ("AWS/NATGateway", ""): (("NatGatewayId",),),
    ("AWS/AutoScaling", ""): (("AutoScalingGroupName",),),
    ("AWS/Kafka", ""): (("Cluster Name",), ("ReplicatorName",), ("ClusterName",)),
    ("AWS/Firehose", ""): (("DeliveryStreamName",),),
    **{
        ("AWS/S3", name): (("BucketName", "FilterId"),)
        for name in ("AllRequests", "4xxErrors", "5xxErrors", "FirstByteLatency",
                     "TotalRequestLatency")
    },
    **{
        ("AWS/S3", name): (("BucketName", "StorageType"),)
        for name in ("BucketSizeBytes", "NumberOfObjects")
    },
    **{
        ("AWS/RDS", name): (("DBClusterIdentifier",), ("EngineName",))
        for name in ("VolumeBytesUsed", "VolumeReadIOPs", "VolumeWriteIOPs")
    },
}  # fmt: skip

CONFIGURED = frozenset(["CWAgent"])
"""Namespaces whose dimensions a configuration decides, so that none is wrong. Source: CloudWatch
user guide, "Manually create or edit the CloudWatch agent configuration file", append_dimensions and
aggregation_dimensions."""

DISK_METRICS = frozenset(
    ("disk_free", "disk_inodes_free", "disk_inodes_total", "disk_inodes_used", "disk_total",
     "disk_used", "disk_used_percent")
)  # fmt: skip
"""What the agent measures of each file system. Source: CloudWatch user guide, "Metrics collected by
the CloudWatch agent"."""

# Namespaces whose metrics are published by the sets of the generated table, and by each of these
# together with one more dimension. Source: user guides of Application, Network and Gateway Load
# Balancers, "Metric dimensions".
FINER: Mapping[str, str] = {
    "AWS/ApplicationELB": "AvailabilityZone",
    "AWS/GatewayELB": "AvailabilityZone",
    "AWS/NetworkELB": "AvailabilityZone",
}

# How the value of a dimension begins, by namespace (all of them where it is empty) and dimension;
# where it is a name, how it does not. Source: of each service's guide, the page on its metrics.
BEGINS: Mapping[tuple[str, str], str] = {
    ("AWS/ApplicationELB", "LoadBalancer"): "app/",
    ("AWS/NetworkELB", "LoadBalancer"): "net/",
    ("AWS/GatewayELB", "LoadBalancer"): "gwy/",
    ("", "TargetGroup"): "targetgroup/",
    ("", "StateMachineArn"): "arn:",
    ("", "ActivityArn"): "arn:",
    ("AWS/EC2", "InstanceId"): "i-",
    ("AWS/EBS", "VolumeId"): "vol-",
    ("AWS/EFS", "FileSystemId"): "fs-",
    ("AWS/NATGateway", "NatGatewayId"): "nat-",
    ("AWS/CloudFront", "Region"): "Global",
}
# How many parts a value has that slashes divide: its kind, the name, and an id that AWS makes.
PARTS: Mapping[str, int] = {"LoadBalancer": 3, "TargetGroup": 3}
NAMES_OF_RESOURCES = frozenset(
    ("BucketName", "ClusterName", "DBClusterIdentifier", "DBInstanceIdentifier",
     "DeliveryStreamName", "FunctionName", "QueueName", "ServiceName", "StreamName", "TableName",
     "TopicName", "WebACL")
)  # fmt: skip
"""Dimensions whose value is a name: neither an ARN nor an address."""

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
                   "ProvisionedConcurrencyUtilization", "IteratorAge", "OffsetLag",
                   "MaxOffsetLag", "SumOffsetLag"),
        "counts": ("Invocations",),
        "binary": ("Errors", "Throttles", "Invocations", "DeadLetterErrors",
                   "DestinationDeliveryFailures"),
    },
    "AWS/ApiGateway": {"traffic": (), "counts": ("Count",), "binary": _ERROR_RATES},
    # Spending has no data either before the first message of a month; reported:
    # https://github.com/cds-snc/notification-terraform/pull/294.
    "AWS/SNS": {"traffic": (), "counts": ("NumberOfMessagesPublished",)},
    "AWS/Events": {"traffic": (), "counts": ("Invocations", "TriggeredRules", "MatchedEvents")},
    # Each execution publishes ExecutionsStarted twice: 1, and 0 when it ends.
    "AWS/States": {"traffic": (), "always": ("OpenMapRunCount",), "binary": _EXECUTIONS},
    "AWS/AppSync": {"traffic": (), "binary": ("4XXError", "5XXError")},
    "AWS/Bedrock": {"traffic": ()},
    "AWS/CloudFront": {"traffic": ()},
    "AWS/Cognito": {"traffic": ()},
    "AWS/EventBridge/Pipes": {"traffic": ()},
    "AWS/Scheduler": {"traffic": ()},
    "AWS/WAFV2": {
        "event": (*sorted(NAMES["AWS/WAFV2"]), *UNVERIFIED["AWS/WAFV2"].split()),
    },
    "AWS/X-Ray": {"traffic": ()},
    "AWS/S3": {
        "traffic": (), "always": ("BucketSizeBytes", "NumberOfObjects"),
        "binary": ("4xxErrors", "5xxErrors"),
    },
    "AWS/ApplicationELB": {
        "traffic": (),
        "always": ("BYoIPUtilPercentage", "ConsumedLCUs", "DroppedInvalidHeaderRequestCount",
                   "ForwardedInvalidHeaderRequestCount", "HealthyHostCount", "PeakLCUs",
                   "RequestCount", "RequestCountPerTarget", "ReservedLCUs", "UnHealthyHostCount",
                   "ZonalShiftedHostCount"),
        "event": (*_HTTP_CODES, "RejectedConnectionCount", "TargetConnectionErrorCount",
                  "ClientTLSNegotiationErrorCount", "TargetTLSNegotiationErrorCount",
                  "LambdaInternalError", "LambdaUserError"),
        "binary": _HTTP_CODES,
    },
    # The four codes that no page names are published as the others, if at all.
    "AWS/ELB": {
        "event": (*_CLASSIC_CODES, *UNVERIFIED["AWS/ELB"].split(), "BackendConnectionErrors"),
        "binary": _CLASSIC_CODES,
    },
}  # fmt: skip

GAUGES = frozenset((
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible"),
    ("AWS/SQS", "ApproximateNumberOfMessagesNotVisible"),
    ("AWS/SQS", "ApproximateNumberOfMessagesDelayed"), ("AWS/SQS", "ApproximateAgeOfOldestMessage"),
    ("AWS/ApplicationELB", "HealthyHostCount"), ("AWS/ApplicationELB", "UnHealthyHostCount"),
    ("AWS/NetworkELB", "HealthyHostCount"), ("AWS/NetworkELB", "UnHealthyHostCount"),
    ("AWS/RDS", "DatabaseConnections"), ("AWS/RDS", "FreeStorageSpace"),
    ("AWS/RDS", "FreeableMemory"), ("AWS/RDS", "ReplicaLag"), ("AWS/RDS", "DiskQueueDepth"),
    ("AWS/Lambda", "ConcurrentExecutions"), ("AWS/Lambda", "IteratorAge"),
    ("AWS/ElastiCache", "CurrConnections"), ("AWS/ElastiCache", "FreeableMemory"),
    ("AWS/Kinesis", "GetRecords.IteratorAgeMilliseconds"),
))  # fmt: skip
"""Levels that are sampled once a minute or more often. Source: SQS developer guide, "Available
CloudWatch metrics for Amazon SQS"; ElastiCache user guide, "Monitoring use with CloudWatch Metrics"
(in 60-second intervals), Network Load Balancers user guide, "CloudWatch metrics for your Network
Load Balancer" (likewise), both read on 2026-11-26; RDS, Lambda, Kinesis and Application Load
Balancers guides, the pages on their metrics, not read again: each is what there is at a time."""

# Whose pages were read for this. Lambda developer guide, "Types of metrics for Lambda functions":
# "binary indicators". Application Load Balancers user guide, "CloudWatch metrics for your
# Application Load Balancer": "Always reported", or "There is a nonzero value" (a copy of 2023).
# Classic Load Balancers and WAF (pages above): "Reporting criteria: There is a nonzero value"; the
# codes' minimum, maximum and average are 1. EventBridge user guide, "Monitoring Amazon
# EventBridge": "only sends this metric to CloudWatch if it isn't zero". S3 user guide, "Metrics
# and dimensions": 4xxErrors and 5xxErrors are 0 or 1. Step Functions (page above). The others are
# not verified.
READ_TRAITS = frozenset(
    (
        "AWS/ApplicationELB",
        "AWS/ELB",
        "AWS/Events",
        "AWS/Lambda",
        "AWS/S3",
        "AWS/States",
        "AWS/WAFV2",
    )
)

# Source: S3 user guide, "Amazon S3 daily storage metrics for buckets in CloudWatch".
EVERY: Mapping[tuple[str, str], int] = {
    ("AWS/S3", "BucketSizeBytes"): 86_400,
    ("AWS/S3", "NumberOfObjects"): 86_400,
    # Source: Certificate Manager user guide, "Supported CloudWatch metrics": twice per day.
    ("AWS/CertificateManager", "DaysToExpiry"): 43_200,
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
    # Source: SES developer guide, "Creating reputation monitoring alarms": 0.05 stands for 5 %.
    ("AWS/SES", "Reputation.BounceRate"): 1,
    ("AWS/SES", "Reputation.ComplaintRate"): 1,
    ("AWS/VPN", "TunnelState"): 1,
}

# Levels in decibels, Flink's watermarks before the first event, and days since a list has expired.
# Source: the services' guides, as the list of names (``alarmproof.base.metric_rows.LIST``).
NEGATIVE = frozenset((
    ("AWS/ClientVPN", "CrlDaysToExpiry"), ("AWS/DX", "ConnectionLightLevelRx"),
    ("AWS/DX", "ConnectionLightLevelTx"), ("AWS/KinesisAnalytics", "currentInputWatermark"),
    ("AWS/KinesisAnalytics", "currentOutputWatermark"), ("AWS/MediaLive", "OutputAudioLevelDbfs"),
    ("AWS/MediaLive", "OutputAudioLevelLkfs"),
))  # fmt: skip
"""Metrics that can be below 0."""

# Those that a page was read for: Route 53 developer guide, "Monitoring your resources with Amazon
# Route 53 health checks and Amazon CloudWatch". Those at 100 have the unit Percent in the generated
# table, except RDS's CPUUtilization. The others are not verified.
READ_MOST = frozenset((("AWS/Route53", "HealthCheckStatus"),))

# Where the generated table has no unit, or words. Read for: Classic Load Balancers, Step Functions
# (pages above). The others are not verified, and equal to the generated unit where it has one.
UNITS: Mapping[tuple[str, str], str] = {
    ("AWS/Lambda", "Duration"): "Milliseconds",
    ("AWS/ES", "FreeStorageSpace"): "Megabytes",
    ("AWS/SQS", "ApproximateAgeOfOldestMessage"): "Seconds",
    ("AWS/ApplicationELB", "TargetResponseTime"): "Seconds",
    ("AWS/ELB", "Latency"): "Seconds",
    ("AWS/States", "ExecutionTime"): "Milliseconds",
    ("AWS/RDS", "ReadLatency"): "Seconds",
    ("AWS/RDS", "WriteLatency"): "Seconds",
}
