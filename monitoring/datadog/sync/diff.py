"""Bodies in one form, so that what we want and what Datadog has can be compared.

What Datadog adds by itself is left out: ids, who and when, and defaults nobody asked for.
Source: answers of Datadog's API to objects sent without those fields (facts of this project's
issue on Datadog), and its API reference for defaults.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from monitoring.datadog.definition import TEXT, Kind, with_digest

Body = dict[str, Any]

# What is compared; everything else is Datadog's own.
_FIELDS: Mapping[Kind, frozenset[str]] = {
    Kind.MONITOR: frozenset(
        {"name", "type", "query", "message", "tags", "priority", "options", "restricted_roles",
         "draft_status"}
    ),
    Kind.SLO: frozenset(
        {"name", "type", "description", "tags", "thresholds", "monitor_ids", "query", "groups",
         "timeframe", "target_threshold", "warning_threshold", "sli_specification"}
    ),
    Kind.DASHBOARD: frozenset(
        {"title", "description", "layout_type", "reflow_type", "template_variables",
         "template_variable_presets", "notify_list", "tags", "widgets", "restricted_roles",
         "is_read_only", "default_timeframe", "tabs"}
    ),
    Kind.DOWNTIME: frozenset(
        {"message", "monitor_identifier", "scope", "display_timezone", "schedule",
         "mute_first_recovery_notification", "notify_end_states", "notify_end_types"}
    ),
}  # fmt: skip
_DEFAULTS: Mapping[Kind, Body] = {
    Kind.MONITOR: {"restricted_roles": [], "draft_status": "published"},
    Kind.SLO: {"groups": [], "monitor_ids": []},
    Kind.DASHBOARD: {
        "notify_list": [],
        "template_variables": [],
        "template_variable_presets": [],
        "tags": [],
        "restricted_roles": [],
        "is_read_only": False,
        "tabs": [],
    },
    Kind.DOWNTIME: {
        "mute_first_recovery_notification": False,
        "notify_end_states": ["alert", "no data", "warn"],
        "notify_end_types": ["expired"],
    },
}
# Lists whose order means nothing, and need not be the one that was sent.
_UNORDERED = {"tags", "monitor_ids", "notify_end_states", "notify_end_types"}
_OPTION_DEFAULTS: Body = {
    "silenced": {}, "new_host_delay": 300, "new_group_delay": 60, "groupby_simple_monitor": False,
    "notify_no_data": False, "notify_audit": False, "include_tags": True, "locked": False,
    "renotify_interval": 0, "timeout_h": 0, "escalation_message": "", "require_full_window": True,
    "evaluation_delay": 0, "on_missing_data": "default", "enable_logs_sample": False,
    "no_data_timeframe": 0, "renotify_statuses": [], "device_ids": [],
}  # fmt: skip
# Datadog answers either for the same monitor.
_SAME_TYPE = {"metric alert": "query alert"}


def comparable(kind: Kind, body: Body) -> Body:
    """A body in the form that is compared, whoever wrote it."""
    found = {name: body[name] for name in _FIELDS[kind] & body.keys() if body[name] is not None}
    for name in _UNORDERED & found.keys():
        found[name] = sorted(found[name], key=str)
    for name, default in _DEFAULTS[kind].items():
        if found.get(name) == default:
            del found[name]
    text = TEXT[kind]
    if isinstance(found.get(text), str):
        found[text] = with_digest(found[text], None).strip()
    match kind:
        case Kind.MONITOR:
            found["type"] = _SAME_TYPE.get(found.get("type", ""), found.get("type"))
            found["options"] = _options(found.get("options") or {})
        case Kind.SLO:
            found["thresholds"] = [
                {name: value for name, value in one.items() if not name.endswith("_display")}
                for one in found.get("thresholds", [])
            ]
        case Kind.DASHBOARD:
            found["widgets"] = [_widget(one) for one in found.get("widgets", [])]
        case Kind.DOWNTIME:
            schedule = found.get("schedule") or {}
            found["schedule"] = {
                name: value for name, value in schedule.items() if name != "current_downtime"
            }
    return {name: _plain(value) for name, value in found.items() if value is not None}


def sendable(kind: Kind, body: Body, present: Body) -> Body:
    """An update's body: stamped, with the widget ids that are there, and with the default of every
    field that somebody set and we do not: left out it would stay.
    """
    sent = stamped(kind, body)
    for name in comparable(kind, present).keys() - body.keys():
        sent[name] = _DEFAULTS[kind].get(name)
    return with_widget_ids(sent, present) if kind is Kind.DASHBOARD else sent


def digest(kind: Kind, body: Body) -> str:
    """What tells two bodies apart: the same for bodies that are equal in ``comparable``."""
    text = json.dumps(comparable(kind, body), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def stamped(kind: Kind, body: Body) -> Body:
    """A body as it is sent: with the digest in its marker."""
    text = TEXT[kind]
    return {**body, text: with_digest(body[text], digest(kind, body))}


@dataclass(frozen=True, slots=True)
class Change:
    """A field that differs.

    Attributes:
        path: ``options.thresholds.critical``; a widget by its title.
        before, after: None where it is not there.
    """

    path: str
    before: Any
    after: Any


def changes(kind: Kind, before: Body, after: Body) -> list[Change]:
    """The fields in which two bodies differ."""
    return list(_differ("", comparable(kind, before), comparable(kind, after)))


def with_widget_ids(body: Body, present: Body) -> Body:
    """A dashboard's body with the ids of the widgets that Datadog has already.

    A widget keeps its id while it is the same, or its type and title are; then while it is the
    only one of its type that is left.
    """
    return {**body, "widgets": _with_ids(body.get("widgets", []), present.get("widgets", []))}


def _with_ids(widgets: Sequence[Body], present: Sequence[Body]) -> list[Body]:
    found = []
    for widget, match in zip(widgets, _matches(widgets, present), strict=True):
        if match is None:
            found.append(widget)
            continue
        widget = {**widget, "id": match["id"]} if "id" in match else dict(widget)
        inner = widget.get("definition", {}).get("widgets")
        if inner:
            theirs = match.get("definition", {}).get("widgets", [])
            widget["definition"] = {**widget["definition"], "widgets": _with_ids(inner, theirs)}
        found.append(widget)
    return found


def _matches(widgets: Sequence[Body], present: Sequence[Body]) -> list[Body | None]:
    """For each widget the one that it was; each of those at most once."""
    free = list(present)
    found: list[Body | None] = [None] * len(widgets)
    for same in (_whole, _called, _kind):
        for place, widget in enumerate(widgets):
            if found[place] is None:
                match = next((one for one in free if same(one) == same(widget)), None)
                if match is not None:
                    found[place] = match
                    free = [one for one in free if one is not match]
    return found


def _whole(widget: Body) -> Any:
    return _plain(_widget(widget))


def _kind(widget: Body) -> str:
    return str(widget.get("definition", {}).get("type"))


def _called(widget: Body) -> tuple[str, str]:
    """What a widget is known by: notes have no title, so it is their text."""
    definition = widget.get("definition", {})
    name = definition.get("title") or definition.get("content") or definition.get("text") or ""
    return str(definition.get("type")), str(name)


def _options(options: Body) -> Body:
    return {
        name: value
        for name, value in options.items()
        if value is not None and _OPTION_DEFAULTS.get(name, _NOTHING) != value
    }


_NOTHING = object()


def _widget(widget: Body) -> Body:
    kept = {name: value for name, value in widget.items() if name != "id"}
    definition = kept.get("definition", {})
    if "widgets" in definition:
        inner = [_widget(one) for one in definition["widgets"]]
        kept["definition"] = {**definition, "widgets": inner}
    return kept


def _plain(value: Any) -> Any:
    """Without what is null, and with whole numbers as such."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in sorted(value.items()) if one is not None}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _differ(path: str, before: Any, after: Any) -> Iterator[Change]:
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for name in sorted(before.keys() | after.keys()):
            inner = f"{path}.{name}" if path else name
            yield from _differ(inner, before.get(name), after.get(name))
    elif _widgets(before) and _widgets(after):
        yield from _differ_widgets(path, before, after)
    elif _objects(before) and _objects(after):
        for place, (one, other) in enumerate(zip_longest(before, after)):
            yield from _differ(f"{path}.{place}", one, other)
    else:
        yield Change(path, before, after)


def _objects(value: Any) -> bool:
    """Whether it is a list of what has fields of its own; tags are told as a whole."""
    return isinstance(value, list) and all(isinstance(one, dict | list) for one in value)


def _widgets(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(one, dict) and "definition" in one for one in value)
    )


def _differ_widgets(path: str, before: list[Body], after: list[Body]) -> Iterator[Change]:
    matches = _matches(after, before)
    for widget, match in zip(after, matches, strict=True):
        if match is None:
            yield Change(_place(path, widget), None, widget)
        else:
            yield from _differ(_place(path, match), match, widget)
    for widget in before:
        if not any(widget is match for match in matches):
            yield Change(_place(path, widget), widget, None)
    order = [place for match in matches for place, one in enumerate(before) if one is match]
    if order != sorted(order):
        titles = [[_called(one)[1] for one in some] for some in (before, after)]
        yield Change(f"{path} (order)", *titles)


def _place(path: str, widget: Body) -> str:
    """``widgets[Group].widgets[Title]``; a note by its first words."""
    name = _called(widget)[1].splitlines()
    inside = path.replace("].definition.widgets", "].widgets")
    return f"{inside}[{name[0][:40] if name else _called(widget)[0]}]"
