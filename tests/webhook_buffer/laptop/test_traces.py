"""One webhook, one trace: API → publish → SQS → subscribe → backend, as Datadog's agent gets it."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest

from lambdas.faux_backend import Answer, FauxBackend
from tests.datadog_receivers import Forwarded
from tests.lambdas.conftest import HttpStub
from tests.trace_agent import TraceAgent, trace_agent
from tests.waiting import eventually
from webhook_buffer.laptop import laptop
from webhook_buffer.laptop.backend import ScriptedBackend
from webhook_buffer.operations.environment import Environment
from webhook_buffer.operations.send import Sender, Webhook

# A sender's secrets, wherever a request can hold them.
_SECRETS = {
    name: f"marker-{name}-c0ffee"
    for name in ("body", "authorization", "cookie", "referer", "user-agent", "query")
}

pytestmark = pytest.mark.emulator


@dataclass(frozen=True)
class Traced:
    """What one webhook left behind, after a backend that failed first.

    Attributes:
        endpoint: where senders send.
        release: what is deployed.
        requests: the headers of the attempts, as the backend had them.
    """

    target: Environment
    endpoint: str
    release: str
    message_id: str
    agent: TraceAgent
    requests: list[dict[str, str]]

    def spans(self, name: str) -> list[dict[str, Any]]:
        """The agent's spans of a name, in the order they began."""
        return [span for span in self.agent.spans() if span["name"] == name]


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traced]:
    """A buffer whose functions are instrumented, and one webhook through it."""
    folder = tmp_path_factory.mktemp("traces")
    faux = FauxBackend(obey_flags=False)
    faux.script.append(Answer(503))
    headers = {name: _SECRETS[name] for name in ("authorization", "cookie", "user-agent")}
    headers["referer"] = f"https://example.com/?{_SECRETS['referer']}"
    # The sender has no trace; what it calls one must not stand beside ours at the backend.
    webhook = Webhook(
        body=json.dumps({"group_id": "g", "secret": _SECRETS["body"]}).encode(),
        headers={**headers, "x-datadog-trace-id": "none of ours"},
        path=f"/orders/7?token={_SECRETS['query']}",
    )
    with trace_agent(folder) as agent, ScriptedBackend(faux) as backend:
        overrides = {"monitoring": False, "datadog": {"traceAgentUrl": agent.url}}
        with laptop.fresh(folder / "laptop", backend.url, lambda _: nullcontext(), overrides) as (
            target,
            outputs,
        ):
            endpoint = outputs["BufferedEndpoint"]
            receipt = Sender(endpoint).post(webhook)
            assert receipt.accepted
            message_id = receipt.answer["message_id"]
            delivered = Traced(target, endpoint, outputs["Release"], message_id, agent, [])
            eventually(lambda: len(delivered.spans("backend.request")) == 2)
            delivered.requests.extend(dict(received.headers) for received in faux.received)
            yield delivered


def test_one_webhook_is_one_trace(traced: Traced) -> None:
    """Each span's parent is the step before it, over the queue and over a retry."""
    [api] = traced.spans("aws.httpapi")
    publish, *attempts = traced.spans("aws.lambda")
    assert publish["resource"] == "webhook-buffer-local-publish"
    assert (api["parent_id"], publish["parent_id"]) == (0, api["span_id"])
    queues, requests = traced.spans("aws.sqs"), traced.spans("backend.request")
    assert len(attempts) == len(queues) == len(requests) == 2
    for attempt, request in zip(attempts, requests, strict=True):
        [queue] = [span for span in queues if span["span_id"] == attempt["parent_id"]]
        assert queue["parent_id"] == publish["span_id"]
        assert attempt["resource"] == "webhook-buffer-local-subscribe"
        assert request["parent_id"] == attempt["span_id"]
    assert {span["trace_id"] for span in traced.agent.spans()} == {api["trace_id"]}


def test_spans_have_service_env_and_version(traced: Traced) -> None:
    """What is ours has the tags that Datadog unifies by; the version is the deployed release."""
    ours = traced.spans("aws.lambda") + traced.spans("backend.request")
    assert {
        (span["service"], span["meta"]["env"], span["meta"]["version"]) for span in ours
    } == {("webhook-buffer", "local", traced.release)}  # fmt: skip


def test_a_failed_attempt_is_an_error_of_its_own_span(traced: Traced) -> None:
    """The attempt that failed is an error; the one that delivered, and the functions, are none."""
    failed, delivered = traced.spans("backend.request")
    assert (failed["error"], delivered["error"]) == (1, 0)
    expected = {
        "error.type": "BackendStatus",
        "error.message": "HTTP 503",
        "http.status_code": "503",
    }
    assert expected.items() <= failed["meta"].items()
    for number, span in enumerate((failed, delivered), start=1):
        assert span["meta"]["attempt"] == str(number)
        assert span["meta"]["message_id"] == traced.message_id
    assert not any(span["error"] for span in traced.spans("aws.lambda"))


def test_the_backend_can_continue_the_trace(traced: Traced) -> None:
    """Each attempt brings Datadog's and W3C's headers of its own span, and no others of theirs."""
    for request, span in zip(traced.requests, traced.spans("backend.request"), strict=True):
        assert request["x-datadog-trace-id"] == str(span["trace_id"])
        assert request["x-datadog-parent-id"] == str(span["span_id"])
        _, trace_id, parent_id, _ = request["traceparent"].split("-")
        assert int(trace_id[16:], 16) == span["trace_id"]
        assert int(parent_id, 16) == span["span_id"]


