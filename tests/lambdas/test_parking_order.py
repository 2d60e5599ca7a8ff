"""Nothing is lost and no group loses its order, whatever is killed, fails, or is released.

The real handler runs in a modelled queue (``modelled_run.py``). ``make soak`` plays more of the
same. A seed that fails is played again with ``python -m tests.soak --seed N``.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from typing import Any

import pytest

from lambdas import attempts, aws, fairness, group_state, lease, parking, release
from tests.lambdas.modelled_run import World, loaded, play

# 5,000 webhooks in all: see ``test_five_thousand``.
_WORLDS = [
    *[(seed, World(on_park=mode)) for mode in ("message", "group") for seed in range(7)],
    *[
        (seed, World(webhooks=500, groups=80, concurrency=50, outages=0.002, on_park=mode))
        for seed, mode in ((100, "message"), (101, "message"), (102, "group"))
    ],
]
# Of each kind, these are played by ``make test-fast`` too.
_FAST = {0, 1, 102}
_CALM = World(killed=0, failing=0, late=0)
# Runs in which a mutation has to show; each alone shows in most of them.
_MUTATED = 6

Mutation = Callable[[pytest.MonkeyPatch], None]


@pytest.mark.parametrize(
    ("seed", "world"),
    [
        pytest.param(seed, world, marks=[] if seed in _FAST else pytest.mark.slow)
        for seed, world in _WORLDS
    ],
)
def test_order(monkeypatch: pytest.MonkeyPatch, seed: int, world: World) -> None:
    """Every webhook is delivered in order, goes aside, or was dropped by a person."""
    run = play(monkeypatch, seed, world)
    assert not run.problems, f"seed {seed}: {run.problems}"
    assert run.events["webhook.parked"]
    assert run.events["group.opened"]
    assert run.events["webhook.paused"] or world.outages < 0.001


def test_five_thousand() -> None:
    """The runs above have as many webhooks as the README says."""
    assert sum(world.webhooks for _, world in _WORLDS) == 5000


def test_without_kills_nothing_is_delivered_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no call fails and no invocation ends early, each webhook is delivered exactly once."""
    assert not play(monkeypatch, 1, _CALM).problems


def _stale_reads(patch: pytest.MonkeyPatch) -> None:
    """The group's state is read with eventual consistency."""
    real, chance = group_state.read, random.Random(1)
    before: dict[str, Any] = {}

    def read(table: str, group: str) -> Any:
        now = real(table, group)
        old = before.get(group, now)
        before[group] = now
        return old if chance.random() < 0.3 else now

    patch.setattr(group_state, "read", read)


def _fails_open(patch: pytest.MonkeyPatch) -> None:
    """A state that can't be read counts as open."""
    real = group_state.read

    def read(table: str, group: str) -> Any:
        try:
            return real(table, group)
        except aws.AwsError:
            return None

    patch.setattr(group_state, "read", read)


def _any_token(patch: pytest.MonkeyPatch) -> None:
    """A token releases a hold that it does not name."""
    real = release._Release.group

    def group(self: Any, hold_id: str) -> bool:
        hold = group_state.read(self._config.parking, self._message.group_id)
        return real(self, hold.id if hold else hold_id)

    patch.setattr(release._Release, "group", group)


def _no_record(patch: pytest.MonkeyPatch) -> None:
    """What the record calls settled is attempted again."""
    real = attempts.read

    def read(*args: Any, **how: Any) -> attempts.History:
        return real(*args, **how)._replace(delivered=False, settled="")

    patch.setattr(attempts, "read", read)


def _no_lease(patch: pytest.MonkeyPatch) -> None:
    """An invocation that comes late attempts its message all the same."""
    patch.setattr(lease, "hold", lambda *_, **__: None)


def _delete_first(patch: pytest.MonkeyPatch) -> None:
    """A row leaves the store before its webhook is delivered."""
    real = release._Release._one

    def one(self: Any, parked: Any, hold: Any) -> Any:
        parking.remove(self._config, self._message, parked)
        return real(self, parked, hold)

    patch.setattr(release._Release, "_one", one)


def _not_one_transaction(patch: pytest.MonkeyPatch) -> None:
    """The parts of what is parked are written one after the other, in the worst order."""

    def transact(_: Any, actions: list[dict[str, Any]]) -> None:
        for action in reversed(actions):
            [(name, request)] = action.items()
            if name != "ConditionCheck":
                parking._call(f"{name}Item", request)

    patch.setattr(parking, "_transact", transact)


def _paused_is_done(patch: pytest.MonkeyPatch) -> None:
    """What is not attempted for others' sake leaves the queue."""

    class PausedError(Exception):
        pass

    subscribe = loaded(patch)
    pause, done = fairness.Container.pause, subscribe._done

    def raised(*args: Any, **how: Any) -> None:
        if pause(*args, **how):
            raise PausedError

    def forgotten(*args: Any) -> Any:
        try:
            return done(*args)
        except PausedError:
            return True

    patch.setattr(fairness.Container, "pause", raised)
    patch.setattr(subscribe, "_done", forgotten)


@pytest.mark.parametrize(
    "mutation",
    [
        _stale_reads, _fails_open, _any_token, _no_record, _no_lease, _delete_first,
        _not_one_transaction, _paused_is_done,
    ],
)  # fmt: skip
def test_shortcuts_are_caught(monkeypatch: pytest.MonkeyPatch, mutation: Mutation) -> None:
    """Each shortcut in the protocol breaks what ``test_order`` asserts."""
    environ = dict(os.environ)
    with monkeypatch.context() as patch:
        mutation(patch)
        # By the same patch: undone by two, variables that both set would stay.
        assert any(
            play(patch, seed, World(on_park=mode)).problems
            for seed in range(_MUTATED)
            for mode in ("message", "group")
        )
    assert os.environ == environ
