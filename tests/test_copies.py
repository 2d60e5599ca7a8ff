"""Numbers that stand twice, because one side must not load the other, are the same."""

from __future__ import annotations

import ast

import pytest

from monitoring import resources
from monitoring.documents import ENVIRONMENT
from settings.loader import load
from settings.names import BLOCKED_ATTEMPTS, BLOCKED_SECONDS
from settings.paths import ROOT
from webhook_buffer.benchmark import world


@pytest.mark.parametrize(
    ("copy", "file", "name"),
    [
        (resources.RETRY_AFTER, "publish", "_RETRY_AFTER"),
        (resources.SEND, "publish", "_SEND_SECONDS"),
        (resources.RESERVE, "attempt", "RESERVE_SECONDS"),
        (resources.WRITE, "attempt", "_RECORD_SECONDS"),
        (resources.CALL, "lease", "_CALL_SECONDS"),
        (resources.CALL, "preconditions", "_READ_SECONDS"),
        (resources.REPORT, "base/observe", "_SENTRY_SECONDS"),
    ],
)
def test_a_fact_of_the_functions_is_their_own_number(copy: float, file: str, name: str) -> None:
    """What the runbook says of a function's code is what the code says."""
    tree = ast.parse((ROOT / "lambdas" / f"{file}.py").read_text("utf-8"))
    values = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name
    ]
    assert values == [copy]


def test_the_benchmark_s_buffer_has_the_defaults() -> None:
    """The model of the buffer, which knows no settings, has what settings say by default."""
    settings = load(ENVIRONMENT)
    fact = resources.resources(settings).fact
    assert settings.maxConcurrency == world.CONCURRENCY
    assert settings.subscribeTimeoutSeconds == world.TIMEOUT
    assert fact("subscribe.backend_time").value == world.BACKEND_TIME
    assert (settings.retryBaseSeconds, settings.retryMaxSeconds) == (
        world.RETRY_BASE,
        world.RETRY_MAX,
    )
    assert (BLOCKED_ATTEMPTS, BLOCKED_SECONDS) == (world.BLOCKED_ATTEMPTS, world.BLOCKED_SECONDS)
    assert settings.heartbeatMinutes == world.HEARTBEAT_MINUTES
    assert fact("slo.delivery_target").value == world.TARGET_MS
    assert settings.visibility_seconds == world.VISIBILITY
