"""Each fault of an account is named with its remedy before a deployment, and no other is."""

from __future__ import annotations

import itertools
import json
import sys
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from botocore import xform_name

from alarms import CATALOG
from settings import loader
from settings.schema import Settings
from tests.fake_aws import CALLER, Answer, FakeAws, Refusal, hook, install
from tests.webhook_buffer.operations import account_faults
from webhook_buffer.cli import main
from webhook_buffer.cli.app import app
from webhook_buffer.cli.aws_calls import CLIENTS
from webhook_buffer.cli.permissions import by_command
from webhook_buffer.laptop import laptop
from webhook_buffer.laptop.process import Running
from webhook_buffer.operations import physical_names, stores
from webhook_buffer.operations.environment import Environment
from webhook_buffer.operations.preflight import tools
from webhook_buffer.operations.preflight.catalog import checks, left_to_do, run
from webhook_buffer.operations.preflight.model import Level

_ACCOUNT, _REGION = "333333333333", "us-east-1"
_SECRET = f"arn:aws:secretsmanager:{_REGION}:{_ACCOUNT}:secret:slack-abcdef"
_KEY = f"arn:aws:kms:{_REGION}:{_ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
_OTHER_KEY = _KEY.replace("1111", "9999")
_BLOCK: dict[str, Any] = {
    **loader.environments()["prd"],
    "notifications": [
        {"kind": "slack", "secretArn": _SECRET, "secretKeyArn": _KEY},
        {"kind": "email", "addresses": ["ana@example.com"]},
    ],
    "datadog": {"functions": []},
}
_NO_STACK = Refusal("ValidationError", "Stack with id x does not exist")
_BODIES = "webhook-buffer-prd-bodies-7ff6dd"
_QUEUE_URL = {"QueueUrl": "https://sqs.us-east-1.amazonaws.com/333333333333/q"}
_CREATED = "2026-01-01T00:00:00Z"
_NO_BUCKET = Refusal("404", status=404)
_RESOURCE_MISSING = Refusal("ResourceNotFoundException")


def _secret(**changes: Any) -> dict[str, Any]:
    said = {"ARN": _SECRET, "KmsKeyId": _KEY, "VersionIdsToStages": {"1" * 32: ["AWSCURRENT"]}}
    return {**said, **changes}


def _of_secret(answer: Any) -> Callable[[dict[str, Any]], Any]:
    """An answer for the channel's secret; there is no heartbeat key yet."""
    return lambda given: answer if given["SecretId"] == _SECRET else _RESOURCE_MISSING


def _key(state: str = "Enabled") -> dict[str, Any]:
    return {"KeyMetadata": {"KeyId": _KEY.rpartition("/")[2], "Arn": _KEY, "KeyState": state}}


def _certificate(**changes: Any) -> dict[str, Any]:
    return {"Certificate": {"Status": "ISSUED", "DomainName": "webhooks.example.com", **changes}}


def _zones(*ids: str) -> dict[str, Any]:
    zones = [
        {"Id": f"/hostedzone/{zone}", "Name": "example.com.", "CallerReference": zone}
        for zone in ids
    ]
    zones.append({"Id": "/hostedzone/Z9", "Name": "example.net.", "CallerReference": "Z9"})
    return {"HostedZones": zones, "IsTruncated": False, "MaxItems": "10"}


def _records(*kinds: str) -> dict[str, Any]:
    names = {"webhooks.example.com.": kinds, "www.example.com.": ("A",)}
    listed = [{"Name": name, "Type": kind} for name, types in names.items() for kind in types]
    return {"ResourceRecordSets": listed, "IsTruncated": False, "MaxItems": "10"}


def _key_policy(*effects: str, principal: str = "root", **conditions: Any) -> dict[str, Any]:
    """What a secret's key lets the account do, statement by statement."""
    statements = [
        {
            "Effect": effect, "Principal": {"AWS": f"arn:aws:iam::{_ACCOUNT}:{principal}"},
            "Action": "kms:*", "Resource": "*", **conditions,
        }
        for effect in effects
    ]  # fmt: skip
    return {"Policy": json.dumps({"Version": "2012-10-17", "Statement": statements})}


def _limits(total: int, left: int) -> dict[str, Any]:
    return {"AccountLimit": {"ConcurrentExecutions": total, "UnreservedConcurrentExecutions": left}}


def _resources(given: Mapping[str, Any]) -> dict[str, Any]:
    """What CloudFormation says that a stack of the environment has."""
    now = {"LastUpdatedTimestamp": _CREATED}
    stacks = physical_names.by_stack(Settings.model_validate(_BLOCK), CATALOG)
    starts = {
        physical_names.QUEUE: "https://sqs.us-east-1.amazonaws.com/333333333333/",
        physical_names.TOPIC: f"arn:aws:sns:{_REGION}:{_ACCOUNT}:",
        physical_names.SECRET: f"arn:aws:secretsmanager:{_REGION}:{_ACCOUNT}:secret:",
    }
    ends = {physical_names.SECRET: "-AbCdEf"}
    listed = [
        {
            "LogicalResourceId": f"r{number}", "ResourceType": kind,
            "ResourceStatus": "CREATE_COMPLETE",
            "PhysicalResourceId": f"{starts.get(kind, '')}{name}{ends.get(kind, '')}", **now,
        }
        for number, (kind, name) in enumerate(stacks[given["StackName"]])
        if kind != physical_names.EXPORT
    ]  # fmt: skip
    return {"StackResourceSummaries": listed}


