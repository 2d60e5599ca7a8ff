"""A minute-by-minute model of the webhook buffer: its metrics when healthy and in each fault.

Senders → API → publish → FIFO queue with groups → subscribe (limited concurrency, one attempt at a
time for each group, backoff) → backend. One path for both: a fault is a change of the model's
numbers between two minutes. ``docs/decisions/0014-benchmark.md`` has the derivations.
Everything follows from the seed.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Sequence

import numpy as np

from webhook_buffer.benchmark.buffer_recording import BufferRecording
from webhook_buffer.benchmark.metrics import Deliveries, Intake, Metrics, QueueState
from webhook_buffer.benchmark.world import (
    BACKEND_TIME,
    BLOCKED_ATTEMPTS,
    BLOCKED_SECONDS,
    BROKEN,
    CONCURRENCY,
    FRESH_SECONDS,
    HEARTBEAT_MINUTES,
    NO_CONNECTION,
    OK,
    REFUSED,
    RETRY_BASE,
    RETRY_MAX,
    TIMED_OUT,
    TIMEOUT,
    VISIBILITY,
    Fault,
    World,
)


class Simulation:
    """A run of the model; afterwards ``recording`` has what CloudWatch would have."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._random = np.random.default_rng(world.seed)
        self._metrics = Metrics(world.minutes)
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
        """All series, for alarms on resources of any name.

        Args:
            origin: when minute 0 is, Unix seconds.
        """
        return BufferRecording(self._metrics.values, origin)

    def _step(self, minute: int) -> None:
        faults = [fault for fault in self.world.faults if fault.on(minute)]
        beat = minute % HEARTBEAT_MINUTES == 0
        arrivals = int(self._random.poisson(self._rate(minute, faults)))
        intake = self._publish(arrivals, faults, beat=beat)
        self._metrics.intake(minute, intake)
        taken = arrivals - intake.refused
        self.accepted += taken
        self._receive(minute, taken)
        self._plant(minute, faults)
        done = Deliveries()
        before = self.delivered
        if not any(fault.stopped for fault in faults):
            self._deliver(minute, faults, done)
        state = QueueState(
            depth=self._depth,
            lines=[(self._waiting[group], self._attempts[group]) for group in self._queued],
            sent=taken,
            deleted=self.delivered - before,
            beat=beat and not intake.beat_refused,
        )
        arrived = self._metrics.queue(minute, state, faults)
        crashed = state.beat and any(fault.crash for fault in faults)
        done.attempts += arrived or crashed
        done.crashes += crashed and not arrived
        self._metrics.deliveries(minute, done, faults)
        broken = any(fault.alert_path for fault in faults)
        self._metrics.alert_path(minute, beat=beat, broken=broken)
        self._metrics.audit(minute, self.world.faults)

    def _rate(self, minute: int, faults: Sequence[Fault]) -> float:
        rate = self.world.rate(minute)
        for fault in faults:
            rate = rate if fault.traffic is None else rate * fault.traffic
        return rate

    def _publish(self, arrivals: int, faults: Sequence[Fault], *, beat: bool) -> Intake:
        """How the API and publish handle a minute's requests."""
        slow = next((fault.publish_seconds for fault in faults if fault.publish_seconds), None)
        requests = arrivals + beat
        refuses = any(fault.refuses for fault in faults)
        refused = arrivals if refuses else 0
        if slow:
            late = self._random.random(arrivals) * 2 + slow - 1 > TIMEOUT
            refused = int(late.sum())
        # Single wrong requests of senders.
        wrong = int(self._random.binomial(arrivals, 0.001))
        base = slow or 0.02
        took = np.empty(0)
        if requests:
            took = base * (0.9 + 0.2 * self._random.random(requests))
            took[0] += 0.4 if self._random.random() < 0.01 else 0.0  # a cold start
            took = np.minimum(took, TIMEOUT)
        return Intake(
            arrivals=arrivals, refused=refused, took=took, base=base, slow=slow is not None,
            refuses=refuses, wrong=wrong, beat_refused=beat and refuses,
        )  # fmt: skip

    def _receive(self, minute: int, count: int) -> None:
        times = np.sort(self._random.random(count)) * 60 + 60.0 * minute
        groups = self._random.integers(0, self.world.groups, count)
        for at, group in zip(times, groups, strict=True):
            self._waiting[int(group)].append(float(at))
            self._depth += 1
            self._enqueue(int(group), float(at))

    def _enqueue(self, group: int, due: float) -> None:
        if group not in self._queued:
            heapq.heappush(self._due, (due, group))
            self._queued.add(group)

    def _plant(self, minute: int, faults: Sequence[Fault]) -> None:
        """What a fault causes as it begins: an old webhook, or a loss."""
        begun = 60.0 * minute
        for fault in faults:
            if fault.start != minute:
                continue
            if fault.head_age is not None:
                self._waiting[0].appendleft(begun - fault.head_age)
                self._depth += 1
                self.accepted += 1
                self._enqueue(0, begun)
            self.lost += fault.lost

    def _deliver(self, minute: int, faults: Sequence[Fault], done: Deliveries) -> None:
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
            heapq.heappush(free, begun + self._attempt(group, begun, faults, done))

    def _attempt(
        self, group: int, begun: float, faults: Sequence[Fault], done: Deliveries
    ) -> float:
        """One attempt at a group's head; how long it took."""
        done.attempts += 1
        if any(fault.crash for fault in faults):
            done.crashes += 1
            heapq.heappush(self._due, (begun + VISIBILITY, group))
            return 0.05
        received = self._waiting[group][0]
        outcome, seconds = self._answer(group, faults)
        age = begun + seconds - received
        self._attempts[group] += 1
        done.outcomes[outcome] = done.outcomes.get(outcome, 0) + 1
        done.seconds.append(seconds)
        if age <= FRESH_SECONDS:
            done.fresh.append(outcome)
        done.record_failures += any(fault.record_fails for fault in faults)
        if outcome == OK:
            done.lags.append(age)
            self._succeeded(group, begun + seconds)
        else:
            done.head_age = float(np.fmax(done.head_age, age))
            blocked = self._attempts[group] >= BLOCKED_ATTEMPTS or age >= BLOCKED_SECONDS
            done.blocked += blocked
            self._failed(group, begun + seconds)
        return seconds

    def _succeeded(self, group: int, ended: float) -> None:
        self._waiting[group].popleft()
        self._depth -= 1
        self.delivered += 1
        self._attempts[group] = 0
        if self._waiting[group]:
            heapq.heappush(self._due, (max(ended, self._waiting[group][0]), group))
        else:
            self._queued.discard(group)

    def _failed(self, group: int, ended: float) -> None:
        wait = min(RETRY_BASE * 2 ** min(self._attempts[group] - 1, 20), RETRY_MAX)
        wait *= 0.5 + 0.5 * self._random.random()
        heapq.heappush(self._due, (ended + wait, group))

    def _answer(self, group: int, faults: Sequence[Fault]) -> tuple[int, float]:
        """What the backend answers, and after how long."""
        seconds = float(self._random.lognormal(-2.5, 0.4))
        for fault in faults:
            if fault.seconds is not None:
                seconds = fault.seconds * float(0.85 + 0.3 * self._random.random())
                if seconds > BACKEND_TIME:
                    return TIMED_OUT, BACKEND_TIME
            concerned = fault.groups is None or group in fault.groups
            if fault.head_age is not None and group == 0 and self._waiting[0][0] < 0:
                return REFUSED, seconds
            if fault.outcome is not None and concerned and self._random.random() < fault.share:
                return fault.outcome, 0.01 if fault.outcome == NO_CONNECTION else seconds
        if self._random.random() < self.world.blips:
            return BROKEN, seconds
        return OK, seconds
