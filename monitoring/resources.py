"""Resources by role, each with its physical name and the facts about it.

Built from the settings alone: of the buffer, whose names are derived, or of what exists already,
whose names the settings say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from monitoring.model.signals import Fact, Kind, Query
from settings.names import (
    BLOCKED_ATTEMPTS,
    BLOCKED_SECONDS,
    NOTIFY_ATTEMPTS,
    function_log_group,
)
from settings.schema import Settings

# Source: SQS developer guide, "Amazon SQS FIFO queue quotas": in flight, and how far it looks
# for available message groups.
_IN_FLIGHT_LIMIT = _SCAN_LIMIT = 120_000.0
# Numbers of the functions' own code, which this repository's other folders don't load; a test
# compares. In seconds: what a sender that gets 503 is asked to wait, a call to SQS by publish, what
# subscribe keeps of its timeout for the record, its writes and its other calls, and Sentry's share.
RETRY_AFTER, SEND, RESERVE, WRITE, CALL, REPORT = 5.0, 3.0, 3.0, 0.8, 0.5, 1.0
# API Gateway's id before a deployment knows it.
UNKNOWN_API = "(known once deployed)"

# Functions that not every environment has.
HELPERS = ("heartbeat", "audit", "notify")

# A fact in a text.
FACT = re.compile(r"\{([a-z_.-]+)\}")
_IN_SECONDS = {"Seconds": 1.0, "Milliseconds": 0.001}


def plain(value: float) -> str:
    """A number without an exponent, which CloudWatch would not take everywhere."""
    return f"{value:.6f}".rstrip("0").rstrip(".")


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource of a role.

    Attributes:
        name: physical name, or id where CloudWatch wants that.
        facts: by name (``timeout``).
        log_groups: in which its metrics of kind LOG are counted, and more can be read.
        used_by: the role of the function whose log lines and traces say more of it.
    """

    role: str
    kind: Kind
    name: str
    facts: Mapping[str, Fact] = field(default_factory=dict)
    dimensions: Mapping[str, str] = field(default_factory=dict)
    log_groups: tuple[str, ...] = ()
    used_by: str = ""


@dataclass(frozen=True, slots=True)
class Measure:
    """A metric of one resource, aggregated; what CloudWatch calls a MetricStat."""

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    statistic: str


@dataclass(frozen=True)
class Resources:
    """All resources of an environment that have signals.

    Attributes:
        facts: of no resource, as ``slo.delivery_target``.
        ours: whether it is the buffer, with functions that emit our metrics.
        counted_as: what the names of metrics of logs begin with, where other environments may
            count the lines of the same logs, too.
    """

    by_role: Mapping[str, Resource]
    facts: Mapping[str, Fact]
    ours: bool
    counted_as: str = ""

    def fact(self, name: str) -> Fact:
        """A fact by its full name, ``role.name``.

        Raises:
            KeyError: When there is none.
        """
        role, _, short = name.partition(".")
        resource = self.by_role.get(role)
        return resource.facts[short] if resource and short in resource.facts else self.facts[name]

    def number(self, value: int | str) -> int:
        """A number, given as such or as a fact's name."""
        return round(self.fact(value).value) if isinstance(value, str) else value

    def value(self, name: str, unit: str) -> float:
        """A fact's number in a unit; times are converted."""
        fact = self.fact(name)
        if fact.unit == unit:
            return fact.value
        return fact.value * _IN_SECONDS[fact.unit] / _IN_SECONDS[unit]

    def convertible(self, name: str, unit: str) -> bool:
        """Whether a fact's number can be given in a unit."""
        fact = self.fact(name)
        return fact.unit == unit or {fact.unit, unit} <= _IN_SECONDS.keys()

    def filled(self, text: str) -> str:
        """A text with the numbers of the facts that it names in braces."""
        return FACT.sub(lambda match: plain(self.fact(match[1]).value), text)

    def measure(self, query: Query) -> Measure:
        """The metric of one resource that a query asks for."""
        metric, resource = query.metric, self.by_role[query.role]
        of_log = metric.kind is Kind.LOG
        return Measure(
            namespace=metric.namespace,
            name=f"{self.counted_as}{resource.name}-{metric.name}" if of_log else metric.name,
            dimensions={} if of_log else {**resource.dimensions, **metric.dimensions},
            statistic=self.filled(query.statistic),
        )


def resources(settings: Settings, *, api_id: str = UNKNOWN_API) -> Resources:
    """The resources of an environment that have signals.

    Args:
        api_id: of the buffer's HTTP API, which no settings can know.
    """
    listed = list(_existing(settings) if settings.existing else _buffer(settings, api_id))
    return Resources(
        by_role={resource.role: resource for resource in listed},
        facts=_general(settings),
        ours=settings.existing is None,
        counted_as=f"{settings.prefix}-" if settings.existing else "",
    )