def _stack(status: str, **outputs: str) -> dict[str, Any]:
    listed = [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()]
    stack = {
        "StackName": "x", "CreationTime": _CREATED, "StackStatus": status, "Outputs": listed,
    }  # fmt: skip
    return {"Stacks": [stack]}


def _subscriptions(arn: str | None) -> dict[str, Any]:
    if arn is None:
        return {"Subscriptions": []}
    subscription = {"Protocol": "email", "Endpoint": "ana@example.com", "SubscriptionArn": arn}
    return {"Subscriptions": [subscription]}


def _decisions(given: Mapping[str, Any], denied: str = "") -> dict[str, Any]:
    return {
        "EvaluationResults": [
            {
                "EvalActionName": action,
                "EvalDecision": "implicitDeny" if action == denied else "allowed",
            }
            for action in given["ActionNames"]
        ]
    }


def _of_function(name: str, answer: Any) -> Callable[[dict[str, Any]], Any]:
    """An answer for one function; any other does not exist."""
    return lambda given: answer if given["FunctionName"].endswith(name) else _RESOURCE_MISSING


# An account in which nothing is deployed yet, and everything is as it must be.
_GOOD: dict[str, Answer] = {
    "acm.DescribeCertificate": _certificate(),
    "apigatewayv2.GetDomainName": Refusal("NotFoundException", status=404),
    "cloudformation.DescribeStacks": _NO_STACK,
    "cloudformation.ListExports": {"Exports": [{"Name": "others"}]},
    "cloudformation.ListStackResources": _NO_STACK,
    "cloudwatch.DescribeAlarms": {},
    "cloudwatch.ListDashboards": {"DashboardEntries": [{"DashboardName": "webhook-buffer-prd-2"}]},
    "dynamodb.DescribeTable": _RESOURCE_MISSING,
    "events.ListRules": {"Rules": [{"Name": "webhook-buffer-prd-other"}]},
    "iam.GetRole": {
        "Role": {
            "Path": "/", "RoleName": "DatadogIntegrationRole", "RoleId": "AROA" + "X" * 16,
            "Arn": f"arn:aws:iam::{_ACCOUNT}:role/DatadogIntegrationRole", "CreateDate": _CREATED,
        }
    },
    "iam.SimulatePrincipalPolicy": _decisions,
    "kms.DescribeKey": _key(),
    "kms.GetKeyPolicy": _key_policy("Allow"),
    "lambda.GetAccountSettings": _limits(1000, 1000),
    "lambda.GetFunctionConfiguration": _RESOURCE_MISSING,
    "logs.DescribeLogGroups": {"logGroups": []},
    "logs.DescribeResourcePolicies": {"resourcePolicies": []},
    "route53.ListHostedZonesByName": _zones("Z1"),
    "route53.ListResourceRecordSets": _records("MX"),
    "s3.HeadBucket": _NO_BUCKET,
    "secretsmanager.DescribeSecret": _of_secret(_secret()),
    "sns.GetTopicAttributes": Refusal("NotFound", status=404),
    "sns.ListSubscriptionsByTopic": Refusal("NotFound", status=404),
    "sqs.GetQueueAttributes": account_faults.queue(),
    "sqs.GetQueueUrl": Refusal("AWS.SimpleQueueService.NonExistentQueue"),
    "ssm.GetParameter": {"Parameter": {"Value": "28"}},
}  # fmt: skip


@dataclass(frozen=True)
class Fault:
    """A fault that is planted.

    Attributes:
        check: that finds it.
        what: part of its sentence.
        remedy: part of its remedy.
        keys: of the settings.
    """

    check: str
    what: str
    remedy: str
    answers: Mapping[str, Answer] = field(default_factory=dict)
    keys: Mapping[str, Any] = field(default_factory=dict)
    level: Level = Level.BLOCKS


def _of_table(
    name: str, *keys: str, kind: str = "S", indexes: Sequence[str] = ("parked",), **changes: Any
) -> Callable[[dict[str, Any]], Any]:
    """A table that exists; any other does not."""
    schema = [
        {"AttributeName": key, "KeyType": role}
        for key, role in zip(keys, ("HASH", "RANGE"), strict=False)
    ]
    table = {
        "TableStatus": "ACTIVE",
        "KeySchema": schema,
        "AttributeDefinitions": [{"AttributeName": key, "AttributeType": kind} for key in keys],
        "GlobalSecondaryIndexes": [{"IndexName": index} for index in indexes],
        **changes,
    }
    return lambda given: (
        {"Table": table} if given["TableName"].endswith(name) else _RESOURCE_MISSING
    )


