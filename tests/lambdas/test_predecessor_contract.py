"""The predecessor's own eight tests after a deployment, as assertions on this buffer.

They post to ``/health``, which the emulator answers itself on any host; so the API is left out
here: publish and subscribe run on events of that path, with the emulator's queue and table
between them and a faux backend behind.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Aws, Functions, context, http_event
from webhook_buffer.laptop.backend import ScriptedBackend

_BODY = {"order_id": "o-1", "suppress_sentry": True, "consume_bad_messages": True}

Sent = Callable[..., tuple[dict[str, Any], dict[str, Any]]]


@pytest.fixture
def sent(functions: Functions, aws: Aws, backend: ScriptedBackend) -> Sent:
    """Sends a webhook and has it delivered; the answer, and the record as JSON types."""

    def send(body: dict[str, Any], **event: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        publish = functions.publish(GROUP_ID='["json:order_id"]', GROUP_ID_MISSING="reject")
        headers = {"content-type": "application/json"}
        answer = publish.handler(
            http_event(body, path="/health", headers=headers, **event), context()
        )
        if answer["statusCode"] != 200:
            return answer, {}
        subscribe = functions.subscribe(backend.url, TEST_FLAGS="true")
        assert not subscribe.handler({"Records": aws.received()}, context())["batchItemFailures"]
        record = aws.record(json.loads(answer["body"])["message_id"])
        assert record
        return answer, record

    return send


@pytest.mark.parametrize(("query", "parameters"), [("", None), ("hello=world", {"hello": "world"})])
def test_post(sent: Sent, query: str, parameters: dict[str, str] | None) -> None:
    """A POST is acknowledged, delivered, and recorded as it was sent."""
    body = {**_BODY, "more": "text"}
    answer, record = sent(body, query=query)
    assert record["message_id"]["S"] == json.loads(answer["body"])["message_id"]
    assert record["backend_response_status_code"]["N"] == "200"
    request = json.loads(record["request"]["S"])
    assert request["path"] == "/health"
    assert json.loads(request["body"]) == body
    assert request["queryStringParameters"] == parameters
    assert request["httpMethod"] == "POST"


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_minimum(sent: Sent, method: str) -> None:
    """The smallest body will do, with either method."""
    answer, record = sent(_BODY, method=method)
    assert answer["statusCode"] == 200
    assert json.loads(record["request"]["S"])["httpMethod"] == method


def test_without_an_order(sent: Sent) -> None:
    """A webhook without what makes its group is refused."""
    answer, _ = sent({"suppress_sentry": True, "consume_bad_messages": True})
    assert answer["statusCode"] == 400


@pytest.mark.parametrize("status", ["404", "401", "500"])
def test_status_of_the_backend(sent: Sent, status: str) -> None:
    """What the backend answers is the record's affair, not the sender's."""
    answer, record = sent({**_BODY, "faux_backend_force_status_code": status})
    assert answer["statusCode"] == 200
    assert record["backend_response_status_code"]["N"] == status
