"""The record of a webhook in DynamoDB."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import pytest

from lambdas import attempts, record
from lambdas.aws import AwsError, Service
from lambdas.delivery import Outcome
from lambdas.envelope import Envelope
from tests.conftest import Aws
from webhook_buffer.laptop.process import Running

_ITEM_BYTES = 400 * 1024  # Source: DynamoDB quotas.
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
    found = aws.record("m-1")
    assert found
    return found


def _request(aws: Aws, webhook: Envelope) -> dict[str, Any]:
    request: dict[str, Any] = json.loads(_written(aws, _OK, webhook=webhook)["request"]["S"])
    return request


def test_contract(aws: Aws) -> None:
    """The record has the attributes, of the types, that other programs rely on."""
    found = _written(aws, _OK)
    assert found["id"] == found["message_id"] == {"S": "m-1"}
    assert found["group_id"] == {"S": "g-1"}
    assert found["received_timestamp"] == {"N": str(_AT)}
    assert found["backend_response_status_code"] == {"N": "200"}
    assert json.loads(found["request"]["S"]) == {
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
    found = _written(aws, _OK)
    assert found["sequence_number"] == {"S": "18850000000000000000"}
    assert found["delivered_timestamp"] == {"N": str(_AT + 512)}
    assert 3590 <= int(found["expires_at"]["N"]) - time.time() <= 3600
    [attempt] = found["attempts"]["L"]
    assert attempt["M"] == {
        "number": {"N": "1"},
        "at": {"N": str(_AT + 500)},
        "duration_ms": {"N": "12.5"},
        "status": {"N": "200"},
    }


def test_no_status_until_a_backend_answered(aws: Aws) -> None:
    """A network error leaves its class and no status."""
    found = _written(aws, Outcome(_AT, 3000.0, error="ReadTimeout"))
    assert "backend_response_status_code" not in found
    assert "delivered_timestamp" not in found
    [attempt] = found["attempts"]["L"]
    assert attempt["M"]["error"] == {"S": "ReadTimeout"}
    assert "status" not in attempt["M"]


def _read(aws: Aws) -> attempts.History:
    return attempts.read(aws.table, "m-1", seconds=2, within=4)


def _failed(aws: Aws, *, times: int) -> attempts.History:
    """The history after so many attempts that were answered 503, as the next receive reads it."""
    history = attempts.NONE
    for at in range(times):
        _written(aws, Outcome(_AT + at, 1.0, status=503), history=history)
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
        found = _written(aws, outcome, history=_read(aws))
    listed = [attempt["M"] for attempt in found["attempts"]["L"]]
    assert [attempt["number"]["N"] for attempt in listed] == ["1", "2", "3", "4"]
    said = [(one.get("error") or one.get("status") or {}).popitem()[1] for one in listed]
    assert said == ["ConnectionRefused", "500", "200", "201"]
    assert found["backend_response_status_code"] == {"N": "201"}
    assert found["delivered_timestamp"] == {"N": str(_AT + 3)}
    assert _read(aws).delivered


def test_the_row_of_attempts_is_bounded(aws: Aws) -> None:
    """Of any number of attempts the first, the last ten and counts are kept, in one write unit."""
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
        return 3 + sum(1 + len(name) + _value_bytes(one) for name, one in content.items())
    if kind == "L":
        return 3 + sum(1 + _value_bytes(one) for one in content)
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
    [b"x" * 900_000, "漢".encode() * 300_000, b'"' * 500_000, b"\x00" * 500_000, b"\xff" * 700_000],
    ids=["text", "three bytes each", "quotes", "control characters", "binary"],
)
def test_large_body_is_cut_to_what_an_item_holds(aws: Aws, body: bytes) -> None:
    """A body too large for an item is cut, whatever it is made of, and room stays for attempts."""
    found = _written(aws, _OK, webhook=_WEBHOOK._replace(body=body))
    text = found["request"]["S"]
    assert 70_000 < len(text.encode()) < _ITEM_BYTES * 0.3
    request = json.loads(text)
    assert request["bodyTruncated"] is True
    if request["isBase64Encoded"]:
        assert body.startswith(base64.b64decode(request["body"], validate=True))
    else:
        assert body.startswith(request["body"].encode())


def test_body_that_fits_is_whole(aws: Aws) -> None:
    """A body within the bound is neither cut nor called so."""
    request = _request(aws, _WEBHOOK._replace(body=b"x" * 100_000))
    assert len(request["body"]) == 100_000
    assert "bodyTruncated" not in request


def test_refused(aws: Aws) -> None:
    """What DynamoDB does not take is an error with its code."""
    aws.dynamodb.delete_table(TableName=aws.table)
    with pytest.raises(AwsError, match=r"^ResourceNotFoundException$"):
        _written(aws, _OK)
