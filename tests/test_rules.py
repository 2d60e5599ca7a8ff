"""The templates against AWS's rules: every finding that stands has its reason here."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.templates import Synthesized

# (rule, construct) -> why the finding stands. Both are patterns: the rule with what it found, and
# the construct's path.
ACKNOWLEDGED = {
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
        "A run that failed is made up for by the next; an alarm tells when they are missing."
    ),
    ("Serverless-LambdaAsyncFailureDestination", "(Heartbeat|Audit)/EventInvokeConfig/Resource"): (
        "As for their dead-letter targets."
    ),
    ("Serverless-EventBusDLQ", "(Heartbeat|Audit)Schedule/Resource"): (
        "As for their dead-letter targets."
    ),
    (
        r"AwsSolutions-IAM5\[Resource::\*\]",
        "(Audit|Notifications/Notify)Role/DefaultPolicy/Resource",
    ): ("GetMetricData and DescribeAlarms know no narrower resource; both only read."),
    (
        r"AwsSolutions-IAM5\[Resource::arn:<AWS::Partition>:dynamodb:.*-parking/index/\*\]",
        "AuditRole/DefaultPolicy/Resource",
    ): "The table has one index, which the audit reads.",
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
# cfn-lint rule -> why it is ignored.
IGNORED = {"W3005": "The CDK itself writes a DependsOn that a GetAtt implies already."}


def test_nag_findings_are_explained(synthesized: dict[str, Synthesized]) -> None:
    """cdk-nag's AwsSolutions and Serverless packs find nothing but what has a reason here."""
    unexplained = {
        finding
        for environment in synthesized.values()
        for finding in environment.findings
        if not any(_matches(finding, known) for known in ACKNOWLEDGED)
    }
    assert not unexplained


@pytest.mark.parametrize("known", ACKNOWLEDGED, ids=lambda known: known[0])
def test_acknowledgements_are_used(
    synthesized: dict[str, Synthesized], known: tuple[str, str]
) -> None:
    """A reason for a finding that nothing has is a leftover."""
    findings = {finding for one in synthesized.values() for finding in one.findings}
    assert any(_matches(finding, known) for finding in findings)


@pytest.mark.slow
def test_cfn_lint_is_silent(synthesized: dict[str, Synthesized]) -> None:
    """cfn-lint has no error and no warning beyond the ignored ones."""
    files = [str(stack.file) for one in synthesized.values() for stack in one.stacks]
    lint = str(Path(sys.executable).with_name("cfn-lint"))
    command = [lint, "--ignore-checks", *IGNORED, "--template", *files]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def _matches(finding: tuple[str, str], known: tuple[str, str]) -> bool:
    return all(re.fullmatch(*both) for both in zip(known, finding, strict=True))
