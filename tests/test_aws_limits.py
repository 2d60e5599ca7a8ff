"""What AWS refuses and the emulator takes; docs/first-deployment.md lists the tests of each."""

from __future__ import annotations

import ast
import asyncio
import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from functions.assets import functions_asset
from lambdas.base.envelope import MAX_MESSAGE_BYTES
from settings.errors import SettingsError
from settings.keys import Keys
from settings.loader import load
from settings.paths import ROOT
from tests.quotas import uses
from tests.templates import Synthesized, Template
from webhook_buffer.laptop.gateway import Gateway

pytestmark = pytest.mark.xdist_group("demanding")

_EVENT_BYTES = 6 * 1024 * 1024
_HIDDEN_SECONDS = 12 * 3600
# What an account has of each in a region by default. Sources: API Gateway developer guide, "Amazon
# API Gateway quotas" (regional APIs) and "Quotas for configuring and running an HTTP API";
# DynamoDB, EventBridge (fewer in two regions), IAM (account-wide), KMS, CloudWatch Logs, Route 53
# (in a zone), S3 (account-wide), Secrets Manager and SNS quotas. Alarms have none: CloudWatch user
# guide, "CloudWatch service quotas".
_QUOTAS = {
    "AWS::ApiGatewayV2::Api": 600,
    "AWS::ApiGatewayV2::DomainName": 120,
    "AWS::DynamoDB::Table": 2500,
    "AWS::Events::Rule": 300,
    "AWS::IAM::ManagedPolicy": 1500,
    "AWS::IAM::Role": 1000,
    "AWS::KMS::Key": 100_000,
    "AWS::Logs::LogGroup": 1_000_000,
    "AWS::Route53::RecordSet": 10_000,
    "AWS::S3::Bucket": 10_000,
    "AWS::SNS::Topic": 100_000,
    "AWS::SecretsManager::Secret": 500_000,
}
# Sources: CloudFormation user guide, "Understand CloudFormation quotas"; Lambda developer guide,
# "Lambda quotas".
_STACKS, _CODE_BYTES = 2_000, 75 * 1024**3
_ENVIRONMENTS = 20
# What is another in other partitions, the files whose business that is, and those with an example
# of nobody's for documents.
_SPELLED = re.compile(r"arn:aws:|amazonaws\.com|console\.aws")
_HOMES = {
    "lambdas/base/aws.py", "lambdas/links.py", "lambdas/sources/schemes/sns.py",
    "webhook_buffer/operations/key_policy.py",
}  # fmt: skip
_EXAMPLES = {"monitoring/documents/datadog.py", "settings/signing.py"}
_FOLDERS = (
    "alarms", "buffer", "functions", "lambdas", "monitoring", "settings", "webhook_buffer/cli",
    "webhook_buffer/live", "webhook_buffer/operations",
)  # fmt: skip


def test_every_leniency_is_closed_by_tests_that_exist() -> None:
    """The page names, for each thing that the emulator lets pass, tests that are there."""
    page = (ROOT / "docs" / "first-deployment.md").read_text("utf-8")
    section = page.partition("## What the emulator does not check")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ") and "::" in line]
    assert len(rows) == section.count("\n| ") - 2
    for file, test in re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", section):
        assert f"def {test}(" in (ROOT / file).read_text("utf-8"), (file, test)


def _functions(stacks: Synthesized) -> Iterator[tuple[Template, str, dict[str, Any]]]:
    for stack in stacks.stacks:
        for name, entry in stack.resources("AWS::Lambda::Function").items():
            yield stack, name, dict(entry["Properties"])


def _statements(stack: Template, role: str) -> list[dict[str, Any]]:
    return [
        statement
        for policy in stack.resources("AWS::IAM::Policy").values()
        if {"Ref": role} in policy["Properties"]["Roles"]
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
    ]


def test_whoever_reads_a_secret_may_decrypt_it(demanding: Synthesized) -> None:
    """Whoever may read secrets under a customer's keys may decrypt with a customer's key."""
    readers = 0
    for stack, _, properties in _functions(demanding):
        statements = _statements(stack, properties["Role"]["Fn::GetAtt"][0])
        actions = Counter(
            action
            for statement in statements
            for action in [statement["Action"]]
            if isinstance(action, str) and statement["Effect"] == "Allow"
        )
        resources = json.dumps(
            [
                statement["Resource"]
                for statement in statements
                if "secretsmanager" in str(statement["Action"])
            ]
        )
        if "secret:" in resources:
            readers += 1
            assert actions["kms:Decrypt"], properties["FunctionName"]
    assert readers >= 2


