"""The heartbeat: one webhook and one alarm a run, each whatever becomes of the other."""

from __future__ import annotations

import json
import socket
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

import boto3
import pytest

from lambdas.faux_backend import Answer
from tests.emulated_aws import Aws
from tests.function_events import context, heartbeat_event, http_event
from tests.function_modules import Functions, load, shared_environ
from tests.lambdas.conftest import HttpStub, Wire, read_request
from tests.waiting import eventually
from webhook_buffer.laptop.backend import ScriptedBackend
from webhook_buffer.laptop.programs.process import Running


@dataclass(frozen=True)
class Probe:
    """An alarm of a test's own, and what came through its topic."""

    name: str
    cloudwatch: Any
    sqs: Any
    queue_url: str

    def alarms(self, count: int) -> list[dict[str, Any]]:
        """All messages so far, once there are at least so many."""
        changes: list[dict[str, Any]] = []

        def enough() -> bool:
            reply = self.sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10)
            for message in reply.get("Messages", []):
                changes.append(json.loads(json.loads(message["Body"])["Message"]))
                self.sqs.delete_message(
                    QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"]
                )
            return len(changes) >= count

        eventually(enough)
        return changes

    def state(self) -> str:
        [alarm] = self.cloudwatch.describe_alarms(AlarmNames=[self.name])["MetricAlarms"]
        return str(alarm["StateValue"])


@pytest.fixture
def probe(emulator: Running) -> Probe:
    """A fresh alarm → topic → queue."""
    options: Any = {
        "endpoint_url": emulator.endpoint_url,
        "region_name": "us-east-1",
        "aws_access_key_id": "test",
        "aws_secret_access_key": "test",
    }
    cloudwatch: Any = boto3.client("cloudwatch", **options)
    sns: Any = boto3.client("sns", **options)
    sqs: Any = boto3.client("sqs", **options)
    name = f"probe-{uuid.uuid4().hex}"
    topic = sns.create_topic(Name=name)["TopicArn"]
    queue_url = sqs.create_queue(QueueName=name)["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])
    queue = attributes["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace="AWS/Lambda",
        MetricName="Invocations",
        Dimensions=[{"Name": "FunctionName", "Value": name}],
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1e9,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
        AlarmActions=[topic],
    )
    return Probe(name, cloudwatch, sqs, queue_url)


Load = Callable[..., ModuleType]


@pytest.fixture
def heartbeat(monkeypatch: pytest.MonkeyPatch, emulator: Running, probe: Probe) -> Load:
    """Loads ``lambdas.heartbeat`` for an endpoint, with this test's probe or another's name."""

    def loaded(endpoint: str, alarm: str = probe.name) -> ModuleType:
        variables = {
            **shared_environ(emulator.endpoint_url),
            "ENDPOINT": endpoint,
            "PROBE_ALARM": alarm,
            "HEARTBEAT_KEY": "heartbeat-key",
        }
        return load(monkeypatch, "lambdas.heartbeat", variables)

    return loaded


def _run(module: ModuleType) -> None:
    assert module.handler({}, context()) == {}


def _lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """What was logged, but for the reading of the key."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [line for line in lines if line["event"] != "secret.read"]


@pytest.mark.parametrize("slash", ["", "/"])
def test_what_is_sent(
    heartbeat: Load, http_stub: HttpStub, capsys: pytest.CaptureFixture[str], slash: str
) -> None:
    """It POSTs a marked webhook with the time in it, and logs which message that became."""
    http_stub.then(200, {"message_id": "m-1", "sequence_number": "words of the answer"})
    _run(heartbeat(http_stub.url + slash))
    [request] = http_stub.requests
    assert (request.method, request.target) == ("POST", "/webhook-buffer/heartbeat")
    proof = request.header("x-buffer-heartbeat") or ""
    sent_at = int(proof.partition(".")[0])
    expected = heartbeat_event(request.body, at=sent_at)["headers"]["x-buffer-heartbeat"]
    assert proof == expected
    assert abs(time.time() - sent_at) < 5
    assert request.header("content-type") == "application/json"
    body = json.loads(request.body)
    assert body.keys() == {"heartbeat"}
    sent = datetime.fromisoformat(body["heartbeat"])
    assert abs((datetime.now(UTC) - sent).total_seconds()) < 5
    [line] = _lines(capsys)
    assert (line["level"], line["event"]) == ("INFO", "heartbeat.sent")
    assert (line["http"], line["message_id"]) == ({"status_code": 200}, "m-1")
    assert (line["service"], line["env"], "_aws" in line) == ("webhook-buffer", "test", False)
    assert "words of the answer" not in json.dumps(line)


def test_each_run_sets_the_alarm_off_once(
    heartbeat: Load, http_stub: HttpStub, probe: Probe
) -> None:
    """Whether the alarm is new or still in ALARM, a run makes one message, and no more."""
    for _ in range(3):
        http_stub.then(200, {"message_id": "m-1"})
    module = heartbeat(http_stub.url)
    for _ in range(3):
        _run(module)
        [alarm] = probe.alarms(1)
        assert (alarm["AlarmName"], alarm["NewStateValue"]) == (probe.name, "ALARM")
        assert (alarm["OldStateValue"], alarm["NewStateReason"]) == ("OK", "alert path probe")
    assert probe.state() == "ALARM"


def test_the_endpoint_is_down(
    heartbeat: Load, backend: ScriptedBackend, probe: Probe, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody listens: that is logged and counted, and the probe goes off all the same."""
    backend.refuse()
    _run(heartbeat(backend.url))
    [failed] = _lines(capsys)
    assert (failed["level"], failed["event"]) == ("ERROR", "heartbeat.failed")
    assert (failed["error"], failed["HeartbeatRefused"]) == ("ConnectionRefused", 1)
    assert len(probe.alarms(1)) == 1


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer(503), {"http": {"status_code": 503}}),
        (Answer(302), {"http": {"status_code": 302}}),
        (Answer(201), {"http": {"status_code": 201}}),
        (Answer(200), {"http": {"status_code": 200}, "error": "NoMessageId"}),
        (Answer(reset=True), {"error": "ConnectionReset"}),
    ],
)
def test_the_webhook_is_not_taken(
    heartbeat: Load,
    backend: ScriptedBackend,
    probe: Probe,
    capsys: pytest.CaptureFixture[str],
    answer: Answer,
    expected: dict[str, Any],
) -> None:
    """Anything but the buffer's own acknowledgement is a failure; the probe goes off."""
    backend.faux.default = answer
    _run(heartbeat(backend.url))
    assert len(backend.faux.received) == 1
    [failed] = _lines(capsys)
    assert (failed["event"], failed["HeartbeatRefused"]) == ("heartbeat.failed", 1)
    assert {name: failed[name] for name in ("http", "error") if name in failed} == expected
    assert len(probe.alarms(1)) == 1


