"""What differs between environments: ``cdk.json``'s blocks, validated, and all that follows.

Every physical name is derived here, so that stacks, alarms, dashboards and the laptop agree
without asking one another.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from errors import SettingsError
from lambdas import extract
from lambdas.target import Backend
from settings_datadog import Datadog
from settings_monitoring import AlarmChange, Channel, Existing, Part, Traffic

ROOT = Path(__file__).resolve().parent
FILE = ROOT / "cdk.json"

# Source: Lambda developer guide, "Using Lambda with Amazon SQS": at least six times.
VISIBILITY_PER_TIMEOUT = 6
# The emulator's account; AWS gives it to nobody.
LAPTOP_ACCOUNT = "000000000000"
_DAY = 86_400


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


def function_log_group(function: str) -> str:
    """Where Lambda writes what a function logs, by the function's whole name."""
    return f"/aws/lambda/{function}"


class Settings(Part):
    """One environment's block in ``cdk.json``. ``docs/settings.md`` explains every key."""

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
    # Below 5 s nothing is left for the backend once the record has its share; above 900 s
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

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        domain_keys = {"subdomain": self.subdomain, "domain": self.domain}
        domain_keys["acmCertificateArn"] = self.acmCertificateArn
        missing = [key for key, value in domain_keys.items() if value is None]
        if missing and len(missing) < len(domain_keys):
            raise ValueError(
                f"{missing[0]}: missing, while {_listed(set(domain_keys) - set(missing))} is set; "
                "a custom domain needs subdomain, domain and acmCertificateArn, or none of them"
            )
        names = [channel.id for channel in self.notifications]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(
                f"notifications: two channels are called '{twice[0]}'; give each a name of its own"
            )
        for position, channel in enumerate(self.notifications):
            where = f":secretsmanager:{self.awsRegion}:{self.awsAccount}:"
            arn = channel.secretArn or ""
            if arn and not self.on_laptop and not re.search(r"-[A-Za-z0-9]{6}$", arn):
                raise ValueError(
                    f"notifications.{position}.secretArn: lacks the six characters that Secrets "
                    "Manager put at the end of its name; copy the whole ARN"
                )
            if arn and where not in arn:
                raise ValueError(
                    f"notifications.{position}.secretArn: not of {self.awsRegion} and account "
                    f"{self.awsAccount}, where notify looks for it; copy the secret there"
                )
        self._check_datadog()
        if self.existing:
            return self._of_existing()
        if self.traffic and self.heartbeat == "off":
            raise ValueError(
                "traffic: set while heartbeat is 'off', and the heartbeat is its clock; "
                "set heartbeat to 'buffer'"
            )
        if self.backend_url is None and not self.create_faux_backend:
            raise ValueError(
                "backend_url: missing, and create_faux_backend is not true; set backend_url to "
                "where webhooks go, or create_faux_backend to true to practise"
            )
        if self.backend_url is not None and self.create_faux_backend:
            raise ValueError(
                "backend_url: set while create_faux_backend is true, and webhooks can go to only "
                "one of them; remove one of the two"
            )
        if self.awsRegion.startswith("cn-"):
            raise ValueError(
                "awsRegion: China's regions have endpoints of their own that the functions don't "
                "know; choose another region"
            )
        if self.acmCertificateArn and f":acm:{self.awsRegion}:" not in self.acmCertificateArn:
            raise ValueError(
                f"acmCertificateArn: not of awsRegion ({self.awsRegion}); API Gateway takes a "
                "certificate of its own region only"
            )
        if not self.groupId and self.groupIdMissing == "reject":
            raise ValueError(
                "groupId: empty while groupIdMissing is 'reject', which refuses everything; "
                "add an extractor or set groupIdMissing to 'own'"
            )
        # Source: Lambda quotas: a function's environment variables are 4 KB at most.
        if sum(map(len, self.groupId + self.deduplicationId)) > 2_000:
            raise ValueError(
                "groupId: with deduplicationId more than 2,000 characters, which a function's "
                "environment does not hold; shorten the extractors"
            )
        if self.retryBaseSeconds > self.retryMaxSeconds:
            raise ValueError(
                f"retryBaseSeconds: {self.retryBaseSeconds} is more than retryMaxSeconds "
                f"({self.retryMaxSeconds}); lower it or raise the maximum"
            )
        return self

    def _check_datadog(self) -> None:
        """Makes sure that instrumented functions can send, and that they are ours."""
        datadog = self.datadog
        if datadog is None:
            if self.forwarderArn:
                raise ValueError(
                    "forwarderArn: set without datadog, so that nothing would send to it; add "
                    '"datadog": {} or remove forwarderArn'
                )
            return
        unknown = sorted(set(datadog.functions or ()) - set(self.functions))
        if unknown:
            raise ValueError(
                f"datadog.functions: '{unknown[0]}' is no function of this environment; it has "
                f"{', '.join(self.functions)}"
            )
        if datadog.traceAgentUrl and not self.on_laptop:
            raise ValueError(
                "datadog.traceAgentUrl: set in an environment on AWS, where Datadog's extension "
                "or forwarder takes the spans; remove it"
            )
        if self.on_laptop:
            return
        arn = datadog.apiKeySecretArn or ""
        if self.instrumented_functions and not (arn or self.forwarderArn):
            raise ValueError(
                "datadog.apiKeySecretArn: missing, so that functions could not send; name the "
                "secret that holds Datadog's API key, set forwarderArn, or set datadog.functions "
                "to [] to instrument none"
            )
        if arn and self.forwarderArn:
            raise ValueError(
                "forwarderArn: set while datadog.apiKeySecretArn is, and functions send either "
                "through Datadog's extension or through its forwarder; remove one of the two"
            )
        if arn and not re.search(r"-[A-Za-z0-9]{6}$", arn):
            raise ValueError(
                "datadog.apiKeySecretArn: lacks the six characters that Secrets Manager put at the "
                "end of its name; copy the whole ARN"
            )
        if arn and f":secretsmanager:{self.awsRegion}:{self.awsAccount}:" not in arn:
            raise ValueError(
                f"datadog.apiKeySecretArn: not of {self.awsRegion} and account {self.awsAccount}, "
                "where functions may read it; copy the secret there"
            )

    def _of_existing(self) -> Self:
        """An environment that only watches has no buffer to configure."""
        unused = {"backend_url", "create_faux_backend", "subdomain", "traffic", "sentryDsn"}
        given = sorted(unused & self.model_fields_set)
        if given:
            raise ValueError(
                f"{given[0]}: set while existing is, and with existing no buffer is deployed; "
                "remove one of the two"
            )
        if not self.monitoring:
            raise ValueError("monitoring: false while existing is set; then nothing is deployed")
        return self

    @property
    def prefix(self) -> str:
        """What every physical name of this environment starts with."""
        return f"{self.service}-{self.environment}"

    @property
    def queue_name(self) -> str:
        return f"{self.prefix}.fifo"

    @property
    def monitoring_stack_name(self) -> str:
        return f"{self.prefix}-monitoring"

    @property
    def main_stack_name(self) -> str:
        """The stack without which the environment is not there."""
        return self.monitoring_stack_name if self.existing else self.prefix

    @property
    def api_id_export(self) -> str:
        """The CloudFormation export of the HTTP API's id, which CloudWatch's metrics need."""
        return f"{self.prefix}-api-id"

    @property
    def endpoint_export(self) -> str:
        return f"{self.prefix}-endpoint"

    @property
    def dashboard_name(self) -> str:
        return self.prefix

    @property
    def notify_queue_name(self) -> str:
        """What the topics deliver to, and ``notify`` takes from."""
        return f"{self.prefix}-notifications"

    @property
    def incidents_table_name(self) -> str:
        """What was told to whom."""
        return f"{self.prefix}-incidents"

    @property
    def notify_dlq_name(self) -> str:
        return f"{self.prefix}-notifications-undelivered"

    def topic_name(self, purpose: str) -> str:
        """``page``, ``ticket``, ``info``, ``alert-path``, or a channel of email."""
        return f"{self.prefix}-{purpose}"

    def alarm_name(self, signal: str) -> str:
        return f"{self.prefix}-{signal}"

    @property
    def table_name(self) -> str:
        return f"{self.prefix}-records"

    @property
    def functions(self) -> list[str]:
        """The functions of this environment, without its prefix."""
        found = [] if self.existing else ["publish", "subscribe"]
        if self.create_faux_backend:
            found.append("faux-backend")
        if self.monitoring:
            found.append("notify")
            if not self.existing:
                found.append("audit")
            if self.sends_heartbeats:
                found.append("heartbeat")
        return found

    @property
    def instrumented_functions(self) -> list[str]:
        """The functions that Datadog's library wraps; on the laptop, where spans have an agent."""
        agent = self.datadog.traceAgentUrl if self.datadog else None
        return [] if self.on_laptop and not agent else self.datadog_functions

    @property
    def datadog_functions(self) -> list[str]:
        """The functions that Datadog is to hear of, and its monitors and dashboards show."""
        if self.datadog is None:
            return []
        named = self.datadog.functions
        return self.functions if named is None else [one for one in self.functions if one in named]

    @property
    def sends_heartbeats(self) -> bool:
        """Whether a function sends test webhooks through the buffer."""
        return self.monitoring and not self.existing and self.heartbeat != "off"

    def function_name(self, function: str) -> str:
        """A function's name (``publish``) with this environment's prefix."""
        return f"{self.prefix}-{function}"

    def log_group_name(self, function: str) -> str:
        return function_log_group(self.function_name(function))

    @property
    def on_laptop(self) -> bool:
        """Whether this environment runs on the embedded emulator: its account is no real one."""
        return self.awsAccount == LAPTOP_ACCOUNT

    @property
    def visibility_seconds(self) -> int:
        """The queue's visibility timeout, derived from what handles its messages."""
        return VISIBILITY_PER_TIMEOUT * self.subscribeTimeoutSeconds

    @property
    def retention_seconds(self) -> int:
        return self.retentionDays * _DAY

    @property
    def record_ttl_seconds(self) -> int:
        return self.recordTtlDays * _DAY

    @property
    def domain_name(self) -> str | None:
        """The custom domain's full name, if there is one."""
        return f"{self.subdomain}.{self.domain}" if self.domain else None


