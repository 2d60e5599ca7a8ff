"""Statistics of a part of the values: trimmed mean, count and sum; winsorized mean; IQM.

Source: CloudWatch user guide, "CloudWatch statistics definitions". A bound is a percentage of the
values or a value; the lower one is exclusive, the upper one inclusive. Of a share that is not a
whole number of values the next larger number is kept; AWS does not say how it rounds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from alarmproof.base.arrays import Counts, Values

_SHORT = re.compile(r"(tm|tc|ts|wm)(\d{1,2}(?:\.\d{1,10})?|100)")
_NUMBER = r"(-?\d{1,15}(?:\.\d{1,10})?)?"
_LONG = re.compile(rf"(TM|TC|TS|WM)\({_NUMBER}(%?):{_NUMBER}(%?)\)")


@dataclass(frozen=True, slots=True)
class Trim:
    """A statistic of a part of the values.

    Attributes:
        name: ``TM`` (mean), ``TC`` (count), ``TS`` (sum) or ``WM`` (winsorized mean).
        low, high: shares from 0 to 1, or values.
        shares: whether they are shares.
    """

    name: str
    low: float
    high: float
    shares: bool

    def made(self, ordered: Values, counts: Counts) -> Values:
        """The statistic of each row of values in order, NaN last; NaN where none is left."""
        if self.shares:
            first = np.floor(self.low * counts + 1e-9)
            last = np.ceil(self.high * counts - 1e-9) - 1
            index = np.arange(ordered.shape[1])[None, :]
            kept = (index >= first[:, None]) & (index <= last[:, None])
        else:
            kept = (ordered > self.low) & (ordered <= self.high)
        kept &= ~np.isnan(ordered)
        number = kept.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            result = self._of_kept(ordered, kept, number, counts)
            nothing = (counts == 0) if self.name == "TC" else (number == 0)
            return np.where(nothing, np.nan, result)

    def _of_kept(self, ordered: Values, kept: Values, number: Counts, counts: Counts) -> Values:
        if self.name == "TC":
            return number.astype(np.float64)
        total: Values = np.where(kept, ordered, 0.0).sum(axis=1)
        if self.name == "TS":
            return total
        if self.name == "TM":
            mean: Values = total / number
            return mean
        lowest = np.where(kept, ordered, np.inf).min(axis=1)[:, None]
        highest = np.where(kept, ordered, -np.inf).max(axis=1)[:, None]
        clipped = np.clip(ordered, lowest, highest)
        there = ~np.isnan(ordered)
        winsorized: Values = np.where(there, clipped, 0.0).sum(axis=1) / counts
        return winsorized


def parse(statistic: str) -> Trim | None:
    """``tm99``, ``TM(10%:90%)``, ``TC(:300)``, ``IQM``, …; None for anything else."""
    if statistic == "IQM":
        return Trim("TM", 0.25, 0.75, shares=True)
    if match := _SHORT.fullmatch(statistic):
        return Trim(match[1].upper(), 0.0, float(match[2]) / 100, shares=True)
    match = _LONG.fullmatch(statistic)
    if not match or not (match[2] or match[4]):
        return None
    shares = bool(match[3] or match[5])
    scale = 100 if shares else 1
    low = float(match[2]) / scale if match[2] else (0.0 if shares else -np.inf)
    high = float(match[4]) / scale if match[4] else (1.0 if shares else np.inf)
    return Trim(match[1], low, high, shares)
