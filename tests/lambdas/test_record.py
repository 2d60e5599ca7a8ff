"""The record of a webhook in DynamoDB."""

from __future__ import annotations

import base64
import json
import random
import time
import zlib
from typing import Any

import pytest

from lambdas import attempts, record, record_index
from lambdas.base.aws import AwsError, Service
from lambdas.base.envelope import Envelope
from lambdas.delivery import Outcome
from tests.emulated_aws import Aws
from webhook_buffer.laptop.programs.process import Running

_AT = 1_700_000_000_000
_WEBHOOK = Envelope(
    "POST", "/orders/7", "a=1&a=2&b=", (("x-a", "1"), ("x-a", "2"), ("b", "é")), b'{"id": 7}', _AT
)
_OK = Outcome(_AT + 500, 12.5, status=200)


@pytest.fixture(autouse=True)
def endpoint(monkeypatch: pytest.MonkeyPatch, emulator: Running) -> None:
    """The emulator, as the function's environment names it."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", emulator.endpoint_url)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")


def _written(
    aws: Aws,
    outcome: Outcome,
    *,
    history: attempts.History = attempts.NONE,
    webhook: Envelope = _WEBHOOK,
) -> dict[str, Any]:
    record.write(
        aws.table,
        aws.bodies,
        message_id="m-1",
        group_id="g-1",
        sequence_number="18850000000000000000",
        before=history,
        after=history.after(outcome),
        envelope=webhook,
        outcome=outcome,
        ttl=3600,
        seconds=2,
        within=4,
    )
    item = aws.record("m-1")
    assert item
    return item


def _request(aws: Aws, webhook: Envelope) -> dict[str, Any]:
    request: dict[str, Any] = json.loads(_written(aws, _OK, webhook=webhook)["request"]["S"])
    return request


def test_contract(aws: Aws) -> None:
    """The record has the attributes, of the types, that other programs rely on."""
    item = _written(aws, _OK)
    assert item["id"] == item["message_id"] == {"S": "m-1"}
    assert item["group_id"] == {"S": "g-1"}
    assert item["received_timestamp"] == {"N": str(_AT)}
    assert item["backend_response_status_code"] == {"N": "200"}
    assert json.loads(item["request"]["S"]) == {
        "path": "/orders/7",
        "httpMethod": "POST",
        "headers": {"x-a": "1,2", "b": "é"},
        "body": '{"id": 7}',
        "queryStringParameters": {"a": "1,2", "b": ""},
        "rawQueryString": "a=1&a=2&b=",
        "isBase64Encoded": False,
    }


def test_ours_beside_it(aws: Aws) -> None:
    """Beside the contract stand the sequence, the attempt, when it was delivered and its end."""
    item = _written(aws, _OK)
    assert item["sequence_number"] == {"S": "18850000000000000000"}
    assert item["delivered_timestamp"] == {"N": str(_AT + 512)}
    assert 3590 <= int(item["expires_at"]["N"]) - time.time() <= 3600
    [attempt] = item["attempts"]["L"]
    assert attempt["M"] == {
        "number": {"N": "1"},
        "at": {"N": str(_AT + 500)},
        "duration_ms": {"N": "12.5"},
        "status": {"N": "200"},
    }


def test_no_status_until_a_backend_answered(aws: Aws) -> None:
    """A network error leaves its class and no status."""
    item = _written(aws, Outcome(_AT, 3000.0, error="ReadTimeout"))
    assert "backend_response_status_code" not in item
    assert "delivered_timestamp" not in item
    [attempt] = item["attempts"]["L"]
    assert attempt["M"]["error"] == {"S": "ReadTimeout"}
    assert "status" not in attempt["M"]


def _read(aws: Aws) -> attempts.History:
    return attempts.read(aws.table, "m-1", seconds=2, within=4)


def _failed(aws: Aws, *, times: int, webhook: Envelope = _WEBHOOK) -> attempts.History:
    """The history after so many attempts that were answered 503, as the next receive reads it."""
    history = attempts.NONE
    for at in range(times):
        outcome = Outcome(_AT + at, 1.0, status=503)
        _written(aws, outcome, history=history, webhook=webhook)
        history = _read(aws)
    return history


def test_attempts_add_up(aws: Aws) -> None:
    """A later attempt erases no earlier failure, and only the first delivery's time counts."""
    outcomes = [
        Outcome(_AT, 1.0, error="ConnectionRefused"),
        Outcome(_AT + 1, 1.0, status=500),
        Outcome(_AT + 2, 1.0, status=200),
        Outcome(_AT + 3, 1.0, status=201),
    ]
    for outcome in outcomes:
        item = _written(aws, outcome, history=_read(aws))
    listed = [attempt["M"] for attempt in item["attempts"]["L"]]
    assert [attempt["number"]["N"] for attempt in listed] == ["1", "2", "3", "4"]
    said = [
        (attempt.get("error") or attempt.get("status") or {}).popitem()[1] for attempt in listed
    ]
    assert said == ["ConnectionRefused", "500", "200", "201"]
    assert item["backend_response_status_code"] == {"N": "201"}
    assert item["delivered_timestamp"] == {"N": str(_AT + 3)}
    assert _read(aws).delivered