def _of_bucket(key: str = "", *, policy: bool = False, region: str = _REGION) -> dict[str, Answer]:
    """A bucket that was left, encrypted with a key."""
    default = {"SSEAlgorithm": "aws:kms" if key else "AES256"}
    rule = {
        "ApplyServerSideEncryptionByDefault": default | ({"KMSMasterKeyID": key} if key else {})
    }
    return {
        "s3.HeadBucket": {"BucketRegion": region},
        "s3.GetBucketEncryption": {"ServerSideEncryptionConfiguration": {"Rules": [rule]}},
        "s3.GetBucketPolicy": {"Policy": "{}"} if policy else Refusal("NoSuchBucketPolicy"),
    }


def _adopted(*names: str) -> dict[str, Answer]:
    """What ``destroy`` keeps, or some of it."""
    tables = {"records": _of_table("records", "id"), "parking": _PARKING}
    answers = dict(_of_bucket()) if "bodies" in names else {}
    return {
        **answers,
        "dynamodb.DescribeTable": lambda given: next(
            (
                tables[name](given)
                for name in tables
                if name in names and name in given["TableName"]
            ),
            _RESOURCE_MISSING,
        ),
    }


def _policy(name: str, length: int) -> dict[str, Any]:
    return {"policyName": name, "policyDocument": "x" * length}


def _group(name: str) -> Callable[[dict[str, Any]], Any]:
    return lambda given: {"logGroups": [{"logGroupName": f"{given['logGroupNamePrefix']}{name}"}]}


def _of_alarm(name: str, kind: str) -> Callable[[dict[str, Any]], Any]:
    """One of the alarms that are asked for, and its type is given."""
    return lambda given: (
        {kind: [{"AlarmName": wanted} for wanted in given["AlarmNames"] if wanted.endswith(name)]}
    )


