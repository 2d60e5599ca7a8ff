"""blocking: the webhooks that a notification names, from what is parked and from the log."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from lambdas import blocking
from lambdas.base import aws
from lambdas.base.aws import AwsError
from tests.emulated_aws import Aws
from tests.function_modules import Functions
from tests.lambdas.test_parking import Buffer
from webhook_buffer.laptop.backend import ScriptedBackend

_AT = 1_795_489_920_000
_MINUTE = 60_000

Answer = Callable[[dict[str, Any]], dict[str, Any]]


def _service(monkeypatch: pytest.MonkeyPatch, name: str, answer: Answer) -> list[dict[str, Any]]:
    """Puts an answer in the place of a service; the requests that it gets."""
    requests: list[dict[str, Any]] = []

    class Service:
        def call(self, _: str, request: dict[str, Any], **__: Any) -> dict[str, Any]:
            requests.append(dict(request))
            return answer(request)

    monkeypatch.setattr(aws, name, Service())
    monkeypatch.setattr(time, "sleep", lambda _: None)
    return requests


def _line(at: int, message_id: str, **more: Any) -> dict[str, Any]:
    line = {"event": "webhook.failed", "at": at, "message_id": message_id, "group_id": "g"}
    return {"message": json.dumps({**line, "BlockedGroup": 1, **more})}


def _look(which: str, *, within: float = 60) -> tuple[blocking.Webhook, ...]:
    return blocking.look(which, table="parking", log_group="subscribe", at=_AT, within=within)


@pytest.fixture
def buffer(functions: Functions, aws: Aws, backend: ScriptedBackend) -> Buffer:
    """A buffer of the test's own."""
    return Buffer(functions, aws, backend)


def test_what_is_parked(buffer: Buffer) -> None:
    """The head of a held group, and what subscribe set aside, are found."""
    aside = buffer.accept("a", n=1)
    buffer.refused()
    buffer.policy["on_park"] = "group"
    head = buffer.accept("h", n=2)
    behind = buffer.accept("h", n=3)
    buffer.refused()
    assert buffer.handle()

    def named(which: str) -> list[tuple[str, str]]:
        looked = blocking.look(
            which, table=buffer.aws.parking, log_group=None, at=round(time.time() * 1000), within=9
        )
        assert all(webhook.since for webhook in looked)
        return [(webhook.group_id, webhook.message_id) for webhook in looked]

    assert named("held") == [("h", head)]
    assert named("parked") == [("h", head), ("a", aside)]
    assert named("expiring") == [("a", aside), ("h", head), ("h", behind)]
    assert named("blocked") == named("of a later release") == []


