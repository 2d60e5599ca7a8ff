"""Terraform's resource types as CloudFormation's, as data.

Only what a check of alarms looks at. Source: the pages of the AWS provider, version 6, of each
resource; the CloudFormation template reference of each type.
"""

from __future__ import annotations

from collections.abc import Mapping

from alarmproof.base.known import COMPOSITE_ALARM, METRIC_ALARM

ALARMS = ("aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm")
_COMMON = {
    "alarm_name": "AlarmName", "alarm_description": "AlarmDescription",
    "actions_enabled": "ActionsEnabled", "alarm_actions": "AlarmActions",
    "ok_actions": "OKActions", "insufficient_data_actions": "InsufficientDataActions",
}  # fmt: skip
_METRIC = {
    "namespace": "Namespace", "metric_name": "MetricName", "dimensions": "Dimensions",
    "period": "Period", "stat": "Stat", "unit": "Unit",
}  # fmt: skip
NESTED: Mapping[str, Mapping[str, str]] = {
    "metric_query": {
        "id": "Id", "account_id": "AccountId", "expression": "Expression", "label": "Label",
        "period": "Period", "return_data": "ReturnData", "metric": "_metric",
    },
    "metric": _METRIC,
    "actions_suppressor": {
        "alarm": "ActionsSuppressor", "wait_period": "ActionsSuppressorWaitPeriod",
        "extension_period": "ActionsSuppressorExtensionPeriod",
    },
    "step_scaling_policy_configuration": {"step_adjustment": "StepAdjustments"},
    "step_adjustment": {
        "metric_interval_lower_bound": "MetricIntervalLowerBound",
        "metric_interval_upper_bound": "MetricIntervalUpperBound",
        "scaling_adjustment": "ScalingAdjustment",
    },
    "metric_transformation": {
        "name": "MetricName", "namespace": "MetricNamespace", "value": "MetricValue",
        "default_value": "DefaultValue", "dimensions": "Dimensions", "unit": "Unit",
    },
}  # fmt: skip
RESOURCES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "aws_cloudwatch_metric_alarm": (
        METRIC_ALARM,
        {
            **_COMMON, **_METRIC, "comparison_operator": "ComparisonOperator",
            "evaluation_periods": "EvaluationPeriods", "datapoints_to_alarm": "DatapointsToAlarm",
            "statistic": "Statistic", "extended_statistic": "ExtendedStatistic",
            "threshold": "Threshold", "threshold_metric_id": "ThresholdMetricId",
            "treat_missing_data": "TreatMissingData", "metric_query": "Metrics",
            "evaluate_low_sample_count_percentiles": "EvaluateLowSampleCountPercentile",
        },
    ),
    "aws_cloudwatch_composite_alarm": (
        COMPOSITE_ALARM,
        {**_COMMON, "alarm_rule": "AlarmRule", "actions_suppressor": "_suppressor"},
    ),
    "aws_sns_topic": (
        "AWS::SNS::Topic", {"name": "TopicName", "kms_master_key_id": "KmsMasterKeyId"},
    ),
    "aws_sns_topic_subscription": (
        "AWS::SNS::Subscription",
        {"topic_arn": "TopicArn", "protocol": "Protocol", "endpoint": "Endpoint"},
    ),
    "aws_sns_topic_policy": (
        "AWS::SNS::TopicPolicy", {"arn": "Topics", "policy": "PolicyDocument"},
    ),
    "aws_kms_key": ("AWS::KMS::Key", {"policy": "KeyPolicy"}),
    "aws_sqs_queue": (
        "AWS::SQS::Queue",
        {"name": "QueueName", "message_retention_seconds": "MessageRetentionPeriod",
         "redrive_policy": "RedrivePolicy"},
    ),
    "aws_lambda_function": (
        "AWS::Lambda::Function", {"function_name": "FunctionName", "timeout": "Timeout"},
    ),
    "aws_lambda_permission": (
        "AWS::Lambda::Permission",
        {"function_name": "FunctionName", "principal": "Principal", "action": "Action",
         "source_arn": "SourceArn"},
    ),
    "aws_lambda_event_source_mapping": (
        "AWS::Lambda::EventSourceMapping",
        {"function_name": "FunctionName", "event_source_arn": "EventSourceArn"},
    ),
    "aws_cloudwatch_log_metric_filter": (
        "AWS::Logs::MetricFilter",
        {"name": "FilterName", "log_group_name": "LogGroupName", "pattern": "FilterPattern",
         "metric_transformation": "MetricTransformations"},
    ),
    "aws_api_gateway_rest_api": ("AWS::ApiGateway::RestApi", {"name": "Name"}),
    "aws_apigatewayv2_api": (
        "AWS::ApiGatewayV2::Api", {"name": "Name", "protocol_type": "ProtocolType"},
    ),
    "aws_lb": (
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        {"name": "Name", "load_balancer_type": "Type"},
    ),
    "aws_lb_target_group": (
        "AWS::ElasticLoadBalancingV2::TargetGroup", {"name": "Name", "protocol": "Protocol"},
    ),
    "aws_elasticache_replication_group": ("AWS::ElastiCache::ReplicationGroup", {}),
    "aws_rds_cluster_instance": (
        "AWS::RDS::DBInstance", {"identifier": "DBInstanceIdentifier", "engine": "Engine"},
    ),
    "aws_kinesis_stream": ("AWS::Kinesis::Stream", {"name": "Name"}),
    "aws_s3_bucket": ("AWS::S3::Bucket", {"bucket": "BucketName"}),
    "aws_db_instance": (
        "AWS::RDS::DBInstance",
        {"identifier": "DBInstanceIdentifier", "engine": "Engine",
         "allocated_storage": "AllocatedStorage"},
    ),
    "aws_wafv2_web_acl": ("AWS::WAFv2::WebACL", {"name": "Name", "scope": "Scope"}),
    "aws_ecs_cluster": ("AWS::ECS::Cluster", {"name": "ClusterName"}),
    "aws_ecs_service": (
        "AWS::ECS::Service",
        {"name": "ServiceName", "cluster": "Cluster", "launch_type": "LaunchType"},
    ),
    "aws_dynamodb_table": ("AWS::DynamoDB::Table", {"name": "TableName"}),
    "aws_route53_health_check": (
        "AWS::Route53::HealthCheck", {"cloudwatch_alarm_name": "AlarmName", "type": "Type"},
    ),
    "aws_appautoscaling_policy": (
        "AWS::ApplicationAutoScaling::ScalingPolicy",
        {"name": "PolicyName",
         "step_scaling_policy_configuration": "StepScalingPolicyConfiguration"},
    ),
    "aws_autoscaling_policy": (
        "AWS::AutoScaling::ScalingPolicy",
        {"name": "PolicyName", "autoscaling_group_name": "AutoScalingGroupName",
         "step_adjustment": "StepAdjustments"},
    ),
}  # fmt: skip
