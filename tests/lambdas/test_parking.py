"""What is parked, when, and how it is released: the handlers on the emulator's queue and tables."""

from __future__ import annotations

import json
import random
import time
from typing import Any

import pytest

from lambdas import parked_index
from lambdas.faux_backend import Answer
from lambdas.tokens import Token
from tests.emulated_aws import Aws
from tests.function_events import context, http_event
from tests.function_modules import POLICY, Functions
from tests.waiting import eventually
from webhook_buffer.laptop.backend import ScriptedBackend

Item = dict[str, Any]


class Buffer:
    """publish, the queue and subscribe, one message at a time."""

    def __init__(self, functions: Functions, aws: Aws, backend: ScriptedBackend) -> None:
        self.aws, self.backend, self._functions = aws, backend, functions
        # Parked at the second counted refusal.
        self.policy: Item = {**json.loads(POLICY), "refusals": 2, "refused_for": 0}

    def accept(self, group: str = "g", *, event: dict[str, Any] | None = None, **body: Any) -> str:
        """Sends a webhook; its message id.

        Args:
            event: what else its request has.
        """
        event = http_event({"group_id": group, **body}, **(event or {}))
        reply = self._functions.publish().handler(event, context())
        message_id: str = json.loads(reply["body"])["message_id"]
        return message_id

    def handle(self, *answers: int) -> bool:
        """Has subscribe handle what comes next; whether it left the queue.

        Args:
            answers: of the backend, to the attempts of this invocation.
        """
        [record] = eventually(self.aws.received)
        return self.handle_record(record, *answers)

    def handle_record(self, record: Item, *answers: int) -> bool:
        self.backend.faux.script += [Answer(status) for status in answers]
        module = self._functions.subscribe(
            self.backend.url, FAILURE_POLICY=json.dumps(self.policy), RETRY_BASE_SECONDS="0"
        )
        reply = module.handler({"Records": [record]}, context())
        if not reply["batchItemFailures"]:
            self.aws.delete(record)
        return not reply["batchItemFailures"]

    def others_are_delivered(self) -> None:
        """Another group of the same source is delivered just now, as the store has it."""
        item = {
            "partition": {"S": "s#"},
            "row": {"S": "delivered"},
            "at": {"N": str(round(time.time() * 1000) + 1)},
            "group_id": {"S": "another"},
        }
        self.aws.dynamodb.put_item(TableName=self.aws.parking, Item=item)

    def refused(self) -> None:
        """The next webhook is refused until it counts: twice, after a first that can't count."""
        assert not self.handle(404)
        for last in (False, True):
            self.others_are_delivered()
            assert self.handle(404) is last

    def parked(self, kind: str) -> list[Item]:
        """What the index lists, the oldest first."""
        reply = self.aws.dynamodb.query(
            TableName=self.aws.parking,
            IndexName=parked_index.NAME,
            KeyConditionExpression="kind = :kind",
            ExpressionAttributeValues={":kind": {"S": kind}},
        )
        items: list[Item] = reply["Items"]
        return items

    def release(self, token: Token, group: str = "g") -> None:
        """Sends a token, as ``webhooks release`` does."""
        self.aws.sqs.send_message(
            QueueUrl=self.aws.queue_url,
            MessageBody=token.text(),
            MessageGroupId=group,
            MessageDeduplicationId=str(random.random()),
        )

    def numbers(self, status: int = 200) -> list[int]:
        """The ``n`` of the webhooks that the backend answered with a status, in order."""
        seen = self.backend.faux.received
        return [json.loads(request.body)["n"] for request in seen if request.status == status]


@pytest.fixture
def buffer(functions: Functions, aws: Aws, backend: ScriptedBackend) -> Buffer:
    """A buffer of the test's own."""
    return Buffer(functions, aws, backend)


def test_a_refused_webhook_goes_aside(buffer: Buffer, capsys: pytest.CaptureFixture[str]) -> None:
    """With ``message``, a refused webhook is stored whole and its group goes on."""
    refused = buffer.accept(n=1)
    buffer.accept(n=2)
    buffer.refused()
    [row] = buffer.parked("aside")
    assert (row["id"]["S"], row["reason"]["S"]) == (refused, "refused")
    assert row["attempt_count"] == {"N": "3"}
    record = buffer.aws.attempts(refused)
    assert record
    assert record["parked_at"]
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    [line] = [line for line in lines if line["event"] == "webhook.parked"]
    assert (line["message_id"], line["state"], line["Parked"]) == (refused, "aside", 1)
    assert buffer.handle(200)
    assert buffer.numbers() == [2]

    buffer.release(Token(row=row["row"]["S"]))
    assert buffer.handle(200)
    assert buffer.numbers() == [2, 1]
    assert buffer.backend.faux.received[-1].headers["x-buffer-message-id"] == refused
    assert buffer.backend.faux.received[-1].headers["x-buffer-attempt"] == "4"
    assert not buffer.parked("aside")


def test_a_held_group_is_released_in_order(buffer: Buffer) -> None:
    """With ``group``, what follows is parked unattempted, and released before what is new."""
    buffer.policy["on_park"] = "group"
    for number in (1, 2, 3):
        buffer.accept(n=number)
    buffer.refused()
    assert [buffer.handle(), buffer.handle()] == [True, True]
    assert buffer.numbers(404) == [1, 1, 1]
    assert len(buffer.parked("held")) == 3
    [state] = buffer.parked("state")

    buffer.accept(n=4)
    buffer.release(Token(hold=state["hold_id"]["S"]))
    buffer.accept(n=5)
    assert buffer.handle()  # the fourth is ahead of the token: parked behind the third
    assert buffer.handle(200, 200, 200, 200)
    assert not buffer.parked("state")
    assert not buffer.parked("held")
    assert buffer.handle(200)
    assert buffer.numbers() == [1, 2, 3, 4, 5]


