"""The detection benchmark: which failures alarms notice, how soon, how often they err.

Each failure mode is a run of the simulation with that fault; the healthy month is one, too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from alarmproof import recordings
from alarmproof.evaluate import evaluate
from alarmproof.model import AnyAlarm, Notification, State, Values

from webhook_buffer.benchmark.baselines import BASELINES
from webhook_buffer.benchmark.simulation import (
    BROKEN,
    NO_CONNECTION,
    REDIRECT,
    REFUSED,
    BufferRecording,
    Fault,
    Key,
    Simulation,
    World,
    role_of,
)

BEGUN, LASTS, AFTER = 180, 90, 420  # minutes: healthy before, the fault, healthy after
_ORIGIN = 7 * 3600  # so that faults begin at 10:00 UTC, when there is traffic
_DAY = 1440
_SETTLED = 60  # minutes until each series has begun, so that none is missing
# What was recorded of a running buffer, a file for each failure.
FOLDER = Path(__file__).with_name("recordings")


@dataclass(frozen=True, slots=True)
class AlarmSet:
    """What is measured.

    Attributes:
        pages: whether a topic wakes somebody.
        delay: seconds after which the service sees a value.
    """

    name: str
    alarms: Sequence[AnyAlarm]
    pages: Callable[[str], bool]
    delay: int = 0


@dataclass(frozen=True, slots=True)
class Scenario:
    """A failure mode.

    Attributes:
        page: whether users are hit, so that somebody has to be woken.
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
    """A failure that a running buffer was recorded in; times in minutes.

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
    return Recording(next(one for one in SCENARIOS if one.mode == mode), **changes)


# By the file's name in ``proof/recordings/``; ``webhook_buffer/laptop/failures.py`` causes them.
RECORDINGS: Mapping[str, Recording] = {
    "backend-unreachable": _recording(1),
    "backend-5xx": _recording(2),
    # The emulator makes one attempt at a time: so many webhooks as it can deliver.
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


@dataclass(frozen=True, slots=True)
class Detection:
    """What a set of alarms made of a scenario.

    Attributes:
        told, paged: minutes from the fault to the first notification, and to the first page;
            None without.
        pages, tickets: ALARM notifications from the fault on.
        early: pages before the fault.
    """

    told: int | None
    paged: int | None
    pages: int
    tickets: int
    early: int


@dataclass(frozen=True, slots=True)
class Results:
    """All that was measured.

    Attributes:
        by_set: set → detections, in the order of ``SCENARIOS``.
        compared: set → (in the model, in the recording), in the order of ``RECORDINGS``.
        healthy: set → (false pages, false tickets) in the healthy days.
    """

    by_set: Mapping[str, Sequence[Detection]]
    compared: Mapping[str, Sequence[tuple[Detection, Detection]]]
    healthy: Mapping[str, tuple[int, int]]
    days: int

    def modes(self, name: str) -> set[int]:
        """The failure modes that a set noticed, in whatever scenario."""
        return {
            scenario.mode
            for scenario, found in zip(SCENARIOS, self.by_set[name], strict=True)
            if found.told is not None
        }


def baseline_sets() -> list[AlarmSet]:
    """The sets of others."""
    return [AlarmSet(one.name, one.alarms(), lambda _: True, one.delay) for one in BASELINES]


def run(sets: Sequence[AlarmSet], *, days: int = 30, progress: Callable[[], None]) -> Results:
    """Measures every set on every scenario and on healthy days.

    Args:
        progress: called after each scenario, and after the healthy days.
    """
    by_set: dict[str, list[Detection]] = {one.name: [] for one in sets}
    for scenario in SCENARIOS:
        series, end = simulated(scenario)
        for one in sets:
            by_set[one.name].append(detection(one, series, end))
        progress()
    compared: dict[str, list[tuple[Detection, Detection]]] = {one.name: [] for one in sets}
    for name, what in RECORDINGS.items():
        model = simulated(what.scenario, lasts=what.lasts, after=what.after)
        for one in sets:
            found = detection(one, *model), detection(one, *kept(name))
            compared[one.name].append(found)
    progress()
    healthy = Simulation(healthy_world(days)).recording()
    counted = {}
    for one in sets:
        notes = _notes(one, healthy, days * _DAY)
        pages = sum(one.pages(note.action) for note in notes)
        counted[one.name] = (pages, sum(note.action.endswith("ticket") for note in notes))
    progress()
    return Results(by_set, compared, counted, days)


def simulated(
    scenario: Scenario, *, lasts: int = LASTS, after: int = AFTER
) -> tuple[BufferRecording, int]:
    """A scenario's series in the model, and how many minutes they have."""
    begun = 0 if scenario.before else BEGUN
    fault = replace(scenario.fault, start=begun, end=BEGUN + lasts)
    minutes = BEGUN + lasts + after
    world = World(
        minutes=minutes, rate=lambda _: scenario.rate, faults=[fault], seed=scenario.mode, blips=0.0
    )
    return Simulation(world).recording(_ORIGIN), minutes


