"""Dashboards, as Datadog's API v1 takes and returns them."""

from __future__ import annotations

import random
import re
import string
import uuid
from collections.abc import Iterator
from typing import Any

from webhook_buffer.laptop.fake_datadog import schema
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
    "title", "layout_type", "widgets", "description", "notify_list", "template_variables",
    "template_variable_presets", "reflow_type", "tags", "restricted_roles", "is_read_only",
    "default_timeframe", "tabs",
)  # fmt: skip
_DEFAULTS: Body = {
    "description": None,
    "notify_list": None,
    "template_variables": None,
}
_SUMMARY = (
    "id", "title", "description", "author_handle", "layout_type", "url", "created_at",
    "modified_at",
)  # fmt: skip
# Source: Datadog's OpenAPI of "Get all dashboards": ``count`` is 100 unless it is given.
_COUNT = 100


def widgets(dashboard: Body) -> Iterator[Body]:
    """A dashboard's widgets, also those inside of others."""
    for widget in dashboard.get("widgets", ()):
        yield widget
        yield from widgets(widget["definition"])


def _create(call: Call) -> Body:
    key, now = _new_id(), call.store.timestamp()
    stored = _DEFAULTS | _checked(call) | {"id": key, "created_at": now} | _added(key, call)
    call.store["dashboard"][key] = stored
    return stored


def _list(call: Call) -> Body:
    start = call.number("start", 0)
    deleted = call.query.get("filter[deleted]") == "true"
    every = list(call.store["deleted dashboard" if deleted else "dashboard"].values())
    page = every[start : start + call.number("count", _COUNT)]
    return {"dashboards": [only(_SUMMARY, dashboard) for dashboard in page]}


def _get(call: Call) -> Body:
    return _stored(call)


def _update(call: Call) -> Body:
    fixed = only(("id", "created_at"), _stored(call))
    stored = _DEFAULTS | _checked(call) | fixed | _added(call.id, call)
    call.store["dashboard"][call.id] = stored
    return stored


def _delete(call: Call) -> Body:
    key = _stored(call)["id"]
    call.store["deleted dashboard"][key] = call.store["dashboard"].pop(key)
    return {"deleted_dashboard_id": call.id}


def _restore(call: Call) -> None:
    keys = [str(listed.get("id")) for listed in _objects(call.fields.get("data"))]
    missing = [key for key in keys if key not in call.store["deleted dashboard"]]
    if missing or not keys:
        raise RefusedError(404, f"Dashboard with ID {(missing or [''])[0]} not found")
    for key in keys:
        call.store["dashboard"][key] = call.store["deleted dashboard"].pop(key)


def _share(call: Call) -> Body:
    given = call.fields
    key, kind = given.get("dashboard_id"), given.get("dashboard_type")
    if key not in call.store["dashboard"]:
        raise RefusedError(404, f"{kind} {key} not found")
    token = uuid.uuid4().hex
    return {
        "author": {"name": AUTHOR["name"], "handle": AUTHOR["handle"]},
        "created": call.store.timestamp(),
        "embeddable_domains": [],
        "expiration": None,
        "global_time": None,
        "global_time_selectable_enabled": False,
        "invitees": [],
        "last_accessed": None,
        "public_url": f"https://p.example.com/sb/{token}",
        "selectable_template_vars": [],
        "session_duration_in_days": 30,
        "share_list": [],
        "share_type": "open",
        "status": "active",
        "title": call.store["dashboard"][key]["title"],
        "token": token,
        "viewing_preferences": {},
        **given,
    }


def _stored(call: Call) -> Body:
    try:
        return call.store["dashboard"][call.id]
    except KeyError:
        raise RefusedError(404, f"Dashboard with ID {call.id} not found") from None


def _new_id() -> str:
    letters = string.ascii_lowercase + string.digits
    return "-".join("".join(random.choices(letters, k=3)) for _ in range(3))


def _added(key: str, call: Call) -> Body:
    """What Datadog sets with every change."""
    slug = re.sub(r"[^a-z0-9 -]", "", call.body["title"].lower()).replace(" ", "-")
    return {
        "author_handle": AUTHOR["handle"],
        "author_name": AUTHOR["name"],
        "url": f"/dashboard/{key}/{slug[:80]}",
        "modified_at": call.store.timestamp(),
    }


