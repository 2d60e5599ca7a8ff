"""The audit: what it reads, and what it tells."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

import boto3
import pytest
from botocore.validate import ParamValidator

from lambdas import parked_watch
from tests.conftest import context
from tests.lambdas.conftest import Wire, read_request
from webhook_buffer.laptop.process import Running

_WINDOW = 360


@pytest.fixture(scope="module")
def audit() -> Iterator[ModuleType]:
    """The module, loaded as for one environment."""
    variables = {
        "QUEUE_NAME": "hooks.fifo",
        "SERVICE": "webhook-buffer",
        "ENVIRONMENT": "test",
        "PARKING_TABLE": "parking",
        "PARKING_KEEP_SECONDS": "1000000",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        sys.modules.pop("lambdas.audit", None)
        yield importlib.import_module("lambdas.audit")


class CloudWatch(Wire):
    """Answers GetMetricData from given values, some to a page; keeps what it was asked."""

    def __init__(self, values: Mapping[str, Mapping[int, float]], *, page: int = 10_000) -> None:
        super().__init__(self._answer)
        self._values = values  # by metric name and minute of the window
        self._page = page
        self.asked: list[dict[str, Any]] = []
        self.refuse: list[tuple[int, str]] = []  # status and code of the first answers
        self.last_status = "Complete"

    def _answer(self, connection: Any) -> None:
        request = read_request(connection)
        if request.header("x-amz-target") == "DynamoDB_20120810.Query":
            connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{"Items":[]}')
            return
        assert request.header("x-amz-target") == "GraniteServiceVersion20100801.GetMetricData"
        asked = json.loads(request.body)
        self.asked.append(asked)
        status, answer = 200, self._data(asked)
        if self.refuse:
            status, code = self.refuse.pop(0)
            answer = {"__type": code, "message": "words of AWS"}
        body = json.dumps(answer).encode()
        head = f"HTTP/1.1 {status} Said\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode() + body)

    def _data(self, asked: dict[str, Any]) -> dict[str, Any]:
        begin = int(asked.get("NextToken", "0"))
        more = False
        results = []
        for query in asked["MetricDataQueries"]:
            name = query["MetricStat"]["Metric"]["MetricName"]
            found = sorted(self._values.get(name, {}).items())
            page = found[begin : begin + self._page]
            unfinished = begin + self._page < len(found)
            more |= unfinished
            results.append(
                {
                    "Id": query["Id"],
                    "Label": name,
                    "Timestamps": [asked["StartTime"] + 60.0 * minute for minute, _ in page],
                    "Values": [value for _, value in page],
                    "StatusCode": "PartialData" if unfinished else self.last_status,
                }
            )
        token = {"NextToken": str(begin + self._page)} if more else {}
        return {"MetricDataResults": results, "Messages": [], **token}


_IDLE = {"ApproximateNumberOfMessagesVisible": dict.fromkeys(range(_WINDOW), 0.0)}
# Twelve webhooks of which two were delivered, one was consumed and six wait in all states.
_LOSS: Mapping[str, Mapping[int, float]] = {
    "Accepted": {90: 5.0, 91: 7.0, 100: 1.0},
    "NumberOfMessagesSent": {90: 12.0},
    "NumberOfDeduplicatedSentMessages": {100: 1.0},
    "Backend2xx": {120: 2.0},
    "Consumed": {150: 1.0},
    "ApproximateNumberOfMessagesVisible": dict.fromkeys(range(90, _WINDOW), 1.0),
    "ApproximateNumberOfMessagesNotVisible": dict.fromkeys(range(90, _WINDOW), 2.0),
    "ApproximateNumberOfMessagesDelayed": dict.fromkeys(range(90, _WINDOW), 3.0),
}


def _told(
    audit: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    url: str,
    *,
    seconds: float = 10,
) -> dict[str, Any]:
    """The line of one run."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    assert audit.handler({}, context(seconds=seconds)) == {}
    [line] = capsys.readouterr().out.splitlines()
    told: dict[str, Any] = json.loads(line)
    assert told["service"] == "webhook-buffer"
    assert told["env"] == "test"
    return told