_PARKING = _of_table("parking", "partition", "row")
_FAULTS = {
    "not bootstrapped": Fault(
        "bootstrap", "is not bootstrapped", f"aws-cdk bootstrap aws://{_ACCOUNT}/{_REGION}",
        {"ssm.GetParameter": Refusal("ParameterNotFound")},
    ),
    "bootstrapped long ago": Fault(
        "bootstrap", "has version 5; 6 is needed", "aws-cdk bootstrap",
        {"ssm.GetParameter": {"Parameter": {"Value": "5"}}},
    ),
    "Lambda concurrency of 10": Fault(
        "concurrency", "10 of the account's Lambda concurrency is left", "lower maxConcurrency",
        {"lambda.GetAccountSettings": _limits(10, 10)}, {"lambdaConcurrencyQuota": 10},
    ),
    "concurrency reserved by others": Fault(
        "concurrency", "21 of the account's Lambda concurrency is left", "quota raised",
        {"lambda.GetAccountSettings": _limits(1000, 21)},
    ),
    "reserved concurrency": Fault(
        "concurrency", "reservedConcurrency (150) leaves 50", "to 100 or less",
        {"lambda.GetAccountSettings": _limits(1000, 200)}, {"reservedConcurrency": 150},
    ),
    "another quota": Fault(
        "concurrency", "concurrency is 3000; lambdaConcurrencyQuota", "lambdaConcurrencyQuota to 3",
        {"lambda.GetAccountSettings": _limits(3000, 3000)}, level=Level.TODO,
    ),
    "log policy full": Fault(
        "log-policies", "AWSLogDeliveryWrite20150319 has 100 characters left", "APIs that are gone",
        {
            "logs.DescribeResourcePolicies": {
                "resourcePolicies": [_policy("AWSLogDeliveryWrite20150319", 5020)]
            }
        },
    ),
    "too many log policies": Fault(
        "log-policies", "has 10 log resource policies", "Delete one",
        {
            "logs.DescribeResourcePolicies": {
                "resourcePolicies": [_policy(f"p{number}", 9) for number in range(10)]
            }
        },
    ),
    "secret missing": Fault(
        "secrets", f"notifications.0.secretArn does not exist: {_SECRET}", "correct its ARN",
        {"secretsmanager.DescribeSecret": _of_secret(_RESOURCE_MISSING)},
    ),
    "secret deleted": Fault(
        "secrets", "is scheduled for deletion", "restore-secret",
        {"secretsmanager.DescribeSecret": _of_secret(_secret(DeletedDate=_CREATED))},
    ),
    "secret without a value": Fault(
        "secrets", "has no value", "put-secret-value",
        {"secretsmanager.DescribeSecret": _of_secret(_secret(VersionIdsToStages={}))},
    ),
    "secret under a key that is not named": Fault(
        "secrets", "notifications.0.secretKeyArn is missing", "Set notifications.0.secretKeyArn",
        keys={
            "notifications": [{"kind": "slack", "secretArn": _SECRET}],
        },
    ),
    "secret under another key": Fault(
        "secrets", f"secretKeyArn is {_OTHER_KEY}", "Set notifications.0.secretKeyArn",
        keys={
            "notifications": [
                {"kind": "slack", "secretArn": _SECRET, "secretKeyArn": _OTHER_KEY}
            ],
        },
    ),
    "key disabled": Fault(
        "secrets", "whose state is Disabled", "Enable that key",
        {"kms.DescribeKey": _key("Disabled")},
    ),
    "key for an administrator only": Fault(
        "secrets", f"encrypted with {_KEY}, whose policy does not let the account's", "--key --env",
        {"kms.GetKeyPolicy": _key_policy("Allow", principal="role/Admin")},
    ),
    "key that denies": Fault(
        "secrets", "its readers may not decrypt it", "AllowUseByPoliciesOfTheAccount",
        {"kms.GetKeyPolicy": _key_policy("Allow", "Deny")},
    ),
    "certificate pending": Fault(
        "certificate", "is in state PENDING_VALIDATION", "DNS records",
        {"acm.DescribeCertificate": _certificate(Status="PENDING_VALIDATION")},
    ),
    "certificate missing": Fault(
        "certificate", "does not exist", "Request one for webhooks.example.com in us-east-1",
        {"acm.DescribeCertificate": _RESOURCE_MISSING},
    ),
    "certificate of another name": Fault(
        "certificate", "covers *.example.org, not webhooks.example.com", "Request one",
        {"acm.DescribeCertificate": _certificate(DomainName="*.example.org")},
    ),
    "no hosted zone": Fault(
        "hosted-zone", "has no hosted zone example.com.", "Create it in Route 53",
        {"route53.ListHostedZonesByName": _zones()},
    ),
    "two hosted zones": Fault(
        "hosted-zone", "2 hosted zones are called example.com. (Z1, Z2)", "Set hostedZoneId",
        {"route53.ListHostedZonesByName": _zones("Z1", "Z2")},
    ),
    "hosted zone missing": Fault(
        "hosted-zone", "zone Z7 does not exist", "Correct hostedZoneId",
        {"route53.GetHostedZone": Refusal("NoSuchHostedZone", status=404)}, {"hostedZoneId": "Z7"},
    ),
    "hosted zone of another name": Fault(
        "hosted-zone", "zone Z7 is of example.net.", "Correct hostedZoneId",
        {
            "route53.GetHostedZone": {
                "HostedZone": {"Id": "Z7", "Name": "example.net.", "CallerReference": "x"}
            }
        },
        {"hostedZoneId": "Z7"},
    ),
    "domain taken": Fault(
        "domain-name", "already serves webhooks.example.com", "choose another subdomain",
        {"apigatewayv2.GetDomainName": {"DomainName": "webhooks.example.com"}},
    ),
    "queue taken": Fault(
        "names", "webhook-buffer-prd.fifo exists already", "Delete it if nothing uses it",
        {
            "sqs.GetQueueUrl": lambda given: (
                _QUEUE_URL
                if given["QueueName"].endswith(".fifo")
                else Refusal("AWS.SimpleQueueService.NonExistentQueue")
            )
        },
    ),
    "function taken": Fault(
        "names", "The function webhook-buffer-prd-publish exists already", "choose another",
        {"lambda.GetFunctionConfiguration": _of_function("publish", {"FunctionName": "x"})},
    ),
    "log group taken": Fault(
        "names", "The log group /aws/lambda/webhook-buffer-prd-notify exists", "choose another",
        {"logs.DescribeLogGroups": _group("-notify")},
    ),
    "access log taken": Fault(
        "names", "The log group /aws/vendedlogs/webhook-buffer-prd exists", "choose another",
        {"logs.DescribeLogGroups": _group("")},
    ),
    "queue of notifications taken": Fault(
        "names", "The queue webhook-buffer-prd-notifications-undelivered exists", "choose another",
        {
            "sqs.GetQueueUrl": lambda given: (
                _QUEUE_URL
                if given["QueueName"].endswith("-undelivered")
                else Refusal("AWS.SimpleQueueService.NonExistentQueue")
            )
        },
    ),
    "topic taken": Fault(
        "names", "The topic webhook-buffer-prd-mail-email exists already", "choose another",
        {
            "sns.GetTopicAttributes": lambda given: (
                {"Attributes": {}}
                if given["TopicArn"].endswith("-mail-email")
                else Refusal("NotFound", status=404)
            )
        },
    ),
    "alarm taken": Fault(
        "names", "The alarm webhook-buffer-prd-queue-age-page exists already", "choose another",
        {"cloudwatch.DescribeAlarms": _of_alarm("-queue-age-page", "MetricAlarms")},
    ),
    "composite alarm taken": Fault(
        "names", "The alarm webhook-buffer-prd-deliveries-failing exists", "choose another",
        {"cloudwatch.DescribeAlarms": _of_alarm("-deliveries-failing", "CompositeAlarms")},
    ),
    "probe taken": Fault(
        "names", "The alarm webhook-buffer-prd-alert-path-probe exists already", "choose another",
        {"cloudwatch.DescribeAlarms": _of_alarm("-probe", "MetricAlarms")},
    ),
    "dashboard taken": Fault(
        "names", "The dashboard webhook-buffer-prd exists already", "choose another",
        {
            "cloudwatch.ListDashboards": {
                "DashboardEntries": [{"DashboardName": "webhook-buffer-prd"}]
            }
        },
    ),
    "heartbeat key taken": Fault(
        "names", "The secret webhook-buffer-prd-heartbeat-key exists already", "choose another",
        {"secretsmanager.DescribeSecret": _secret()},
    ),
    "schedule taken": Fault(
        "names", "The rule of EventBridge webhook-buffer-prd-audit exists", "choose another",
        {"events.ListRules": {"Rules": [{"Name": "webhook-buffer-prd-audit"}]}},
    ),
    "export taken": Fault(
        "names", "The export of CloudFormation webhook-buffer-prd-api-id exists", "choose another",
        {"cloudformation.ListExports": {"Exports": [{"Name": "webhook-buffer-prd-api-id"}]}},
    ),
    "record of the domain taken": Fault(
        "hosted-zone", "zone Z1 already has a record webhooks.example.com. (CNAME).",
        "choose another subdomain", {"route53.ListResourceRecordSets": _records("CNAME", "MX")},
    ),
    "table of another key": Fault(
        "left", "its key is order, not id: it can't be adopted", "choose another",
        {"dynamodb.DescribeTable": _of_table("records", "order")},
    ),
    "table of another type of key": Fault(
        "left", "its key is id (N), not id: it can't be adopted", "choose another",
        {"dynamodb.DescribeTable": _of_table("records", "id", kind="N")},
    ),
    "parking table of another key": Fault(
        "left", "its key is id, not partition, row: it can't be adopted", "choose another",
        {"dynamodb.DescribeTable": _of_table("parking", "id")},
    ),
    "parking table without its index": Fault(
        "left", "webhook-buffer-prd-parking exists already without the index parked", "Delete it",
        {"dynamodb.DescribeTable": _of_table("parking", "partition", "row", indexes=())},
    ),
    "left table under another key": Fault(
        "left", f"is encrypted with {_OTHER_KEY}, and encryptionKeyArn is not set",
        f"Deploy once with encryptionKeyArn set to {_OTHER_KEY}",
        {
            "dynamodb.DescribeTable": _of_table(
                "records", "id", SSEDescription={"KMSMasterKeyArn": _OTHER_KEY}
            )
        },
    ),
    "left table whose key is off": Fault(
        "left", "webhook-buffer-prd-records, to be adopted, can't be read", "Enable that key",
        {
            "dynamodb.DescribeTable": _of_table(
                "records", "id", TableStatus="INACCESSIBLE_ENCRYPTION_CREDENTIALS"
            )
        },
    ),
    "left table that is going": Fault(
        "left", "webhook-buffer-prd-parking, to be adopted, is in state DELETING", "Wait until",
        {
            "dynamodb.DescribeTable": _of_table(
                "parking", "partition", "row", TableStatus="DELETING"
            )
        },
    ),
    "left bucket under another key": Fault(
        "left", f"The bucket {_BODIES}, to be adopted, is encrypted with",
        f"Deploy once with encryptionKeyArn set to {_OTHER_KEY}", _of_bucket(_OTHER_KEY),
    ),
    "left bucket with a policy": Fault(
        "left", f"The bucket {_BODIES}, to be adopted, has a policy",
        "aws s3api delete-bucket-policy", _of_bucket(policy=True),
    ),
    "bucket of another region": Fault(
        "left", "is in eu-west-1 and can't be adopted", "choose another",
        _of_bucket(region="eu-west-1"),
    ),
    "bucket of somebody else": Fault(
        "left", "Unknown: the bucket webhook-buffer-prd-bodies-", "Allow s3:ListBucket",
        {"s3.HeadBucket": Refusal("403", status=403)}, level=Level.UNKNOWN,
    ),
    "table of incidents taken": Fault(
        "names", "The table webhook-buffer-prd-incidents exists already", "choose another",
        {"dynamodb.DescribeTable": _of_table("incidents", "id")},
    ),
    "integration role without a right": Fault(
        "datadog-integration", "may not use tag:GetResources", "Allow tag:GetResources",
        {
            "iam.SimulatePrincipalPolicy": lambda given: _decisions(given, "tag:GetResources"),
        },
        level=Level.TODO,
    ),
    "no integration role": Fault(
        "datadog-integration", "does not have the role 'DatadogIntegrationRole'", "--role",
        {"iam.GetRole": Refusal("NoSuchEntity", status=404)}, level=Level.TODO,
    ),
    "no right to look": Fault(
        "hosted-zone", "Unknown: AWS refused ListHostedZonesByName", "docs/permissions.md",
        {"route53.ListHostedZonesByName": Refusal("AccessDenied", status=403)},
        level=Level.UNKNOWN,
    ),
}  # fmt: skip


