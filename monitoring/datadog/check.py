"""Checks of definitions before anything is sent.

Imported objects already work in Datadog, so only their references to other objects are checked.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from monitoring.datadog import metrics
from monitoring.datadog.definition import TEXT, Definition, Kind, resolved
from monitoring.datadog.query import QueryError, formula, metric, monitor, search
from settings.datadog import HANDLE

_COLUMNS = 12
# Source: Datadog documentation, "Notifications": variables that hold for every monitor.
_VARIABLES = {
    "value", "threshold", "warn_threshold", "ok_threshold", "comparator", "first_triggered_at",
    "last_triggered_at", "first_triggered_at_epoch", "last_triggered_at_epoch",
    "triggered_duration_sec",
}  # fmt: skip
_OF_SLO = {"timeframe", "short_window_burn_rate", "long_window_burn_rate", "error_budget_consumed"}
_BLOCKS = {
    "is_alert", "is_warning", "is_no_data", "is_recovery", "is_alert_recovery",
    "is_warning_recovery", "is_alert_to_warning", "is_match", "is_exact_match", "is_renotify",
    "is_unknown", "is_priority",
}  # fmt: skip
# What a widget's query is called, by the kind of its data.
_SEARCHED = ("query", "query_string", "search")


def problems(definitions: Sequence[Definition], *, whole: bool = True) -> list[str]:
    """Everything that is wrong, each with its object and field; empty when nothing is.

    Args:
        whole: whether nothing was left out that they could refer to, or be referred to by.
    """
    known = {(definition.kind, definition.key) for definition in definitions}
    twice = [
        name
        for name, count in Counter(definition.name for definition in definitions).items()
        if count > 1
    ]
    wrong = [f"{name}: is defined twice; give each a key of its own" for name in twice]
    for definition in definitions:
        wrong += [f"{definition.name}: {problem}" for problem in _of(definition, whole)]
        for kind, key in definition.references:
            if whole and (kind, key) not in known:
                wrong.append(f"{definition.name}: refers to {kind} {key}, which is not defined")
    return wrong


def _of(definition: Definition, whole: bool) -> Iterator[str]:
    if not str(definition.body.get(TEXT[definition.kind]) or "").strip():
        yield f"{TEXT[definition.kind]}: is empty; it has to hold the object's marker"
    if definition.imported:
        return
    match definition.kind:
        case Kind.MONITOR:
            yield from _monitor(definition)
        case Kind.SLO:
            yield from _slo(definition)
        case Kind.DASHBOARD:
            yield from _dashboard(definition, whole)
        case Kind.DOWNTIME:
            yield from _downtime(definition.body)


def _monitor(definition: Definition) -> Iterator[str]:
    body, kind = definition.body, str(definition.body.get("type"))
    thresholds = body.get("options", {}).get("thresholds", {})
    critical = thresholds.get("critical")
    try:
        searches = {
            str(variable.get("name")): str(variable.get("search", {}).get("query"))
            for variable in body.get("options", {}).get("variables", ())
        }
        read = monitor(str(body.get("query", "")), kind, searches)
    except QueryError as error:
        # What it groups by and compares with would be wrong for the same reason.
        yield f"query: {error}"
        return
    if critical is None or float(critical) != read.number:
        yield (
            f"options.thresholds.critical: is {critical}, but the query compares with "
            f"{read.number:g}; make them equal"
        )
    yield from _known("query", read.metrics)
    yield from _sides(thresholds, above=read.sign in (">", ">="))
    for field in ("message", "name"):
        yield from dict.fromkeys(_message(field, str(body.get(field, "")), read.by, kind))


def _sides(thresholds: dict[str, float], *, above: bool) -> Iterator[str]:
    """Warnings come before what is wrong; recoveries lie on the healthy side of their threshold."""
    pairs = (("warning", "critical"), ("critical_recovery", "critical"),
             ("warning_recovery", "warning"))  # fmt: skip
    for name, of in pairs:
        value, limit = thresholds.get(name), thresholds.get(of)
        if value is None or limit is None:
            continue
        if not (value < limit if above else value > limit):
            side = "below" if above else "above"
            yield f"options.thresholds.{name}: {value:g} must be {side} {of} ({limit:g})"


def _message(field: str, text: str, by: Iterable[str], kind: str) -> Iterator[str]:
    opened: list[str] = []
    known = _VARIABLES | (_OF_SLO if kind == "slo alert" else set())
    groups = {f"{tag}.name" for tag in by} | {f"[{tag}].name" for tag in by}
    for tag in re.findall(r"\{\{(.*?)\}\}", text):
        sign, name = tag[:1], tag[1:].split(" ")[0]
        if sign in "#^":
            if name not in _BLOCKS:
                yield f"{field}: {{{{{tag}}}}} is not a Datadog block"
            opened.append(name)
        elif sign == "/":
            if not opened or opened.pop() != name:
                yield f"{field}: {{{{{tag}}}}} closes a block that is not open"
        elif tag not in known and tag not in groups:
            yield (
                f"{field}: {{{{{tag}}}}} is not a variable of this monitor; it is grouped by "
                f"{', '.join(by) or 'nothing'}"
            )
    for name in opened:
        yield f"{field}: {{{{#{name}}}}} is never closed"
    for handle in re.findall(r"(?<![\w.{[])@[^\s,;)}\]]*", re.sub(r"\{\{.*?\}\}", "", text)):
        if not HANDLE.matches(handle.rstrip(".:")):
            yield f"{field}: '{handle}' is not a notification handle; write it as @slack-orders"


def _slo(definition: Definition) -> Iterator[str]:
    body = definition.body
    for place, threshold in enumerate(body.get("thresholds", ())):
        target, warning = threshold.get("target", 0), threshold.get("warning")
        if not 0 < target < 100:
            yield f"thresholds.{place}.target: {target} must be between 0 and 100, exclusive"
        if warning is not None and warning <= target:
            yield f"thresholds.{place}.warning: {warning} must be above the target ({target})"
    for field, text in body.get("query", {}).items():
        try:
            yield from _known(f"query.{field}", metric(text).metrics)
        except QueryError as error:
            yield f"query.{field}: {error}"


def _known(field: str, names: Iterable[str]) -> Iterator[str]:
    for name in names:
        if metrics.known(name) is None:
            yield f"{field}: {name} is not in monitoring/datadog/metrics.py; add it there"


def _downtime(body: dict[str, Any]) -> Iterator[str]:
    for place, recurrence in enumerate(body.get("schedule", {}).get("recurrences", ())):
        if not re.fullmatch(r"\d+[smhdw]", str(recurrence.get("duration"))):
            yield f"schedule.recurrences.{place}.duration: write a number and m, h or d"


def _dashboard(board: Definition, whole: bool) -> Iterator[str]:
    body = resolved(board.body, {}, missing="id")
    variables = {variable["name"] for variable in body.get("template_variables") or ()}
    used: set[str] = set()
    widgets = body.get("widgets", [])
    yield from _grid("widgets", widgets)
    for path, widget in _walk("widgets", widgets):
        definition = widget.get("definition", {})
        if definition.get("type") == "group":
            yield from _grid(f"{path}.widgets", definition.get("widgets", []))
            continue
        for field, text, kind in _queries(f"{path}.{definition.get('title', '')}", definition):
            try:
                if kind == "metrics":
                    read = metric(text)
                    used |= read.variables
                    yield from _known(field, read.metrics)
                else:
                    used |= search(text)
            except QueryError as error:
                yield f"{field}: {error}"
        yield from _formulas(path, definition)
        used |= set(re.findall(r"\$([a-z_]+)", str(definition)))
    for name in sorted(variables - used) if whole else ():
        yield f"template_variables: ${name} is not used by any widget; use it or remove it"
    for name in sorted(used - variables):
        yield f"widgets: ${name} is not a template variable of this dashboard; define it"


def _walk(path: str, widgets: Sequence[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for place, widget in enumerate(widgets):
        here = f"{path}.{place}"
        yield here, widget
        inner = widget.get("definition", {}).get("widgets")
        if inner:
            yield from _walk(f"{here}.widgets", inner)


def _queries(path: str, definition: Any) -> Iterator[tuple[str, str, str]]:
    """(field, text, ``metrics`` or another data source) of every query of a widget."""
    if isinstance(definition, list):
        for place, entry in enumerate(definition):
            yield from _queries(f"{path}.{place}", entry)
    elif isinstance(definition, dict):
        source = definition.get("data_source")
        if source == "metrics" and isinstance(definition.get("query"), str):
            yield f"{path}.query", definition["query"], "metrics"
        elif isinstance(definition.get("q"), str):
            kind = "search" if ".events." in path else "metrics"
            yield f"{path}.q", definition["q"], kind
        else:
            for name in _SEARCHED:
                if isinstance(definition.get(name), str):
                    yield f"{path}.{name}", definition[name], str(source or "search")
        for name, value in definition.items():
            if isinstance(value, dict | list):
                yield from _queries(f"{path}.{name}", value)


def _formulas(path: str, definition: dict[str, Any]) -> Iterator[str]:
    for place, request in enumerate(definition.get("requests") or ()):
        if not isinstance(request, dict):
            continue
        names = {str(query.get("name")) for query in request.get("queries") or ()}
        for number, entry in enumerate(request.get("formulas") or ()):
            try:
                formula(str(entry.get("formula")), names)
            except QueryError as error:
                yield f"{path}.requests.{place}.formulas.{number}: {error}"


def _grid(path: str, widgets: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Widgets that leave the 12 columns, or lie on one another."""
    taken: dict[tuple[int, int], int] = {}
    for place, widget in enumerate(widgets):
        layout = widget.get("layout")
        if not layout:
            continue
        x, y, width, height = (int(layout[name]) for name in ("x", "y", "width", "height"))
        if x < 0 or y < 0 or width < 1 or height < 1 or x + width > _COLUMNS:
            yield f"{path}.{place}.layout: does not fit into {_COLUMNS} columns"
            continue
        cells = [(column, row) for column in range(x, x + width) for row in range(y, y + height)]
        others = sorted({taken[cell] for cell in cells if cell in taken})
        if others:
            yield f"{path}.{place}.layout: lies on {path}.{others[0]}"
        taken |= dict.fromkeys(cells, place)
