"""Recommended monitors beside ours: what the table says of ours is so."""

from __future__ import annotations

import pytest

from alarms import CATALOG
from alarms.recommended import RECOMMENDATIONS
from dashboards.recommended import CHARTED
from monitoring.datadog import metrics
from monitoring.datadog.definition import Definition
from monitoring.documents import COMMAND, datadog, recommended
from monitoring.model.datadog import DatadogMonitor, MetricQuery
from monitoring.model.recommended import Recommendation, Service
from monitoring.model.signals import Signal
from webhook_buffer.composition import definitions

_OURS: dict[str, Signal | DatadogMonitor] = {
    **{signal.id: signal for signal in CATALOG.signals},
    **{monitor.id: monitor for monitor in CATALOG.monitors},
}
_COVERED = [recommendation for recommendation in RECOMMENDATIONS if recommendation.ours]


@pytest.fixture(scope="module")
def published() -> list[Definition]:
    """All that an environment has in Datadog."""
    return definitions(datadog.example())


def test_every_name_of_ours_exists() -> None:
    """A signal or monitor that the table names is defined."""
    named = {name for recommendation in RECOMMENDATIONS for name in recommendation.ours}
    assert named <= _OURS.keys()
    assert {recommendation.service for recommendation in RECOMMENDATIONS} == set(Service)


@pytest.mark.parametrize(
    "covered", _COVERED, ids=lambda covered: f"{covered.source.name}: {covered.name}"
)
def test_what_is_covered_is_evaluated(covered: Recommendation) -> None:
    """Ours evaluate the recommended metric, unless the table says that they evaluate another."""
    evaluated = {metric for name in covered.ours for metric in _evaluated(_OURS[name])}
    assert (covered.metric in evaluated) is not covered.another_metric


def test_what_is_refused_is_not_evaluated() -> None:
    """A refused recommendation has a reason, and no signal evaluates its metric at a low value."""
    refused = [recommendation for recommendation in RECOMMENDATIONS if not recommendation.ours]
    assert all(recommendation.reason.endswith(".") for recommendation in refused)
    assert {recommendation.name for recommendation in refused} == {
        "Over provisioned", "Threats detected", "Provisioned concurrency",
        "Provisioned concurrency spillover", "Consumed capacity", "Read and write capacity",
        "Conditional check failed requests",
    }  # fmt: skip


def test_a_metric_is_drawn_or_has_a_reason(published: list[Definition]) -> None:
    """Every metric of Datadog's dashboards is in ours, or the table says why not; never both."""
    drawn = recommended.shown(published).keys()
    assert {charted.service for charted in CHARTED} == set(Service)
    for charted in CHARTED:
        assert (charted.metric in drawn) is not bool(charted.reason), charted.metric
        assert not charted.reason or charted.reason.endswith("."), charted.metric


def test_the_page_is_current(published: list[Definition]) -> None:
    """docs/datadog-recommended.md shows this table."""
    wanted = recommended.markdown(RECOMMENDATIONS, CATALOG, CHARTED, published)
    assert recommended.FILE.read_text("utf-8") == wanted, f"run: {COMMAND}"


def _evaluated(ours: Signal | DatadogMonitor) -> set[str]:
    """The metrics that a signal or monitor reads, as Datadog names them."""
    if isinstance(ours, DatadogMonitor):
        queries = ours.queries.values()
        return {query.name for query in queries if isinstance(query, MetricQuery)}
    evaluated = set()
    for query in ours.queries.values():
        twin = metrics.of(query.metric, query.statistic)
        if twin:
            evaluated.add(_without_statistic(twin[1]))
    return evaluated


def _without_statistic(name: str) -> str:
    """``aws.lambda.duration`` of ``aws.lambda.duration.p99``."""
    return ".".join(name.split(".")[:3])
