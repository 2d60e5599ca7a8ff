"""The modelled DynamoDB and SQS answer as the emulator's do."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from lambdas.base import aws as aws_calls
from tests.emulated_aws import Aws
from tests.lambdas.modelled_aws import Queue, Tables
from webhook_buffer.laptop.programs.process import Running

Call = Callable[[str, dict[str, Any]], dict[str, Any]]


@pytest.fixture(params=["modelled", "emulator"])
def call(
    request: pytest.FixtureRequest, aws: Aws, emulator: Running, monkeypatch: pytest.MonkeyPatch
) -> Call:
    """Calls DynamoDB, in memory or on the emulator."""
    if request.param == "modelled":
        return Tables({aws.parking: ("partition", "row")}).call
    monkeypatch.setenv("AWS_ENDPOINT_URL", emulator.endpoint_url)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    return lambda action, body: aws_calls.DYNAMODB.call(action, body, seconds=5, within=5)


def _key(row: str) -> dict[str, Any]:
    return {"partition": {"S": "p"}, "row": {"S": row}}


def _code(call: Call, action: str, request: dict[str, Any]) -> str:
    with pytest.raises(aws_calls.AwsError) as refused:
        call(action, request)
    return refused.value.code


def test_conditions(call: Call, aws: Aws) -> None:
    """A condition that does not hold refuses a write and leaves the item alone."""
    put = {"TableName": aws.parking, "Item": {**_key("a"), "hold_id": {"S": "1"}}}
    absent = {**put, "ConditionExpression": "attribute_not_exists(hold_id)"}
    call("PutItem", absent)
    assert _code(call, "PutItem", absent) == "ConditionalCheckFailedException"
    other = {":old": {"S": "2"}}
    delete = {
        "TableName": aws.parking,
        "Key": _key("a"),
        "ConditionExpression": "hold_id = :old",
        "ExpressionAttributeValues": other,
    }
    assert _code(call, "DeleteItem", delete) == "ConditionalCheckFailedException"
    call("DeleteItem", {**delete, "ExpressionAttributeValues": {":old": {"S": "1"}}})
    read = {"TableName": aws.parking, "Key": _key("a"), "ConsistentRead": True}
    assert "Item" not in call("GetItem", read)


def test_transactions(call: Call, aws: Aws) -> None:
    """A transaction does all or nothing, counts up to a limit, and is done once for a token."""
    count = {
        "TableName": aws.parking,
        "Key": _key("hour"),
        "UpdateExpression": "SET expires_at = :end ADD parked :one",
        "ConditionExpression": "attribute_not_exists(parked) OR parked < :limit",
        "ExpressionAttributeValues": {
            ":one": {"N": "1"}, ":limit": {"N": "2"}, ":end": {"N": "9"},
        },
    }  # fmt: skip

    def transact(row: str, token: str) -> None:
        put = {"TableName": aws.parking, "Item": _key(row)}
        actions = [{"Put": put}, {"Update": count}]
        call("TransactWriteItems", {"TransactItems": actions, "ClientRequestToken": token})

    transact("held#1", "one")
    transact("held#1", "one")
    transact("held#2", "two")
    with pytest.raises(aws_calls.AwsError, match="TransactionCanceledException"):
        transact("held#3", "three")
    query = {
        "TableName": aws.parking,
        "KeyConditionExpression": "#partition = :partition AND begins_with(#row, :begins)",
        "ExpressionAttributeNames": {"#partition": "partition", "#row": "row"},
        "ExpressionAttributeValues": {":partition": {"S": "p"}, ":begins": {"S": "held#"}},
        "Limit": 10,
        "ConsistentRead": True,
    }
    rows = [item["row"]["S"] for item in call("Query", query)["Items"]]
    assert rows == ["held#1", "held#2"]


def test_queue() -> None:
    """A group hands out one message at a time; a receipt handle ends with its visibility."""
    queue = Queue(visibility=60.0, now=time.time())
    first = queue.send("g", "1", {}, "d1")
    assert queue.send("g", "1", {}, "d1") == first
    queue.send("g", "2", {}, "d2")
    handle = queue.receive("g")["receiptHandle"]
    assert queue.ready() == []
    queue.now += 61
    assert queue.ready() == ["g"]
    with pytest.raises(aws_calls.AwsError, match="ReceiptHandleIsInvalid"):
        queue.delete(handle)
    queue.delete(queue.receive("g")["receiptHandle"])
    assert queue.receive("g")["body"] == "2"
