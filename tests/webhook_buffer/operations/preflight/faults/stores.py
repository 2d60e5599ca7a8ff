"""Tables and the bucket that an earlier deployment left."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.fake_aws import Answer, Refusal
from tests.webhook_buffer.operations.preflight.environment import (
    OTHER_KEY,
    REGION,
    RESOURCE_MISSING,
    Fault,
)
from webhook_buffer.operations.preflight.model import Level

_BODIES = "webhook-buffer-prd-bodies-7ff6dd"


def of_table(
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
    return lambda given: {"Table": table} if given["TableName"].endswith(name) else RESOURCE_MISSING


def _of_bucket(key: str = "", *, policy: bool = False, region: str = REGION) -> dict[str, Answer]:
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


PARKING = of_table("parking", "partition", "row")
GOOD: Mapping[str, Answer] = {
    "dynamodb.DescribeTable": RESOURCE_MISSING,
    "s3.HeadBucket": Refusal("404", status=404),
}  # fmt: skip


def adopted(*names: str) -> dict[str, Answer]:
    """What ``destroy`` keeps, or some of it."""
    tables = {"records": of_table("records", "id"), "parking": PARKING}
    answers = dict(_of_bucket()) if "bodies" in names else {}
    return {
        **answers,
        "dynamodb.DescribeTable": lambda given: next(
            (
                tables[name](given)
                for name in tables
                if name in names and name in given["TableName"]
            ),
            RESOURCE_MISSING,
        ),
    }


FAULTS = {
    "table of another key": Fault(
        "left", "its key is order, not id: it can't be adopted", "choose another",
        {"dynamodb.DescribeTable": of_table("records", "order")},
    ),
    "table of another type of key": Fault(
        "left", "its key is id (N), not id: it can't be adopted", "choose another",
        {"dynamodb.DescribeTable": of_table("records", "id", kind="N")},
    ),
    "parking table of another key": Fault(
        "left", "its key is id, not partition, row: it can't be adopted", "choose another",
        {"dynamodb.DescribeTable": of_table("parking", "id")},
    ),
    "parking table without its index": Fault(
        "left", "webhook-buffer-prd-parking exists already without the index parked", "Delete it",
        {"dynamodb.DescribeTable": of_table("parking", "partition", "row", indexes=())},
    ),
    "left table under another key": Fault(
        "left", f"is encrypted with {OTHER_KEY}, and encryptionKeyArn is not set",
        f"Deploy once with encryptionKeyArn set to {OTHER_KEY}",
        {
            "dynamodb.DescribeTable": of_table(
                "records", "id", SSEDescription={"KMSMasterKeyArn": OTHER_KEY}
            )
        },
    ),
    "left table whose key is off": Fault(
        "left", "webhook-buffer-prd-records, to be adopted, can't be read", "Enable that key",
        {
            "dynamodb.DescribeTable": of_table(
                "records", "id", TableStatus="INACCESSIBLE_ENCRYPTION_CREDENTIALS"
            )
        },
    ),
    "left table that is going": Fault(
        "left", "webhook-buffer-prd-parking, to be adopted, is in state DELETING", "Wait until",
        {
            "dynamodb.DescribeTable": of_table(
                "parking", "partition", "row", TableStatus="DELETING"
            )
        },
    ),
    "left bucket under another key": Fault(
        "left", f"The bucket {_BODIES}, to be adopted, is encrypted with",
        f"Deploy once with encryptionKeyArn set to {OTHER_KEY}", _of_bucket(OTHER_KEY),
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
}  # fmt: skip
