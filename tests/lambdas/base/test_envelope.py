"""The message on the queue, there and back."""

from __future__ import annotations

import json
import random
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.base.envelope import (
    Envelope,
    Message,
    TooLargeError,
    UncarriableError,
    UnreadableError,
    pack,
    unpack,
)
from tests.function_events import http_event

_LIMIT = 1024 * 1024  # bytes; source: SQS quotas
_ANY_TEXT = st.text(st.characters(), max_size=20)
_ENVELOPES = st.builds(
    Envelope,
    method=st.sampled_from(["GET", "POST", "DELETE"]),
    path=_ANY_TEXT.map(lambda text: f"/{text}"),
    query=_ANY_TEXT,
    headers=st.lists(st.tuples(_ANY_TEXT, _ANY_TEXT), max_size=4).map(tuple),
    body=st.binary(max_size=200),
    received_at=st.integers(0, 2**45),
    source=st.sampled_from(["", "github"]),
    address=st.just(""),
)
_SMALL = Envelope("POST", "/a", "b=1", (("x", "1"),), b"body", 1_700_000_000_000)


@given(_ENVELOPES)
def test_what_goes_in_comes_out(envelope: Envelope) -> None:
    """Any request comes off the queue as it went on, in text that SQS takes."""
    message = pack(envelope)
    assert message.text.isascii()
    assert message.text.isprintable()
    assert message.size <= _LIMIT
    assert unpack(message.text, message.body) == envelope


@given(
    st.text(st.characters(), max_size=40)
    | st.dictionaries(st.sampled_from(["v", "method", "headers"]), st.integers(1, 2)).map(
        json.dumps
    ),
    st.binary(max_size=20),
)
def test_anything_else_is_unreadable(text: str, body: bytes) -> None:
    """What is not an envelope is refused with the one exception that callers expect."""
    with pytest.raises(UnreadableError):
        unpack(text, body)


def _changed(**fields: Any) -> str:
    return json.dumps({**json.loads(pack(_SMALL).text), **fields})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not a webhook-buffer envelope"),
        ("[]", "not a webhook-buffer envelope"),
        ("{}", "not a webhook-buffer envelope"),
        ("null", "not a webhook-buffer envelope"),
        ("[" * 200_000, "not a webhook-buffer envelope"),
        (_changed(v=2), "envelope version 2 is not 1"),
        (_changed(v="1"), "envelope version '1' is not 1"),
        ('{"v": 1}', "damaged"),
        (_changed(headers=[["a"]]), "damaged"),
        (_changed(headers=None), "damaged"),
        (_changed(received_at="soon"), "damaged"),
        (_changed(received_at=-1), "damaged"),
        (_changed(received_at=253_402_300_800_000), "damaged"),
        (_changed(received_at=10**400), "damaged"),
        (_changed(received_at=float("inf")), "damaged"),
        (_changed(received_at=1.5), "damaged"),
        (_changed(received_at=True), "damaged"),
        (_changed(method=5), "damaged"),
        (_changed(path=None), "damaged"),
        (_changed(query=[]), "damaged"),
        (_changed(headers=[["a", 1]]), "damaged"),
        (_changed(encoding="deflate"), "damaged"),
    ],
)
def test_unreadable_says_why(text: str, says: str) -> None:
    """A message that can't be read says whether it is foreign, of another version or damaged."""
    with pytest.raises(UnreadableError, match=says):
        unpack(text, b"body")


