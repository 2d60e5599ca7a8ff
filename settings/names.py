"""Every physical name of an environment, and what else follows from its keys.

Derived in one place, so that stacks, alarms, dashboards and the laptop agree.
"""

from __future__ import annotations

from hashlib import sha256

from lambdas.base import extract
from settings.failure_policy import FailurePolicy
from settings.keys import Keys

# Source: Lambda developer guide, "Using Lambda with Amazon SQS": at least six times.
VISIBILITY_PER_TIMEOUT = 6
# The emulator's account; AWS gives it to nobody.
LAPTOP_ACCOUNT = "000000000000"
# CPU comes with memory: at 512 MB a cold start is dominated by imports, not by waiting for
# CPU share. Measure on AWS before changing it.
FUNCTION_MEMORY_MB = 512
# A group counts as blocked once its first webhook failed this often (after about a minute with
# the default delays) or waited this long.
BLOCKED_ATTEMPTS, BLOCKED_SECONDS = 5, 600
# How often notify tries a notification before it is kept as undelivered.
NOTIFY_ATTEMPTS = 5
DAY = 86_400


def function_log_group(function: str) -> str:
    """Where Lambda writes what a function logs, by the function's whole name."""
    return f"/aws/lambda/{function}"


def partition_of(region: str) -> str:
    """The partition of a region. Source: botocore's ``partitions.json``, ``regionRegex``."""
    start = region.rsplit("-", 2)[0]
    return {"cn": "aws-cn", "us-gov": "aws-us-gov"}.get(start, "aws")


