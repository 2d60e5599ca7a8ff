"""Every Datadog metric that we use: unit, type, source, tags; and which CloudWatch's are.

No query may use a name that is not in this table. ``origin`` says where each fact was read, or
that it is assumed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from monitoring.model.signals import Kind, Metric
from monitoring.resources import UNKNOWN_API, Resource


class Source(StrEnum):
    """How a metric reaches Datadog, and so how late."""

    POLLED = "CloudWatch integration"
    EXTENSION = "Lambda extension"
    TRACES = "traces"


# Seconds by which CloudWatch's metrics are late, by how they come. Source: Datadog documentation,
# "Cloud Metric Delay" (polled: 10 to 20 minutes) and "AWS CloudWatch Metric Streams" (two to three
# minutes). All else is sent by the function itself and waits for nothing: "low latency, several
# second granularity" (Datadog documentation, "AWS Lambda metrics").
LATEST = {"polling": 1200, "stream": 180}
# Seconds by which a monitor's evaluation is delayed for them. Source: Datadog documentation,
# "Adjusting No Data alerts for metric Monitors": 900 for metrics that are polled from AWS.
DELAYS = {"polling": 900, "stream": 300}


@dataclass(frozen=True, slots=True)
class DatadogMetric:
    """A metric as Datadog keeps it.

    Attributes:
        unit: Datadog's own word (``second``, ``millisecond``, ``invocation``).
        type: ``count``, ``gauge`` or ``distribution``.
        tags: the keys that a query may use.
        origin: where unit and type were read; begins with ``assumed`` where nothing says so.
    """

    name: str
    unit: str
    type: str
    source: Source
    tags: frozenset[str]
    origin: str


_LAMBDA = "Datadog documentation, 'AWS Lambda integration', data collected"
_API = "Datadog documentation, 'Amazon API Gateway integration', data collected"
_TABLE = "Datadog documentation, 'Amazon DynamoDB', data collected"
_TRACES = "Datadog documentation, 'Trace Metrics'; a latency distribution is in seconds (assumed)"
_QUEUE = (
    "assumed: public dashboards query it so, with as_count() where something is counted; Datadog's "
    "table of SQS metrics was not at hand"
)

# Resources bring their own tags along, and those of this app have both.
_COMMON = ("aws_account", "env", "region", "service")
# Source: Datadog documentation, "AWS Lambda metrics", "Enhanced Lambda metrics".
_ENHANCED_TAGS = (
    "functionname", "cold_start", "memorysize", "executedversion", "resource", "runtime",
)  # fmt: skip
# Source: Datadog documentation, "Trace Metrics". Traces of Lambda have no host tags, hence
# no region (assumed).
_TRACE_TAGS = frozenset({"env", "service", "resource", "resource_name", "version"})


def _polled(
    prefix: str, origin: str, tags: Iterable[str], units: Mapping[str, tuple[str, str]]
) -> Iterable[DatadogMetric]:
    for name, (unit, type_) in units.items():
        keys = frozenset((*_COMMON, *tags))
        yield DatadogMetric(f"{prefix}.{name}", unit, type_, Source.POLLED, keys, origin)


def _enhanced(units: Mapping[str, str]) -> Iterable[DatadogMetric]:
    keys = frozenset((*_COMMON, *_ENHANCED_TAGS))
    for name, unit in units.items():
        whole = f"aws.lambda.enhanced.{name}"
        yield DatadogMetric(whole, unit, "distribution", Source.EXTENSION, keys, _LAMBDA)


def _traced(span: str) -> Iterable[DatadogMetric]:
    yield DatadogMetric(
        f"trace.{span}", "second", "distribution", Source.TRACES, _TRACE_TAGS, _TRACES
    )
    for suffix, unit in (("hits", "request"), ("errors", "error")):
        whole = f"trace.{span}.{suffix}"
        yield DatadogMetric(whole, unit, "count", Source.TRACES, _TRACE_TAGS, _TRACES)


_ALL = (
    *_polled(
        "aws.lambda",
        _LAMBDA,
        ("functionname",),
        {
            "invocations": ("invocation", "count"),
            "errors": ("error", "count"),
            "throttles": ("throttle", "count"),
            "duration": ("millisecond", "gauge"),
            "duration.maximum": ("millisecond", "gauge"),
            "duration.minimum": ("millisecond", "gauge"),
            "duration.p50": ("millisecond", "gauge"),
            "duration.p80": ("millisecond", "gauge"),
            "duration.p95": ("millisecond", "gauge"),
            "duration.p99": ("millisecond", "gauge"),
            "duration.p99.9": ("millisecond", "gauge"),
            "concurrent_executions": ("execution", "gauge"),
            "concurrent_executions.maximum": ("execution", "gauge"),
            "concurrent_executions.minimum": ("execution", "gauge"),
            "memorysize": ("mebibyte", "gauge"),
            "timeout": ("second", "gauge"),
        },
    ),
    *_enhanced(
        {
            "invocations": "invocation",
            "errors": "error",
            "timeouts": "timeout",
            "out_of_memory": "error",
            "duration": "second",
            "billed_duration": "second",
            "init_duration": "second",
            "runtime_duration": "millisecond",
            "post_runtime_duration": "millisecond",
            "response_latency": "millisecond",
            "max_memory_used": "mebibyte",
            "memorysize": "mebibyte",
            "estimated_cost": "dollar",
        }
    ),
    DatadogMetric(
        "aws.lambda.enhanced.batch_item_failures",
        "item",
        "distribution",
        Source.EXTENSION,
        frozenset((*_COMMON, *_ENHANCED_TAGS)),
        "datadog_lambda/metric.py of datadog-lambda 8.130; unit assumed",
    ),
    *_polled(
        "aws.sqs",
        _QUEUE,
        ("queuename",),
        {
            "approximate_age_of_oldest_message": ("second", "gauge"),
            "approximate_number_of_messages_visible": ("message", "gauge"),
            "approximate_number_of_messages_not_visible": ("message", "gauge"),
            "number_of_messages_sent": ("message", "count"),
            "number_of_messages_received": ("message", "count"),
            "number_of_empty_receives": ("request", "count"),
            "number_of_messages_deleted": ("message", "count"),
        },
    ),
    *_polled(
        "aws.apigateway",
        _API,
        ("apiid", "apiname", "stage", "method", "resource"),
        {
            "count": ("operation", "count"),
            "4xx": ("operation", "count"),
            "5xx": ("operation", "count"),
            "4xxerror": ("operation", "count"),
            "5xxerror": ("operation", "count"),
            "latency": ("millisecond", "gauge"),
            "latency.maximum": ("millisecond", "gauge"),
            "latency.minimum": ("millisecond", "gauge"),
            "latency.p50": ("millisecond", "gauge"),
            "latency.p75": ("millisecond", "gauge"),
            "latency.p90": ("millisecond", "gauge"),
            "latency.p95": ("millisecond", "gauge"),
            "latency.p99": ("millisecond", "gauge"),
            "integration_latency": ("millisecond", "gauge"),
        },
    ),
    *_polled(
        "aws.dynamodb",
        _TABLE,
        ("tablename", "operation"),
        {
            "read_throttle_events": ("read", "count"),
            "write_throttle_events": ("write", "count"),
            "system_errors": ("request", "count"),
            "successful_request_latency": ("millisecond", "gauge"),
            "successful_request_latency.maximum": ("millisecond", "gauge"),
            # Averages per second, while CloudWatch sums them up.
            "consumed_read_capacity_units": ("unit", "gauge"),
            "consumed_write_capacity_units": ("unit", "gauge"),
        },
    ),
    *_traced("aws.lambda"),
    *_traced("backend.request"),
)
METRICS: Mapping[str, DatadogMetric] = {metric.name: metric for metric in _ALL}


def known(name: str) -> DatadogMetric | None:
    """The table's entry for a name; None for an unknown metric."""
    return METRICS.get(name)


