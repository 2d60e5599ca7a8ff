"""The keys of an environment's block in ``cdk.json``, each with its limits and their source.

``docs/settings.md`` explains every key.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from lambdas import extract
from lambdas.backend_url import Backend
from settings.datadog import Datadog
from settings.monitoring import AlarmChange, Channel, Existing, Part, Traffic


def _extractor(line: Any) -> Any:
    if isinstance(line, str):
        extract.parse(line)
    return line


def _backend(url: Any) -> Any:
    if isinstance(url, str):
        Backend.parse(url)
    return url


Extractors = list[Annotated[str, BeforeValidator(_extractor)]]

# Source: CloudWatch Logs API reference, PutRetentionPolicy.
LogRetention = Literal[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
    3288, 3653,
]  # fmt: skip


class Keys(Part):
    """One environment's block, key by key."""

    awsAccount: Annotated[str, Field(pattern=r"^\d{12}$")]
    awsRegion: Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")]
    environment: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,15}$")]
    service: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")]

    backend_url: Annotated[str, BeforeValidator(_backend)] | None = None
    create_faux_backend: bool = False

    subdomain: Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$")] | None = None
    domain: Annotated[str, Field(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$")] | None = None
    acmCertificateArn: Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:acm:.+:certificate/.+$")] | (
        None
    ) = None

    sentryDsn: Annotated[str, Field(pattern=r"^https?://[^@/]+@[^/]+/.+$")] | None = None
    forwarderArn: Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:lambda:.+:function:.+$")] | (
        None
    ) = None

    groupId: Extractors = ["header:X-Group-Id", "query:group_id", "json:group_id"]
    groupIdMissing: Literal["own", "reject"] = "own"
    deduplicationId: Extractors = []

    # Source: Lambda API reference, ScalingConfig: 2 to 1000.
    maxConcurrency: Annotated[int, Field(ge=2, le=1000)] = 10
    # API Gateway gives up on an integration after 30 s.
    publishTimeoutSeconds: Annotated[int, Field(ge=7, le=29)] = 10
    # Below 5 s no time is left for the backend after writing the record; above 900 s
    # Lambda refuses.
    subscribeTimeoutSeconds: Annotated[int, Field(ge=5, le=900)] = 10
    retryBaseSeconds: Annotated[int, Field(ge=1, le=900)] = 2
    # SQS lets a received message wait 12 h in all, the attempt included.
    retryMaxSeconds: Annotated[int, Field(ge=1, le=36_000)] = 300
    retryAfterMaxSeconds: Annotated[int, Field(ge=0, le=36_000)] = 900
    # Source: SQS quotas: 14 days at most.
    retentionDays: Annotated[int, Field(ge=1, le=14)] = 14
    recordTtlDays: Annotated[int, Field(ge=1, le=3650)] = 30
    logRetentionDays: LogRetention = 30
    testFlags: bool = False

    monitoring: bool = True
    runbookUrl: Annotated[str, Field(min_length=1)] = "docs/runbook.md"
    # All of them are one environment variable of notify.
    notifications: Annotated[list[Channel], Field(max_length=10)] = []
    alarms: dict[str, AlarmChange] = {}
    heartbeat: Literal["buffer", "backend", "off"] = "buffer"
    # Half a day at most: three of them decide, within CloudWatch's one day.
    heartbeatMinutes: Annotated[int, Field(ge=1, le=360)] = 5
    traffic: Traffic | None = None
    # Five minutes: by then retries have outlasted a passing fault.
    deliveryTargetSeconds: Annotated[int, Field(ge=1, le=86_400)] = 300
    # Below 95 % the fast burn would be more than all requests.
    acceptedObjective: Annotated[float, Field(ge=95, lt=100)] = 99.9
    deliveredObjective: Annotated[float, Field(ge=95, lt=100)] = 99.0
    # Source: Lambda quotas: 1,000 by default; new accounts may have less.
    lambdaConcurrencyQuota: Annotated[int, Field(ge=10)] = 1000
    existing: Existing | None = None
    datadog: Datadog | None = None