def environments(file: Path = FILE) -> dict[str, dict[str, Any]]:
    """The blocks in ``cdk.json``: what its ``context`` holds that is an object.

    Raises:
        SettingsError: When the file is missing or not JSON.
    """
    try:
        document = json.loads(file.read_text())
        context = document["context"]
    except FileNotFoundError:
        raise SettingsError(
            file, None, [f"not found in {file.parent}; run this in the project"]
        ) from None
    except ValueError as error:
        raise SettingsError(file, None, [f"not valid JSON: {error}; mend it there"]) from None
    except (KeyError, TypeError):
        raise SettingsError(file, None, ['has no "context"; put the environments there']) from None
    return {name: block for name, block in context.items() if isinstance(block, dict)}


def load(
    environment: str | None = None,
    *,
    file: Path = FILE,
    overrides: Mapping[str, Any] | None = None,
) -> Settings:
    """One environment's settings.

    Args:
        environment: its name; without one ``ENV`` decides.
        file: ``cdk.json``.
        overrides: keys that take the place of the block's (None removes one).

    Raises:
        SettingsError: When the environment is not there or its block can't be used. It names
            every problem, each with its key and remedy.
    """
    blocks = environments(file)
    name = environment or os.environ.get("ENV")
    known = _listed(set(blocks)) or "none"
    if not name:
        remedy = f"choose one with --env, ENV=… or -c env=… (known: {known})"
        raise SettingsError(file, None, [f"no environment chosen; {remedy}"])
    if name not in blocks:
        raise SettingsError(file, name, [f'unknown; known are {known}. Add its block to "context"'])
    block = {**blocks[name], **(overrides or {})}
    block = {key: value for key, value in block.items() if value is not None}
    if block.get("environment", name) != name:
        other = block["environment"]
        problem = f"key 'environment': {other!r} is not the block's name; write '{name}'"
        raise SettingsError(file, name, [problem])
    try:
        return Settings.model_validate(block)
    except ValidationError as error:
        raise SettingsError(file, name, [_problem(entry) for entry in error.errors()]) from None


