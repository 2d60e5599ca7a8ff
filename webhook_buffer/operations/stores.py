"""What outlives an environment's stack: its tables and its bucket, which the next one adopts."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from webhook_buffer.operations.environment import Environment, aws_errors
from webhook_buffer.operations.physical_names import BUCKET, Named, Owned, stores


def existing(target: Environment) -> list[Named]:
    """Those that exist, with or without their stack.

    Raises:
        WebhookBufferError: When AWS can't be asked.
    """
    if target.settings.existing:
        return []
    with aws_errors(target.settings):
        return [store for store in stores(target.settings) if exists(target, store)]


def left(target: Environment) -> list[Named]:
    """Those that exist outside of the stack, so that a deployment has to adopt them.

    Raises:
        WebhookBufferError: When AWS can't be asked.
    """
    if target.settings.existing:
        return []
    owned = Owned(target, target.settings.prefix)
    with aws_errors(target.settings):
        new = [store for store in stores(target.settings) if store not in owned]
        return [store for store in new if exists(target, store)]


def exists(target: Environment, store: Named) -> bool:
    """Whether a table or a bucket of this account has that name."""
    described = bucket if store.kind == BUCKET else table
    return described(target, store.name) is not None


def table(target: Environment, name: str) -> Any:
    """A table as DynamoDB describes it; None where there is none."""
    try:
        return target.dynamodb.describe_table(TableName=name)["Table"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return None


def bucket(target: Environment, name: str) -> Any:
    """A bucket of this account as S3 describes it; None where there is none.

    Raises:
        botocore.exceptions.ClientError: When it is another account's, or may not be looked at.
    """
    try:
        return target.s3.head_bucket(Bucket=name, ExpectedBucketOwner=target.settings.awsAccount)
    except ClientError as error:
        if error.response["Error"]["Code"] != "404":
            raise
        return None