def test_what_was_dropped_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dropped webhooks stay listed, and are not named; of the others one more than three are."""

    def row(number: int) -> dict[str, Any]:
        row = {"group_id": {"S": "g"}, "id": {"S": f"m-{number}"}, "parked_at": {"N": str(number)}}
        return row | ({"dropped_at": {"N": "1"}} if number < 5 else {})

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        held = request["ExpressionAttributeValues"][":kind"] == {"S": "held"}
        return {"Items": [row(number) for number in range(20)] if held else []}

    requests = _service(monkeypatch, "DYNAMODB", answer)
    assert [webhook.message_id for webhook in _look("expiring")] == ["m-5", "m-6", "m-7", "m-8"]
    assert all(request["Limit"] == 25 for request in requests)


def test_what_blocks_in_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    """The latest lines with the metric name their webhooks, the newest first and each once."""
    pages = {
        None: ([_line(_AT - 9, "m-1", age_ms=5), _line(_AT - 8, "m-2", group_id="h")], "next"),
        "next": ([_line(_AT - 7, "m-1", age_ms=7), _line(_AT - 6, "m-3", BlockedGroup=None)], None),
    }

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        events, token = pages[request.get("nextToken")]
        return {"events": events, **({"nextToken": token} if token else {})}

    requests = _service(monkeypatch, "LOGS", answer)
    assert _look("blocked") == (
        blocking.Webhook("g", "m-1", _AT - 14),
        blocking.Webhook("h", "m-2", None),
    )
    assert requests[0] == {
        "logGroupName": "subscribe",
        "filterPattern": "{ $.BlockedGroup = 1 }",
        "startTime": _AT - 5 * _MINUTE,
        "endTime": _AT + _MINUTE - 1,
    }


def test_earlier_lines_are_read_only_if_there_are_no_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """A webhook that is tried every few minutes is found in a quarter of an hour of the log."""

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        early = request["endTime"] < _AT - 4 * _MINUTE
        return {"events": [_line(_AT - 9 * _MINUTE, "m-1")] if early else []}

    requests = _service(monkeypatch, "LOGS", answer)
    assert [webhook.message_id for webhook in _look("blocked")] == ["m-1"]
    assert [request["startTime"] for request in requests[:2]] == [
        _AT - 5 * _MINUTE, _AT - 15 * _MINUTE,
    ]  # fmt: skip


def test_what_was_delivered_since_is_not_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor what was parked since; where that can't be read, all are named."""
    blocked = [_line(_AT - 9, "m-1"), _line(_AT - 8, "m-2"), _line(_AT - 7, "m-3")]
    later = [
        _line(_AT - 6, "m-1", event="webhook.delivered", BlockedGroup=None),
        _line(_AT - 6, "m-3", event="webhook.parked", BlockedGroup=None),
    ]
    pattern = '{ $.message_id = "m-3" || $.message_id = "m-2" || $.message_id = "m-1" }'
    refused: list[str] = []

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        if request["filterPattern"] != pattern:
            return {"events": blocked}
        if refused:
            raise AwsError("Throttling", retryable=False)
        return {"events": [*blocked, *later]}

    requests = _service(monkeypatch, "LOGS", answer)
    assert [webhook.message_id for webhook in _look("blocked")] == ["m-2"]
    assert requests[1] == {
        "logGroupName": "subscribe",
        "filterPattern": pattern,
        "startTime": _AT - 5 * _MINUTE,
        "endTime": _AT + _MINUTE - 1,
    }
    refused.append("")
    assert [webhook.message_id for webhook in _look("blocked")] == ["m-3", "m-2", "m-1"]


def test_what_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """The audit's lines name what it calls lost, and since when it was accepted."""

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        late = request["endTime"] > _AT
        lines = [
            _line(_AT - _MINUTE, "m-1", event="webhook.lost", since="2026-11-24T09:00:05Z"),
            _line(_AT - _MINUTE, "m-2", event="webhook.lost", since=["no", "time"]),
            _line(_AT, "m-3", event="audit.unaccounted"),
        ]
        return {"events": [] if late else lines}

    requests = _service(monkeypatch, "LOGS", answer)
    accepted_at = round(1000 * datetime(2026, 11, 24, 9, 0, 5, tzinfo=UTC).timestamp())
    assert _look("lost") == (
        blocking.Webhook("g", "m-1", accepted_at),
        blocking.Webhook("g", "m-2", None),
    )
    assert {request["filterPattern"] for request in requests} == {'{ $.event = "webhook.lost" }'}
    assert requests[1]["startTime"] == _AT - 7 * 60 * _MINUTE


@pytest.mark.parametrize("read", [0, 1])
def test_a_log_that_takes_too_long(monkeypatch: pytest.MonkeyPatch, read: int) -> None:
    """What was read before the time was over is named; nothing at all is a failure."""

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        if "nextToken" in request:
            raise AwsError("Timeout", retryable=False)
        return {"events": [_line(_AT, "m-1")][:read], "nextToken": "next"}

    _service(monkeypatch, "LOGS", answer)
    if read:
        assert [webhook.message_id for webhook in _look("blocked")] == ["m-1"]
    else:
        with pytest.raises(AwsError):
            _look("blocked")


def test_without_time_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look that may take no time makes no call."""
    requests = _service(monkeypatch, "DYNAMODB", lambda _: {"Items": []})
    with pytest.raises(AwsError):
        _look("held", within=0)
    assert not requests


@pytest.mark.parametrize("row", [{}, {"group_id": {"S": "g"}, "id": {"S": "m"}, "parked_at": 1}])
def test_a_row_of_somebody_else(monkeypatch: pytest.MonkeyPatch, row: dict[str, Any]) -> None:
    """A row that is not ours is an error of the kind that the caller expects."""
    _service(monkeypatch, "DYNAMODB", lambda _: {"Items": [row]})
    with pytest.raises(AwsError, match="UnreadableRow"):
        _look("held")
