"""The detection benchmark: which failures alarms detect, how soon, and how often they are wrong.

Each failure mode is a run of the simulation with that fault; the healthy month is one, too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from alarmproof import recordings
from alarmproof.base.alarms import AnyAlarm, State
from alarmproof.base.arrays import Values
from alarmproof.base.history import Notification
from alarmproof.evaluate import evaluate

from webhook_buffer.benchmark.baselines import BASELINES
from webhook_buffer.benchmark.buffer_recording import BufferRecording, Key, role_of
from webhook_buffer.benchmark.scenarios import (
    AFTER,
    BEGUN,
    DAY,
    LASTS,
    RECORDINGS,
    SCENARIOS,
    Scenario,
    healthy_world,
)
from webhook_buffer.benchmark.simulation import Simulation
from webhook_buffer.benchmark.world import World

_ORIGIN = 7 * 3600  # so that faults begin at 10:00 UTC, when there is traffic
_SETTLED = 60  # minutes until each series has begun, so that none is missing
# Recordings of a running buffer, one file per failure.
FOLDER = Path(__file__).with_name("recordings")


@dataclass(frozen=True, slots=True)
class AlarmSet:
    """What is measured.

    Attributes:
        pages: whether a topic pages somebody.
        delay: seconds after which the service sees a value.
    """

    name: str
    alarms: Sequence[AnyAlarm]
    pages: Callable[[str], bool]
    delay: int = 0


@dataclass(frozen=True, slots=True)
class Detection:
    """What a set of alarms did in a scenario.

    Attributes:
        notified, paged: minutes from the fault to the first notification, and to the first page;
            None if there was none.
        pages, tickets: ALARM notifications from the fault on.
        early: pages before the fault.
    """

    notified: int | None
    paged: int | None
    pages: int
    tickets: int
    early: int


@dataclass(frozen=True, slots=True)
class Results:
    """Every measurement.

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
        """The failure modes that a set detected, in any scenario."""
        return {
            scenario.mode
            for scenario, detected in zip(SCENARIOS, self.by_set[name], strict=True)
            if detected.notified is not None
        }


def baseline_sets() -> list[AlarmSet]:
    """The default alarms of other projects."""
    return [
        AlarmSet(baseline.name, baseline.alarms(), lambda _: True, baseline.delay)
        for baseline in BASELINES
    ]


def run(sets: Sequence[AlarmSet], *, days: int = 30, progress: Callable[[], None]) -> Results:
    """Measures every set on every scenario and on healthy days.

    Args:
        progress: called after each scenario, and after the healthy days.
    """
    by_set: dict[str, list[Detection]] = {alarms.name: [] for alarms in sets}
    for scenario in SCENARIOS:
        series, end = simulated(scenario)
        for alarms in sets:
            by_set[alarms.name].append(detection(alarms, series, end))
        progress()
    compared: dict[str, list[tuple[Detection, Detection]]] = {alarms.name: [] for alarms in sets}
    for name, what in RECORDINGS.items():
        model = simulated(what.scenario, lasts=what.lasts, after=what.after)
        real = kept(name)
        for alarms in sets:
            both = detection(alarms, *model), detection(alarms, *real)
            compared[alarms.name].append(both)
    progress()
    healthy = Simulation(healthy_world(days)).recording()
    counted = {}
    for alarms in sets:
        notes = _notes(alarms, healthy, days * DAY)
        pages = sum(alarms.pages(note.action) for note in notes)
        counted[alarms.name] = (pages, sum(note.action.endswith("ticket") for note in notes))
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
    for series in recordings.load(FOLDER / f"{name}.json").every():
        before = np.resize(series.values[: what.begun], BEGUN - what.begun)
        role, metric = role_of(series.metric)
        key = (series.metric.namespace, metric, role, series.statistic or "")
        values[key] = np.concatenate([before, series.values])
        start = series.start
    origin = start - 60 * (BEGUN - what.begun)
    return BufferRecording(values, origin), BEGUN + what.lasts + what.after


def first_signals(alarms: Sequence[AnyAlarm], name: str) -> dict[str, int]:
    """Minutes from a recorded failure's beginning to each alarm's first ALARM, by its name."""
    recording, minutes = kept(name)
    start = recording.origin
    begun = start + 60 * BEGUN
    histories = evaluate(
        alarms, recording, start=start + 60 * _SETTLED, end=start + 60 * minutes,
        initial={alarm.name: State.OK for alarm in alarms},
    )  # fmt: skip
    first = {}
    for alarm, history in histories.items():
        on = [
            change.at
            for change in history.changes
            if change.state is State.ALARM and change.at > begun
        ]
        if on:
            first[alarm] = (on[0] - begun) // 60
    return first


def _notes(alarms: AlarmSet, recording: BufferRecording, minutes: int) -> list[Notification]:
    """Notifications of ALARM, in the order of time."""
    start = recording.origin
    histories = evaluate(
        alarms.alarms, recording, start=start + 60 * _SETTLED, end=start + 60 * minutes,
        initial={alarm.name: State.OK for alarm in alarms.alarms},
    )  # fmt: skip
    notes = (note for history in histories.values() for note in history.notifications)
    return sorted((note for note in notes if note.state is State.ALARM), key=lambda note: note.at)


def detection(alarms: AlarmSet, recording: BufferRecording, minutes: int) -> Detection:
    """What a set of alarms does on a scenario's series."""
    notes = _notes(alarms, recording, minutes)
    begun = recording.origin + 60 * BEGUN
    after = [note for note in notes if note.at > begun]
    pages = [note for note in after if alarms.pages(note.action)]

    def minutes_to(some: Sequence[Notification]) -> int | None:
        return (some[0].at - begun + alarms.delay) // 60 if some else None

    return Detection(
        notified=minutes_to(after),
        paged=minutes_to(pages),
        pages=len(pages),
        tickets=sum(note.action.endswith("ticket") for note in after),
        early=sum(alarms.pages(note.action) for note in notes if note.at <= begun),
    )
