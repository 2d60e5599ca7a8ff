"""Statistics by the minute are kept in arrays, and are those of the values all the same."""

from __future__ import annotations

import math
from array import array

import numpy as np
import pytest
from alarmproof.base.errors import NotSupportedError

from tests.webhook_buffer.live.test_observations import START
from webhook_buffer.live.cells import Cells, statistics_of
from webhook_buffer.live.columns import Column

_KEY = ("WebhookBuffer", "BackendDuration", "")


def _cells() -> Cells:
    cells = Cells({})
    for minute, values in {0: (1.0, 3.0), 1: (10.0,), 4: (2.0, 4.0, 6.0, 8.0)}.items():
        for value in values:
            cells.add(_KEY, START + 60 * minute + 5, value)
    return cells


def _listed(cells: Cells, statistic: str, *, step: int = 60, count: int = 5) -> list[float | None]:
    values = cells.statistics(_KEY, statistic, start=START, count=count, step=step)
    return [None if math.isnan(value) else value for value in values]


def test_a_late_value_changes_its_minute() -> None:
    """And no other one, whatever was asked before."""
    cells = _cells()
    assert _listed(cells, "Sum") == [4.0, 10.0, None, None, 20.0]
    cells.add(_KEY, START + 61, 5.0)
    cells.add(_KEY, START + 60 * 3, 1.0)
    assert _listed(cells, "Sum") == [4.0, 15.0, None, 1.0, 20.0]


@pytest.mark.parametrize(
    ("statistic", "expected"),
    [
        ("Sum", [14.0, 20.0]), ("SampleCount", [3.0, 4.0]), ("Maximum", [10.0, 8.0]),
        ("Minimum", [1.0, 2.0]), ("Average", [14 / 3, 5.0]), ("p100", [10.0, 8.0]),
    ],
)  # fmt: skip
def test_longer_buckets_are_of_all_their_values(statistic: str, expected: list[float]) -> None:
    """An average is not the average of averages."""
    assert _listed(_cells(), statistic, step=180, count=2) == pytest.approx(expected)


def test_many_minutes_at_once_are_each_of_their_own() -> None:
    """Groups of different lengths are reduced as if each were alone."""
    random = np.random.default_rng(1)
    groups = [array("d", random.exponential(10.0, size)) for size in (1, 7, 300, 2, 40)]
    for statistic in ("p50", "p99", "Average", "PR(5:)"):
        alone = [statistics_of([group], statistic)[0] for group in groups]
        assert statistics_of(groups, statistic) == pytest.approx(alone)


def test_what_was_measured_elsewhere_is_taken_as_it_is() -> None:
    """Longer buckets weigh averages by the counts; a percentile can't be made of others."""
    cells = Cells({})
    for minute, (average, count, high) in enumerate([(1.0, 3.0, 9.0), (5.0, 1.0, 5.0)]):
        for name, value in (("Average", average), ("SampleCount", count), ("p99", high)):
            cells.state(_KEY, name, START + 60 * minute, value)
    assert _listed(cells, "p99", count=2) == [9.0, 5.0]
    assert _listed(cells, "Average", step=120, count=1) == [2.0]
    with pytest.raises(NotSupportedError):
        _listed(cells, "p99", step=120, count=1)
    assert {name: pairs for _, name, pairs in cells.stated()}["p99"] == [
        (START, 9.0), (START + 60, 5.0),
    ]  # fmt: skip


def test_a_column_keeps_the_newest() -> None:
    """However far apart minutes are, it takes no more room; what is too old is dropped."""
    column = Column()
    for minute in (START, START + 60 * 10_000_000, START - 60 * 10_000_000, START + 60 * 9_999_990):
        column.put(minute, 1.0)
    assert [at for at, _ in column.pairs()] == [
        START + 60 * 9_999_990, START + 60 * 10_000_000,
    ]  # fmt: skip
