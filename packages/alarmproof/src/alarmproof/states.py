"""From datapoints to states: M of N, missing data, transitions.

Source: CloudWatch user guide, "Configuring how CloudWatch alarms treat missing data", and its
examples, which ``tests/test_states.py`` has as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alarmproof.base.alarms import Missing, State
from alarmproof.base.arrays import Counts, Values

Flags = NDArray[np.bool_]
Codes = NDArray[np.int8]

# How many datapoints are looked at beyond the N that decide. AWS says only that there are more;
# in its examples there are two.
BEYOND = 2

KEEP, OK, ALARM, INSUFFICIENT_DATA = range(4)
STATES: Mapping[int, State] = {
    OK: State.OK,
    ALARM: State.ALARM,
    INSUFFICIENT_DATA: State.INSUFFICIENT_DATA,
}

COMPARISONS: Mapping[str, Callable[[Values, float | Values], Flags]] = {
    "GreaterThanThreshold": np.greater,
    "GreaterThanOrEqualToThreshold": np.greater_equal,
    "LessThanThreshold": np.less,
    "LessThanOrEqualToThreshold": np.less_equal,
}


@dataclass(frozen=True, slots=True)
class Tally:
    """What decides, for each evaluation range.

    Attributes:
        count: datapoints that are there.
        bad: of the N newest of these, those that breach.
        oldest: which datapoint the oldest one that is there is; 1 is the newest of the range.
        whole: whether the N newest datapoints of the range are all there.
    """

    count: Counts
    bad: Counts
    oldest: Counts
    whole: Flags


def tally(real: Flags, breaching: Flags, n: int) -> Tally:
    """The tally of ranges that are given one by one.

    Args:
        real: (ranges, datapoints), the newest datapoint first; whether there is one.
        breaching: of the same shape; False where there is none.
    """
    # The N newest that are there decide, however far back they are.
    newest = np.cumsum(real, axis=1) <= n
    return Tally(
        count=real.sum(axis=1),
        bad=(breaching & newest).sum(axis=1),
        oldest=real.shape[1] - np.argmax(real[:, ::-1], axis=1),
        whole=np.logical_and.reduce(real[:, :n], axis=1),
    )


def sliding_tally(
    real: Flags, breaching: Flags, n: int, *, ends: Counts, stride: int, width: int
) -> Tally:
    """The same of ranges that overlap, in time that does not depend on how long they are.

    Args:
        real: of each datapoint, the newest last; whether there is one.
        breaching: of the same shape; False where there is none.
        ends: where the newest datapoint of each range is; the oldest is not before the first.
        stride: from one datapoint of a range to the next.
        width: datapoints of a range.
    """
    # Datapoints that are a stride apart are put beside each other.
    rows = -(-len(real) // stride)
    padding = (0, rows * stride - len(real))
    there, bad = (
        np.pad(flags, padding).reshape(rows, stride).T.ravel() for flags in (real, breaching)
    )
    last = ends % stride * rows + ends // stride + 1
    counted = np.concatenate(([0], np.cumsum(there)))
    places = np.flatnonzero(there)
    worse = np.concatenate(([0], np.cumsum(bad[places])))
    newest, before = counted[last], counted[last - width]
    # The N newest that are there decide, however far back they are.
    decisive = np.maximum(newest - n, before)
    oldest = np.append(places, -1)[before]
    return Tally(
        count=newest - before,
        bad=worse[newest] - worse[decisive],
        oldest=last - oldest,
        whole=newest - counted[last - n] == n,
    )


def verdicts(tallies: Tally, m: int, n: int, missing: Missing) -> Codes:
    """Each evaluation range's verdict on the state.

    Args:
        m: datapoints that must breach, of the
        n: newest ones.
    """
    count, bad, oldest = tallies.count, tallies.bad, tallies.oldest
    gaps = np.maximum(n - count, 0)
    if missing is Missing.BREACHING:
        return np.where(bad + gaps >= m, ALARM, OK).astype(np.int8)
    if missing is Missing.NOT_BREACHING:
        return np.where(bad >= m, ALARM, OK).astype(np.int8)
    result = np.where(bad >= m, ALARM, OK)
    # Only breaching ones, and fewer than M: the next may be fine, so wait, unless the oldest of
    # them is as old as M datapoints.
    undecided = (gaps > 0) & (bad < m) & (bad == count)
    ignored = missing is Missing.IGNORE
    premature = undecided & (oldest < m)
    result = np.where(undecided, KEEP if ignored else ALARM, result)
    result = np.where(premature, KEEP, result)
    nothing = count == 0
    return np.where(nothing, KEEP if ignored else INSUFFICIENT_DATA, result).astype(np.int8)


def states(codes: Codes, initial: State) -> Codes:
    """The state after each verdict, where one may say to keep what was before."""
    first = next(code for code, state in STATES.items() if state is initial)
    padded = np.concatenate(([np.int8(first)], codes))
    decided = np.where(padded == KEEP, 0, np.arange(len(padded)))
    result: Codes = padded[np.maximum.accumulate(decided)]
    return result
