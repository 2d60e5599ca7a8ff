"""A model of the webhook buffer by the minute: what its metrics show, healthy and in each fault.

Senders → API → publish → FIFO queue with groups → subscribe (limited concurrency, one attempt at a
time for each group, backoff) → backend. One path for both: a fault is a change of the model's
numbers between two minutes. The derivations stand in ``docs/decisions/0014-benchmark.md``.
Everything follows from the seed.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from alarmproof.model import MetricKey, Series, Values

from monitoring.model import metrics
from monitoring.model.signals import Metric

# The buffer's defaults (docs/settings.md), in seconds and minutes.
CONCURRENCY = 10
TIMEOUT, BACKEND_TIME = 10.0, 7.0
RETRY_BASE, RETRY_MAX = 2.0, 300.0
BLOCKED_ATTEMPTS, BLOCKED_SECONDS, FRESH_SECONDS = 5, 600.0, metrics.FRESH_SECONDS
HEARTBEAT_MINUTES, AUDIT_MINUTES = 5, 60
TARGET_MS = 300_000
VISIBILITY = 60.0

OK, REDIRECT, REFUSED, BROKEN, TIMED_OUT, NO_CONNECTION = 2, 3, 4, 5, 6, 7
_COUNTERS = {
    OK: metrics.BACKEND_2XX, REDIRECT: metrics.BACKEND_3XX, REFUSED: metrics.BACKEND_4XX,
    BROKEN: metrics.BACKEND_5XX, TIMED_OUT: metrics.BACKEND_TIMEOUT,
    NO_CONNECTION: metrics.BACKEND_CONNECTION_ERROR,
}  # fmt: skip
# (namespace, metric, role, statistic): what a series is of; the role is a function or a queue.
Key = tuple[str, str, str, str]


def _ours(metric: Metric, statistic: str) -> Key:
    return metric.namespace, metric.name, "buffer", statistic


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A change of the world between two minutes.

    Attributes:
        outcome: of attempts; by chance, or of the groups that ``groups`` names.
        share: of the attempts that it concerns.
        seconds: how long the backend, or with ``publish`` the publish function, takes.
    """

    start: int
    end: int
    outcome: int | None = None
    share: float = 1.0
    groups: frozenset[int] | None = None
    seconds: float | None = None
    crash: bool = False
    stopped: bool = False
    refuses: bool = False
    publish_seconds: float | None = None
    traffic: float | None = None
    record_fails: bool = False
    head_age: float | None = None
    duplicates: int = 0
    in_flight: int = 0
    log_errors: int = 0
    alert_path: bool = False
    lost: int = 0

    def on(self, minute: int) -> bool:
        """Whether it holds in a minute."""
        return self.start <= minute < self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What is simulated.

    Attributes:
        rate: webhooks a minute, by minute.
        groups: how many groups the webhooks belong to.
        blips: share of attempts that fail by chance, once, in healthy times.
    """

    minutes: int
    rate: Callable[[int], float]
    groups: int = 40
    faults: Sequence[Fault] = ()
    seed: int = 1
    blips: float = 0.0005


@dataclass(slots=True)
class _Minute:
    """What happened within a minute."""

    outcomes: dict[int, int] = field(default_factory=dict)
    fresh: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    lags: list[float] = field(default_factory=list)
    head_age: float = math.nan
    blocked: int = 0
    attempts: int = 0
    crashes: int = 0
    record_failures: int = 0
    heartbeat: bool = False


class Simulation:
    """A run of the model; afterwards ``series`` has what CloudWatch would have."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._random = np.random.default_rng(world.seed)
        self._values: dict[Key, Values] = {}
        # Waiting webhooks, their times of receipt in seconds, the head first.
        self._waiting: list[deque[float]] = [deque() for _ in range(world.groups)]
        self._attempts = [0] * world.groups
        self._due: list[tuple[float, int]] = []
        self._queued: set[int] = set()
        self.accepted = self.delivered = self.lost = 0
        self._depth = 0
        for minute in range(world.minutes):
            self._step(minute)

    @property
    def waiting(self) -> int:
        """Webhooks in the queue."""
        return self._depth

    def recording(self, origin: int = 0) -> BufferRecording:
        """All series, for alarms on any names of the resources.

        Args:
            origin: when minute 0 is, Unix seconds.
        """
        return BufferRecording(self._values, origin)

    def _put(self, minute: int, name: Key, value: float) -> None:
        if name not in self._values:
            self._values[name] = np.full(self.world.minutes, np.nan)
        self._values[name][minute] = value

    def _step(self, minute: int) -> None:
        faults = [one for one in self.world.faults if one.on(minute)]
        rate = self.world.rate(minute)
        for one in faults:
            rate = rate if one.traffic is None else rate * one.traffic
        arrivals = int(self._random.poisson(rate))
        refused = self._publish(minute, arrivals, faults)
        taken = arrivals - refused
        begun = 60.0 * minute
        for at, group in zip(
            np.sort(self._random.random(taken)) * 60 + begun,
            self._random.integers(0, self.world.groups, taken),
            strict=True,
        ):
            self._arrive(float(at), int(group))
        for one in faults:
            if one.head_age is not None and one.start == minute:
                self._waiting[0].appendleft(begun - one.head_age)
                self._depth += 1
                self.accepted += 1
                if 0 not in self._queued:
                    heapq.heappush(self._due, (begun, 0))
                    self._queued.add(0)
            if one.lost and one.start == minute:
                self.lost += one.lost
        happened = _Minute(heartbeat=minute % HEARTBEAT_MINUTES == 0)
        sent, deleted_before = taken, self.delivered
        if not any(one.stopped for one in faults):
            self._deliver(minute, faults, happened)
        self._queue(minute, faults, sent, self.delivered - deleted_before, happened)
        self._functions(minute, faults, happened)
        self._watch(minute, faults, happened)

    def _publish(self, minute: int, arrivals: int, faults: Sequence[Fault]) -> int:
        """The API's and publish's metrics; how many were refused."""
        beat = minute % HEARTBEAT_MINUTES == 0
        seconds = next((f.publish_seconds for f in faults if f.publish_seconds), None)
        requests = arrivals + beat
        refuses = any(one.refuses for one in faults)
        refused, beat_refused = (arrivals, beat) if refuses else (0, False)
        if seconds:
            late = self._random.random(arrivals) * 2 + seconds - 1 > TIMEOUT
            refused = int(late.sum())
        # Single wrong requests of senders.
        wrong = int(self._random.binomial(arrivals, 0.001))
        if requests:
            base = seconds or 0.02
            took = base * (0.9 + 0.2 * self._random.random(requests))
            cold = self._random.random() < 0.01
            took[0] += 0.4 if cold else 0.0
            took = np.minimum(took, TIMEOUT)
            self._durations(minute, "publish", took)
            self._put(minute, ("AWS/Lambda", "Invocations", "publish", "Sum"), requests)
            crashed = refused if seconds else 0
            self._put(minute, ("AWS/Lambda", "Errors", "publish", "Sum"), crashed)
            self._put(minute, ("AWS/Lambda", "Throttles", "publish", "Sum"), 0)
            self._put(
                minute, ("AWS/Lambda", "ConcurrentExecutions", "publish", "Maximum"),
                max(1, math.ceil(requests * base / 60)),
            )  # fmt: skip
            api = "AWS/ApiGateway"
            self._put(minute, (api, "Count", "api", "Sum"), requests + wrong)
            self._put(minute, (api, "Count", "api", "SampleCount"), requests + wrong)
            self._put(minute, (api, "4xx", "api", "Sum"), wrong)
            self._put(minute, (api, "5xx", "api", "Sum"), refused + beat_refused)
            for name in ("Latency", "IntegrationLatency"):
                for statistic, share in (("p90", 90), ("p99", 99), ("Maximum", 100)):
                    value = float(np.percentile(took, share)) * 1000 + 5
                    self._put(minute, (api, name, "api", statistic), value)
            self._put(minute, _ours(metrics.ACCEPTED, "Sum"), arrivals - refused)
        if refuses or seconds:
            self._put(
                minute,
                (metrics.LOG_NAMESPACE, metrics.LOG_ERRORS.name, "publish", "Sum"),
                refused or math.nan,
            )
        if beat_refused:
            self._put(minute, _ours(metrics.HEARTBEAT_REFUSED, "Sum"), 1)
        self._beat_taken = beat and not beat_refused
        self.accepted += arrivals - refused
        return refused

    def _durations(self, minute: int, role: str, seconds: Values) -> None:
        found = {
            "p90": np.percentile(seconds, 90), "p99": np.percentile(seconds, 99),
            "Maximum": seconds.max(), "Average": seconds.mean(),
        }  # fmt: skip
        for statistic, value in found.items():
            self._put(minute, ("AWS/Lambda", "Duration", role, statistic), float(value) * 1000)

    def _arrive(self, at: float, group: int) -> None:
        self._waiting[group].append(at)
        self._depth += 1
        if group not in self._queued:
            heapq.heappush(self._due, (at, group))
            self._queued.add(group)

    def _deliver(self, minute: int, faults: Sequence[Fault], happened: _Minute) -> None:
        """Attempts of a minute, in the order in which groups are due, within the concurrency."""
        end = 60.0 * (minute + 1)
        free = [60.0 * minute] * CONCURRENCY
        heapq.heapify(free)
        while self._due and self._due[0][0] < end and free[0] < end:
            due, group = heapq.heappop(self._due)
            begun = max(heapq.heappop(free), due)
            if begun >= end:
                heapq.heappush(self._due, (begun, group))
                heapq.heappush(free, begun)
                break
            heapq.heappush(free, begun + self._attempt(group, begun, faults, happened))

    def _attempt(
        self, group: int, begun: float, faults: Sequence[Fault], happened: _Minute
    ) -> float:
        """One attempt at a group's head; how long it took."""
        happened.attempts += 1
        received = self._waiting[group][0]
        if any(one.crash for one in faults):
            happened.crashes += 1
            heapq.heappush(self._due, (begun + VISIBILITY, group))
            return 0.05
        outcome, seconds = self._answer(group, faults)
        self._attempts[group] += 1
        age = begun + seconds - received
        happened.outcomes[outcome] = happened.outcomes.get(outcome, 0) + 1
        happened.seconds.append(seconds)
        if age <= FRESH_SECONDS:
            happened.fresh.append(outcome)
        if any(one.record_fails for one in faults):
            happened.record_failures += 1
        if outcome == OK:
            self._waiting[group].popleft()
            self._depth -= 1
            self.delivered += 1
            self._attempts[group] = 0
            happened.lags.append(age)
            if self._waiting[group]:
                heapq.heappush(self._due, (max(begun + seconds, self._waiting[group][0]), group))
            else:
                self._queued.discard(group)
            return seconds
        happened.head_age = float(np.fmax(happened.head_age, age))
        number = self._attempts[group]
        happened.blocked += number >= BLOCKED_ATTEMPTS or age >= BLOCKED_SECONDS
        wait = min(RETRY_BASE * 2 ** min(number - 1, 20), RETRY_MAX)
        wait *= 0.5 + 0.5 * self._random.random()
        heapq.heappush(self._due, (begun + seconds + wait, group))
        return seconds

    def _answer(self, group: int, faults: Sequence[Fault]) -> tuple[int, float]:
        """What the backend answers, and after how long."""
        seconds = float(self._random.lognormal(-2.5, 0.4))
        for one in faults:
            if one.seconds is not None:
                seconds = one.seconds * float(0.85 + 0.3 * self._random.random())
                if seconds > BACKEND_TIME:
                    return TIMED_OUT, BACKEND_TIME
            concerned = one.groups is None or group in one.groups
            if one.head_age is not None and group == 0 and self._waiting[0][0] < 0:
                return REFUSED, seconds
            if one.outcome is not None and concerned and self._random.random() < one.share:
                return one.outcome, 0.01 if one.outcome == NO_CONNECTION else seconds
        if self._random.random() < self.world.blips:
            return BROKEN, seconds
        return OK, seconds

    def _queue(
        self, minute: int, faults: Sequence[Fault], sent: int, deleted: int, happened: _Minute
    ) -> None:
        sqs, end = "AWS/SQS", 60.0 * (minute + 1)
        retrying = sum(self._attempts[group] > 0 for group in self._queued)
        in_flight = min(retrying + (1 if deleted else 0), self._depth + 1)
        in_flight = max(in_flight, *(one.in_flight for one in faults), 0) if faults else in_flight
        crashing = any(one.crash for one in faults)
        if crashing:
            in_flight = max(in_flight, len(self._queued))
        stopped = any(one.stopped for one in faults)
        if stopped:
            in_flight = 0
        visible = max(self._depth - min(in_flight, self._depth), 0)
        oldest = min((self._waiting[group][0] for group in self._queued), default=None)
        beat = self._beat_taken
        if oldest is not None:
            # What was received more than three times is left out; what waits behind it is not.
            heads = ((self._waiting[group], self._attempts[group] > 3) for group in self._queued)
            never = [line[left_out] for line, left_out in heads if len(line) > left_out]
            if never:
                self._put(minute, (sqs, "ApproximateAgeOfOldestMessage", "queue", "Maximum"),
                          end - min(never))  # fmt: skip
        lowest = visible if stopped or crashing or visible > 5 * max(deleted, 1) else 0
        for statistic, value in (("Maximum", visible), ("Average", visible), ("Minimum", lowest)):
            self._put(
                minute, (sqs, "ApproximateNumberOfMessagesVisible", "queue", statistic), value
            )
        for statistic in ("Maximum", "Average"):
            self._put(
                minute,
                (sqs, "ApproximateNumberOfMessagesNotVisible", "queue", statistic),
                in_flight,
            )
        groups = min(len(self._queued), in_flight) or (1 if deleted else 0)
        # Healthy traffic has several groups in flight at a time, for moments.
        groups = max(groups, min(deleted, 3))
        self._put(
            minute, (sqs, "ApproximateNumberOfGroupsWithInflightMessages", "queue", "Maximum"),
            groups,
        )  # fmt: skip
        self._put(minute, (sqs, "NumberOfMessagesSent", "queue", "Sum"), sent + beat)
        came = beat and not stopped and not crashing
        self._put(minute, (sqs, "NumberOfMessagesDeleted", "queue", "Sum"), deleted + came)
        duplicates = sum(one.duplicates for one in faults)
        self._put(minute, (sqs, "NumberOfDeduplicatedSentMessages", "queue", "Sum"), duplicates)
        if came:
            self._put(minute, _ours(metrics.HEARTBEAT_ARRIVED, "Sum"), 1)
            happened.attempts += 1
        elif beat and crashing:
            happened.attempts += 1
            happened.crashes += 1

    def _functions(self, minute: int, faults: Sequence[Fault], happened: _Minute) -> None:
        if happened.attempts:
            lambdas = "AWS/Lambda"
            self._put(minute, (lambdas, "Invocations", "subscribe", "Sum"), happened.attempts)
            self._put(minute, (lambdas, "Errors", "subscribe", "Sum"), happened.crashes)
            self._put(minute, (lambdas, "Throttles", "subscribe", "Sum"), 0)
            took = np.array(happened.seconds or [0.01]) + 0.02
            self._durations(minute, "subscribe", took)
            busy = math.ceil(float(took.sum()) / 60)
            self._put(
                minute, (lambdas, "ConcurrentExecutions", "subscribe", "Maximum"),
                min(CONCURRENCY, busy + (1 if happened.attempts > 1 else 0)),
            )  # fmt: skip
        for outcome, count in happened.outcomes.items():
            self._put(minute, _ours(_COUNTERS[outcome], "Sum"), count)
        if happened.fresh:
            fresh = np.array(happened.fresh)
            shares = {
                "PR(4.5:)": 100 * float((fresh > 4.5).mean()),
                "PR(2.5:4.5)": 100 * float(((fresh > 2.5) & (fresh <= 4.5)).mean()),
                "SampleCount": len(fresh),
            }
            for statistic, value in shares.items():
                self._put(minute, _ours(metrics.BACKEND_OUTCOME, statistic), value)
        if happened.seconds:
            value = float(np.percentile(happened.seconds, 90)) * 1000
            self._put(minute, _ours(metrics.BACKEND_DURATION, "p90"), value)
            self._put(
                minute, ("AWS/DynamoDB", "ConsumedWriteCapacityUnits", "table", "Sum"),
                len(happened.seconds),
            )  # fmt: skip
        if happened.lags:
            lags = np.array(happened.lags) * 1000
            share = 100 * float((lags <= TARGET_MS).mean())
            self._put(minute, _ours(metrics.DELIVERY_LAG, f"PR(:{TARGET_MS})"), share)
            self._put(minute, _ours(metrics.DELIVERY_LAG, "SampleCount"), len(lags))
        if not math.isnan(happened.head_age):
            self._put(minute, _ours(metrics.HEAD_AGE, "Maximum"), happened.head_age)
        if happened.blocked:
            self._put(minute, _ours(metrics.BLOCKED_GROUP, "Sum"), happened.blocked)
        if happened.record_failures:
            count = happened.record_failures
            self._put(minute, _ours(metrics.RECORD_FAILED, "Sum"), count)
            self._put(minute, ("AWS/DynamoDB", "WriteThrottleEvents", "table", "Sum"), count)
        logged = sum(one.log_errors for one in faults) + happened.crashes
        if logged:
            self._put(
                minute, (metrics.LOG_NAMESPACE, metrics.LOG_ERRORS.name, "subscribe", "Sum"), logged
            )

    def _watch(self, minute: int, faults: Sequence[Fault], happened: _Minute) -> None:
        broken = any(one.alert_path for one in faults)
        if happened.heartbeat and not broken:
            self._put(minute, ("AWS/Lambda", "Invocations", "notify", "Sum"), 1)
        if happened.heartbeat and broken and minute % 30 == 0:
            dlq = ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "undelivered", "Maximum")
            self._put(minute, dlq, 1)
        if minute % AUDIT_MINUTES == 17:
            self._put(minute, ("AWS/Lambda", "Invocations", "audit", "Sum"), 1)
            recent = [
                one.lost for one in self.world.faults
                if one.lost and one.start <= minute < one.start + 360
            ]  # fmt: skip
            if recent:
                self._put(minute, _ours(metrics.UNACCOUNTED, "Maximum"), sum(recent))


