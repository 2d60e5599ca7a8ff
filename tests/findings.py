"""Findings in templates that stand, each with its reason.

A finding is a pair: the rule with what it found, and the construct's path or the resource. Both are
patterns here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

# cdk-nag's, in the environments of cdk.json.
NAG: Mapping[tuple[str, str], str] = {
    ("AwsSolutions-SQS3", "Queue/Resource"): (
        "A dead-letter queue on a FIFO queue breaks the order within a group: what fails stays "
        "at its head until it is delivered or expires, and alarms say so."
    ),
    ("Serverless-SQSRedrivePolicy", "Queue/Resource"): "As for SQS3.",
    ("Serverless-SQSRedrivePolicy", "Notifications/Undelivered/Resource"): (
        "It is the dead-letter queue."
    ),
    (
        "Serverless-LambdaEventSourceMappingDestination",
        "(Subscribe|Notifications/Notify)/SqsEventSource.*/Resource",
    ): "SQS event sources have no failure destination; a failed message stays in the queue.",
    (
        "Serverless-LambdaDLQ",
        "(Publish|Subscribe|FauxBackend|Notifications/Notify|LaptopAlarms)/Resource",
    ): (
        "Dead-letter targets are for asynchronous invocations; these are invoked by an API, by an "
        "event source, or by CloudFormation, which waits."
    ),
    ("Serverless-LambdaDLQ", "(Heartbeat|Audit)/Resource"): (
        "A run that failed is made up for by the next; an alarm fires when they are missing."
    ),
    ("Serverless-LambdaAsyncFailureDestination", "(Heartbeat|Audit)/EventInvokeConfig/Resource"): (
        "As for their dead-letter targets."
    ),
    ("Serverless-EventBusDLQ", "(Heartbeat|Audit)Schedule/Resource"): (
        "As for their dead-letter targets."
    ),
    (
        r"AwsSolutions-IAM5\[Resource::\*\]",
        "Notifications/NotifyRole/DefaultPolicy/Resource",
    ): ("DescribeAlarms knows no narrower resource; it only reads."),
    (
        r"AwsSolutions-IAM5\[Resource::arn:<AWS::Partition>:dynamodb:.*-parking/index/\*\]",
        "(Audit|Notifications/Notify)Role/DefaultPolicy/Resource",
    ): "The table has one index, which audit and notify read.",
    (
        r"AwsSolutions-IAM5\[Resource::arn:<AWS::Partition>:logs:.*-(publish|subscribe|audit):\*\]",
        "(Audit|Notifications/Notify)Role/DefaultPolicy/Resource",
    ): "The streams of log groups, which audit and notify read; their names are Lambda's.",
    (
        r"AwsSolutions-IAM5\[Resource::<Bodies.*\.Arn>/bodies/\*\]",
        "SubscribeRole/DefaultPolicy/Resource",
    ): "A body's key is its webhook's id, which nobody knows before.",
    ("AwsSolutions-S1", "Bodies/Resource"): (
        "One function writes here and operators read; CloudTrail's data events log that where "
        "somebody needs it, and access logs would need a bucket of their own."
    ),
    ("AwsSolutions-SMG4", "HeartbeatKey/Resource"): (
        "A rotated key would turn heartbeats on their way into ordinary webhooks; the key proves "
        "only that a heartbeat is ours."
    ),
    (r"AwsSolutions-IAM5\[Resource::\*\]", "LaptopAlarmsRole/DefaultPolicy/Resource"): (
        "Deployed on the laptop only, whose emulator enforces no policies."
    ),
    ("Serverless-SNSRedrivePolicy", "Notifications/.*(Topic|Mail)/.*@.*/Resource"): (
        "SNS has no dead-letter queue to offer for mail it has handed over."
    ),
    (
        "Serverless-LambdaTracing",
        "(Publish|Subscribe|FauxBackend|Heartbeat|Audit|LaptopAlarms|Notifications/Notify)"
        "/Resource",
    ): ("Traces are Datadog's; X-Ray beside it would be paid for twice."),
    ("AwsSolutions-APIG4", "(Api|FauxBackendApi)/DefaultRoute/Resource"): (
        "Senders of webhooks authenticate by signatures that only the backend can check."
    ),
    ("Serverless-APIGWDefaultThrottling", "(ApiStage|FauxBackendApiStage)/Resource"): (
        "A lower limit than the account's would refuse webhooks in a surge, which is when the "
        "buffer is needed."
    ),
}
# cfn-lint's rules.
LINT: Mapping[str, str] = {
    "W3005": "The CDK itself writes a DependsOn that a GetAtt implies already."
}
# cdk-nag's, in the settings of tests/variants.py.
NAG_OF_VARIANTS: Mapping[tuple[str, str], str] = {
    (r"AwsSolutions-IAM5\[Resource::\*\]", "SubscribeRole/DefaultPolicy/Resource"): (
        "Lambda makes network interfaces with this role, which know no narrower resource; a "
        "statement denies it to the function's own code."
    ),
}
# checkov's, in the settings of tests/variants.py and in the environments of cdk.json.
CHECKOV: Mapping[tuple[str, str], str] = {
    ("CKV_AWS_115", "AWS::Lambda::Function.*"): (
        "Reserved concurrency is taken from the rest of the account, and a low one throttles "
        "healthy messages; the event source's limit does what this rule wants."
    ),
    ("CKV_AWS_116", "AWS::Lambda::Function.*"): (
        "Dead-letter targets are for asynchronous invocations; what is invoked so, the heartbeat "
        "and the audit, is made up for by the next run."
    ),
    (
        "CKV_AWS_117",
        "AWS::Lambda::Function.(Publish|FauxBackend|Heartbeat|Audit|LaptopAlarms|"
        "NotificationsNotify).*",
    ): "They talk to AWS and to public addresses alone, so that a network would protect nothing.",
    ("CKV_AWS_111", "AWS::IAM::Policy.SubscribeRoleDefaultPolicy.*"): (
        "Network interfaces, as for cdk-nag."
    ),
    ("CKV_AWS_111", "AWS::IAM::Policy.LaptopAlarmsRoleDefaultPolicy.*"): (
        "Deployed on the laptop only, as for cdk-nag."
    ),
    ("CKV_AWS_18", "AWS::S3::Bucket.Bodies.*"): "Access logs, as for cdk-nag.",
    ("CKV_AWS_21", "AWS::S3::Bucket.Bodies.*"): (
        "An object is written once and the same each time, so that versions would keep bodies "
        "beyond their time."
    ),
    ("CKV_AWS_26", "AWS::SNS::Topic.Notifications.*Mail.*"): (
        "It is notified when the usual path is broken, so it shares no key with it; what it "
        "carries leaves AWS as mail."
    ),
}
# The same, where settings lack a key.
CHECKOV_WITHOUT: Mapping[str, Mapping[tuple[str, str], str]] = {
    "encryptionKeyArn": {
        ("CKV_AWS_27", "AWS::SQS::Queue.*"): "Encrypted by SQS; the rule knows KMS only.",
        ("CKV_AWS_119", "AWS::DynamoDB::Table.*"): "Encrypted by a key of AWS's own.",
        ("CKV_AWS_149", "AWS::SecretsManager::Secret.*"): "Encrypted by a key of AWS's own.",
        ("CKV_AWS_158", "AWS::Logs::LogGroup.*"): "Encrypted by a key of AWS's own.",
        ("CKV_AWS_173", "AWS::Lambda::Function.*"): (
            "Encrypted by a key of AWS's own; what is secret is in Secrets Manager."
        ),
    },
    "vpc": {
        ("CKV_AWS_117", "AWS::Lambda::Function.Subscribe.*"): "Its backend is public.",
    },
}


def matches(finding: tuple[str, str], known: tuple[str, str]) -> bool:
    """Whether a finding is a known one."""
    return all(re.fullmatch(*both) for both in zip(known, finding, strict=True))
