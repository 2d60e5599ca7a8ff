"""notify: what a notification is about, when the alarm is a composite or names webhooks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lambdas import drills
from lambdas.base.aws import AwsError
from lambdas.blocking import Webhook
from tests.lambdas.fixtures.alarms import (
    AGE,
    BLOCKED,
    DOWN,
    FAILING,
    SLOW,
    message,
    record,
)
from tests.lambdas.notifying import (
    Loads,
    at_minute,
    composite_message,
    delivered,
    failed,
    printed_lines,
)
from webhook_buffer.laptop.backend import ScriptedBackend


def test_composite_leads_with_its_part(
    notify: Loads, backend: ScriptedBackend, clients: Callable[[str], Any]
) -> None:
    """The parts' own states say what is wrong: the most specific first, the others after it."""
    cloudwatch = clients("cloudwatch")
    names = (SLOW, AGE, DOWN)
    for name in names:
        cloudwatch.put_metric_alarm(
            AlarmName=name, MetricName=name, Namespace="Test", Statistic="Maximum", Period=60,
            EvaluationPeriods=1, Threshold=300, ComparisonOperator="GreaterThanThreshold",
        )  # fmt: skip
    reason = "Threshold Crossed: 1 datapoint [320.0 (24/11/26 03:11:00)] was greater than (300.0)."
    try:
        for name in (SLOW, AGE):
            cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason=reason)
        assert failed(notify("a"), record(composite_message(TriggeringChildren=[]))) == []
    finally:
        cloudwatch.delete_alarms(AlarmNames=list(names))
    [sent] = delivered(backend)
    assert (sent["alarm"], sent["signal"]) == (FAILING, "deliveries-failing")
    assert sent["title"] == "Webhooks wait too long"
    assert (sent["value"], sent["threshold"]) == ("5 min 20 s", "5 min")
    assert sent["steps"] == ["Look at the queue."]


def test_composite_whose_parts_have_recovered(notify: Loads, backend: ScriptedBackend) -> None:
    """When no part is on any longer, those that set the composite off lead."""
    assert failed(notify("a"), record(composite_message())) == []
    assert [sent["title"] for sent in delivered(backend)] == ["Webhooks wait too long"]


class _Throttling:
    """A service that refuses every call."""

    def call(self, *_: Any, **__: Any) -> dict[str, Any]:
        raise AwsError("Throttling", retryable=True)


@pytest.mark.parametrize(
    ("children", "title"),
    [(True, "Webhooks wait too long"), (False, "Webhooks do not reach the backend")],
)
def test_composite_whose_parts_are_unread(
    notify: Loads, backend: ScriptedBackend, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str], children: bool, title: str,
) -> None:  # fmt: skip
    """Without CloudWatch's word the message's own parts lead, and without them its own text."""
    module = notify("a")
    monkeypatch.setattr(module.aws, "CLOUDWATCH", _Throttling())
    said = composite_message() if children else composite_message(TriggeringChildren=[])
    assert failed(module, record(said)) == []
    assert [sent["title"] for sent in delivered(backend)] == [title]
    unread = [
        line["aws_error"] for line in printed_lines(capsys) if line["event"] == "parts.unread"
    ]
    assert unread == ["Throttling"]


def test_what_blocks_is_named(
    notify: Loads, backend: ScriptedBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An alarm that has webhooks to name does so, and its recovery does not ask."""
    module = notify("a", PARKING_TABLE="parking")
    asked: list[Any] = []

    def look(which: str, **how: Any) -> tuple[Webhook, ...]:
        asked.append((which, how["table"], how["log_group"]))
        assert 0 < how["within"] <= 2
        return (Webhook("acme/shop", "m-9", None),)

    monkeypatch.setattr(module.blocking, "look", look)
    for alarm, state in ((BLOCKED, "ALARM"), (BLOCKED, "OK"), (DOWN, "ALARM")):
        assert failed(module, record(message(alarm, state, at=at_minute(10)))) == []
    assert asked == [("blocked", "parking", "/aws/lambda/buffer-prd-subscribe")]
    named = {"group_id": "acme/shop", "message_id": "m-9", "since": None}
    assert [sent["webhooks"] for sent in delivered(backend)] == [[named], [], []]


def test_an_alarm_that_a_drill_set_off_names_no_webhook(
    notify: Loads, backend: ScriptedBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing was measured, so none blocks; a drill's cause that was measured names its own."""
    module = notify("a")
    drill = drills.Drill("d", {BLOCKED: (0, 10**14)}, pagerduty=False)
    monkeypatch.setattr(module.drills, "load", lambda *_, **__: drill)
    monkeypatch.setattr(module.blocking, "look", lambda *_, **__: (Webhook("g", "m", None),))
    said = message(BLOCKED, at=at_minute(10), NewStateReason="Drill: set off on purpose.")
    assert failed(module, record(said)) == []
    assert failed(module, record(message(BLOCKED, "OK", at=at_minute(11)))) == []
    assert failed(module, record(message(BLOCKED, at=at_minute(12)))) == []
    sent = delivered(backend)
    assert [len(each["webhooks"]) for each in sent] == [0, 0, 1]
    assert [each["drill"] for each in sent] == [True, True, True]


def test_names_that_cannot_be_read(
    notify: Loads, backend: ScriptedBackend, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """A notification goes out without names when they can't be read."""
    module = notify("a")
    monkeypatch.setattr(module.aws, "LOGS", _Throttling())
    monkeypatch.setattr(module, "_LOOK_SECONDS", 0.2)
    assert failed(module, record(message(BLOCKED))) == []
    [sent] = delivered(backend)
    assert (sent["signal"], sent["webhooks"]) == ("blocked-group", [])
    unread = [
        line["aws_error"] for line in printed_lines(capsys) if line["event"] == "webhooks.unread"
    ]
    assert unread == ["Throttling"]
