"""Shortcuts in the protocol of parking, made in the real code, which a modelled run has to catch.

``python -m tests.lambdas.parking_mutations`` tries each and prints what caught it. What no run can
catch says why: another part of the protocol already rules out what it would allow.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from itertools import islice
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest

from lambdas import (
    attempt,
    attempts,
    group_state,
    lease,
    parked_rows,
    parking,
    record,
    release,
    setting_aside,
)
from lambdas.base import aws, observe
from tests.lambdas.modelled_run import World, loaded, play

# Runs in which a mutation has to show; each alone shows in most of them.
_RUNS = 12
_CALM = World(killed=0, failing=0, late=0, outages=0)
_BUCKET = World(failing=0.1, large=0.2)
# Groups are held again and again.
_AGAIN = World(groups=4, sending=0.04)
# For what never ends.
_SMALL = World(webhooks=40, groups=4, large=0.5, bad=0.3)

Patch = pytest.MonkeyPatch


class Mutation(NamedTuple):
    """A shortcut.

    Attributes:
        make: makes it, until the patch is undone.
        world: in which it shows, once for each ``on_park``.
        harmless: why no run can catch it; empty where one has to.
    """

    make: Callable[[Patch], None]
    world: World = World()
    harmless: str = ""

    @property
    def name(self) -> str:
        return self.make.__name__

    def caught(self, monkeypatch: Patch, runs: int = _RUNS) -> list[str]:
        """The problems of the first run that has any; empty where none has."""
        for seed in range(runs):
            world = self.world._replace(on_park=("message", "group")[seed % 2])
            with monkeypatch.context() as patch:
                self.make(patch)
                try:
                    # By the same patch: undone by two, variables that both set would stay.
                    problems = play(patch, seed, world).problems
                except observe.UnexpectedError as crash:
                    problems = [f"subscribe crashed: {crash}"]
            if problems:
                return problems
        return []


def _sometimes_before(read: Callable[..., Any], key: Callable[..., Any]) -> Callable[..., Any]:
    """A read that at times answers as the read before it, as without ``ConsistentRead``."""
    chance, before = random.Random(1), dict[Any, Any]()

    def stale(*args: Any, **how: Any) -> Any:
        now = read(*args, **how)
        old = before.get(key(*args), now)
        before[key(*args)] = now
        return old if chance.random() < 0.3 else now

    return stale


def stale_state(patch: Patch) -> None:
    """The group's state is read with eventual consistency."""
    patch.setattr(group_state, "read", _sometimes_before(group_state.read, lambda _, group: group))


def stale_rows(patch: Patch) -> None:
    """The first of a group's parked rows is read with eventual consistency."""
    patch.setattr(parking, "lowest", _sometimes_before(parking.lowest, lambda _, group: group))


def stale_record(patch: Patch) -> None:
    """The record is read with eventual consistency."""
    patch.setattr(attempts, "read", _sometimes_before(attempts.read, lambda _, name: name))


def fails_open(patch: Patch) -> None:
    """A state that can't be read counts as open."""
    real = group_state.read

    def read(table: str, group: str) -> Any:
        try:
            return real(table, group)
        except aws.AwsError:
            return None

    patch.setattr(group_state, "read", read)


def any_token(patch: Patch) -> None:
    """A token releases a hold that it does not name."""
    real = release._Release.group

    def group(self: Any, hold_id: str) -> bool:
        hold = group_state.read(self._config.parking, self._message.group_id)
        return real(self, hold.id if hold else hold_id)

    patch.setattr(release._Release, "group", group)


def one_hold(patch: Patch) -> None:
    """All holds of a group have the same id."""
    real = parked_rows.new_hold

    def new_hold(message: lease.Received) -> group_state.Hold:
        return real(message)._replace(id=message.group_id)

    patch.setattr(parked_rows, "new_hold", new_hold)


def keeps_hold(patch: Patch) -> None:
    """A group whose head is refused again keeps its hold."""
    patch.setattr(parking, "hold_again", lambda _config, _message, old: old)


def settled_is_attempted(patch: Patch) -> None:
    """What the record calls settled is attempted again."""
    real = attempts.read

    def read(*args: Any, **how: Any) -> attempts.History:
        return real(*args, **how)._replace(delivered=False, settled="")

    patch.setattr(attempts, "read", read)


def unrecorded(patch: Patch) -> None:
    """A delivery is not recorded."""
    real = record._update

    def update(table: str, row_id: str, values: dict[str, Any], **how: Any) -> None:
        kept = {name: value for name, value in values.items() if name != "delivered_timestamp"}
        real(table, row_id, kept, **how)

    patch.setattr(record, "_update", update)


def no_lease(patch: Patch) -> None:
    """An invocation that comes late attempts its message all the same."""
    patch.setattr(lease, "hold", lambda *_, **__: None)


def no_lease_at_first(patch: Patch) -> None:
    """At the first receive an invocation that comes late goes on."""
    real = lease.hold

    def hold(message: lease.Received, **how: Any) -> None:
        if message.receives > 1:
            real(message, **how)

    patch.setattr(lease, "hold", hold)


