"""Monitors, as Datadog's API v1 takes and returns them."""

from __future__ import annotations

import re
from typing import Any

from webhook_buffer.laptop.fake_datadog import downtimes, queries, schema
from webhook_buffer.laptop.fake_datadog.store import (
    AUTHOR,
    AUTHOR_ID,
    ORG_ID,
    Body,
    Call,
    RefusedError,
    Route,
    Store,
    only,
)

_SETTABLE = (
    "name", "type", "query", "message", "tags", "options", "priority", "restricted_roles",
    "draft_status", "assets",
)  # fmt: skip
_DEFAULTS: Body = {
    "message": "",
    "tags": [],
    "options": {},
    "priority": None,
    "restricted_roles": None,
    "draft_status": "published",
    "assets": [],
}
# What two monitors must not have in common, all of it.
_IDENTITY = ("name", "type", "query", "message", "tags", "options", "priority")
_METRIC = {"metric alert", "query alert"}
_NOT_NEGATIVE = (
    "evaluation_delay", "new_group_delay", "new_host_delay", "no_data_timeframe",
    "renotify_interval", "renotify_occurrences", "timeout_h",
)  # fmt: skip
_PAGE_SIZE = 100
_NEWER = {"avalanche_window"}
# Types whose answers say whether they are grouped in the old way.
_GROUPED = {
    "log alert", "rum alert", "ci-tests alert", "ci-pipelines alert", "error-tracking alert",
    "event-v2 alert", "trace-analytics alert", "audit alert",
}  # fmt: skip


def _create(call: Call) -> Body:
    wanted = _checked(call)
    for key, other in call.store["monitor"].items():
        if all(other[name] == wanted[name] for name in _IDENTITY):
            raise RefusedError(400, f"Duplicate of an existing monitor_id:{key} org_id:{ORG_ID}")
    number, now = call.store.number(), call.store.timestamp()
    for asset in wanted["assets"]:
        asset["monitor_id"] = number
    stored = wanted | {
        "id": number,
        "org_id": ORG_ID,
        "created": now,
        "created_at": call.store.epoch() * 1000,
        "modified": now,
        "deleted": None,
        "restriction_policy": None,
        "overall_state": "No Data",
        "overall_state_modified": None,
        "creator": {**AUTHOR, "id": AUTHOR_ID},
    }
    call.store["monitor"][str(number)] = stored
    return stored


def _validate(call: Call) -> Body:
    _checked(call, _stored(call) if call.id else None)
    return {}


def _list(call: Call) -> list[Body]:
    running = downtimes.active(call.store)
    listed = [
        _shown(monitor, call, running)
        for monitor in call.store["monitor"].values()
        if _tags(call, "monitor_tags") <= set(monitor["tags"])
        and all(tag in monitor["query"] for tag in _tags(call, "tags"))
        and call.query.get("name", "").lower() in monitor["name"].lower()
    ]
    if "page" in call.query:
        size = call.number("page_size", _PAGE_SIZE)
        start = call.number("page", 0) * size
        return listed[start : start + size]
    if "id_offset" in call.query:
        later = [monitor for monitor in listed if monitor["id"] > call.number("id_offset", 0)]
        later.sort(key=lambda monitor: int(monitor["id"]))
        return later[: call.number("page_size", _PAGE_SIZE)]
    return listed


def _get(call: Call) -> Body:
    shown = _shown(_stored(call), call, downtimes.active(call.store))
    if call.query.get("with_restricted_roles") == "false":
        del shown["restricted_roles"]
    return shown


def _update(call: Call) -> Body:
    stored = _stored(call)
    stored.update(_checked(call, stored), modified=call.store.timestamp())
    return {name: value for name, value in stored.items() if name != "creator"}


def _delete(call: Call) -> Body:
    stored = _stored(call)
    if not call.forced:
        for reference in _references(call.store, stored):
            raise RefusedError(400, reference)
    del call.store["monitor"][call.id]
    return {"deleted_monitor_id": stored["id"]}