# Datadog keeps one statistic of a CloudWatch metric under the metric's name, and others under
# names of their own. Source: Datadog documentation, "AWS Integration and CloudWatch FAQ".
_SUM, _AVERAGE = frozenset({"Sum"}), frozenset({"Average"})
# SQS publishes one value a minute, so that there all of these are the same (assumed).
_ONE_VALUE = frozenset({"Average", "Minimum", "Maximum"})
_NAMES: Mapping[tuple[str, str], tuple[str, frozenset[str]]] = {
    ("AWS/Lambda", "Invocations"): ("aws.lambda.invocations", _SUM),
    ("AWS/Lambda", "Errors"): ("aws.lambda.errors", _SUM),
    ("AWS/Lambda", "Throttles"): ("aws.lambda.throttles", _SUM),
    ("AWS/Lambda", "Duration"): ("aws.lambda.duration", _AVERAGE),
    ("AWS/Lambda", "ConcurrentExecutions"): ("aws.lambda.concurrent_executions", _AVERAGE),
    ("AWS/SQS", "ApproximateAgeOfOldestMessage"): (
        "aws.sqs.approximate_age_of_oldest_message",
        _ONE_VALUE,
    ),
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible"): (
        "aws.sqs.approximate_number_of_messages_visible",
        _ONE_VALUE,
    ),
    ("AWS/SQS", "ApproximateNumberOfMessagesNotVisible"): (
        "aws.sqs.approximate_number_of_messages_not_visible",
        _ONE_VALUE,
    ),
    ("AWS/SQS", "NumberOfMessagesSent"): ("aws.sqs.number_of_messages_sent", _SUM),
    ("AWS/SQS", "NumberOfMessagesDeleted"): ("aws.sqs.number_of_messages_deleted", _SUM),
    ("AWS/SQS", "NumberOfMessagesReceived"): ("aws.sqs.number_of_messages_received", _SUM),
    ("AWS/SQS", "NumberOfEmptyReceives"): ("aws.sqs.number_of_empty_receives", _SUM),
    ("AWS/ApiGateway", "Count"): ("aws.apigateway.count", _SUM),
    ("AWS/ApiGateway", "4xx"): ("aws.apigateway.4xx", _SUM),
    ("AWS/ApiGateway", "5xx"): ("aws.apigateway.5xx", _SUM),
    ("AWS/ApiGateway", "4XXError"): ("aws.apigateway.4xxerror", _SUM),
    ("AWS/ApiGateway", "5XXError"): ("aws.apigateway.5xxerror", _SUM),
    ("AWS/ApiGateway", "Latency"): ("aws.apigateway.latency", _AVERAGE),
    ("AWS/DynamoDB", "ReadThrottleEvents"): ("aws.dynamodb.read_throttle_events", _SUM),
    ("AWS/DynamoDB", "WriteThrottleEvents"): ("aws.dynamodb.write_throttle_events", _SUM),
    ("AWS/DynamoDB", "SystemErrors"): ("aws.dynamodb.system_errors", _SUM),
    ("AWS/DynamoDB", "SuccessfulRequestLatency"): (
        "aws.dynamodb.successful_request_latency",
        _AVERAGE,
    ),
}
_SPACE = {"Sum": "sum", "Average": "avg", "Minimum": "min", "Maximum": "max"}


