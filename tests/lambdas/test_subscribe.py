"""subscribe: one attempt per message; what fails is recorded, backed off, and stays."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

import pytest

from lambdas.faux_backend import Answer
from tests.emulated_aws import Aws
from tests.function_events import context, http_event
from tests.function_modules import Functions
from tests.lambdas.conftest import HttpStub, Sentry, Wire
from tests.waiting import Stopwatch, eventually
from webhook_buffer.laptop.backend import ScriptedBackend

Queued = Callable[..., dict[str, Any]]


@pytest.fixture
def queued(functions: Functions, aws: Aws) -> Queued:
    """Publishes a webhook and receives it as the event source would."""

    def publish(body: bytes | dict[str, Any] = b"{}", **event: Any) -> dict[str, Any]:
        reply = functions.publish().handler(http_event(body, **event), context())
        assert reply["statusCode"] == 200
        [record] = aws.received()
        return record

    return publish


def _handled(module: ModuleType, *records: dict[str, Any], seconds: float = 10.0) -> list[str]:
    """The ids that stay in the queue."""
    reply = module.handler({"Records": list(records)}, context(seconds=seconds))
    return [failure["itemIdentifier"] for failure in reply["batchItemFailures"]]


def _lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_delivers_what_was_received(
    functions: Functions, backend: ScriptedBackend, queued: Queued
) -> None:
    """The backend sees the request as sent, below its base path, and the contract's headers."""
    before = datetime.now(UTC)
    record = queued(
        b'{"group_id": "g"}\x00\xff',
        method="PUT",
        path="/a%2Fb/ü",
        query="x=1&x=2&y",
        headers={"x-sig": "s", "connection": "x-hop", "x-hop": "1", "x-buffer-group": "forged"},
    )
    assert _handled(functions.subscribe(f"{backend.url}/hooks"), record) == []
    [seen] = backend.faux.received
    assert (seen.method, seen.target) == ("PUT", "/hooks/a%2Fb/%C3%BC?x=1&x=2&y")
    assert seen.body == b'{"group_id": "g"}\x00\xff'
    headers = dict(seen.headers)
    received_at = headers.pop("x-buffer-received-at")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", received_at)
    assert abs((datetime.fromisoformat(received_at) - before).total_seconds()) < 5
    assert headers == {
        "host": backend.url.removeprefix("http://"),
        "x-sig": "s",
        "x-buffer-message-id": record["messageId"],
        "x-buffer-group": record["attributes"]["MessageGroupId"],
        "x-buffer-sequence": record["attributes"]["SequenceNumber"],
        "x-buffer-attempt": "1",
        "content-length": "19",
        "connection": "close",
    }


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer(500), {"status": {"N": "500"}}),
        (Answer(302, headers={"Location": "/elsewhere"}), {"status": {"N": "302"}}),
        (Answer(reset=True), {"error": {"S": "ConnectionReset"}}),
    ],
    ids=["status", "redirect", "reset"],
)
def test_failed_attempt_stays_and_is_kept(
    functions: Functions, aws: Aws, backend: ScriptedBackend, queued: Queued, answer: Answer,
    expected: dict[str, Any],
) -> None:  # fmt: skip
    """A failed message comes again with its attempt counted, and its record keeps every failure."""
    backend.faux.script.append(answer)
    record = queued({"group_id": "g"}, path="/o")
    module = functions.subscribe(backend.url)
    message_id = record["messageId"]
    assert _handled(module, record) == [message_id]
    failed = aws.record(message_id)
    assert failed
    assert failed.get("backend_response_status_code") == expected.get("status")

    [again] = eventually(aws.received)
    assert again["messageId"] == message_id
    assert _handled(module, again) == []
    delivered = aws.record(message_id)
    assert delivered
    first, second = (attempt["M"] for attempt in delivered["attempts"]["L"])
    assert expected.items() <= first.items()
    assert (second["number"], second["status"]) == ({"N": "2"}, {"N": "200"})
    assert delivered["backend_response_status_code"] == {"N": "200"}
    assert delivered["group_id"] == {"S": "g"}
    assert json.loads(delivered["request"]["S"])["path"] == "/o"
    assert abs(int(delivered["received_timestamp"]["N"]) / 1000 - time.time()) < 10
    assert [seen.headers["x-buffer-attempt"] for seen in backend.faux.received] == ["1", "2"]


@pytest.mark.parametrize("status", [200, 500])
def test_record_that_cannot_be_written(
    functions: Functions, aws: Aws, backend: ScriptedBackend, queued: Queued,
    capsys: pytest.CaptureFixture[str], status: int,
) -> None:  # fmt: skip
    """Without its table a webhook is delivered, or fails, as with it, and the log says so."""
    backend.faux.default = Answer(status)
    record = queued()
    aws.dynamodb.delete_table(TableName=aws.table)
    stays = _handled(functions.subscribe(backend.url), record)
    assert stays == ([] if status == 200 else [record["messageId"]])
    assert len(backend.faux.received) == 1
    line = next(line for line in _lines(capsys) if line["event"] == "record.failed")
    assert line["aws_error"] == "ResourceNotFoundException"
    assert line["message_id"] == record["messageId"]


