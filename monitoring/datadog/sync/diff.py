"""What differs between an object as we want it and as Datadog has it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from monitoring.datadog.definition import TEXT, Body, Kind, with_digest
from monitoring.datadog.sync.fields import DEFAULTS, DERIVED, by_hand, is_default
from monitoring.datadog.sync.normal import normal, query_of
from monitoring.datadog.sync.widgets import are_widgets, called, matches, place, with_widget_ids

# With the defaults, all that a person can edit: what a digest is made of.
_REQUIRED: dict[Kind, frozenset[str]] = {
    Kind.MONITOR: frozenset({"name", "type", "query", "message"}),
    Kind.SLO: frozenset({"name", "type", "thresholds", "query", "sli_specification"}),
    Kind.DASHBOARD: frozenset({"title", "layout_type", "reflow_type", "widgets"}),
    Kind.DOWNTIME: frozenset({"monitor_identifier", "scope", "schedule"}),
}


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
    """The fields in which what Datadog has differs from what we want.

    Only those that we send, and those that people edit by hand (``sync/fields.py``).

    Args:
        before: as Datadog has it.
        after: as we send it.
    """
    there, wanted = normal(kind, before), normal(kind, after)
    specification = wanted.get("sli_specification")
    if specification is not None and "sli_specification" not in there:
        # Before March 2026 Datadog answered with the query alone.
        wanted = {**wanted, "query": query_of(specification) or {}}
        del wanted["sli_specification"]
    if not there.get("assets"):
        # A monitor is shown with none unless they are asked for.
        wanted = {name: value for name, value in wanted.items() if name != "assets"}
    return list(_Comparison(kind).of("", there, wanted))


def comparable(kind: Kind, body: Body) -> Body:
    """What a person can edit of a body, in one form and without defaults."""
    plain = normal(kind, body)
    if "query" in plain:
        plain = {name: value for name, value in plain.items() if name not in DERIVED}
    fields = DEFAULTS[kind]
    kept = {
        name: value
        for name, value in plain.items()
        if name in _REQUIRED[kind] or (name in fields and not is_default(value, fields[name]))
    }
    if kind is Kind.MONITOR:
        known = by_hand(kind, "options")
        kept["options"] = {
            name: value
            for name, value in (plain.get("options") or {}).items()
            if name in known and not is_default(value, known[name])
        }
    if kind is Kind.DOWNTIME and isinstance(plain.get("schedule"), dict):
        kept["schedule"] = {
            name: value for name, value in plain["schedule"].items() if name != "current_downtime"
        }
    return kept


def sendable(kind: Kind, body: Body, present: Body) -> Body:
    """An update's body: stamped, with the widget ids that are there, and with the default of every
    field that somebody set and we do not: left out it would stay.
    """
    sent = stamped(kind, body)
    fields = DEFAULTS[kind]
    for name in comparable(kind, present).keys() & fields.keys() - body.keys():
        sent[name] = fields[name]
    return with_widget_ids(sent, present) if kind is Kind.DASHBOARD else sent


def digest(kind: Kind, body: Body) -> str:
    """A digest of a body: the same for bodies that are equal in ``comparable``."""
    compared = {name: value for name, value in comparable(kind, body).items() if name != "assets"}
    text = json.dumps(compared, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def stamped(kind: Kind, body: Body) -> Body:
    """A body as it is sent: with the digest in its marker."""
    text = TEXT[kind]
    return {**body, text: with_digest(body[text], digest(kind, body))}


class _Comparison:
    """The differences of two bodies in one form."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind

    def of(self, path: str, before: Any, after: Any) -> Iterator[Change]:
        """What differs at a path and below it."""
        if before == after:
            return
        if isinstance(before, dict) and isinstance(after, dict):
            yield from self._of_fields(path, before, after)
        elif are_widgets(before) and are_widgets(after):
            yield from self._of_widgets(path, before, after)
        elif _objects(before) and _objects(after):
            for number, (old, other) in enumerate(zip_longest(before, after)):
                yield from self.of(f"{path}.{number}", old, other)
        elif not (after is None and self._is_default(path, before)) and not (
            before is None and self._is_default(path, after)
        ):
            yield Change(path, before, after)

    def _of_fields(self, path: str, before: Body, after: Body) -> Iterator[Change]:
        edited = by_hand(self._kind, path)
        for name in sorted(after.keys() | (before.keys() & edited.keys())):
            inner = f"{path}.{name}" if path else name
            was, wanted = before.get(name), after.get(name)
            if wanted is None and isinstance(was, dict) and by_hand(self._kind, inner):
                wanted = {}
            if name in after or not is_default(was, edited[name]):
                yield from self.of(inner, was, wanted)

    def _of_widgets(self, path: str, before: list[Body], after: list[Body]) -> Iterator[Change]:
        matched = matches(after, before)
        for widget, match in zip(after, matched, strict=True):
            if match is None:
                yield Change(place(path, widget), None, widget)
            else:
                yield from self.of(place(path, match), match, widget)
        for widget in before:
            if not any(widget is match for match in matched):
                yield Change(place(path, widget), widget, None)
        order = [
            at
            for match in matched
            for at, widget_before in enumerate(before)
            if widget_before is match
        ]
        if order != sorted(order):
            titles = [[called(widget)[1] for widget in some] for some in (before, after)]
            yield Change(f"{path} (order)", *titles)

    def _is_default(self, path: str, value: Any) -> bool:
        above, _, name = path.rpartition(".")
        edited = by_hand(self._kind, above)
        return name in edited and is_default(value, edited[name])


def _objects(value: Any) -> bool:
    """Whether it is a list of what has fields of its own; tags are compared as a whole."""
    return isinstance(value, list) and all(isinstance(item, dict | list) for item in value)
