"""When subscribe attempts a message, when it puts it back unattempted, and how it counts."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from lambdas import lease
from lambdas.faux_backend import Answer
from tests.emulated_aws import Aws
from tests.function_events import context, http_event
from tests.function_modules import Functions
from tests.lambdas.conftest import HttpStub, Wire
from tests.waiting import eventually
from webhook_buffer.laptop.backend import ScriptedBackend

# The queue's visibility timeout, as these tests give it to subscribe.
_VISIBILITY = 60
# How long the invocations of these tests may run.
_INVOCATION_SECONDS = 10.0

Queued = Callable[..., dict[str, Any]]
Handled = Callable[..., list[str]]


@pytest.fixture
def queued(functions: Functions, aws: Aws) -> Queued:
    """Publishes a webhook and receives it as the event source would."""

    def publish(**event: Any) -> dict[str, Any]:
        reply = functions.publish().handler(http_event({"group_id": "g"}, **event), context())
        assert reply["statusCode"] == 200
        [record] = aws.received()
        return record

    return publish


@pytest.fixture
def handled(functions: Functions, backend: ScriptedBackend) -> Handled:
    """Has subscribe handle a message; the ids that stay in the queue."""

    def handle(
        record: dict[str, Any], *, seconds: float = _INVOCATION_SECONDS, **variables: str
    ) -> list[str]:
        module = functions.subscribe(backend.url, **variables)
        reply = module.handler({"Records": [record]}, context(seconds=seconds))
        return [failure["itemIdentifier"] for failure in reply["batchItemFailures"]]

    return handle


def _lines(capsys: pytest.CaptureFixture[str], event: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [line for line in lines if line["event"] == event]


def _first_received(record: dict[str, Any], *, seconds_ago: float) -> None:
    at = round((time.time() - seconds_ago) * 1000)
    record["attributes"]["ApproximateFirstReceiveTimestamp"] = str(at)


def _again(record: dict[str, Any], receives: int) -> dict[str, Any]:
    record["attributes"]["ApproximateReceiveCount"] = str(receives)
    return record


# Seconds after which an invocation is late: the message would be anybody's again before its end.
_LAST_MOMENT = _VISIBILITY - _INVOCATION_SECONDS - lease._MARGIN_SECONDS


def test_just_in_time_is_attempted(
    backend: ScriptedBackend, queued: Queued, handled: Handled
) -> None:
    """An invocation whose message stays in flight to its end delivers, without asking SQS."""
    record = queued()
    _first_received(record, seconds_ago=_LAST_MOMENT - 2)
    record["receiptHandle"] = "refused if it is used"
    assert handled(record) == []
    assert len(backend.faux.received) == 1


def test_just_too_late_is_put_back_unattempted(
    aws: Aws,
    backend: ScriptedBackend,
    queued: Queued,
    handled: Handled,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """An invocation whose message would be anybody's before its end leaves it to the next."""
    record = queued()
    _first_received(record, seconds_ago=_LAST_MOMENT + 0.1)
    assert handled(record) == [record["messageId"]]
    assert not backend.faux.received
    assert aws.record(record["messageId"]) is None
    [line] = _lines(capsys, "webhook.unattempted")
    assert (line["error"], line["receives"], line["retry_seconds"]) == ("Late", 1, 0)
    assert line["HeadAge"] >= 0

    [again] = eventually(aws.received)
    assert again["messageId"] == record["messageId"]
    assert handled(again) == []
    [seen] = backend.faux.received
    assert seen.headers["x-buffer-attempt"] == "1"