def kept(name: str) -> tuple[BufferRecording, int]:
    """A recording's series, and how many minutes they have.

    Its healthy minutes are repeated before it, so that the fault begins as late as in the model
    and alarms on what comes every few minutes have their past.
    """
    what = RECORDINGS[name]
    values: dict[Key, Values] = {}
    start = 0
    for one in recordings.load(FOLDER / f"{name}.json").every():
        before = np.resize(one.values[: what.begun], BEGUN - what.begun)
        role, metric = role_of(one.metric)
        key = (one.metric.namespace, metric, role, one.statistic or "")
        values[key] = np.concatenate([before, one.values])
        start = one.start
    origin = start - 60 * (BEGUN - what.begun)
    return BufferRecording(values, origin), BEGUN + what.lasts + what.after


def healthy_world(days: int, seed: int = 7) -> World:
    """Days on which nothing is wrong, with what happens on such days.

    Daily and weekly shape with nights of a webhook in some minutes, bursts, a deployment of the
    backend on working days (a slow minute, and some attempts that fail and are repaired by the
    retry), senders' repeats, single failed attempts.
    """
    faults: list[Fault] = []
    for day in range(days):
        if day % 7 < 5:
            begun = day * _DAY + 10 * 60 + day % 3 * 45
            faults.append(Fault(start=begun, end=begun + 1, seconds=1.2))
            faults.append(Fault(start=begun + 1, end=begun + 2, outcome=BROKEN, share=0.2))
        begun = day * _DAY + 14 * 60 + day % 5 * 31
        faults.append(Fault(start=begun, end=begun + 3, traffic=8.0))
        faults.append(Fault(start=begun + 60, end=begun + 61, duplicates=2))

    def rate(minute: int) -> float:
        hour = minute / 60 % 24
        week = 0.35 if minute // _DAY % 7 >= 5 else 1.0
        shape: float = max(0.0, math.sin((hour - 5) / 18 * math.pi)) if 5 <= hour <= 23 else 0.0
        return 0.15 + 25 * week * float(shape**1.5)

    return World(minutes=days * _DAY, rate=rate, faults=faults, seed=seed)


def _notes(one: AlarmSet, recording: BufferRecording, minutes: int) -> list[Notification]:
    """Notifications of ALARM, in the order of time."""
    start = recording.origin
    histories = evaluate(
        one.alarms, recording, start=start + 60 * _SETTLED, end=start + 60 * minutes,
        initial={alarm.name: State.OK for alarm in one.alarms},
    )  # fmt: skip
    found = (note for history in histories.values() for note in history.notifications)
    return sorted((note for note in found if note.state is State.ALARM), key=lambda note: note.at)


def detection(one: AlarmSet, recording: BufferRecording, minutes: int) -> Detection:
    """What a set makes of a scenario's series."""
    notes = _notes(one, recording, minutes)
    begun = recording.origin + 60 * BEGUN
    after = [note for note in notes if note.at > begun]
    pages = [note for note in after if one.pages(note.action)]

    def minutes_to(some: Sequence[Notification]) -> int | None:
        return (some[0].at - begun + one.delay) // 60 if some else None

    return Detection(
        told=minutes_to(after),
        paged=minutes_to(pages),
        pages=len(pages),
        tickets=sum(note.action.endswith("ticket") for note in after),
        early=sum(one.pages(note.action) for note in notes if note.at <= begun),
    )