_FAULTS |= {name: Fault(*row) for name, row in account_faults.FAULTS.items()}
_FAULTS["subnets in one zone"] = Fault(
    "network", "are all in us-east-1a", "another availability zone",
    account_faults.IN_ONE_ZONE, account_faults.REQUIRED, level=Level.TODO,
)  # fmt: skip


def _deployed(mail: str | None, **status: str) -> dict[str, Answer]:
    """The answers of an account in which both stacks are deployed."""

    def stacks(given: dict[str, Any]) -> dict[str, Any]:
        if given["StackName"].endswith("-monitoring"):
            return _stack(status.get("monitoring", "UPDATE_COMPLETE"), DashboardName="x")
        return _stack(
            status.get("buffer", "UPDATE_COMPLETE"), BufferedEndpoint="https://x", Release="1"
        )

    return {
        "cloudformation.DescribeStacks": stacks,
        "sns.ListSubscriptionsByTopic": _subscriptions(mail),
        "cloudformation.ListStackResources": _resources,
        "sqs.GetQueueUrl": _QUEUE_URL,
    }


_CONFIRMED = f"arn:aws:sns:{_REGION}:{_ACCOUNT}:topic:1"
_LATER = {
    "update under way": Fault(
        "stacks", "is in state UPDATE_IN_PROGRESS", "Wait",
        _deployed(_CONFIRMED, buffer="UPDATE_IN_PROGRESS"),
    ),
    "failed rollback": Fault(
        "stacks", "webhook-buffer-prd-monitoring is in state UPDATE_ROLLBACK_FAILED",
        "continue-update-rollback", _deployed(_CONFIRMED, monitoring="UPDATE_ROLLBACK_FAILED"),
    ),
    "another key, while webhooks wait": Fault(
        "queued", f"About 5 webhooks wait in the queue under the key {_OTHER_KEY}", "until the",
        {**_deployed(_CONFIRMED), "sqs.GetQueueAttributes": account_faults.queue(_OTHER_KEY)},
    ),
    "a stack of somebody else": Fault(
        "stacks", "webhook-buffer-prd is not of this project", "Choose another 'service'",
        {
            **_deployed(_CONFIRMED),
            "cloudformation.DescribeStacks": _stack(
                "UPDATE_COMPLETE", Website="x", DashboardName="x"
            ),
        },
    ),
}  # fmt: skip


