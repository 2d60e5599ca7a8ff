"""A line of a log is shown for people: what happened, and nothing that only CloudWatch reads."""

from __future__ import annotations

from webhook_buffer.operations.logs import Line, describe

# As subscribe writes it: its fields, and its metrics in embedded metric format.
_FAILED = {
    "at": "2026-11-26T01:13:07.123Z",
    "level": "WARNING",
    "event": "webhook.failed",
    "service": "webhook-buffer",
    "env": "local",
    "function": "subscribe",
    "http": {"status_code": 503},
    "attempt": 2,
    "Backend5xx": 1,
    "HeadAge": 4.2,
    "_aws": {
        "Timestamp": 1795655560323,
        "CloudWatchMetrics": [
            {
                "Namespace": "WebhookBuffer",
                "Dimensions": [["service", "env"]],
                "Metrics": [
                    {"Name": "Backend5xx", "Unit": "Count"},
                    {"Name": "HeadAge", "Unit": "Seconds"},
                ],
            }
        ],
    },
}


def test_metrics_are_left_out() -> None:
    """Fields stay in their order; the embedded metrics and their directives go."""
    line = Line(1795655587123, "subscribe", "{}", _FAILED)
    assert describe(line).split() == [
        "01:13:07.123", "subscribe", "WARNING", "webhook.failed", "http.status_code=503",
        "attempt=2",
    ]  # fmt: skip


def test_a_line_without_metrics_and_a_plain_one_are_whole() -> None:
    """Nothing else is left out, and text that is not a line of ours is shown as it is."""
    fields = {"level": "INFO", "event": "webhook.accepted", "group_id": "a"}
    assert describe(Line(0, "publish", "{}", fields)).endswith("webhook.accepted group_id=a")
    assert describe(Line(0, "publish", "Task timed out", {})).endswith("Task timed out")
