"""publish: a webhook is acknowledged once the queue has it, and refused in words otherwise."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import re
import socket
from typing import Any

import pytest

from lambdas.base import envelope
from lambdas.base.envelope import Envelope
from tests.emulated_aws import Aws
from tests.function_events import context, http_event
from tests.function_modules import Functions
from tests.lambdas.conftest import HttpStub, Wire
from tests.waiting import Stopwatch

_FORM = {"content-type": "application/x-www-form-urlencoded"}


def _answer(module: Any, event: dict[str, Any]) -> tuple[int, dict[str, Any], dict[str, str]]:
    """Status, JSON and headers of the answer."""
    reply = module.handler(event, context())
    assert reply["headers"]["Content-Type"] == "application/json"
    assert reply["headers"]["X-Buffer-Release"] == "0.0.0+test"
    return reply["statusCode"], json.loads(reply["body"]), reply["headers"]


def _queued(aws: Aws) -> tuple[dict[str, Any], Envelope]:
    """The next message, taken off the queue, and the webhook in it."""
    [record] = aws.received()
    aws.delete(record)
    attribute = record["messageAttributes"].get("body")
    body = base64.b64decode(attribute["binaryValue"]) if attribute else b""
    return record, envelope.unpack(record["body"], body)


@pytest.mark.parametrize(
    "body", [b"", b'{"group_id": "g"}', b"\x00\xff\r\n" * 9], ids=["empty", "json", "binary"]
)
def test_queued_as_received(functions: Functions, aws: Aws, body: bytes) -> None:
    """What is acknowledged is on the queue, byte for byte, under the id that was answered."""
    headers = {"x-signature": "sha256=é", "x-repeat": "1,2"}
    event = http_event(
        body, method="PUT", path="//a b/%2F", query="a=1&a=2&b=%zz&c", headers=headers,
        cookies=["s=1", "t=2"],
    )  # fmt: skip
    status, answer, _ = _answer(functions.publish(), event)
    assert status == 200
    record, webhook = _queued(aws)
    assert answer["message_id"] == record["messageId"]
    assert answer["sequence_number"] == record["attributes"]["SequenceNumber"]
    assert answer["group_id"] == record["attributes"]["MessageGroupId"]
    assert webhook == Envelope(
        "PUT", "//a b/%2F", "a=1&a=2&b=%zz&c",
        (*headers.items(), ("cookie", "s=1; t=2")), body, event["requestContext"]["timeEpoch"],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("extractors", "event", "group"),
    [
        (["json:a.id"], http_event({"a": {"id": 7}}), "7"),
        (["form:order"], http_event(b"x=1&order=o%2D1", headers=_FORM), "o-1"),
        (["header:X-Order"], http_event(headers={"x-order": "o-1"}), "o-1"),
        (["query:order"], http_event(query="order=o-1"), "o-1"),
        (["path:2"], http_event(path="/orders/o-1/paid"), "o-1"),
        (["json:id", "query:id"], http_event(b"no json", query="id=q"), "q"),
        (["header:x-order"], http_event(headers={"x-order": "o 1"}),
         "sha256:" + hashlib.sha256(b"o 1").hexdigest()),
    ],
)  # fmt: skip
def test_group(
    functions: Functions, aws: Aws, extractors: list[str], event: dict[str, Any], group: str
) -> None:
    """The group is what the first extractor finds, or a hash of what SQS does not allow."""
    module = functions.publish(GROUP_ID=json.dumps(extractors))
    status, answer, _ = _answer(module, event)
    record, _ = _queued(aws)
    assert (status, answer["group_id"]) == (200, group)
    assert record["attributes"]["MessageGroupId"] == group


def test_own_group_where_none_is_found(functions: Functions, aws: Aws) -> None:
    """Webhooks without a group get one each, so that none waits for another."""
    module = functions.publish(GROUP_ID_MISSING="own")
    groups = {_answer(module, http_event(b"x"))[1]["group_id"] for _ in range(2)}
    assert {_queued(aws)[0]["attributes"]["MessageGroupId"] for _ in range(2)} == groups
    assert len(groups) == 2


def test_rejected_without_group(functions: Functions, aws: Aws) -> None:
    """Where settings say so, a webhook without a group is refused with 400 and not queued."""
    status, answer, headers = _answer(
        functions.publish(GROUP_ID_MISSING="reject"), http_event({"other": 1})
    )
    assert status == 400
    assert "No group id found" in answer["error"]
    assert "groupId" in answer["error"]
    assert "Retry-After" not in headers
    assert aws.received() == []


def test_deduplication(functions: Functions, aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    """A delivery that a provider repeats under its id is acknowledged again and queued once."""
    module = functions.publish(DEDUPLICATION_ID='["header:X-GitHub-Delivery"]')
    for delivery in ("d-1", "d-1", "d 2"):
        event = http_event({"group_id": "g"}, headers={"x-github-delivery": delivery})
        assert _answer(module, event)[0] == 200
    assert len({_queued(aws)[0]["messageId"] for _ in range(2)}) == 2
    assert aws.received() == []
    assert "IdReused" not in capsys.readouterr().out


def test_an_id_with_another_body(
    functions: Functions, aws: Aws, capsys: pytest.CaptureFixture[str]
) -> None:
    """One id with two bodies is two webhooks, in the order they came, and is counted."""
    module = functions.publish(DEDUPLICATION_ID='["header:X-Id"]', GROUP_ID='["header:X-Group"]')
    headers = {"x-id": "evt_1001", "x-group": "dd"}
    for body in (b"one", b"two", b"two"):
        assert _answer(module, http_event(body, headers=headers))[0] == 200
    assert [_queued(aws)[1].body for _ in range(2)] == [b"one", b"two"]
    assert aws.received() == []
    lines = map(json.loads, capsys.readouterr().out.splitlines())
    assert [line.get("IdReused") for line in lines] == [None, 1, None]


@pytest.mark.parametrize(
    "change", [{"path": "/b"}, {"query": "x=2"}, {"method": "PUT"}, {"path": "/a\0POST"}]
)
def test_an_id_with_another_target(
    functions: Functions, aws: Aws, capsys: pytest.CaptureFixture[str], change: dict[str, str]
) -> None:
    """One id with another method, path or query is another webhook as well."""
    module = functions.publish(DEDUPLICATION_ID='["header:X-Id"]', GROUP_ID='["header:X-Group"]')
    same: dict[str, Any] = {"method": "POST", "path": "/a", "query": "x=1"}
    for target in (same, {**same, **change}, same):
        event = http_event(b"one", headers={"x-id": "evt_1001", "x-group": "dd"}, **target)
        assert _answer(module, event)[0] == 200
    queued = [_queued(aws)[1] for _ in range(2)]
    assert [(w.method, w.path, w.query) for w in queued] == [
        ("POST", "/a", "x=1"),
        tuple({**same, **change}.values()),
    ]
    assert aws.received() == []
    lines = map(json.loads, capsys.readouterr().out.splitlines())
    assert [line.get("IdReused") for line in lines] == [None, 1, 1]


def test_nobody_names_the_heartbeats_group(functions: Functions, aws: Aws) -> None:
    """A webhook that asks for the heartbeat's group is accepted and waits in another."""
    module = functions.publish()
    _, answer, _ = _answer(module, http_event({"group_id": "webhook-buffer-heartbeat"}))
    assert answer["group_id"].startswith("sha256:")
    assert _queued(aws)[0]["attributes"]["MessageGroupId"] == answer["group_id"]