class Names(Keys):
    """The keys, and what follows from them."""

    @property
    def prefix(self) -> str:
        """The prefix of every physical name of this environment."""
        return f"{self.service}-{self.environment}"

    @property
    def place(self) -> str:
        """Region and account, as ARNs have them."""
        return f"{self.awsRegion}:{self.awsAccount}"

    @property
    def queue_name(self) -> str:
        return f"{self.prefix}.fifo"

    @property
    def monitoring_stack_name(self) -> str:
        return f"{self.prefix}-monitoring"

    @property
    def main_stack_name(self) -> str:
        """The stack that makes the environment count as deployed."""
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
        """The queue that the topics deliver to and ``notify`` reads from."""
        return f"{self.prefix}-notifications"

    @property
    def incidents_table_name(self) -> str:
        """Which channel was notified of which incident."""
        return f"{self.prefix}-incidents"

    @property
    def notify_dlq_name(self) -> str:
        return f"{self.prefix}-notifications-undelivered"

    def topic_name(self, purpose: str) -> str:
        """``page``, ``ticket``, ``info``, or ``mail_topic`` of a channel."""
        return f"{self.prefix}-{purpose}"

    def topic_arn(self, purpose: str) -> str:
        return f"arn:{self.partition}:sns:{self.place}:{self.topic_name(purpose)}"

    def alarm_name(self, signal: str) -> str:
        return f"{self.prefix}-{signal}"

    @property
    def table_name(self) -> str:
        return f"{self.prefix}-records"

    @property
    def bodies_bucket_name(self) -> str:
        """The bucket of large recorded bodies. All accounts share the names of buckets.

        Source: S3 user guide, "Bucket naming rules": up to 63 characters; with the longest
        ``service`` and ``environment`` it has 63.
        """
        place = sha256(f"{self.awsAccount}/{self.awsRegion}".encode()).hexdigest()
        return f"{self.prefix}-bodies-{place[:6]}"

    @property
    def parking_table_name(self) -> str:
        """The table of parked webhooks and held groups."""
        return f"{self.prefix}-parking"

    @property
    def buffer_functions(self) -> list[str]:
        """The functions of the buffer's stack, without this environment's prefix."""
        names = [] if self.existing else ["publish", "subscribe"]
        if self.create_faux_backend:
            names.append("faux-backend")
        return names

    @property
    def monitoring_functions(self) -> list[str]:
        """The functions of the monitoring's stack, likewise."""
        if not self.monitoring:
            return []
        names = ["notify"]
        if not self.existing:
            names.append("audit")
        if self.sends_heartbeats:
            names.append("heartbeat")
        return names

    @property
    def functions(self) -> list[str]:
        """The functions of this environment, without its prefix."""
        return [*self.buffer_functions, *self.monitoring_functions]

    @property
    def instrumented_functions(self) -> list[str]:
        """The functions that Datadog's library wraps; on the laptop, where spans have an agent."""
        agent = self.datadog.traceAgentUrl if self.datadog else None
        return [] if self.on_laptop and not agent else self.datadog_functions

    @property
    def datadog_functions(self) -> list[str]:
        """The functions that send to Datadog, which its monitors and dashboards show."""
        if self.datadog is None:
            return []
        named = self.datadog.functions
        return (
            self.functions
            if named is None
            else [function for function in self.functions if function in named]
        )

    @property
    def sends_heartbeats(self) -> bool:
        """Whether a function sends test webhooks through the buffer."""
        return self.monitoring and not self.existing and self.heartbeat != "off"

    @property
    def heartbeat_key_name(self) -> str:
        """The secret that makes a heartbeat one of ours."""
        return f"{self.prefix}-heartbeat-key"

    def function_name(self, function: str) -> str:
        """A function's name (``publish``) with this environment's prefix."""
        return f"{self.prefix}-{function}"

    def function_arn(self, function: str) -> str:
        return f"arn:{self.partition}:lambda:{self.place}:function:{self.function_name(function)}"

    def log_group_name(self, function: str) -> str:
        return function_log_group(self.function_name(function))

    def access_log_group_name(self, api: str) -> str:
        """Where an HTTP API writes its access log, by the API's whole name.

        Elsewhere each API takes a piece of one log resource policy of the account, which is full
        one day. Source: CloudWatch Logs user guide, "Enable logging from AWS services".
        """
        return f"/aws/vendedlogs/{api}"

    @property
    def partition(self) -> str:
        """The first part of every ARN."""
        return partition_of(self.awsRegion)

    @property
    def on_laptop(self) -> bool:
        """Whether this environment runs on the embedded emulator, whose account is not real."""
        return self.awsAccount == LAPTOP_ACCOUNT

    @property
    def for_practice(self) -> bool:
        """Whether nothing real is at either end: no custom domain, no backend but a faux one."""
        is_real = self.domain or any(source.backend_url for source in self.sources or ())
        return self.on_laptop or (self.create_faux_backend and not is_real)

    @property
    def anybody_sends(self) -> bool:
        """Whether every request is queued, whoever sends it."""
        return self.existing is None and self.sources is None

    @property
    def group_ids(self) -> dict[str, list[str]]:
        """Extractors of group ids by their settings key; a source with the environment's is left
        out. Those of a source that anybody can send to stand where their values do in its groups.
        """
        own = {}
        for source in self.sources or ():
            lines = self.groupId if source.groupId is None else source.groupId
            if source.is_open:
                own[source.name] = [f"{extract.OPEN}{source.name}:{{{line}}}" for line in lines]
            elif source.groupId:
                own[source.name] = lines
        return {"groupId": self.groupId, **{f"sources.{name}.groupId": own[name] for name in own}}

    @property
    def visibility_seconds(self) -> int:
        """The queue's visibility timeout, derived from what handles its messages."""
        return VISIBILITY_PER_TIMEOUT * self.subscribeTimeoutSeconds

    @property
    def longest_pause_seconds(self) -> int:
        """After which a failed message is received again, even if its invocation was ended."""
        return max(self.retryMaxSeconds, self.retryAfterMaxSeconds) + self.visibility_seconds

    @property
    def retention_seconds(self) -> int:
        return self.retentionDays * DAY

    @property
    def failure_policy(self) -> FailurePolicy:
        """The environment's, or the default."""
        return self.failurePolicy or FailurePolicy()

    @property
    def longest_seconds(self) -> int:
        """The age at which a webhook that still fails is parked."""
        hours = self.failure_policy.longestHours
        return 3600 * hours if hours else self.retention_seconds * 5 // 7

    @property
    def record_ttl_seconds(self) -> int:
        return self.recordTtlDays * DAY

    @property
    def source_names(self) -> list[str]:
        """The names of all sources."""
        return [source.name for source in self.sources or ()]

    @property
    def verified_sources(self) -> list[str]:
        """The names of the sources that verify their requests."""
        return [source.name for source in self.sources or () if source.verify]

    @property
    def needs_cryptography(self) -> bool:
        """Whether a source's verification needs a library that others do without."""
        verified = [source.verify for source in self.sources or () if source.verify]
        return any(verify.needs_cryptography for verify in verified)

    @property
    def public_url(self) -> str:
        """What the URLs of webhooks begin with; empty where only a deployment knows it."""
        return f"https://{self.domain_name}{self.pathPrefix or ''}" if self.domain_name else ""

    @property
    def domain_name(self) -> str | None:
        """The custom domain's full name, if there is one."""
        return f"{self.subdomain}.{self.domain}" if self.domain else None
