"""The fake Datadog as a server: keys, permissions, limits, faults, what outlives it."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import urllib3
from datadog_api_client.exceptions import ApiException

from settings.errors import InputError
from tests.fake_datadog import (
    DASHBOARD,
    HEADERS,
    MONITOR,
    QUERY,
    SLO,
    Official,
    Raw,
    opened,
    refused,
    typed_monitor,
)
from tests.waiting import Stopwatch
from webhook_buffer.laptop import fake_datadog
from webhook_buffer.laptop.fake_datadog import FakeDatadog, Fault, Limit


def test_validate(official: Official) -> None:
    """The right API key is valid."""
    assert official.authentication.validate().valid is True


def test_validate_needs_no_application_key(raw: Raw) -> None:
    """Functions' keys can be validated too."""
    assert raw("GET", "/api/v1/validate", DD_APPLICATION_KEY="")[0] == 200


def test_wrong_api_key(fake: FakeDatadog) -> None:
    """A wrong API key is forbidden, with Datadog's body."""
    with opened(fake, api_key="x") as official, pytest.raises(ApiException) as failure:
        official.authentication.validate()
    assert (failure.value.status, failure.value.body) == (403, {"errors": ["Forbidden"]})


def test_wrong_application_key(raw: Raw) -> None:
    """So is a wrong application key; without one it is 401."""
    refused(raw("GET", "/api/v1/monitor", DD_APPLICATION_KEY="x"), 403, "Forbidden")
    refused(raw("GET", "/api/v1/monitor", DD_APPLICATION_KEY=""), 401, "Unauthorized")


def test_missing_permission(fake: FakeDatadog, raw: Raw) -> None:
    """A key without a permission can still do the rest."""
    fake.permissions.discard("monitors_write")
    status, body, _ = raw("POST", "/api/v1/monitor", MONITOR)
    assert status == 403
    assert body == {"errors": ["Forbidden", "Failed permission authorization checks"]}
    assert raw("GET", "/api/v1/monitor")[0] == 200
    assert raw("POST", "/api/v1/slo", SLO)[0] == 200


def test_unknown_path_and_method(raw: Raw) -> None:
    """Other paths are 404, other methods 405."""
    assert raw("GET", "/api/v1/monitors")[0] == 404
    assert raw("PATCH", "/api/v1/monitor")[0] == 405


def test_malformed_body(raw: Raw) -> None:
    """A body that is not JSON, or not an object, is 400."""
    assert raw("POST", "/api/v1/monitor", b"{")[0] == 400
    assert raw("POST", "/api/v1/dashboard", [])[0] == 400


def test_requests_are_noted(fake: FakeDatadog, raw: Raw) -> None:
    """Every request can be looked at, in order."""
    raw("GET", "/api/v1/monitor?name=x")
    raw("POST", "/api/v1/monitor", MONITOR)
    listing, create = fake.requests
    assert (listing.method, listing.path, listing.query, listing.status) == (
        "GET", "/api/v1/monitor", {"name": "x"}, 200,
    )  # fmt: skip
    assert create.body == MONITOR


def test_page(fake: FakeDatadog, raw: Raw) -> None:
    """A browser sees what is there without keys."""
    monitor = raw.created("monitor", MONITOR | {"name": "<age>"})
    page = urllib3.request("GET", f"{fake.url}/").data.decode()
    link = f"/objects/monitor/{monitor['id']}"
    assert link in page
    assert "&lt;age&gt;" in page
    shown = urllib3.request("GET", fake.url + link)
    assert shown.json()["query"] == QUERY
    assert urllib3.request("GET", f"{fake.url}/objects/monitor/0").status == 404


def test_limit() -> None:
    """One request too many in a period is 429 with all headers; in the next all is well."""
    now = datetime(2026, 3, 4, 0, 0, 3, tzinfo=UTC)
    with FakeDatadog(limits={"monitors_read": Limit(requests=2, seconds=10)}) as fake:
        fake.set_clock(lambda: now)
        raw = Raw(fake)
        answers = [raw("GET", "/api/v1/monitor") for _ in range(3)]
        assert raw("POST", "/api/v1/monitor", MONITOR)[0] == 200
        now += timedelta(seconds=7)
        assert raw("GET", "/api/v1/monitor")[0] == 200
    assert [status for status, _, _ in answers] == [200, 200, 429]
    words = "Rate limit of 2 requests in 10 seconds reached. Please try again later."
    assert answers[2][1] == {"errors": [words]}
    limits = [
        {name: value for name, value in headers.items() if name.startswith("X-RateLimit")}
        for _, _, headers in answers
    ]
    assert [headers["X-RateLimit-Remaining"] for headers in limits] == ["1", "0", "0"]
    assert limits[2] == {
        "X-RateLimit-Limit": "2",
        "X-RateLimit-Period": "10",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": "7",
        "X-RateLimit-Name": "monitors_read",
    }


def test_status(fake: FakeDatadog, raw: Raw) -> None:
    """A request can be answered with an error, which is not carried out."""
    fake.faults = [Fault(method="POST", path="monitor$", status=500)]
    assert raw("GET", "/api/v1/monitor")[0] == 200
    assert raw("POST", "/api/v1/monitor", MONITOR)[0] == 500
    assert fake.objects("monitor") == {}
    assert raw("POST", "/api/v1/monitor", MONITOR)[0] == 200


def test_edge(fake: FakeDatadog, official: Official) -> None:
    """Datadog's edge answers in HTML, and the client lives with that."""
    fake.faults = [Fault(status=502)]
    with pytest.raises(ApiException) as failure:
        official.monitors.list_monitors()
    assert failure.value.status == 502
    assert "502 Bad Gateway" in failure.value.body