def test_the_webhook_arrives_as_it_was(traced: Traced) -> None:
    """What carries the trace is not part of the webhook, at the backend or in the record."""
    for request in traced.requests:
        assert request["authorization"] == _SECRETS["authorization"]
        assert not any("_datadog" in name for name in request)
    item = traced.target.dynamodb.get_item(
        TableName=traced.target.settings.table_name, Key={"id": {"S": traced.message_id}}
    )["Item"]
    headers = json.loads(item["request"]["S"])["headers"]
    assert "traceparent" not in headers
    assert headers["x-datadog-trace-id"] == "none of ours"


def test_nothing_of_a_webhook_is_in_a_span(traced: Traced) -> None:
    """No body, no header, no query string, no receipt handle, no sender's address."""
    sent = json.dumps(traced.agent.spans())
    assert traced.message_id in sent
    assert "marker-" not in sent
    assert "receipt_handle" not in sent
    assert "http.source_ip" not in sent


def test_log_lines_name_the_trace(traced: Traced) -> None:
    """Log lines and spans find each other: the line has the ids as Datadog looks for them."""
    [publish, *_] = traced.spans("aws.lambda")
    group = traced.target.settings.log_group_name("publish")

    def line() -> dict[str, Any] | None:
        events = traced.target.logs.filter_log_events(logGroupName=group)["events"]
        lines = [event["message"] for event in events if '"webhook.queued"' in event["message"]]
        return json.loads(lines[0]) if lines else None

    queued = eventually(line)
    assert queued["dd.span_id"] == str(publish["span_id"])
    assert int(queued["dd.trace_id"][16:], 16) == publish["trace_id"]


# A subscription's function, in place of Datadog's: hands on what it is handed.
_FORWARDER = """
import json, os, urllib.request

def handler(event, context):
    body = json.dumps(event).encode()
    urllib.request.urlopen(urllib.request.Request(os.environ["RECEIVER"], body), timeout=10).close()
"""


@pytest.fixture(scope="module")
def forwarded(traced: Traced) -> Iterator[Forwarded]:
    """What a forwarder gets of one more webhook, from functions without an agent or extension."""
    with HttpStub() as receiver:
        destination = _forwarder(traced.target, receiver.url)
        for name in ("publish", "subscribe"):
            _send_by_the_log(traced.target, name, destination)
        assert Sender(traced.endpoint).post(Webhook(body=b'{"group_id": "logged"}')).accepted
        received = Forwarded()

        def delivered() -> bool:
            while receiver.requests:
                received.add(json.loads(receiver.requests.pop(0).body))
            return any(span["name"] == "backend.request" for span in received.spans) and any(
                '"webhook.delivered"' in line for line in received.logs
            )

        eventually(delivered)
        yield received


def _forwarder(target: Environment, url: str) -> str:
    """Deploys the subscription's function; its ARN."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("forwarder.py", _FORWARDER)
    created = target.functions.create_function(
        FunctionName="datadog-forwarder",
        Runtime="python3.12",
        Role="arn:aws:iam::000000000000:role/datadog-forwarder",
        Handler="forwarder.handler",
        Code={"ZipFile": archive.getvalue()},
        Environment={"Variables": {"RECEIVER": url}},
    )
    return created["FunctionArn"]


def _send_by_the_log(target: Environment, name: str, destination: str) -> None:
    """Takes the agent away from a function, and subscribes the forwarder to its log."""
    function = target.settings.function_name(name)
    variables = target.functions.get_function_configuration(FunctionName=function)["Environment"]
    kept = {
        key: value
        for key, value in variables["Variables"].items()
        if key not in ("DD_TRACE_AGENT_URL", "DD_LOCAL_TEST")
    }
    target.functions.update_function_configuration(
        FunctionName=function, Environment={"Variables": kept}
    )
    target.logs.put_subscription_filter(
        logGroupName=target.settings.log_group_name(name),
        filterName="datadog",
        filterPattern="",
        destinationArn=destination,
    )


def test_the_log_alone_carries_the_whole_trace(forwarded: Forwarded) -> None:
    """Without an agent or extension, a forwarder's lines hold the same trace, over the queue."""
    by_name = {span["name"]: span for span in forwarded.spans if span["name"] != "aws.lambda"}
    functions = {
        span["resource"].rpartition("-")[2]: span
        for span in forwarded.spans
        if span["name"] == "aws.lambda"
    }
    steps = [
        by_name["aws.httpapi"], functions["publish"], by_name["aws.sqs"], functions["subscribe"],
        by_name["backend.request"],
    ]  # fmt: skip
    assert steps[0]["parent_id"] == 0
    for parent, child in pairwise(steps):
        assert child["parent_id"] == parent["span_id"]
    assert len({span["trace_id"] for span in steps}) == 1


def test_the_log_alone_carries_metrics_and_lines(forwarded: Forwarded) -> None:
    """Each function's invocation is counted, and log lines stay apart from metrics and traces."""
    counted = {
        tag.rpartition("-")[2]
        for metric in forwarded.metrics
        if metric.name == "aws.lambda.enhanced.invocations"
        for tag in metric.tags
        if tag.startswith("functionname:")
    }
    assert counted == {"publish", "subscribe"}
    ours = [json.loads(line) for line in forwarded.logs if line.startswith("{")]
    assert {line["event"] for line in ours} >= {"webhook.queued", "webhook.delivered"}
    assert all(line["dd.trace_id"] for line in ours)
