"""The parts of an environment's block that say what is monitored and who is notified."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from settings.forms import Form


class Part(BaseModel):
    """A part of a block; like the block, it rejects unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


SecretArn = Annotated[
    str,
    AfterValidator(
        Form(
            "the ARN of a Secrets Manager secret",
            r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@-]+",
        )
    ),
]
KeyArn = Annotated[
    str,
    AfterValidator(
        Form("a KMS key's ARN", r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]+")
    ),
]
Severity = Literal["page", "ticket", "info"]
Name = Annotated[
    str,
    AfterValidator(
        Form(
            "a name: up to 32 lowercase letters, digits and hyphens, such as orders",
            r"[a-z][a-z0-9-]{0,31}",
        )
    ),
]
# CloudWatch accepts these names as a dimension's value.
PhysicalName = Annotated[
    str,
    AfterValidator(
        Form(
            "a resource's name: up to 128 letters, digits, dots, underscores and hyphens",
            r"[A-Za-z0-9_.-]{1,128}",
        )
    ),
]
Address = Annotated[str, AfterValidator(Form("an email address", r"[^@\s]+@[^@\s]+"))]


class Channel(Part):
    """Where notifications go."""

    kind: Literal["slack", "pagerduty", "https", "email"] = Field(
        description="`slack` (or any service that accepts Slack's incoming-webhook format), "
        "`pagerduty` (Events API v2), `https` (our JSON; see "
        "[contracts](contracts.md#notifications)), `email`.",
    )
    name: Name | None = Field(
        default=None,
        description="Distinguishes two channels of the same kind. By default, the kind.",
    )
    severities: list[Severity] = Field(
        default=["page", "ticket"],
        min_length=1,
        description="The severities that the channel receives: `page` (wakes somebody), `ticket` "
        "(somebody looks today), `info`.",
    )
    secretArn: SecretArn | None = Field(
        default=None,
        description="Required except for email. The secret that holds the URL, or PagerDuty's "
        "routing key. For PagerDuty's EU region the secret is JSON: "
        '`{"routing_key": "…", "url": "https://events.eu.pagerduty.com/v2/enqueue"}`.',
    )
    secretKeyArn: KeyArn | None = Field(
        default=None,
        description="The KMS key that encrypts the secret, where it is one of your own.",
    )
    addresses: list[Address] = Field(
        default=[],
        description="Email only: the recipients. SNS asks each address to confirm once and sends "
        "it nothing until then; so an address is in one channel, with all its severities. These "
        "addresses are also notified, with none of our code in between, when the alert path itself "
        "is broken.",
    )

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if self.kind == "email":
            if not self.addresses:
                raise ValueError("an email channel needs addresses; add them")
            if self.secretArn or self.secretKeyArn:
                raise ValueError(
                    "an email channel has no secret; remove secretArn and secretKeyArn"
                )
        elif self.secretArn is None:
            what = "routing key" if self.kind == "pagerduty" else "URL"
            raise ValueError(
                f"a {self.kind} channel needs secretArn, the ARN of the Secrets Manager secret "
                f"that holds its {what}; add it"
            )
        elif self.addresses:
            raise ValueError("addresses are for email channels; remove them")
        return self

    @property
    def id(self) -> str:
        """The name that distinguishes it from the environment's other channels."""
        return self.name or self.kind

    @property
    def mail_topic(self) -> str:
        """The purpose of the topic whose subscribers are its addresses."""
        return f"mail-{self.id}"


class AlarmChange(Part):
    """An environment's changes to a signal's own definition."""

    threshold: float | None = Field(
        default=None,
        description="Another threshold, in the signal's own unit. One that could never be "
        "crossed, such as a duration above the function's timeout, is rejected.",
    )
    severity: Severity | None = Field(
        default=None,
        description="Another severity. It takes the signal out of its incident: the signal "
        "notifies on its own.",
    )
    enabled: bool = Field(default=True, description="`false` removes the alarm.")
    evaluatedBy: Literal["cloudwatch", "datadog", "both"] | None = Field(
        default=None,
        description="What evaluates the signal. One that a Datadog query can't express is "
        "rejected with the reason.",
    )


class Traffic(Part):
    """When there is always traffic, so that its absence is an alarm; hours in UTC."""

    fromHourUtc: int = Field(default=0, ge=0, le=23, description="The first hour with traffic.")
    untilHourUtc: int = Field(
        default=24, ge=1, le=24, description="The hour at which traffic may end."
    )

    @model_validator(mode="after")
    def _forwards(self) -> Self:
        if self.fromHourUtc >= self.untilHourUtc:
            raise ValueError(
                "fromHourUtc must be before untilHourUtc; for a busy time across midnight UTC "
                "take the longer part"
            )
        return self


_ROLE = "The prefix of the ids of its alarms; set it when two resources of a kind are listed."


class ExistingQueue(Part):
    name: PhysicalName = Field(description="The queue's name.")
    role: Name = Field(default="queue", description=_ROLE)
    retentionDays: int = Field(
        default=4, ge=1, le=14, description="The queue's message retention, in days."
    )


class ExistingFunction(Part):
    name: PhysicalName = Field(
        description="The function's name. Its log group must be `/aws/lambda/NAME`, which exists "
        "once the function has run."
    )
    role: Name = Field(default="function", description=_ROLE)
    timeoutSeconds: int = Field(
        ge=1, le=900, description="The function's timeout, which its alarms are shares of."
    )
    concurrency: int | None = Field(
        default=None,
        ge=1,
        description="Its maximum concurrency. By default, `lambdaConcurrencyQuota`.",
    )


class ExistingApi(Part):
    name: PhysicalName = Field(description="A REST API's name, or an HTTP API's id.")
    role: Name = Field(default="api", description=_ROLE)
    kind: Literal["http", "rest"] = Field(description="The kind of API Gateway API.")


class ExistingTable(Part):
    name: PhysicalName = Field(description="The table's name.")
    role: Name = Field(default="table", description=_ROLE)


class Existing(Part):
    """Resources that this app did not create and only monitors."""

    queues: list[ExistingQueue] = Field(default=[], description="SQS queues.")
    functions: list[ExistingFunction] = Field(default=[], description="Lambda functions.")
    apis: list[ExistingApi] = Field(default=[], description="API Gateway APIs.")
    tables: list[ExistingTable] = Field(default=[], description="DynamoDB tables.")

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        roles = [queue.role for queue in self.queues]
        roles += [function.role for function in self.functions]
        roles += [api.role for api in self.apis] + [table.role for table in self.tables]
        if not roles:
            raise ValueError("names nothing; list queues, functions, apis or tables")
        twice = sorted({role for role in roles if roles.count(role) > 1})
        if twice:
            raise ValueError(
                f"the role '{twice[0]}' is used twice; give each resource a role of its own, "
                "which its alarms' names begin with"
            )
        taken = sorted(set(roles) & {"notify", "notify-dlq", "buffer"})
        if taken:
            raise ValueError(
                f"the role '{taken[0]}' is used by the monitoring itself; choose another"
            )
        return self
