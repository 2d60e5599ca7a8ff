"""What an account requires of everything in a stack: tags, and a boundary of its roles."""

from __future__ import annotations

from aws_cdk import Stack, Tags
from aws_cdk import aws_iam as iam

from settings.schema import Settings


def apply(stack: Stack, settings: Settings) -> None:
    """Tags a stack with all that it will hold, and bounds what its roles may do."""
    for key, value in {
        **settings.tags, "env": settings.environment, "service": settings.service,
    }.items():  # fmt: skip
        Tags.of(stack).add(key, value)
    if settings.permissionsBoundaryArn:
        iam.PermissionsBoundary.of(stack).apply(
            iam.ManagedPolicy.from_managed_policy_arn(
                stack, "PermissionsBoundary", settings.permissionsBoundaryArn
            )
        )
