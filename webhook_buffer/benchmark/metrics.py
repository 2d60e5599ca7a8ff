"""What CloudWatch shows for a simulated minute: metrics of AWS and of the functions."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from alarmproof.base.arrays import Values

from monitoring.model import metrics
from monitoring.model.signals import Metric
from webhook_buffer.benchmark.buffer_recording import Key
from webhook_buffer.benchmark.world import (
    AUDIT_MINUTES,
    BROKEN,
    CONCURRENCY,
    NO_CONNECTION,
    OK,
    REDIRECT,
    REFUSED,
    TARGET_MS,
    TIMED_OUT,
    Fault,
)

_API, _DYNAMODB, _LAMBDA, _SQS = "AWS/ApiGateway", "AWS/DynamoDB", "AWS/Lambda", "AWS/SQS"
_COUNTERS = {
    OK: metrics.BACKEND_2XX, REDIRECT: metrics.BACKEND_3XX, REFUSED: metrics.BACKEND_4XX,
    BROKEN: metrics.BACKEND_5XX, TIMED_OUT: metrics.BACKEND_TIMEOUT,
    NO_CONNECTION: metrics.BACKEND_CONNECTION_ERROR,
}  # fmt: skip
# Minutes after a loss until the audit's second look, and for which it reports it.
_LOOKS, _AUDITED = 20 + AUDIT_MINUTES, 360


def _ours(metric: Metric, statistic: str) -> Key:
    return metric.namespace, metric.name, "buffer", statistic


def _log_errors(function: str) -> Key:
    return metrics.LOG_NAMESPACE, metrics.LOG_ERRORS.name, function, "Sum"


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """A minute of the API and of publish.

    Attributes:
        took: seconds of each request, the heartbeat's among them.
        base: seconds that publish takes, about.
        slow: whether publish is slow, so that what it refuses it was ended in.
        wrong: requests that the API answers with 4xx.
    """

    arrivals: int
    refused: int
    took: Values
    base: float
    slow: bool
    refuses: bool
    wrong: int
    beat_refused: bool


@dataclass(slots=True)
class Deliveries:
    """What subscribe did within a minute.

    Attributes:
        fresh: outcomes of attempts on young webhooks.
        lags: seconds from receipt to delivery.
        head_age: seconds of the oldest head that failed.
    """

    outcomes: dict[int, int] = field(default_factory=dict)
    fresh: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    lags: list[float] = field(default_factory=list)
    head_age: float = math.nan
    blocked: int = 0
    attempts: int = 0
    crashes: int = 0
    record_failures: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueState:
    """The queue at a minute's end.

    Attributes:
        lines: each waiting group's times of receipt, and the attempts at its head.
        sent, deleted: webhooks, within the minute.
        beat: whether a heartbeat was queued.
    """

    depth: int
    lines: Sequence[tuple[deque[float], int]]
    sent: int
    deleted: int
    beat: bool

    def oldest(self) -> float | None:
        """When the oldest message that counts was received; None if there is none.

        A message received more than three times is left out; those that wait behind it are not.
        """
        counted = [
            line[attempts > 3] for line, attempts in self.lines if len(line) > (attempts > 3)
        ]
        return min(counted, default=None)

    def in_flight(self, faults: Sequence[Fault]) -> int:
        """Messages that were received and not deleted."""
        if any(fault.stopped for fault in faults):
            return 0
        retrying = sum(attempts > 0 for _, attempts in self.lines)
        count = min(retrying + (1 if self.deleted else 0), self.depth + 1)
        count = max([count, *(fault.in_flight for fault in faults)])
        crashing = any(fault.crash for fault in faults)
        return max(count, len(self.lines)) if crashing else count

    def groups_in_flight(self, in_flight: int) -> int:
        """Groups with a message in flight; healthy traffic has several, for moments."""
        groups = min(len(self.lines), in_flight) or (1 if self.deleted else 0)
        return max(groups, min(self.deleted, 3))


class Metrics:
    """All series of a simulation, written minute by minute."""

    def __init__(self, minutes: int) -> None:
        self._minutes = minutes
        self.values: dict[Key, Values] = {}

    def put(self, minute: int, key: Key, value: float) -> None:
        """Writes one value."""
        if key not in self.values:
            self.values[key] = np.full(self._minutes, np.nan)
        self.values[key][minute] = value

    def intake(self, minute: int, intake: Intake) -> None:
        """API Gateway's, publish's and the functions' metrics of accepting webhooks."""
        if len(intake.took):
            self._publish(minute, intake)
            self._api(minute, intake)
            accepted = intake.arrivals - intake.refused
            self.put(minute, _ours(metrics.ACCEPTED, "Sum"), accepted)
        if intake.refuses or intake.slow:
            logged = intake.refused or math.nan
            self.put(minute, _log_errors("publish"), logged)
        if intake.beat_refused:
            self.put(minute, _ours(metrics.HEARTBEAT_REFUSED, "Sum"), 1)

    def _publish(self, minute: int, intake: Intake) -> None:
        requests = len(intake.took)
        self._durations(minute, "publish", intake.took)
        self.put(minute, (_LAMBDA, "Invocations", "publish", "Sum"), requests)
        crashed = intake.refused if intake.slow else 0
        self.put(minute, (_LAMBDA, "Errors", "publish", "Sum"), crashed)
        self.put(minute, (_LAMBDA, "Throttles", "publish", "Sum"), 0)
        concurrent = max(1, math.ceil(requests * intake.base / 60))
        self.put(minute, (_LAMBDA, "ConcurrentExecutions", "publish", "Maximum"), concurrent)

    def _api(self, minute: int, intake: Intake) -> None:
        requests = len(intake.took) + intake.wrong
        self.put(minute, (_API, "Count", "api", "Sum"), requests)
        self.put(minute, (_API, "Count", "api", "SampleCount"), requests)
        self.put(minute, (_API, "4xx", "api", "Sum"), intake.wrong)
        self.put(minute, (_API, "5xx", "api", "Sum"), intake.refused + intake.beat_refused)
        p90, p99, most = np.percentile(intake.took, (90, 99, 100))
        for statistic, seconds in (("p90", p90), ("p99", p99), ("Maximum", most)):
            for name in ("Latency", "IntegrationLatency"):
                self.put(minute, (_API, name, "api", statistic), float(seconds) * 1000 + 5)

    def _durations(self, minute: int, role: str, seconds: Values) -> None:
        p90, p99 = np.percentile(seconds, (90, 99))
        durations = {"p90": p90, "p99": p99, "Maximum": seconds.max(), "Average": seconds.mean()}
        for statistic, value in durations.items():
            self.put(minute, (_LAMBDA, "Duration", role, statistic), float(value) * 1000)

    def queue(self, minute: int, state: QueueState, faults: Sequence[Fault]) -> bool:
        """SQS's metrics; whether a heartbeat arrived."""
        blocked = any(fault.stopped or fault.crash for fault in faults)
        arrived = state.beat and not blocked
        self._age(minute, state)
        self._depth(minute, state, faults, blocked=blocked)
        self._throughput(minute, state, faults, arrived=arrived)
        if arrived:
            self.put(minute, _ours(metrics.HEARTBEAT_ARRIVED, "Sum"), 1)
        return arrived

    def _age(self, minute: int, state: QueueState) -> None:
        oldest = state.oldest()
        if oldest is not None:
            key = (_SQS, "ApproximateAgeOfOldestMessage", "queue", "Maximum")
            self.put(minute, key, 60.0 * (minute + 1) - oldest)

    def _depth(
        self, minute: int, state: QueueState, faults: Sequence[Fault], *, blocked: bool
    ) -> None:
        in_flight = state.in_flight(faults)
        visible = max(state.depth - min(in_flight, state.depth), 0)
        lowest = visible if blocked or visible > 5 * max(state.deleted, 1) else 0
        for statistic, value in (("Maximum", visible), ("Average", visible), ("Minimum", lowest)):
            key = (_SQS, "ApproximateNumberOfMessagesVisible", "queue", statistic)
            self.put(minute, key, value)
        for statistic in ("Maximum", "Average"):
            key = (_SQS, "ApproximateNumberOfMessagesNotVisible", "queue", statistic)
            self.put(minute, key, in_flight)
        key = (_SQS, "ApproximateNumberOfGroupsWithInflightMessages", "queue", "Maximum")
        self.put(minute, key, state.groups_in_flight(in_flight))

    def _throughput(
        self, minute: int, state: QueueState, faults: Sequence[Fault], *, arrived: bool
    ) -> None:
        duplicates = sum(fault.duplicates for fault in faults)
        for name, value in (
            ("NumberOfMessagesSent", state.sent + state.beat),
            ("NumberOfMessagesDeleted", state.deleted + arrived),
            ("NumberOfDeduplicatedSentMessages", duplicates),
        ):
            self.put(minute, (_SQS, name, "queue", "Sum"), value)

    def deliveries(self, minute: int, done: Deliveries, faults: Sequence[Fault]) -> None:
        """Subscribe's metrics, of its invocations, of what it delivered and of what failed."""
        if done.attempts:
            self._subscribe(minute, done)
        for outcome, count in done.outcomes.items():
            self.put(minute, _ours(_COUNTERS[outcome], "Sum"), count)
        if done.fresh:
            self._backend(minute, np.array(done.fresh))
        if done.seconds:
            value = float(np.percentile(done.seconds, 90)) * 1000
            self.put(minute, _ours(metrics.BACKEND_DURATION, "p90"), value)
            key = (_DYNAMODB, "ConsumedWriteCapacityUnits", "table", "Sum")
            self.put(minute, key, len(done.seconds))
        if done.lags:
            share = 100 * float((np.array(done.lags) * 1000 <= TARGET_MS).mean())
            self.put(minute, _ours(metrics.DELIVERY_LAG, f"PR(:{TARGET_MS})"), share)
            self.put(minute, _ours(metrics.DELIVERY_LAG, "SampleCount"), len(done.lags))
        self._problems(minute, done, faults)

    def _subscribe(self, minute: int, done: Deliveries) -> None:
        self.put(minute, (_LAMBDA, "Invocations", "subscribe", "Sum"), done.attempts)
        self.put(minute, (_LAMBDA, "Errors", "subscribe", "Sum"), done.crashes)
        self.put(minute, (_LAMBDA, "Throttles", "subscribe", "Sum"), 0)
        took = np.array(done.seconds or [0.01]) + 0.02
        self._durations(minute, "subscribe", took)
        busy = math.ceil(float(took.sum()) / 60) + (1 if done.attempts > 1 else 0)
        key = (_LAMBDA, "ConcurrentExecutions", "subscribe", "Maximum")
        self.put(minute, key, min(CONCURRENCY, busy))

    def _backend(self, minute: int, fresh: Values) -> None:
        shares = {
            "PR(4.5:)": 100 * float((fresh > 4.5).mean()),
            "PR(2.5:4.5)": 100 * float(((fresh > 2.5) & (fresh <= 4.5)).mean()),
            "SampleCount": len(fresh),
        }
        for statistic, value in shares.items():
            self.put(minute, _ours(metrics.BACKEND_OUTCOME, statistic), value)

    def _problems(self, minute: int, done: Deliveries, faults: Sequence[Fault]) -> None:
        if not math.isnan(done.head_age):
            self.put(minute, _ours(metrics.HEAD_AGE, "Maximum"), done.head_age)
        if done.blocked:
            self.put(minute, _ours(metrics.BLOCKED_GROUP, "Sum"), done.blocked)
        if done.record_failures:
            count = done.record_failures
            self.put(minute, _ours(metrics.RECORD_FAILED, "Sum"), count)
            self.put(minute, (_DYNAMODB, "WriteThrottleEvents", "table", "Sum"), count)
        logged = sum(fault.log_errors for fault in faults) + done.crashes
        if logged:
            self.put(minute, _log_errors("subscribe"), logged)

    def alert_path(self, minute: int, *, beat: bool, broken: bool) -> None:
        """Notify's metrics: each heartbeat probes it; what it can't deliver is kept."""
        if beat and not broken:
            self.put(minute, (_LAMBDA, "Invocations", "notify", "Sum"), 1)
        if beat and broken and minute % 30 == 0:
            key = (_SQS, "ApproximateNumberOfMessagesVisible", "undelivered", "Maximum")
            self.put(minute, key, 1)

    def audit(self, minute: int, faults: Sequence[Fault]) -> None:
        """The audit's metrics.

        Args:
            faults: all of the simulation's, for it looks back.
        """
        if minute % AUDIT_MINUTES != 17:
            return
        self.put(minute, (_LAMBDA, "Invocations", "audit", "Sum"), 1)
        lost = sum(fault.lost for fault in faults if 0 <= minute - fault.start - _LOOKS < _AUDITED)
        if lost:
            self.put(minute, _ours(metrics.UNACCOUNTED, "Maximum"), lost)
