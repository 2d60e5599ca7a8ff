"""What publishing would change: every object of ours, compared with what Datadog has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from monitoring.datadog.definition import (
    TEXT,
    Definition,
    Kind,
    digest_of,
    key_of,
    marked,
    resolved,
    tags,
)
from monitoring.datadog.sync.api import CONNECTIONS, Api, Found
from monitoring.datadog.sync.diff import Change, changes, digest
from monitoring.datadog.sync.fields import Body
from monitoring.datadog.sync.mutes import Mute, mutes
from settings.schema import Settings

# Stands in a body for the id of what is yet to be made.
UNKNOWN = "(known after apply)"

Key = tuple[Kind, str]


class Action(StrEnum):
    """What happens to an object."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Step:
    """One object and what is to become of it.

    Attributes:
        id: Datadog's; None of one that is yet to be made.
        changes: from what Datadog has to what we define; empty unless it is an update.
        by_hand: whether somebody changed it since it was published.
        definition: None of one that is no longer defined.
        present: its body in Datadog.
        duplicate: whether another, older object is the same: two applies at once make such ones.
    """

    kind: Kind
    key: str
    action: Action
    id: str | None = None
    changes: tuple[Change, ...] = ()
    by_hand: bool = False
    definition: Definition | None = None
    present: Body | None = None
    duplicate: bool = False

    @property
    def name(self) -> str:
        return f"{self.kind} {self.key}"


@dataclass(frozen=True)
class Plan:
    """All steps, in the order of kinds and keys.

    Attributes:
        ids: of what is there, by kind and key.
        copies: objects with a marker that another, older one has: copies made by hand, which
            stay, and so does the one they were made of.
        unmarked: monitors with our tags whose marker somebody took away; they are not made anew.
        mutes: monitors that are muted now.
    """

    steps: Sequence[Step]
    ids: Mapping[Key, Any]
    settings: Settings
    copies: Sequence[tuple[Kind, str, str]] = field(default=())
    unmarked: Sequence[tuple[Kind, str, str]] = field(default=())
    mutes: Sequence[Mute] = field(default=())

    def line(self, key: str) -> str:
        """The line in an object's text that makes it ours."""
        return marked("", self.settings, key)

    def count(self, action: Action) -> int:
        return Counter(step.action for step in self.steps)[action]

    def changing(self, *, prune: bool = True) -> list[Step]:
        """What is not as it should be.

        Args:
            prune: whether what is no longer defined counts; duplicates do always.
        """
        left = {Action.UNCHANGED} if prune else {Action.UNCHANGED, Action.DELETE}
        return [step for step in self.steps if step.duplicate or step.action not in left]

    def document(self) -> dict[str, Any]:
        """The plan as JSON, for programs."""
        counts = {action.value: self.count(action) for action in Action}
        return {
            "version": 1,
            "summary": counts,
            "steps": [_step_document(step) for step in self.steps],
            "copies": [_named(*one) for one in self.copies],
            "without_marker": [_named(*one) for one in self.unmarked],
            "muted": [
                {
                    "key": one.key,
                    "until": one.until.isoformat() if one.until else None,
                    "by_hand": one.by_hand,
                }
                for one in self.mutes
            ],
        }


def plan(api: Api, settings: Settings, definitions: Sequence[Definition]) -> Plan:
    """Compares what is defined with what Datadog has; writes nothing.

    One call lists a kind; each dashboard of ours takes one more.

    Raises:
        DatadogError: When Datadog does not tell.
    """
    api.check_key()
    present, more, unmarked = _present(api, settings)
    duplicates = [one for one in more if _untouched(one)]
    copies = [(kind, key, one.id) for kind, key, one in more if not _untouched((kind, key, one))]
    ids: dict[Key, Any] = {key: typed(key[0], one.id) for key, one in present.items()}
    held = {(kind, key) for kind, key, _ in unmarked}
    steps = [_step(one, present, ids) for one in definitions if (one.kind, one.key) not in held]
    kept = {(one.kind, one.key) for one in definitions}
    kept |= {(kind, key) for kind, key, _ in copies}
    steps += [
        Step(kind, key, Action.DELETE, id=one.id, present=one.body)
        for (kind, key), one in present.items()
        if (kind, key) not in kept
    ]
    steps += [
        Step(kind, key, Action.DELETE, id=one.id, present=one.body, duplicate=True)
        for kind, key, one in duplicates
    ]
    order = list(Kind)
    steps.sort(key=lambda step: (order.index(step.kind), step.key))
    bodies = {
        kind: {key: one.body for (of, key), one in present.items() if of is kind} for kind in Kind
    }
    muted = mutes(bodies[Kind.MONITOR], bodies[Kind.DOWNTIME].values())
    return Plan(steps, ids, settings, copies, unmarked, muted)


