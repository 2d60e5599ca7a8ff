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
    Body,
    Definition,
    Kind,
    digest_of,
    key_of,
    marked,
    resolved,
    tags,
)
from monitoring.datadog.sync.api import CONNECTIONS, Api, RemoteObject
from monitoring.datadog.sync.diff import Change, changes, digest
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
        unmarked: monitors with our tags whose marker somebody took away; none is created again.
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
            "copies": [_named(*copy) for copy in self.copies],
            "without_marker": [_named(*unmarked) for unmarked in self.unmarked],
            "muted": [
                {
                    "key": mute.key,
                    "until": mute.until.isoformat() if mute.until else None,
                    "by_hand": mute.by_hand,
                }
                for mute in self.mutes
            ],
        }


def plan(api: Api, settings: Settings, definitions: Sequence[Definition]) -> Plan:
    """Compares what is defined with what Datadog has; writes nothing.

    One call lists a kind; each dashboard of ours takes one more.

    Raises:
        DatadogError: When Datadog does not answer.
    """
    api.check_key()
    present, more, unmarked = _present(api, settings)
    duplicates = [surplus for surplus in more if _untouched(surplus)]
    copies = [
        (kind, key, duplicate.id)
        for kind, key, duplicate in more
        if not _untouched((kind, key, duplicate))
    ]
    ids: dict[Key, Any] = {key: typed(key[0], remote.id) for key, remote in present.items()}
    held = {(kind, key) for kind, key, _ in unmarked}
    steps = [
        _step(definition, present, ids)
        for definition in definitions
        if (definition.kind, definition.key) not in held
    ]
    kept = {(definition.kind, definition.key) for definition in definitions}
    kept |= {(kind, key) for kind, key, _ in copies}
    steps += [
        Step(kind, key, Action.DELETE, id=remote.id, present=remote.body)
        for (kind, key), remote in present.items()
        if (kind, key) not in kept
    ]
    steps += [
        Step(kind, key, Action.DELETE, id=remote.id, present=remote.body, duplicate=True)
        for kind, key, remote in duplicates
    ]
    order = list(Kind)
    steps.sort(key=lambda step: (order.index(step.kind), step.key))
    bodies = {
        kind: {key: remote.body for (of, key), remote in present.items() if of is kind}
        for kind in Kind
    }
    muted = mutes(bodies[Kind.MONITOR], bodies[Kind.DOWNTIME].values())
    return Plan(steps, ids, settings, copies, unmarked, muted)


def ours(
    listed: Iterable[RemoteObject], kind: Kind, settings: Settings
) -> dict[str, list[RemoteObject]]:
    """The objects that carry a marker of this environment, by its key; the oldest first."""
    by_key: dict[str, list[RemoteObject]] = {}
    for remote in listed:
        key = key_of(remote.body.get(TEXT[kind]), settings)
        if key is not None:
            by_key.setdefault(key, []).append(remote)
    for some in by_key.values():
        some.sort(key=lambda remote: (_age(remote.body), len(remote.id), remote.id))
    return by_key


def _present(
    api: Api, settings: Settings
) -> tuple[
    dict[Key, RemoteObject], list[tuple[Kind, str, RemoteObject]], list[tuple[Kind, str, str]]
]:
    """What is ours, younger ones with its marker, and what was ours until that was taken away."""
    present: dict[Key, RemoteObject] = {}
    more: list[tuple[Kind, str, RemoteObject]] = []
    unmarked: list[tuple[Kind, str, str]] = []
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        for kind, listed in zip(Kind, pool.map(api.every, Kind), strict=True):
            for key, some in ours(listed, kind, settings).items():
                present[kind, key] = some[0]
                more += [(kind, key, remote) for remote in some[1:]]
            if kind is Kind.MONITOR:
                unmarked = [
                    (kind, key_, monitor.id)
                    for monitor in listed
                    if (key_ := _key_in_tags(monitor, settings)) and (kind, key_) not in present
                ]
        # Their list holds summaries only.
        boards = [board for board in present if board[0] is Kind.DASHBOARD]
        whole = pool.map(lambda board: api.read(Kind.DASHBOARD, present[board].id), boards)
        for board, read in zip(boards, whole, strict=True):
            if read is None:
                del present[board]  # deleted in this very moment
            else:
                present[board] = read
    return present, [_whole(api, *surplus) for surplus in more], unmarked


def _whole(api: Api, kind: Kind, key: str, remote: RemoteObject) -> tuple[Kind, str, RemoteObject]:
    """An object with all that is in it: the list of dashboards holds summaries only."""
    return kind, key, (kind is Kind.DASHBOARD and api.read(kind, remote.id)) or remote


def _untouched(surplus: tuple[Kind, str, RemoteObject]) -> bool:
    """Whether an object is as it was published; a copy made by hand has a name of its own."""
    kind, _, remote = surplus
    return digest_of(remote.body.get(TEXT[kind])) == digest(kind, remote.body)


def _key_in_tags(monitor: RemoteObject, settings: Settings) -> str | None:
    """The key in the tags of a monitor that has all of ours, and no marker of anybody's."""
    labels = monitor.body.get("tags") or []
    if not set(tags(settings)) <= set(labels) or digest_of(monitor.body.get("message")):
        return None
    keys = [tag.removeprefix("signal:") for tag in labels if tag.startswith("signal:")]
    return keys[0] if len(keys) == 1 else None


def _step(
    definition: Definition, present: Mapping[Key, RemoteObject], ids: Mapping[Key, Any]
) -> Step:
    kind, key = definition.kind, definition.key
    remote = present.get((kind, key))
    if remote is None:
        return Step(kind, key, Action.CREATE, definition=definition)
    wanted = resolved(definition.body, dict(ids), missing=UNKNOWN)
    changed = tuple(changes(kind, remote.body, wanted))
    return Step(
        kind,
        key,
        Action.UPDATE if changed else Action.UNCHANGED,
        id=remote.id,
        changes=changed,
        by_hand=bool(changed)
        and digest_of(remote.body.get(TEXT[kind])) != digest(kind, remote.body),
        definition=definition,
        present=remote.body,
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
            {"path": change.path, "before": change.before, "after": change.after}
            for change in step.changes
        ]
    if step.duplicate:
        document["duplicate"] = True
    if step.action is Action.CREATE and step.definition:
        document["body"] = step.definition.body
    return document
