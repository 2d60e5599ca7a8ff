"""Numpy's arrays as this package uses them; only what evaluates alarms imports it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# NaN is a missing value.
Values = NDArray[np.float64]
# Unix seconds.
Times = NDArray[np.int64]
# How many there are.
Counts = NDArray[np.intp]