@pytest.mark.parametrize(
    ("event", "group"),
    [
        (http_event('{"id": 1}'), "1"),
        (http_event('{"id": 1.0}'), "1"),
        (http_event('{"id": 1e0}'), "1"),
        (http_event('{"id": -0.0}'), "0"),
        (http_event('{"id": 1.5}'), "1.5"),
        (http_event('{"id": "1.0"}'), "1.0"),
        (http_event('{"id": 9007199254740993}'), "9007199254740993"),
        (http_event('{"id": 1e400}'), "inf"),
        (http_event('{"id": "a", "id": "b"}'), "b"),
        (http_event(query="id=a&id=b"), "a"),
        (http_event(b"id=a&id=b", headers=_FORM), "a"),
        (http_event(headers={"x-group": "a,b"}), "a,b"),
    ],
)
def test_one_number_and_repeated_names(
    functions: Functions, event: dict[str, Any], group: str
) -> None:
    """Equal numbers are one group, and what is given twice means what docs/settings.md says."""
    lines = ["json:id", "query:id", "form:id", "header:X-Group"]
    module = functions.publish(GROUP_ID=json.dumps(lines))
    assert _answer(module, event)[1]["group_id"] == group


def test_repeats_are_no_duplicates(functions: Functions, aws: Aws) -> None:
    """Two equal webhooks without a delivery id are two webhooks."""
    module = functions.publish()
    ids = [_answer(module, http_event({"group_id": "g"}))[1]["message_id"] for _ in range(3)]
    assert [_queued(aws)[0]["messageId"] for _ in range(3)] == ids