def of(metric: Metric, statistic: str) -> tuple[str, str] | None:
    """A CloudWatch metric in Datadog: space aggregation and name; None if Datadog lacks it.

    Of custom namespaces Datadog collects the average alone, which is neither the count nor the
    percentile that our own metrics are read for; the log lines that carry them come to Datadog
    whole. Source: Datadog documentation, "AWS Integration and CloudWatch FAQ".
    """
    name, own = _NAMES.get((metric.namespace, metric.name), ("", frozenset()))
    if statistic in own:
        return _SPACE[statistic], name
    suffix = {"Maximum": "maximum", "Minimum": "minimum"}.get(statistic, statistic)
    if f"{name}.{suffix}" in METRICS:
        # Over several resources the worst percentile is the closest to what is asked.
        return _SPACE.get(statistic, "max"), f"{name}.{suffix}"
    return None


def cloudwatch_of(name: str, aggregation: str) -> tuple[str, str, str] | None:
    """Namespace, name and statistic of the CloudWatch metric that Datadog keeps under a name.

    Args:
        aggregation: over space; decides where one name stands for several statistics.
    """
    statistics = {word: statistic for statistic, word in _SPACE.items()}
    for (namespace, metric), (whole, own) in _NAMES.items():
        if name == whole:
            asked = statistics.get(aggregation, "")
            return namespace, metric, asked if asked in own else min(own)
        stem, _, suffix = name.partition(f"{whole}.")
        if not stem and suffix:
            return namespace, metric, {"maximum": "Maximum", "minimum": "Minimum"}.get(
                suffix, suffix
            )  # fmt: skip
    return None


_TAGS = {
    Kind.QUEUE: "queuename",
    Kind.FUNCTION: "functionname",
    Kind.HTTP_API: "apiid",
    Kind.REST_API: "apiname",
    Kind.TABLE: "tablename",
}


def scope(resource: Resource, metric: Metric | None = None) -> dict[str, str]:
    """The tags that name a resource, and those of a metric's own dimensions.

    Empty where a name is not known before it is deployed, as an HTTP API's id: ``env`` and
    ``service`` find it. Source: Datadog documentation, "Getting Started with Tags": values are in
    lower case.
    """
    further = metric.dimensions if metric else {}
    tags = {name.lower(): value.lower() for name, value in further.items()}
    if resource.kind in _TAGS and resource.name != UNKNOWN_API:
        tags[_TAGS[resource.kind]] = resource.name.lower()
    return dict(sorted(tags.items()))


# What is measured, and how many of the smallest unit are in one.
_MEASURES: Mapping[str, tuple[str, int]] = {
    "Milliseconds": ("time", 1),
    "Seconds": ("time", 1000),
    "millisecond": ("time", 1),
    "second": ("time", 1000),
    "Percent": ("share", 1),
    "percent": ("share", 1),
    "US dollars": ("money", 1),
    "dollar": ("money", 1),
    "Mebibytes": ("memory", 1),
    "mebibyte": ("memory", 1),
}


def unit_factor(unit: str, name: str) -> Fraction:
    """By how much a number in our unit is multiplied to be in the unit of a Datadog metric.

    Raises:
        ValueError: When they measure different things, or the metric is not in the table.
    """
    metric = known(name)
    if metric is None:
        raise ValueError(f"'{name}' is not in monitoring/datadog/metrics.py; add it there")
    measured, ours = _MEASURES.get(unit, ("count", 1))
    of_metric, theirs = _MEASURES.get(metric.unit, ("count", 1))
    if measured != of_metric:
        raise ValueError(f"'{name}' is in {metric.unit}, which no number in {unit} can be")
    return Fraction(ours, theirs)


def converted(value: float, unit: str, name: str) -> float:
    """A number of ours in the unit of a Datadog metric."""
    return float(Fraction(str(value)) * unit_factor(unit, name))
