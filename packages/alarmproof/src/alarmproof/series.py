"""From recorded series to datapoints: a statistic of a period that ends at each evaluation.

A period's window slides: an alarm of period 300 is evaluated every minute on the last five
minutes. Source: CloudWatch user guide, "Alarm evaluation".
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from alarmproof import trimming
from alarmproof.base.arrays import Counts, Times, Values
from alarmproof.base.errors import NotSupportedError
from alarmproof.base.metric_data import Series

MINUTE = 60
_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d+)?|100)")
_RANK = re.compile(r"PR\((\d+(?:\.\d+)?)?:(\d+(?:\.\d+)?)?\)")
# What series an anomaly band is given as.
BAND_STATISTICS = ("band-lower", "band-upper")
# Windows that are sorted at once, in values: what a percentile may take of the memory.
_CHUNK = 2_000_000
# Values that one statistic is made of: four years of minutes.
_MOST = 2_200_000


def datapoints(
    given: Sequence[Series],
    statistic: str,
    period: int,
    *,
    first: int,
    count: int,
    every: int = MINUTE,
) -> Values:
    """A statistic's value for the periods that end at ``first``, ``first + every``, …; NaN without.

    Args:
        given: all series of one metric.
        period: seconds.
        every: seconds between two ends.

    Raises:
        NotSupportedError: When the statistic can't be made of what was recorded; it says what to
            record.
    """
    if not given:
        return np.full(count, np.nan)
    given = [_refined(series, period) for series in given]
    recorded = {series.statistic: series for series in given if series.statistic}
    observed = next((series for series in given if series.statistic is None), None)
    for series in given:
        if series.step > period:
            raise NotSupportedError(
                f"{series.metric}: recorded every {series.step} s, which is too coarse for a "
                f"period of {period} s. Record it every {period} s at least."
            )

    def windows(series: Series, make: Callable[[Values, int], Values]) -> Values:
        return _windows(series, make, period, first + every * np.arange(count))

    if statistic in recorded:
        chosen = recorded[statistic]
        if statistic in _FOLDS:
            return windows(chosen, _FOLDS[statistic])
        if chosen.step == period:
            return windows(chosen, lambda values, _: values)
        counts = recorded.get("SampleCount")
        additive = statistic == "Average" or _RANK.fullmatch(statistic)
        if additive and counts and (counts.step, counts.start) == (chosen.step, chosen.start):
            return _ratio(windows(_weighted(chosen, counts), _sum), windows(counts, _sum))
    if observed:
        return windows(observed, _of_observations(observed, statistic))
    if statistic == "Average" and {"Sum", "SampleCount"} <= recorded.keys():
        return _ratio(windows(recorded["Sum"], _sum), windows(recorded["SampleCount"], _sum))
    have = ", ".join(sorted(recorded))
    raise NotSupportedError(
        f"{given[0].metric}: {statistic} over {period} s can't be made of {have} every "
        f"{given[0].step} s. Record {statistic} every {period} s."
    )


def _weighted(averages: Series, counts: Series) -> Series:
    """The sums behind averages, or shares, of as many samples as were counted."""
    length = min(len(averages.values), len(counts.values))
    return Series(
        averages.metric,
        None,
        averages.start,
        averages.step,
        averages.values[:length] * counts.values[:length],
    )


def _refined(series: Series, period: int) -> Series:
    """Observations of full minutes for a period below a minute: one of its periods has each.

    Source: CloudWatch API reference, PutMetricAlarm, Period: of a metric without sub-minute
    resolution such an alarm "does not receive data for the attempts that do not correspond to a
    one-minute data resolution".
    """
    if series.statistic is not None or series.step <= period or series.step != MINUTE:
        return series
    times = series.step // period
    values = np.full((len(series.values), times), np.nan)
    values[:, 0] = series.values
    return dataclasses.replace(series, step=period, values=values.ravel())


def _windows(
    series: Series, make: Callable[[Values, int], Values], period: int, ends_at: Times
) -> Values:
    """Windows of whole steps; between two steps the last whole one holds."""
    step = series.step
    if period % step:
        raise NotSupportedError(
            f"{series.metric}: recorded every {step} s, and a period of {period} s is not a "
            "multiple of that. Record it every 60 s."
        )
    width = period // step
    ends = (ends_at - series.start) // step
    low, high = int(ends[0]) - width, int(ends[-1])
    if high - low > _MOST:
        raise NotSupportedError(
            f"{series.metric}: a period of {period} s and this many evaluations need more than "
            f"{_MOST:,} values."
        )
    values = np.full(high - low, np.nan)
    begin, end = max(low, 0), min(high, len(series.values))
    if begin < end:
        values[begin - low : end - low] = series.values[begin:end]
    made: Values = make(values, width)[ends - ends[0]]
    return made


def _ratio(total: Values, counts: Values) -> Values:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(counts > 0, total / counts, np.nan)


def _fold(values: Values, width: int, operation: Callable[[Values, Values], Values]) -> Values:
    """An operation over every window of a width, by doubling: no rounding error builds up."""
    length = len(values) - width + 1
    block, size, offset = values, 1, 0
    result: Values | None = None
    while width:
        if width & size:
            part = block[offset : offset + length]
            result = part.copy() if result is None else operation(result, part)
            offset += size
            width -= size
        if width:
            block = operation(block[:-size], block[size:])
            size *= 2
    assert result is not None
    return result


def _present(values: Values, width: int) -> Values:
    return _fold((~np.isnan(values)).astype(np.float64), width, np.add)


def _sum(values: Values, width: int) -> Values:
    if width == 1:
        return values
    total = _fold(np.nan_to_num(values), width, np.add)
    return np.where(_present(values, width) > 0, total, np.nan)


def _extreme(operation: Callable[[Values, Values], Values]) -> Callable[[Values, int], Values]:
    return lambda values, width: _fold(values, width, operation)


# Statistics that are made of themselves over a longer period.
_FOLDS: Mapping[str, Callable[[Values, int], Values]] = {
    "Sum": _sum,
    "SampleCount": _sum,
    "Maximum": _extreme(np.fmax),
    "Minimum": _extreme(np.fmin),
}


def _of_observations(series: Series, statistic: str) -> Callable[[Values, int], Values]:
    if statistic == "SampleCount":
        return lambda values, width: _positive(_present(values, width))
    if statistic in _FOLDS:
        return _FOLDS[statistic]
    if statistic == "Average":
        return lambda values, width: _ratio(_sum(values, width), _present(values, width))
    if match := _PERCENTILE.fullmatch(statistic):
        share = float(match[1]) / 100
        return lambda values, width: _percentile(values, width, share)
    if match := _RANK.fullmatch(statistic):
        low = float(match[1]) if match[1] else -np.inf
        high = float(match[2]) if match[2] else np.inf
        return lambda values, width: _rank(values, width, low, high)
    if trim := trimming.parse(statistic):
        return lambda values, width: _sorted_windows(values, width, trim.made)
    raise NotSupportedError(f"{series.metric}: {refusal(statistic)}")


def refusal(statistic: str) -> str:
    """Why no values can be made of a statistic; empty where it is supported."""
    if (
        statistic in (*_FOLDS, "Average")
        or _PERCENTILE.fullmatch(statistic)
        or _RANK.fullmatch(statistic)
        or trimming.parse(statistic)
    ):
        return ""
    return (
        f"the statistic {statistic[:40]} is not supported. Supported are Sum, Average, Minimum, "
        "Maximum, SampleCount, percentiles (p99), percentile ranks (PR(:300)), IQM, and trimmed "
        "statistics (tm99, TM(10%:90%), TC(:300), ts90, wm98, …)."
    )


def _positive(counts: Values) -> Values:
    return np.where(counts > 0, counts, np.nan)


def _percentile(values: Values, width: int, share: float) -> Values:
    """The smallest value that at least a share of the values do not exceed."""
    if width == 1:
        return values

    def made(ordered: Values, counts: Counts) -> Values:
        index = np.clip(np.ceil(share * counts - 1e-9).astype(int) - 1, 0, width - 1)
        return np.take_along_axis(ordered, index[:, None], axis=1)[:, 0]

    return _sorted_windows(values, width, made)


def _sorted_windows(values: Values, width: int, made: Callable[[Values, Counts], Values]) -> Values:
    """What is made of each window's values in order, NaN last, and of how many they are."""
    result = np.empty(len(values) - width + 1)
    every = sliding_window_view(values, width)
    rows = max(1, _CHUNK // width)
    for begin in range(0, len(result), rows):
        ordered = np.sort(every[begin : begin + rows], axis=1)
        counts = np.count_nonzero(~np.isnan(ordered), axis=1)
        result[begin : begin + rows] = made(ordered, counts)
    return result


def _rank(values: Values, width: int, low: float, high: float) -> Values:
    """The percentage of values above ``low`` and up to ``high``.

    Source: CloudWatch user guide, "CloudWatch statistics definitions": the lower bound is
    exclusive, the upper one inclusive.
    """
    inside = np.where(np.isnan(values), np.nan, 100.0 * ((values > low) & (values <= high)))
    return _ratio(_sum(inside, width), _present(values, width))
