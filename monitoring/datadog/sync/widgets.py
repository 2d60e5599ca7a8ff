"""A dashboard's widgets: which of those that are there is which of ours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from monitoring.datadog.definition import Body


def with_widget_ids(body: Body, present: Body) -> Body:
    """A dashboard's body with the ids of the widgets that Datadog has already.

    A widget keeps its id while it is the same, or its type and title are; then while it is the
    only one of its type that is left.
    """
    return {**body, "widgets": _with_ids(body.get("widgets", []), present.get("widgets", []))}


def without_ids(body: Body) -> Body:
    """A dashboard, group or widget without the ids of the widgets inside of it."""
    inner = body.get("widgets")
    if not isinstance(inner, list):
        return body
    return {**body, "widgets": [_without_id(widget) for widget in inner]}


def positioned(body: Body) -> Body:
    """A dashboard whose tabs name their widgets by position, ``@1`` the first.

    Source: terraform-provider-datadog pull request 3522: so they are written; they are read with
    the widgets' ids.
    """
    tabs, widgets = body.get("tabs"), body.get("widgets")
    if not (isinstance(tabs, list) and isinstance(widgets, list)):
        return body
    places = {
        str(widget["id"]): f"@{place}"
        for place, widget in enumerate(widgets, start=1)
        if isinstance(widget, dict) and "id" in widget
    }
    return {**body, "tabs": [_tab(tab, places) for tab in tabs]}


def matches(widgets: Sequence[Body], present: Sequence[Body]) -> list[Body | None]:
    """For each widget the one that it was; each of those at most once."""
    free = list(present)
    matched: list[Body | None] = [None] * len(widgets)
    for same in (_without_id, called, _kind):
        for place, widget in enumerate(widgets):
            if matched[place] is None:
                match = next(
                    (candidate for candidate in free if same(candidate) == same(widget)), None
                )
                if match is not None:
                    matched[place] = match
                    free = [candidate for candidate in free if candidate is not match]
    return matched


def called(widget: Body) -> tuple[str, str]:
    """What a widget is known by: notes have no title, so it is their text."""
    definition = _definition(widget)
    name = definition.get("title") or definition.get("content") or definition.get("text") or ""
    return str(definition.get("type")), str(name)


def are_widgets(value: Any) -> bool:
    """Whether a value is a list of widgets."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(item, dict) and "definition" in item for item in value)
    )


def place(path: str, widget: Body) -> str:
    """``widgets[Group].widgets[Title]``; a note by its first words."""
    name = called(widget)[1].splitlines()
    inside = path.replace("].definition.widgets", "].widgets")
    return f"{inside}[{name[0][:40] if name else called(widget)[0]}]"


def _tab(tab: Any, places: dict[str, str]) -> Any:
    ids = tab.get("widget_ids") if isinstance(tab, dict) else None
    if not isinstance(ids, list):
        return tab
    return {**tab, "widget_ids": [places.get(str(id_), id_) for id_ in ids]}


def _with_ids(widgets: Sequence[Body], present: Sequence[Body]) -> list[Body]:
    kept = []
    for widget, match in zip(widgets, matches(widgets, present), strict=True):
        if match is None:
            kept.append(widget)
            continue
        widget = {**widget, "id": match["id"]} if "id" in match else dict(widget)
        inner = _definition(widget).get("widgets")
        if inner:
            theirs = _definition(match).get("widgets", [])
            widget["definition"] = {**widget["definition"], "widgets": _with_ids(inner, theirs)}
        kept.append(widget)
    return kept


def _without_id(widget: Any) -> Any:
    if not isinstance(widget, dict):
        return widget
    kept = {name: value for name, value in widget.items() if name != "id"}
    if isinstance(kept.get("definition"), dict):
        kept["definition"] = without_ids(kept["definition"])
    return kept


def _definition(widget: Any) -> Body:
    definition = widget.get("definition") if isinstance(widget, dict) else None
    return definition if isinstance(definition, dict) else {}


def _kind(widget: Body) -> str:
    return str(_definition(widget).get("type"))
