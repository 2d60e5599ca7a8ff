"""Recommended monitors beside ours: what the table says of ours is so."""

from __future__ import annotations

import pytest

from alarms import CATALOG
from alarms.recommended import RECOMMENDATIONS
from dashboards.recommended import CHARTED
from monitoring.datadog import metrics
from monitoring.documents import COMMAND, datadog, recommended
from monitoring.model.datadog import DatadogMonitor, MetricQuery
from monitoring.model.recommended import Recommendation, Service
from monitoring.model.signals import Signal
from webhook_buffer.composition import definitions

_OURS: dict[str, Signal | DatadogMonitor] = {
    **{signal.id: signal for signal in CATALOG.signals},
    **{monitor.id: monitor for monitor in CATALOG.monitors},
}
_PUBLISHED = definitions(datadog.example())
_COVERED = [one for one in RECOMMENDATIONS if one.ours]


def test_every_name_of_ours_exists() -> None:
    """A signal or monitor that the table names is defined."""
    named = {name for one in RECOMMENDATIONS for name in one.ours}
    assert named <= _OURS.keys()
    assert {one.service for one in RECOMMENDATIONS} == set(Service)


@pytest.mark.parametrize("one", _COVERED, ids=lambda one: f"{one.source.name}: {one.name}")
def test_what_is_covered_is_evaluated(one: Recommendation) -> None:
    """Ours evaluate the recommended metric, unless the table says that they evaluate another."""
    evaluated = {metric for name in one.ours for metric in _evaluated(_OURS[name])}
    assert (one.metric in evaluated) is not one.another_metric


def test_what_is_refused_is_not_evaluated() -> None:
    """A refused recommendation has a reason, and no signal evaluates its metric at a low value."""
    refused = [one for one in RECOMMENDATIONS if not one.ours]
    assert all(one.reason.endswith(".") for one in refused)
    assert {one.name for one in refused} == {
        "Over provisioned", "Threats detected", "Provisioned concurrency",
        "Provisioned concurrency spillover", "Consumed capacity", "Read and write capacity",
        "Conditional check failed requests",
    }  # fmt: skip


def test_a_metric_is_drawn_or_has_a_reason() -> None:
    """Every metric of Datadog's dashboards is in ours, or the table says why not; never both."""
    drawn = recommended.shown(_PUBLISHED).keys()
    assert {one.service for one in CHARTED} == set(Service)
    for one in CHARTED:
        assert (one.metric in drawn) is not bool(one.reason), one.metric
        assert not one.reason or one.reason.endswith("."), one.metric


def test_the_page_is_current() -> None:
    """docs/datadog-recommended.md shows this table."""
    wanted = recommended.markdown(RECOMMENDATIONS, CATALOG, CHARTED, _PUBLISHED)
    assert recommended.FILE.read_text("utf-8") == wanted, f"run: {COMMAND}"


def _evaluated(ours: Signal | DatadogMonitor) -> set[str]:
    """The metrics that a signal or monitor reads, as Datadog names them."""
    if isinstance(ours, DatadogMonitor):
        queries = ours.queries.values()
        return {query.name for query in queries if isinstance(query, MetricQuery)}
    found = set()
    for query in ours.queries.values():
        twin = metrics.of(query.metric, query.statistic)
        if twin:
            found.add(_without_statistic(twin[1]))
    return found


def _without_statistic(name: str) -> str:
    """``aws.lambda.duration`` of ``aws.lambda.duration.p99``."""
    return ".".join(name.split(".")[:3])
