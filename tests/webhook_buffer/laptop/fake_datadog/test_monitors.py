"""The fake's monitors, against recorded answers of Datadog's."""

from __future__ import annotations

from typing import Any

import pytest
from datadog_api_client.exceptions import ApiException
from datadog_api_client.v1.model.monitor_update_request import MonitorUpdateRequest

from tests.fake_datadog import MONITOR, QUERY, SLO, Official, Raw, changed, refused, typed_monitor
from webhook_buffer.laptop.fake_datadog import FakeDatadog


def test_round_trip(official: Official) -> None:
    """The typed client creates, reads, changes and deletes."""
    api = official.monitors
    monitor = api.create_monitor(body=typed_monitor())
    assert api.get_monitor(monitor_id=monitor.id).name == "age"
    after = api.update_monitor(monitor_id=monitor.id, body=MonitorUpdateRequest(name="older"))
    assert after.name == "older"
    assert after.query == QUERY
    assert api.delete_monitor(monitor_id=monitor.id).deleted_monitor_id == monitor.id
    with pytest.raises(ApiException) as failure:
        api.get_monitor(monitor_id=monitor.id)
    assert (failure.value.status, failure.value.body) == (
        404, {"errors": ["Monitor not found"]},
    )  # fmt: skip


def test_defaults(raw: Raw) -> None:
    """A new monitor comes back with all that Datadog adds, thresholds as floats."""
    monitor = raw.created("monitor", MONITOR)
    assert monitor["options"] == {
        "thresholds": {"critical": 600.0, "warning": 300.0},
        "notify_no_data": False,
        "notify_audit": False,
        "new_host_delay": 300,
        "include_tags": True,
        "silenced": {},
    }
    assert monitor["tags"] == MONITOR["tags"]
    assert monitor["multi"] is True
    assert monitor["overall_state"] == "No Data"
    assert {name for name, value in monitor.items() if value is None} == {
        "priority", "restricted_roles", "restriction_policy", "deleted",
        "overall_state_modified",
    }  # fmt: skip
    assert monitor.keys() >= {"org_id", "created", "created_at", "modified", "creator"}


@pytest.mark.parametrize("options", [{}, {"thresholds": {}}, None])
def test_no_thresholds(raw: Raw, options: dict[str, Any] | None) -> None:
    """None are added where none were sent."""
    monitor = raw.created("monitor", changed(MONITOR, {"options": options}))
    assert "thresholds" not in monitor["options"]


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("avg(last_5m):avg:a.b{*} > 600", True),
        (QUERY, True),
        ("sum(last_5m):sum:a{x:y}.as_count() > 600", True),
        ("avg(last_5m):avg:a{*} / avg:b{*} > 600", True),
        ("change(avg(last_5m),last_1h):avg:a{*} > 600", True),
        ("avg(last_5m):anomalies(avg:a{*}, 'agile', 2) > 600", False),
        ("avg(current_1d):avg:system.load.5{*} > 600", False),
    ],
)
def test_type_flips(raw: Raw, query: str, kept: bool) -> None:
    """A metric alert over a calendar's window or with a function comes back as a query alert."""
    body = MONITOR | {"type": "metric alert", "query": query}
    assert (raw.created("monitor", body)["type"] == "metric alert") is kept


def test_update_replaces_options(raw: Raw) -> None:
    """Options that an update leaves out are gone, fields are not."""
    options = MONITOR["options"] | {"renotify_interval": 60, "include_tags": False}
    monitor = raw.created("monitor", MONITOR | {"options": options})
    sent = {"options": MONITOR["options"]}
    _, after, _ = raw("PUT", f"/api/v1/monitor/{monitor['id']}", sent)
    assert "renotify_interval" not in after["options"]
    assert after["options"]["include_tags"] is True
    assert after["tags"] == MONITOR["tags"]
    assert after["created"] == monitor["created"]
    assert after["modified"] > monitor["modified"]


def test_whole_answer_can_be_sent_back(raw: Raw) -> None:
    """What was read can be sent as an update and changes nothing."""
    monitor = raw.created("monitor", MONITOR)
    path = f"/api/v1/monitor/{monitor['id']}"
    before = raw("GET", path)[1]
    assert raw("PUT", path, before)[0] == 200
    assert raw("GET", path)[1] | {"modified": ""} == before | {"modified": ""}


