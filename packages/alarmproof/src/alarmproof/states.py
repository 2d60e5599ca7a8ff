"""From datapoints to states: M of N, missing data, transitions.

Source: CloudWatch user guide, "Configuring how CloudWatch alarms treat missing data", and its
examples, which ``tests/test_states.py`` has as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from alarmproof.alarms import Missing, State
from alarmproof.arrays import Values

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


def verdicts(real: Flags, breaching: Flags, m: int, n: int, missing: Missing) -> Codes:
    """Each window's verdict on the state.

    Args:
        real: (windows, datapoints), the newest datapoint first; whether there is one.
        breaching: of the same shape; False where there is none.
        m: datapoints that must breach, of the
        n: newest ones.
    """
    count = real.sum(axis=1)
    # The N newest that are there decide, however far back they are.
    newest = np.cumsum(real, axis=1) <= n
    bad = (breaching & newest).sum(axis=1)
    gaps = np.maximum(n - count, 0)
    if missing is Missing.BREACHING:
        return np.where(bad + gaps >= m, ALARM, OK).astype(np.int8)
    if missing is Missing.NOT_BREACHING:
        return np.where(bad >= m, ALARM, OK).astype(np.int8)
    result = np.where(bad >= m, ALARM, OK)
    # Only breaching ones, and fewer than M: the next may be fine, so wait, unless the oldest of
    # them is as old as M datapoints.
    width = real.shape[1]
    oldest = width - np.argmax(real[:, ::-1], axis=1)
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
