"""SLOs, as Datadog's API v1 takes and returns them."""

from __future__ import annotations

import uuid
from typing import Any

from webhook_buffer.laptop.fake_datadog import measures, schema
from webhook_buffer.laptop.fake_datadog.dashboards import widgets
from webhook_buffer.laptop.fake_datadog.store import (
    AUTHOR,
    Body,
    Call,
    RefusedError,
    Route,
    Store,
    only,
)

_SETTABLE = (
    "name", "type", "description", "tags", "thresholds", "timeframe", "target_threshold",
    "warning_threshold", "query", "sli_specification", "monitor_ids", "groups",
)  # fmt: skip
_TYPE_IDS = {"monitor": 0, "metric": 1, "time_slice": 2}
# Monitors that can be behind an SLO.
_MONITORS = {"metric alert", "query alert", "service check", "synthetics alert"}
_LIMIT = 1000


def _create(call: Call) -> Body:
    now = call.store.epoch()
    stored = _checked(call) | {
        "id": uuid.uuid4().hex,
        "creator": AUTHOR,
        "created_at": now,
        "modified_at": now,
    }
    call.store["slo"][stored["id"]] = stored
    return {"data": [stored], "error": None}


def _list(call: Call) -> Body:
    every = call.store["slo"].values()
    ids, tag = call.query.get("ids"), call.query.get("tags_query")
    matching = [
        slo
        for slo in every
        if (ids is None or slo["id"] in ids.split(","))
        and (tag is None or tag in slo["tags"])
        and call.query.get("query", "").lower() in slo["name"].lower()
    ]
    start = call.number("offset", 0)
    return {
        "data": matching[start : start + call.number("limit", _LIMIT)],
        "error": None,
        "metadata": {"page": {"total_count": len(every), "total_filtered_count": len(matching)}},
    }


def _get(call: Call) -> Body:
    return {"data": _stored(call), "error": None}


def _update(call: Call) -> Body:
    before = _stored(call)
    fixed = only(("id", "creator", "created_at"), before)
    stored = _checked(call, before) | fixed | {"modified_at": call.store.epoch()}
    call.store["slo"][call.id] = stored
    return {"data": [stored], "error": None}


def _delete(call: Call) -> Body:
    stored = _stored(call)
    reference = _reference(call.store, stored["id"])
    if reference and not call.forced:
        raise RefusedError(409, body={"errors": reference, "data": None})
    del call.store["slo"][call.id]
    return {"data": [call.id], "error": None}


def _can_delete(call: Call) -> Body:
    ok, errors = [], {}
    for key in call.query.get("ids", "").split(","):
        if key not in call.store["slo"]:
            raise RefusedError(404, f"SLO not found: {key} not found")
        if reference := _reference(call.store, key):
            errors[key] = reference
        else:
            ok.append(key)
    if errors:
        body = {"data": {"ok": ok, "denied_ids": list(errors)}, "errors": errors}
        raise RefusedError(409, body=body)
    return {"data": {"ok": ok, "denied_ids": []}, "errors": None}


def _search(call: Call) -> Body:
    """SLOs whose name or tags hold all words, in the form that the search page takes."""
    words = call.query.get("query", "").lower().split()
    results = [
        {"data": {"type": "slo", "id": slo["id"], "attributes": _summary(slo)}}
        for slo in call.store["slo"].values()
        if all(word in " ".join([slo["name"], *slo["tags"]]).lower() for word in words)
    ]
    size = call.number("page[size]", 10)
    start = call.number("page[number]", 0) * size
    return {
        "data": {
            "type": "service_level_objective_search_results",
            "attributes": {"slos": results[start : start + size], "facets": {}},
        },
        "meta": {"pagination": {"total": len(results)}},
    }


def _summary(slo: Body) -> Body:
    same = ("name", "thresholds", "created_at", "modified_at", "description")
    return {**only(same, slo), "slo_type": slo["type"], "all_tags": sorted(slo["tags"])}


def _correct(call: Call) -> Body:
    data = call.fields.get("data")
    given = data.get("attributes") if isinstance(data, dict) else None
    if not isinstance(given, dict):
        raise _invalid("Required parameter 'attributes' is missing")
    if given.get("slo_id") and given["slo_id"] not in call.store["slo"]:
        raise RefusedError(404, f"SLO not found: {given.get('slo_id')} not found")
    key = str(uuid.uuid4())
    nothing = dict.fromkeys(("created_at", "modified_at", "rrule", "duration", "end", "modifier"))
    stored = {
        "type": "correction",
        "id": key,
        "attributes": {**nothing, "timezone": "UTC", **given},
    }
    call.store["slo correction"][key] = stored
    return {"data": stored}


