"""A function in the customer's network."""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_

from settings.deployment import Vpc

# What Lambda does to the function's network interfaces, with the function's role. Source: AWS
# managed policy AWSLambdaVPCAccessExecutionRole.
ACTIONS = tuple(
    f"ec2:{action}"
    for action in (
        "AssignPrivateIpAddresses", "CreateNetworkInterface", "DeleteNetworkInterface",
        "DescribeNetworkInterfaces", "DescribeSubnets", "UnassignPrivateIpAddresses",
    )
)  # fmt: skip


def connect(function: lambda_.Function, vpc: Vpc, *, arn: str) -> None:
    """Puts a function into subnets.

    Lambda may manage its network interfaces, and the function's own code may not: calls of the code
    carry the function's ARN, Lambda's own calls to EC2 do not. Source: Lambda developer guide,
    "Using source function ARN to control function access behavior", 2026-11-26.

    Args:
        arn: the function's; not a reference to it, for it is created after its role's policy.
    """
    resource = function.node.default_child
    assert isinstance(resource, lambda_.CfnFunction)
    resource.vpc_config = lambda_.CfnFunction.VpcConfigProperty(
        subnet_ids=vpc.subnets, security_group_ids=vpc.securityGroups
    )
    function.add_to_role_policy(iam.PolicyStatement(actions=list(ACTIONS), resources=["*"]))
    function.add_to_role_policy(
        iam.PolicyStatement(
            effect=iam.Effect.DENY,
            actions=list(ACTIONS),
            resources=["*"],
            conditions={"ArnEquals": {"lambda:SourceFunctionArn": arn}},
        )
    )