def ours(found: Iterable[Found], kind: Kind, settings: Settings) -> dict[str, list[Found]]:
    """The objects that carry a marker of this environment, by its key; the oldest first."""
    by_key: dict[str, list[Found]] = {}
    for one in found:
        key = key_of(one.body.get(TEXT[kind]), settings)
        if key is not None:
            by_key.setdefault(key, []).append(one)
    for some in by_key.values():
        some.sort(key=lambda one: (_age(one.body), len(one.id), one.id))
    return by_key


def _present(
    api: Api, settings: Settings
) -> tuple[dict[Key, Found], list[tuple[Kind, str, Found]], list[tuple[Kind, str, str]]]:
    """What is ours, younger ones with its marker, and what was ours until that was taken away."""
    present: dict[Key, Found] = {}
    more: list[tuple[Kind, str, Found]] = []
    unmarked: list[tuple[Kind, str, str]] = []
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        for kind, listed in zip(Kind, pool.map(api.every, Kind), strict=True):
            for key, some in ours(listed, kind, settings).items():
                present[kind, key] = some[0]
                more += [(kind, key, one) for one in some[1:]]
            if kind is Kind.MONITOR:
                unmarked = [
                    (kind, key_, one.id)
                    for one in listed
                    if (key_ := _key_in_tags(one, settings)) and (kind, key_) not in present
                ]
        # Their list holds summaries only.
        boards = [one for one in present if one[0] is Kind.DASHBOARD]
        whole = pool.map(lambda board: api.read(Kind.DASHBOARD, present[board].id), boards)
        for board, read in zip(boards, whole, strict=True):
            if read is None:
                del present[board]  # deleted in this very moment
            else:
                present[board] = read
    return present, [_whole(api, *one) for one in more], unmarked


def _whole(api: Api, kind: Kind, key: str, one: Found) -> tuple[Kind, str, Found]:
    """An object with all that is in it: the list of dashboards holds summaries only."""
    return kind, key, (kind is Kind.DASHBOARD and api.read(kind, one.id)) or one


def _untouched(one: tuple[Kind, str, Found]) -> bool:
    """Whether an object is as it was published; a copy made by hand has a name of its own."""
    kind, _, found = one
    return digest_of(found.body.get(TEXT[kind])) == digest(kind, found.body)


def _key_in_tags(one: Found, settings: Settings) -> str | None:
    """The key in the tags of a monitor that has all of ours, and no marker of anybody's."""
    found = one.body.get("tags") or []
    if not set(tags(settings)) <= set(found) or digest_of(one.body.get("message")):
        return None
    keys = [tag.removeprefix("signal:") for tag in found if tag.startswith("signal:")]
    return keys[0] if len(keys) == 1 else None


def _step(definition: Definition, present: Mapping[Key, Found], ids: Mapping[Key, Any]) -> Step:
    kind, key = definition.kind, definition.key
    one = present.get((kind, key))
    if one is None:
        return Step(kind, key, Action.CREATE, definition=definition)
    wanted = resolved(definition.body, dict(ids), missing=UNKNOWN)
    found = tuple(changes(kind, one.body, wanted))
    return Step(
        kind,
        key,
        Action.UPDATE if found else Action.UNCHANGED,
        id=one.id,
        changes=found,
        by_hand=bool(found) and digest_of(one.body.get(TEXT[kind])) != digest(kind, one.body),
        definition=definition,
        present=one.body,
    )


def typed(kind: Kind, id: str) -> Any:  # noqa: A002
    """An id as a body holds it: monitors' are numbers."""
    return int(id) if kind is Kind.MONITOR else id


def _age(body: Body) -> str:
    """When it was made, so that the older comes first."""
    return str(body.get("created") or body.get("created_at") or "")


def _named(kind: Kind, key: str, id: str) -> dict[str, str]:  # noqa: A002
    return {"kind": kind.value, "key": key, "id": id}


def _step_document(step: Step) -> dict[str, Any]:
    document: dict[str, Any] = {
        "kind": step.kind.value,
        "key": step.key,
        "action": step.action.value,
        "id": step.id,
    }
    if step.changes:
        document["changed_by_hand"] = step.by_hand
        document["changes"] = [
            {"path": one.path, "before": one.before, "after": one.after} for one in step.changes
        ]
    if step.duplicate:
        document["duplicate"] = True
    if step.action is Action.CREATE and step.definition:
        document["body"] = step.definition.body
    return document
