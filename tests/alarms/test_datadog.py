"""This project's own monitors and objectives, as they would be published."""

from __future__ import annotations

import re
from typing import Any

import pytest

from monitoring.datadog import query
from monitoring.datadog.definition import Definition, Kind
from monitoring.datadog.metrics import METRICS, Source
from settings.loader import load
from webhook_buffer.composition import definitions

DATADOG = {"apiKeySecretArn": "arn:aws:secretsmanager:us-east-1:333333333333:secret:datadog-abcdef"}


def _published(**changes: Any) -> dict[str, Definition]:
    objects = definitions(load("prd", overrides={"datadog": {**DATADOG, **changes}}))
    return {monitor.key: monitor for monitor in objects if monitor.kind is Kind.MONITOR}


@pytest.mark.parametrize("objective", ["accepted", "delivered"])
def test_the_fast_burn_rests_on_nothing_late(objective: str) -> None:
    """Its query is of log lines, or of metrics that functions send themselves, without a delay."""
    body = _published()[f"slo-{objective}-fast"].body
    read = query.monitor(
        body["query"], body["type"], dict.fromkeys(("late", "attempts"), "")
        if "variables" in body["options"] else None,
    )  # fmt: skip
    assert {METRICS[name].source for name in read.metrics} <= {Source.EXTENSION}
    assert bool(read.metrics) is not bool(body["options"].get("variables"))
    assert "evaluation_delay" not in body["options"]


def test_what_is_polled_is_evaluated_late() -> None:
    """Each monitor of a metric that CloudWatch hands over waits until it has arrived."""
    for monitor in _published().values():
        if monitor.body["type"] != "query alert":
            continue
        read = query.monitor(monitor.body["query"], "query alert")
        polled = any(METRICS[name].source is Source.POLLED for name in read.metrics)
        assert monitor.body["options"].get("evaluation_delay") == (900 if polled else None), (
            monitor.key
        )


def test_every_alert_is_a_sentence_with_value_and_threshold() -> None:
    """No message leaves out what the number counts, and none shows a bare pair of numbers."""
    for monitor in _published().values():
        alert = monitor.body["message"].split(".\nSeverity")[0].partition("prd: ")[2]
        said = re.sub(r"\{\{.*?\}\}|USD", "", alert)
        assert re.search(r"[a-z]{4,}", said.partition(" in the last ")[0]), alert
        if monitor.key != "traffic-unusual":
            assert re.search(r"\{\{\w+\}\}.* in the last .* \(threshold: .*\d.*\)$", alert), alert


@pytest.mark.parametrize(
    "changes",
    [
        {"datadog": {**DATADOG, "functions": []}},
        {"datadog": {**DATADOG, "tracing": False}},
        {"datadog": {**DATADOG, "metrics": "stream", "team": "webhooks"}},
        {"datadog": DATADOG, "heartbeat": "off"},
        {"datadog": DATADOG, "monitoring": False},
        {"datadog": {"functions": []}, "forwarderArn": None},
    ],
    ids=["not instrumented", "no traces", "stream", "no heartbeat", "no monitoring", "little"],
)
def test_every_kind_of_environment_can_be_published(changes: dict[str, Any]) -> None:
    """Whatever is switched off, the rest is still a set of definitions without a mistake."""
    assert definitions(load("prd", overrides=changes))
