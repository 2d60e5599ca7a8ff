"""Records are read whole, whatever wrote them, and found by what people know of a webhook."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from lambdas import attempts, record
from lambdas.base.envelope import Envelope
from lambdas.delivery import Outcome
from settings.errors import InputError
from settings.loader import load
from tests.emulated_aws import Aws, made_environment
from webhook_buffer.laptop.programs.process import Running
from webhook_buffer.operations import records
from webhook_buffer.operations.environment import Environment

_AT = 1_700_000_000_000
_HOUR = 3_600_000
_OK = Outcome(_AT, 12.5, status=200)


@pytest.fixture(scope="module")
def place(emulator: Running, tmp_path_factory: pytest.TempPathFactory) -> tuple[Environment, Aws]:
    """An environment whose record is empty at first; tests use groups of their own."""
    return made_environment(emulator, tmp_path_factory.mktemp("records"))


@pytest.fixture(autouse=True)
def endpoint(monkeypatch: pytest.MonkeyPatch, emulator: Running) -> None:
    """The emulator, as the function's environment names it."""
    for name, value in {
        "AWS_ENDPOINT_URL": emulator.endpoint_url,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }.items():
        monkeypatch.setenv(name, value)


def _write(
    aws: Aws,
    message_id: str,
    *,
    group: str = "g",
    at: int = _AT,
    body: bytes = b"{}",
    headers: tuple[tuple[str, str], ...] = (),
    outcomes: tuple[Outcome, ...] = (_OK,),
) -> None:
    """Writes a record as ``subscribe`` does, attempt by attempt."""
    history = attempts.NONE
    for outcome in outcomes:
        after = history.after(outcome)
        record.write(
            aws.table,
            aws.bodies,
            message_id=message_id,
            group_id=group,
            sequence_number="1",
            before=history,
            after=after,
            envelope=Envelope("POST", "/", "", headers, body, at),
            outcome=outcome,
            ttl=3600,
            seconds=5,
            within=10,
        )
        history = after


def _whole(place: tuple[Environment, Aws], message_id: str) -> records.Whole:
    recorded = records.whole(place[0], message_id)
    assert recorded
    return recorded


@pytest.mark.parametrize(
    "body",
    [b"", b'{"id": 7}', "é".encode() * 5000, b"\x00\xff", b"\xff" * 5000,
     random.Random(3).randbytes(50_000)],
    ids=["empty", "small", "deflated", "small binary", "deflated binary", "in the bucket"],
)  # fmt: skip
def test_a_body_comes_back_byte_for_byte(place: tuple[Environment, Aws], body: bytes) -> None:
    """Wherever a body is kept, it is read as it was received."""
    message_id = uuid.uuid4().hex
    _write(place[1], message_id, body=body)
    assert _whole(place, message_id).body == body


def _old(aws: Aws, request: Mapping[str, Any], **more: Any) -> str:
    """An item as earlier versions wrote it; its id."""
    message_id = uuid.uuid4().hex
    item = {
        "id": {"S": message_id},
        "message_id": {"S": message_id},
        "group_id": {"S": f"old-{message_id}"},
        "received_timestamp": {"N": str(_AT)},
        "request": {"S": json.dumps(request)},
        **more,
    }
    aws.dynamodb.put_item(TableName=aws.table, Item=item)
    return message_id


_LISTED = {
    "L": [
        {"M": {"number": {"N": str(number)}, "at": {"N": "5"}, "status": {"N": "503"}}}
        for number in (1, 2)
    ]
}


@pytest.mark.parametrize(
    ("request_", "body"),
    [
        ({"path": "/", "body": '{"id": 7}', "isBase64Encoded": False}, b'{"id": 7}'),
        ({"path": "/", "body": "AP8=", "isBase64Encoded": True}, b"\x00\xff"),
    ],
)
@pytest.mark.parametrize(
    "more",
    [
        {"attempts": _LISTED},  # before there were versions
        {"attempts": _LISTED, "version": {"N": "1"}, "attempt_count": {"N": "2"}},
        {"attempts": _LISTED, "version": {"N": "2"}, "attempt_count": {"N": "2"}},
    ],
)
def test_older_items_stay_readable(
    place: tuple[Environment, Aws], request_: dict[str, Any], body: bytes, more: dict[str, Any]
) -> None:
    """An item of any earlier version has its request, its body and its attempts."""
    message_id = _old(place[1], request_, **more)
    recorded = _whole(place, message_id)
    assert recorded.body == body
    assert recorded.request["path"] == "/"
    assert (recorded.record.attempts, recorded.record.state) == (2, "waiting")
    assert [attempt["number"] for attempt in recorded.history["recent"]] == [1, 2]
    [webhook] = _search(place, group=recorded.record.group_id)
    # Before attempts were counted the list has them, which a search does not read.
    assert replace(webhook, attempts=2) == recorded.record


