"""The keys of an environment's block in ``cdk.json``, each with its limits and their source.

Types, defaults, limits and descriptions are what ``make docs`` writes to ``docs/settings.md``.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from lambdas.base.http import HEADER_NAME
from settings.datadog import Datadog
from settings.deployment import Deployment
from settings.failure_policy import FailurePolicy
from settings.forms import Form
from settings.monitoring import AlarmChange, Channel, Existing, Traffic
from settings.signing import Signing
from settings.sources import BackendUrl, Extractors, Source

RunbookUrl = Annotated[
    str,
    AfterValidator(
        Form(
            "an https or http URL without #, or a path in the repository such as docs/runbook.md",
            r"https?://[^\s/#<>|\"'`\\]+(/[^\s#<>|\"'`\\]*)?|[A-Za-z0-9._~-]+(/[A-Za-z0-9._~-]+)*",
        )
    ),
]
# Source: RFC 1035, section 2.3.1.
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
Subdomain = Annotated[
    str, AfterValidator(Form("a subdomain such as webhooks", rf"{_LABEL}(\.{_LABEL})*"))
]
Domain = Annotated[
    str, AfterValidator(Form("a domain such as example.com", rf"{_LABEL}(\.{_LABEL})+"))
]
HostedZoneId = Annotated[
    str, AfterValidator(Form("a hosted zone's id such as Z0123456789ABC", r"Z[A-Z0-9]{1,31}"))
]
CertificateArn = Annotated[
    str,
    AfterValidator(Form("the ARN of an ACM certificate", r"arn:aws[a-z-]*:acm:.+:certificate/.+")),
]
Dsn = Annotated[
    str, AfterValidator(Form("a Sentry DSN, https://KEY@HOST/PROJECT", r"https?://[^@/]+@[^/]+/.+"))
]
PathPrefix = Annotated[
    str, AfterValidator(Form("a path such as /hooks", r"(/[A-Za-z0-9._~-]+){1,4}"))
]
Risk = Literal[
    "test-flags",
    "faux-backend",
    "http-backend",
    "internal-backend",
    "http-channel",
    "sentry-without-tls",
]
HeaderName = Annotated[str, AfterValidator(Form("a header's name", HEADER_NAME.pattern))]
ParameterName = Annotated[str, AfterValidator(Form("a parameter's name", r"[^\s&=]{1,64}"))]
Reason = Annotated[str, AfterValidator(Form("a reason of at least 10 characters", r".{10,500}"))]
Bucket = Annotated[
    str, AfterValidator(Form("an object such as s3://bucket/clients.pem", r"s3://[a-z0-9.-]+/.+"))
]
FunctionArn = Annotated[
    str,
    AfterValidator(Form("the ARN of a Lambda function", r"arn:aws[a-z-]*:lambda:.+:function:.+")),
]
# Source: CloudWatch Logs API reference, PutRetentionPolicy.
LogRetention = Literal[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
    3288, 3653,
]  # fmt: skip


class Keys(Deployment):
    """One environment's block, key by key."""

    backend_url: BackendUrl | None = Field(
        default=None,
        description="Where webhooks are delivered; each webhook's path is appended. Set either "
        "this or `create_faux_backend`.",
    )
    create_faux_backend: bool = Field(
        default=False, description="Deploy a faux backend and deliver webhooks to it."
    )

    subdomain: Subdomain | None = Field(
        default=None,
        description="With `domain` and `acmCertificateArn`: serve the buffer at "
        "`subdomain.domain`.",
    )
    domain: Domain | None = Field(
        default=None,
        description="A Route 53 hosted zone in the same account. The template names it; nothing "
        "looks it up.",
    )
    hostedZoneId: HostedZoneId | None = Field(
        default=None,
        description="The zone's id, needed where a public and a private zone share the name.",
    )
    acmCertificateArn: CertificateArn | None = Field(
        default=None,
        description="The certificate for `subdomain.domain`, in the same account and region. The "
        "API's own address, `execute-api`, is then switched off.",
    )
    mutualTlsTruststore: Bucket | None = Field(
        default=None,
        description="With a custom domain: the certificates of the authorities whose clients may "
        "connect, a PEM file in S3. Heartbeats have no certificate, so `heartbeat` has to be "
        "`off`.",
    )
    # Source: API Gateway developer guide, "Quotas": 10,000 requests per second in a region, with
    # bursts of 5,000, for all APIs of an account.
    throttleRate: int | None = Field(
        default=None,
        ge=1,
        le=10_000,
        description="Requests per second beyond which the API answers 429, on average. By default "
        "the account's quota, which all its APIs share.",
    )
    throttleBurst: int | None = Field(
        default=None,
        ge=1,
        le=5_000,
        description="Requests at once beyond which the API answers 429; set both or neither.",
    )

    sentryDsn: Dsn | None = Field(
        default=None,
        description="The Sentry project that receives failures. The DSN becomes an environment "
        "variable of the functions and is readable in the template; a DSN only allows sending "
        "events.",
    )
    forwarderArn: FunctionArn | None = Field(
        default=None,
        description="The Datadog Forwarder in the same account and region, which reads telemetry "
        "from the functions' logs. An alternative to `datadog.apiKeySecretArn`.",
    )

    groupId: Extractors = Field(
        default=["header:X-Group-Id", "query:group_id", "json:group_id"],
        description="Extractors of the group id, tried in order. Webhooks of one group are "
        "delivered one after the other.",
    )
    groupIdMissing: Literal["own", "reject"] = Field(
        default="own",
        description="Handling of webhooks without a group id: `own` gives the webhook a group of "
        "its own (named by its deduplication id, so that a repeat lands in the same group as its "
        "original); `reject` answers 400.",
    )
    deduplicationId: Extractors = Field(
        default=[],
        description="Extractors of the deduplication id. A webhook whose id SQS has seen in the "
        "same group within 5 minutes, with the same method, path, query and body, is accepted but "
        "not delivered again. If any of these differs, it is another webhook. Without an id, every "
        "request is delivered.",
    )

    # 40: each may name a secret and its key, and a role's policy holds 10,240 characters.
    # Source: IAM quotas, inline policies of a role.
    sources: list[Source] | None = Field(
        default=None,
        min_length=1,
        max_length=40,
        description="Who may send, path by path; see [Sources](#sources). Without it every request "
        "is queued, whoever sends it.",
    )
    signing: Signing | None = Field(
        default=None,
        description="Signs every attempt, so that the backend can verify what waited; see "
        "[Signing](#signing).",
    )
    openToEveryone: bool = Field(
        default=False,
        description="Allows an environment without `sources` and without a faux backend to be "
        "deployed, although anybody on the internet can send to it.",
    )
    allowedRisks: dict[Risk, Reason] = Field(
        default={},
        description="What is refused where something real stands at either end, allowed by name, "
        "each with its reason; see [Edge](edge.md#refused-deployments).",
    )
    pathPrefix: PathPrefix | None = Field(
        default=None,
        description="The beginning of every path. It is part of the endpoint's URL and is removed "
        "before anything looks at the path, the backend included; requests outside of it are "
        "answered 404. Keeps clear of `/ping` and `/sping`, which API Gateway answers by itself.",
    )

    # Source: Lambda API reference, ScalingConfig: 2 to 1000.
    maxConcurrency: int = Field(
        default=10,
        ge=2,
        le=1000,
        description="Maximum concurrent deliveries across all groups.",
    )
    # Source: Lambda developer guide, "Configuring reserved concurrency": 100 of the account's
    # concurrency stay unreserved, so that new accounts can reserve nothing.
    reservedConcurrency: int | None = Field(
        default=None,
        ge=1,
        description="Concurrency reserved for `publish`, which then is both its share and its "
        "limit. 100 of the account's must stay unreserved.",
    )
    # API Gateway gives up on an integration after 30 s.
    publishTimeoutSeconds: int = Field(default=10, ge=7, le=29, description="Timeout of `publish`.")
    # Below 5 s no time is left for the backend after writing the record; above 900 s
    # Lambda refuses.
    subscribeTimeoutSeconds: int = Field(
        default=10,
        ge=5,
        le=900,
        description="Timeout of `subscribe`. The backend gets this minus 3 s. The queue's "
        "visibility timeout is six times this.",
    )
    retryBaseSeconds: int = Field(
        default=2,
        ge=1,
        le=900,
        description="Delay after the first failed attempt. It doubles with each further attempt, "
        "with jitter.",
    )
    # SQS lets a received message wait 12 h in all, the attempt included.
    retryMaxSeconds: int = Field(default=300, ge=1, le=36_000, description="Maximum of that delay.")
    retryAfterMaxSeconds: int = Field(
        default=900,
        ge=0,
        le=36_000,
        description="Maximum delay that a backend can request with `Retry-After`.",
    )
    failurePolicy: FailurePolicy | None = Field(
        default=None,
        description="What becomes of webhooks that the backend does not take; see "
        "[Failure policy](#failure-policy).",
    )
    # Source: SQS quotas: 14 days at most.
    retentionDays: int = Field(
        default=14,
        ge=1,
        le=14,
        description="How long SQS keeps a webhook. What can't be delivered is parked before that; "
        "see `failurePolicy.longestHours`.",
    )
    # The first are HTTP's own, the others what providers and gateways send a secret in.
    redactHeaders: list[HeaderName] = Field(
        default=[
            "authorization", "proxy-authorization", "cookie", "x-api-key", "x-auth-token",
            "x-gitlab-token", "x-amz-security-token", "x-goog-channel-token",
            "x-telegram-bot-api-secret-token", "x-shared-secret", "x-webhook-token",
            "x-access-token",
        ],
        max_length=50,
        description="Headers whose values the record leaves out; the backend still gets them.",
    )  # fmt: skip
    redactParameters: list[ParameterName] = Field(
        default=[
            "token", "access_token", "api_key", "apikey", "key", "secret", "signature", "sig",
            "password", "auth", "code", "verify_token",
        ],
        max_length=50,
        description="Query parameters whose values the record leaves out; the backend still gets "
        "them.",
    )  # fmt: skip
    recordTtlDays: int = Field(
        default=30, ge=1, le=3650, description="How long DynamoDB keeps records."
    )
    logRetentionDays: LogRetention = Field(default=30, description="How long logs are kept.")
    testFlags: bool = Field(
        default=False,
        description="Honor flags in JSON bodies; see [Test flags](#test-flags). Leave it off "
        "wherever strangers can send webhooks.",
    )

    monitoring: bool = Field(
        default=True, description="Deploy the monitoring stack alongside the buffer."
    )
    runbookUrl: RunbookUrl = Field(
        default="docs/runbook.md",
        description="URL of the runbook, `https://…` or `http://…`, or its path in the repository. "
        "Alarms and notifications link to its headings; with a path they name them, and `deploy` "
        "says so.",
    )
    # All of them are one environment variable of notify.
    notifications: list[Channel] = Field(
        default=[],
        max_length=10,
        description="Notification channels; see [Channels](#channels). Without any, `deploy` "
        "warns that no channel receives the alarms.",
    )
    alarms: dict[str, AlarmChange] = Field(
        default={}, description="Overrides of signals, by their id; see [Alarms](#alarms)."
    )
    heartbeat: Literal["buffer", "backend", "off"] = Field(
        default="buffer",
        description="A marked webhook sent every few minutes through the API, the queue and "
        "`subscribe`. `buffer` stops there. `backend` continues to the backend, which must answer "
        "2xx at `/webhook-buffer/heartbeat`. `off` sends no "
        "heartbeats, and then the alert path is not probed either.",
    )
    # Half a day at most: three of them decide, within CloudWatch's one day.
    heartbeatMinutes: int = Field(
        default=5,
        ge=1,
        le=360,
        description="Minutes between heartbeats. Three missed heartbeats raise an alarm.",
    )
    traffic: Traffic | None = Field(
        default=None,
        description="The hours in which every half hour has traffic; see [Traffic](#traffic). "
        "Enables the alarm `no-traffic` during those hours.",
    )
    # Five minutes: by then retries have outlasted a passing fault.
    deliveryTargetSeconds: int = Field(
        default=300,
        ge=1,
        le=86_400,
        description="A webhook delivered within this time of its receipt counts as on time.",
    )
    # Below 95 % the fast burn would be more than all requests.
    acceptedObjective: float = Field(
        default=99.9,
        ge=95,
        lt=100,
        description="Percent of requests in 30 days that are not answered 5xx.",
    )
    deliveredObjective: float = Field(
        default=99.0,
        ge=95,
        lt=100,
        description="Percent of webhooks in 30 days that are delivered on time.",
    )
    # Source: Lambda quotas: 1,000 by default; new accounts may have less.
    lambdaConcurrencyQuota: int = Field(
        default=1000,
        ge=10,
        description="The account's Lambda quota of concurrent executions; new accounts have less.",
    )
    existing: Existing | None = Field(
        default=None,
        description="Monitor resources that this app did not create, and deploy no buffer; see "
        "[Existing resources](#existing-resources).",
    )
    datadog: Datadog | None = Field(
        default=None,
        description="Instrumentation of the functions, and the objects published to Datadog; see "
        "[Datadog](#datadog). Without it, Datadog is not used at all.",
    )
