"""Numbers of the last periods, against plain loops."""

from __future__ import annotations

import math

import hypothesis.strategies as st
import numpy as np
import pytest
from alarmproof.math_reductions import over_time
from hypothesis import example, given, settings

NAMES = ("SUM", "AVG", "MIN", "MAX", "STDDEV", "DATAPOINT_COUNT")
VALUES = st.lists(st.one_of(st.just(math.nan), st.integers(-9, 9)), min_size=1, max_size=20)


def _slowly(name: str, window: list[float]) -> float:
    present = [value for value in window if not math.isnan(value)]
    if name == "DATAPOINT_COUNT":
        return len(present)
    if not present:
        return math.nan
    mean = sum(present) / len(present)
    return {
        "SUM": sum(present),
        "AVG": sum(present) / len(window),
        "MIN": min(present),
        "MAX": max(present),
        "STDDEV": math.sqrt(sum((value - mean) ** 2 for value in present) / len(present)),
    }[name]


@settings(deadline=None)
@example(name="STDDEV", values=[math.nan, math.nan, 3, 3, 3], points=3)
@given(name=st.sampled_from(NAMES), values=VALUES, points=st.integers(1, 25))
def test_equals_plain_loops(name: str, values: list[float], points: int) -> None:
    """Each point is reduced with those before it, as many as there are."""
    expected = [
        _slowly(name, values[max(0, index - points + 1) : index + 1])
        for index in range(len(values))
    ]
    reduced = over_time(name, np.array([values], dtype=float), points)[0]
    assert list(reduced) == pytest.approx(expected, nan_ok=True)
