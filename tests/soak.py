"""``make soak``: the order of webhooks under concurrency, kills and failures, for 100,000 of them.

Prints what each run did and, at the end, what all did; ends with 1 at the first that loses a
webhook or an order. ``python -m tests.soak --seed 4711`` plays one run again, ``--resume`` goes on
where a soak at the same commit was stopped.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from settings.paths import ROOT
from tests.lambdas.modelled_run import World, play

_PER_RUN = 500
_FILE = ROOT / ".build" / "soak.jsonl"


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


def counted(seed: int) -> Counter[str]:
    """Plays a run; what it did, counted.

    Raises:
        SystemExit: When it lost a webhook or an order.
    """
    started = time.monotonic()
    with pytest.MonkeyPatch.context() as patch:
        run = play(patch, seed, world(seed))
    if run.problems:
        print(f"seed {seed}:", *run.problems, world(seed), sep="\n")
        sys.exit(1)
    counts = Counter(run.counts)
    counts["parked"] = run.events["webhook.parked"]
    counts["groups opened"] = run.events["group.opened"]
    counts["milliseconds"] = round(1000 * (time.monotonic() - started))
    return counts


def _commit() -> str:
    asked = ["git", "-C", str(ROOT), "describe", "--always", "--dirty"]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()


def _before(file: Path, commit: str) -> dict[int, Counter[str]]:
    """The runs of a soak at a commit, by their seeds; half a line at the end is left."""
    lines = file.read_text().split("\n")[:-1] if file.exists() else []
    runs = [json.loads(line) for line in lines]
    return {run["seed"]: Counter(run["counts"]) for run in runs if run["commit"] == commit}


def main() -> None:
    """Plays runs until enough webhooks were in them."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak")
    parser.add_argument("--webhooks", type=int, default=100_000)
    parser.add_argument("--seed", type=int, help="play this run alone")
    parser.add_argument("--resume", action="store_true", help=f"keep the runs in {_FILE.name}")
    chosen = parser.parse_args()
    if chosen.seed is not None:
        print(f"seed {chosen.seed}: {_words(counted(chosen.seed))}")
        return
    commit = _commit()
    runs = _before(_FILE, commit) if chosen.resume else {}
    _FILE.parent.mkdir(exist_ok=True)
    with _FILE.open("a" if runs else "w") as kept:
        seed = max(runs, default=random.randrange(10**6))
        while len(runs) * _PER_RUN < chosen.webhooks:
            seed += 1
            runs[seed] = counted(seed)
            print(f"seed {seed}: {_words(runs[seed])}", flush=True)
            kept.write(json.dumps({"commit": commit, "seed": seed, "counts": runs[seed]}) + "\n")
            kept.flush()
    total = sum(runs.values(), Counter[str]())
    print(
        f"{len(runs) * _PER_RUN:,} webhooks in {len(runs)} runs at {commit}, nothing lost, every "
        f"order kept, in {total['milliseconds'] / 1000:.0f} s: {_words(total)}"
    )


def _words(counts: Counter[str]) -> str:
    """``12 dropped, 3 killed``."""
    return ", ".join(
        f"{number:,} {name}" for name, number in sorted(counts.items()) if name != "milliseconds"
    )


if __name__ == "__main__":
    main()
