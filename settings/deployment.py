"""The keys that say where an environment is deployed, and what its account requires."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from settings.forms import Form
from settings.monitoring import KeyArn, Name, Part

Account = Annotated[str, AfterValidator(Form("an AWS account's twelve digits", r"\d{12}"))]
Region = Annotated[
    str, AfterValidator(Form("an AWS region such as eu-central-1", r"[a-z]{2,4}(-[a-z]+)+-\d"))
]
EnvironmentName = Annotated[
    str,
    AfterValidator(
        Form(
            "a name: up to 16 lowercase letters, digits and hyphens, such as dev",
            r"[a-z][a-z0-9-]{0,15}",
        )
    ),
]
RoleArn = Annotated[
    str,
    AfterValidator(
        Form("the ARN of an IAM role", r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]{1,576}")
    ),
]
PolicyArn = Annotated[
    str,
    AfterValidator(
        Form(
            "the ARN of an IAM policy",
            r"arn:aws[a-z-]*:iam::(\d{12}|aws):policy/[\w+=,.@/-]{1,640}",
        )
    ),
]
# Source: AWS Tagging user guide, "Tag naming limits and requirements": what all services take;
# keys that begin with aws: are AWS's own. CloudFormation API reference, Tag: a stack's have values.
TagKey = Annotated[
    str,
    AfterValidator(
        Form(
            "a tag's key: up to 128 letters, digits, spaces and _ . : / = + - @, not beginning "
            "with aws:",
            r"(?![aA][wW][sS]:)(?! )[A-Za-z0-9 _.:/=+@-]{1,128}(?<! )",
        )
    ),
]
TagValue = Annotated[
    str,
    AfterValidator(
        Form(
            "a tag's value: 1 to 256 letters, digits, spaces and _ . : / = + - @",
            r"[A-Za-z0-9 _.:/=+@-]{1,256}",
        )
    ),
]
SubnetId = Annotated[
    str, AfterValidator(Form("a subnet's id such as subnet-0123abcd", r"subnet-[0-9a-f]{8,17}"))
]
SecurityGroupId = Annotated[
    str, AfterValidator(Form("a security group's id such as sg-0123abcd", r"sg-[0-9a-f]{8,17}"))
]


class Vpc(Part):
    """Where deliveries leave from, for a backend that is private or knows its callers' addresses.

    Source of the limits: Lambda API reference, VpcConfig.
    """

    subnets: list[SubnetId] = Field(
        min_length=1,
        max_length=16,
        description="The subnets, all of one VPC; at least two of different zones, so that one "
        "zone's failure stops nothing. Private ones: Lambda gives a function in a public subnet "
        "no public address.",
    )
    securityGroups: list[SecurityGroupId] = Field(
        min_length=1,
        max_length=5,
        description="The security groups of that VPC. They let out HTTPS and the backend's port; "
        "nothing has to come in.",
    )


class Deployment(Part):
    """Where an environment is deployed, and what its account requires of everything in it."""

    awsAccount: Account = Field(
        description="`000000000000` is not a real account: such an environment runs on the "
        "laptop's emulator.",
    )
    awsRegion: Region = Field(description="The region to deploy the stacks to.")
    environment: EnvironmentName = Field(
        description="The name of the block. It is part of every physical name, and the value of "
        "the tag `env`.",
    )
    service: Name = Field(
        description="Part of every physical name, and the value of the tag `service`."
    )
    operatorRoleArn: RoleArn | None = Field(
        default=None,
        description="A role in `awsAccount` that commands assume when the caller's credentials are "
        "of another account; see [permissions.md](permissions.md). Without it, they refuse. The "
        "CDK itself assumes its bootstrap roles.",
    )
    permissionsBoundaryArn: PolicyArn | None = Field(
        default=None,
        description="The permissions boundary of every role; see "
        "[account.md](account.md#permissions-boundary).",
    )
    # Source: AWS Tagging user guide: 50 a resource. The rest is for ours, Datadog's and
    # CloudFormation's.
    tags: dict[TagKey, TagValue] = Field(
        default={},
        max_length=40,
        description="Tags of every resource, beside `env` and `service`.",
    )
    encryptionKeyArn: KeyArn | None = Field(
        default=None,
        description="A KMS key of yours that encrypts queues, tables, logs, topics, the heartbeat "
        "key and the functions' variables; see [account.md](account.md#encryption). By default "
        "AWS's own keys do.",
    )
    vpc: Vpc | None = Field(
        default=None,
        description="The network that `subscribe` delivers from; see "
        "[account.md](account.md#network). By default Lambda's own.",
    )
