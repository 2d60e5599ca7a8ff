"""Quiet hours: they start in the future, and change nothing while they run."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from monitoring.datadog.downtimes import downtimes, started
from settings.loader import load
from settings.schema import Settings
from tests.datadog_publishing import counts, monitor, planned, published
from webhook_buffer.laptop.fake_datadog import FakeDatadog


def _settings(at: str = "22:00", minutes: int = 480) -> Settings:
    quiet = {"name": "night", "at": at, "minutes": minutes, "severities": ["ticket"]}
    return load("prd", overrides={"datadog": {"functions": [], "quietHours": [quiet]}})


@pytest.mark.parametrize(
    ("now", "rule", "start", "expected"),
    [
        ("2026-07-07T12:00", "FREQ=WEEKLY;INTERVAL=1;BYDAY=SA,SU", "22:00", "2026-07-11T22:00:00"),
        # 22:00 in Berlin is 20:00 in UTC, in winter 21:00.
        ("2026-07-11T19:30", "FREQ=WEEKLY;INTERVAL=1;BYDAY=SA,SU", "22:00", "2026-07-11T22:00:00"),
        ("2026-07-11T20:00", "FREQ=WEEKLY;INTERVAL=1;BYDAY=SA,SU", "22:00", "2026-07-12T22:00:00"),
        ("2026-12-05T20:30", "FREQ=WEEKLY;INTERVAL=1;BYDAY=SA,SU", "22:00", "2026-12-05T22:00:00"),
        # Ten minutes ahead, for what waits out a rate limit.
        ("2026-12-05T20:55", "FREQ=WEEKLY;INTERVAL=1;BYDAY=SA,SU", "22:00", "2026-12-06T22:00:00"),
        # 02:30 does not come on the day on which clocks are put forward.
        ("2027-03-27T12:00", "FREQ=DAILY;INTERVAL=1", "02:30", "2027-03-29T02:30:00"),
        # And comes twice on the day on which they are put back.
        ("2026-10-24T12:00", "FREQ=DAILY;INTERVAL=1", "02:30", "2026-10-25T02:30:00"),
    ],
)
def test_start(now: str, rule: str, start: str, expected: str) -> None:
    """What is sent starts on the next of its days, in its zone's time, with seconds."""
    recurrence = {"rrule": rule, "duration": "60m", "start": f"2026-01-05T{start}"}
    schedule = {"timezone": "Europe/Berlin", "recurrences": [recurrence]}
    sent = started(schedule, datetime.fromisoformat(now).replace(tzinfo=UTC))
    assert [entry["start"] for entry in sent["recurrences"]] == [expected]


def test_a_running_downtime_is_no_drift() -> None:
    """While quiet hours run the plan is empty, names who is muted, and an update leaves them."""
    settings = _settings()
    wanted = [monitor(settings), *downtimes(settings)]
    with FakeDatadog() as datadog:
        published(datadog, settings, wanted)
        [downtime] = datadog.objects("downtime").values()
        begins = datetime.fromisoformat(
            downtime["attributes"]["schedule"]["recurrences"][0]["start"]
        )
        assert begins.replace(tzinfo=UTC) > datetime.now(UTC)
        datadog.set_clock(lambda: begins.replace(hour=23, tzinfo=UTC))
        plan = planned(datadog, settings, wanted)
        assert counts(plan) == {"unchanged": 2}
        [mute] = plan.mutes
        assert (mute.key, mute.by_hand) == ("late", False)
        assert plan.document()["muted"][0]["by_hand"] is False
        other = [monitor(settings, priority=2), *wanted[1:]]
        published(datadog, settings, other)
        assert planned(datadog, settings, other).mutes == plan.mutes


def test_a_mute_by_hand_is_shown_and_stays() -> None:
    """A person's mute is not a change, is named with its end, and outlasts an apply."""
    settings = _settings()
    with FakeDatadog() as datadog:
        published(datadog, settings, [monitor(settings)])
        end = datetime(2050, 1, 2, 14, tzinfo=UTC)
        body: dict[str, Any] = {"scope": "*",
                "monitor_identifier": {"monitor_tags": ["severity:ticket"]},
                "schedule": {"start": datetime.now(UTC).isoformat(), "end": end.isoformat()},
                "message": "Deploying.", "canceled": None, "notify_end_states": []}  # fmt: skip
        stored = {"id": "0" * 8, "type": "downtime", "attributes": body}
        datadog.put("downtime", "0" * 8, stored)
        plan = planned(datadog, settings, [monitor(settings)])
        assert counts(plan) == {"unchanged": 1}
        assert [str(mute) for mute in plan.mutes] == [
            "monitor late: muted by hand until 2050-01-02 14:00 UTC"
        ]
        published(datadog, settings, [monitor(settings, priority=2)])
        again = planned(datadog, settings, [monitor(settings, priority=2)])
        assert (counts(again), again.mutes) == ({"unchanged": 1}, plan.mutes)


def test_other_hours_are_an_update() -> None:
    """Quiet hours at another time are sent, and start in the future, too."""
    with FakeDatadog() as datadog:
        published(datadog, _settings(), downtimes(_settings()))
        other = _settings(at="21:15")
        published(datadog, other, downtimes(other))
        [downtime] = datadog.objects("downtime").values()
        start = downtime["attributes"]["schedule"]["recurrences"][0]["start"]
        assert start.endswith("T21:15:00")
        assert counts(planned(datadog, other, downtimes(other))) == {"unchanged": 1}
