"""How webhooks fare beside others that hang, and in an outage: ``python -m tests.bench_fairness``.

The real ``subscribe`` in a modelled queue on a virtual clock, with the defaults of settings and ten
slots; each case without what ``lambdas/fairness.py`` does, with it, and with containers that open
their breakers whatever the others deliver. Takes three minutes.
"""

from __future__ import annotations

import argparse

import pytest

from lambdas import fairness
from tests.lambdas.modelled_failure import Failure, Timetable, play

_SETTLED = 10
_STARVING = Timetable(hanging=400, pace=60, until=40)
_DOWN = Timetable(hanging=0, pace=60, down=60, until=80)


# For each variant: whether there are limits, and for how long a delivery by another container keeps
# the breaker closed.
_VARIANTS = (
    ("limits off", False, fairness._RECENT_SECONDS),
    ("limits on", True, fairness._RECENT_SECONDS),
    ("each alone", True, 0.0),
)


def _played(seed: int, timetable: Timetable, *, fair: bool, recent: float) -> Failure:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fairness, "_RECENT_SECONDS", recent)
        run = play(patch, seed, timetable, fair=fair)
    assert not run.problems, run.problems
    return run


def _starving(run: Failure) -> str:
    late, waiting = run.after(_SETTLED), run.waiting
    return (
        f"p50 {late[len(late) // 2]:.1f} s, p99 {late[int(len(late) * 0.99)]:.1f} s; "
        f"{len(waiting)} wait at the end, the longest {max(waiting, default=0):.0f} s"
    )


def _down(run: Failure) -> str:
    failed = run.attempts - len(run.lags)
    return (
        f"{failed} attempts failed and took {run.hung / 60:.0f} of "
        f"{_DOWN.slots * _DOWN.down:.0f} min; "
        f"{run.events['webhook.paused']} put back; all delivered {run.drained_after:.0f} s after it"
    )


def main() -> None:
    """Plays each case in its variants and prints it."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench_fairness")
    parser.add_argument("--seed", type=int, default=1)
    seed = parser.parse_args().seed
    for title, timetable, described in (
        (f"{_STARVING.hanging} webhooks that time out beside {_STARVING.pace} good ones a minute; "
         f"lag of good ones after {_SETTLED} min", _STARVING, _starving),
        (f"nothing answers for {_DOWN.down} min, {_DOWN.pace} webhooks a minute", _DOWN, _down),
    ):  # fmt: skip
        print(f"{title}:")
        for name, fair, recent in _VARIANTS:
            run = _played(seed, timetable, fair=fair, recent=recent)
            print(f"  {name:10}  {described(run)}", flush=True)


if __name__ == "__main__":
    main()
