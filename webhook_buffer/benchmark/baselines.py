"""The published default alarms of other projects, as data, for the detection benchmark.

Read from each project's source or published data in 2026. Where a project publishes no number,
one is chosen in its favor, and the row says so. What is published for REST APIs is applied to the
HTTP API's equivalent metrics, also in their favor. A p99 over five minutes is taken as their
maximum, which fires no later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from alarmproof.base.alarms import MetricAlarm, Missing, Query, Source
from alarmproof.base.metric_data import MetricKey

_ABOVE, _AT_LEAST = "GreaterThanThreshold", "GreaterThanOrEqualToThreshold"
_BELOW, _AT_MOST = "LessThanThreshold", "LessThanOrEqualToThreshold"
_TIMEOUT_MS = 10_000  # of both functions, by default
_SHARE = "IF(n > 0, m / n, 0)"


@dataclass(frozen=True, slots=True)
class Row:
    """An alarm of a baseline.

    Attributes:
        role: ``publish``, ``subscribe``, ``queue``, ``api`` or ``table``.
        m, n: datapoints to alarm, and evaluation periods.
        share: whether the metric is divided by the API's requests.
    """

    metric: str
    role: str
    statistic: str
    comparison: str
    threshold: float
    m: int
    n: int
    period: int
    missing: Missing
    share: bool = False


@dataclass(frozen=True, slots=True)
class Baseline:
    """A set of alarms.

    Attributes:
        source: where the numbers are from.
        delay: seconds after which the service sees a value.
    """

    name: str
    source: str
    rows: Sequence[Row]
    delay: int = 0

    def alarms(self) -> list[MetricAlarm]:
        """As alarms, all of which page."""
        return [_alarm(self.name, number, row) for number, row in enumerate(self.rows)]


_NAMESPACES: Mapping[str, tuple[str, str]] = {
    "publish": ("AWS/Lambda", "FunctionName"),
    "subscribe": ("AWS/Lambda", "FunctionName"),
    "queue": ("AWS/SQS", "QueueName"),
    "api": ("AWS/ApiGateway", "ApiId"),
    "table": ("AWS/DynamoDB", "TableName"),
}


def _metric(row: Row, name: str) -> MetricKey:
    namespace, dimension = _NAMESPACES[row.role]
    return MetricKey.of(namespace, name, {dimension: row.role})


def _alarm(baseline: str, number: int, row: Row) -> MetricAlarm:
    metric = Query("m", _metric(row, row.metric), row.statistic, row.period)
    queries: tuple[Query, ...] = (metric,)
    if row.share:
        count = Query("n", _metric(row, "Count"), "Sum", row.period)
        queries = (Query("share", expression=_SHARE), metric, count)
    return MetricAlarm(
        name=f"{baseline} {number}: {row.role} {row.metric} {row.statistic}",
        source=Source(baseline, str(number)),
        queries=queries,
        returned=queries[0].id,
        comparison=row.comparison,
        threshold=row.threshold,
        period=row.period,
        evaluation_periods=row.n,
        datapoints_to_alarm=row.m,
        missing=row.missing,
        alarm_actions=("page",),
        ok_actions=("page",),
    )


_NB, _MI, _BR = Missing.NOT_BREACHING, Missing.MISSING, Missing.BREACHING
_FUNCTIONS = ("publish", "subscribe")


def _each(metric: str, statistic: str, *rest: object) -> list[Row]:
    """The same alarm for both functions."""
    return [Row(metric, role, statistic, *rest) for role in _FUNCTIONS]  # type: ignore[arg-type]


BASELINES: Sequence[Baseline] = (
    Baseline(
        "slic-watch",
        "core/inputs/default-config.ts (age of the oldest is off by default; throttles are a share "
        "of invocations, for which any throttle counts here)",
        [
            *_each("Errors", "Sum", _ABOVE, 0, 1, 1, 60, _NB),
            *_each("Throttles", "Sum", _ABOVE, 0, 1, 1, 60, _NB),
            *_each("Duration", "Maximum", _ABOVE, 0.95 * _TIMEOUT_MS, 1, 1, 60, _NB),
            Row("5xx", "api", "Sum", _ABOVE, 0, 1, 1, 60, _NB),
            Row("4xx", "api", "Sum", _ABOVE, 0.05, 1, 1, 60, _NB, share=True),
            Row("Latency", "api", "p99", _ABOVE, 5000, 1, 1, 60, _NB),
            Row("WriteThrottleEvents", "table", "Sum", _ABOVE, 10, 1, 1, 60, _NB),
            Row("ApproximateNumberOfMessagesNotVisible", "queue", "Maximum", _ABOVE, 0.8 * 18_000,
                1, 1, 60, _NB),
        ],
    ),
    Baseline(
        "cdk-watchful",
        "src/lambda.ts, src/api-gateway.ts (no alarm on queues)",
        [
            *_each("Errors", "Sum", _ABOVE, 0, 3, 3, 300, _MI),
            *_each("Throttles", "Sum", _ABOVE, 0, 3, 3, 300, _MI),
            *_each("Duration", "Maximum", _ABOVE, 0.8 * _TIMEOUT_MS, 3, 3, 300, _MI),
            Row("5xx", "api", "Sum", _AT_LEAST, 1, 1, 1, 300, _MI),
        ],
    ),
    Baseline(
        "cdk-monitoring-constructs",
        "no thresholds by default; chosen in its favor: age 300 s, depth 1000, faults 1, p99 80 % "
        "of the timeout; evaluation 3 of 3 in 300 s and missing data as by default",
        [
            Row("ApproximateAgeOfOldestMessage", "queue", "Maximum", _ABOVE, 300, 3, 3, 300, _MI),
            Row("ApproximateNumberOfMessagesVisible", "queue", "Maximum", _ABOVE, 1000, 3, 3, 300,
                _MI),
            *_each("Errors", "Sum", _ABOVE, 1, 3, 3, 300, _NB),
            *_each("Throttles", "Sum", _ABOVE, 1, 3, 3, 300, _NB),
            *_each("Duration", "Maximum", _ABOVE, 0.8 * _TIMEOUT_MS, 3, 3, 300, _NB),
            Row("5xx", "api", "Sum", _ABOVE, 1, 3, 3, 300, _NB),
            Row("Latency", "api", "Maximum", _ABOVE, 5000, 3, 3, 300, _NB),
        ],
    ),
    Baseline(
        "AWS recommended alarms",
        "CloudWatch's published list; the user's values: age 60 s, in flight and visible 1000",
        [
            Row("ApproximateAgeOfOldestMessage", "queue", "Maximum", _AT_LEAST, 60, 15, 15, 60,
                _MI),
            Row("ApproximateNumberOfMessagesNotVisible", "queue", "Average", _AT_LEAST, 1000, 15,
                15, 60, _MI),
            Row("ApproximateNumberOfMessagesVisible", "queue", "Average", _AT_LEAST, 1000, 15, 15,
                60, _MI),
            Row("NumberOfMessagesSent", "queue", "Sum", _AT_MOST, 0, 15, 15, 60, _MI),
            *_each("Errors", "Sum", _ABOVE, 0, 3, 3, 60, _MI),
            *_each("Throttles", "Sum", _AT_LEAST, 1, 5, 5, 60, _MI),
            *_each("Duration", "p90", _ABOVE, 0.8 * _TIMEOUT_MS, 15, 15, 60, _MI),
            *_each("ConcurrentExecutions", "Maximum", _ABOVE, 900, 10, 10, 60, _MI),
            Row("5xx", "api", "Sum", _ABOVE, 0.05, 3, 3, 60, _MI, share=True),
            Row("4xx", "api", "Sum", _ABOVE, 0.05, 5, 5, 60, _MI, share=True),
            Row("Latency", "api", "p90", _AT_LEAST, 2500, 5, 5, 60, _MI),
            Row("IntegrationLatency", "api", "p90", _AT_LEAST, 2000, 5, 5, 60, _MI),
            Row("Count", "api", "SampleCount", _BELOW, 1, 10, 10, 60, _BR),
            Row("WriteThrottleEvents", "table", "Sum", _ABOVE, 0, 5, 5, 60, _NB),
        ],
    ),
    Baseline(
        "claranet (Datadog)",
        "terraform-datadog-monitors, cloud/aws/{sqs,lambda,apigateway}/inputs.tf; 'min over' a "
        "window as all of its minutes; with Datadog's evaluation delay of 900 s",
        [
            Row("ApproximateAgeOfOldestMessage", "queue", "Maximum", _ABOVE, 600, 30, 30, 60, _MI),
            *_each("Throttles", "Sum", _ABOVE, 3, 1, 1, 3600, _MI),
            Row("5xx", "api", "Sum", _ABOVE, 0.20, 5, 5, 60, _MI, share=True),
            Row("4xx", "api", "Sum", _ABOVE, 0.30, 5, 5, 60, _MI, share=True),
            Row("Latency", "api", "p90", _ABOVE, 3000, 5, 5, 60, _MI),
        ],
        delay=900,
    ),
)  # fmt: skip
