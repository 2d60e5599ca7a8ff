"""The evaluator again, slow and plain: loops over lists, as AWS's pages read."""

from __future__ import annotations

import math

from alarmproof.base.alarms import Missing, State

Point = float | None


def statistic(window: list[Point], name: str) -> Point:
    """One statistic of the observations in a window; None without any."""
    there = [point for point in window if point is not None]
    if not there:
        return None
    match name:
        case "Sum":
            return sum(there)
        case "Average":
            return sum(there) / len(there)
        case "Minimum":
            return min(there)
        case "Maximum":
            return max(there)
        case "SampleCount":
            return len(there)
    if name.startswith("PR("):
        low, high = name[3:-1].split(":")
        inside = [
            observation
            for observation in there
            if observation > float(low or -math.inf) and observation <= float(high or math.inf)
        ]
        return 100 * len(inside) / len(there)
    share = float(name[1:]) / 100
    ordered = sorted(there)
    return next(
        observation
        for number, observation in enumerate(ordered, start=1)
        if number >= share * len(ordered) - 1e-9
    )


def verdict(window: list[bool | None], m: int, n: int, missing: Missing) -> State | None:
    """What a window of datapoints, the newest last, says; None keeps the state."""
    there = [datapoint for datapoint in window if datapoint is not None]
    if not there:
        return {
            Missing.MISSING: State.INSUFFICIENT_DATA,
            Missing.IGNORE: None,
            Missing.BREACHING: State.ALARM,
            Missing.NOT_BREACHING: State.OK,
        }[missing]
    if len(there) >= n:
        return State.ALARM if sum(there[-n:]) >= m else State.OK
    filled = n - len(there)
    if missing is Missing.BREACHING:
        return State.ALARM if sum(there) + filled >= m else State.OK
    if sum(there) >= m:
        return State.ALARM
    if missing is Missing.NOT_BREACHING or not all(there):
        return State.OK
    oldest = len(window) - window.index(True)
    if oldest < m or missing is Missing.IGNORE:
        return None
    return State.ALARM


def states(
    values: list[Point],
    *,
    name: str,
    period: int,
    threshold: float,
    m: int,
    n: int,
    missing: Missing,
    initial: State,
    beyond: int = 2,
) -> list[State]:
    """The state after each minute of observations, one a minute.

    Args:
        period: minutes.
    """

    def datapoint(end: int) -> Point:
        return statistic(values[max(end - period, 0) : end], name) if end > 0 else None

    state, history = initial, []
    for minute in range(1, len(values) + 1):
        points = [datapoint(minute - back * period) for back in reversed(range(n + beyond))]
        window = [None if point is None else point > threshold for point in points]
        state = verdict(window, m, n, missing) or state
        history.append(state)
    return history
