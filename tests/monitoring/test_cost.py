"""What monitoring costs, counted from what is deployed."""

from __future__ import annotations

from typing import Any

import pytest

from monitoring import cost
from monitoring.model import metrics
from settings.sources import EXAMPLE
from tests.monitoring.fixtures import alarms as _set

EXISTING: dict[str, Any] = {
    "backend_url": None,
    "existing": {"queues": [{"name": "orders.fifo"}]},
}


def _lines(**overrides: Any) -> dict[str, cost.CostLine]:
    return {line.part: line for line in cost.monthly(_set(**overrides))}


def test_alarms_cost_by_the_metrics_they_read() -> None:
    """An alarm on an expression costs as much as alarms on each of its metrics."""
    alarms = _set()
    crashes, backlog = alarms.alarm("crashes"), alarms.alarm("backlog")
    assert crashes
    assert backlog
    assert cost.of_alarm(crashes) == pytest.approx(0.10)
    assert cost.of_alarm(backlog) == pytest.approx(0.30)
    # And the probe, which reads one.
    read = sum(cost.of_alarm(alarm) for alarm in alarms.alarms) + 0.10
    assert _lines()["alarms"].amount == pytest.approx(read)


def test_the_total_is_the_sum_of_the_parts() -> None:
    """No part is left out of the total."""
    lines = cost.monthly(_set())
    assert cost.total(lines) == pytest.approx(sum(line.amount for line in lines))
    assert {line.part for line in lines} == {
        "alarms",
        "composite alarms",
        "metrics written all the time",
        "metrics written when it happens",
        "dashboard",
        "key",
        "key of the heartbeat",
        "notification queue",
        "heartbeat",
        "probe of the alert path",
        "audit",
    }


@pytest.mark.parametrize(
    ("part", "amount"),
    [
        ("composite alarms", 2 * 0.50),
        ("metrics written all the time", 6 * 0.30),
        ("metrics written when it happens", 0.0),
        ("dashboard", 3.00),
        ("key", 1.00),
        ("notification queue", 648_000 * 0.40 / 1e6),
        # 8,640 x (0.25 GB-s, 3 invocations, 1 kB, one request, 3 requests to the queue)
        ("heartbeat", 8640 * (0.25 * 13.3334 + 3 * 0.2 + 0.5e-3 * 1e3 + 1.0 + 3 * 0.5) / 1e6),
        # 1,440 x (66 pages of 0.8 s and 1 s at 0.5 GB, 2 writes, 402 reads)
        (
            "audit",
            1440
            * (
                (1_000_000 / 48 * 95 / 30 / 1000 * 0.8 + 1) * 0.5 * 13.3334
                + 0.2
                + 2 * 0.625
                + 402 * 0.125
            )
            / 1e6,
        ),
    ],
)
def test_parts_cost_what_their_use_costs(part: str, amount: float) -> None:
    """Each part is its use times its price."""
    assert _lines()[part].amount == pytest.approx(amount)


def test_metrics_are_steady_or_rare() -> None:
    """Every metric of ours is counted as one or the other, as its record says."""
    lines = _lines()
    steady, rare = lines["metrics written all the time"], lines["metrics written when it happens"]
    everywhere = [metric for metric in metrics.OURS if metric is not metrics.SOURCE_ACCEPTED]
    assert int(steady.quantity) + int(rare.quantity) == len(everywhere)
    for metric in everywhere:
        assert metric.name in (steady if metric.steady else rare).remark.replace(",", "").split()


def test_without_heartbeat_its_parts_cost_nothing() -> None:
    """Heartbeat, probe and the metric it writes go together."""
    lines = _lines(heartbeat="off")
    assert not {"heartbeat", "probe of the alert path"} & lines.keys()
    assert "HeartbeatArrived" not in lines["metrics written all the time"].remark
    read = sum(alarm.metric_count for alarm in _set(heartbeat="off").alarms)
    assert lines["alarms"].amount == pytest.approx(0.10 * read)


def test_a_slower_heartbeat_costs_less() -> None:
    """The heartbeat's cost follows its interval."""
    every_5, every_10 = _lines(), _lines(heartbeatMinutes=10)
    assert every_10["heartbeat"].quantity == "4,320 runs"
    assert every_10["heartbeat"].amount == pytest.approx(every_5["heartbeat"].amount / 2)


def test_a_heartbeat_to_the_backend_is_recorded() -> None:
    """Through the backend each heartbeat is a write more."""
    more = _lines(heartbeat="backend")["heartbeat"].amount - _lines()["heartbeat"].amount
    assert more == pytest.approx(8640 * 0.625e-6)


def test_existing_resources_cost_their_alarms() -> None:
    """Where no buffer is, there is no heartbeat, no audit and no metric of ours."""
    lines = _lines(**EXISTING)
    assert set(lines) == {"alarms", "dashboard", "key", "notification queue"}
    read = sum(alarm.metric_count for alarm in _set(**EXISTING).alarms)
    assert lines["alarms"].amount == pytest.approx(0.10 * read)


def test_secrets_of_channels_are_counted_once() -> None:
    """Two channels that share a secret pay for it once."""
    arn = "arn:aws:secretsmanager:us-east-1:222222222222:secret:hooks-AbCdEf"
    channels = [
        {"kind": "slack", "secretArn": arn},
        {"kind": "slack", "name": "other", "secretArn": arn},
        {"kind": "email", "addresses": ["on-call@example.com"]},
    ]
    secrets = _lines(notifications=channels)["secrets"]
    assert secrets.quantity == "1"
    assert secrets.amount == pytest.approx(0.40)


def test_every_price_says_where_it_is_from() -> None:
    """No price without a source and a date, or the admission that it has none."""
    for price in cost.PRICES.values():
        assert price.amount > 0
        assert price.source
        assert price.date[:4].isdigit() or price.date == "undated, to be checked"


def test_sources_cost_a_metric_and_an_alarm_each() -> None:
    """Each source that verifies adds a metric that is written all the time."""
    assert "metrics of sources" not in _lines()
    sources = [{**EXAMPLE, "name": name, "paths": [f"/{name}"]} for name in ("a", "b")]
    line = _lines(sources=sources, openToEveryone=None)["metrics of sources"]
    assert line.quantity == "2"
    assert line.amount == pytest.approx(2 * 0.30)