def test_quotas_of_templates_have_room(demanding: Synthesized) -> None:
    """With every feature in use, templates take no more than AWS lets each have.

    ``make templates`` asks the same of all variants, of which one has everything at its most.
    """
    for stack in demanding.stacks:
        assert [use for use in uses(stack.template) if use.taken > use.most] == []
        assert stack.file.stat().st_size < 1024 * 1024


def _edges() -> Iterator[tuple[str, int, dict[str, Any]]]:
    """Quotas, what AWS takes of each, and resources with one more."""
    yield "Resources", 500, {str(number): {"Type": "x"} for number in range(501)}
    yield "tags", 47, {"a": {"Type": "x", "Properties": {"Tags": [{}] * 48}}}
    log = {"LogGroupName": {"Ref": "Log"}}
    yield (
        "subscription filters",
        2,
        {
            str(number): {"Type": "AWS::Logs::SubscriptionFilter", "Properties": log}
            for number in range(3)
        },
    )
    statement = {"Action": "*", "Resource": "r" * 5_200}
    policy = {"Roles": [{"Ref": "Role"}], "PolicyDocument": {"Statement": [statement]}}
    yield (
        "inline policies",
        10_240,
        {name: {"Type": "AWS::IAM::Policy", "Properties": policy} for name in "ab"},
    )
    queue = {"PolicyDocument": {"Statement": [{"Action": ["a"] * 8}]}}
    yield "actions of a statement", 7, {"a": {"Type": "AWS::SQS::QueuePolicy", "Properties": queue}}
    names = (f'ALARM("{number}")' for number in range(101))
    composite = {"AlarmRule": " OR ".join(names)}
    yield (
        "children",
        100,
        {"a": {"Type": "AWS::CloudWatch::CompositeAlarm", "Properties": composite}},
    )
    widgets = [{"properties": {"alarms": ["a"] * 101, "metrics": [["m"]] * 501}}]
    dashboard = {"DashboardBody": {"Fn::Join": ["", [json.dumps({"widgets": widgets}), ""]]}}
    for quota, most in {"alarms of a widget": 100, "metrics of a widget": 500}.items():
        yield quota, most, {"a": {"Type": "AWS::CloudWatch::Dashboard", "Properties": dashboard}}
    metrics: Any = {"Metrics": [{"MetricStat": {}}] * 11}
    yield "metrics", 10, {"a": {"Type": "AWS::CloudWatch::Alarm", "Properties": metrics}}
    variables = {"Environment": {"Variables": {"NAME": "v" * 4_093}}}
    yield "variables", 4_096, {"a": {"Type": "AWS::Lambda::Function", "Properties": variables}}


@pytest.mark.parametrize(("quota", "most", "resources"), list(_edges()))
def test_a_quota_is_counted(quota: str, most: int, resources: dict[str, Any]) -> None:
    """One more than AWS takes is seen."""
    exceeded = [use for use in uses({"Resources": resources}) if use.taken > use.most]
    assert (quota, most) in {(use.quota, use.most) for use in exceeded}