def test_too_many(fake: FakeDatadog, raw: Raw) -> None:
    """A 429 on demand has the headers of a real one, or those given."""
    fake.faults = [Fault(status=429, headers={"X-RateLimit-Reset": "42"})]
    _, body, headers = raw("GET", "/api/v1/slo")
    assert "Please try again later." in body["errors"][0]
    assert headers["X-RateLimit-Reset"] == "42"
    assert headers["X-RateLimit-Remaining"] == "0"


def test_client_retries(fake: FakeDatadog) -> None:
    """The client's own retries wait for the reset that a 429 names."""
    fake.faults = [Fault(status=429)]
    with opened(fake, enable_retry=True, max_retries=3) as official:
        assert official.monitors.list_monitors() == []
    assert [request.status for request in fake.requests] == [429, 200]


def test_times_and_after(fake: FakeDatadog, raw: Raw) -> None:
    """A fault can let some pass, and meet several."""
    fake.faults = [Fault(times=2, after=1, status=503)]
    statuses = [raw("GET", "/api/v1/monitor")[0] for _ in range(4)]
    assert statuses == [200, 503, 503, 200]
    assert fake.faults == []


@pytest.mark.parametrize(("kind", "kept"), [("lose_reply", 1), ("drop_request", 0)])
def test_no_answer(fake: FakeDatadog, official: Official, kind: Any, kept: int) -> None:
    """A request without an answer was carried out, or not."""
    fake.faults = [Fault(method="POST", kind=kind)]
    with pytest.raises(urllib3.exceptions.HTTPError):
        official.monitors.create_monitor(body=typed_monitor())
    assert len(fake.objects("monitor")) == kept
    assert [request.status for request in fake.requests] == ([200] if kept else [0])


def test_slow(fake: FakeDatadog) -> None:
    """A slow answer comes too late for a client that does not wait, but is carried out."""
    fake.faults = [Fault(kind="slow", seconds=30)]
    with (
        opened(fake, request_timeout=0.2) as official,
        pytest.raises(urllib3.exceptions.HTTPError),
    ):
        official.monitors.create_monitor(body=typed_monitor())
    assert len(fake.objects("monitor")) == 1


def test_latency(fake: FakeDatadog, raw: Raw) -> None:
    """Requests in parallel wait side by side."""
    fake.latency = 0.2
    threads = [threading.Thread(target=raw, args=("GET", "/api/v1/monitor")) for _ in range(5)]
    began = time.monotonic()
    with Stopwatch() as stopwatch:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert time.monotonic() - began >= 0.2
    assert stopwatch.seconds() < 0.9
    assert len(fake.requests) == 5


def test_restart(tmp_path: Path) -> None:
    """With a file its objects outlive it, and numbers are not given twice."""
    file = tmp_path / "folder" / "state.json"
    with FakeDatadog(state=file) as fake:
        first = Raw(fake).created("monitor", MONITOR)
        Raw(fake).created("dashboard", DASHBOARD)
        held = {kind: fake.objects(kind) for kind in ("monitor", "dashboard")}
        Raw(fake).created("monitor", MONITOR | {"name": "second"})
        last = max(fake.objects("monitor"))
        Raw(fake)("DELETE", f"/api/v1/monitor/{last}")
    with FakeDatadog(state=file) as fake:
        assert {kind: fake.objects(kind) for kind in held} == held
        third = Raw(fake).created("monitor", MONITOR | {"name": "third"})
        assert third["id"] > int(last) > first["id"]
    assert [entry.name for entry in file.parent.iterdir()] == ["state.json"]


def test_ends() -> None:
    """Closed means closed, also for clients that keep their connection."""
    with ExitStack() as stack:
        with FakeDatadog() as fake:
            official = stack.enter_context(opened(fake))
            assert official.authentication.validate().valid
        with pytest.raises(urllib3.exceptions.HTTPError):
            official.authentication.validate()


def test_own_process(tmp_path: Path) -> None:
    """As a program it outlives the command, keeps its objects, and is started but once."""
    url = fake_datadog.started(tmp_path)
    try:
        assert fake_datadog.started(tmp_path) == fake_datadog.running(tmp_path) == url
        reply = urllib3.request("POST", f"{url}/api/v1/monitor", json=MONITOR, headers=HEADERS)
        assert reply.status == 200
        with pytest.raises(InputError, match="already"):
            fake_datadog.started(tmp_path, port=1)
        fake_datadog.stop(tmp_path)
        assert fake_datadog.running(tmp_path) is None
        url = fake_datadog.started(tmp_path)
        listed = urllib3.request("GET", f"{url}/api/v1/monitor", headers=HEADERS).json()
        assert [monitor["name"] for monitor in listed] == ["age"]
    finally:
        fake_datadog.stop(tmp_path)


def test_taken_port(fake: FakeDatadog, tmp_path: Path) -> None:
    """A port that another program has is named."""
    port = int(fake.url.rpartition(":")[2])
    with pytest.raises(InputError, match=f"Port {port} .* taken"):
        fake_datadog.started(tmp_path, port=port)


def test_permissions(fake: FakeDatadog) -> None:
    """The permissions are those that Datadog's documentation names for these endpoints."""
    assert fake.permissions == {
        "monitors_read", "monitors_write", "monitors_downtime", "slos_read", "slos_write",
        "dashboards_read", "dashboards_write", "dashboards_public_share", "slos_corrections",
    }  # fmt: skip
