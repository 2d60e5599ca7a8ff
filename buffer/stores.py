"""Where webhooks are kept: the record table, the bucket of its large bodies, the parking table.

All outlive their stack, but not when its first creation fails.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from functions.encryption import Encryption
from lambdas import parked_index, record_index, recorded_request
from settings.schema import Settings

_KEPT = RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE


class Stores(NamedTuple):
    """The tables and the bucket."""

    records: dynamodb.Table
    bodies: s3.Bucket
    parking: dynamodb.Table

    def may_put_bodies(self) -> Iterator[iam.PolicyStatement]:
        """What allows to store bodies, and only in a bucket of this account: a name that is free
        again can be anybody's.
        """
        account = Stack.of(self.bodies).account
        yield iam.PolicyStatement(
            actions=["s3:PutObject"],
            resources=[self.bodies.arn_for_objects(recorded_request.object_key("*"))],
            conditions={"StringEquals": {"aws:ResourceAccount": account}},
        )


def create_stores(
    scope: Construct,
    *,
    settings: Settings,
    encryption: Encryption,
    indexes: Collection[str] | None,
) -> Stores:
    """All three.

    Args:
        indexes: names of those that the record table gets; all for None. An existing table takes
            a new one with each deployment.
    """
    return Stores(
        _records(scope, settings, encryption, indexes),
        _bodies(scope, settings, encryption),
        _parking(scope, settings, encryption),
    )


def _records(
    scope: Construct,
    settings: Settings,
    encryption: Encryption,
    indexes: Collection[str] | None,
) -> dynamodb.Table:
    table = _table(scope, "Records", encryption, settings.table_name, "id")
    for index in record_index.INDEXES:
        if indexes is None or index.name in indexes:
            table.add_global_secondary_index(
                index_name=index.name,
                partition_key=_text(index.partition),
                sort_key=_number(record_index.SORT),
                projection_type=dynamodb.ProjectionType.KEYS_ONLY,
            )
    return table


def _bodies(scope: Construct, settings: Settings, encryption: Encryption) -> s3.Bucket:
    return s3.Bucket(
        scope,
        "Bodies",
        bucket_name=settings.bodies_bucket_name,
        **encryption.bucket,
        enforce_ssl=True,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        lifecycle_rules=[s3.LifecycleRule(expiration=Duration.days(settings.recordTtlDays))],
        removal_policy=_KEPT,
    )


def _parking(scope: Construct, settings: Settings, encryption: Encryption) -> dynamodb.Table:
    """Parked webhooks and held groups; the index lists them without their messages."""
    table = _table(scope, "Parking", encryption, settings.parking_table_name, "partition", "row")
    table.add_global_secondary_index(
        index_name=parked_index.NAME,
        partition_key=_text("kind"),
        sort_key=_number("parked_at"),
        projection_type=dynamodb.ProjectionType.INCLUDE,
        non_key_attributes=list(parked_index.LISTED),
    )
    return table


def _table(
    scope: Construct,
    construct_id: str,
    encryption: Encryption,
    name: str,
    partition: str,
    sort: str | None = None,
) -> dynamodb.Table:
    return dynamodb.Table(
        scope,
        construct_id,
        table_name=name,
        partition_key=_text(partition),
        sort_key=_text(sort) if sort else None,
        billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
        point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
            point_in_time_recovery_enabled=True
        ),
        time_to_live_attribute="expires_at",
        removal_policy=_KEPT,
        **encryption.table,
    )


def _text(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)


def _number(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.NUMBER)
