"""The model of a signal: a metric, when it is wrong, why that number, how bad, what to do.

Plain data, which ``monitoring.model.checks`` checks as a whole. Resources are named by role
(``queue``, ``publish``), never by physical name; numbers may be shares of a resource's facts
(``publish.timeout``). Rendering is elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

# What an expression may hold besides its queries. Source: CloudWatch user guide, "Metric math".
_FUNCTIONS = {"ABS", "AND", "AVG", "DIFF", "FILL", "HOUR", "IF", "MAX", "MIN", "OR", "RATE",
              "REPEAT", "SUM"}  # fmt: skip


class FailureMode(IntEnum):
    """The ways in which a buffer fails; every signal says which of them it notices."""

    description: str

    def __new__(cls, number: int, description: str) -> FailureMode:
        mode = int.__new__(cls, number)
        mode._value_ = number
        mode.description = description
        return mode

    @property
    def key(self) -> str:
        """Its name as ids are written."""
        return self.name.lower().replace("_", "-")

    BACKEND_UNREACHABLE = 1, "backend unreachable"
    BACKEND_5XX = 2, "backend answers 5xx"
    BACKEND_SLOW = 3, "backend slow, near the function's timeout"
    POISONED_GROUP = 4, "one poisoned group, all others fine"
    BACKEND_REDIRECTS = 5, "backend redirects"
    SUBSCRIBE_CRASHES = 6, "subscribe crashes on every message"
    CONSUMER_STOPPED = 7, "consumer stopped"
    QUEUE_REFUSES = 8, "queue refuses, senders get 5xx"
    PUBLISH_SLOW = 9, "publish slow, near its timeout"
    TRAFFIC_STOPS = 10, "traffic stops"
    TRAFFIC_SURGE = 11, "traffic surge, backlog grows faster than it drains"
    RECORD_FAILS = 12, "the record can't be written"
    NEARING_RETENTION = 13, "a message nears retention and will silently vanish"
    DUPLICATES_DROPPED = 14, "a sender's duplicates are dropped"
    IN_FLIGHT_LIMIT = 15, "in-flight or scan limit near"
    LOG_ERRORS = 16, "errors or warnings in the logs while invocations succeed"
    ALERT_PATH_BROKEN = 17, "the alert path itself is broken"
    WEBHOOKS_LOST = 18, "accepted is not delivered + queued: something was lost"


class Severity(StrEnum):
    """How bad: somebody is woken up, somebody looks today, or nobody has to act."""

    PAGE = "page"
    TICKET = "ticket"
    INFO = "info"


class Comparison(StrEnum):
    """How the value stands to the threshold while the alarm is on; CloudWatch's names."""

    ABOVE = "GreaterThanThreshold"
    AT_LEAST = "GreaterThanOrEqualToThreshold"
    BELOW = "LessThanThreshold"
    AT_MOST = "LessThanOrEqualToThreshold"

    @property
    def sign(self) -> str:
        return {"ABOVE": ">", "AT_LEAST": "≥", "BELOW": "<", "AT_MOST": "≤"}[self.name]


class Evaluator(StrEnum):
    """Who evaluates a signal. CloudWatch is minutes faster; Datadog has what only it has."""

    CLOUDWATCH = "cloudwatch"
    DATADOG = "datadog"
    BOTH = "both"


class Missing(StrEnum):
    """What a period without data counts as; CloudWatch's names."""

    BREACHING = "breaching"
    NOT_BREACHING = "notBreaching"
    IGNORE = "ignore"


class Named(StrEnum):
    """Which webhooks a notification names, with their groups."""

    BLOCKED = "blocked"  # those that block their groups in the queue
    BRAKED = "braked"  # those that wait because too many were parked
    HELD = "held"  # those that groups are held for, the longest first
    PARKED = "parked"  # those that were parked last
    EXPIRING = "expiring"  # those that have been parked for the longest
    LOST = "lost"  # those that the audit calls lost


