"""``make bench``: what cfn-lint adds to ``webhook-buffer synth``, as people wait for it.

``python -m tests.bench_synth``, on two free cores. Runs with and without it alternate, so that a
machine that slows down slows both.
"""

from __future__ import annotations

import statistics
import sys
from pathlib import Path

from tests.bench_startup import timed
from webhook_buffer.operations.template_lint import SKIP

_RUNS = 5
_ASKED = 4.0  # seconds
_SYNTH = [str(Path(sys.executable).with_name("webhook-buffer")), "synth", "--env", "stg"]


def main() -> None:
    """Measures and prints medians."""
    pairs = [(timed(_SYNTH), timed([*_SYNTH, SKIP])) for _ in range(_RUNS)]
    linted, plain = (statistics.median(side) for side in zip(*pairs, strict=True))
    added = statistics.median(one - other for one, other in pairs)
    print(f"synth: {linted:.1f} s; {SKIP}: {plain:.1f} s")
    print(f"cfn-lint adds {added:.1f} s (median of {_RUNS} pairs; asked for: {_ASKED:g} s)")


if __name__ == "__main__":
    main()
