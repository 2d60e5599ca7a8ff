"""The model of the buffer, the sets of others, and what the benchmark makes of them."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Iterator
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from alarmproof import recordings
from alarmproof.base.alarms import MetricAlarm
from alarmproof.base.metric_data import MetricKey
from hypothesis import given, settings

from settings.paths import ROOT
from webhook_buffer.benchmark import detection, document
from webhook_buffer.benchmark.baselines import BASELINES
from webhook_buffer.benchmark.buffer_recording import BufferRecording
from webhook_buffer.benchmark.scenarios import RECORDINGS, SCENARIOS
from webhook_buffer.benchmark.simulation import Simulation
from webhook_buffer.benchmark.world import BROKEN, NO_CONNECTION, REFUSED, Fault, World
from webhook_buffer.cli.alarmproof import alarms_of
from webhook_buffer.laptop.drills.catalog import DRILLS

pytestmark = pytest.mark.xdist_group("bench")


def _world(minutes: int = 60, rate: float = 30.0, **changes: Any) -> World:
    return World(minutes=minutes, rate=lambda _: rate, **changes)


@settings(max_examples=settings().max_examples * 3 // 10)
@given(
    rate=st.floats(0, 60),
    seed=st.integers(0, 1000),
    outcome=st.sampled_from([None, REFUSED, BROKEN, NO_CONNECTION]),
    share=st.floats(0, 1),
    crash=st.booleans(),
    stopped=st.booleans(),
    refuses=st.booleans(),
)
def test_nothing_is_lost_in_the_model(
    rate: float, seed: int, outcome: int | None, share: float, crash: bool, stopped: bool,
    refuses: bool,
) -> None:  # fmt: skip
    """Accepted is delivered and waiting, whatever fails; the metrics say the same."""
    fault = Fault(
        start=5, end=15, outcome=outcome, share=share, crash=crash, stopped=stopped, refuses=refuses
    )
    world = World(minutes=30, rate=lambda _: rate, faults=[fault], seed=seed)
    simulation = Simulation(world)
    assert simulation.accepted == simulation.delivered + simulation.waiting
    recording = simulation.recording()
    assert _total(recording, "WebhookBuffer", "Accepted") == simulation.accepted
    assert _total(recording, "WebhookBuffer", "Backend2xx") == simulation.delivered


def _values(recording: BufferRecording, namespace: str, name: str, statistic: str) -> Any:
    dimensions = {"QueueName": "q"} if namespace == "AWS/SQS" else {}
    for series in recording.series(MetricKey.of(namespace, name, dimensions)):
        if series.statistic == statistic:
            return series.values
    return np.array([math.nan])


def _total(recording: BufferRecording, namespace: str, name: str) -> float:
    return float(np.nansum(_values(recording, namespace, name, "Sum")))


def test_the_seed_decides_everything() -> None:
    """Two runs of one world are equal, of another seed different."""
    first, again, other = (
        _values(Simulation(_world(seed=seed)).recording(), "WebhookBuffer", "Accepted", "Sum")
        for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again, equal_nan=True)
    assert not np.array_equal(first, other, equal_nan=True)


def test_a_fault_shows_where_it_must() -> None:
    """Failed attempts show as outcome, age and retries; without traffic there is no such data."""
    fault = Fault(start=10, end=30, outcome=BROKEN)
    recording = Simulation(_world(faults=[fault], blips=0.0)).recording()
    shares = _values(recording, "WebhookBuffer", "BackendOutcome", "PR(4.5:)")
    assert set(shares[:10]) == {0.0}
    assert set(shares[10:25]) == {100.0}
    age = _values(recording, "AWS/SQS", "ApproximateAgeOfOldestMessage", "Maximum")
    assert np.nan_to_num(age[:10]).max() < 60 < np.nanmax(age[20:30])
    quiet = Simulation(_world(rate=0.0)).recording()
    assert np.isnan(_values(quiet, "WebhookBuffer", "BackendOutcome", "PR(4.5:)")).all()
    assert _total(quiet, "WebhookBuffer", "HeartbeatArrived") == 12


def test_the_others_are_as_published() -> None:
    """Each set has its rows, every alarm has its own name, pages, and reads what is published."""
    for baseline in BASELINES:
        alarms = baseline.alarms()
        assert len({alarm.name for alarm in alarms}) == len(baseline.rows)
        assert all(alarm.alarm_actions == ("page",) for alarm in alarms)
        assert baseline.source
    slic = {alarm.name: alarm for alarm in BASELINES[0].alarms()}
    duration = slic["slic-watch 5: subscribe Duration Maximum"]
    assert (duration.threshold, duration.period, duration.evaluation_periods) == (9500, 60, 1)


@pytest.fixture(scope="module")
def ours() -> detection.AlarmSet:
    """Our alarms, as production has them."""
    alarms = alarms_of(None, "prd", opt_in=True).alarms
    return detection.AlarmSet("ours", alarms, lambda action: action.endswith("page"))


@pytest.fixture(scope="module", autouse=True)
def _simulated_once() -> Iterator[None]:
    """Each scenario is simulated once for this file: it takes a third of a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(detection, "simulated", functools.cache(detection.simulated))
        yield