def test_type_can_not_change(raw: Raw) -> None:
    """Only metric and query alert can become one another."""
    path = f"/api/v1/monitor/{raw.created('monitor', MONITOR)['id']}"
    assert raw("PUT", path, {"type": "metric alert"})[0] == 200
    log = {
        "type": "log alert",
        "query": 'logs("a").index("*").rollup("count").last("5m") > 600',
    }
    refused(raw("PUT", path, log), 400, "type change not allowed")


def test_duplicate(raw: Raw) -> None:
    """An identical second monitor is refused and names the first; another tag makes it new."""
    first = raw.created("monitor", MONITOR)
    status, body, _ = raw("POST", "/api/v1/monitor", MONITOR)
    words = f"Duplicate of an existing monitor_id:{first['id']} org_id:{first['org_id']}"
    assert (status, body) == (400, {"errors": [words]})
    raw.created("monitor", MONITOR | {"tags": ["env:dev"]})


def test_list(official: Official, raw: Raw) -> None:
    """Monitors are found by all of the tags given, and by name."""
    raw.created("monitor", MONITOR)
    raw.created("monitor", MONITOR | {"name": "other", "tags": ["service:buffer"]})
    api = official.monitors
    names = [monitor.name for monitor in api.list_monitors(monitor_tags="service:buffer,env:prod")]
    assert names == ["age"]
    assert [monitor.name for monitor in api.list_monitors(name="oth")] == ["other"]
    assert len(api.list_monitors(monitor_tags="service:buffer")) == 2
    assert len(api.list_monitors(monitor_tags="service:buf")) == 0


def test_pages(official: Official, raw: Raw) -> None:
    """Pages begin with 0; without a page all come, by 100 at most with one."""
    for number in range(101):
        raw.created("monitor", MONITOR | {"name": str(number)})
    api = official.monitors
    assert len(api.list_monitors()) == 101
    assert len(api.list_monitors(page_size=5)) == 101
    assert len(api.list_monitors(page=0)) == 100
    assert [monitor.name for monitor in api.list_monitors(page=1)] == ["100"]
    paged = list(api.list_monitors_with_pagination(page_size=40))
    assert len({monitor.id for monitor in paged}) == 101


def test_referenced_by_slo(official: Official, raw: Raw) -> None:
    """A monitor behind an SLO goes only by force."""
    monitor = raw.created("monitor", MONITOR)
    slo = raw.created("slo", monitor_slo(monitor["id"]))
    api = official.monitors
    with pytest.raises(ApiException) as failure:
        api.delete_monitor(monitor_id=monitor["id"])
    words = f"monitor [{monitor['id']},age] is referenced in slos: [{slo['id']},{slo['name']}]"
    assert (failure.value.status, failure.value.body) == (400, {"errors": [words]})
    with pytest.raises(ApiException):
        api.check_can_delete_monitor(monitor_ids=[monitor["id"]])
    api.delete_monitor(monitor_id=monitor["id"], force="true")


def test_validate_keeps_nothing(fake: FakeDatadog, official: Official, raw: Raw) -> None:
    """A monitor can be validated without being created, also against one that is there."""
    official.monitors.validate_monitor(body=typed_monitor())
    assert fake.objects("monitor") == {}
    monitor = raw.created("monitor", MONITOR)
    path = f"/api/v1/monitor/{monitor['id']}/validate"
    assert raw("POST", path, MONITOR)[:2] == (200, {})
    refused(raw("POST", path, MONITOR | {"query": QUERY[:-4]}), 400, "query")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"query": None}, "'query'"),
        ({"query": ""}, "'query' is invalid"),
        ({"type": "nope"}, "'nope' is not one of"),
        ({"query": "THIS IS A BAD QUERY"}, "The value provided for parameter 'query' is invalid"),
        ({"query": "avg(last_5m):avg:a{* > 600"}, "'query' is invalid"),
        ({"query": "avg:a{*} > 600"}, "'query' is invalid"),
        ({"query": "avg(last_5m):avg:a > 600"}, "'query' is invalid"),
        ({"query": "avg(last_5m):avg:a{*}"}, "'query' is invalid"),
        (
            {"options": {"thresholds": {"critical": 90}}},
            "Alert threshold (90.0) does not match that used in the query (600.0).",
        ),
        ({"options": {"thresholds": {"warning": 300}}}, "Alert status is required."),
        ({"options": {"thresholds": {"critical": 600, "warning": 700}}}, "must be less than"),
        (
            {"options": {"thresholds": {"critical": 600, "critical_recovery": 601}}},
            "must be less than",
        ),
        ({"options": {"evaluation_delay": -1}}, "'evaluation_delay' is invalid"),
        ({"options": {"renotify_interval": "60"}}, "renotify_interval"),
        ({"options": {"bogus": 1}}, "'bogus' was unexpected"),
        ({"options": {"on_missing_data": "sometimes"}}, "'sometimes' is not one of"),
        ({"priority": 6}, "'priority' is invalid"),
        (
            {"type": "log alert", "query": "query"},
            "The value provided for parameter 'query' is invalid: invalid operator specified: ",
        ),
        ({"type": "event alert", "query": 'events("a") > 1'}, "please use 'event-v2 alert'"),
        ({"type": "composite", "query": "12345 && 23456"}, "not found"),
        ({"type": "composite", "query": "a > 1"}, "'query' is invalid"),
        (
            {"type": "slo alert", "query": 'error_budget("abc").over("30d") > 75', "options": {}},
            "abc not found",
        ),
    ],
)  # fmt: skip
def test_refuses(raw: Raw, change: dict[str, Any], words: str) -> None:
    """What can't be right is 400, creating and validating."""
    body = changed(MONITOR, change)
    refused(raw("POST", "/api/v1/monitor", body), 400, words)
    refused(raw("POST", "/api/v1/monitor/validate", body), 400, words)


