"""The eight tests that the buffer's predecessor ran after a deployment, as assertions of ours.

They go over HTTP to the endpoint that the laptop prints, at the predecessor's path and with its
settings; the faux backend is the laptop's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.laptop import Laptop
from tests.waiting import eventually
from webhook_buffer.operations.send import Receipt, Sender, Webhook

pytestmark = [pytest.mark.xdist_group("laptop"), pytest.mark.emulator]

_SETTINGS = {"GROUP_ID": '["json:order_id"]', "GROUP_ID_MISSING": "reject"}
_BODY = {"order_id": "o-1", "suppress_sentry": True, "consume_bad_messages": True}

Send = Callable[..., Receipt]
Record = Callable[[Receipt], dict[str, Any]]


@pytest.fixture(scope="module")
def predecessor(deployed: Laptop) -> Iterator[Laptop]:
    """The laptop with the predecessor's group ids, as long as these tests run."""
    if not deployed.running:
        deployed.run("up")
    functions, name = deployed.client("lambda"), "webhook-buffer-local-publish"
    ours = functions.get_function_configuration(FunctionName=name)["Environment"]
    theirs = {"Variables": {**ours["Variables"], **_SETTINGS}}
    functions.update_function_configuration(FunctionName=name, Environment=theirs)
    yield deployed
    functions.update_function_configuration(FunctionName=name, Environment=ours)


@pytest.fixture
def send(predecessor: Laptop) -> Send:
    """Sends a body to ``/health``, as the predecessor's tests did."""
    sender = Sender(predecessor.outputs["BufferedEndpoint"])

    def post(body: dict[str, Any], *, method: str = "POST", query: str = "") -> Receipt:
        headers = {"Content-Type": "application/json"}
        return sender.post(
            Webhook(
                body=json.dumps(body).encode(),
                headers=headers,
                method=method,
                path=f"/health{query}",
            )
        )

    return post


@pytest.fixture
def record(predecessor: Laptop) -> Record:
    """What the table has of an accepted webhook, within some seconds; its request as JSON."""

    def recorded(receipt: Receipt) -> dict[str, Any]:
        assert receipt.status == 200, receipt
        message_id = receipt.answer["message_id"]
        item: dict[str, Any] = eventually(lambda: predecessor.record(message_id))
        assert item["message_id"] == {"S": message_id}
        return {**item, "request": json.loads(item["request"]["S"])}

    return recorded


@pytest.mark.parametrize(
    ("query", "parameters"), [("", None), ("?hello=world", {"hello": "world"})]
)
def test_post(send: Send, record: Record, query: str, parameters: dict[str, str] | None) -> None:
    """A POST is acknowledged, delivered, and recorded as it was sent."""
    body = {**_BODY, "more": "text"}
    item = record(send(body, query=query))
    assert item["backend_response_status_code"] == {"N": "200"}
    assert item["request"]["path"] == "/health"
    assert json.loads(item["request"]["body"]) == body
    assert item["request"]["queryStringParameters"] == parameters
    assert item["request"]["httpMethod"] == "POST"


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_minimum(send: Send, record: Record, method: str) -> None:
    """The smallest body will do, with either method."""
    item = record(send(_BODY, method=method))
    assert item["request"]["httpMethod"] == method
    assert item["backend_response_status_code"] == {"N": "200"}


def test_without_an_order(send: Send) -> None:
    """A webhook without what makes its group is refused."""
    assert send({"suppress_sentry": True, "consume_bad_messages": True}).status == 400


@pytest.mark.parametrize("status", ["404", "401", "500"])
def test_status_of_the_backend(send: Send, record: Record, status: str) -> None:
    """What the backend answers is the record's affair, not the sender's."""
    item = record(send({**_BODY, "faux_backend_force_status_code": status}))
    assert item["backend_response_status_code"] == {"N": status}
