"""Both ways to Datadog, end to end: functions as the template has them, to a local receiver."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.datadog_receivers import Forwarded, Metric, awslogs, metric_socket
from tests.function_events import http_event
from tests.function_modules import function_environ
from tests.instrumented import Choices, Synthesized
from tests.lambda_process import WITH_EXTENSION, Invocation, invoke
from tests.lambdas.conftest import HttpStub
from tests.trace_agent import trace_agent
from tests.waiting import eventually

pytestmark = [pytest.mark.xdist_group("synth"), pytest.mark.slow]

_QUEUE_ARN = "arn:aws:sqs:us-east-1:111111111111:webhook-buffer-dev.fifo"
# Addresses; everything else is the template's.
_ADDRESSES = (
    "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL", "QUEUE_URL",
    "TABLE", "BODIES_BUCKET", "PARKING_TABLE", "BACKEND_URL",
)  # fmt: skip

# The port is fixed on AWS.
_ON_PORT = "import datadog_lambda.dogstatsd\ndatadog_lambda.dogstatsd.statsd.port = {port}"


@dataclass
class Received:
    """What a way brought of one webhook, whose first attempt failed.

    Attributes:
        release: the version in the template.
        invocations: of publish, and of subscribe twice.
        logs: the lines that are neither metrics nor traces.
    """

    way: str
    release: str
    invocations: list[Invocation]
    spans: list[dict[str, Any]]
    metrics: list[Metric]
    logs: list[str]

    def named(self, name: str) -> list[dict[str, Any]]:
        """The spans of a name, in the order they began."""
        of_name = [span for span in self.spans if span["name"] == name]
        return sorted(of_name, key=lambda span: int(span["start"]))


class Webhook:
    """One webhook on its way: publish, the queue, and subscribe until the backend takes it."""

    def __init__(
        self, environment: Synthesized, folder: Path, aws: HttpStub, backend: HttpStub
    ) -> None:
        self._environment = environment
        self._folder = folder
        self._aws = aws
        self._backend = backend

    def send(self, before: str, more: dict[str, str]) -> list[Invocation]:
        """Sends it.

        Args:
            before: code that runs before Datadog's library is loaded.
            more: variables, besides the template's.
        """
        self._aws.then(200, {"MessageId": "m-1", "SequenceNumber": "7"})
        published = self._invoke("publish", _api_event(), before, more)
        assert published.answer["statusCode"] == 200
        sent = json.loads(self._aws.requests[0].body)
        self._backend.then(503, b"")
        attempts = [
            self._invoke("subscribe", _received(sent, number), before, more) for number in (1, 2)
        ]
        assert [len(attempt.answer["batchItemFailures"]) for attempt in attempts] == [1, 0]
        return [published, *attempts]

    def _invoke(self, name: str, event: Any, before: str, more: dict[str, str]) -> Invocation:
        template = self._environment.variables(name)
        addresses = {**function_environ(self._aws.url), "BACKEND_URL": self._backend.url}
        environ = {key: value for key, value in template.items() if isinstance(value, str)}
        environ |= {key: addresses[key] for key in _ADDRESSES}
        environ.pop("SENTRY_DSN", None)
        full_name = self._environment.settings.function_name(name)
        return invoke(event, environ | more, self._folder, name=full_name, before=before)


@pytest.fixture(scope="module", params=["extension", "forwarder"])
def received(
    request: pytest.FixtureRequest, chosen: Choices, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Received]:
    """What arrives of a webhook, by each way."""
    way: str = request.param
    folder = tmp_path_factory.mktemp(way)
    release = chosen[way].variables("publish")["DD_VERSION"]
    with HttpStub() as aws, HttpStub() as backend:
        webhook = Webhook(chosen[way], folder, aws, backend)
        if way == "extension":
            yield _by_the_extension(webhook, release, folder)
        else:
            yield _by_the_log(webhook, release)


def _by_the_extension(webhook: Webhook, release: str, folder: Path) -> Received:
    with trace_agent(folder) as agent, metric_socket() as metrics:
        invocations = webhook.send(
            WITH_EXTENSION + _ON_PORT.format(port=metrics.port), {"DD_TRACE_AGENT_URL": agent.url}
        )
        eventually(lambda: len(metrics.datagrams) == 2)
        lines = [line for invocation in invocations for line in invocation.lines]
        return Received("extension", release, invocations, agent.spans(), metrics.metrics(), lines)


def _by_the_log(webhook: Webhook, release: str) -> Received:
    invocations = webhook.send("", {})
    forwarded = Forwarded()
    for invocation in invocations:
        forwarded.add(awslogs("/aws/lambda/webhook-buffer-dev", invocation.lines))
    return Received(
        "forwarder", release, invocations, forwarded.spans, forwarded.metrics, forwarded.logs
    )


def _api_event() -> dict[str, Any]:
    """An HTTP API's event, with what Datadog's library infers the API's span from."""
    event = http_event({"group_id": "g"}, path="/orders/7", query="token=marker-query")
    event["routeKey"] = "$default"
    event["requestContext"] |= {"stage": "$default", "apiId": "api1", "domainName": "example.com"}
    return event


def _received(sent: dict[str, Any], number: int) -> dict[str, Any]:
    """What Lambda hands to subscribe of a message that publish sent."""
    attributes = {
        name: {"dataType": value["DataType"], "stringValue": value.get("StringValue"),
               "binaryValue": value.get("BinaryValue")}
        for name, value in sent["MessageAttributes"].items()
    }  # fmt: skip
    record = {
        "messageId": "m-1",
        "receiptHandle": "marker-handle",
        "body": sent["MessageBody"],
        "attributes": {
            "ApproximateReceiveCount": str(number),
            "MessageGroupId": sent["MessageGroupId"],
            "SequenceNumber": "7",
            "SentTimestamp": "1795000000000",
        },
        "messageAttributes": attributes,
        "eventSource": "aws:sqs",
        "eventSourceARN": _QUEUE_ARN,
    }
    return {"Records": [record]}