def _list_corrections(call: Call) -> Body:
    corrections = list(call.store["slo correction"].values())
    start = call.number("offset", 0)
    page = corrections[start : start + call.number("limit", _LIMIT)]
    return {"data": page, "meta": {"page": {"total_count": len(corrections)}}}


def _stored(call: Call) -> Body:
    try:
        return call.store["slo"][call.id]
    except KeyError:
        raise RefusedError(404, f"SLO not found: {call.id} not found") from None


def _reference(store: Store, key: str) -> str | None:
    """The dashboard that shows an SLO, in Datadog's words."""
    for dashboard in store["dashboard"].values():
        if any(widget["definition"].get("slo_id") == key for widget in widgets(dashboard)):
            return f"slo {key} is referenced in dashboard_id: {dashboard['id']}"
    return None


def _invalid(what: str) -> RefusedError:
    return RefusedError(400, f"Invalid payload: {what}")


def _checked(call: Call, before: Body | None = None) -> Body:
    """What a body makes of an SLO; what it leaves out is not kept."""
    given = only(_SETTABLE, call.fields)
    for name in ("type", "name", "thresholds"):
        if not given.get(name):
            raise _invalid(f"Required parameter '{name}' is missing")
    if wrong := schema.problem("slo", given):
        raise _invalid(wrong)
    if given["type"] == "monitor" and not given.get("monitor_ids") and before and "query" in before:
        raise _invalid("must specify the query for count types")
    if before and given["type"] != before["type"]:
        raise _invalid("SLO type change not allowed")
    _check_source(call.store, given)
    thresholds = [_threshold(threshold) for threshold in given["thresholds"]]
    frames = {threshold["timeframe"]: threshold for threshold in thresholds}
    if len(frames) < len(thresholds):
        raise _invalid("each timeframe can have one threshold only")
    first = frames.get(given.get("timeframe", thresholds[0]["timeframe"]))
    if first is None:
        raise _invalid(f"no threshold for the timeframe {given['timeframe']}")
    primary = {"timeframe": first["timeframe"], "target_threshold": first["target"]}
    if "warning" in first:
        primary["warning_threshold"] = first["warning"]
    if any(given.get(name, value) != value for name, value in primary.items()):
        raise _invalid("target_threshold and warning_threshold must be the timeframe's own")
    said = {name: value for name, value in given.items() if value is not None}
    return {
        **said,
        **measures.both(said),
        **primary,
        "type_id": _TYPE_IDS[given["type"]],
        "description": given.get("description") or "",
        # Datadog may return them in another order.
        "tags": given.get("tags", [])[::-1],
        "monitor_tags": [],
        "thresholds": thresholds,
    }


def _check_source(store: Store, given: Body) -> None:
    """That it has what its type measures."""
    specification = given.get("sli_specification") or {}
    if given["type"] == "metric" and not (given.get("query") or "count" in specification):
        raise _invalid("Required parameter 'query' is missing")
    if given["type"] == "time_slice" and "time_slice" not in specification:
        raise _invalid("Required parameter 'sli_specification' is missing")
    if given["type"] == "monitor":
        if not given.get("monitor_ids"):
            raise _invalid("Required parameter 'monitor_ids' is missing")
        bad = [
            str(number)
            for number in given["monitor_ids"]
            if store["monitor"].get(str(number), {}).get("type") not in _MONITORS
        ]
        if bad:
            ids = ", ".join(bad)
            raise _invalid(f"invalid monitor ids: {ids}, monitors not found or not supported SLO")


def _threshold(given: Body) -> dict[str, Any]:
    """A threshold with what Datadog adds."""
    target, warning = float(given["target"]), given.get("warning")
    if not 0 < target < 100:
        raise _invalid("target must be between 0 and 100, exclusive")
    added = {"target": target, "target_display": _display(target)}
    if warning is not None:
        if not target < warning < 100:
            raise _invalid("warning must be greater than target, and less than 100")
        added |= {"warning": float(warning), "warning_display": _display(warning)}
    return {"timeframe": given["timeframe"], **added}


def _display(value: float) -> str:
    """As Datadog writes it: ``95.``, ``99.5``."""
    return str(float(value)).rstrip("0")


_ONE = "/api/v1/slo/(?P<id>[0-9a-z]+)"
ROUTES = (
    Route("POST", "/api/v1/slo", "slos_write", _create),
    Route("GET", "/api/v1/slo", "slos_read", _list),
    Route("GET", "/api/v1/slo/can_delete", "slos_read", _can_delete),
    Route("GET", "/api/v1/slo/search", "slos_read", _search),
    Route("GET", "/api/v1/slo/correction", "slos_read", _list_corrections),
    Route("POST", "/api/v1/slo/correction", "slos_corrections", _correct),
    Route("GET", _ONE, "slos_read", _get),
    Route("PUT", _ONE, "slos_write", _update),
    Route("DELETE", _ONE, "slos_write", _delete),
)
