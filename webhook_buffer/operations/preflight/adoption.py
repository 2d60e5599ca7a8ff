"""What an earlier deployment left: tables and a bucket that the next one can adopt as they are.

CloudFormation changes nothing of what it imports. Source: CloudFormation user guide, "Import AWS
resources into a CloudFormation stack automatically".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from lambdas import parked_index
from webhook_buffer.operations import physical_names as kinds
from webhook_buffer.operations import stores
from webhook_buffer.operations.environment import Environment
from webhook_buffer.operations.physical_names import Named, Owned
from webhook_buffer.operations.preflight.model import NAME_TAKEN, Level, Problem

# Source: DynamoDB API reference, TableDescription: TableStatus.
_LOCKED = "INACCESSIBLE_ENCRYPTION_CREDENTIALS"


def adoptable(target: Environment) -> Iterator[Problem]:
    """Each table and the bucket that exists outside of the stack is as the stack needs it."""
    settings = target.settings
    owned = Owned(target, settings.prefix)
    records, parking, bodies = kinds.stores(settings)
    if records not in owned:
        yield from _table(target, records, ["id"])
    if parking not in owned:
        yield from _table(target, parking, ["partition", "row"], [parked_index.NAME])
    if bodies not in owned:
        yield from _bucket(target, bodies.name)


def _table(
    target: Environment, store: Named, key: Sequence[str], indexes: Sequence[str] = ()
) -> Iterator[Problem]:
    """Problems of a table.

    Args:
        key: its partition key, and its sort key where it has one; all are strings.
        indexes: that it needs. Those of the record table come with later deployments.
    """
    table = stores.table(target, store.name)
    if table is None:
        return
    name = f"The table {store.name}"
    if table["TableStatus"] == _LOCKED:
        yield Problem(
            f"{name}, to be adopted, can't be read: its key is disabled or scheduled for deletion.",
            "Enable that key within 7 days; DynamoDB then archives the table.",
        )
        return
    if table["TableStatus"] not in ("ACTIVE", "UPDATING"):
        yield Problem(
            f"{name}, to be adopted, is in state {table['TableStatus']}.",
            "Wait until it is ACTIVE, or gone.",
        )
        return
    present = _key(table)
    missing = set(indexes) - {
        index["IndexName"] for index in table.get("GlobalSecondaryIndexes", ())
    }
    if present != list(key):
        yield Problem(
            f"{name} exists already, and its key is {', '.join(present)}, not {', '.join(key)}: it "
            "can't be adopted.",
            NAME_TAKEN,
        )
    elif missing:
        yield Problem(
            f"{name} exists already without the index {', '.join(sorted(missing))}: it can't be "
            "adopted.",
            NAME_TAKEN,
        )
    else:
        encryption = table.get("SSEDescription", {})
        yield from _encrypted(target, name, encryption.get("KMSMasterKeyArn"))


def _key(table: Mapping[str, Any]) -> list[str]:
    """The attributes of a table's key, with their type where they are not strings."""
    types = {
        entry["AttributeName"]: entry["AttributeType"]
        for entry in table.get("AttributeDefinitions", ())
    }
    names = [entry["AttributeName"] for entry in table["KeySchema"]]
    return [name if types.get(name) == "S" else f"{name} ({types.get(name)})" for name in names]


def _bucket(target: Environment, name: str) -> Iterator[Problem]:
    try:
        described = stores.bucket(target, name)
    except ClientError as error:
        if error.response["Error"]["Code"] != "403":
            raise
        yield Problem(
            f"Unknown: the bucket {name} is another account's, or may not be looked at.",
            "Allow s3:ListBucket, as docs/permissions.md says; if it is another account's, choose "
            "another 'service' or 'environment' in cdk.json.",
            Level.UNKNOWN,
        )
        return
    if described is None:
        return
    region = described.get("BucketRegion", target.settings.awsRegion)
    if region != target.settings.awsRegion:
        yield Problem(f"The bucket {name} is in {region} and can't be adopted.", NAME_TAKEN)
        return
    # Source: issue 6923 of serverless/serverless: a second policy is refused.
    if _has_policy(target, name):
        yield Problem(
            f"The bucket {name}, to be adopted, has a policy, and CloudFormation can't create "
            "a second one.",
            f"Delete it; the stack brings its own: aws s3api delete-bucket-policy --bucket {name}",
        )
    rules = target.s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]
    default = rules["Rules"][0].get("ApplyServerSideEncryptionByDefault", {})
    yield from _encrypted(target, f"The bucket {name}", default.get("KMSMasterKeyID"))


def _has_policy(target: Environment, name: str) -> bool:
    try:
        return bool(target.s3.get_bucket_policy(Bucket=name))
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucketPolicy":
            raise
        return False


def _encrypted(target: Environment, name: str, key: str | None) -> Iterator[Problem]:
    """A key other than the settings', which functions could not use."""
    wanted = target.settings.encryptionKeyArn
    if key != wanted:
        before = f"set to {key}" if key else "left out"
        yield Problem(
            f"{name}, to be adopted, is encrypted with {key or 'a key of AWS'}, and "
            f"encryptionKeyArn is {wanted or 'not set'}: CloudFormation does not change what it "
            "adopts.",
            f"Deploy once with encryptionKeyArn {before} in cdk.json, and then as it is now.",
        )