@pytest.fixture(autouse=True)
def _beyond_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Datadog takes the keys."""
    monkeypatch.setattr("monitoring.datadog.sync.api.Api.check_keys", lambda _: None)
    monkeypatch.setenv("DD_API_KEY", "a")
    monkeypatch.setenv("DD_APP_KEY", "b")


@dataclass(frozen=True)
class World:
    """An account that is asked again and again, by the same clients: making them takes long."""

    fake: FakeAws
    clients: dict[str, Any]
    folder: Path

    def problems(
        self, answers: Mapping[str, Answer], keys: Mapping[str, Any]
    ) -> list[tuple[str, str, str, Level]]:
        """Check, sentence, remedy and level of everything that is found."""
        self.fake.answers = {**_GOOD, **answers}
        target = _environment({**_BLOCK, **keys}, self.folder)
        vars(target).update(self.clients)
        with pytest.MonkeyPatch.context() as patch:
            hook(patch, self.fake)
            by_check = [
                (result.check.id, problem)
                for result in run(target, CATALOG)
                for problem in result.problems
            ]
        made = vars(target).items()
        self.clients.update(
            (name, client) for name, client in made if name in (*CLIENTS, "session")
        )
        return [(check, problem.what, problem.remedy, problem.level) for check, problem in by_check]


def _environment(block: Mapping[str, Any], folder: Path, **more: Any) -> Environment:
    """An environment; keys that are None are left out."""
    given = {key: value for key, value in block.items() if value is not None}
    settings = Settings.model_validate(given)
    return Environment(settings=settings, folder=folder, outputs_file=folder / "o.json", **more)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The account of the environment prd, with its own credentials."""
    return World(FakeAws({}, {CALLER: _ACCOUNT}), {}, tmp_path_factory.mktemp("preflight"))


@pytest.mark.parametrize("answers", [{}, _deployed(_CONFIRMED)], ids=["first", "later"])
def test_nothing_is_wrong(world: World, answers: Mapping[str, Answer]) -> None:
    """An account that has everything is found so, before the first deployment and after it."""
    assert world.problems(answers, {}) == []


@pytest.mark.parametrize("answers", [{}, *account_faults.ALSO_GOOD.values()])
def test_what_an_account_requires_is_there(world: World, answers: Mapping[str, Answer]) -> None:
    """A key, a network and a boundary that are as they must be are found so."""
    assert world.problems({**account_faults.GOOD, **answers}, account_faults.REQUIRED) == []


_WATCHED: Mapping[str, Any] = {
    **dict.fromkeys(("backend_url", "subdomain", "domain", "acmCertificateArn")),
    "openToEveryone": None,
    "existing": {
        "queues": [{"name": "orders.fifo"}],
        "functions": [{"name": "orders", "timeoutSeconds": 30}],
        "tables": [{"name": "orders"}],
        "apis": [{"name": "a1b2c3", "kind": "http"}, {"name": "x", "role": "old", "kind": "rest"}],
    },
}  # fmt: skip
_THERE: Mapping[str, Answer] = {
    "apigatewayv2.GetApi": {"ApiId": "a1b2c3"},
    "dynamodb.DescribeTable": lambda given: (
        {"Table": {}} if given["TableName"] == "orders" else _RESOURCE_MISSING
    ),
    "lambda.GetFunctionConfiguration": lambda given: (
        {"FunctionName": "orders"} if given["FunctionName"] == "orders" else _RESOURCE_MISSING
    ),
    "sqs.GetQueueUrl": lambda given: (
        _QUEUE_URL
        if given["QueueName"] == "orders.fifo"
        else Refusal("AWS.SimpleQueueService.NonExistentQueue")
    ),
}


