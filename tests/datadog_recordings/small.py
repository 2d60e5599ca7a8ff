"""A small set of conversations, for where no recordings lie beside the checkout.

Made from what is known of Datadog's answers, not recorded: objects are sent, read and deleted, and
come back as they were sent with what Datadog adds.
"""

from __future__ import annotations

from typing import Any

from tests.datadog_recordings.reading import PATHS, Call, Conversation

_TIME = "2026-06-01T10:00:00.000000+00:00"
_EPOCH = 1780308000
_AUTHOR = {"name": "A Person", "handle": "person@example.com", "email": "person@example.com"}
_QUERY = "avg(last_5m):avg:a.b{*} by {host} > 2"
_NOTE = {"definition": {"type": "note", "content": "Hello"}}


def small() -> list[Conversation]:
    """One conversation for each kind, and some that Datadog refuses."""
    return [_monitor(), _slo(), _dashboard(), _downtime(), *_refused()]


def _monitor() -> Conversation:
    options = {"thresholds": {"critical": 2.0}}
    sent = {"name": "a", "type": "query alert", "query": _QUERY, "message": "m ", "tags": ["b:c"]}
    added = {"notify_no_data": False, "notify_audit": False, "new_host_delay": 300,
             "include_tags": True, "silenced": {}, "avalanche_window": 10}  # fmt: skip
    there: dict[str, Any] = {
        **sent, "message": "m", "id": 123456789, "org_id": 1, "multi": True, "created": _TIME,
        "created_at": _EPOCH * 1000, "modified": _TIME, "deleted": None, "priority": None,
        "restricted_roles": None, "draft_status": "published", "overall_state": "No Data",
        "overall_state_modified": None, "options": {**options, **added},
    }  # fmt: skip
    made = {**there, "assets": [], "restriction_policy": None, "creator": _AUTHOR}
    muted = {**there, "options": {**there["options"], "silenced": {}}, "creator": _AUTHOR}
    return _life("monitor", {**sent, "options": options}, made, muted, {"deleted_monitor_id": 0})


def _slo() -> Conversation:
    query = {"numerator": "sum:a{*}.as_count()", "denominator": "sum:b{*}.as_count()"}
    sent = {"name": "s", "type": "metric", "query": query, "tags": ["x:y", "a:b"],
            "thresholds": [{"timeframe": "30d", "target": 99.5}]}  # fmt: skip
    queries = [
        {"data_source": "metrics", "name": name, "query": text}
        for name, text in zip(("query1", "query2"), query.values(), strict=True)
    ]
    count = {"queries": queries, "good_events_formula": {"formula": "query1"},
             "total_events_formula": {"formula": "query2"}}  # fmt: skip
    there = {
        **sent, "id": "0" * 30 + "a1", "tags": ["a:b", "x:y"], "monitor_tags": [], "type_id": 1,
        "description": "", "timeframe": "30d", "target_threshold": 99.5, "creator": _AUTHOR,
        "created_at": _EPOCH, "modified_at": _EPOCH, "sli_specification": {"count": count},
        "thresholds": [{"timeframe": "30d", "target": 99.5, "target_display": "99.5"}],
    }  # fmt: skip
    made, read = {"data": [there], "error": None}, {"data": there, "error": None}
    return _life("slo", sent, made, read, {"data": [there["id"]], "error": None})


def _dashboard() -> Conversation:
    tabs = [{"name": "First", "widget_ids": ["@1"]}]
    sent = {"title": "t", "layout_type": "ordered", "widgets": [_NOTE], "notify_list": ["b", "a"],
            "tabs": tabs, "description": "d "}  # fmt: skip
    key = "abc-def-ghi"
    there = {
        **sent, "id": key, "author_handle": "person@example.com", "author_name": None,
        "created_at": _TIME, "modified_at": _TIME, "template_variables": None,
        "notify_list": ["a", "b"], "url": f"/dashboard/{key}/t", "widgets": [{**_NOTE, "id": 7}],
        "tabs": [{"id": "5b153b9e-f858-5650-9ad0-34d241bfd781", "name": "First",
                  "widget_ids": [7]}],
    }  # fmt: skip
    return _life("dashboard", sent, there, there, {"deleted_dashboard_id": key})


def _downtime() -> Conversation:
    rule = {"rrule": "FREQ=DAILY;INTERVAL=1", "duration": "2h", "start": "2026-06-02T01:02"}
    sent = {"scope": "*", "monitor_identifier": {"monitor_tags": ["b:c"]}, "message": "q",
            "schedule": {"timezone": "UTC", "recurrences": [rule]}}  # fmt: skip
    current = {"start": "2026-06-02T01:02:00+00:00", "end": "2026-06-02T03:02:00+00:00"}
    schedule = {"timezone": "UTC", "current_downtime": current,
                "recurrences": [{**rule, "start": "2026-06-02T01:02:00"}]}  # fmt: skip
    attributes = {
        **sent, "schedule": schedule, "created": _TIME, "modified": _TIME, "canceled": None,
        "display_timezone": "UTC", "status": "scheduled", "notify_end_types": ["expired"],
        "notify_end_states": ["warn", "alert", "no data"],
        "mute_first_recovery_notification": False,
    }  # fmt: skip
    there = {"data": {"type": "downtime", "attributes": attributes,
                      "id": "845e9a1e-0187-11ee-817a-da7ad0900002"}}  # fmt: skip
    body = {"data": {"type": "downtime", "attributes": sent}}
    return _life("downtime", body, there, there, None)


def _refused() -> list[Conversation]:
    empty = {"name": "v", "prefix": "p", "defaults": [""]}
    both = {"name": "v", "prefix": "p", "defaults": ["a"], "default": "a"}
    board = {"title": "t", "layout_type": "ordered", "widgets": [_NOTE]}
    bodies = {
        "Minimum length of parameter 'defaults' should be 1": ("dashboard", empty),
        "'template_variables' is invalid": ("dashboard", both),
    }
    return [
        Conversation(
            "refused",
            (_call(kind, "POST", "", {**board, "template_variables": [variable]}, 400,
                   {"errors": [words]}),),
        )
        for words, (kind, variable) in bodies.items()
    ]  # fmt: skip


def _life(kind: str, sent: Any, made: Any, read: Any, deleted: Any) -> Conversation:
    key = next(
        str(entry["id"])
        for entry in _levels(made)
        if "id" in entry and entry.get("name") != "First"
    )
    gone = {"monitor": "Monitor not found", "slo": f"SLO not found: {key} not found",
            "dashboard": f"Dashboard with ID {key} not found",
            "downtime": "Downtime not found"}[kind]  # fmt: skip
    calls = [
        _call(kind, "POST", "", sent, 200, made),
        _call(kind, "GET", f"/{key}", None, 200, read),
        _call(kind, "DELETE", f"/{key}", None, 204 if deleted is None else 200, deleted),
    ]
    if kind != "downtime":
        calls.append(_call(kind, "GET", f"/{key}", None, 404, {"errors": [gone]}))
    return Conversation(f"{kind}: made, read, deleted", tuple(calls))


def _levels(made: Any) -> list[Any]:
    data = made.get("data", made)
    return [data[0] if isinstance(data, list) else data]


def _call(kind: str, method: str, below: str, body: Any, status: int, reply: Any) -> Call:
    return Call(kind, method, PATHS[kind] + below, {}, body, status, reply)
