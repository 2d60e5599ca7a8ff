"""``make soak``: the order of webhooks under concurrency, kills and failures, for 100,000 of them.

Prints each run's seed and what it did; a seed plays the same run again: ``python -m tests.soak
--seed 4711``. Ends with 1 at the first run that loses a webhook or an order.
"""

from __future__ import annotations

import argparse
import random
import sys
import time

import pytest

from tests.lambdas.modelled_run import World, play

_PER_RUN = 500


def world(seed: int) -> World:
    """The world of a seed: one that parks much, or one with 50 invocations at once."""
    chance = random.Random(seed)
    groups, concurrency = chance.choice(((12, 10), (40, 25), (80, 50)))
    return World(
        webhooks=_PER_RUN,
        groups=groups,
        concurrency=concurrency,
        on_park=chance.choice(("message", "group")),
        killed=chance.choice((0.005, 0.02, 0.05)),
        failing=chance.choice((0.01, 0.03, 0.1)),
        late=chance.choice((0.0, 0.02, 0.1)),
        bad=chance.choice((0.01, 0.04, 0.1)),
    )


def main() -> None:
    """Plays runs until enough webhooks were in them."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak")
    parser.add_argument("--webhooks", type=int, default=100_000)
    parser.add_argument("--seed", type=int, help="play this run alone")
    chosen = parser.parse_args()
    first = random.randrange(10**6) if chosen.seed is None else chosen.seed
    runs = 1 if chosen.seed is not None else -(-chosen.webhooks // _PER_RUN)
    started = time.monotonic()
    for seed in range(first, first + runs):
        with pytest.MonkeyPatch.context() as patch:
            run = play(patch, seed, world(seed))
        parked, opened = run.events["webhook.parked"], run.events["group.opened"]
        print(f"seed {seed}: {parked} parked, {opened} groups opened", flush=True)
        if run.problems:
            print("\n".join(run.problems), world(seed), sep="\n")
            sys.exit(1)
    seconds = time.monotonic() - started
    total = runs * _PER_RUN
    print(f"{total} webhooks in {runs} runs, nothing lost, every order kept: {seconds:.0f} s")


if __name__ == "__main__":
    main()
