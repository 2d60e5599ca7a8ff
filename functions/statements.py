"""Statements of roles, and the ARNs of what a stack knows by name alone."""

from __future__ import annotations

from collections.abc import Iterable

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct


def allow(resources: Iterable[str | None], *actions: str) -> list[iam.PolicyStatement]:
    """The statement that allows actions on resources; none where no resource is left.

    Args:
        resources: ARNs; None and repetitions are dropped.
    """
    named = [resource for resource in dict.fromkeys(resources) if resource]
    return [iam.PolicyStatement(actions=list(actions), resources=named)] if named else []


def table_arn(scope: Construct, name: str) -> str:
    """The ARN of a table; of its indexes with ``TABLE/index/*``."""
    return Stack.of(scope).format_arn(service="dynamodb", resource="table", resource_name=name)


def log_arn(scope: Construct, name: str) -> str:
    """The ARN of a log group's lines."""
    return Stack.of(scope).format_arn(
        service="logs",
        resource="log-group",
        resource_name=f"{name}:*",
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )
