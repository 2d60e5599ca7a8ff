"""Traces: continued where there is one, without a webhook's content, and never in the way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from functions.assets import functions_asset
from lambdas.base import observe, tracing
from lambdas.base.backend_url import Backend
from lambdas.base.envelope import MAX_MESSAGE_BYTES, Envelope, pack, unpack
from lambdas.delivery import attempt
from monitoring.alarm_guide import alarm_guides
from settings import loader
from tests.function_events import context, http_event
from tests.function_modules import AUDIT_ENVIRON, function_environ
from tests.lambda_process import invoke
from tests.lambdas.conftest import HttpStub, Sentry
from tests.trace_agent import TraceAgent, trace_agent
from tests.waiting import eventually
from webhook_buffer.composition import alarm_set

_MARKER = "marker-exception-c0ffee"
_PARENT_ID = 0xFEDCBA987654321
_WEBHOOK = Envelope("POST", "/a", "b=1", (("x-c", "d"),), b"e", round(time.time() * 1000))


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TraceAgent]:
    with trace_agent(tmp_path_factory.mktemp("agent")) as running:
        yield running


@dataclass(frozen=True)
class Invoked:
    """What an invocation left: its answer, its spans by name, and what it printed."""

    answer: dict[str, Any]
    spans: dict[str, dict[str, Any]]
    printed: str


@dataclass(frozen=True)
class Datadog:
    """Functions in interpreters of their own, wrapped by Datadog's library."""

    agent: TraceAgent
    http_stub: HttpStub
    folder: Path

    def invoke(self, module: str, event: Any, **variables: str) -> Invoked:
        """Invokes a function; AWS and the backend are the stub."""
        environ = {
            **function_environ(self.http_stub.url),
            "DD_LAMBDA_HANDLER": f"lambdas.{module}.handler",
            "DD_TRACE_ENABLED": "true",
            "DD_TRACE_BOTOCORE_ENABLED": "false",
            "DD_COLD_START_TRACING": "false",
            "DD_FLUSH_TO_LOG": "true",
            "DD_LOCAL_TEST": "true",
            "DD_TRACE_AGENT_URL": self.agent.url,
            "DD_SERVICE": "hooks",
            "DD_ENV": "test",
            "DD_VERSION": "1.2.3",
            **variables,
        }
        result = invoke(event, environ, self.folder)
        spans = {}
        if environ["DD_TRACE_ENABLED"] == "true":
            spans = eventually(lambda: self._trace(result.request_id))
        return Invoked(result.answer, spans, "\n".join([*result.lines, result.errors]))

    def _trace(self, request_id: str) -> dict[str, dict[str, Any]]:
        """The spans of the trace that had the request."""
        spans = self.agent.spans()
        [*traces] = {s["trace_id"] for s in spans if s["meta"].get("request_id") == request_id}
        return {span["name"]: span for span in spans if span["trace_id"] in traces}


@pytest.fixture
def datadog(agent: TraceAgent, http_stub: HttpStub, tmp_path: Path) -> Datadog:
    return Datadog(agent, http_stub, tmp_path)


def _carried() -> dict[str, str]:
    """A trace of its own, as headers."""
    return {
        "x-datadog-trace-id": str(uuid.uuid4().int >> 66),
        "x-datadog-parent-id": str(_PARENT_ID),
        "x-datadog-sampling-priority": "1",
    }


def _api_event(headers: dict[str, str] | None = None) -> dict[str, Any]:
    """An HTTP API's event, with what Datadog's library looks for."""
    event = http_event({"id": 1}, headers=headers)
    event["routeKey"] = "$default"
    event["requestContext"] |= {"stage": "$default", "apiId": "api", "domainName": "example.com"}
    return event


def _message(**attributes: str) -> dict[str, Any]:
    """An SQS event with the webhook, as a trace brought it."""
    message = pack(_WEBHOOK, trace=json.dumps(_carried()))
    received = {
        name: {
            "dataType": value["DataType"],
            "stringValue": value.get("StringValue"),
            "binaryValue": value.get("BinaryValue"),
        }
        for name, value in message.attributes.items()
    }
    record = {
        "messageId": "m-1",
        "receiptHandle": "handle",
        "body": message.text,
        "attributes": {
            "ApproximateReceiveCount": "1",
            "MessageGroupId": "g",
            "SequenceNumber": "7",
            "SentTimestamp": "1700000000000",
            **attributes,
        },
        "messageAttributes": received,
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:111111111111:queue.fifo",
    }
    return {"Records": [record]}


def test_an_unexpected_exception_is_an_error_without_its_text(
    datadog: Datadog, sentry: Sentry
) -> None:
    """Span, log and Sentry have type and place, and none has the text, which may hold a secret."""
    invoked = datadog.invoke(
        "subscribe", _message(ApproximateReceiveCount=_MARKER), SENTRY_DSN=sentry.dsn
    )
    span = invoked.spans["aws.lambda"]
    assert span["error"] == 1
    assert span["meta"]["error.type"].endswith("UnexpectedError")
    assert span["meta"]["error.message"].startswith("ValueError at lease.py:")
    [event] = sentry.events()
    assert event["exception"]["values"][0]["type"] == "ValueError"
    assert invoked.answer["raised"].startswith("UnexpectedError: ValueError at lease.py:")
    assert _MARKER not in json.dumps(invoked.spans) + invoked.printed + sentry.raw()


@pytest.mark.slow
def test_a_webhook_that_was_not_queued_is_an_error(datadog: Datadog) -> None:
    """publish answers 503 and fails in no other way; its spans say what it was, and no token."""
    event = _api_event()
    event["requestContext"]["timeEpoch"] = _MARKER
    token = "XmF4cTB2aG9va3NlY3JldA"
    event["rawPath"] = event["requestContext"]["http"]["path"] = f"/services/{token}"
    invoked = datadog.invoke("publish", event)
    assert invoked.answer["statusCode"] == 503
    assert token not in json.dumps(invoked.spans) + invoked.printed
    span = invoked.spans["aws.lambda"]
    assert span["error"] == 1
    assert span["meta"]["error.type"] == "ValueError"
    assert _MARKER not in json.dumps(invoked.spans)


def test_publish_continues_the_senders_trace(datadog: Datadog) -> None:
    """A sender with a trace gets ours as its part, and the message carries it on as text."""
    datadog.http_stub.then(200, {"MessageId": "m", "SequenceNumber": "1"})
    theirs = _carried()
    invoked = datadog.invoke("publish", _api_event(theirs))
    assert invoked.answer["statusCode"] == 200
    span = invoked.spans["aws.lambda"]
    assert str(span["trace_id"]) == theirs["x-datadog-trace-id"]
    assert invoked.spans["aws.httpapi"]["parent_id"] == _PARENT_ID
    [sent] = datadog.http_stub.requests
    attribute = json.loads(sent.body)["MessageAttributes"]["_datadog"]
    assert attribute["DataType"] == "String"
    carried = json.loads(attribute["StringValue"])
    assert carried["x-datadog-trace-id"] == theirs["x-datadog-trace-id"]
    assert carried["x-datadog-parent-id"] == str(span["span_id"])


@pytest.mark.slow
def test_an_attempt_without_an_answer_is_an_error(datadog: Datadog) -> None:
    """The attempt's span says what became of it, in our words."""
    invoked = datadog.invoke("subscribe", _message(), BACKEND_URL="http://127.0.0.1:1")
    assert invoked.answer == {"batchItemFailures": [{"itemIdentifier": "m-1"}]}
    span = invoked.spans["backend.request"]
    assert span["error"] == 1
    assert span["meta"]["error.type"] == "ConnectionRefused"
    assert span["meta"]["version"] == "1.2.3"
    assert span["metrics"]["_dd.measured"] == 1  # or there is no metric trace.backend.request
    assert invoked.spans["aws.sqs"]["parent_id"] == _PARENT_ID


@pytest.mark.slow
@pytest.mark.parametrize("injected", ["true", "false"])
def test_datadogs_library_correlates_log_lines(datadog: Datadog, injected: str) -> None:
    """A line has the ids of the span in which it was written, put there by Datadog's library."""
    datadog.http_stub.then(200, {"MessageId": "m", "SequenceNumber": "1"})
    invoked = datadog.invoke("publish", _api_event(_carried()), DD_LOGS_INJECTION=injected)
    [line] = [json.loads(line) for line in invoked.printed.splitlines() if '"webhook.' in line]
    span = invoked.spans["aws.lambda"]
    ids = {"dd.trace_id": span["trace_id"], "dd.span_id": span["span_id"]}
    in_line = {name: int(line[name]) for name in ids if name in line}
    assert in_line == (ids if injected == "true" else {})


@pytest.mark.slow
def test_without_tracing_nothing_is_carried(datadog: Datadog) -> None:
    """Metrics and logs alone: the message has no trace, and the sender's headers go out as sent."""
    datadog.http_stub.then(200, {"MessageId": "m", "SequenceNumber": "1"})
    invoked = datadog.invoke("publish", _api_event(_carried()), DD_TRACE_ENABLED="false")
    assert invoked.answer["statusCode"] == 200
    [sent] = datadog.http_stub.requests
    assert "_datadog" not in json.loads(sent.body)["MessageAttributes"]
    assert "dd.trace_id" not in invoked.printed
    assert "aws.lambda.enhanced.invocations" in invoked.printed


@pytest.mark.slow
@pytest.mark.parametrize("module", ["faux_backend", "notify", "audit", "heartbeat"])
def test_every_other_function_has_a_span(datadog: Datadog, module: str) -> None:
    """Datadog's handler finds each of ours, and the invocation is one span of it."""
    known = datadog.folder / "alarm_guides.json"
    known.write_text(json.dumps(alarm_guides(alarm_set(loader.load("prd")))))
    variables = {**AUDIT_ENVIRON, "ENDPOINT": datadog.http_stub.url, "CHANNELS": "[]"}
    variables |= {"HEARTBEAT_KEY": "key", "PROBE_ALARM": "probe"}
    variables |= {"ALARM_GUIDES": str(known), "SERVICE": "s"}
    event = _api_event() if module == "faux_backend" else {}
    invoked = datadog.invoke(module, event, ENVIRONMENT="test", **variables)
    assert invoked.spans["aws.lambda"]["service"] == "hooks"


def test_the_attempts_headers_replace_the_senders(http_stub: HttpStub) -> None:
    """The backend gets one trace, ours; a sender's other headers stay beside it."""
    theirs = (("Traceparent", "theirs"), ("tracestate", "theirs"), ("baggage", "a=b"))
    ours = {"traceparent": "ours"}
    backend = Backend.parse(http_stub.url)
    assert attempt(backend, _WEBHOOK._replace(headers=theirs), ours, seconds=5).delivered
    [request] = http_stub.requests
    assert [value for name, value in request.headers if name == "traceparent"] == ["ours"]
    assert (request.header("tracestate"), request.header("baggage")) == ("theirs", "a=b")


def test_nothing_is_loaded_for_it() -> None:
    """A function without Datadog has no trace, and no module of Datadog's."""
    code = (
        "import sys; from lambdas.base import tracing\n"
        "with tracing.span('x'): tracing.failed('a', 'b')\n"
        "assert (tracing.headers(), tracing.carried()) == ({}, '')\n"
        "print([name for name in sys.modules if 'dd' in name or 'datadog' in name])\n"
    )
    command = [sys.executable, "-B", "-S", "-c", code]
    printed = subprocess.run(
        command, cwd=functions_asset(), capture_output=True, text=True, check=True
    ).stdout
    assert printed == "[]\n"


class _OtherTracer:
    """A tracer of a version that has nothing of what we use."""

    enabled = True


def test_another_tracer_is_never_in_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the layer's tracer is unlike the one we know, nothing fails and nothing is sent."""
    other = SimpleNamespace(tracer=_OtherTracer())
    monkeypatch.setitem(sys.modules, "ddtrace.trace", other)
    with tracing.span("backend.request"):
        assert (tracing.headers(), tracing.carried()) == ({}, "")
        tracing.tag({"attempt": 1})
        tracing.failed("ReadTimeout", "no answer")
    handler = observe.observed(lambda _event, _context: {})
    assert handler({}, context()) == {}
    assert other.tracer.enabled is False


def test_the_trace_counts_and_yields() -> None:
    """It counts in the message's size, and stays behind where there is no room: never a webhook."""
    trace = json.dumps(_carried())
    plain, traced = pack(_WEBHOOK), pack(_WEBHOOK, trace=trace)
    assert traced.size == plain.size + len("_datadog") + len("String") + len(trace)
    assert unpack(traced.text, traced.body) == _WEBHOOK
    largest = _WEBHOOK.body + os.urandom(MAX_MESSAGE_BYTES - traced.size)
    fits = pack(_WEBHOOK._replace(body=largest), trace=trace)
    assert (fits.size, fits.trace) == (MAX_MESSAGE_BYTES, trace)
    full = pack(_WEBHOOK._replace(body=largest + b"!"), trace=trace)
    assert (full.body, full.trace) == (largest + b"!", "")


class _Span:
    """A span as trace filters see it."""

    service = "hooks"

    def __init__(self, resource: str, tags: dict[str, str]) -> None:
        self.resource = resource
        self._tags = tags

    def get_tags(self) -> dict[str, str]:
        return self._tags

    def set_tag(self, name: str, value: str | None) -> None:
        self._tags[name] = str(value)

    def remove_tag(self, name: str) -> None:
        del self._tags[name]


@pytest.mark.parametrize("name", sorted(tracing._WITH_PATHS))
def test_a_token_of_a_path_is_masked_wherever_a_span_has_the_path(name: str) -> None:
    """In its resource and in each of its tags that hold a path; what is not listed goes."""
    path = "POST /services/XmF4cTB2aG9va3NlY3JldA"
    span = _Span(path, {name: path, "http.useragent": path, "_dd.origin": "lambda"})
    assert tracing._AllowListed().process_trace([span]) == [span]
    assert span.resource == "POST /services/(redacted)"
    tags = span.get_tags()
    assert tags[name] == "POST /services/(redacted)"
    assert tags.keys() <= {name, "_dd.origin", "version"}