# What the patterns mean to whoever writes a value.
_FORMS = {
    r"^([01]\d|2[0-3]):[0-5]\d$": "a time of day, such as 22:00",
    r"^[a-z][a-z0-9-]{0,31}$": "a name: up to 32 small letters, digits and hyphens, such as nights",
    r"^\d{12}$": "an AWS account's twelve digits",
}


def _problem(entry: Any) -> str:
    """One of pydantic's findings in our words: key, what is wrong, remedy."""
    path = ".".join(str(part) for part in entry["loc"])
    text = entry["msg"].removeprefix("Value error, ")
    match entry["type"]:
        case "missing":
            return f"key '{path}': missing; add it"
        case "extra_forbidden":
            known = "" if "." in path else f" (known: {_listed(set(Settings.model_fields))})"
            return f"key '{path}': unknown; remove it or correct its spelling{known}"
        case "value_error" if not path:
            key, _, rest = text.partition(": ")
            return f"key '{key}': {rest}"
        case "value_error" if isinstance(entry["input"], dict):
            return f"key '{path}': {text}"
        case "string_pattern_mismatch":
            form = entry["ctx"]["pattern"]
            like = _FORMS.get(form, f"of the form {form}")
            return f"key '{path}': is not {like} (it is {_shown(path, entry['input'])})"
        case "model_type" | "dict_type":
            return f"key '{path}': must be a block, {{…}} (it is {_shown(path, entry['input'])})"
        case "list_type":
            return f"key '{path}': must be a list, […] (it is {_shown(path, entry['input'])})"
        case _:
            return (
                f"key '{path}': {text[0].lower()}{text[1:]} (it is {_shown(path, entry['input'])})"
            )


def _shown(path: str, value: Any) -> str:
    """A wrong value, unless it may be a secret."""
    may_be_secret = path.rpartition(".")[2] in (
        "sentryDsn",
        "backend_url",
        "secretArn",
        "apiKeySecretArn",
        "applicationKeySecretArn",
    )
    return "not shown" if may_be_secret else json.dumps(value)


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names))