def test_large_body(functions: Functions, aws: Aws) -> None:
    """A body beyond SQS's limit is queued compressed and comes off as it was."""
    body = b'{"group_id": "g", "text": "' + b"webhook " * 500_000 + b'"}'
    assert _answer(functions.publish(), http_event(body))[0] == 200
    assert _queued(aws)[1].body == body


@pytest.mark.parametrize(("size", "status"), [(1_048_000, 200), (1_048_577, 413)])
def test_too_large(functions: Functions, aws: Aws, size: int, status: int) -> None:
    """Noise is taken up to SQS's limit; beyond it, it is refused and not queued."""
    body = random.Random(1).randbytes(size)
    answered, answer, headers = _answer(functions.publish(), http_event(body))
    assert answered == status
    if status == 200:
        assert _queued(aws)[1].body == body
    else:
        assert "1 MiB" in answer["error"]
        assert "Retry-After" not in headers
    assert aws.received() == []


def _assert_unavailable(module: Any, event: dict[str, Any] | None = None) -> None:
    status, answer, headers = _answer(
        module, event if event is not None else http_event({"group_id": "g"})
    )
    assert (status, headers["Retry-After"]) == (503, "5")
    assert list(answer) == ["error"]
    assert re.search(r"Send (it )?again", answer["error"])
    theirs = "AWS|Amazon|not exist|NotExist|words|127.0.0.1|Denied|Failure|Timeout|Error|HTTP"
    assert not re.search(theirs, answer["error"])


def test_queue_is_gone(functions: Functions, aws: Aws) -> None:
    """When SQS refuses, the sender is asked to send again, in our words."""
    module = functions.publish()
    aws.sqs.delete_queue(QueueUrl=aws.queue_url)
    _assert_unavailable(module)


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (403, {"__type": "AccessDeniedException", "message": "words of AWS"}),
        (500, {"__type": "InternalFailure", "message": "words of AWS"}),
        (200, b"<html>words</html>"),
        (200, {}),
        (200, {"MessageId": "m-1"}),
    ],
)
def test_no_200_without_a_receipt(
    functions: Functions, http_stub: HttpStub, status: int, answer: Any
) -> None:
    """Whatever comes from SQS, only its receipt becomes a 200, and its words stay inside."""
    http_stub.then(status, answer)
    http_stub.then(status, answer)
    _assert_unavailable(functions.publish(AWS_ENDPOINT_URL=http_stub.url))


def test_queue_is_silent(functions: Functions, monkeypatch: pytest.MonkeyPatch) -> None:
    """When SQS does not answer, the sender gets an answer in time."""
    with Wire(lambda _: wire.over.wait(5)) as wire:
        module = functions.publish(AWS_ENDPOINT_URL=wire.url)
        # Two attempts fit into the shortest timeout that settings allow.
        assert 2 * vars(module)["_SEND_SECONDS"] < 7
        monkeypatch.setattr(module, "_SEND_SECONDS", 0.2)
        with Stopwatch() as stopwatch:
            _assert_unavailable(module)
        assert stopwatch.seconds() < 1.5


