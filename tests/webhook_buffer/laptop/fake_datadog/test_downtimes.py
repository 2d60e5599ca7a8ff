"""The fake's downtimes, against recorded answers of Datadog's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.fake_datadog import DOWNTIME, MONITOR, Answer, Official, Raw, changed, refused
from webhook_buffer.laptop.fake_datadog import FakeDatadog


def test_one_time(official: Official, raw: Raw) -> None:
    """A downtime without a schedule begins now and does not end."""
    downtime = raw.scheduled(DOWNTIME)
    attributes = downtime["attributes"]
    assert attributes["status"] == "active"
    assert attributes["schedule"]["end"] is None
    assert (attributes["display_timezone"], attributes["message"]) == ("UTC", None)
    assert attributes["mute_first_recovery_notification"] is False
    assert sorted(attributes["notify_end_states"]) == ["alert", "no data", "warn"]
    assert attributes["notify_end_types"] == ["expired"]
    assert "relationships" in downtime
    read = official.downtimes.get_downtime(downtime_id=downtime["id"]).data
    assert read.attributes.scope == "env:prod"


def test_later(raw: Raw) -> None:
    """One in the future is scheduled, its times with an offset."""
    schedule = {"start": "2050-01-02T03:04:05Z", "end": "2050-01-02T04:04:05Z"}
    attributes = raw.scheduled(DOWNTIME | {"schedule": schedule})["attributes"]
    assert attributes["status"] == "scheduled"
    assert attributes["schedule"]["start"] == "2050-01-02T03:04:05+00:00"


def test_recurring(fake: FakeDatadog, raw: Raw) -> None:
    """A recurring one has its current window, which moves on as time does."""
    now = datetime(2026, 3, 4, 12, tzinfo=UTC)
    fake.set_clock(lambda: now)
    recurrence = {
        "rrule": "FREQ=DAILY;INTERVAL=1",
        "duration": "2h",
        "start": "2026-03-05T01:00:00",
    }
    schedule = {"recurrences": [recurrence], "timezone": "Europe/Paris"}
    downtime = raw.scheduled(DOWNTIME | {"schedule": schedule})
    assert downtime["attributes"]["schedule"] == schedule | {
        "current_downtime": {
            "start": "2026-03-05T00:00:00+00:00",
            "end": "2026-03-05T02:00:00+00:00",
        }
    }
    assert downtime["attributes"]["status"] == "scheduled"
    now = datetime(2026, 3, 6, 1, tzinfo=UTC)
    _, answer, _ = raw("GET", f"/api/v2/downtime/{downtime['id']}")
    current = answer["data"]["attributes"]["schedule"]["current_downtime"]
    assert current["start"] == "2026-03-06T00:00:00+00:00"
    assert answer["data"]["attributes"]["status"] == "active"


@pytest.mark.parametrize(
    ("now", "start"),
    [
        # A Tuesday; 22:00 in Berlin is 20:00 in summer and 21:00 in winter.
        (datetime(2026, 7, 7, 12, tzinfo=UTC), "2026-07-11T20:00:00+00:00"),
        (datetime(2026, 12, 1, 12, tzinfo=UTC), "2026-12-05T21:00:00+00:00"),
        (datetime(2026, 7, 12, 3, tzinfo=UTC), "2026-07-11T20:00:00+00:00"),
    ],
)
def test_recurring_on_days(fake: FakeDatadog, raw: Raw, now: datetime, start: str) -> None:
    """A window is on the rule's days, at the time of the zone, summer and winter."""
    fake.set_clock(lambda: now)
    recurrence = {
        "rrule": "FREQ=WEEKLY;INTERVAL=1;BYDAY=SA,SU",
        "duration": "480m",
        "start": "2026-01-05T22:00",
    }
    schedule = {"recurrences": [recurrence], "timezone": "Europe/Berlin"}
    moment = datetime(2026, 1, 5, tzinfo=UTC)
    fake.set_clock(lambda: moment)
    downtime = raw.scheduled(DOWNTIME | {"schedule": schedule})
    assert downtime["attributes"]["schedule"]["recurrences"][0]["start"] == "2026-01-05T22:00:00"
    moment = now
    _, answer, _ = raw("GET", f"/api/v2/downtime/{downtime['id']}")
    assert answer["data"]["attributes"]["schedule"]["current_downtime"]["start"] == start


def test_past_start(fake: FakeDatadog, raw: Raw) -> None:
    """A recurrence that starts in the past is refused; one that did may stay."""
    moment = datetime(2026, 3, 4, 12, tzinfo=UTC)
    fake.set_clock(lambda: moment)
    recurrence = {"rrule": "FREQ=DAILY", "duration": "2h", "start": "2026-03-04T13:30:00"}
    schedule = {"recurrences": [recurrence], "timezone": "Europe/Paris"}
    downtime = raw.scheduled(DOWNTIME | {"schedule": schedule})
    moment = datetime(2026, 3, 6, 12, tzinfo=UTC)
    body = {"data": {"type": "downtime", "attributes": DOWNTIME | {"schedule": schedule}}}
    refused(raw("POST", "/api/v2/downtime", body), 400, "must not be in the past")
    body["data"]["id"] = downtime["id"]
    assert raw("PATCH", f"/api/v2/downtime/{downtime['id']}", body)[0] == 200


