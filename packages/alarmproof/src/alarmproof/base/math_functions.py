"""The functions of metric math, as data: what each takes and makes, and which can't be evaluated.

Source: CloudWatch user guide, "Metric math syntax and functions"; "Using SEARCH", "Using
DB_PERF_INSIGHTS", "Using LAMBDA" and "Using ANOMALY_DETECTION_BAND" of the same chapter.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

# Over several series a series; over one series a number.
ACROSS = frozenset({"AVG", "DATAPOINT_COUNT", "MAX", "MIN", "STDDEV", "SUM"})
# Of each value by itself.
EACH = frozenset({"ABS", "CEIL", "FLOOR", "LOG", "LOG10"})
# Of the time of each period.
CLOCK = frozenset({"DATE", "DAY", "EPOCH", "HOUR", "MINUTE", "MONTH", "YEAR"})
# Of each value and those before it.
BACKWARD = frozenset({"DIFF", "DIFF_TIME", "RATE", "RUNNING_SUM"})

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
    "SERVICE_QUOTA": "the quotas of the account",
}
# What CloudWatch refuses: "SEARCH is not supported on Metric Alarms".
# Source: CloudWatch user guide, "Create a CloudWatch alarm based on a metric math expression".
NOT_IN_ALARMS = frozenset({"SEARCH"})

# Functions, what they take, and what they make of it.
_TABLE: tuple[tuple[Collection[str], str, str], ...] = (
    (ACROSS, "one series", "a number: that of the N periods that end with each datapoint"),
    (ACROSS, "an array", "a series: across the array, at each time"),
    (EACH, "a series or an array", "made of each value by itself"),
    (BACKWARD, "a series or an array", "made of each value and those before it, across gaps"),
    (CLOCK, "a series", "a part of the time (UTC) at which each period begins, in gaps as well"),
    (["FILL"], f"a series or an array, and a number, a series, {' or '.join(FILLERS)}",
     "the same without gaps"),
    (["IF"], "a condition, a value, and another one or none",
     "the value where the condition is not 0; nothing where the condition is missing"),
    (["FIRST", "LAST"], "an array", "a series of it"),
    (["METRICS"], "nothing, or a text", "an array of the metrics whose ids have the text"),
    (["METRIC_COUNT"], "an array", "the number of its series"),
    (["REMOVE_EMPTY", "SLICE"], "an array", "an array of some of its series"),
    (["SORT"], f"an array, {', '.join(SORTED_BY)}, {' or '.join(ORDERS)}, and a limit or none",
     "an array of its series in that order"),
    (["PERIOD"], "a metric", "its period in seconds"),
    (["TIME_SERIES"], "a number", "a series of it without gaps"),
)  # fmt: skip


def functions_table() -> str:
    """The functions as a table in Markdown, those that can't be evaluated last."""
    return "\n".join(
        f"| {' | '.join(row)} |" for row in (("functions", "of", "result"), ("---",) * 3, *_rows())
    )


def _rows() -> Iterator[tuple[str, str, str]]:
    for names, takes, makes in _TABLE:
        yield _quoted(names), takes, makes
    for name, reads in ELSEWHERE.items():
        yield _quoted([name]), reads, "refused, because it is not at hand"
    yield _quoted(NOT_IN_ALARMS), "the metrics that exist", "refused, as CloudWatch does in alarms"


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))
