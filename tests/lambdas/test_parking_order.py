"""Nothing is lost and no group loses its order, whatever is killed, fails, or is released.

The real handler runs in a modelled queue (``modelled_run.py``). ``make soak`` plays more of the
same. A seed that fails is played again with ``python -m tests.soak --seed N``.
"""

from __future__ import annotations

import os

import pytest

from tests.lambdas.modelled_run import World, play
from tests.lambdas.parking_mutations import MUTATIONS, Mutation

# 5,000 webhooks in all: see ``test_five_thousand``.
_WORLDS = [
    *[(seed, World(on_park=mode)) for mode in ("message", "group") for seed in range(6)],
    *[(6, World(on_park=mode, groups=4, sending=0.04)) for mode in ("message", "group")],
    *[
        (seed, World(webhooks=500, groups=80, concurrency=50, outages=0.002, on_park=mode))
        for seed, mode in ((100, "message"), (101, "message"), (102, "group"))
    ],
]
# ``make test-fast`` plays these of each kind, too.
_FAST = {0, 102}
_CALM = World(killed=0, failing=0, late=0)
# The mutations that show in the first runs; ``make soak`` tries all.
_QUICK = (
    "stale_state", "fails_open", "any_token", "settled_is_attempted", "no_lease", "deletes_first",
    "not_one_transaction", "paused_is_done",
)  # fmt: skip


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


@pytest.mark.parametrize(
    "mutation",
    [mutation for mutation in MUTATIONS if mutation.name in _QUICK],
    ids=lambda mutation: mutation.name,
)
def test_shortcuts_are_caught(monkeypatch: pytest.MonkeyPatch, mutation: Mutation) -> None:
    """Each shortcut in the protocol breaks what ``test_order`` asserts."""
    environ = dict(os.environ)
    assert mutation.caught(monkeypatch)
    assert os.environ == environ
