"""Making a plan so: in an order in which every id is known when it is needed.

What fails keeps back only what refers to it; the next run completes the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from monitoring.datadog.definition import Definition, Kind, resolved
from monitoring.datadog.downtimes import started
from monitoring.datadog.sync.api import CONNECTIONS, Api, RemoteObject
from monitoring.datadog.sync.diff import sendable, stamped
from monitoring.datadog.sync.plan import Action, Key, Plan, Step, ours, typed
from settings.errors import DatadogError
from settings.schema import Settings

# What is deleted first may refer to what is deleted later.
_DELETED = (Kind.DASHBOARD, Kind.DOWNTIME, Kind.MONITOR, Kind.SLO, Kind.MONITOR)


_TWICE = (
    "it is there twice: somebody else published at the same moment; run it again, which removes "
    "the duplicate"
)


@dataclass(frozen=True, slots=True)
class Failure:
    """A step that was not carried out, and why."""

    step: Step
    reason: str


def apply(
    api: Api, settings: Settings, plan: Plan, *, prune: bool, progress: Callable[[Step], None]
) -> list[Failure]:
    """Creates and updates what differs; deletes what is no longer defined, if it may.

    Args:
        prune: whether to delete.
        progress: called after each step, carried out or not; from any thread.

    Returns:
        What failed; everything else is done.

    Raises:
        DatadogError: When a permission is missing, before anything is written.
    """
    require_permissions(api, plan, prune=prune)
    return _Run(api, settings, plan, progress).all(plan.changing(prune=prune))


def require_permissions(api: Api, plan: Plan, *, prune: bool) -> None:
    """Makes sure that what a plan changes may be written, without writing anything.

    Raises:
        DatadogError: When a permission is missing.
    """
    for kind in dict.fromkeys(step.kind for step in plan.changing(prune=prune)):
        api.require_permission(kind)


class _Run:
    def __init__(
        self, api: Api, settings: Settings, plan: Plan, progress: Callable[[Step], None]
    ) -> None:
        self._api, self._settings, self._progress = api, settings, progress
        self._ids: dict[Key, Any] = dict(plan.ids)
        self._failures: list[Failure] = []

    def all(self, todo: Sequence[Step]) -> list[Failure]:
        made = [step for step in todo if step.definition]
        gone = [step for step in todo if step.action is Action.DELETE]
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            try:
                for together in (*_waves(made), *_deletions(gone)):
                    list(pool.map(self._attempt, together))
                self._check_single(made)
            except BaseException:
                self._api.stop()
                pool.shutdown(cancel_futures=True)
                raise
        return self._failures

    def _check_single(self, made: Sequence[Step]) -> None:
        """That nobody else made the same at the same moment."""
        created = [step for step in made if step.action is Action.CREATE]
        for kind in dict.fromkeys(step.kind for step in created):
            there = ours(self._api.every(kind), kind, self._settings)
            self._failures += [
                Failure(step, _TWICE)
                for step in created
                if step.kind is kind and len(there.get(step.key, ())) > 1
            ]

    def _attempt(self, step: Step) -> None:
        try:
            needed = step.definition.references if step.definition else []
            missing = [reference for reference in needed if reference not in self._ids]
            if missing:
                kind, name = missing[0]
                raise DatadogError(f"it refers to {kind} {name}, which is not there")
            self._carry_out(step)
        except DatadogError as error:
            self._failures.append(Failure(step, str(error)))
        self._progress(step)

    def _carry_out(self, step: Step) -> None:
        kind = step.kind
        if step.definition is None:
            assert step.id is not None
            self._api.delete(kind, step.id)
            return
        body = resolved(step.definition.body, self._ids)
        if "recurrences" in body.get("schedule", {}):
            body["schedule"] = started(body["schedule"], datetime.now(UTC))
        if step.id is None:
            there = self._api.create(kind, stamped(kind, body), lambda: self._look(step))
            self._ids[kind, step.key] = typed(kind, there.id)
            return
        assert step.present is not None
        types = [change for change in step.changes if change.path == "type"]
        if types:
            raise DatadogError(
                f"its type was {types[0].before} and is to be {types[0].after}, which Datadog does "
                "not allow; give it another key"
            )
        sent = sendable(kind, body, step.present)
        if not any(change.path.startswith("schedule") for change in step.changes):
            # Left out it stays; one in progress may not start at another time.
            sent.pop("schedule", None)
        self._api.update(kind, step.id, sent)

    def _look(self, step: Step) -> RemoteObject | None:
        """An object that was made although its reply was lost."""
        matches = ours(self._api.every(step.kind), step.kind, self._settings).get(step.key)
        return matches[0] if matches else None


def _waves(steps: Sequence[Step]) -> Iterator[list[Step]]:
    """Steps that can be made at the same time: of one kind, and all they refer to is there."""
    level = _levels([step.definition for step in steps if step.definition])
    order = list(Kind)
    place = {(step.kind, step.key): level[step.kind, step.key] for step in steps}
    for depth in sorted(set(place.values())):
        for kind in order:
            some = [step for step in steps if step.kind is kind and place[kind, step.key] == depth]
            if some:
                yield some


def _levels(definitions: Sequence[Definition]) -> dict[Key, int]:
    """How long the chain of references below each object is."""
    by_key = {(definition.kind, definition.key): definition for definition in definitions}
    levels: dict[Key, int] = {}

    def depth(key: Key) -> int:
        if key not in by_key:
            return -1  # there already
        if key not in levels:
            below = [depth(reference) for reference in by_key[key].references]
            levels[key] = 1 + max(below, default=-1)
        return levels[key]

    for key in by_key:
        depth(key)
    return levels


def _deletions(steps: Sequence[Step]) -> Iterator[list[Step]]:
    """Monitors of SLOs before the SLOs, and those that an SLO names after it."""
    slo_alerts = [step for step in steps if (step.present or {}).get("type") == "slo alert"]
    for place, kind in enumerate(_DELETED):
        some = [step for step in steps if step.kind is kind]
        if kind is Kind.MONITOR:
            first = place == _DELETED.index(Kind.MONITOR)
            some = [step for step in some if (step in slo_alerts) == first]
        if some:
            yield some