@pytest.mark.parametrize(
    ("call", "refusal", "what"),
    [
        (
            "sqs.GetQueueUrl",
            "AWS.SimpleQueueService.NonExistentQueue",
            "'orders.fifo' of existing.q",
        ),
        (
            "lambda.GetFunctionConfiguration",
            "ResourceNotFoundException",
            "'orders' of existing.func",
        ),
        ("dynamodb.DescribeTable", "ResourceNotFoundException", "'orders' of existing.tables does"),
        ("apigatewayv2.GetApi", "NotFoundException", "'a1b2c3' of existing.apis does not exist"),
    ],
)
def test_what_is_only_monitored_exists(world: World, call: str, refusal: str, what: str) -> None:
    """A name with a mistake is told, for its alarms would stay silent for ever."""
    assert world.problems(_THERE, _WATCHED) == []
    answers = {**_THERE, call: Refusal(refusal, status=404)}
    ((check, sentence, remedy, level),) = world.problems(answers, _WATCHED)
    assert (check, level) == ("existing", Level.BLOCKS)
    assert sentence.startswith(what)
    assert remedy == "Correct its name in cdk.json."


@pytest.mark.parametrize(
    "left",
    [
        kept
        for count in (1, 2, 3)
        for kept in itertools.combinations(("records", "parking", "bodies"), count)
    ],
)
def test_what_was_left_is_adopted(
    world: World, monkeypatch: pytest.MonkeyPatch, left: tuple[str, ...]
) -> None:
    """Whatever ``destroy`` kept, all of it or some, does not stand in the way, and is adopted."""
    answers = _adopted(*left)
    assert world.problems(answers, {}) == []
    target = _environment(_BLOCK, world.folder)
    vars(target).update(world.clients)
    hook(monkeypatch, world.fake)
    assert [store.name for store in stores.left(target)] == [
        name for name in _kept(target) if any(f"-{part}" in name for part in left)
    ]


def test_what_the_stack_has_is_not_adopted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A deployment that has its tables and its bucket asks CloudFormation alone."""
    world.problems(_deployed(_CONFIRMED), {})
    target = _environment(_BLOCK, world.folder)
    vars(target).update(world.clients)
    hook(monkeypatch, world.fake)
    before = len(world.fake.calls)
    assert stores.left(target) == []
    assert world.fake.names[before:] == ["cloudformation.ListStackResources"]


def _kept(target: Environment) -> list[str]:
    return [store.name for store in physical_names.stores(target.settings)]


@pytest.mark.parametrize(
    ("answers", "most"), [({}, 30), (_deployed(_CONFIRMED), 2)], ids=["first", "later"]
)
def test_names_cost_few_calls(world: World, answers: Mapping[str, Answer], most: int) -> None:
    """Whether names are free is asked together where AWS can be; what stacks have is not asked."""
    check = next(check for check in checks(CATALOG) if check.id == "names")
    world.problems(answers, {})
    target = _environment(_BLOCK, world.folder)
    vars(target).update(world.clients)
    before = len(world.fake.calls)
    with pytest.MonkeyPatch.context() as patch:
        hook(patch, world.fake)
        assert list(check.find(target)) == []
    assert len(world.fake.calls) - before <= most


@pytest.mark.parametrize("name", [*_FAULTS, *_LATER])
def test_fault(world: World, name: str) -> None:
    """A planted fault is found by its check, with its remedy, and nothing else is."""
    fault = (_FAULTS | _LATER)[name]
    ((check, what, remedy, level),) = world.problems(fault.answers, fault.keys)
    assert (check, level) == (fault.check, fault.level)
    assert fault.what in what
    assert fault.remedy in remedy


@pytest.mark.parametrize(
    ("subscription", "what"),
    [("PendingConfirmation", "has not confirmed"), (None, "is no longer subscribed")],
)
def test_mail(world: World, subscription: str | None, what: str) -> None:
    """Mail that is not confirmed, or was unsubscribed, is left to do and blocks nothing."""
    ((check, sentence, _, level),) = world.problems(_deployed(subscription), {})
    assert (check, level) == ("mail", Level.TODO)
    assert sentence.startswith(f"ana@example.com {what}")


def test_wrong_account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With credentials of another account that is all that is said, and nothing else is asked."""
    install(monkeypatch, "999999999999")
    target = _environment(_BLOCK, tmp_path)
    *_, (check, (problem,)) = [
        (result.check.id, result.problems) for result in run(target, CATALOG)
    ]
    assert (check, problem.level) == ("account", Level.BLOCKS)
    assert "key 'awsAccount': it is 333333333333" in problem.what
    assert "AWS_PROFILE" in problem.remedy


