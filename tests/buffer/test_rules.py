"""The templates against AWS's rules: every finding that stands has its reason here."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.buffer.conftest import Synthesized

pytestmark = pytest.mark.xdist_group("synth")

# (rule, construct) -> why the finding stands. The construct is a pattern over its path.
ACKNOWLEDGED = {
    ("AwsSolutions-SQS3", "Queue/Resource"): (
        "A dead-letter queue on a FIFO queue breaks the order within a group: what fails stays "
        "at its head until it is delivered or expires, and alarms say so."
    ),
    ("Serverless-SQSRedrivePolicy", "Queue/Resource"): "As for SQS3.",
    ("Serverless-LambdaEventSourceMappingDestination", "Subscribe/SqsEventSource.*/Resource"): (
        "SQS event sources have no failure destination; a failed message stays in the queue."
    ),
    ("Serverless-LambdaDLQ", "(Publish|Subscribe|FauxBackend)/Resource"): (
        "Dead-letter targets are for asynchronous invocations; these are invoked by an API and "
        "by an event source."
    ),
    ("Serverless-LambdaTracing", "(Publish|Subscribe|FauxBackend)/Resource"): (
        "Traces are Datadog's; X-Ray beside it would be paid for twice."
    ),
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


def test_nag_findings_are_explained(environments: dict[str, Synthesized]) -> None:
    """cdk-nag's AwsSolutions and Serverless packs find nothing but what has a reason here."""
    unexplained = {
        finding
        for environment in environments.values()
        for finding in environment.findings
        if not any(_matches(finding, known) for known in ACKNOWLEDGED)
    }
    assert not unexplained


@pytest.mark.parametrize("known", ACKNOWLEDGED, ids=lambda known: known[0])
def test_acknowledgements_are_used(
    environments: dict[str, Synthesized], known: tuple[str, str]
) -> None:
    """A reason for a finding that nothing has is a leftover."""
    findings = {finding for one in environments.values() for finding in one.findings}
    assert any(_matches(finding, known) for finding in findings)


def test_cfn_lint_is_silent(environments: dict[str, Synthesized]) -> None:
    """cfn-lint has no error and no warning beyond the ignored ones."""
    files = [str(environment.file) for environment in environments.values()]
    lint = str(Path(sys.executable).with_name("cfn-lint"))
    command = [lint, "--ignore-checks", *IGNORED, "--template", *files]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def _matches(finding: tuple[str, str], known: tuple[str, str]) -> bool:
    return finding[0] == known[0] and re.fullmatch(known[1], finding[1]) is not None