def test_refused_again(buffer: Buffer) -> None:
    """A release that meets another refusal holds the group again, and voids the old token."""
    buffer.policy["on_park"] = "group"
    buffer.accept(n=1)
    buffer.refused()
    [before] = buffer.parked("state")
    for _ in range(2):
        buffer.release(Token(hold=before["hold_id"]["S"]))
    assert buffer.handle(404)
    [after] = buffer.parked("state")
    assert after["hold_id"] != before["hold_id"]
    assert buffer.handle()
    assert buffer.numbers(404) == [1] * 4


def test_everything_refused_parks_nothing(buffer: Buffer) -> None:
    """While nothing of its source is delivered, no refusal counts."""
    buffer.accept(n=1)
    for _ in range(5):
        assert not buffer.handle(404)
    assert not buffer.parked("aside")
    assert not buffer.parked("held")


def test_temporary_answers_park_nothing(buffer: Buffer) -> None:
    """A 429, a 503 or silence is not a refusal, however often and whoever else is delivered."""
    buffer.accept(n=1)
    for status in (429, 503, 408, 429):
        buffer.others_are_delivered()
        assert not buffer.handle(status)
    assert not buffer.parked("aside")


def test_too_old(buffer: Buffer) -> None:
    """What is too old is parked whatever the failure, and holds its group in either mode."""
    buffer.policy["longest"] = 0
    buffer.accept(n=1)
    assert buffer.handle(503)
    [row] = buffer.parked("held")
    assert row["reason"] == {"S": "age"}
    assert len(buffer.parked("state")) == 1


def test_the_brake(buffer: Buffer, capsys: pytest.CaptureFixture[str]) -> None:
    """Beyond an hour's limit a refused webhook waits in the queue, and it is reported."""
    buffer.policy["per_hour"] = 1
    buffer.accept("g1", n=1)
    buffer.refused()
    buffer.accept("g2", n=2)
    assert not buffer.handle(404)
    for _ in range(3):
        buffer.others_are_delivered()
        assert not buffer.handle(404)
    assert len(buffer.parked("aside")) == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["ParkingBraked"] for line in lines if line["event"] == "parking.braked"] == [1, 1]


def test_whole_bodies(buffer: Buffer) -> None:
    """A webhook as large as a message and incompressible is parked and released byte for byte."""
    body: Item = {"n": 1, "large": random.Random(1).randbytes(380_000).hex()}
    buffer.accept(**body)
    buffer.refused()
    [row] = buffer.parked("aside")
    reply = buffer.aws.dynamodb.scan(TableName=buffer.aws.parking, ConsistentRead=True)
    assert len([item for item in reply["Items"] if item["row"]["S"].startswith("more#")]) == 1
    buffer.release(Token(row=row["row"]["S"]))
    assert buffer.handle(200)
    assert json.loads(buffer.backend.faux.received[-1].body) == {"group_id": "g", **body}
    reply = buffer.aws.dynamodb.scan(TableName=buffer.aws.parking)
    assert {item["partition"]["S"] for item in reply["Items"]} == {"s#"}


def test_unreadable_messages_are_parked_raw(buffer: Buffer) -> None:
    """A message that is not an envelope is kept as it is; an unknown version waits."""
    for body, leaves in (("not ours", True), ('{"v": 99}', False)):
        buffer.aws.sqs.send_message(
            QueueUrl=buffer.aws.queue_url,
            MessageBody=body,
            MessageGroupId=body.strip("{}").replace(" ", ""),
            MessageDeduplicationId=str(leaves),
        )
        assert not buffer.handle()
        assert buffer.handle() is leaves
    [row] = buffer.parked("aside")
    assert row["reason"] == {"S": "unreadable"}


def test_a_dropped_webhook_is_not_released(buffer: Buffer) -> None:
    """A release leaves out what a person dropped."""
    buffer.policy["on_park"] = "group"
    first = buffer.accept(n=1)
    buffer.accept(n=2)
    buffer.refused()
    assert buffer.handle()
    key = {"id": {"S": f"{first}#attempts"}}
    buffer.aws.dynamodb.update_item(
        TableName=buffer.aws.table,
        Key=key,
        UpdateExpression="SET dropped_at = :now",
        ExpressionAttributeValues={":now": {"N": "1"}},
    )
    [state] = buffer.parked("state")
    buffer.release(Token(hold=state["hold_id"]["S"]))
    assert buffer.handle(200)
    assert buffer.numbers() == [2]
    assert not buffer.parked("held")


def test_an_unreadable_state_is_closed(buffer: Buffer, capsys: pytest.CaptureFixture[str]) -> None:
    """Without the state of its group nothing is attempted."""
    buffer.accept(n=1)
    buffer.aws.dynamodb.delete_table(TableName=buffer.aws.parking)
    assert not buffer.handle(200)
    assert not buffer.backend.faux.received
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    [line] = [line for line in lines if line["event"] == "webhook.unattempted"]
    assert line["error"] == "NoState"
