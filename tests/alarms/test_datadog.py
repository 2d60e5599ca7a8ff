"""This project's own monitors and objectives, as they would be published."""

from __future__ import annotations

from typing import Any

import pytest

from settings.loader import load
from webhook_buffer.composition import definitions

DATADOG = {"apiKeySecretArn": "arn:aws:secretsmanager:us-east-1:333333333333:secret:datadog-abcdef"}


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