@pytest.mark.parametrize(
    ("attempt", "retry_after", "least", "most"),
    [
        (1, None, 50, 100), (2, None, 100, 200), (3, None, 150, 300), (99, None, 150, 300),
        (1, "250", 250, 250), (1, "1", 50, 100), (1, "9999", 600, 600), (1, "soon", 50, 100),
    ],
)  # fmt: skip
def test_backoff(
    functions: Functions, backend: ScriptedBackend, http_stub: HttpStub, queued: Queued,
    capsys: pytest.CaptureFixture[str], attempt: int, retry_after: str | None, least: int,
    most: int,
) -> None:  # fmt: skip
    """A failed message waits longer each time, and as the backend asks, within the bounds."""
    backend.faux.default = Answer(503, headers={"Retry-After": retry_after} if retry_after else {})
    record = queued()
    if attempt > 1:
        record["attributes"]["ApproximateReceiveCount"] = "7"
        http_stub.then(200, {})  # the hold
        http_stub.then(200, {})  # the group's state
        http_stub.then(200, {"Item": {"id": {"S": "m"}, "attempt_count": {"N": str(attempt - 1)}}})
    module = functions.subscribe(
        backend.url,
        AWS_ENDPOINT_URL=http_stub.url,
        RETRY_BASE_SECONDS="100",
        RETRY_MAX_SECONDS="300",
        RETRY_AFTER_MAX_SECONDS="600",
    )
    assert _handled(module, record) == [record["messageId"]]
    change = http_stub.requests[-1]
    assert change.header("x-amz-target") == "AmazonSQS.ChangeMessageVisibility"
    said = json.loads(change.body)
    assert said["ReceiptHandle"] == record["receiptHandle"]
    assert least <= said["VisibilityTimeout"] <= most
    assert _lines(capsys)[-1]["retry_seconds"] == said["VisibilityTimeout"]


def test_the_wait_is_the_queues(
    functions: Functions, aws: Aws, backend: ScriptedBackend, queued: Queued
) -> None:
    """A message that is backed off can't be received until its time has come."""
    backend.faux.default = Answer(503, headers={"Retry-After": "1"})
    record = queued()
    module = functions.subscribe(backend.url, RETRY_AFTER_MAX_SECONDS="900")
    begun = time.monotonic()
    assert _handled(module, record) == [record["messageId"]]
    eventually(aws.received)
    assert time.monotonic() - begun > 0.9


def test_visibility_that_cannot_be_set(
    functions: Functions, aws: Aws, backend: ScriptedBackend, queued: Queued,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """When SQS does not take the wait, the message stays all the same."""
    backend.faux.default = Answer(500)
    record = queued()
    aws.delete(record)
    record["receiptHandle"] = "unknown"
    assert _handled(functions.subscribe(backend.url), record) == [record["messageId"]]
    events = {line["event"]: line for line in _lines(capsys)}
    assert events["visibility.failed"]["aws_error"] == "ReceiptHandleIsInvalid"
    assert "retry_seconds" not in events["webhook.failed"]


def test_batch_stops_at_the_first_failure(
    functions: Functions, backend: ScriptedBackend, queued: Queued
) -> None:
    """After a failure nothing of the batch is tried, since it may be of the same group."""
    records = [queued({"group_id": f"g{number}", "n": number}) for number in range(4)]
    backend.faux.script += [Answer(200), Answer(500)]
    ids = [record["messageId"] for record in records]
    assert _handled(functions.subscribe(backend.url), *records) == ids[1:]
    assert [json.loads(seen.body)["n"] for seen in backend.faux.received] == [0, 1]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"body": "not ours"}, "not a webhook-buffer envelope"),
        ({"body": '{"v": 2}'}, "envelope version 2 is not 1"),
        ({"messageAttributes": {"body": {"dataType": "String", "stringValue": "x"}}}, "not binary"),
        ({"messageAttributes": {"body": {"binaryValue": "###"}}}, "not binary"),
        ({"messageAttributes": {"body": {"binaryValue": None}}}, "not binary"),
    ],
)
def test_unreadable_message_stays(
    functions: Functions, aws: Aws, backend: ScriptedBackend, queued: Queued, sentry: Sentry,
    capsys: pytest.CaptureFixture[str], change: dict[str, Any], says: str,
) -> None:  # fmt: skip
    """What can't be read is not delivered, stays for a person to look at, and is reported."""
    record = {**queued(), **change}
    assert _handled(functions.subscribe(backend.url), record) == [record["messageId"]]
    assert not backend.faux.received
    [again] = eventually(aws.received)
    assert again["messageId"] == record["messageId"]
    line = next(line for line in _lines(capsys) if line["event"] == "message.unreadable")
    assert says in line["error"]
    [event] = sentry.events()
    assert says in event["message"]
    assert event["tags"]["message_id"] == record["messageId"]


