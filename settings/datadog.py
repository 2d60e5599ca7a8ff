"""The part of an environment's block about Datadog."""

from __future__ import annotations

from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator

from settings.forms import Form, Parsed
from settings.monitoring import KeyArn, Name, Part, SecretArn, Severity

# Source: Datadog documentation, "Getting Started with Datadog Sites"; a test compares it with the
# sites of Datadog's API client.
Site = Literal[
    "datadoghq.com", "us3.datadoghq.com", "us5.datadoghq.com", "datadoghq.eu", "ap1.datadoghq.com",
    "ap2.datadoghq.com", "uk1.datadoghq.com", "ddog-gov.com", "us2.ddog-gov.com",
]  # fmt: skip
Day = Literal["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
# Source: Datadog documentation, "Notifications": @channel, @user's address, @service-name.
HANDLE = Form(
    "a Datadog notification handle such as @slack-orders, @pagerduty-webhooks or "
    "@somebody@example.com",
    r"@[A-Za-z0-9_.+-]+(@[A-Za-z0-9.-]+\.[A-Za-z]{2,})?",
)


def _zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError("is not a time zone; write one such as Europe/Berlin or UTC") from None


Handle = Annotated[str, AfterValidator(HANDLE)]
TimeZone = Annotated[str, AfterValidator(Parsed("a time zone such as Europe/Berlin", _zone))]
TimeOfDay = Annotated[
    str, AfterValidator(Form("a time of day, such as 22:00", r"([01]\d|2[0-3]):[0-5]\d"))
]
AgentUrl = Annotated[
    str,
    AfterValidator(
        Form(
            "a URL on this machine such as http://127.0.0.1:8126",
            r"http://(127\.0\.0\.1|localhost):\d{1,5}",
        )
    ),
]


class QuietHours(Part):
    """When monitors are muted: a downtime that repeats every week."""

    name: Name = Field(description="What the downtime is called.")
    days: list[Day] = Field(
        default=["MO", "TU", "WE", "TH", "FR", "SA", "SU"],
        min_length=1,
        description="The days on which it begins.",
    )
    at: TimeOfDay = Field(description="When it begins, in `timezone`.")
    minutes: int = Field(ge=10, le=1440, description="How long it lasts.")
    timezone: TimeZone = Field(default="UTC", description="The time zone of `at` and `days`.")
    # Pages are never muted by default: muting them has to be asked for.
    severities: list[Severity] = Field(
        default=["ticket", "info"],
        min_length=1,
        description="The severities whose monitors are muted.",
    )


DATADOG_SITE: Site = "datadoghq.com"


class Datadog(Part):
    """How functions send to Datadog, and what is published there."""

    site: Site = Field(default=DATADOG_SITE, description="The Datadog site of your organization.")
    functions: list[Name] | None = Field(
        default=None,
        description='The functions to instrument, such as `["publish", "subscribe"]`; `[]` '
        "instruments none. By default, all. See "
        "[datadog-instrumentation.md](datadog-instrumentation.md).",
    )
    tracing: bool = Field(
        default=True,
        description="Send traces. With `false`, functions send metrics and logs only.",
    )
    # Pinned, so that a deployment changes only what was decided: the layer with the library that
    # the tests run. A layer's version is its library's minor version. Source:
    # datadog-lambda-python, ``scripts/publish_prod.sh``.
    pythonLayerVersion: int = Field(
        default=130, ge=1, description="Version of Datadog's Python layer."
    )
    extensionLayerVersion: int = Field(
        default=101, ge=1, description="Version of Datadog's extension."
    )
    traceAgentUrl: AgentUrl | None = Field(
        default=None,
        description="Laptop only: the agent that receives the spans. Without it, functions on the "
        "laptop are not instrumented.",
    )
    apiKeySecretArn: SecretArn | None = Field(
        default=None,
        description="The secret that holds the Datadog API key as plain text, in the functions' "
        "account and region. Instrumented functions need this or the top-level `forwarderArn`.",
    )
    applicationKeySecretArn: SecretArn | None = Field(
        default=None,
        description="The secret that holds an application key as plain text. Publishing needs it; "
        "functions don't.",
    )
    secretKeyArn: KeyArn | None = Field(
        default=None,
        description="The KMS key that encrypts these secrets, where it is one of your own.",
    )
    metrics: Literal["polling", "stream"] = Field(
        default="polling",
        description="How CloudWatch metrics reach Datadog, which determines their delay: polling "
        "takes 10 to 20 minutes, a metric stream 2 to 3.",
    )
    recipients: dict[Severity, list[Handle]] = Field(
        default={},
        description="Whom a monitor notifies, by severity: "
        '`{"page": ["@pagerduty-webhooks"], "ticket": ["@slack-orders"]}`.',
    )
    team: Name | None = Field(
        default=None, description="The value of the tag `team` on published objects."
    )
    quietHours: list[QuietHours] = Field(
        default=[],
        description="Weekly times when monitors are muted; see [Quiet hours](#quiet-hours).",
    )

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        names = [hours.name for hours in self.quietHours]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two quietHours are called '{twice[0]}'; give each a name of its own")
        return self