def _buffer(settings: Settings, api_id: str) -> Iterable[Resource]:
    longest_wait = max(settings.retryMaxSeconds, settings.retryAfterMaxSeconds)
    # One attempt and one more minute, so that there is always one in the window.
    wait_minutes = -(-(longest_wait + settings.subscribeTimeoutSeconds) // 60) + 1
    yield replace(
        _queue("queue", settings.queue_name, settings.retention_seconds), used_by="subscribe"
    )
    yield _function(
        "publish",
        settings.function_name("publish"),
        settings.publishTimeoutSeconds,
        settings.lambdaConcurrencyQuota,
        retry_after=Fact(RETRY_AFTER, "Seconds"),
        call=Fact(SEND, "Seconds"),
    )
    yield _function(
        "subscribe",
        settings.function_name("subscribe"),
        settings.subscribeTimeoutSeconds,
        settings.maxConcurrency,
        backend_time=Fact(settings.subscribeTimeoutSeconds - RESERVE, "Seconds"),
        reserve=Fact(RESERVE, "Seconds"),
        write=Fact(WRITE, "Seconds"),
        call=Fact(CALL, "Seconds"),
        # Several minutes more than a failing webhook waits, so that an attempt is always in sight.
        backoff_minutes=Fact(
            -(-(settings.retryMaxSeconds + settings.subscribeTimeoutSeconds) // 60) + 4, "Count"
        ),
        longest_wait_minutes=Fact(wait_minutes, "Count"),
        two_waits_minutes=Fact(2 * wait_minutes, "Count"),
    )
    helpers = [role for role in HELPERS if role in settings.functions]
    for role in helpers:
        attempts = {"attempts": Fact(NOTIFY_ATTEMPTS, "Count")} if role == "notify" else {}
        yield _function(role, settings.function_name(role), 0, 0, **attempts)
    yield Resource(
        "helpers",
        Kind.LOG,
        settings.function_name("helpers"),
        log_groups=tuple(settings.log_group_name(role) for role in helpers),
    )
    yield Resource("api", Kind.HTTP_API, api_id, dimensions={"ApiId": api_id}, used_by="publish")
    yield replace(_table("table", settings.table_name), used_by="subscribe")
    yield Resource(
        "buffer",
        Kind.BUFFER,
        settings.prefix,
        dimensions={"service": settings.service, "env": settings.environment},
    )
    for source in settings.source_names:
        yield Resource(
            f"source-{source}",
            Kind.SOURCE,
            source,
            dimensions={
                "service": settings.service,
                "env": settings.environment,
                "source": source,
            },
        )
    yield _notify_dlq(settings)


def _existing(settings: Settings) -> Iterable[Resource]:
    existing = settings.existing
    assert existing is not None
    for queue in existing.queues:
        yield _queue(queue.role, queue.name, queue.retentionDays * 86_400)
    for function in existing.functions:
        yield _function(
            function.role,
            function.name,
            function.timeoutSeconds,
            function.concurrency or settings.lambdaConcurrencyQuota,
        )
    for api in existing.apis:
        dimension = "ApiId" if api.kind == "http" else "ApiName"
        kind = Kind.HTTP_API if api.kind == "http" else Kind.REST_API
        yield Resource(api.role, kind, api.name, dimensions={dimension: api.name})
    for table in existing.tables:
        yield _table(table.role, table.name)
    yield _function("notify", settings.function_name("notify"), 0, 0)
    yield _notify_dlq(settings)


def _general(settings: Settings) -> dict[str, Fact]:
    busy = settings.traffic
    return {
        "slo.delivery_target": Fact(settings.deliveryTargetSeconds * 1000, "Milliseconds"),
        "slo.accepted_budget": Fact(100 - settings.acceptedObjective, "Percent"),
        "slo.delivered_budget": Fact(100 - settings.deliveredObjective, "Percent"),
        "parking.per_hour": Fact(settings.failure_policy.parkedPerHour, "Count"),
        "parking.expiring_share": Fact(settings.failure_policy.expiring_percent, "Percent"),
        "parking.keep_days": Fact(settings.failure_policy.keepDays, "Count"),
        "blocked.attempts": Fact(BLOCKED_ATTEMPTS, "Count"),
        "blocked.age": Fact(BLOCKED_SECONDS, "Seconds"),
        "sentry.report": Fact(REPORT, "Seconds"),
        "heartbeat.period": Fact(60 * settings.heartbeatMinutes, "Seconds"),
        # Three heartbeats and the start of the function, but not after every short disturbance.
        "heartbeat.silence": Fact(max(1800, 180 * settings.heartbeatMinutes + 300), "Seconds"),
        "traffic.busy_from": Fact(busy.fromHourUtc if busy else 0, "Count"),
        "traffic.busy_until": Fact(busy.untilHourUtc if busy else 24, "Count"),
    }


def _queue(role: str, name: str, retention: int) -> Resource:
    facts = {
        "retention": Fact(retention, "Seconds"),
        "in_flight_limit": Fact(_IN_FLIGHT_LIMIT, "Count"),
        "scan_limit": Fact(_SCAN_LIMIT, "Count"),
    }
    return Resource(role, Kind.QUEUE, name, facts, {"QueueName": name})


def _notify_dlq(settings: Settings) -> Resource:
    queue = _queue("notify-dlq", settings.notify_dlq_name, 14 * 86_400)
    return replace(queue, used_by="notify")


def _function(role: str, name: str, timeout: int, concurrency: int, **more: Fact) -> Resource:
    facts = {"timeout": Fact(timeout, "Seconds"), "concurrency": Fact(concurrency, "Count"), **more}
    return Resource(
        role,
        Kind.FUNCTION,
        name,
        facts,
        {"FunctionName": name},
        log_groups=(function_log_group(name),),
        used_by=role,
    )


def _table(role: str, name: str) -> Resource:
    return Resource(role, Kind.TABLE, name, dimensions={"TableName": name})