def test_the_row_of_attempts_is_bounded(aws: Aws) -> None:
    """However many attempts: the first, the last ten and counts are kept, in one write unit."""
    history = _failed(aws, times=25)
    numbers = [int(attempt["M"]["number"]["N"]) for attempt in history.listed()]
    assert numbers == [1, *range(16, 26)]
    assert (history.attempts, history.outcomes) == (25, {"5xx": 25})
    errors = ["ConnectTimeout", "ReadTimeout", "ConnectionRefused", "ConnectionReset"]
    errors += ["NameResolution", "Tls", "BadAnswer", "Unsendable", "Connection"]
    for kind in errors * 2:
        outcome = Outcome(1_999_999_999_999, 899_999.9, error=kind)
        _written(aws, outcome, history=history._replace(attempts=99_999))
        history = _read(aws)
    row = aws.attempts("m-1")
    assert row
    assert _bytes({**row, "id": {"S": "x" * 45}}) <= 1024


def _bytes(item: dict[str, Any]) -> int:
    """An item's size. Source: DynamoDB developer guide, "Item sizes and formats"."""
    return sum(len(name) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: dict[str, Any]) -> int:
    [(kind, content)] = value.items()
    if kind == "M":
        return 3 + sum(1 + len(name) + _value_bytes(inner) for name, inner in content.items())
    if kind == "L":
        return 3 + sum(1 + _value_bytes(inner) for inner in content)
    if kind == "N":
        return 1 + (len(content.strip("-").replace(".", "")) + 1) // 2
    return 1 if kind in ("BOOL", "NULL") else len(content.encode())


