"""What an account requires holds of every resource in both stacks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.templates import DEMANDING, Synthesized

pytestmark = pytest.mark.xdist_group("demanding")

_KEY = DEMANDING["encryptionKeyArn"]
# Where each type says with which key it is encrypted.
_KEY_PROPERTIES: Mapping[str, tuple[str, ...]] = {
    "AWS::DynamoDB::Table": ("SSESpecification", "KMSMasterKeyId"),
    "AWS::Lambda::Function": ("KmsKeyArn",),
    "AWS::Logs::LogGroup": ("KmsKeyId",),
    "AWS::S3::Bucket": (
        "BucketEncryption", "ServerSideEncryptionConfiguration", "0",
        "ServerSideEncryptionByDefault", "KMSMasterKeyID",
    ),
    "AWS::SecretsManager::Secret": ("KmsKeyId",),
    "AWS::SNS::Topic": ("KmsMasterKeyId",),
    "AWS::SQS::Queue": ("KmsMasterKeyId",),
}  # fmt: skip


def _resources(demanding: Synthesized) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Logical id, type and properties of all resources."""
    for stack in demanding.stacks:
        for name, resource in stack.template["Resources"].items():
            yield name, resource["Type"], resource.get("Properties", {})


def test_everything_is_under_the_customers_key(demanding: Synthesized) -> None:
    """Whatever can be encrypted is, with the key of settings; only mail stands alone."""
    otherwise = []
    seen = set()
    for name, kind, properties in _resources(demanding):
        value: Any = properties
        for key in _KEY_PROPERTIES.get(kind, ()):
            value = value[int(key)] if isinstance(value, list) else value.get(key, {})
        if kind in _KEY_PROPERTIES:
            seen.add(kind)
            if value != _KEY:
                otherwise.append(name)
    assert seen == _KEY_PROPERTIES.keys()
    assert [name.rstrip("0123456789ABCDEF") for name in otherwise] == ["NotificationsEmailMail"]
    assert "AWS::KMS::Key" not in {kind for _, kind, _ in _resources(demanding)}


def test_every_role_has_the_boundary(demanding: Synthesized) -> None:
    """No role escapes the account's permissions boundary."""
    roles = [entry for _, kind, entry in _resources(demanding) if kind == "AWS::IAM::Role"]
    boundary = DEMANDING["permissionsBoundaryArn"]
    assert {role.get("PermissionsBoundary") for role in roles} == {boundary}


def test_tags_are_on_everything(demanding: Synthesized) -> None:
    """Tags of settings stand beside our own, in each form that a type has for them."""
    wanted = {"env": "stg", "service": "webhook-buffer", **DEMANDING["tags"]}
    tagged = {kind: entry["Tags"] for _, kind, entry in _resources(demanding) if "Tags" in entry}
    assert {"AWS::SQS::Queue", "AWS::IAM::Role", "AWS::ApiGatewayV2::Api"} <= tagged.keys()
    for tags in tagged.values():
        pairs = tags if isinstance(tags, dict) else {tag["Key"]: tag["Value"] for tag in tags}
        assert wanted.items() <= pairs.items()


def test_deliveries_leave_from_the_vpc(demanding: Synthesized) -> None:
    """``subscribe`` alone is in the network, and its code can't manage network interfaces."""
    functions = {
        entry["FunctionName"]: entry["VpcConfig"]
        for _, kind, entry in _resources(demanding)
        if kind == "AWS::Lambda::Function" and "VpcConfig" in entry
    }
    name, vpc = "webhook-buffer-stg-subscribe", DEMANDING["vpc"]
    network = {"SubnetIds": vpc["subnets"], "SecurityGroupIds": vpc["securityGroups"]}
    assert functions == {name: network}
    (denied,) = [
        statement
        for _, kind, entry in _resources(demanding)
        if kind == "AWS::IAM::Policy"
        for statement in entry["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny"
    ]
    assert all(action.startswith("ec2:") for action in denied["Action"])
    source = f"arn:aws:lambda:us-east-1:222222222222:function:{name}"
    assert denied["Condition"] == {"ArnEquals": {"lambda:SourceFunctionArn": source}}