def test_queue_is_unreachable(functions: Functions) -> None:
    """When nobody listens where SQS should, the sender is asked to send again."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        _assert_unavailable(functions.publish(AWS_ENDPOINT_URL=url))


@pytest.mark.parametrize(
    "event",
    [{}, {"requestContext": {}}, {**http_event(b"x"), "body": "x"}],
    ids=["nothing", "half", "damaged"],
)
def test_bug_of_ours(functions: Functions, aws: Aws, event: dict[str, Any]) -> None:
    """What publish can't handle is a 503 too, for a 200 or a silent loss would be a lie."""
    _assert_unavailable(functions.publish(), event)
    assert aws.received() == []


def test_log(functions: Functions, capsys: pytest.CaptureFixture[str]) -> None:
    """One line says what was queued, where, how large it was and how long it took."""
    event = http_event({"group_id": "g"}, path="/" + "p" * 999, headers={"x": "1"})
    _, answer, _ = _answer(functions.publish(), event)
    [line] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (line["level"], line["event"]) == ("INFO", "webhook.queued")
    assert line["message_id"] == answer["message_id"]
    assert line["sequence_number"] == answer["sequence_number"]
    assert (line["group_id"], line["method"]) == ("g", "POST")
    assert line["http"] == {"status_code": 200}
    assert line["path"] == "/" + "p" * 255
    assert line["body_bytes"] == len(event["body"])
    assert line["message_bytes"] > line["body_bytes"]
    assert line["duration_ms"] > 0
    assert (line["service"], line["env"]) == ("webhook-buffer", "test")
    assert line["function"] == "test-function"
    assert line["request_id"]


@pytest.mark.parametrize(
    ("variables", "error"),
    [
        ({"GROUP_ID": "[]]"}, "JSONDecodeError"),
        ({"GROUP_ID": '["cookie:x"]'}, "ValueError"),
        ({"DEDUPLICATION_ID": '["json:a..b"]'}, "ValueError"),
    ],
)
def test_wrong_environment_fails_the_load(
    functions: Functions, variables: dict[str, str], error: str
) -> None:
    """A wrong variable ends the function before it takes a webhook."""
    with pytest.raises(Exception, match=rf"^{error} at \w+\.py:\d+$"):
        functions.publish(**variables)


@pytest.mark.parametrize("length", [True, False])
def test_altered_body_is_refused(functions: Functions, length: bool) -> None:
    """A body whose bytes the API replaced on the way is refused, not passed on changed."""
    sent = bytes([0x1F, 0x8B, 0x08])
    headers = {"content-type": "application/json"}
    if length:
        headers["content-length"] = str(len(sent))
    event = http_event(sent.decode("utf-8", "replace"), headers=headers)
    status, answer, _ = _answer(functions.publish(), event)
    # Without a length it looks like a sender's own replacement character.
    assert status == (415 if length else 200)
    assert length is ("application/octet-stream" in answer.get("error", ""))


@pytest.mark.parametrize("path", ["/a\ufffd", "/\ud800", "/a/\udcff"])
def test_altered_path_is_refused(functions: Functions, aws: Aws, path: str) -> None:
    """A path whose bytes the API replaced on the way is refused, not passed on changed."""
    status, answer, _ = _answer(functions.publish(), http_event({"group_id": "g"}, path=path))
    assert status == 400
    assert "The path is not UTF-8" in answer["error"]
    assert aws.waiting() == 0


def test_a_senders_replacement_character_is_content(functions: Functions, aws: Aws) -> None:
    """A replacement character that the sender wrote is passed on."""
    headers = {"content-length": str(len("a\ufffd".encode()))}
    assert _answer(functions.publish(), http_event("a\ufffd", headers=headers))[0] == 200
    assert _queued(aws)[1].body == "a\ufffd".encode()


def test_duplicates_without_a_group(functions: Functions, aws: Aws) -> None:
    """A repeated delivery id is dropped also where no group is found: both get the same one."""
    publish = functions.publish(DEDUPLICATION_ID='["header:webhook-id"]')
    event = http_event("x", headers={"webhook-id": "w1"})
    first, second = (_answer(publish, event)[1]["message_id"] for _ in range(2))
    assert first == second
    assert aws.waiting() == 1