def test_many_environments_fit_into_an_account(demanding: Synthesized) -> None:
    """An environment takes so little of what is counted per account that twenty fit."""
    counts = Counter(
        entry["Type"]
        for stack in demanding.stacks
        for entry in stack.template["Resources"].values()
    )
    fitting = {kind: most // counts[kind] for kind, most in _QUOTAS.items() if counts[kind]}
    assert min(fitting.values()) >= _ENVIRONMENTS, fitting
    # Whatever adds an entry to the account's few log resource policies would be refused at ten.
    assert not counts["AWS::Logs::ResourcePolicy"]
    assert len(demanding.stacks) * _ENVIRONMENTS <= _STACKS
    size = sum(
        file.stat().st_size
        for file in functions_asset(cryptography=True).rglob("*")
        if file.is_file()
    )
    functions = counts["AWS::Lambda::Function"]
    # Functions have no versions, so that each takes its code once.
    assert functions * size * _ENVIRONMENTS <= _CODE_BYTES


def test_only_records_have_several_indexes(demanding: Synthesized) -> None:
    """A second index comes one deployment later, which is arranged for the record table alone."""
    several = [
        entry["Properties"]["TableName"]
        for stack in demanding.stacks
        for entry in stack.resources("AWS::DynamoDB::Table").values()
        if len(entry["Properties"].get("GlobalSecondaryIndexes", ())) > 1
    ]
    assert several == [load("stg").table_name]


def test_batches_fit_into_an_event(demanding: Synthesized) -> None:
    """The largest batch of the largest messages, in base64, is an event that Lambda takes."""
    sources = [
        entry["Properties"]
        for stack in demanding.stacks
        for entry in stack.resources("AWS::Lambda::EventSourceMapping").values()
    ]
    assert len(sources) == 2
    for source in sources:
        assert source["BatchSize"] * math.ceil(MAX_MESSAGE_BYTES * 4 / 3) < _EVENT_BYTES


@pytest.mark.parametrize(
    ("key", "most"),
    [
        ("publishTimeoutSeconds", 29),
        ("subscribeTimeoutSeconds", 900),
        ("retryMaxSeconds", 36_000),
        ("retryAfterMaxSeconds", 36_000),
        ("retentionDays", 14),
    ],
)
def test_times_at_their_edge(key: str, most: int) -> None:
    """The longest time that AWS takes is taken, and one more is refused with its key."""
    assert getattr(load("dev", overrides={key: most}), key) == most
    with pytest.raises(SettingsError, match=f"key '{key}'"):
        load("dev", overrides={key: most + 1})


def test_a_message_is_hidden_less_than_12_hours() -> None:
    """Attempt and back-off at their longest, from one receive on, stay within SQS's limit.

    Source: SQS developer guide, "Visibility timeout": 12 hours from the receive.
    """
    longest = {
        key: next(rule.le for rule in Keys.model_fields[key].metadata if hasattr(rule, "le"))
        for key in ("subscribeTimeoutSeconds", "retryMaxSeconds", "retryAfterMaxSeconds")
    }
    settings = load(
        "dev", overrides={"subscribeTimeoutSeconds": longest["subscribeTimeoutSeconds"]}
    )
    waits = max(longest["retryMaxSeconds"], longest["retryAfterMaxSeconds"])
    assert settings.visibility_seconds + waits <= _HIDDEN_SECONDS


@pytest.mark.parametrize(("over", "status"), [(0, 503), (1, 431)])
def test_heads_at_their_edge(over: int, status: int) -> None:
    """Path, query and header values of 10,240 bytes pass to the API, which is not there; one more
    does not.
    """
    path, query, short = "/orders", "a=b", "text/plain"
    filling = "x" * (10_240 + over - len(path) - len(query) - len(short))
    scope = {
        "type": "http", "method": "POST", "raw_path": path.encode(), "query_string": query.encode(),
        "headers": [(b"content-type", short.encode()), (b"x-long", filling.encode())],
    }  # fmt: skip
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(Gateway(lambda: None)(scope, receive, send))
    assert sent[0]["status"] == status


def test_partitions_are_written_in_one_place() -> None:
    """No code but the few homes of such names spells an ARN, an endpoint or a console's address."""
    spelled = {
        f"{path.relative_to(ROOT)}: {text}"
        for folder in _FOLDERS
        for path in sorted((ROOT / folder).rglob("*.py"))
        if str(path.relative_to(ROOT)) not in _HOMES | _EXAMPLES
        for text in _strings(path.read_text("utf-8"))
        if _SPELLED.search(text)
    }
    assert not spelled


def _strings(code: str) -> Iterator[str]:
    """Strings of code, which docstrings and names of services' principals are not.

    None of code that spells no such name anywhere.
    """
    nodes = list(ast.walk(ast.parse(code))) if _SPELLED.search(code) else []
    skipped = {
        id(node.value)
        for node in nodes
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    } | {
        id(argument)
        for node in nodes
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "ServicePrincipal"
        for argument in node.args
    }
    for node in nodes:
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in skipped
        ):
            yield node.value
