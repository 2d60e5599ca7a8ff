"""Running notify in tests: what is loaded, what stays in the queue, and what a channel took."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from lambdas import alarm_events, notification
from lambdas.alarm_guide import AlarmGuides
from lambdas.faux_backend import Answer
from lambdas.notification import Notification
from tests.function_events import context
from tests.lambdas.fixtures import alarms
from tests.lambdas.fixtures.alarms import AGE, ALARM_GUIDES, FAILING, envelope, message
from webhook_buffer.laptop.backend import ScriptedBackend

NOW = 1_795_490_000_000
AT = 1_795_489_920_000  # 2026-11-24T03:12:00Z

Loads = Callable[..., ModuleType]


def failed(module: ModuleType, *records: dict[str, Any], seconds: float = 10.0) -> list[str]:
    """The ids that stay in the queue."""
    reply = module.handler({"Records": list(records)}, context(seconds=seconds))
    return [failure["itemIdentifier"] for failure in reply["batchItemFailures"]]


def delivered(backend: ScriptedBackend, channel: str = "a") -> list[dict[str, Any]]:
    """What a channel took, in order."""
    received = [request for request in backend.faux.received if request.target == f"/{channel}"]
    return [json.loads(request.body) for request in received if request.status == 200]


def printed_lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """What the function logged since it was last asked."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def at_minute(minute: int) -> str:
    """A time of a change, as CloudWatch writes it."""
    return f"2026-11-24T03:{minute:02}:00.000+0000"


def refusing(backend: ScriptedBackend, target: str) -> Callable[..., Answer]:
    """The backend's answers, with 500 for one target."""
    answer = backend.faux.answer

    def refuse(method: str, asked: str, headers: Any, body: bytes) -> Answer:
        if asked == target:
            return Answer(500)
        return answer(method, asked, headers, body)

    return refuse


def composite_message(**more: Any) -> dict[str, Any]:
    """The message of an incident, one of whose parts is in ALARM."""
    said = {**alarms.COMPOSITE, "AlarmName": FAILING, "StateChangeTime": at_minute(12)}
    child = {"Arn": alarms.ACCOUNT + AGE, "State": {"Value": "ALARM"}}
    return {**said, "TriggeringChildren": [child], **more}


def content_of(said: dict[str, Any] | None = None, **more: Any) -> Notification:
    """The notification of an alarm's message."""
    guides = AlarmGuides.parse(json.dumps({**ALARM_GUIDES, **more.pop("guides", {})}))
    transition = alarm_events.read(envelope(said or message()), message_id="m-1", now=NOW)
    return notification.build(transition, guides, since=AT, now=NOW, **more)
