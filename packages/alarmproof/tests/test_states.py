"""M of N and missing data, as AWS's page has them."""

from __future__ import annotations

import numpy as np
import pytest
from alarmproof.base.alarms import Missing, State
from alarmproof.states import BEYOND, KEEP, STATES, sliding_tally, tally, verdicts

ORDER = (Missing.MISSING, Missing.IGNORE, Missing.BREACHING, Missing.NOT_BREACHING)
OK, ALARM, NONE, KEPT = State.OK, State.ALARM, State.INSUFFICIENT_DATA, None


def _verdict(points: str, m: int, n: int, missing: Missing) -> State | None:
    """The verdict on datapoints in AWS's notation: 0 within, X beyond the threshold, - missing."""
    real = np.array([[point != "-" for point in reversed(points)]])
    breaching = np.array([[point == "X" for point in reversed(points)]])
    [code] = verdicts(tally(real, breaching, n), m, n, missing)
    return None if code == KEEP else STATES[int(code)]


@pytest.mark.parametrize(
    ("points", "m", "expected"),
    [
        ("0-X-X", 3, (OK, OK, OK, OK)),
        ("----0", 3, (OK, OK, OK, OK)),
        ("-----", 3, (NONE, KEPT, ALARM, OK)),
        ("0XX-X", 3, (ALARM, ALARM, ALARM, ALARM)),
        ("--X--", 3, (ALARM, KEPT, ALARM, OK)),
        ("0-X-X", 2, (ALARM, ALARM, ALARM, ALARM)),
        ("00X0X", 2, (ALARM, ALARM, ALARM, ALARM)),
        ("0-X--", 2, (OK, OK, ALARM, OK)),
        ("----0", 2, (OK, OK, ALARM, OK)),
        ("---X-", 2, (ALARM, KEPT, ALARM, OK)),
    ],
)
def test_aws_s_own_examples(points: str, m: int, expected: tuple[State | None, ...]) -> None:
    """The published tables for 3 periods and an evaluation range of 5 come out as printed.

    Source: CloudWatch user guide, "Configuring how CloudWatch alarms treat missing data".
    """
    assert tuple(_verdict(points, m, 3, missing) for missing in ORDER) == expected


@pytest.mark.parametrize("points", ["----X", "---X-"])
def test_one_bad_datapoint_waits_for_the_next(points: str) -> None:
    """The page's false alarm that is avoided: what is newer may still be fine."""
    assert _verdict(points, 3, 3, Missing.MISSING) is KEPT
    assert _verdict(points, 3, 3, Missing.IGNORE) is KEPT


def test_more_data_than_needed_is_not_looked_at() -> None:
    """With N datapoints there, older ones don't count, whatever they say."""
    for missing in ORDER:
        assert _verdict("XX000", 1, 3, missing) is OK
        assert _verdict("X-000", 1, 3, missing) is OK
        assert _verdict("X0-00", 1, 3, missing) is OK
        assert _verdict("0X-00", 1, 3, missing) is ALARM


@pytest.mark.parametrize("seed", range(20))
def test_ranges_that_overlap_are_tallied_like_ranges_one_by_one(seed: int) -> None:
    """Whatever is missing, however far apart datapoints and evaluations are."""
    random = np.random.default_rng(seed)
    n, stride = int(random.integers(1, 9)), int(random.integers(1, 6))
    width = n + BEYOND
    real = random.random((width - 1) * stride + 40) < random.random()
    breaching = real & (random.random(len(real)) < random.random())
    ends = np.arange((width - 1) * stride, len(real), int(random.integers(1, 4)))
    index = ends[:, None] - stride * np.arange(width)[None, :]
    expected = tally(real[index], breaching[index], n)
    tallies = sliding_tally(real, breaching, n, ends=ends, stride=stride, width=width)
    there = expected.count > 0
    assert np.array_equal(tallies.oldest[there], expected.oldest[there])
    for name in ("count", "bad", "whole"):
        assert np.array_equal(getattr(tallies, name), getattr(expected, name))