def test_failed_attempts_leave_the_request_alone(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the second failure on an attempt is one small write, whatever the body."""
    history = _failed(aws, times=2)
    written = []
    call = Service.call

    def noted(service: Service, action: str, parameters: Any, **how: float) -> dict[str, Any]:
        if action == "UpdateItem":
            written.append(parameters["Key"]["id"]["S"])
        return call(service, action, parameters, **how)

    monkeypatch.setattr(Service, "call", noted)
    _written(aws, Outcome(_AT, 1.0, status=503), history=history)
    assert written == ["m-1#attempts"]


def test_a_first_delivery_is_one_write(aws: Aws) -> None:
    """What the first attempt delivers has no row of attempts, and is read as delivered."""
    _written(aws, _OK)
    assert aws.attempts("m-1") is None
    assert _read(aws).delivered


def test_binary_body(aws: Aws) -> None:
    """A body that is not text stands there in base64, and says so."""
    request = _request(aws, _WEBHOOK._replace(body=b"\x00\xff"))
    assert request["isBase64Encoded"] is True
    assert base64.b64decode(request["body"]) == b"\x00\xff"


@pytest.mark.parametrize(
    "body",
    [b"x" * 1025, "漢".encode() * 400, b'"' * 600, b"\x00\xff" * 400, b'{"n": 1}' * 9000],
    ids=["text", "three bytes each", "quotes", "binary", "much of the same"],
)
def test_larger_body_is_whole_beside_the_request(aws: Aws, body: bytes) -> None:
    """A body that would take more than a write unit is kept deflated, byte for byte."""
    item = _written(aws, _OK, webhook=_WEBHOOK._replace(body=body))
    assert json.loads(item["request"]["S"])["body"] is None
    assert item["body_bytes"] == {"N": str(len(body))}
    assert zlib.decompress(item["body"]["B"]) == body
    assert "body_key" not in item


_INCOMPRESSIBLE = random.Random(7).randbytes(100_000)


def test_largest_body_is_whole_in_the_bucket(aws: Aws) -> None:
    """What takes much even deflated is an object, and the item stays small."""
    item = _written(aws, _OK, webhook=_WEBHOOK._replace(body=_INCOMPRESSIBLE))
    assert (item["body_key"], item["body_bytes"]) == ({"S": "bodies/m-1"}, {"N": "100000"})
    assert "body" not in item
    assert _bytes(item) < 1024
    assert zlib.decompress(_object(aws)) == _INCOMPRESSIBLE


def _object(aws: Aws) -> bytes:
    body: bytes = aws.s3.get_object(Bucket=aws.bodies, Key="bodies/m-1")["Body"].read()
    return body


def test_a_late_delivery_stores_the_body_again(aws: Aws) -> None:
    """The bucket counts an object's age from its storing, the table an item's from its writing."""
    webhook = _WEBHOOK._replace(body=_INCOMPRESSIBLE)
    _written(aws, Outcome(_AT, 1.0, status=503), webhook=webhook)
    aws.s3.delete_object(Bucket=aws.bodies, Key="bodies/m-1")
    _written(aws, Outcome(_AT, 1.0, status=503), history=_read(aws), webhook=webhook)
    assert "Contents" not in aws.s3.list_objects_v2(Bucket=aws.bodies)
    _written(aws, _OK, history=_read(aws), webhook=webhook)
    assert zlib.decompress(_object(aws)) == _INCOMPRESSIBLE


def test_a_bucket_that_fails_costs_the_body_alone(
    aws: Aws, capsys: pytest.CaptureFixture[str]
) -> None:
    """The attempt is recorded and counted all the same, and the failure reported."""
    aws.s3.delete_bucket(Bucket=aws.bodies)
    item = _written(aws, _OK, webhook=_WEBHOOK._replace(body=_INCOMPRESSIBLE))
    assert item["body_bytes"] == {"N": "100000"}
    assert not {"body", "body_key"} & item.keys()
    assert _read(aws).delivered
    assert '"aws_error":"NoSuchBucket"' in capsys.readouterr().out.replace(": ", ":")


def test_indexes_find_it(aws: Aws) -> None:
    """A webhook is found by its group, its hour and its sender's id, and attempts' rows by none."""
    webhook = _WEBHOOK._replace(headers=(("X-GitHub-Delivery", "72d3162e"),))
    _failed(aws, times=2, webhook=webhook)
    [hour] = record_index.hour_shards(_AT, _AT)
    wanted = {"by-group": ["g-1"], "by-delivery": ["72d3162e"], "by-time": hour}
    assert wanted.keys() == {index.name for index in record_index.INDEXES}
    for index in record_index.INDEXES:
        items = [
            item
            for value in wanted[index.name]
            for item in aws.dynamodb.query(
                TableName=aws.table,
                IndexName=index.name,
                KeyConditionExpression=f"{index.partition} = :value",
                ExpressionAttributeValues={":value": {"S": value}},
            )["Items"]
        ]
        assert [item["id"] for item in items] == [{"S": "m-1"}]


@pytest.mark.parametrize("value", ["", "x" * 257, "(redacted)", "é"])
def test_unusable_delivery_ids_are_left_out(aws: Aws, value: str) -> None:
    """What DynamoDB would refuse as a key, or nobody would search for, stops no record."""
    webhook = _WEBHOOK._replace(headers=(("webhook-id", value),))
    assert "delivery_id" not in _written(aws, _OK, webhook=webhook)


def test_attempts_change_nothing_that_an_index_has(aws: Aws) -> None:
    """So an index takes a write unit once, however often a webhook is attempted."""
    keys = {"id", record_index.SORT, *(index.partition for index in record_index.INDEXES)}
    webhook = _WEBHOOK._replace(headers=(("svix-id", "msg_1"),))
    first = _written(aws, Outcome(_AT, 1.0, status=503), webhook=webhook)
    last = _written(aws, _OK, history=_read(aws), webhook=webhook)
    assert keys <= first.keys()
    assert {key: first[key] for key in keys} == {key: last[key] for key in keys}


def test_refused(aws: Aws) -> None:
    """What DynamoDB does not take is an error with its code."""
    aws.dynamodb.delete_table(TableName=aws.table)
    with pytest.raises(AwsError, match=r"^ResourceNotFoundException$"):
        _written(aws, _OK)
