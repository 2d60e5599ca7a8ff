"""The rights that commands need are those of the calls that their code makes."""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import xform_name

from settings.errors import InputError
from settings.loader import load
from settings.paths import ROOT
from tests.fake_aws import Answer, install
from webhook_buffer.cli import main
from webhook_buffer.cli.app import app
from webhook_buffer.cli.aws_calls import CLIENTS, all_calls
from webhook_buffer.cli.permissions import by_command, permissions, policy
from webhook_buffer.laptop import laptop
from webhook_buffer.operations.rights import RIGHTS

# Source: IAM user guide, "IAM and AWS STS quotas": characters of a managed policy.
_MANAGED_POLICY = 6144
# Actions that are not named after their operation. Source: Service Authorization Reference.
_OTHERWISE = {
    "apigateway.get_rest_apis": "apigateway:GET",
    "apigatewayv2.get_api": "apigateway:GET",
    "apigatewayv2.get_domain_name": "apigateway:GET",
    "lambda.invoke": "lambda:InvokeFunction",
    "s3.get_bucket_encryption": "s3:GetEncryptionConfiguration",
    "s3.head_bucket": "s3:ListBucket",
}


def test_every_call_has_its_right() -> None:
    """A call without a right would be refused, and a right without a call is one too many."""
    assert all_calls() == RIGHTS.keys()


# What an environment is called where calls are read.
_ENVIRONMENTS = {"target", "_target"}
# Where clients are made: an environment's, and STS's, whose calls need no right.
_MAKE_CLIENTS = {"caller.py", "environment.py"}


def _escapes(tree: ast.Module) -> Iterator[str]:
    """Where a client is handed on, or an environment has a name that its calls aren't read by."""
    pairs = ((parent, node) for parent in ast.walk(tree) for node in ast.iter_child_nodes(parent))
    for parent, node in pairs:
        if isinstance(node, ast.Attribute) and node.attr in CLIENTS:
            owner = ast.unparse(node.value).rpartition(".")[2]
            named = isinstance(parent, ast.Assign) and isinstance(parent.targets[0], ast.Name)
            if owner in _ENVIRONMENTS and not (named or isinstance(parent, ast.Attribute)):
                yield ast.unparse(parent)
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("client", "resource"):
            yield ast.unparse(node)
        if isinstance(node, ast.arg) and getattr(node.annotation, "id", "") == "Environment":
            yield from {node.arg} - _ENVIRONMENTS


def test_every_call_can_be_read() -> None:
    """Calls are read from ``target.sqs.…``, and nothing of ours asks AWS in another way."""
    files = [
        file
        for file in (ROOT / "webhook_buffer").rglob("*.py")
        if "laptop" not in file.parts
        and "benchmark" not in file.parts
        and file.name not in _MAKE_CLIENTS
    ]
    assert {
        file.name for file in files if any(_escapes(ast.parse(file.read_text("utf-8"))))
    } == set()


@pytest.mark.parametrize(
    "code",
    [
        "def purge(target): helper(target.sqs)",
        "def purge(target): self.client = target.sqs",
        "def purge(target): target.session.client('sqs').purge_queue()",
        "def purge(environment: Environment): environment.sqs.purge_queue()",
    ],
)
def test_a_call_that_can_not_be_read_is_seen(code: str) -> None:
    """Each way to keep a call from being counted is reported."""
    assert list(_escapes(ast.parse(code)))


@cache
def _operations(service: str) -> dict[str, str]:
    """The operations of a service in boto3, by their methods."""
    client: Any = boto3.client(service, region_name="us-east-1")  # type: ignore[call-overload]
    return dict(client.meta.method_to_api_mapping)


@pytest.mark.parametrize("call", [call for call in RIGHTS if not call.startswith("cdk.")])
def test_actions_are_those_of_the_calls(call: str) -> None:
    """A call exists in boto3, and the action is the one that its operation asks for."""
    service, _, method = call.partition(".")
    operation = _operations(service)[method]
    action = _OTHERWISE.get(call, f"{service}:{operation}")
    assert RIGHTS[call][0].action == action


