"""The part of an environment's block about Datadog."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, model_validator

from settings.monitoring import Name, Part, SecretArn, Severity

# Source: Datadog documentation, "Getting Started with Datadog Sites".
Site = Literal[
    "datadoghq.com", "us3.datadoghq.com", "us5.datadoghq.com", "datadoghq.eu", "ap1.datadoghq.com",
    "ap2.datadoghq.com", "ddog-gov.com",
]  # fmt: skip
Day = Literal["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
# Source: Datadog documentation, "Notifications": @channel, @user's address, @service-name.
HANDLE = re.compile(r"@[A-Za-z0-9_.+-]+(@[A-Za-z0-9.-]+\.[A-Za-z]{2,})?")


def _handle(text: object) -> object:
    if isinstance(text, str) and not HANDLE.fullmatch(text):
        raise ValueError(
            "is not a notification handle; write it as in Datadog: @slack-orders, "
            "@pagerduty-webhooks or @somebody@example.com"
        )
    return text


def _zone(name: object) -> object:
    if isinstance(name, str):
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            raise ValueError("is not a time zone; write one such as Europe/Berlin or UTC") from None
    return name


Handle = Annotated[str, BeforeValidator(_handle)]
AgentUrl = Annotated[str, Field(pattern=r"^http://(127\.0\.0\.1|localhost):\d{1,5}$")]


class QuietHours(Part):
    """When monitors are muted: a downtime that repeats every week."""

    name: Name
    days: Annotated[list[Day], Field(min_length=1)] = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
    at: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
    minutes: Annotated[int, Field(ge=10, le=1440)]
    timezone: Annotated[str, BeforeValidator(_zone)] = "UTC"
    # Pages are never muted by default: muting them has to be asked for.
    severities: Annotated[list[Severity], Field(min_length=1)] = ["ticket", "info"]


class Datadog(Part):
    """How functions send to Datadog, and what is published there."""

    site: Site = "datadoghq.com"
    # Which functions are instrumented, by role; nothing named is all of ours.
    functions: list[Name] | None = None
    tracing: bool = True
    # Source: Datadog's layers, in every region's account 464622532012; pinned, so that a
    # deployment changes only what was decided.
    pythonLayerVersion: Annotated[int, Field(ge=1)] = 128
    extensionLayerVersion: Annotated[int, Field(ge=1)] = 101
    # Where functions on the laptop send spans; the extension that takes them on AWS is missing.
    traceAgentUrl: AgentUrl | None = None
    # The secrets hold the key itself, as text.
    apiKeySecretArn: SecretArn | None = None
    applicationKeySecretArn: SecretArn | None = None
    # How metrics of CloudWatch come to Datadog, and so how late.
    metrics: Literal["polling", "stream"] = "polling"
    recipients: dict[Severity, list[Handle]] = {}
    team: Name | None = None
    quietHours: list[QuietHours] = []

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        names = [one.name for one in self.quietHours]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two quietHours are called '{twice[0]}'; give each a name of its own")
        return self