@pytest.fixture(scope="module")
def results(ours: detection.AlarmSet) -> detection.Results:
    """Two healthy days; the whole month is the command's."""
    return detection.run([ours, *detection.baseline_sets()[:1]], days=2, progress=lambda: None)


@pytest.mark.slow
def test_ours_notices_every_failure_mode_with_one_page_at_most(results: detection.Results) -> None:
    """All 18 modes; users hit are paged; one page an incident, none before it, none in health."""
    assert results.modes("ours") == set(range(1, 19))
    for scenario, result in zip(SCENARIOS, results.by_set["ours"], strict=True):
        assert result.pages <= 1, scenario.title
        assert result.early == 0, scenario.title
        if scenario.page:
            assert result.paged is not None, scenario.title
    assert results.healthy["ours"][0] == 0


# A lost webhook waits for two looks of the audit; refusals of one a minute for five of them.
_LATE = {"accepted webhooks are lost", "queue refuses, 1 webhook a minute"}


@pytest.mark.slow
def test_users_hit_are_paged_within_three_minutes(results: detection.Results) -> None:
    """But for the two that docs/benchmark.md names."""
    for scenario, result in zip(SCENARIOS, results.by_set["ours"], strict=True):
        if scenario.page and scenario.title not in _LATE:
            assert result.paged is not None
            assert result.paged <= 3, scenario.title


def test_a_set_that_is_deaf_notices_nothing(ours: detection.AlarmSet) -> None:
    """The benchmark discriminates: without actions there is no detection."""
    silent = [dataclasses.replace(alarm, actions_enabled=False) for alarm in ours.alarms]
    outage = SCENARIOS[0]
    detected = detection.detection(
        detection.AlarmSet("deaf", silent, lambda _: True), *detection.simulated(outage)
    )
    assert (detected.notified, detected.paged, detected.pages) == (None, None, 0)
    assert document.cell(outage, detected) == "–"  # noqa: RUF001


@pytest.mark.slow
def test_the_page_names_sets_modes_and_sources(results: detection.Results) -> None:
    """The table has a column for each set and a row for each scenario, and says whence."""
    page = document.markdown(results)
    assert "| mode | ours | slic-watch |" in page
    for scenario in SCENARIOS:
        assert f"{scenario.mode} {scenario.title}" in page
    assert all(baseline.source in page for baseline in BASELINES)


@pytest.mark.slow
def test_the_kept_page_is_of_these_scenarios_and_alarms(results: detection.Results) -> None:
    """docs/benchmark.md was written since scenarios or our alarms changed what is detected."""
    page = (ROOT / "docs" / "benchmark.md").read_text()
    for number, scenario in enumerate(SCENARIOS):
        title = f"{scenario.mode} {scenario.title}"
        row = next(line for line in page.splitlines() if title in line and line[0] == "|")
        assert row.split("|")[2].strip() == document.cell(scenario, results.by_set["ours"][number])


@pytest.mark.slow
def test_alarms_of_ours_read_what_the_model_writes(ours: detection.AlarmSet) -> None:
    """A metric that the model never writes would make an alarm silent in all of it, unseen."""
    written: set[str] = set()
    for scenario in SCENARIOS:
        recording, _ = detection.simulated(scenario)
        written |= {name for _, name, _, _ in recording.values}
    read = {
        metric.name.removeprefix("webhook-buffer-prd-publish-").removeprefix(
            "webhook-buffer-prd-subscribe-"
        )
        for alarm in ours.alarms
        if isinstance(alarm, MetricAlarm)
        for metric in alarm.metrics
    }
    # What no failure mode of the list is about.
    unconcerned = {
        "log-warnings", "ReadThrottleEvents", "SystemErrors", "SourceAccepted", "Unmatched",
        "SignatureRefused", "SecretUnreadable", "SigningSecretUnreadable", "Parked",
        "HeldGroups", "HeldSeconds", "ParkingBraked", "ParkedExpiring",
        "webhook-buffer-prd-helpers-log-problems",
    }  # fmt: skip
    assert read - written == unconcerned


def test_every_recording_is_kept_and_can_be_caused_again() -> None:
    """A file, a cause and a scenario each; a file holds as many minutes as its scenario says."""
    files = {file.stem for file in detection.FOLDER.glob("*.json")}
    assert files == set(RECORDINGS) <= set(DRILLS)
    for name, what in RECORDINGS.items():
        recording = recordings.load(detection.FOLDER / f"{name}.json")
        assert recording.end - recording.start == 60 * what.minutes


@pytest.mark.slow
def test_ours_notices_what_was_recorded_as_it_does_in_the_model(results: detection.Results) -> None:
    """Every recorded failure notifies somebody, and pages where the model's does."""
    # Five of nine attempts a minute timed out, two minutes in a row: half of them, by chance.
    by_chance = {"backend-slow"}
    for name, (model, real) in zip(RECORDINGS, results.compared["ours"], strict=True):
        assert real.notified is not None, name
        assert real.early == 0, name
        assert real.pages == model.pages or name in by_chance, name
