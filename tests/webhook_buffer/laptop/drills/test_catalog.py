"""The drills as data: every limit is an alarm's own, and names are those of signals."""

from __future__ import annotations

import pytest

from monitoring.model.signals import Severity
from settings.loader import load
from webhook_buffer.benchmark.scenarios import RECORDINGS
from webhook_buffer.composition import alarm_set
from webhook_buffer.laptop.drills.catalog import DRILLS
from webhook_buffer.laptop.drills.causes import CAUSES
from webhook_buffer.laptop.drills.model import Drill, expected

ALARMS = alarm_set(load("local", overrides={"traffic": {"fromHourUtc": 0, "untilHourUtc": 24}}))


@pytest.mark.parametrize("drill", DRILLS.values(), ids=lambda drill: drill.name)
def test_a_drill_speaks_of_what_there_is(drill: Drill) -> None:
    """Its cause can be caused, its signals exist, and none is both expected and silent."""
    assert drill.cause in CAUSES
    assert drill.recorded is None or drill.recorded in CAUSES
    known = {alarm.signal.id for alarm in ALARMS.alarms}
    named = {*drill.signals, *drill.follows, *drill.silent}
    assert named <= known
    assert not {*drill.signals, *drill.follows} & set(drill.silent)
    assert not drill.safe or drill.cause in ("repeats", "invalid")
    assert bool(drill.why) is (drill.least_pace > 3)


@pytest.mark.parametrize("drill", DRILLS.values(), ids=lambda drill: drill.name)
def test_a_drill_covers_its_failure_mode(drill: Drill) -> None:
    """What it expects covers that mode; who is paged is who has to be."""
    wanted, lacking = expected(drill, ALARMS, 60.0)
    assert not lacking
    assert any(drill.mode in expectation.alarm.signal.covers for expectation in wanted)
    pages = any(expectation.notifies.severity is Severity.PAGE for expectation in wanted)
    assert pages is drill.users_notice


def test_limits_come_from_the_alarm() -> None:
    """Datapoints times period and one minute; what takes real time has a share of its own."""
    limits = {
        (name, pace): expected(DRILLS[name], ALARMS, pace)[0][0].limit
        for name in ("backend-unreachable", "poisoned-group", "alert-path", "parked-expiring")
        for pace in (3.0, 60.0)
    }
    assert limits["backend-unreachable", 3.0] == limits["backend-unreachable", 60.0] == 3
    assert limits["alert-path", 60.0] == 16
    assert (limits["poisoned-group", 3.0], limits["poisoned-group", 60.0]) == (7, 4)
    # An audit comes each half hour; a refusal counts, and the webhook grows old, in real time.
    assert (limits["parked-expiring", 3.0], limits["parked-expiring", 60.0]) == (53, 34)


def test_every_recorded_failure_is_a_drill() -> None:
    """A recording is the same run at 60 s a minute."""
    assert set(RECORDINGS) <= set(DRILLS)