@pytest.mark.parametrize(
    ("allowed", "flags", "consumed", "reports"),
    [
        ("true", {"consume_bad_messages": True}, True, 1),
        ("true", {"consume_bad_messages": True, "suppress_sentry": True}, True, 0),
        ("true", {"suppress_sentry": True}, False, 0),
        ("true", {"consume_bad_messages": "true", "suppress_sentry": 1}, False, 1),
        ("true", {}, False, 1),
        ("false", {"consume_bad_messages": True, "suppress_sentry": True}, False, 1),
    ],
)
def test_flags(
    functions: Functions, aws: Aws, backend: ScriptedBackend, queued: Queued, sentry: Sentry,
    allowed: str, flags: dict[str, Any], consumed: bool, reports: int,
) -> None:  # fmt: skip
    """Flags are obeyed where settings allow it, and are content, passed through, elsewhere."""
    record = queued({**flags, "faux_backend_force_status_code": 503})
    stays = _handled(functions.subscribe(backend.url, TEST_FLAGS=allowed), record)
    assert stays == ([] if consumed else [record["messageId"]])
    assert len(sentry.events()) == reports
    item = aws.record(record["messageId"])
    assert item
    assert item["backend_response_status_code"] == {"N": "503"}
    assert json.loads(backend.faux.received[0].body).items() >= flags.items()


@pytest.mark.parametrize("body", [b"no json", b"[1]", b"\xff", b"[" * 200_000])
def test_flags_in_no_json(
    functions: Functions, backend: ScriptedBackend, queued: Queued, body: bytes
) -> None:
    """Where flags are obeyed, a body that holds none fails like any other."""
    backend.faux.default = Answer(500)
    record = queued(body)
    stays = _handled(functions.subscribe(backend.url, TEST_FLAGS="true"), record)
    assert stays == [record["messageId"]]


def test_attempt_ends_within_the_functions_time(
    functions: Functions, aws: Aws, queued: Queued
) -> None:
    """A silent backend is given up early enough for the record and the wait to be written."""
    record = queued()
    with Wire(lambda _: wire.over.wait(5)) as wire, Stopwatch() as stopwatch:
        assert _handled(functions.subscribe(wire.url), record, seconds=3.4) == [record["messageId"]]
        assert stopwatch.seconds() < 1.5
    item = aws.record(record["messageId"])
    assert item
    assert item["attempts"]["L"][0]["M"]["error"] == {"S": "ReadTimeout"}
    assert eventually(aws.received)


def test_log(
    functions: Functions, backend: ScriptedBackend, queued: Queued,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """One line says what became of an attempt, of which message, and how long it all took."""
    record = queued({"group_id": "g"})
    capsys.readouterr()
    _handled(functions.subscribe(backend.url), record)
    [line] = _lines(capsys)
    assert (line["level"], line["event"]) == ("INFO", "webhook.delivered")
    assert (line["message_id"], line["group_id"]) == (record["messageId"], "g")
    assert (line["http"], line["attempt"], line["body_bytes"]) == ({"status_code": 200}, 1, 17)
    assert 0 < line["duration_ms"] <= line["age_ms"] + 1 < 10_000


def test_silent_services_do_not_end_the_function(
    functions: Functions, queued: Queued, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With record table, queue and Sentry silent at once, an attempt still ends in its time."""
    record = queued()
    with Wire(lambda _: wire.over.wait(10)) as wire:
        subscribe = functions.subscribe(wire.url)
        monkeypatch.setenv("AWS_ENDPOINT_URL", wire.url)
        monkeypatch.setenv("SENTRY_DSN", f"http://key@127.0.0.1:{wire.port}/1")
        with Stopwatch() as stopwatch:
            invocation = context(seconds=3.3, clock=stopwatch.seconds)
            reply = subscribe.handler({"Records": [record]}, invocation)
            assert reply["batchItemFailures"] == [{"itemIdentifier": record["messageId"]}]
            assert invocation.get_remaining_time_in_millis() > 0


def test_what_http_has_no_form_for_is_a_failed_attempt(
    functions: Functions, aws: Aws, backend: ScriptedBackend, queued: Queued
) -> None:
    """A message that can't be sent at all is recorded and waits like any other that fails."""
    record = queued(b"x", method="PÖST")
    assert _handled(functions.subscribe(backend.url), record) == [record["messageId"]]
    item = aws.record(record["messageId"])
    assert item
    assert item["attempts"]["L"][0]["M"]["error"] == {"S": "Unsendable"}
