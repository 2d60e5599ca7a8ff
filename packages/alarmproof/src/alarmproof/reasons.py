"""Why an alarm changed its state, in CloudWatch's manner."""

from __future__ import annotations

import time

import numpy as np

from alarmproof.base.alarms import MetricAlarm, State
from alarmproof.base.arrays import Values

WORDS = {
    "GreaterThanThreshold": "greater than",
    "GreaterThanOrEqualToThreshold": "greater than or equal to",
    "LessThanThreshold": "less than",
    "LessThanOrEqualToThreshold": "less than or equal to",
    "LessThanLowerOrGreaterThanUpperThreshold": "outside of",
    "LessThanLowerThreshold": "below the lower end of",
    "GreaterThanUpperThreshold": "above the upper end of",
}


def reason(alarm: MetricAlarm, at: int, state: State, values: Values) -> str:
    """The newest datapoints that decided, and how they compare with the threshold.

    Args:
        values: of the evaluation range, the newest last.
    """
    n, m = alarm.evaluation_periods, alarm.datapoints_to_alarm
    there = np.flatnonzero(~np.isnan(values))[-n:]
    if not len(there):
        if state is State.INSUFFICIENT_DATA:
            return f"Insufficient Data: {n} datapoints were unknown."
        return f"Threshold Crossed: no datapoints were received in the last {n} periods."
    begins = at - alarm.period * (len(values) - there)
    shown = ", ".join(
        f"{values[index]:g} ({_written(int(begin))})"
        for index, begin in list(zip(there, begins, strict=True))[:-6:-1]
    )
    threshold = "the band" if alarm.band else f"the threshold ({alarm.threshold:g})"
    were = "were" if state is State.ALARM else "were not all"
    return (
        f"Threshold Crossed: {len(there)} of the last {n} datapoints [{shown}] {were} "
        f"{WORDS[alarm.comparison]} {threshold}, of which {m} have to be for ALARM."
    )


def _written(at: int) -> str:
    return time.strftime("%d/%m/%y %H:%M:%S", time.gmtime(at))
