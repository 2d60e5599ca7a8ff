"""The resource types of CloudWatch and the properties of its alarms, as data.

Source: CloudFormation template reference, "Amazon CloudWatch", as the schemas of cfn-lint 1.58.0
and the classes of aws-cdk-lib 2.275.0 have it.
"""

from __future__ import annotations

METRIC_ALARM = "AWS::CloudWatch::Alarm"
COMPOSITE_ALARM = "AWS::CloudWatch::CompositeAlarm"
LOG_ALARM = "AWS::CloudWatch::LogAlarm"
MUTE_RULE = "AWS::CloudWatch::AlarmMuteRule"
# Custom resources replace the two on an emulator whose CloudFormation lacks them.
CUSTOM = {"Custom::Alarm": METRIC_ALARM, "Custom::CompositeAlarm": COMPOSITE_ALARM}
ALARM_TYPES = frozenset({METRIC_ALARM, COMPOSITE_ALARM, LOG_ALARM, *CUSTOM})

# Without alarms in them.
OTHER_TYPES = frozenset(
    f"AWS::CloudWatch::{name}"
    for name in (
        "AlarmMuteRule", "AnomalyDetector", "Dashboard", "InsightRule", "Integration",
        "MetricStream", "OTelEnrichment", "ResourceMetricsConfiguration", "View",
    )
)  # fmt: skip

_COMMON = (
    "ActionConfiguration ActionsEnabled AlarmActions AlarmDescription AlarmName "
    "InsufficientDataActions OKActions Tags"
)
PROPERTIES: dict[str, frozenset[str]] = {
    METRIC_ALARM: frozenset(
        f"{_COMMON} ComparisonOperator DatapointsToAlarm Dimensions "
        "EvaluateLowSampleCountPercentile EvaluationCriteria EvaluationInterval EvaluationPeriods "
        "EvaluationWindow ExtendedStatistic MetricName Metrics Namespace Period Statistic "
        "Threshold ThresholdMetricId TreatMissingData Unit WarmUpConfiguration".split()
    ),
    COMPOSITE_ALARM: frozenset(
        f"{_COMMON} ActionsSuppressor ActionsSuppressorExtensionPeriod "
        "ActionsSuppressorWaitPeriod AlarmRule".split()
    ),
    LOG_ALARM: frozenset(
        f"{_COMMON} ActionLogLineCount ActionLogLineRoleArn ComparisonOperator "
        "QueryResultsToAlarm QueryResultsToEvaluate ScheduledQueryConfiguration Threshold "
        "TreatMissingData WarmUpConfiguration".split()
    ),
}
METRIC_QUERY = frozenset(
    ("AccountId", "Expression", "Id", "Label", "MetricStat", "Period", "ReturnData")
)
METRIC_STAT = frozenset(["Metric", "Period", "Stat", "Unit"])
METRIC = frozenset(["Dimensions", "MetricName", "Namespace"])
DIMENSION = frozenset(["Name", "Value"])
# Read-only in the answers of DescribeAlarms. Source: CloudWatch API reference, MetricAlarm,
# CompositeAlarm and LogAlarm, as the model of botocore 1.43.106 has them.
LIVE_ONLY = frozenset(
    (
        "AlarmArn", "AlarmConfigurationUpdatedTimestamp", "StateValue", "StateReason",
        "StateReasonData", "StateUpdatedTimestamp", "StateTransitionedTimestamp",
        "EvaluationState", "ActionsSuppressedBy", "ActionsSuppressedReason",
    )
)  # fmt: skip