def test_no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without credentials that is all that is said."""
    for variable in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(variable, str(tmp_path / "none"))
    target = _environment(_BLOCK, tmp_path)
    *_, last = run(target, CATALOG)
    assert last.check.id == "account"
    assert last.problems[0].what.startswith("No AWS credentials for environment 'prd'")
    assert "aws sso login" in last.problems[0].remedy


def test_tools(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A missing Node, and a CDK CLI other than the pinned one, are named."""
    target: Any = None
    assert list(tools.tools(target)) == []
    (tmp_path / "package.json").write_text('{"devDependencies": {"aws-cdk": "2.9.9"}}')
    (problem,) = tools.tools(target, tmp_path)
    assert (problem.what, problem.remedy) == (
        "The CDK CLI is not installed; package.json pins 2.9.9.",
        "Run: make setup",
    )
    (tmp_path / "node_modules" / "aws-cdk").mkdir(parents=True)
    (tmp_path / "node_modules" / "aws-cdk" / "package.json").write_text('{"version": "2.1.0"}')
    (problem,) = tools.tools(target, tmp_path)
    assert problem.what == "The CDK CLI is 2.1.0; package.json pins 2.9.9."
    monkeypatch.setenv("PATH", str(tmp_path))
    problem, _ = tools.tools(target, tmp_path)
    assert problem.what == "Node.js is not installed; the AWS CDK runs on it."
    assert problem.remedy.startswith("Install Node 22 or 24")


def test_datadog_keys(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    """A key that is nowhere is named, with where it can be."""
    monkeypatch.delenv("DD_APP_KEY")
    ((check, what, remedy, level),) = world.problems({}, {})
    assert (check, level) == ("datadog", Level.BLOCKS)
    assert what == "No application Datadog key for environment 'prd'."
    assert remedy.startswith("Set DD_APP_KEY, or name its secret in cdk.json")


def test_left_to_do_asks_for_mail_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What `status` repeats is the mail that is not confirmed, at the price of a call a topic."""
    fake: FakeAws = install(monkeypatch, _ACCOUNT)
    fake.answers |= _GOOD | _deployed("PendingConfirmation")
    target = _environment(_BLOCK, tmp_path)
    assert len(left_to_do(target)) == 1
    assert fake.names == ["sts.GetCallerIdentity", "sns.ListSubscriptionsByTopic"]


def _run(monkeypatch: pytest.MonkeyPatch, folder: Path, *words: str) -> int:
    monkeypatch.setattr(laptop, "STATE", folder)
    monkeypatch.setattr(sys, "argv", ["webhook-buffer", *words])
    with pytest.raises(SystemExit) as ended:
        main.main()
    return int(ended.value.code or 0)


def test_json(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """--json lists every check with its problems, and exit code 1 says that one blocks."""
    fake = install(monkeypatch, "111111111111")
    fake.answers |= _GOOD | {"ssm.GetParameter": Refusal("ParameterNotFound")}
    assert _run(monkeypatch, tmp_path, "preflight", "--env", "dev", "--json") == 1
    checks = {entry["id"]: entry for entry in json.loads(capsys.readouterr().out)["checks"]}
    wrong = [name for name, entry in checks.items() if not entry["ok"]]
    assert wrong == ["bootstrap"]
    assert checks["bootstrap"]["problems"][0]["level"] == "blocks"


def test_deploy_runs_it_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A fault ends `deploy` before anything is synthesized, with its remedy."""
    fake = install(monkeypatch, "111111111111")
    fake.answers |= _GOOD | {"ssm.GetParameter": Refusal("ParameterNotFound")}
    assert _run(monkeypatch, tmp_path, "deploy", "--env", "dev", "--yes") == 1
    said = capfd.readouterr()
    assert "✗ The account 111111111111 in us-east-1 is not bootstrapped" in said.out
    assert "→ An administrator runs" in said.out
    assert "preflight checks failed, so nothing was deployed" in said.err
    assert "Synthesizing" not in said.out


def test_on_the_emulator(emulator: Running, tmp_path: Path) -> None:
    """What the emulator has the calls for is found there: a queue that is in the way."""
    block = {
        **loader.environments()["local"], "service": f"pre-{uuid.uuid4().hex[:8]}",
    }  # fmt: skip
    target = _environment(block, tmp_path, endpoint_url=emulator.endpoint_url)
    assert [result.check.id for result in run(target, CATALOG)] == [
        "tools",
        "account",
        "stacks",
        "names",
        "left",
    ]
    assert not [problem for result in run(target, CATALOG) for problem in result.problems]
    name = target.settings.queue_name
    target.sqs.create_queue(QueueName=name, Attributes={"FifoQueue": "true"})
    (problem,) = [problem for result in run(target, CATALOG) for problem in result.problems]
    assert problem.what == f"The queue {name} exists already, outside of our stacks."


def test_every_check_finds_a_fault() -> None:
    """A check that no test sees fail is one that may never fail."""
    planted = {fault.check for fault in (_FAULTS | _LATER).values()}
    assert {check.id for check in checks(CATALOG)} == planted | {
        "tools",
        "account",
        "existing",
        "mail",
        "datadog",
    }


def test_its_rights_are_known(world: World) -> None:
    """What the checks ask AWS is in the policy of preflight."""
    world.problems({"route53.GetHostedZone": Refusal("NoSuchHostedZone")}, {"hostedZoneId": "Z7"})
    world.problems(_deployed(_CONFIRMED), {})
    world.problems(account_faults.GOOD, account_faults.REQUIRED)
    world.problems(_THERE, _WATCHED)
    asked = {name.partition(".")[::2] for name in world.fake.names}
    calls = {f"{service}.{xform_name(operation)}" for service, operation in asked}
    assert calls - {"sts.get_caller_identity"} <= by_command(app)["preflight"]
