"""The functions of metric math, as data: what each takes, and which can't be evaluated here.

Source: CloudWatch user guide, "Metric math syntax and functions"; "Using SEARCH", "Using
DB_PERF_INSIGHTS", "Using LAMBDA" and "Using ANOMALY_DETECTION_BAND" of the same chapter.
"""

from __future__ import annotations

from collections.abc import Mapping

# Over several series a series; over one series a number.
ACROSS = frozenset({"AVG", "DATAPOINT_COUNT", "MAX", "MIN", "STDDEV", "SUM"})
# Of each value by itself.
EACH = frozenset({"ABS", "CEIL", "FLOOR", "LOG", "LOG10"})
# Of the time of each period.
CLOCK = frozenset({"DATE", "DAY", "EPOCH", "HOUR", "MINUTE", "MONTH", "YEAR"})
# Of each value and those before it.
BACKWARD = frozenset({"DIFF", "DIFF_TIME", "RATE", "RUNNING_SUM"})
# Of an array of series, an array or one of them.
OF_ARRAYS = frozenset({"FIRST", "LAST", "METRIC_COUNT", "REMOVE_EMPTY", "SLICE", "SORT"})

_ONE = (1, 1)
ARGUMENTS: Mapping[str, tuple[int, int]] = {
    **dict.fromkeys(ACROSS, (1, 99)),
    **dict.fromkeys(EACH | CLOCK | BACKWARD, _ONE),
    "FILL": (2, 2),
    "FIRST": _ONE,
    "IF": (2, 3),
    "LAST": _ONE,
    "METRICS": (0, 1),
    "METRIC_COUNT": _ONE,
    "PERIOD": _ONE,
    "REMOVE_EMPTY": _ONE,
    "SLICE": (2, 3),
    "SORT": (3, 4),
    "TIME_SERIES": _ONE,
}
FILLERS = ("REPEAT", "LINEAR")
ORDERS = ("ASC", "DESC")
SORTED_BY = ("AVG", "MIN", "MAX", "SUM")

# What depends on more than the series of the alarm.
ELSEWHERE: Mapping[str, str] = {
    "ANOMALY_DETECTION_BAND": "a model that CloudWatch trains",
    "DB_PERF_INSIGHTS": "Performance Insights",
    "INSIGHT_RULE_METRIC": "a rule of Contributor Insights",
    "LAMBDA": "a data source that a function answers for",
    "SEARCH": "the metrics that exist",
    "SERVICE_QUOTA": "the quotas of the account",
}