def cell(scenario: Scenario, found: Detection) -> str:
    """A detection in a few signs: minutes to the page and how many, or to the ticket."""
    if found.told is None:
        return "–"  # noqa: RUF001
    if found.paged is None:
        return f"{found.told} min, no page" if scenario.page else f"{found.told} min"
    return f"{found.paged} min, {found.pages} page{'s' if found.pages != 1 else ''}"


def summary(results: Results, name: str) -> list[str]:
    """Modes noticed, users hit and paged within 3 minutes, most pages an incident, false pages."""
    hit = [
        (scenario, found)
        for scenario, found in zip(SCENARIOS, results.by_set[name], strict=True)
        if scenario.page
    ]
    soon = sum(found.paged is not None and found.paged <= 3 for _, found in hit)
    most = max((found.pages for found in results.by_set[name]), default=0)
    pages, tickets = results.healthy[name]
    weeks = results.days / 7
    return [
        f"{len(results.modes(name))} of 18", f"{soon} of {len(hit)}", str(most),
        f"{pages / weeks:.1f}", f"{tickets / weeks:.1f}",
    ]  # fmt: skip


HEADS = (
    "Set", "Failure modes noticed", "Users hit: paged within 3 min", "Most pages an incident",
    "False pages a week", "False tickets a week",
)  # fmt: skip


def _recorded_table(results: Results, names: Sequence[str]) -> list[str]:
    ours, *others = names
    lines = [
        "",
        "## Recorded from a running buffer",
        "",
        "What a laptop can show was caused for real in a buffer on the emulator, under traffic,",
        "and recorded by `webhook-buffer alarms record-failures`. Each fault lasts as many minutes",
        "as the table says, so what takes longer is not seen here. Beside it the model, with a",
        "fault of the same length.",
        "",
        f"| mode | lasts | {ours}, modelled | {ours}, recorded | " + " | ".join(others) + " |",
        "|" + " --- |" * (len(names) + 3),
    ]
    for number, what in enumerate(RECORDINGS.values()):
        scenario = what.scenario
        both = [cell(scenario, one) for one in results.compared[ours][number]]
        rest = [cell(scenario, results.compared[name][number][1]) for name in others]
        head = [f"{scenario.mode} {scenario.title}", f"{what.lasts} min"]
        lines.append(f"| {' | '.join([*head, *both, *rest])} |")
    return lines


def markdown(results: Results) -> str:
    """The page ``docs/benchmark.md``."""
    names = list(results.by_set)
    lines = [
        "# How well alarms detect",
        "",
        "<!-- Generated by `make docs`; edit webhook_buffer/benchmark/detection.py, not this. -->",
        "",
        "Every failure mode of the buffer is a run of a model "
        "(`webhook_buffer/benchmark/simulation.py`) with that",
        f"fault, from minute {BEGUN} for {LASTS} minutes; {results.days} healthy days have none.",
        "The alarms are evaluated as CloudWatch documents it ([test-alarms.md](test-alarms.md)).",
        "[Decision 14](decisions/0014-benchmark.md) derives the model and says what it can't show.",
        "What a laptop shows was also [recorded](#recorded-from-a-running-buffer); nothing of",
        "this was recorded on AWS.",
        "",
        "| " + " | ".join(HEADS) + " |",
        "|" + " --- |" * len(HEADS),
        *("| " + " | ".join([name, *summary(results, name)]) + " |" for name in names),
        "",
        "## By failure mode",
        "",
        "Minutes from the fault to the first page (or ticket), and how many pages. A mode in bold",
        "hits users.",
        "",
        "| mode | " + " | ".join(names) + " |",
        "|" + " --- |" * (len(names) + 1),
    ]
    for number, scenario in enumerate(SCENARIOS):
        title = f"{scenario.mode} {scenario.title}"
        cells = [cell(scenario, results.by_set[name][number]) for name in names]
        lines.append(f"| {f'**{title}**' if scenario.page else title} | {' | '.join(cells)} |")
    lines += _recorded_table(results, names)
    lines += ["", "## Where the others' numbers are from", ""]
    lines += [f"- **{one.name}**: {one.source}." for one in BASELINES]
    return "\n".join(lines) + "\n"