def test_duplicate(raw: Raw) -> None:
    """A downtime that says what another one says is refused, until that is canceled."""
    schedule = {"start": "2050-01-02T03:04:05Z"}
    body = {"data": {"type": "downtime", "attributes": DOWNTIME | {"schedule": schedule}}}
    downtime = raw.scheduled(DOWNTIME | {"schedule": schedule})
    words = "duplicate of one or more existing downtimes"
    refused(raw("POST", "/api/v2/downtime", body), 400, words)
    raw("DELETE", f"/api/v2/downtime/{downtime['id']}")
    assert raw("POST", "/api/v2/downtime", body)[0] == 200


def test_mutes(raw: Raw) -> None:
    """A monitor shows that it is muted while a downtime of its tags runs, and until when."""
    monitor = raw.created("monitor", MONITOR)
    path = f"/api/v1/monitor/{monitor['id']}"
    assert raw("GET", path)[1]["options"]["silenced"] == {}
    end = "2050-01-02T03:04:05+00:00"
    raw.scheduled(DOWNTIME | {"schedule": {"end": end}})
    until = int(datetime.fromisoformat(end).timestamp())
    assert raw("GET", path)[1]["options"]["silenced"] == {"env:prod": until}
    assert raw("GET", "/api/v1/monitor")[1][0]["options"]["silenced"] == {"env:prod": until}
    matching = raw("GET", f"{path}?with_downtimes=true")[1]["matching_downtimes"]
    assert [match["end"] for match in matching] == [until]


def test_update(raw: Raw) -> None:
    """A patch changes what it names; the start of one in force stays."""
    downtime = raw.scheduled(DOWNTIME)
    path = f"/api/v2/downtime/{downtime['id']}"

    def patched(attributes: dict[str, Any]) -> Answer:
        data = {"type": "downtime", "id": downtime["id"], "attributes": attributes}
        return raw("PATCH", path, {"data": data})

    _, answer, _ = patched({"message": "x"})
    assert answer["data"]["attributes"]["message"] == "x"
    assert answer["data"]["attributes"]["scope"] == "env:prod"
    later = {"schedule": {"start": "2050-01-02T03:04:05Z"}}
    refused(patched(later), 400, "Start times of downtimes in progress cannot be changed")
    assert raw("DELETE", path)[:2] == (204, None)
    refused(patched({"message": "y"}), 400, "cannot update a canceled downtime")


def test_canceled(fake: FakeDatadog, official: Official, raw: Raw) -> None:
    """A canceled one stays in the list for two days, but is not current."""
    now = datetime(2026, 3, 4, tzinfo=UTC)
    fake.set_clock(lambda: now)
    downtime = raw.scheduled(DOWNTIME)
    api = official.downtimes
    api.cancel_downtime(downtime_id=downtime["id"])
    assert [str(listed.attributes.status) for listed in api.list_downtimes().data] == ["canceled"]
    assert api.list_downtimes(current_only=True).data == []
    now += timedelta(days=2)
    assert api.list_downtimes().data == []
    refused(raw("GET", f"/api/v2/downtime/{downtime['id']}"), 404, "Downtime not found")
    refused(raw("DELETE", f"/api/v2/downtime/{downtime['id']}"), 404, "not found")


def test_list(official: Official, raw: Raw) -> None:
    """Pages hold 30 by default."""
    for _ in range(31):
        raw.scheduled(DOWNTIME)
    api = official.downtimes
    page = api.list_downtimes()
    assert len(page.data) == 30
    assert page.meta.page.total_filtered_count == 31
    assert len(api.list_downtimes(page_offset=30).data) == 1
    assert len(list(api.list_downtimes_with_pagination(page_limit=20))) == 31


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"scope": None}, "'scope' is a required property"),
        ({"scope": "BAD_SCOPE_MISSING_KEY_VALUE_FORMAT"}, "All values must have a key"),
        ({"monitor_identifier": {"monitor_id": 1}}, "Monitor not found"),
        ({"display_timezone": "Mars/Olympus"}, "Invalid timezone"),
        ({"notify_end_types": ["never"]}, "'never' is not one of"),
        (
            {"schedule": {"start": "2050-01-02T00:00:00Z", "end": "2050-01-01T00:00:00Z"}},
            "must be after its start",
        ),
        ({"schedule": {"recurrences": [{"rrule": "FREQ=DAILY", "duration": "x"}]}}, "duration"),
        ({"schedule": {"recurrences": [{"rrule": "often", "duration": "1h"}]}}, "rrule"),
        (
            {"schedule": {"recurrences": [{"rrule": "FREQ=DAILY;INTERVAL=0", "duration": "1h"}]}},
            "rrule",
        ),
    ],
)
def test_refuses(raw: Raw, change: dict[str, Any], words: str) -> None:
    """What can't be right is 400."""
    attributes = changed(DOWNTIME, change)
    body = {"data": {"type": "downtime", "attributes": attributes}}
    refused(raw("POST", "/api/v2/downtime", body), 400, words)
