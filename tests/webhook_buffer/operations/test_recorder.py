"""Recording a running buffer: log lines and the queue's depth become the series alarms read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from alarmproof.model import Series
from alarmproof.template import parse

from lambdas.metrics import embedded
from monitoring.cloudwatch.alarms import template
from settings.loader import load
from webhook_buffer.composition import alarm_set
from webhook_buffer.operations.environment import Environment
from webhook_buffer.operations.logs import Line
from webhook_buffer.operations.recorder import Depth, observations, series_of

START = 1_760_000_400


def _line(
    function: str,
    second: float,
    event: str,
    level: str = "INFO",
    *,
    status: int | None = None,
    **fields: Any,
) -> Line:
    at = round(1000 * (START + second))
    fields |= {"http": {"status_code": status}} if status else {}
    metrics = fields.pop("metrics", None)
    more = embedded(metrics, at=at) if metrics else {}
    return Line(at, function, "", {"event": event, "level": level, **fields, **more})


def _start(function: str, second: float, request: str) -> Line:
    text = f"START RequestId: {request} Version: $LATEST"
    return Line(round(1000 * (START + second)), function, text, {})


def _series(tmp_path: Path, lines: list[Line], depths: list[Depth]) -> dict[str, Series]:
    settings = load("local")
    target = Environment(settings=settings, folder=tmp_path, outputs_file=tmp_path / "o.json")
    alarms = parse(template(alarm_set(settings)), "t").alarms
    found = series_of(target, alarms, observations(lines, depths), start=START, minutes=3)
    return {f"{one.metric.name} {one.statistic} {_who(one)}".strip(): one for one in found}


def _who(one: Series) -> str:
    return " ".join(value for name, value in one.metric.dimensions if name == "FunctionName")


def test_log_lines_become_what_alarms_read(tmp_path: Path) -> None:
    """Embedded metrics, and what AWS would count, by the minute; nothing is made up."""
    lines = [
        _line("publish", 5, "webhook.queued", status=200, duration_ms=20, message_id="a",
              metrics={"Accepted": 1}),
        _line("publish", 70, "webhook.refused", "ERROR", status=503, duration_ms=9000),
        _line("subscribe", 6, "webhook.failed", "WARNING", message_id="a", duration_ms=50,
              metrics={"Backend5xx": 1, "BackendOutcome": 5, "HeadAge": 1}),
        _line("subscribe", 8, "webhook.failed", "WARNING", message_id="a", duration_ms=50,
              metrics={"Backend4xx": 1, "BackendOutcome": 4, "HeadAge": 3}),
        _line("subscribe", 130, "webhook.delivered", message_id="a", duration_ms=30,
              request_id="r1",
              metrics={"Backend2xx": 1, "BackendOutcome": 2, "DeliveryLag": 125_000}),
        _start("subscribe", 129, "r1"),
        _line("subscribe", 139, "function.failed", "ERROR", error="KeyError", request_id="r2"),
        _start("subscribe", 139, "r2"),
        _start("subscribe", 10, "never loaded"),
    ]  # fmt: skip
    depths = [Depth(START + 30, 1, 0), Depth(START + 100, 0, 1), Depth(START + 150, 0, 0)]
    found = _series(tmp_path, lines, depths)

    def values(name: str) -> list[float]:
        return [float(one) for one in found[name].values]

    nan = float("nan")
    publish, subscribe = "webhook-buffer-local-publish", "webhook-buffer-local-subscribe"
    assert values("BackendOutcome PR(4.5:)") == pytest.approx([50, nan, 0], nan_ok=True)
    assert values("BackendOutcome SampleCount") == pytest.approx([2, nan, 1], nan_ok=True)
    assert values("HeadAge Maximum") == pytest.approx([3, nan, nan], nan_ok=True)
    assert values("5xx Sum") == [0, 1, 0]
    assert values("Count Sum") == [1, 1, 0]
    assert values(f"Duration p99 {publish}") == pytest.approx([20, 9000, nan], nan_ok=True)
    assert values(f"Errors Sum {subscribe}") == [1, 0, 1]
    assert values("ApproximateAgeOfOldestMessage Maximum") == pytest.approx(
        [25, 95, nan], nan_ok=True
    )
    assert values("ApproximateNumberOfMessagesNotVisible Maximum") == [0, 1, 0]
    assert [one.metric.dimensions for name, one in found.items() if "Visible Maximum" in name] == [
        (("QueueName", "webhook-buffer-local.fifo"),)
    ] * 2
    assert values("NumberOfMessagesDeleted Sum") == [0, 0, 1]
    assert values("webhook-buffer-local-publish-log-errors Sum") == pytest.approx(
        [nan, 1, nan], nan_ok=True
    )
    assert "DeliveryLag PR(:300000)" in found
    assert not any("Throttles" in name for name in found)


def test_what_is_outside_of_the_time_is_left_out(tmp_path: Path) -> None:
    """Lines of before tell how long a webhook waits, and count nothing themselves."""
    lines = [
        _line("publish", -300, "webhook.queued", status=200, message_id="a",
              metrics={"Accepted": 1})
    ]  # fmt: skip
    found = _series(tmp_path, lines, [Depth(START + 60.5, 1, 0)])
    age = found["ApproximateAgeOfOldestMessage Maximum"].values
    assert age[1] == pytest.approx(360.5)
    assert np.isnan(age[[0, 2]]).all()
    assert "Accepted Sum" not in found


def test_a_repeat_is_a_duplicate_and_not_sent(tmp_path: Path) -> None:
    """SQS answers it with its original's sequence number; the first one's time counts."""
    lines = [
        _line("publish", at, "webhook.queued", status=200, message_id=name, sequence_number=number,
              metrics={"Accepted": 1})
        for at, name, number in ((5, "a", "1"), (6, "b", "2"), (50, "a", "1"))
    ]  # fmt: skip
    found = _series(tmp_path, lines, [Depth(START + 58, 2, 0)])
    assert list(found["NumberOfMessagesSent Sum"].values) == [2, 0, 0]
    assert list(found["NumberOfDeduplicatedSentMessages Sum"].values) == [1, 0, 0]
    assert found["ApproximateAgeOfOldestMessage Maximum"].values[0] == pytest.approx(53)