def _can_delete(call: Call) -> Body:
    ok, errors = [], {}
    for key in call.query.get("monitor_ids", "").split(","):
        stored = call.store["monitor"].get(key)
        if stored is None:
            raise RefusedError(404, "Monitor not found")
        if references := _references(call.store, stored):
            errors[key] = references
        else:
            ok.append(stored["id"])
    if errors:
        raise RefusedError(409, body={"data": {"ok": ok}, "errors": errors})
    return {"data": {"ok": ok}, "errors": None}


def _stored(call: Call) -> Body:
    try:
        return call.store["monitor"][call.id]
    except KeyError:
        raise RefusedError(404, "Monitor not found") from None


def _shown(stored: Body, call: Call, active: list[Body]) -> Body:
    """A monitor as it is read: muted while a downtime runs, with what was asked for."""
    hidden = {"restriction_policy"} | (set() if call.query.get("with_assets") else {"assets"})
    shown = {name: value for name, value in stored.items() if name not in hidden}
    if "assets" in shown:
        shown["assets"] = [
            {name: value for name, value in asset.items() if name != "monitor_id"}
            for asset in shown["assets"]
        ]
    running = downtimes.muting(active, stored)
    if running:
        silenced = {
            scope: downtime["end"] for downtime in reversed(running) for scope in downtime["scope"]
        }
        shown["options"] = {**stored["options"], "silenced": silenced}
    if call.query.get("with_downtimes"):
        shown["matching_downtimes"] = running
    return shown


def _tags(call: Call, name: str) -> set[str]:
    return set(filter(None, call.query.get(name, "").split(",")))


def _references(store: Store, monitor: Body) -> list[str]:
    """What would miss a monitor, in Datadog's words."""
    me = f"monitor [{monitor['id']},{monitor['name']}] is referenced in"
    return [
        f"{me} slos: [{slo['id']},{slo['name']}]"
        for slo in store["slo"].values()
        if monitor["id"] in slo.get("monitor_ids", ())
    ] + [
        f"{me} composite monitors: [{other['id']},{other['name']}]"
        for other in store["monitor"].values()
        if other["type"] == "composite"
        and str(monitor["id"]) in re.findall(r"\d+", other["query"])
    ]  # fmt: skip


def _checked(call: Call, before: Body | None = None) -> Body:
    """What a body makes of a monitor: a new one, or one that was there before."""
    given = only(_SETTABLE, call.fields)
    for name in ("type", "query"):
        if before is None and not given.get(name):
            raise RefusedError(400, f"The value provided for parameter '{name}' is invalid")
    wanted = _DEFAULTS | only(_SETTABLE, before or {}) | given
    wanted.setdefault("name", wanted["query"])
    if wanted["priority"] == 0:
        wanted["priority"] = None
    # Recorded in answers, and not in the client's models.
    known = {name: value for name, value in (wanted["options"] or {}).items() if name not in _NEWER}
    if wrong := schema.problem("monitor", wanted | {"options": known, "assets": []}):
        raise RefusedError(400, wrong)
    if (
        before
        and wanted["type"] != before["type"]
        and not {wanted["type"], before["type"]} <= _METRIC
    ):
        raise RefusedError(400, "Monitor type change not allowed")
    if wanted["priority"] not in (None, 1, 2, 3, 4, 5):
        raise RefusedError(400, "The value provided for parameter 'priority' is invalid")
    condition = queries.parsed(wanted["type"], wanted["query"])
    _check_references(call.store, wanted)
    if condition and condition.type:
        wanted["type"] = condition.type
    wanted["multi"] = bool(re.search(r"\bby\s*\{|\.by\(", wanted["query"]))
    # Recorded: white space around a message is not kept.
    wanted["message"] = (wanted["message"] or "").strip()
    wanted["assets"] = [_asset(asset, before) for asset in wanted["assets"] or ()]
    wanted["options"] = _options(wanted["options"], wanted["type"], condition)
    return wanted