@pytest.mark.parametrize(
    ("kind", "query"),
    [
        ("log alert", 'logs("a:(b OR c)").index("*").rollup("count").by("env").last("5m") > 2'),
        ("log alert", 'formula("a / b").last("5m") > 0.1'),
        ("query alert", "avg(last_1h):(sum:a{x:y} by {f}.as_count() / sum:b{*}) * 100 >= 2.5"),
        ("query alert", "avg(last_4h):anomalies(avg:a{*}, 'agile', 2, direction='both') >= 1"),
        ("query alert", "pct_change(avg(last_5m),last_1h):avg:a{*} < -50"),
        ("query alert", "max(next_1w):forecast(avg:a{*}, 'linear', 1, interval='60m') >= 3"),
        ("service check", '"datadog.agent.up".over("env:a").by("host").last(2).count_by_status()'),
        ("event-v2 alert", 'events("source:a").rollup("count").last("5m") > 0'),
        ("trace-analytics alert", 'trace-analytics("service:a").rollup("count").last("5m") > 0'),
    ],
)  # fmt: skip
def test_accepts(raw: Raw, kind: str, query: str) -> None:
    """Queries as Datadog's own examples have them parse."""
    raw.created("monitor", {"name": "a", "type": kind, "query": query})


def test_below(raw: Raw) -> None:
    """Where low values are bad, the warning comes before: above the critical threshold."""
    body = MONITOR | {"query": "avg(last_5m):avg:a{*} < 10"}
    right = {"thresholds": {"critical": 10, "warning": 20}}
    wrong = {"thresholds": {"critical": 10, "warning": 5}}
    raw.created("monitor", body | {"options": right})
    refused(raw("POST", "/api/v1/monitor", body | {"options": wrong}), 400, "greater than")


def test_slo_alert(raw: Raw) -> None:
    """An alert on an SLO that exists is taken, and a composite of monitors that do."""
    slo = raw.created("slo", SLO)
    query = f'burn_rate("{slo["id"]}").over("30d").long_window("1h").short_window("5m") > 14.4'
    slo_alert = raw.created("monitor", {"name": "a", "type": "slo alert", "query": query})
    metric_alert = raw.created("monitor", MONITOR)
    query = f"{slo_alert['id']} && !{metric_alert['id']}"
    raw.created("monitor", {"name": "b", "type": "composite", "query": query})
    answer = raw("DELETE", f"/api/v1/monitor/{metric_alert['id']}")
    refused(answer, 400, "is referenced in composite monitors: [")


def test_edited_by_hand(fake: FakeDatadog, raw: Raw) -> None:
    """A test can change an object as a person would in the browser."""
    monitor = raw.created("monitor", MONITOR)
    fake.edit("monitor", str(monitor["id"]), lambda body: body.update(message="mine"))
    assert raw("GET", f"/api/v1/monitor/{monitor['id']}")[1]["message"] == "mine"


def monitor_slo(monitor_id: int) -> dict[str, Any]:
    """An SLO of the time that a monitor does not alert."""
    return changed(SLO, {"query": None, "type": "monitor", "monitor_ids": [monitor_id]})