class Kind(StrEnum):
    """What a role stands for, and so which dimensions its metrics have."""

    QUEUE = "queue"
    FUNCTION = "function"
    HTTP_API = "HTTP API"
    REST_API = "REST API"
    TABLE = "table"
    BUFFER = "buffer"  # what the functions of this project emit
    SOURCE = "source"  # the same of one source
    LOG = "log"  # what a metric filter counts in a function's log


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric as its service publishes it.

    Attributes:
        unit: of one value; ``Count``, ``Seconds``, ``Milliseconds`` or ``Percent``.
        label: what people call it.
        dimensions: beyond those that name the resource (``Operation``).
        written: by which function and when; for metrics of ours.
        steady: whether healthy traffic writes it every hour; for metrics of ours. CloudWatch
            charges for the hours in which a metric is written.
    """

    kind: Kind
    namespace: str
    name: str
    unit: str
    label: str
    dimensions: Mapping[str, str] = field(default_factory=dict)
    written: str = ""
    steady: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """A metric of a role's resource, aggregated over the signal's period.

    Attributes:
        role: ``queue``, ``publish``, …; the key of a resource.
        statistic: CloudWatch's; ``PR(:{slo.delivery_target})`` takes a fact's milliseconds.
    """

    metric: Metric
    statistic: str
    role: str


@dataclass(frozen=True, slots=True)
class Fact:
    """A number that a threshold may be a share of, or that a text names."""

    value: float
    unit: str


@dataclass(frozen=True, slots=True)
class Threshold:
    """A number with its unit and the reason for it.

    Attributes:
        value: the number itself, or with ``of`` the share of that fact.
        of: a fact, ``role.name`` (``publish.timeout``); units of time are converted.
        at_most: a fact the number can't exceed, for then it could never be crossed.
        counted: what a count counts, in the plural, where that is not the first metric's label; of
            a share what is so much of what (``of the attempts failed``).
    """

    value: float
    unit: str
    reason: str
    of: str | None = None
    at_most: str | None = None
    counted: str = ""


@dataclass(frozen=True, kw_only=True)
class Signal:
    """One way to notice that something is wrong.

    Attributes:
        id: also the end of the alarm's name.
        title: what is wrong, in a few words.
        impact: what users notice, in a sentence.
        covers: failure modes.
        queries: by the id the expression uses.
        expression: metric math over the queries; None with exactly one query. Facts stand
            in braces: ``{subscribe.concurrency}``.
        numbers: of the expression, by the names that texts use for them.
        period: seconds, or the fact that gives them.
        datapoints: how many of the last ``periods`` must breach.
        periods: their number, or the fact that gives it.
        missing, missing_reason: what a period without data counts as, and why.
        runbook: heading in the runbook; the id itself by default.
        log: the role of the function whose log has more, if any.
        log_query: in Logs Insights' language; by default what is not INFO.
        names: which webhooks its notification names; needs ``log`` for those in the queue.
        opt_in: the setting without which the signal is left out.
        needs_heartbeat: whether it is left out where the monitoring sends none.
        evaluated_by: whether Datadog evaluates it, too, or alone; ``alarms`` may say otherwise.
    """

    id: str
    title: str
    impact: str
    covers: tuple[FailureMode, ...]
    severity: Severity
    queries: Mapping[str, Query]
    threshold: Threshold
    comparison: Comparison
    datapoints: int
    periods: int | str
    missing: Missing
    missing_reason: str
    expression: str | None = None
    numbers: Mapping[str, Fact] = field(default_factory=dict)
    period: int | str = 60
    runbook: str = ""
    log: str | None = None
    log_query: str = (
        "fields @timestamp, level, event, http.status_code, error, aws_error, group_id,"
        " message_id, attempt"
        ' | filter level != "INFO" or @message like /Task timed out|Runtime/'
        " | sort @timestamp desc | limit 100"
    )
    names: Named | None = None
    opt_in: str | None = None
    needs_heartbeat: bool = False
    evaluated_by: Evaluator = Evaluator.CLOUDWATCH

    def __post_init__(self) -> None:
        object.__setattr__(self, "runbook", self.runbook or self.id)

    @property
    def roles(self) -> frozenset[str]:
        """The roles whose resources it needs."""
        return frozenset(query.role for query in self.queries.values())


@dataclass(frozen=True, kw_only=True)
class Composite:
    """Several signals as one incident: on while any part is on.

    Attributes:
        any_of: its parts; a tuple among them is on only while all of its signals are on.
        unless: part -> signals that explain it: while one of them is on, the part counts as off.
        suppressed_by: another composite, during which this one stays silent.
        wait, extension: seconds that a suppressed alarm waits for its suppressor to come, and
            after it went.
    """

    id: str
    title: str
    impact: str
    severity: Severity
    any_of: tuple[str | tuple[str, ...], ...]
    unless: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    suppressed_by: str | None = None
    wait: int = 120
    # Longer than its slowest part takes to forget: the slow burn's short window of 2 h.
    extension: int = 9000

    @property
    def groups(self) -> tuple[tuple[str, ...], ...]:
        """Its parts, each as the signals that have to be on together."""
        return tuple(part if isinstance(part, tuple) else (part,) for part in self.any_of)

    @property
    def parts(self) -> tuple[str, ...]:
        """The ids of its signals."""
        return tuple(name for group in self.groups for name in group)


def variables(expression: str) -> set[str]:
    """The query ids in an expression; facts in braces are none."""
    words = re.findall(r"[A-Za-z_]\w*", re.sub(r"\{[^}]*\}", "1", expression))
    return {word for word in words if word not in _FUNCTIONS}
