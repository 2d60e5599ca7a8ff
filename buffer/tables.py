"""The tables that outlive their stack: the records, and what is parked."""

from __future__ import annotations

from typing import Any

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from functions.encryption import Encryption
from lambdas import parked_index
from settings.schema import Settings


def create_record_table(
    scope: Construct, settings: Settings, encryption: Encryption
) -> dynamodb.Table:
    """A row for each webhook, by its message's id."""
    return dynamodb.Table(
        scope,
        "Records",
        table_name=settings.table_name,
        partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
        **_kept(encryption),
    )


def create_parking_table(
    scope: Construct, settings: Settings, encryption: Encryption
) -> dynamodb.Table:
    """Parked webhooks and held groups; the index lists them without their messages."""
    table = dynamodb.Table(
        scope,
        "Parking",
        table_name=settings.parking_table_name,
        partition_key=dynamodb.Attribute(name="partition", type=dynamodb.AttributeType.STRING),
        sort_key=dynamodb.Attribute(name="row", type=dynamodb.AttributeType.STRING),
        **_kept(encryption),
    )
    table.add_global_secondary_index(
        index_name=parked_index.NAME,
        partition_key=dynamodb.Attribute(name="kind", type=dynamodb.AttributeType.STRING),
        sort_key=dynamodb.Attribute(name="parked_at", type=dynamodb.AttributeType.NUMBER),
        projection_type=dynamodb.ProjectionType.INCLUDE,
        non_key_attributes=list(parked_index.LISTED),
    )
    return table


def _kept(encryption: Encryption) -> dict[str, Any]:
    """Kept when the stack goes, but not when its first creation fails."""
    return {
        "billing_mode": dynamodb.BillingMode.PAY_PER_REQUEST,
        "point_in_time_recovery_specification": dynamodb.PointInTimeRecoverySpecification(
            point_in_time_recovery_enabled=True
        ),
        "time_to_live_attribute": "expires_at",
        "removal_policy": RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        **encryption.table,
    }