def no_lease_later(patch: Patch) -> None:
    """From the second receive on the visibility timeout is not started again."""
    real = lease.hold

    def hold(message: lease.Received, **how: Any) -> None:
        if message.receives == 1:
            real(message, **how)

    patch.setattr(lease, "hold", hold)


def unattempted_is_done(patch: Patch) -> None:
    """What is put back unattempted leaves the queue."""
    _done_after(patch, "lambdas.waiting.put_back_unattempted")


def paused_is_done(patch: Patch) -> None:
    """What is not attempted for others' sake leaves the queue."""
    _done_after(patch, "lambdas.waiting.put_back_paused")


def _done_after(patch: Patch, function: str) -> None:
    """Has a message leave the queue wherever a function was called."""
    from lambdas import waiting

    subscribe, called = loaded(patch), ContextVar("called", default=False)
    name = function.rpartition(".")[2]
    real, done = getattr(waiting, name), subscribe._done

    def calls(*args: Any) -> None:
        called.set(True)
        real(*args)

    def forgets(*args: Any) -> bool:
        called.set(False)
        return bool(done(*args) or called.get())

    patch.setattr(waiting, name, calls)
    patch.setattr(subscribe, "_done", forgets)


def unstored_is_parked(patch: Patch) -> None:
    """What can't be parked leaves the queue."""
    real = setting_aside._stored
    patch.setattr(setting_aside, "_stored", lambda *args: real(*args) or True)


def unstored_is_behind(patch: Patch) -> None:
    """What can't be parked behind others leaves the queue."""
    real = parking.park_behind

    def park_behind(*args: Any) -> None:
        try:
            real(*args)
        except aws.AwsError:
            pass

    patch.setattr(parking, "park_behind", park_behind)


def deletes_first(patch: Patch) -> None:
    """A row leaves the store before its webhook is delivered."""
    real = release._Release._deliver

    def deliver(self: Any, parked: Any, hold: Any) -> Any:
        parking.remove(self._config, self._message, parked)
        return real(self, parked, hold)

    patch.setattr(release._Release, "_deliver", deliver)


def opens_early(patch: Patch) -> None:
    """A group opens after the first webhook that is released."""
    real, seen = parking.lowest, set[tuple[str, str]]()

    def lowest(config: Any, group: str) -> Any:
        hold = group_state.read(config.parking, group)
        known = (group, hold.id if hold else "")
        if known in seen:
            return None
        seen.add(known)
        return real(config, group)

    patch.setattr(parking, "lowest", lowest)


def newest_first(patch: Patch) -> None:
    """The last of a group's parked webhooks is released first."""
    real = parking._query

    def query(config: Any, group: str, begins: str, *, limit: int) -> Any:
        if begins != parked_rows.HELD:
            return real(config, group, begins, limit=limit)
        return real(config, group, begins, limit=10**6)[-1:]

    patch.setattr(parking, "_query", query)


def unpadded(patch: Patch) -> None:
    """Rows are sorted by sequence numbers as texts of any length."""
    patch.setattr(parked_rows, "row_of", lambda place, number: f"{place}{number}")


def one_place(patch: Patch) -> None:
    """What is set aside stands among what is held."""
    real = parked_rows.row_of
    patch.setattr(parked_rows, "row_of", lambda _place, number: real(parked_rows.HELD, number))


def token_identity(patch: Patch) -> None:
    """A released webhook goes to the backend under its token's message id."""
    real_make, real_deliver = attempt.make, release._Release._deliver
    token: ContextVar[str] = ContextVar("token")

    def make(config: Any, container: Any, message: Any, *rest: Any) -> Any:
        return real_make(config, container, message._replace(id=token.get()), *rest)

    def deliver(self: Any, parked: Any, hold: Any) -> Any:
        token.set(self._message.id)
        return real_deliver(self, parked, hold)

    patch.setattr(release, "attempt", SimpleNamespace(make=make))
    patch.setattr(release._Release, "_deliver", deliver)


def dropped_is_released(patch: Patch) -> None:
    """A webhook that a person dropped is released with the others."""
    real_row, real_read = parking._parked, attempts.read

    def parked(*args: Any) -> Any:
        return real_row(*args)._replace(dropped=False)

    def read(*args: Any, **how: Any) -> attempts.History:
        history = real_read(*args, **how)
        return history._replace(settled=history.settled and "parked")

    patch.setattr(parking, "_parked", parked)
    patch.setattr(attempts, "read", read)


def not_one_transaction(patch: Patch) -> None:
    """The parts of what is parked are written one after the other, in the worst order."""

    def transact(_: Any, actions: list[dict[str, Any]]) -> None:
        for action in reversed(actions):
            [(name, request)] = action.items()
            if name != "ConditionCheck":
                parking._call(f"{name}Item", request)

    patch.setattr(parking, "_transact", transact)


def same_transaction(patch: Patch) -> None:
    """All transactions of a message are taken for tries of the first."""
    real = parking._transact

    def transact(message: lease.Received, actions: list[dict[str, Any]]) -> None:
        with pytest.MonkeyPatch.context() as named:
            digest = SimpleNamespace(hexdigest=lambda: message.id)
            named.setattr(parking, "hashlib", SimpleNamespace(sha256=lambda _: digest))
            real(message, actions)

    patch.setattr(parking, "_transact", transact)