def _of_size(size: int, fill: bytes) -> Envelope:
    """An envelope whose uncompressed message has ``size`` bytes as SQS counts them."""
    room = size - Message(pack(_SMALL).text, b"").size - len("body") - len("Binary")
    return _SMALL._replace(body=(fill * (room // len(fill) + 1))[:room])


_NOISE = random.Random(1).randbytes(_LIMIT)


def test_uses_all_that_sqs_takes() -> None:
    """A message of exactly 1 MiB goes as it is; one byte more is compressed."""
    largest = _of_size(_LIMIT, b"webhook ")
    assert pack(largest).size == _LIMIT
    assert pack(largest).body == largest.body
    larger = largest._replace(body=largest.body + b"!")
    message = pack(larger)
    assert message.size < _LIMIT / 10
    assert unpack(message.text, message.body) == larger


def test_too_large_even_compressed() -> None:
    """Noise is taken up to the limit and refused beyond it, and so is a path on its own."""
    largest = _of_size(_LIMIT, _NOISE)
    assert pack(largest).size == _LIMIT
    with pytest.raises(TooLargeError):
        pack(largest._replace(body=largest.body + b"!"))
    with pytest.raises(TooLargeError):
        pack(_SMALL._replace(path="/" + "x" * _LIMIT))


def test_no_decompression_bomb() -> None:
    """A body grows to what Lambda can take in, and not a byte further."""
    limit = 6 * 1024 * 1024
    text = _changed(encoding="deflate")
    assert len(unpack(text, zlib.compress(b"0" * limit)).body) == limit
    with pytest.raises(UnreadableError):
        unpack(text, zlib.compress(b"0" * (limit + 1)))
    with pytest.raises(UnreadableError):
        unpack(text, zlib.compress(b"cut short")[:-1])


@pytest.mark.parametrize("size", [6 * 1024 * 1024, 6 * 1024 * 1024 + 1, 11_000_000])
def test_what_is_taken_is_given_back(size: int) -> None:
    """A body that compresses well is taken up to the limit at which it is given back."""
    envelope = _SMALL._replace(body=b"0" * size)
    if size > 6 * 1024 * 1024:
        with pytest.raises(TooLargeError):
            pack(envelope)
    else:
        message = pack(envelope)
        assert unpack(message.text, message.body) == envelope


@pytest.mark.parametrize(
    "wrong",
    [{"received_at": -1}, {"received_at": 2**60}, {"received_at": 1.5}, {"path": b"/"},
     {"headers": (("a", None),)}],
)  # fmt: skip
def test_what_would_not_come_back_is_not_taken(wrong: dict[str, Any]) -> None:
    """What is not a request is refused before it is acknowledged, not found damaged afterwards."""
    with pytest.raises(UncarriableError):
        pack(_SMALL._replace(**wrong))


@given(_ENVELOPES, st.booleans(), st.booleans())
def test_version_1_is_read(envelope: Envelope, compressed: bool, heartbeat: bool) -> None:
    """Messages of version 1, as it was first written, are read for ever."""
    text = json.dumps(
        {
            "v": 1,
            "method": envelope.method,
            "path": envelope.path,
            "query": envelope.query,
            "headers": [list(pair) for pair in envelope.headers],
            "received_at": envelope.received_at,
            **({"encoding": "deflate"} if compressed else {}),
            **({"heartbeat": True} if heartbeat else {}),
            "of a later writer": 1,
        }
    )
    body = zlib.compress(envelope.body) if compressed else envelope.body
    assert unpack(text, body) == envelope._replace(heartbeat=heartbeat, source="", verified="")


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (http_event(b"\x00\xff"), {"body": b"\x00\xff"}),
        (http_event("téxt"), {"body": "téxt".encode()}),
        (http_event("ZWNobw=="), {"body": b"ZWNobw=="}),
        ({**http_event(), "body": None}, {"body": b""}),
        (http_event(path="/a//b", query="x=1&x=2"), {"path": "/a//b", "query": "x=1&x=2"}),
        ({**http_event(), "rawPath": "", "rawQueryString": None}, {"path": "/", "query": ""}),
        (http_event(method="PATCH"), {"method": "PATCH"}),
        (http_event(headers={"a": "1,2", "b": ""}), {"headers": (("a", "1,2"), ("b", ""))}),
        (http_event(headers={"a": "1"}, cookies=["b=2", "c=3"]),
         {"headers": (("a", "1"), ("cookie", "b=2; c=3"))}),
        ({**http_event(), "headers": None}, {"headers": ()}),
        (http_event(address="2001:db8::7"), {"address": "2001:db8::7"}),
    ],
)  # fmt: skip
def test_from_event(event: dict[str, Any], expected: dict[str, Any]) -> None:
    """The API's event becomes the request that the sender made."""
    envelope = Envelope.from_event(event)
    assert {name: getattr(envelope, name) for name in expected} == expected
    assert envelope.received_at == event["requestContext"]["timeEpoch"]


def test_the_sender_s_address_stays_behind() -> None:
    """It is nobody's but the intake's: no message has it."""
    message = pack(_SMALL._replace(address="192.0.2.7"))
    assert unpack(message.text, message.body) == _SMALL
    assert "192.0.2.7" not in message.text


def test_event_as_aws_sends_it() -> None:
    """An event with all that a deployed HTTP API puts into one becomes the webhook it was.

    Source for keys, nulls and forms: an event recorded from AWS, hotsock/voker,
    vokerhttp/testdata/apigwv2-request.json.
    """
    body = '{"order":"7","note":"λ"}'
    event = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/orders/a b",
        "rawQueryString": "repeat=one&repeat=two&to=https%3A%2F%2Fexample.com&plus=a+b&empty=",
        "cookies": ["session=1", "theme=dark"],
        "headers": {
            "content-length": str(len(body.encode())),
            "content-type": "application/json",
            "host": "abc.execute-api.us-east-1.amazonaws.com",
            "x-amzn-trace-id": "Root=1-0-0",
            "x-repeated": "first,second",
        },
        "queryStringParameters": {"repeat": "one,two"},
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "apiId": "abc",
            "authorizer": {"jwt": {"claims": None, "scopes": None}},
            "http": {"method": "PUT", "path": "/orders/a b", "protocol": "HTTP/1.1"},
            "requestId": "ATfSmjLgPHcESJw=",
            "stage": "$default",
            "time": "10/Jul/2026:19:19:05 +0000",
            "timeEpoch": 1_783_711_145_766,
        },
        "body": body,
        "isBase64Encoded": False,
    }
    webhook = Envelope.from_event(event)
    assert (webhook.method, webhook.path) == ("PUT", "/orders/a b")
    assert webhook.query == event["rawQueryString"]
    assert webhook.body == body.encode()
    assert webhook.received_at == 1_783_711_145_766
    headers = dict(webhook.headers)
    assert headers["x-repeated"] == "first,second"
    assert headers["cookie"] == "session=1; theme=dark"