def _asset(given: Any, monitor: Body | None) -> Body:
    """A runbook's link with what Datadog adds."""
    if not isinstance(given, dict) or not {"category", "name", "url"} <= given.keys():
        raise RefusedError(400, "The value provided for parameter 'assets' is invalid")
    added: Body = {"options": {}, "template_variables": {}, "resource_key": None}
    return {"resource_type": None, "monitor_id": (monitor or {}).get("id"), **added, **given}


def _check_references(store: Store, wanted: Body) -> None:
    """That what a query speaks of exists."""
    if wanted["type"] == "composite":
        missing = set(re.findall(r"\d+", wanted["query"])) - set(store["monitor"])
    elif wanted["type"] == "slo alert":
        missing = set(queries.slos(wanted["query"])) - set(store["slo"])
    else:
        return
    if missing:
        raise RefusedError(400, f"{queries.INVALID}: {', '.join(sorted(missing))} not found")


def _options(given: Body, kind: str, condition: queries.Condition | None) -> Body:
    """All options of a monitor."""
    for name in _NOT_NEGATIVE:
        if (given.get(name) or 0) < 0:
            raise RefusedError(400, f"The value provided for parameter '{name}' is invalid")
    if given.get("notify_no_data") and given.get("on_missing_data"):
        raise RefusedError(400, "notify_no_data and on_missing_data can't be used together")
    added: Body = {
        "notify_audit": False,
        "new_host_delay": 300,
        "include_tags": True,
        "silenced": {},
    }
    if given.get("on_missing_data") is None:
        added["notify_no_data"] = False
    if kind in _GROUPED:
        added["groupby_simple_monitor"] = False
    thresholds = {
        name: value if isinstance(value, str) else float(value)
        for name, value in (given.get("thresholds") or {}).items()
        if value is not None
    }
    if condition:
        thresholds = _thresholds(thresholds, condition)
    kept = {name: value for name, value in given.items() if name != "thresholds"}
    return added | kept | ({"thresholds": thresholds} if thresholds else {})


def _thresholds(given: dict[str, Any], condition: queries.Condition) -> dict[str, Any]:
    """All thresholds of a monitor, which fit its query."""
    if not given:
        return {}
    critical = given.get("critical")
    if critical is None:
        raise RefusedError(400, "Alert status is required.")
    if critical != condition.threshold:
        raise RefusedError(
            400,
            f"Alert threshold ({critical}) does not match that used in the query "
            f"({condition.threshold}).",
        )
    side = "less" if condition.above else "greater"
    for name, limit in (
        ("warning", "critical"),
        ("critical_recovery", "critical"),
        ("warning_recovery", "warning"),
    ):
        milder, harder = given.get(name), given.get(limit)
        if milder is None or harder is None:
            continue
        if milder == harder or (milder > harder) is condition.above:
            raise RefusedError(
                400,
                f"The {name.replace('_', ' ')} threshold ({milder}) must be {side} than the "
                f"{limit} threshold ({harder}).",
            )
    return given


_ONE = r"/api/v1/monitor/(?P<id>\d+)"
ROUTES = (
    Route("POST", "/api/v1/monitor", "monitors_write", _create),
    Route("GET", "/api/v1/monitor", "monitors_read", _list),
    Route("POST", "/api/v1/monitor/validate", "monitors_read", _validate),
    Route("GET", "/api/v1/monitor/can_delete", "monitors_read", _can_delete),
    Route("GET", _ONE, "monitors_read", _get),
    Route("PUT", _ONE, "monitors_write", _update),
    Route("DELETE", _ONE, "monitors_write", _delete),
    Route("POST", f"{_ONE}/validate", "monitors_read", _validate),
)