def hold_unchecked(patch: Patch) -> None:
    """Parking behind others does not check that their hold still stands."""
    _without(patch, "ConditionCheck")


def record_unchecked(patch: Patch) -> None:
    """Parking does not check that the record calls the webhook undelivered."""
    _unconditional(patch, "delivered_timestamp")


def state_unchecked(patch: Patch) -> None:
    """A group is held or opened whatever its state has become."""
    _unconditional(patch, "hold_id")


def _without(patch: Patch, kind: str) -> None:
    """Leaves actions of a kind out of transactions."""
    real = parking._transact

    def transact(message: lease.Received, actions: Iterable[dict[str, Any]]) -> None:
        real(message, [action for action in actions if kind not in action])

    patch.setattr(parking, "_transact", transact)


def _unconditional(patch: Patch, attribute: str) -> None:
    """Leaves out conditions on an attribute, wherever a write has one."""
    transact, call = parking._transact, parking._call

    def plain(request: dict[str, Any]) -> dict[str, Any]:
        if attribute not in request.get("ConditionExpression", ""):
            return request
        return {name: value for name, value in request.items() if name != "ConditionExpression"}

    def every(message: lease.Received, actions: list[dict[str, Any]]) -> None:
        transact(message, [
            {name: request if name == "ConditionCheck" else plain(request)}
            for action in actions for name, request in action.items()
        ])  # fmt: skip

    patch.setattr(parking, "_transact", every)
    patch.setattr(parking, "_call", lambda action, request: call(action, plain(request)))


def leaves_parts(patch: Patch) -> None:
    """Only the first row of a large message is deleted."""
    real = parked_rows.deletions
    patch.setattr(parked_rows, "deletions", lambda *args: islice(real(*args), 1))


def first_part_only(patch: Patch) -> None:
    """Only the first row of a large message is stored."""
    real = parked_rows.of_message
    patch.setattr(parked_rows, "of_message", lambda *args: islice(real(*args), 1))


def names_missing_body(patch: Patch) -> None:
    """The record names a body that the bucket did not take."""

    def stored(bucket: str, message_id: str, envelope: Any, **how: Any) -> dict[str, Any]:
        values, content = record.request(message_id, envelope)
        if content:
            try:
                aws.put_object(bucket, values["body_key"]["S"], content, **how)
            except aws.AwsError:
                pass
        return values

    patch.setattr(record, "_stored", stored)


def bodiless_is_unrecorded(patch: Patch) -> None:
    """A webhook whose body the bucket did not take is not recorded at all."""

    def stored(bucket: str, message_id: str, envelope: Any, **how: Any) -> dict[str, Any]:
        values, content = record.request(message_id, envelope)
        if content:
            aws.put_object(bucket, values["body_key"]["S"], content, **how)
        return values

    patch.setattr(record, "_stored", stored)


# The second line where the first is the lock on the group, which a run does not break.
_LOCKED = "nobody else writes to a group while its lock is held, which the lease makes sure of"
_REPEATED = "a webhook whose delivery is not recorded is delivered again at worst"
_AGAIN_ONLY = "the token of somebody who asks twice only tries the group's head once more"

MUTATIONS: tuple[Mutation, ...] = tuple(
    Mutation(*entry) if isinstance(entry, tuple) else Mutation(entry)
    for entry in (
        stale_state, (stale_rows, _AGAIN), stale_record, fails_open, any_token, one_hold,
        (keeps_hold, World(), _AGAIN_ONLY), settled_is_attempted, (unrecorded, _CALM), no_lease,
        no_lease_at_first, no_lease_later, unattempted_is_done,
        (paused_is_done, World(outages=0.002)), unstored_is_parked, unstored_is_behind,
        deletes_first, opens_early, newest_first, unpadded, one_place,
        token_identity, dropped_is_released, not_one_transaction,
        (same_transaction, _SMALL),
        (hold_unchecked, World(), _LOCKED), (record_unchecked, World(), _LOCKED),
        (state_unchecked, World(), _LOCKED), leaves_parts, (first_part_only, _SMALL),
        (names_missing_body, _BUCKET), (bodiless_is_unrecorded, _BUCKET, _REPEATED),
    )
)  # fmt: skip


def main() -> None:
    """Tries each mutation, or those named; ends with 1 if one is not caught which has to be."""
    survived, named = 0, sys.argv[1:]
    for mutation in MUTATIONS:
        if named and mutation.name not in named:
            continue
        with pytest.MonkeyPatch.context() as patch:
            problems = mutation.caught(patch)
        if problems:
            words = problems[0][:90]
        else:
            survived += not mutation.harmless
            words = f"harmless: {mutation.harmless}" if mutation.harmless else "NOT CAUGHT"
        print(f"{mutation.name:24} {words}", flush=True)
    sys.exit(1 if survived else 0)


if __name__ == "__main__":
    main()