def test_a_body_that_is_gone_is_missing(place: tuple[Environment, Aws]) -> None:
    """Where the bucket has an object no more, the rest of the record is there all the same."""
    _write(place[1], "gone", body=random.Random(4).randbytes(50_000))
    place[1].s3.delete_object(Bucket=place[1].bodies, Key="bodies/gone")
    recorded = _whole(place, "gone")
    assert recorded.body is None
    assert recorded.request["httpMethod"] == "POST"
    assert recorded.readable()["body"] is None


def test_a_damaged_body_is_missing(place: tuple[Environment, Aws]) -> None:
    """What does not inflate, or inflates to more than a webhook can have, is not a body."""
    import zlib

    for content in (b"damaged", zlib.compress(b"\x00" * 7_000_000)):
        message_id = _old(place[1], {"path": "/", "body": None}, body={"B": content})
        assert _whole(place, message_id).body is None


def test_what_is_not_recorded_is_none(place: tuple[Environment, Aws]) -> None:
    """Neither an unknown id nor a row of attempts is a webhook's record."""
    _write(place[1], "late", outcomes=(Outcome(_AT, 1.0, status=503),))
    for key in ("unknown", attempts.key("late")):
        assert records.whole(place[0], key) is None
        assert records.outline(place[0], key) is None


def _search(place: tuple[Environment, Aws], **by: Any) -> list[records.Record]:
    return records.search(place[0], **{"since": 0, "until": 2 * _AT, "most": 50, **by})


def test_a_group_is_listed_latest_first(place: tuple[Environment, Aws]) -> None:
    """Webhooks of a group come with their state, the latest first, within the time asked for."""
    failed = Outcome(_AT, 1.0, status=503)
    _write(place[1], "first", group="orders", at=_AT)
    _write(place[1], "second", group="orders", at=_AT + 1, outcomes=(failed, failed, _OK))
    _write(place[1], "third", group="orders", at=_AT + 2, outcomes=(failed, failed))
    webhooks = _search(place, group="orders")
    assert [
        (webhook.id, webhook.state, webhook.attempts, webhook.status) for webhook in webhooks
    ] == [
        ("third", "waiting", 2, 503),
        ("second", "delivered", 3, 200),
        ("first", "delivered", 1, 200),
    ]
    ids = [webhook.id for webhook in _search(place, group="orders", since=_AT + 1, until=_AT + 1)]
    assert ids == ["second"]
    assert [webhook.id for webhook in _search(place, group="orders", most=1)] == ["third"]


def test_a_delivery_id_finds_its_webhooks(place: tuple[Environment, Aws]) -> None:
    """The id on the sender's page finds the webhook, and its repetition."""
    for number, message_id in enumerate(("sent", "sent-again")):
        _write(place[1], message_id, at=_AT + number, headers=(("X-GitHub-Delivery", "72d3"),))
    assert [webhook.id for webhook in _search(place, delivery="72d3")] == ["sent-again", "sent"]
    assert _search(place, delivery="72d") == []


def test_a_time_lists_all_of_it(place: tuple[Environment, Aws]) -> None:
    """Webhooks of several hours, in any share of each, are found in the order of their receipt."""
    at = _AT + 1000 * _HOUR
    for number in range(9):
        _write(place[1], f"timed-{number}", at=at + number * _HOUR // 3)
    webhooks = _search(place, since=at + 1, until=at + 2 * _HOUR)
    assert [webhook.id for webhook in webhooks] == [f"timed-{number}" for number in range(6, 0, -1)]


def test_a_long_time_is_refused(place: tuple[Environment, Aws]) -> None:
    """A time alone that would take thousands of queries is not searched."""
    with pytest.raises(InputError, match="at most 7 days at once, or name a group"):
        _search(place, since=_AT, until=_AT + 169 * _HOUR)


def test_a_table_without_the_index_says_so(place: tuple[Environment, Aws]) -> None:
    """What an older deployment left is not an error of AWS's, and nothing is scanned."""
    settings = load("local", overrides={"service": f"r{uuid.uuid4().hex[:12]}"})
    place[1].dynamodb.create_table(
        TableName=settings.table_name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    target = replace(place[0], settings=settings)
    with pytest.raises(InputError, match=r"has no index by-group yet.*deploy --env local"):
        records.search(target, group="g", since=0, until=1, most=1)