@dataclass(frozen=True)
class BufferRecording:
    """A buffer's series, for alarms that name the resources in whatever way.

    A resource is told by what its name ends with: ``…-publish``, ``…-subscribe``.

    Attributes:
        origin: when minute 0 is, Unix seconds.
    """

    values: Mapping[Key, Values]
    origin: int = 0

    def series(self, metric: MetricKey) -> Sequence[Series]:
        role, name = role_of(metric)
        return [
            Series(metric, statistic, self.origin, 60, values)
            for (namespace, of, where, statistic), values in self.values.items()
            if (namespace, of, where) == (metric.namespace, name, role)
        ]


_LOG_COUNTS = (metrics.LOG_ERRORS, metrics.LOG_WARNINGS, metrics.LOG_TROUBLE)
_ROLES = ("publish", "subscribe", "notify", "audit", "undelivered", "helpers")


def role_of(metric: MetricKey) -> tuple[str, str]:
    """The role and the metric's own name."""
    if metric.namespace == metrics.LOG_NAMESPACE:
        name = next(
            (one.name for one in _LOG_COUNTS if metric.name.endswith(one.name)), metric.name
        )
        function = metric.name.removesuffix(f"-{name}").rpartition("-")[2]
        return function, name
    text = " ".join(value for _, value in metric.dimensions)
    found = next((role for role in _ROLES if text.endswith(role)), None)
    by_service = {
        "AWS/SQS": "queue", "AWS/ApiGateway": "api", "AWS/DynamoDB": "table",
        metrics.NAMESPACE: "buffer",
    }  # fmt: skip
    return found or by_service.get(metric.namespace, ""), metric.name