def _checked(call: Call) -> Body:
    """What a body makes of a dashboard; what it leaves out is not kept."""
    given = call.fields
    given_widgets = given.get("widgets")
    if not isinstance(given_widgets, list):
        raise RefusedError(400, "'widgets' is a required property")
    _check_variables(given)
    # Tabs name widgets by position when written, by id when read; the models know the ids only.
    if wrong := schema.problem("dashboard", given | {"widgets": [], "tabs": []}):
        raise RefusedError(400, wrong)
    if not all(re.fullmatch(r"team:[^,\s]+", tag) for tag in given.get("tags") or []):
        raise RefusedError(400, "Invalid tags: each must be of the form team:<name>")
    fixed, auto = (given.get("reflow_type") == kind for kind in ("fixed", "auto"))
    if (fixed or auto) and given["layout_type"] != "ordered":
        raise RefusedError(400, "reflow_type is only allowed with the layout type ordered")
    for position, widget in enumerate(given_widgets):
        _check_widget(position, widget)
        placed = "layout" in widget
        if not placed and (fixed or given["layout_type"] == "free"):
            reason = "'layout' is a required property"
        elif placed and auto:
            reason = "'layout' is not allowed with the reflow type auto"
        else:
            continue
        raise RefusedError(400, f"Invalid widget at position {position}. Error: {reason}")
    identified = [_identified(widget, call.store) for widget in given_widgets]
    kept = {"notify_list": sorted(given["notify_list"])} if given.get("notify_list") else {}
    if given.get("tabs"):
        kept["tabs"] = [_tab(tab, identified) for tab in given["tabs"]]
    return {**only(_SETTABLE, given), **kept, "widgets": identified}


def _check_variables(given: Body) -> None:
    """That template variables and their saved views say something, as recorded."""
    for variable in _objects(given.get("template_variables")):
        if "default" in variable and "defaults" in variable:
            raise RefusedError(400, "'template_variables' is invalid")
        if "" in (variable.get("defaults") or ()):
            raise RefusedError(400, "Minimum length of parameter 'defaults' should be 1")
    for view in _objects(given.get("template_variable_presets")):
        for variable in _objects(view.get("template_variables")):
            if variable.get("values") == []:
                raise RefusedError(
                    400, "Minimum number of elements in parameter 'values' should be 1"
                )


def _objects(value: Any) -> list[Body]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _tab(tab: Any, identified: list[Body]) -> Body:
    """A tab as it is answered: with its widgets' ids."""
    ids = tab.get("widget_ids") if isinstance(tab, dict) else None
    if not isinstance(ids, list) or not tab.get("name"):
        raise RefusedError(400, "'tabs' is invalid")
    known = {f"@{place}": widget["id"] for place, widget in enumerate(identified, start=1)}
    known |= {str(widget["id"]): widget["id"] for widget in identified}
    if not all(str(id_) in known for id_ in ids):
        raise RefusedError(400, "'tabs' is invalid")
    named = {"id": str(uuid.uuid4()), **tab}
    return {**named, "widget_ids": [known[str(id_)] for id_ in ids]}


def _check_widget(position: int, widget: Any, inner: str = "") -> None:
    definition = widget.get("definition") if isinstance(widget, dict) else None
    if not isinstance(definition, dict):
        raise RefusedError(
            400,
            f"Invalid {inner}widget at position {position}. "
            "Error: 'definition' is a required property",
        )
    where = (
        f"Invalid {inner}widget definition at position {position} of type {definition.get('type')}."
    )
    inside = definition.get("widgets")
    # Errors distinguish inner widgets from those around them.
    emptied = definition | {"widgets": []} if isinstance(inside, list) else definition
    if wrong := schema.widget_problem(widget | {"definition": emptied}):
        raise RefusedError(400, f"{where} Error: {wrong}")
    try:
        for place, nested in enumerate(inside or ()):
            _check_widget(place, nested, "inner ")
    except RefusedError as refusal:
        raise RefusedError(400, f"{where} Error: {refusal.body['errors'][0]}") from None


def _identified(widget: Body, store: Store) -> Body:
    """A widget with an id, and so all inside of it."""
    definition = dict(widget["definition"])
    if "widgets" in definition:
        definition["widgets"] = [_identified(inner, store) for inner in definition["widgets"]]
    return {**widget, "definition": definition, "id": widget.get("id") or store.number()}


_ONE = "/api/v1/dashboard/(?P<id>[a-z0-9-]+)"
ROUTES = (
    Route("POST", "/api/v1/dashboard", "dashboards_write", _create),
    Route("GET", "/api/v1/dashboard", "dashboards_read", _list),
    Route("PATCH", "/api/v1/dashboard", "dashboards_write", _restore),
    Route("POST", "/api/v1/dashboard/public", "dashboards_public_share", _share),
    Route("GET", _ONE, "dashboards_read", _get),
    Route("PUT", _ONE, "dashboards_write", _update),
    Route("DELETE", _ONE, "dashboards_write", _delete),
)
