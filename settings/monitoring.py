"""The parts of an environment's block that say what is monitored and who is notified."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Part(BaseModel):
    """A part of a block; like the block, it rejects unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


SecretArn = Annotated[
    str, Field(pattern=r"^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@-]+$")
]
Severity = Literal["page", "ticket", "info"]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
# The allowed names of a resource; CloudWatch takes them as a dimension's value.
PhysicalName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,128}$")]


class Channel(Part):
    """Where notifications go."""

    kind: Literal["slack", "pagerduty", "https", "email"]
    name: Name | None = None
    severities: Annotated[list[Severity], Field(min_length=1)] = ["page", "ticket"]
    secretArn: SecretArn | None = None
    addresses: list[Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")]] = []

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if self.kind == "email":
            if not self.addresses:
                raise ValueError("an email channel needs addresses; add them")
            if self.secretArn:
                raise ValueError("an email channel has no secret; remove secretArn")
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


class AlarmChange(Part):
    """An environment's changes to a signal's own definition."""

    threshold: float | None = None
    severity: Severity | None = None
    enabled: bool = True
    evaluatedBy: Literal["cloudwatch", "datadog", "both"] | None = None


class Traffic(Part):
    """When there is always traffic, so that its absence is an alarm; hours in UTC."""

    fromHourUtc: Annotated[int, Field(ge=0, le=23)] = 0
    untilHourUtc: Annotated[int, Field(ge=1, le=24)] = 24

    @model_validator(mode="after")
    def _forwards(self) -> Self:
        if self.fromHourUtc >= self.untilHourUtc:
            raise ValueError(
                "fromHourUtc must be before untilHourUtc; for a busy time across midnight UTC "
                "take the longer part"
            )
        return self


class ExistingQueue(Part):
    name: PhysicalName
    role: Name = "queue"
    retentionDays: Annotated[int, Field(ge=1, le=14)] = 4


class ExistingFunction(Part):
    name: PhysicalName
    role: Name = "function"
    timeoutSeconds: Annotated[int, Field(ge=1, le=900)]
    concurrency: Annotated[int, Field(ge=1)] | None = None


class ExistingApi(Part):
    name: PhysicalName  # a REST API's name, or an HTTP API's id
    role: Name = "api"
    kind: Literal["http", "rest"]


class ExistingTable(Part):
    name: PhysicalName
    role: Name = "table"


class Existing(Part):
    """Resources that this app did not create and only monitors."""

    queues: list[ExistingQueue] = []
    functions: list[ExistingFunction] = []
    apis: list[ExistingApi] = []
    tables: list[ExistingTable] = []

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        roles = [one.role for one in self.queues] + [one.role for one in self.functions]
        roles += [one.role for one in self.apis] + [one.role for one in self.tables]
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
            raise ValueError(f"the role '{taken[0]}' is the monitoring's own; choose another")
        return self
