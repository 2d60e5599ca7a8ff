"""Recorded metrics from CloudWatch, for a replay.

Source: CloudWatch API reference, GetMetricData: 500 queries and 100,800 datapoints a call; and
GetMetricStatistics: minutes are kept for 15 days, five minutes for 63, hours for 455.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from alarmproof.base.alarms import AnyAlarm, MetricAlarm
from alarmproof.base.metric_data import MetricKey, Series

from settings.errors import InputError
from settings.names import DAY
from webhook_buffer.operations.environment import Environment, aws_errors

_QUERIES, _DATAPOINTS = 500, 100_800
# How long each resolution is kept, in days.
_KEPT = ((60, 15), (300, 63), (3600, 455))

Wanted = tuple[MetricKey, str]


def resolution(seconds: int) -> int:
    """The finest period, in seconds, that CloudWatch still keeps for that time.

    Raises:
        InputError: When it has none.
    """
    for period, days in _KEPT:
        if seconds <= days * DAY:
            return period
    raise InputError(f"CloudWatch keeps metrics for {_KEPT[-1][1]} days; ask for less.")


def wanted(alarms: Iterable[AnyAlarm]) -> list[Wanted]:
    """The metrics and statistics that alarms need, and the counts that weigh them."""
    series: dict[Wanted, None] = {}
    for alarm in alarms:
        if not isinstance(alarm, MetricAlarm):
            continue
        for query in alarm.queries:
            if query.metric and query.statistic:
                series[query.metric, query.statistic] = None
                if query.statistic == "Average" or query.statistic.startswith("PR("):
                    series[query.metric, "SampleCount"] = None
    return list(series)


def fetch(target: Environment, alarms: Iterable[AnyAlarm], *, start: int, end: int) -> list[Series]:
    """All series that alarms need between two times, in the finest resolution available.

    Args:
        start, end: Unix seconds.

    Raises:
        InputError: When CloudWatch keeps no data from that time.
    """
    return fetch_all(target, wanted(alarms), start=start, end=end)


def fetch_all(
    target: Environment, pairs: Sequence[Wanted], *, start: int, end: int
) -> list[Series]:
    """``fetch`` of these metrics and statistics."""
    now = round(datetime.now(UTC).timestamp())
    period = resolution(now - start)
    start, end = start - start % period, end - end % period
    count = (end - start) // period
    if count < 1:
        raise InputError("No full period lies between the start and the end.")
    values = {number: np.full(count, np.nan) for number in range(len(pairs))}
    # Whole series in one call where they fit, else stretches of time.
    per_call = max(1, min(_QUERIES, _DATAPOINTS // count))
    stretch = min(count, _DATAPOINTS // per_call) * period
    for begin in range(0, len(pairs), per_call):
        some = range(begin, min(begin + per_call, len(pairs)))
        for first in range(start, end, stretch):
            last = min(first + stretch, end)
            queries = [_query(number, *pairs[number], period) for number in some]
            for number, at, value in _datapoints(target, queries, first, last):
                index = (at - start) // period
                if 0 <= index < count:
                    values[number][index] = value
    return [
        Series(metric, statistic, start, period, values[number])
        for number, (metric, statistic) in enumerate(pairs)
        if not np.isnan(values[number]).all()
    ]


def _query(number: int, metric: MetricKey, statistic: str, period: int) -> dict[str, Any]:
    return {
        "Id": f"q{number}",
        "ReturnData": True,
        "MetricStat": {
            "Metric": {
                "Namespace": metric.namespace,
                "MetricName": metric.name,
                "Dimensions": [{"Name": name, "Value": value} for name, value in metric.dimensions],
            },
            "Period": period,
            "Stat": statistic,
        },
    }


def _datapoints(
    target: Environment, queries: Sequence[dict[str, Any]], start: int, end: int
) -> Iterator[tuple[int, int, float]]:
    """Number of the query, time and value, page after page."""
    asked: dict[str, Any] = {
        "MetricDataQueries": list(queries),
        "StartTime": datetime.fromtimestamp(start, UTC),
        "EndTime": datetime.fromtimestamp(end, UTC),
        "ScanBy": "TimestampAscending",
        "MaxDatapoints": _DATAPOINTS,
    }
    with aws_errors(target.settings):
        while True:
            reply = target.cloudwatch.get_metric_data(**asked)
            for result in reply["MetricDataResults"]:
                for at, value in zip(result["Timestamps"], result["Values"], strict=True):
                    yield int(result["Id"][1:]), round(at.timestamp()), value
            if not reply.get("NextToken"):
                return
            asked["NextToken"] = reply["NextToken"]