@pytest.mark.parametrize(
    "answer", [b"a captive portal's secret page", [], {"message_id": 7}, b"[" * 100_000]
)
def test_answers_of_others_are_no_acknowledgement(
    heartbeat: Load,
    http_stub: HttpStub,
    probe: Probe,
    capsys: pytest.CaptureFixture[str],
    answer: Any,
) -> None:
    """A 200 without a message id is a failure, and nothing of it is logged."""
    http_stub.then(200, answer)
    _run(heartbeat(http_stub.url))
    [failed] = _lines(capsys)
    assert (failed["event"], failed["error"]) == ("heartbeat.failed", "NoMessageId")
    assert "secret page" not in json.dumps(failed)
    assert len(probe.alarms(1)) == 1


def test_a_message_id_with_another_status(
    heartbeat: Load, http_stub: HttpStub, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only 200 acknowledges, whatever the answer says."""
    http_stub.then(202, {"message_id": "m-1"})
    _run(heartbeat(http_stub.url))
    failed = _lines(capsys)[0]
    assert (failed["event"], failed["http"]) == ("heartbeat.failed", {"status_code": 202})


@pytest.mark.parametrize("endpoint", ["", "ftp://127.0.0.1", "http://[", "http://127.0.0.1:no"])
def test_a_senseless_endpoint_stops_no_probe(
    heartbeat: Load, probe: Probe, capsys: pytest.CaptureFixture[str], endpoint: str
) -> None:
    """Even an error that nobody foresaw leaves the probe its turn."""
    _run(heartbeat(endpoint))
    assert _lines(capsys)[0]["event"] == "heartbeat.failed"
    assert len(probe.alarms(1)) == 1


def test_the_probe_fails(
    heartbeat: Load, http_stub: HttpStub, probe: Probe, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without its alarm the webhook is sent all the same; the log says that no probe is."""
    http_stub.then(200, {"message_id": "m-1"})
    _run(heartbeat(http_stub.url, alarm=f"{probe.name}-gone"))
    sent, failed = _lines(capsys)
    assert (sent["event"], failed["event"]) == ("heartbeat.sent", "probe.failed")
    assert "HeartbeatRefused" not in sent
    assert (failed["level"], failed["aws_error"]) == ("ERROR", "ResourceNotFound")


def test_the_buffer_knows_it(
    heartbeat: Load,
    functions: Functions,
    aws: Aws,
    backend: ScriptedBackend,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """publish takes it and counts no webhook; subscribe sees it arrive, and no backend does."""
    publish = functions.publish()

    def endpoint(connection: socket.socket) -> None:
        request = read_request(connection)
        event = http_event(
            request.body.decode(), path=request.target, headers=dict(request.headers)
        )
        reply = publish.handler(event, context())
        body = reply["body"].encode()
        head = f"HTTP/1.1 {reply['statusCode']} Said\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.sendall(head.encode() + body)

    with Wire(endpoint) as wire:
        _run(heartbeat(wire.url))
    queued, sent = _lines(capsys)
    assert (queued["event"], queued["heartbeat"]) == ("webhook.queued", True)
    assert "Accepted" not in queued
    [record] = aws.received()
    assert sent["message_id"] == record["messageId"]
    subscribe = functions.subscribe(backend.url)
    assert subscribe.handler({"Records": [record]}, context()) == {"batchItemFailures": []}
    [arrived] = _lines(capsys)
    assert (arrived["event"], arrived["HeartbeatArrived"]) == ("heartbeat.arrived", 1)
    assert not backend.faux.received
