"""The table of Datadog's metrics: complete for what is named, and exact in its units."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

import alarms
from monitoring.datadog import metrics
from monitoring.datadog.metrics import METRICS, Source
from monitoring.model import metrics as cloudwatch
from monitoring.model.datadog import MetricQuery
from monitoring.model.signals import Kind, Metric
from monitoring.resources import resources
from settings.loader import load

AWS = [metric for metric in vars(cloudwatch).values() if isinstance(metric, Metric)]
STATISTICS = ["Sum", "Average", "Minimum", "Maximum", "SampleCount", "p50", "p90", "p95", "p99",
              "PR(:300000)"]  # fmt: skip


def test_every_fact_has_its_origin() -> None:
    """No unit or type stands without where it was read, or that it is assumed."""
    for name, fact in METRICS.items():
        assert fact.name == name
        assert fact.origin
        assert fact.type in ("count", "gauge", "distribution")
        assert {"env", "service"} <= fact.tags, name


def test_sources_are_known_by_names() -> None:
    """What the extension sends is enhanced, what traces make begins with trace."""
    for name, fact in METRICS.items():
        assert (fact.source is Source.EXTENSION) == name.startswith("aws.lambda.enhanced.")
        assert (fact.source is Source.TRACES) == name.startswith("trace.")


def test_what_is_watched_is_in_the_table() -> None:
    """No watch or objective names a metric that the table does not have."""
    parts = [query for monitor in alarms.CATALOG.monitors for query in monitor.queries.values()]
    parts += [
        query for objective in alarms.CATALOG.objectives for query in objective.queries.values()
    ]
    for query in parts:
        if isinstance(query, MetricQuery):
            fact = metrics.known(query.name)
            assert fact, query.name
            assert query.tags.keys() <= fact.tags


@pytest.mark.parametrize("statistic", STATISTICS)
def test_a_mapping_leads_into_the_table(statistic: str) -> None:
    """Whatever CloudWatch metric is mapped, its Datadog name is known, and a sum is not a gauge."""
    for metric in AWS:
        counterpart = metrics.of(metric, statistic)
        if counterpart:
            space, name = counterpart
            known = METRICS[name]
            assert space in ("sum", "avg", "min", "max")
            assert (space == "sum") == (known.type == "count")
            # A number in the metric's own unit can be drawn on its counterpart.
            assert metrics.unit_factor(metric.unit, name) == 1


@pytest.mark.parametrize(
    ("metric", "statistic", "expected"),
    [
        (cloudwatch.FUNCTION_ERRORS, "Sum", ("sum", "aws.lambda.errors")),
        (cloudwatch.FUNCTION_DURATION, "p99", ("max", "aws.lambda.duration.p99")),
        (cloudwatch.FUNCTION_DURATION, "Average", ("avg", "aws.lambda.duration")),
        (cloudwatch.FUNCTION_DURATION, "Maximum", ("max", "aws.lambda.duration.maximum")),
        (cloudwatch.FUNCTION_DURATION, "p90", None),
        (cloudwatch.HTTP_LATENCY, "p90", ("max", "aws.apigateway.latency.p90")),
        (cloudwatch.HTTP_5XX, "Sum", ("sum", "aws.apigateway.5xx")),
        (cloudwatch.HTTP_5XX, "Average", None),
        (cloudwatch.REST_5XX, "Sum", ("sum", "aws.apigateway.5xxerror")),
        (cloudwatch.QUEUE_AGE, "Maximum", ("max", "aws.sqs.approximate_age_of_oldest_message")),
        (cloudwatch.QUEUE_AGE, "Sum", None),
        (cloudwatch.TABLE_WRITES, "Sum", None),
        (cloudwatch.QUEUE_GROUPS, "Maximum", None),
    ],
)
def test_statistics_have_names_of_their_own(
    metric: Metric, statistic: str, expected: tuple[str, str] | None
) -> None:
    """A statistic is a metric's name, a suffix to it, or nothing that Datadog has."""
    assert metrics.of(metric, statistic) == expected


def test_custom_namespaces_are_not_there() -> None:
    """Datadog averages what it collects of our own namespaces, so nothing of them is mapped."""
    for metric in AWS:
        if metric.kind in (Kind.BUFFER, Kind.LOG):
            assert all(metrics.of(metric, statistic) is None for statistic in STATISTICS)


def test_a_scope_names_the_resource_in_lower_case() -> None:
    """Tags are the lower case of names and dimensions; an API that nobody knows yet has none."""
    existing = {"functions": [{"name": "Worker", "role": "worker", "timeoutSeconds": 30}]}
    theirs = resources(load("stg", overrides={"backend_url": None, "existing": existing}))
    assert metrics.scope(theirs.by_role["worker"]) == {"functionname": "worker"}
    ours = resources(load("stg"))
    assert metrics.scope(ours.by_role["queue"]) == {"queuename": "webhook-buffer-stg.fifo"}
    assert metrics.scope(ours.by_role["api"]) == {}
    assert metrics.scope(ours.by_role["buffer"]) == {}
    assert metrics.scope(ours.by_role["table"], cloudwatch.TABLE_UPDATE_ERRORS) == {
        "operation": "updateitem",
        "tablename": "webhook-buffer-stg-records",
    }
    known = resources(load("stg"), api_id="a1b2")
    assert metrics.scope(known.by_role["api"]) == {"apiid": "a1b2"}


@given(st.integers(min_value=0, max_value=10**9))
def test_times_are_converted_exactly(milliseconds: int) -> None:
    """A number of milliseconds is what it is in seconds, to the last digit, and back."""
    seconds = metrics.converted(milliseconds, "Milliseconds", "aws.lambda.enhanced.duration")
    assert seconds == milliseconds / 1000
    assert metrics.converted(seconds, "Seconds", "aws.lambda.duration") == milliseconds


def test_units_that_can_not_be_converted_are_refused() -> None:
    """A count is not a time, a share is not money, and a name outside the table has no unit."""
    assert metrics.unit_factor("Seconds", "aws.lambda.duration.p99") == Fraction(1000)
    assert metrics.unit_factor("US dollars", "aws.lambda.enhanced.estimated_cost") == 1
    with pytest.raises(ValueError, match=r"'aws.lambda.duration' is in millisecond, which no num"):
        metrics.unit_factor("Count", "aws.lambda.duration")
    with pytest.raises(ValueError, match=r"'aws.nothing' is not in monitoring/datadog"):
        metrics.unit_factor("Count", "aws.nothing")