_QUEUE = {"QueueUrl": "https://sqs.us-east-1.amazonaws.com/111111111111/q"}
_COUNTS = {
    "Attributes": {"ApproximateNumberOfMessages": "3", "ApproximateNumberOfMessagesNotVisible": "1"}
}
_STACK = {
    "StackName": "webhook-buffer-dev",
    "CreationTime": "2026-01-01T00:00:00Z",
    "StackStatus": "UPDATE_COMPLETE",
    "Outputs": [
        {"OutputKey": key, "OutputValue": "https://x.example.com"}
        for key in ("Release", "BufferedEndpoint")
    ],
}
_ALARM = {
    "AlarmName": "webhook-buffer-dev-x", "StateValue": "OK", "Namespace": "AWS/SQS",
    "MetricName": "m", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1, "Threshold": 1.0,
    "ComparisonOperator": "GreaterThanThreshold",
}  # fmt: skip
_ANSWERS: dict[str, Answer] = {
    "cloudformation.DescribeStacks": {"Stacks": [_STACK]},
    "cloudwatch.DescribeAlarms": {"MetricAlarms": [_ALARM]},
    "cloudwatch.GetMetricData": {"MetricDataResults": []},
    "logs.FilterLogEvents": {"events": []},
    "sqs.GetQueueAttributes": _COUNTS,
    "sqs.GetQueueUrl": _QUEUE,
}


@pytest.mark.parametrize("words", ["status", "outputs", "logs", "alarms status"])
def test_a_command_makes_no_other_call(
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    """What a command asks AWS when it runs is in the table, which has little else of it."""
    fake = install(monkeypatch, "111111111111")
    fake.answers |= _ANSWERS
    monkeypatch.setattr(laptop, "STATE", tmp_path)
    monkeypatch.setattr(sys, "argv", ["webhook-buffer", *words.split(), "--env", "dev"])
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert not ended.value.code, capfd.readouterr()
    made = {_method(name) for name in fake.names} - {"sts.get_caller_identity"}
    assert by_command(app)[words] - made <= {"sns.list_subscriptions_by_topic"}  # dev has no mail
    assert made <= by_command(app)[words]


def test_what_a_page_reads_is_in_the_table() -> None:
    """Also what only a coroutine's server calls, and nothing that writes."""
    assert by_command(app)["console"] == {
        "cloudwatch.describe_alarms", "cloudwatch.describe_alarm_history",
        "cloudwatch.get_metric_data", "dynamodb.batch_get_item", "dynamodb.get_item",
        "dynamodb.query", "logs.filter_log_events", "s3.get_object",
    }  # fmt: skip


def _method(name: str) -> str:
    service, _, operation = name.partition(".")
    return f"{service}.{xform_name(operation)}"


def test_policies_fit() -> None:
    """The policy of everything fits into one managed policy, in every environment."""
    calls = by_command(app)
    for env in ("dev", "stg", "prd"):
        text = json.dumps(policy(load(env), calls, tuple(calls)), separators=(",", ":"))
        assert len(text) <= _MANAGED_POLICY


def test_policy_names_the_environment(capsys: pytest.CaptureFixture[str]) -> None:
    """A command's policy allows its actions on that environment's resources alone."""
    permissions(app, "stg", commands=["outputs"], trusted=None)
    (statement,) = json.loads(capsys.readouterr().out)["Statement"]
    assert statement["Action"] == ["cloudformation:DescribeStacks"]
    assert statement["Resource"] == [
        f"arn:aws:cloudformation:us-east-1:222222222222:stack/webhook-buffer-{name}/*"
        for name in ("stg", "stg-monitoring")
    ]


def test_trust_policy(capsys: pytest.CaptureFixture[str]) -> None:
    """The role's trust policy lets the given principal assume it."""
    arn = "arn:aws:iam::444444444444:root"
    permissions(app, "stg", commands=(), trusted=arn)
    (statement,) = json.loads(capsys.readouterr().out)["Statement"]
    assert (statement["Principal"], statement["Action"]) == ({"AWS": arn}, "sts:AssumeRole")


def test_key_policy(capsys: pytest.CaptureFixture[str]) -> None:
    """The key's policy lets AWS's services use it for this environment's resources alone."""
    permissions(app, "stg", commands=(), key=True)
    account, *services = json.loads(capsys.readouterr().out)["Statement"]
    assert account["Principal"] == {"AWS": "arn:aws:iam::222222222222:root"}
    assert {grant["Principal"]["Service"].partition(".")[0] for grant in services} == {
        "logs", "cloudwatch", "sns",
    }  # fmt: skip
    for statement in services:
        arns = str(statement["Condition"]["ArnLike"])
        assert "us-east-1:222222222222:" in arns
        assert "webhook-buffer-stg" in arns


def test_unknown_command() -> None:
    """A command that asks AWS for nothing is named, with those that do."""
    with pytest.raises(InputError, match=re.escape("'synth' is not a command that needs rights")):
        permissions(app, "dev", commands=["synth"], trusted=None)