@pytest.mark.parametrize("page", [10_000, 100])
def test_a_loss_is_told_and_becomes_a_metric(
    audit: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    page: int,
) -> None:
    """What is missing is an error and a metric, on one page or several."""
    with CloudWatch(_LOSS, page=page) as cloudwatch:
        told = _told(audit, monkeypatch, capsys, cloudwatch.url)
    assert (told["level"], told["event"]) == ("ERROR", "audit.unaccounted")
    assert (told["accepted"], told["delivered"], told["queued"]) == (12, 3, 6)
    assert (told["unaccounted"], told["uncertain"]) == (3, 0)
    assert told["Unaccounted"] == 3
    assert told["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["service", "env"]]
    # The whole window, and no longer, however many pages it has.
    assert (told["since"] < told["until"], len(cloudwatch.asked)) == (True, -(-270 // page))


def test_a_balance_is_told_and_is_no_metric(
    audit: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where nothing is missing, a line says so, and no metric is paid for."""
    values = {**_IDLE, "Accepted": {90: 5.0}, "Backend2xx": {91: 4.0, 92: 1.0}}
    with CloudWatch(values) as cloudwatch:
        told = _told(audit, monkeypatch, capsys, cloudwatch.url)
    assert (told["level"], told["event"]) == ("INFO", "audit.balanced")
    assert (told["accepted"], told["delivered"], told["queued"]) == (5, 5, 0)
    assert (told["unaccounted"], told["uncertain"]) == (0, 0)
    assert not {"_aws", "Unaccounted"} & told.keys()


def test_what_is_asked(
    audit: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The request is one that AWS's own model of the API accepts, for six settled hours."""
    with CloudWatch(_IDLE) as cloudwatch:
        told = _told(audit, monkeypatch, capsys, cloudwatch.url)
    [asked] = cloudwatch.asked
    client: Any = boto3.client("cloudwatch", region_name="us-east-1")
    shape = client.meta.service_model.operation_model("GetMetricData").input_shape
    report = ParamValidator().validate(asked, shape)
    assert not report.has_errors(), report.generate_report()
    assert asked["EndTime"] - asked["StartTime"] == 6 * 3600
    assert asked["EndTime"] % 60 == 0
    assert 5 * 60 <= told["at"] / 1000 - asked["EndTime"] < 6 * 60 + 5
    found = {}
    for query in asked["MetricDataQueries"]:
        stat = query["MetricStat"]
        assert stat["Period"] == 60
        dimensions = {one["Name"]: one["Value"] for one in stat["Metric"]["Dimensions"]}
        assert dimensions == (
            {"QueueName": "hooks.fifo"}
            if stat["Metric"]["Namespace"] == "AWS/SQS"
            else {"service": "webhook-buffer", "env": "test"}
        )
        found[stat["Metric"]["Namespace"], stat["Metric"]["MetricName"]] = stat["Stat"]
    assert found == {
        ("WebhookBuffer", "Accepted"): "Sum",
        ("WebhookBuffer", "Backend2xx"): "Sum",
        ("WebhookBuffer", "Consumed"): "Sum",
        ("WebhookBuffer", "Parked"): "Sum",
        ("WebhookBuffer", "Released"): "Sum",
        ("WebhookBuffer", "HeartbeatArrived"): "Sum",
        ("AWS/SQS", "NumberOfMessagesSent"): "Sum",
        ("AWS/SQS", "NumberOfDeduplicatedSentMessages"): "Sum",
        ("AWS/SQS", "ApproximateNumberOfMessagesVisible"): "Maximum",
        ("AWS/SQS", "ApproximateNumberOfMessagesNotVisible"): "Maximum",
        ("AWS/SQS", "ApproximateNumberOfMessagesDelayed"): "Maximum",
    }


def test_one_throttled_call_is_made_again(
    audit: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A refusal that passes costs no audit."""
    with CloudWatch(_LOSS) as cloudwatch:
        cloudwatch.refuse = [(400, "Throttling")]
        told = _told(audit, monkeypatch, capsys, cloudwatch.url)
    assert told["event"] == "audit.unaccounted"


@pytest.mark.parametrize(
    ("refuse", "last_status", "seconds", "code"),
    [
        ([(400, "Throttling")] * 2, "Complete", 10, "Throttling"),
        ([(403, "AccessDenied")], "Complete", 10, "AccessDenied"),
        ([], "InternalError", 10, "InternalError"),
        ([], "PartialData", 10, "PartialData"),
        ([], "Complete", 2, "Timeout"),
    ],
)
def test_unreadable_metrics_prove_nothing(
    audit: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    refuse: list[tuple[int, str]],
    last_status: str,
    seconds: float,
    code: str,
) -> None:
    """Refused, incomplete or too late: the audit says why it is skipped, and claims no loss."""
    with CloudWatch(_LOSS) as cloudwatch:
        cloudwatch.refuse, cloudwatch.last_status = refuse, last_status
        told = _told(audit, monkeypatch, capsys, cloudwatch.url, seconds=seconds)
    assert (told["level"], told["event"], told["aws_error"]) == ("WARNING", "audit.skipped", code)
    assert "_aws" not in told


def test_no_queue_is_told_from_no_data(
    audit: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    emulator: Running,
) -> None:
    """The emulator has no metrics, which is no warning; webhooks without their queue are one."""
    monkeypatch.setattr(parked_watch, "look", lambda *_, **__: None)
    told = _told(audit, monkeypatch, capsys, emulator.endpoint_url)
    assert (told["level"], told["event"]) == ("INFO", "audit.skipped")
    with CloudWatch({"Accepted": {90: 5.0}}) as cloudwatch:
        told = _told(audit, monkeypatch, capsys, cloudwatch.url)
    assert (told["level"], told["event"]) == ("WARNING", "audit.skipped")
    assert told["error"] == "NoQueueMetrics"