def test_late_and_already_received_again(
    aws: Aws,
    backend: ScriptedBackend,
    queued: Queued,
    handled: Handled,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A late invocation does not disturb the one that has the message now."""
    record = queued()
    aws.delete(record)
    _first_received(record, seconds_ago=_VISIBILITY + 1)
    assert handled(record) == [record["messageId"]]
    assert not backend.faux.received
    [line] = _lines(capsys, "webhook.unattempted")
    assert (line["error"], "retry_seconds" in line) == ("Late", False)


def test_a_later_receive_takes_the_message_first(
    aws: Aws,
    backend: ScriptedBackend,
    queued: Queued,
    handled: Handled,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """From the second receive on, a message that SQS has given away is not attempted."""
    record = _again(queued(), receives=2)
    aws.delete(record)
    assert handled(record) == [record["messageId"]]
    assert not backend.faux.received
    [line] = _lines(capsys, "webhook.unattempted")
    assert (line["error"], line["aws_error"]) == ("NotHeld", "ReceiptHandleIsInvalid")


def test_without_a_time_the_message_is_taken_first(
    aws: Aws, backend: ScriptedBackend, queued: Queued, handled: Handled
) -> None:
    """An event that does not say since when the message is in flight is not a reason to guess."""
    record = queued()
    del record["attributes"]["ApproximateFirstReceiveTimestamp"]
    aws.delete(record)
    assert handled(record) == [record["messageId"]]
    assert not backend.faux.received


@pytest.mark.parametrize("attempts", [1, 3])
def test_attempts_are_the_records(
    aws: Aws,
    backend: ScriptedBackend,
    queued: Queued,
    handled: Handled,
    attempts: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Receives that made no attempt raise neither the count, the header nor the back-off."""
    record = queued()
    aws.attempted(record, attempts)
    backend.faux.default = Answer(500)
    assert handled(_again(record, receives=40), RETRY_BASE_SECONDS="1", RETRY_MAX_SECONDS="3600")
    [seen] = backend.faux.received
    assert seen.headers["x-buffer-attempt"] == str(attempts + 1)
    row = aws.attempts(record["messageId"])
    assert row
    assert row["attempt_count"] == {"N": str(attempts + 1)}
    assert row["recent"]["L"][-1]["M"]["number"] == {"N": str(attempts + 1)}
    [line] = _lines(capsys, "webhook.failed")
    assert line["attempt"] == attempts + 1
    assert line["retry_seconds"] <= 2**attempts
    assert "BlockedGroup" not in line


def test_attempts_of_an_older_record(
    aws: Aws, backend: ScriptedBackend, queued: Queued, handled: Handled
) -> None:
    """A record from before attempts were counted has as many as it lists."""
    record = queued()
    listed = [{"M": {"number": {"N": str(number)}}} for number in (1, 2, 9)]
    item = {"id": {"S": record["messageId"]}, "attempts": {"L": listed}}
    aws.dynamodb.put_item(TableName=aws.table, Item=item)
    assert handled(_again(record, receives=12)) == []
    assert backend.faux.received[0].headers["x-buffer-attempt"] == "4"


@pytest.mark.parametrize(
    "item",
    [{"attempt_count": {"S": "three"}}, {"attempt_count": {"N": "1.5"}}, {"attempts": {"S": ""}}],
    ids=["text", "fraction", "no list"],
)
def test_a_record_that_is_not_ours(
    aws: Aws,
    backend: ScriptedBackend,
    queued: Queued,
    handled: Handled,
    item: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A record that somebody else has written to is unreadable, not a crash."""
    record = queued()
    aws.dynamodb.put_item(TableName=aws.table, Item={"id": {"S": record["messageId"]}, **item})
    assert handled(_again(record, receives=2)) == [record["messageId"]]
    assert not backend.faux.received
    [line] = _lines(capsys, "record.failed")
    assert line["aws_error"] == "UnreadableRecord"


def test_an_unreadable_record_waits(
    aws: Aws,
    backend: ScriptedBackend,
    queued: Queued,
    handled: Handled,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Without its record a webhook is put back, waits longer each time, and is not attempted."""
    record = _again(queued(), receives=6)
    aws.dynamodb.delete_table(TableName=aws.table)
    stays = handled(record, RETRY_BASE_SECONDS="2", RETRY_MAX_SECONDS="300")
    assert stays == [record["messageId"]]
    assert not backend.faux.received
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    failed, waits = (line for line in lines if line["event"] != "webhook.queued")
    assert (failed["event"], failed["RecordFailed"]) == ("record.failed", 1)
    assert (waits["event"], waits["error"]) == ("webhook.unattempted", "NoRecord")
    assert waits["aws_error"] == "ResourceNotFoundException"
    assert 32 <= waits["retry_seconds"] <= 64
    assert waits["HeadAge"] >= 0


def test_a_throttled_put_back_is_no_attempt(
    backend: ScriptedBackend,
    http_stub: HttpStub,
    queued: Queued,
    handled: Handled,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """When SQS throttles the put-back, the message stays and comes back by itself."""
    record = queued()
    backend.faux.default = Answer(500)
    http_stub.then(200, {})  # the group's state
    http_stub.then(200, {})  # the record
    http_stub.then(200, {})  # its row of attempts
    throttled = {"__type": "com.amazonaws.sqs#RequestThrottled"}
    http_stub.then(400, throttled)
    http_stub.then(400, throttled)
    assert handled(record, AWS_ENDPOINT_URL=http_stub.url) == [record["messageId"]]
    asked = [request.header("x-amz-target") for request in http_stub.requests]
    assert asked[1:3] == ["DynamoDB_20120810.UpdateItem"] * 2
    assert asked[3:] == ["AmazonSQS.ChangeMessageVisibility"] * 2
    written = json.loads(http_stub.requests[1].body)["ExpressionAttributeValues"]
    assert written[":attempt_count"] == {"N": "1"}
    assert _lines(capsys, "visibility.failed")[0]["aws_error"] == "RequestThrottled"


def test_attempts_without_a_record_back_off_by_receives(
    backend: ScriptedBackend, http_stub: HttpStub, queued: Queued, handled: Handled
) -> None:
    """When no record can be written, failures wait longer each time all the same."""
    record = _again(queued(), receives=7)
    backend.faux.default = Answer(500)
    for _ in ("the hold", "the group's state", "the row of attempts", "the item"):
        http_stub.then(200, {})
    http_stub.then(400, {"__type": "com.amazonaws.dynamodb.v20120810#AccessDeniedException"})
    assert handled(
        record, AWS_ENDPOINT_URL=http_stub.url, RETRY_BASE_SECONDS="1", RETRY_MAX_SECONDS="300"
    )
    change = json.loads(http_stub.requests[-1].body)
    assert 32 <= change["VisibilityTimeout"] <= 64


def test_first_receives_ask_for_the_group_alone(
    http_stub: HttpStub, queued: Queued, handled: Handled
) -> None:
    """A delivery at the first receive reads its group's state and writes the record, no more.

    That its source was delivered is written every half minute beside it.
    """
    record = queued()
    for call in ("first", "second"):
        http_stub.requests.clear()
        assert handled(record, AWS_ENDPOINT_URL=http_stub.url) == []
        asked = [request.header("x-amz-target") for request in http_stub.requests]
        noted = ["DynamoDB_20120810.PutItem"] if call == "first" else []
        writes = ["DynamoDB_20120810.UpdateItem", *noted]
        assert asked == ["DynamoDB_20120810.GetItem", *writes]
        assert json.loads(http_stub.requests[0].body)["ConsistentRead"] is True


def test_later_receives_hold_then_read(
    http_stub: HttpStub, queued: Queued, handled: Handled
) -> None:
    """A later receive takes the message for as long as a fresh one, then reads consistently."""
    record = _again(queued(), receives=2)
    assert handled(record, AWS_ENDPOINT_URL=http_stub.url) == []
    hold, read, *_ = http_stub.requests
    assert json.loads(hold.body)["VisibilityTimeout"] == _VISIBILITY
    assert json.loads(hold.body)["ReceiptHandle"] == record["receiptHandle"]
    assert read.header("x-amz-target") == "DynamoDB_20120810.GetItem"
    assert json.loads(read.body)["ConsistentRead"] is True


def test_delivered_already(
    backend: ScriptedBackend, queued: Queued, handled: Handled, capsys: pytest.CaptureFixture[str]
) -> None:
    """A webhook that its record calls delivered leaves the queue without a repeat."""
    record = queued()
    assert handled(record) == []
    capsys.readouterr()
    assert handled(_again(record, receives=2)) == []
    assert len(backend.faux.received) == 1
    assert _lines(capsys, "webhook.already-delivered")


def test_without_time_for_an_attempt(
    aws: Aws,
    backend: ScriptedBackend,
    queued: Queued,
    handled: Handled,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """When only the reserve is left of an invocation, its message is put back unattempted."""
    record = queued()
    assert handled(record, seconds=3.05) == [record["messageId"]]
    assert not backend.faux.received
    assert aws.record(record["messageId"]) is None
    [line] = _lines(capsys, "webhook.unattempted")
    assert line["error"] == "NoTime"
    assert eventually(aws.received)


def test_silent_services_before_a_later_attempt(
    functions: Functions, backend: ScriptedBackend, queued: Queued
) -> None:
    """With SQS and DynamoDB silent, a later receive ends within its time, unattempted."""
    record = _again(queued(), receives=2)
    with Wire(lambda _: wire.over.wait(10)) as wire:
        module = functions.subscribe(backend.url, AWS_ENDPOINT_URL=wire.url)
        invocation = context(seconds=5)
        reply = module.handler({"Records": [record]}, invocation)
        assert reply["batchItemFailures"] == [{"itemIdentifier": record["messageId"]}]
        assert invocation.get_remaining_time_in_millis() > 2000
    assert not backend.faux.received