def test_one_webhook_is_one_trace(received: Received) -> None:
    """API, publish, queue, subscribe, backend: each span's parent is the step before it."""
    [api] = received.named("aws.httpapi")
    publish, *attempts = received.named("aws.lambda")
    queues, requests = received.named("aws.sqs"), received.named("backend.request")
    assert (api["parent_id"], publish["parent_id"]) == (0, api["span_id"])
    assert len(attempts) == len(queues) == len(requests) == 2
    by_id = {span["span_id"]: span for span in received.spans}
    for attempt, request in zip(attempts, requests, strict=True):
        queue = by_id[attempt["parent_id"]]
        assert (queue["name"], queue["parent_id"]) == ("aws.sqs", publish["span_id"])
        assert request["parent_id"] == attempt["span_id"]
    assert {span["trace_id"] for span in received.spans} == {api["trace_id"]}
    assert [request["error"] for request in requests] == [1, 0]


def test_the_api_and_the_queue_are_inferred(received: Received) -> None:
    """Their spans are marked as inferred, and name what the view links them to."""
    [api] = received.named("aws.httpapi")
    queue, _ = received.named("aws.sqs")
    for span, synchronicity in ((api, "sync"), (queue, "async")):
        assert span["meta"]["_inferred_span.tag_source"] == "self"
        assert span["meta"]["_inferred_span.synchronicity"] == synchronicity
        assert span["metrics"]["_dd._inferred_span"] == 1
        assert span["meta"]["peer.service"] == "webhook-buffer"
    wanted = {
        "apiid": "api1", "apiname": "api1", "stage": "$default", "http.method": "POST",
        "http.status_code": "200", "endpoint": "/orders/7",
    }  # fmt: skip
    assert wanted.items() <= api["meta"].items()
    assert (api["service"], api["resource"], api["type"]) == (
        "example.com",
        "POST /orders/7",
        "web",
    )
    assert queue["meta"]["queuename"] == "webhook-buffer-dev.fifo"
    assert queue["meta"]["event_source_arn"] == _QUEUE_ARN
    assert (queue["service"], queue["type"]) == ("webhook-buffer-dev.fifo", "web")


def test_functions_spans_have_what_the_view_groups_by(received: Received) -> None:
    """Service, env, version, function, cold start and request of each invocation."""
    spans = received.named("aws.lambda")
    for span, name, invocation in zip(
        spans, ("publish", "subscribe", "subscribe"), received.invocations, strict=True
    ):
        function = f"webhook-buffer-dev-{name}"
        wanted = {
            "env": "dev",
            "version": received.release,
            "functionname": function,
            "function_arn": f"arn:aws:lambda:us-east-1:111111111111:function:{function}",
            "cold_start": "true",
            "request_id": invocation.request_id,
            "_dd.origin": "lambda",
        }
        assert wanted.items() <= span["meta"].items()
        assert (span["service"], span["type"]) == ("webhook-buffer", "serverless")
    for span in received.named("backend.request"):
        assert (span["service"], span["meta"]["version"]) == ("webhook-buffer", received.release)


def test_enhanced_metrics_arrive(received: Received) -> None:
    """Invocations and failed messages, tagged with function, region and cold start.

    The extension counts invocations by itself, so the library leaves them out there.
    """
    prefix = "aws.lambda.enhanced."
    values = [(sample.name.removeprefix(prefix), sample.value) for sample in received.metrics]
    failures = [("batch_item_failures", 1), ("batch_item_failures", 0)]
    invocations = [("invocations", 1)] * 3 if received.way == "forwarder" else []
    assert sorted(values) == sorted(failures + invocations)
    for metric in received.metrics:
        assert metric.name.startswith(prefix)
        tags = dict(tag.split(":", 1) for tag in metric.tags)
        assert tags["functionname"].startswith("webhook-buffer-dev-")
        assert (tags["region"], tags["account_id"]) == ("us-east-1", "111111111111")
        assert (tags["cold_start"], tags["memorysize"]) == ("true", "512")


def test_log_lines_name_the_trace_and_are_all_that_is_logged(received: Received) -> None:
    """Each line has the ids of the function's span, and service and env; nothing else is logged."""
    lines = [json.loads(line) for line in received.logs]
    events = ["webhook.queued", "webhook.failed", "webhook.delivered"]
    assert [line["event"] for line in lines] == events
    for line, span in zip(lines, received.named("aws.lambda"), strict=True):
        assert line["dd.span_id"] == str(span["span_id"])
        assert int(line["dd.trace_id"][-16:], 16) == span["trace_id"]
        assert (line["service"], line["env"]) == ("webhook-buffer", "dev")


def test_nothing_of_a_webhook_leaves_by_either_way(received: Received) -> None:
    """No query, no body, no receipt handle in spans and metrics."""
    assert "marker-" not in json.dumps(
        [received.spans, [metric.tags for metric in received.metrics]]
    )


def test_what_the_log_costs(received: Received) -> None:
    """By the log, a webhook that is delivered at once adds 5 to 8 KB; by the extension, nothing."""
    added = [
        len(line)
        for invocation in (received.invocations[0], received.invocations[2])
        for line in invocation.lines
        if line not in received.logs
    ]
    assert sum(added) in (range(5_000, 8_000) if received.way == "forwarder" else (0,))
