"""What the template says, where it matters to order, safety and cost."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from settings import loader, schema
from tests import datadog_logs
from tests.templates import OUTPUTS, Synthesized, Template, synthesize

pytestmark = pytest.mark.xdist_group("synth")

FUNCTION = "AWS::Lambda::Function"


@pytest.fixture
def prd(environments: dict[str, Template]) -> Template:
    return environments["prd"]


@pytest.fixture
def local(environments: dict[str, Template]) -> Template:
    return environments["local"]


def test_queue_keeps_order_at_high_throughput(prd: Template) -> None:
    """The queue is FIFO in high-throughput mode, encrypted, keeps 14 days and takes 1 MiB."""
    queue = prd.properties("AWS::SQS::Queue")
    assert queue == {
        "QueueName": "webhook-buffer-prd.fifo",
        "FifoQueue": True,
        "DeduplicationScope": "messageGroup",
        "FifoThroughputLimit": "perMessageGroupId",
        "MessageRetentionPeriod": 14 * 86_400,
        "MaximumMessageSize": 1_048_576,
        "SqsManagedSseEnabled": True,
        "VisibilityTimeout": 60,
        "Tags": queue["Tags"],
    }


def test_queue_has_no_dead_letter_queue(environments: dict[str, Template]) -> None:
    """Nothing ever leaves a group but by delivery or expiry."""
    for environment in environments.values():
        assert "RedrivePolicy" not in environment.properties("AWS::SQS::Queue")


def test_queue_refuses_plain_http(prd: Template) -> None:
    """The queue's policy denies every call that does not come over TLS."""
    statement = prd.properties("AWS::SQS::QueuePolicy")["PolicyDocument"]["Statement"][0]
    assert (statement["Effect"], statement["Action"]) == ("Deny", "sqs:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


@pytest.mark.parametrize("timeout", [5, 10, 120])
def test_visibility_follows_the_timeout(timeout: int) -> None:
    """Visibility is six times subscribe's timeout, whatever that is."""
    block = {**loader.environments()["dev"], "subscribeTimeoutSeconds": timeout}
    assert schema.Settings.model_validate(block).visibility_seconds == 6 * timeout


def test_event_source_is_throttled_by_itself(prd: Template) -> None:
    """One message at a time, bounded by MaximumConcurrency, failures reported by item."""
    source = prd.properties("AWS::Lambda::EventSourceMapping")
    assert source["BatchSize"] == 1
    assert source["ScalingConfig"] == {"MaximumConcurrency": 10}
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    for function in prd.resources(FUNCTION).values():
        assert "ReservedConcurrentExecutions" not in function["Properties"]


def test_records_survive_their_stack(prd: Template) -> None:
    """Both tables are on demand, recoverable to any point, expire items, and outlive the stack."""
    keys = {}
    for table in prd.resources("AWS::DynamoDB::Table").values():
        assert table["DeletionPolicy"] == "RetainExceptOnCreate"
        assert table["UpdateReplacePolicy"] == "Retain"
        properties = table["Properties"]
        assert properties["BillingMode"] == "PAY_PER_REQUEST"
        recovery = properties["PointInTimeRecoverySpecification"]
        assert recovery == {"PointInTimeRecoveryEnabled": True}
        ends = properties["TimeToLiveSpecification"]
        assert ends == {"AttributeName": "expires_at", "Enabled": True}
        keys[properties["TableName"]] = [key["AttributeName"] for key in properties["KeySchema"]]
    assert keys == {
        "webhook-buffer-prd-records": ["id"],
        "webhook-buffer-prd-parking": ["partition", "row"],
    }


def test_the_record_is_indexed_by_keys_alone(prd: Template) -> None:
    """No index has an attribute that an attempt changes, so that none is written again."""
    indexes = prd.properties("AWS::DynamoDB::Table", TableName="webhook-buffer-prd-records")[
        "GlobalSecondaryIndexes"
    ]
    keys = {
        index["IndexName"]: [key["AttributeName"] for key in index["KeySchema"]]
        for index in indexes
    }
    assert keys == {
        "by-group": ["group_id", "received_timestamp"],
        "by-delivery": ["delivery_id", "received_timestamp"],
        "by-time": ["hour_shard", "received_timestamp"],
    }
    assert all(index["Projection"] == {"ProjectionType": "KEYS_ONLY"} for index in indexes)


def test_large_bodies_are_kept_safe(prd: Template) -> None:
    """Their bucket is encrypted, private, and kept; its objects end with their records."""
    [bucket] = prd.resources("AWS::S3::Bucket").values()
    assert bucket["DeletionPolicy"] == "RetainExceptOnCreate"
    assert bucket["UpdateReplacePolicy"] == "Retain"
    properties = bucket["Properties"]
    assert properties["BucketName"].startswith("webhook-buffer-prd-bodies-")
    [encryption] = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    [rule] = properties["LifecycleConfiguration"]["Rules"]
    assert rule == {"ExpirationInDays": prd.settings.recordTtlDays, "Status": "Enabled"}
    [statement] = prd.properties("AWS::S3::BucketPolicy")["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Action"]) == ("Deny", "s3:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_bodies_go_to_a_bucket_of_this_account_only(prd: Template) -> None:
    """Whoever takes the name of a bucket that was deleted gets no bodies."""
    [statement] = [
        candidate for candidate in _statements(prd) if candidate["Action"] == "s3:PutObject"
    ]
    assert statement["Condition"] == {
        "StringEquals": {"aws:ResourceAccount": prd.settings.awsAccount}
    }


def test_the_longest_names_make_a_bucket() -> None:
    """Source: S3 user guide, "Bucket naming rules": up to 63 characters."""
    block = {**loader.environments()["dev"], "service": "s" * 32, "environment": "e" * 16}
    assert len(schema.Settings.model_validate(block).bodies_bucket_name) == 63


def test_the_index_of_what_is_parked_has_no_messages(prd: Template) -> None:
    """It projects what a list shows, and no webhook's content."""
    [index] = prd.properties("AWS::DynamoDB::Table", TableName="webhook-buffer-prd-parking")[
        "GlobalSecondaryIndexes"
    ]
    assert index["IndexName"] == "parked"
    assert index["Projection"]["ProjectionType"] == "INCLUDE"
    assert "message" not in index["Projection"]["NonKeyAttributes"]


def test_functions_have_what_settings_say(prd: Template) -> None:
    """Names, timeouts, architecture and log groups are those of the settings."""
    functions = {
        entry["Properties"]["FunctionName"]: entry["Properties"]
        for entry in prd.resources(FUNCTION).values()
    }
    assert functions.keys() == {"webhook-buffer-prd-publish", "webhook-buffer-prd-subscribe"}
    groups = prd.resources("AWS::Logs::LogGroup")
    for name, function in functions.items():
        assert function["Architectures"] == ["arm64"]
        assert function["Timeout"] == 10
        group = groups[function["LoggingConfig"]["LogGroup"]["Ref"]]["Properties"]
        assert (group["LogGroupName"], group["RetentionInDays"]) == (f"/aws/lambda/{name}", 90)


def test_readers_are_replaced_before_writers(environments: dict[str, Template]) -> None:
    """An update replaces subscribe first, so that no new envelope meets an old reader."""
    for environment in environments.values():
        functions = {
            resource["Properties"]["FunctionName"].rpartition("-")[2]: (name, resource)
            for name, resource in environment.resources(FUNCTION).items()
        }
        subscribe, _ = functions["subscribe"]
        assert subscribe in functions["publish"][1]["DependsOn"]


def test_roles_name_every_resource(environments: dict[str, Template]) -> None:
    """No statement has a wildcard for its resource, and no role a managed policy."""
    for environment in environments.values():
        for role in environment.resources("AWS::IAM::Role").values():
            assert "ManagedPolicyArns" not in role["Properties"]
        for statement in _statements(environment):
            assert statement["Resource"] != "*"
            assert not any("*" in action for action in _listed(statement["Action"]))


def test_the_template_states_the_groups(environments: dict[str, Template]) -> None:
    """A later `diff` can read from the deployed template how groups are found."""
    for name, template in environments.items():
        assert template.template["Metadata"]["GroupIds"] == loader.load(name).group_ids


def test_publish_may_only_send_and_log(prd: Template) -> None:
    """publish can put messages into the queue, do nothing else to it, and read its own key."""
    assert _actions(prd, "Publish") == {
        "sqs:SendMessage",
        "secretsmanager:GetSecretValue",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
    }


def test_subscribe_may_consume_record_and_log(prd: Template) -> None:
    """subscribe can consume the queue, record, put bodies, park, and nothing else."""
    assert _actions(prd, "Subscribe") == {
        "dynamodb:ConditionCheckItem",
        "dynamodb:DeleteItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "dynamodb:UpdateItem",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "s3:PutObject",
        "sqs:ChangeMessageVisibility",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:GetQueueUrl",
        "sqs:ReceiveMessage",
    }


def test_everything_is_tagged(prd: Template) -> None:
    """Queue, table, functions and API carry ``env`` and ``service``."""
    wanted = {"env": "prd", "service": "webhook-buffer"}
    kinds = ("AWS::SQS::Queue", "AWS::DynamoDB::Table", FUNCTION, "AWS::ApiGatewayV2::Api")
    for kind in kinds:
        for entry in prd.resources(kind).values():
            tags = entry["Properties"]["Tags"]
            if isinstance(tags, list):
                tags = {tag["Key"]: tag["Value"] for tag in tags}
            assert tags == wanted


def test_access_logs_are_json_without_content(prd: Template) -> None:
    """Access logs are JSON, hold neither query string nor headers, and set no log status."""
    stage = prd.properties("AWS::ApiGatewayV2::Stage")
    fields = json.loads(stage["AccessLogSettings"]["Format"])
    assert datadog_logs.status(fields) is None
    assert fields.pop("http") == {"status_code": "$context.status"}
    assert "$context.requestId" in fields.values()  # API Gateway requires it
    assert all(value.startswith("$context.") for value in fields.values())
    assert not any("query" in value.lower() or "header" in value for value in fields.values())


def test_outputs_are_the_contract(environments: dict[str, Template]) -> None:
    """The outputs other programs read are there under their names."""
    for name, environment in environments.items():
        outputs = {key: entry["Value"] for key, entry in environment.template["Outputs"].items()}
        assert outputs.keys() == OUTPUTS
        assert outputs["UsesFauxBackend"] == ("true" if name in ("local", "dev") else "false")


def test_custom_domain_without_look_up(prd: Template) -> None:
    """A domain brings certificate, mapping and a record in a zone that is named, not looked up."""
    assert prd.template["Outputs"]["BufferedEndpoint"]["Value"] == "https://webhooks.example.com"
    record = prd.properties("AWS::Route53::RecordSet")
    assert (record["Name"], record["HostedZoneName"]) == ("webhooks.example.com.", "example.com.")
    domain = prd.properties("AWS::ApiGatewayV2::DomainName")
    certificate = domain["DomainNameConfigurations"][0]["CertificateArn"]
    assert certificate == prd.settings.acmCertificateArn
    assert len(prd.resources("AWS::ApiGatewayV2::ApiMapping")) == 1


def test_faux_backend_only_where_asked_for(environments: dict[str, Template]) -> None:
    """The faux backend is a function with an API of its own; stg and prd have none."""
    apis = {
        name: len(stack.resources("AWS::ApiGatewayV2::Api")) for name, stack in environments.items()
    }
    assert apis == {"local": 2, "dev": 2, "stg": 1, "prd": 1}


def test_log_groups_end_with_their_stack(local: Template) -> None:
    """Every log group is ours, has a retention, and does not stand in a later deployment's way."""
    groups = local.resources("AWS::Logs::LogGroup")
    assert len(groups) == 5
    for group in groups.values():
        assert group["DeletionPolicy"] == "Delete"
        assert group["Properties"]["RetentionInDays"] == 1


def test_sentry_only_where_set(environments: dict[str, Template], tmp_path: Path) -> None:
    """Functions know a DSN only where settings have one."""
    assert "SENTRY_DSN" not in environments["prd"].file.read_text()
    chosen = loader.load("dev", overrides={"sentryDsn": "https://key@o1.ingest.sentry.io/1"})
    stacks = synthesize(chosen, tmp_path).stacks
    functions = [entry for stack in stacks for entry in stack.resources(FUNCTION).values()]
    assert len(functions) == 6
    for function in functions:
        variables = function["Properties"]["Environment"]["Variables"]
        assert variables["SENTRY_DSN"] == "https://key@o1.ingest.sentry.io/1"


def test_template_is_the_same_every_time(
    synthesized: dict[str, Synthesized], tmp_path: Path
) -> None:
    """Two syntheses of one tree give one template: nothing changes without a reason."""
    again = synthesize(loader.load("dev"), tmp_path).stacks
    assert [stack.template for stack in again] == [
        stack.template for stack in synthesized["dev"].stacks
    ]


def _statements(environment: Template) -> Iterator[Mapping[str, Any]]:
    for policy in environment.resources("AWS::IAM::Policy").values():
        yield from policy["Properties"]["PolicyDocument"]["Statement"]


def _actions(environment: Template, function: str) -> set[str]:
    """What a function's role allows."""
    (policy,) = (
        entry["Properties"]
        for name, entry in environment.resources("AWS::IAM::Policy").items()
        if name.startswith(f"{function}Role")
    )
    return {
        action
        for statement in policy["PolicyDocument"]["Statement"]
        for action in _listed(statement["Action"])
    }


def _listed(actions: Any) -> list[str]:
    return [actions] if isinstance(actions, str) else list(actions)
