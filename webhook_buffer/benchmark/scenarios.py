"""The failures that alarms are measured on, and healthy days, as data."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from webhook_buffer.benchmark.world import (
    BROKEN,
    NO_CONNECTION,
    REDIRECT,
    REFUSED,
    Fault,
    World,
)

DAY = 1440  # minutes
BEGUN, LASTS, AFTER = 180, 90, 420  # minutes: healthy before, the fault, healthy after


@dataclass(frozen=True, slots=True)
class Scenario:
    """A failure mode.

    Attributes:
        page: whether users are hit, so that somebody has to be paged.
        fault: it is given its time when it is run.
        before: whether the cause is older, and only its effect begins with the fault's time.
    """

    mode: int
    title: str
    page: bool
    fault: Fault
    rate: float = 60.0
    before: bool = False


def _fault(**changes: object) -> Fault:
    return Fault(start=0, end=0, **changes)  # type: ignore[arg-type]


_ONE_GROUP = frozenset({3})
SCENARIOS: Sequence[Scenario] = (
    Scenario(1, "backend unreachable", True, _fault(outcome=NO_CONNECTION)),
    Scenario(1, "backend unreachable, 1 webhook a minute", True, _fault(outcome=NO_CONNECTION),
             rate=1.0),
    Scenario(1, "backend unreachable, 5 webhooks a second", True, _fault(outcome=NO_CONNECTION),
             rate=300.0),
    Scenario(2, "backend answers 5xx", True, _fault(outcome=BROKEN)),
    Scenario(3, "backend slow, a third of the attempts time out", False, _fault(seconds=6.6)),
    Scenario(4, "one poisoned group", False, _fault(outcome=REFUSED, groups=_ONE_GROUP)),
    Scenario(5, "backend redirects", True, _fault(outcome=REDIRECT)),
    Scenario(6, "subscribe crashes on every message", True, _fault(crash=True)),
    Scenario(7, "consumer stopped", True, _fault(stopped=True)),
    Scenario(8, "queue refuses, senders get 5xx", True, _fault(refuses=True)),
    Scenario(8, "queue refuses, 1 webhook a minute", True, _fault(refuses=True), rate=1.0),
    Scenario(9, "publish slow, near its timeout", False, _fault(publish_seconds=8.8)),
    Scenario(10, "traffic stops", False, _fault(traffic=0.0)),
    Scenario(11, "surge of 30 times the traffic on a slower backend", False,
             _fault(traffic=30.0, seconds=0.6)),
    Scenario(12, "the record can't be written", False, _fault(record_fails=True)),
    Scenario(13, "a message nears its retention", True,
             _fault(head_age=604_800 - 60.0 * BEGUN), before=True),
    Scenario(14, "duplicates are dropped", False, _fault(duplicates=5)),
    Scenario(15, "in flight near the limit", False, _fault(in_flight=100_000)),
    Scenario(16, "errors in the log while invocations succeed", False, _fault(log_errors=3)),
    Scenario(17, "the alert path is broken", False, _fault(alert_path=True)),
    Scenario(18, "accepted webhooks are lost", True, _fault(lost=5)),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Recording:
    """A failure during which a running buffer was recorded; times in minutes.

    Attributes:
        scenario: the same for the model.
    """

    scenario: Scenario
    begun: int = 5
    lasts: int = 10
    after: int = 4

    @property
    def minutes(self) -> int:
        return self.begun + self.lasts + self.after


def _recording(mode: int, **changes: Any) -> Recording:
    """A mode's first scenario."""
    return Recording(next(scenario for scenario in SCENARIOS if scenario.mode == mode), **changes)


# By the file's name in ``recordings/``, which is a drill's; ``webhook_buffer/laptop/drills`` causes
# them.
RECORDINGS: Mapping[str, Recording] = {
    "backend-unreachable": _recording(1),
    "backend-5xx": _recording(2),
    # The emulator makes one attempt at a time: this is as many webhooks as it can deliver.
    "backend-slow": Recording(replace(_recording(3).scenario, rate=6.0)),
    "poisoned-group": _recording(4),
    "backend-redirects": _recording(5),
    "subscribe-crashes": _recording(6),
    "consumer-stopped": _recording(7),
    "queue-refuses": _recording(8),
    "record-fails": _recording(12),
    "duplicates": _recording(14),
    "alert-path": _recording(17, lasts=25),
}


def healthy_world(days: int, seed: int = 7) -> World:
    """Days on which nothing is wrong, with their ordinary events.

    Daily and weekly shape with nights of a webhook in some minutes, bursts, a deployment of the
    backend on working days (a slow minute, and some attempts that fail and are repaired by the
    retry), senders' repeats, single failed attempts.
    """
    faults: list[Fault] = []
    for day in range(days):
        if day % 7 < 5:
            begun = day * DAY + 10 * 60 + day % 3 * 45
            faults.append(Fault(start=begun, end=begun + 1, seconds=1.2))
            faults.append(Fault(start=begun + 1, end=begun + 2, outcome=BROKEN, share=0.2))
        begun = day * DAY + 14 * 60 + day % 5 * 31
        faults.append(Fault(start=begun, end=begun + 3, traffic=8.0))
        faults.append(Fault(start=begun + 60, end=begun + 61, duplicates=2))

    def rate(minute: int) -> float:
        hour = minute / 60 % 24
        week = 0.35 if minute // DAY % 7 >= 5 else 1.0
        shape: float = max(0.0, math.sin((hour - 5) / 18 * math.pi)) if 5 <= hour <= 23 else 0.0
        return 0.15 + 25 * week * float(shape**1.5)

    return World(minutes=days * DAY, rate=rate, faults=faults, seed=seed)
