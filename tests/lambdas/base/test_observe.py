"""What functions reveal: enough to act on, and nothing of a webhook or a secret."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from contextlib import nullcontext
from typing import Any

import pytest

from lambdas.base import observe
from lambdas.base.metrics import UNITS
from lambdas.faux_backend import Answer
from settings import paths
from tests import datadog_logs
from tests.emulated_aws import Aws
from tests.function_events import context, http_event
from tests.function_modules import Functions
from tests.lambdas.conftest import Sentry, Wire
from tests.waiting import Stopwatch, eventually
from webhook_buffer.laptop.backend import ScriptedBackend

_MARKERS = {
    name: f"marker-{name}-c0ffee"
    for name in ("body", "header", "cookie", "query", "exception", "variable")
}
# What a Sentry event may consist of.
_EVENT_PARTS = {
    "event_id", "timestamp", "level", "message", "exception", "tags", "environment", "release",
    "server_name", "platform", "sdk",
}  # fmt: skip


def _lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize("field", ["body", "headers", "query", "url", "environ", "dsn"])
def test_other_fields_are_refused(capsys: pytest.CaptureFixture[str], field: str) -> None:
    """A field that is not on the list is an error of the programmer, and is not written."""
    unknown: dict[str, Any] = {field: "secret"}
    with pytest.raises(ValueError, match=f"not an allowed log field: {field}"):
        observe.log("ERROR", "x", **unknown)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("threshold", "written"),
    [(None, ["INFO", "WARNING", "ERROR"]), ("DEBUG", ["DEBUG", "INFO", "WARNING", "ERROR"]),
     ("ERROR", ["ERROR"])],
)  # fmt: skip
def test_levels(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    threshold: str | None,
    written: list[str],
) -> None:
    """The environment says from which level on lines are written; without a word, INFO."""
    if threshold:
        monkeypatch.setenv("LOG_LEVEL", threshold)
    for level in ("DEBUG", "INFO", "WARNING", "ERROR"):
        observe.log(level, "x\n", path="/ü\n", http_status=None)
    lines = _lines(capsys)
    assert [line["level"] for line in lines] == written
    assert all(line["path"] == "/ü\n" and "http" not in line for line in lines)
    assert all(abs(line["at"] / 1000 - time.time()) < 5 for line in lines)


@pytest.mark.parametrize(
    ("level", "status"), [("INFO", "info"), ("WARNING", "warning"), ("ERROR", "error")]
)
def test_datadog_takes_errors_for_errors(
    capsys: pytest.CaptureFixture[str], level: str, status: str
) -> None:
    """No field that a line may have, nor an HTTP status, hides the line's level from Datadog."""
    every: dict[str, Any] = dict.fromkeys(
        observe.LOG_FIELDS - {"at", "level", "event", "http"}, "page"
    )
    observe.log(level, "webhook.failed", http_status=200, **every)
    [line] = _lines(capsys)
    assert line.keys() == observe.LOG_FIELDS
    assert datadog_logs.status(line) == status
    assert line["http"] == {"status_code": 200}


def test_no_webhook_is_named_after_its_invocation(capsys: pytest.CaptureFixture[str]) -> None:
    """What one invocation was about is not in the next one's lines."""

    def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
        if event:
            observe.about(**event)
        observe.log("INFO", "x")
        return {}

    observed = observe.observed(handler)
    observed({"group_id": "g", "message_id": "m"}, context())
    observed({}, context())
    first, second = _lines(capsys)
    assert (first["group_id"], first["message_id"]) == ("g", "m")
    assert not {"group_id", "message_id"} & second.keys()
    assert first["request_id"] != second["request_id"]


def _record(functions: Functions, aws: Aws) -> dict[str, Any]:
    """A queued webhook that is full of markers, as the event source hands it over."""
    reply = functions.publish().handler(_marked_event(), context())
    assert reply["statusCode"] == 200
    [record] = aws.received()
    return record


def _marked_event() -> dict[str, Any]:
    return http_event(
        {"group_id": "g-1", "text": _MARKERS["body"]},
        path="/orders",
        query=f"token={_MARKERS['query']}",
        headers={"authorization": f"Bearer {_MARKERS['header']}"},
        cookies=[f"session={_MARKERS['cookie']}"],
    )


@pytest.mark.parametrize("what", ["5xx", "network", "bug"])
def test_failures_of_a_delivery_arrive(
    functions: Functions, aws: Aws, backend: ScriptedBackend, sentry: Sentry, what: str
) -> None:
    """A handled failure and a bug of ours arrive at Sentry under the ids a person looks for."""
    record = _record(functions, aws)
    module = functions.subscribe(backend.url)
    if what == "5xx":
        backend.faux.default = Answer(503)
    elif what == "network":
        backend.refuse()
    else:
        del record["attributes"]["SequenceNumber"]
    lambda_context = context()
    ends = pytest.raises(observe.UnexpectedError, match=r"^KeyError at lease\.py:\d+$")
    with ends if what == "bug" else nullcontext():
        module.handler({"Records": [record]}, lambda_context)
    [event] = sentry.events()
    assert event["environment"] == "test"
    assert event["release"] == "0.0.0+test"
    assert event["level"] == "error"
    assert event["tags"] == {
        "message_id": record["messageId"],
        "group_id": "g-1",
        "function": "test-function",
        "request_id": lambda_context.aws_request_id,
    }
    if what == "bug":
        [exception] = event["exception"]["values"]
        assert exception["type"] == "KeyError"
        assert exception["value"] == "(text withheld: it may hold a piece of a webhook)"
        assert exception["stacktrace"]["frames"][-2]["function"] == "_done"
    else:
        cause = {"5xx": "503", "network": "ConnectionRefused"}[what]
        assert event["message"] == f"The backend did not take a webhook: {cause}"


def test_failures_of_a_publish_arrive(functions: Functions, aws: Aws, sentry: Sentry) -> None:
    """A queue that refuses and a bug of ours arrive at Sentry, with the group where it is known."""
    module = functions.publish()
    aws.sqs.delete_queue(QueueUrl=aws.queue_url)
    assert module.handler(_marked_event(), context())["statusCode"] == 503
    assert module.handler({}, context())["statusCode"] == 503
    refused, bug = sentry.events()
    assert refused["message"] == "SQS did not take a webhook: QueueDoesNotExist"
    assert refused["tags"]["group_id"] == "g-1"
    assert bug["exception"]["values"][0]["type"] == "KeyError"
    assert "group_id" not in bug["tags"]


def test_nothing_of_a_webhook_gets_out(
    functions: Functions,
    aws: Aws,
    backend: ScriptedBackend,
    sentry: Sentry,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Delivered, refused, unreachable or crashed: nothing of a request or environment leaks."""
    monkeypatch.setenv("SOME_SECRET", _MARKERS["variable"])
    publish = functions.publish()
    record = _record(functions, aws)
    subscribe = functions.subscribe(backend.url)
    records = {"Records": [record]}
    subscribe.handler(records, context())
    backend.faux.script += [Answer(503), Answer(302), Answer(reset=True)]
    for _ in range(3):
        subscribe.handler(records, context())
    backend.refuse()
    subscribe.handler(records, context())
    broken = _marked_event()
    broken["requestContext"]["timeEpoch"] = _MARKERS["exception"]  # int() says it in its text
    publish.handler(broken, context())
    record["attributes"]["ApproximateReceiveCount"] = _MARKERS["exception"]
    with pytest.raises(observe.UnexpectedError) as caught:
        subscribe.handler(records, context())
    aws.sqs.delete_queue(QueueUrl=aws.queue_url)
    publish.handler(_marked_event(), context())

    printed = capfd.readouterr()
    assert len(sentry.events()) == 7
    assert printed.out.count('"event":"webhook.failed"') == 4
    output = printed.out + printed.err + sentry.raw() + repr(caught.value)
    assert "/orders" in output
    for secret in (*_MARKERS.values(), sentry.dsn, "5ec4e7@", backend.url):
        assert secret not in output
    for line in printed.out.splitlines():
        assert json.loads(line).keys() <= observe.LOG_FIELDS | UNITS.keys() | {"_aws"}
    for event in sentry.events():
        assert event.keys() <= _EVENT_PARTS
        for exception in event.get("exception", {}).get("values", []):
            assert all("vars" not in frame for frame in exception["stacktrace"]["frames"])
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def _python(code: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs code in a fresh interpreter, in the environment of this test's functions."""
    return subprocess.run(
        [sys.executable, "-c", code], cwd=paths.ROOT, capture_output=True, text=True,
        timeout=30, check=False, env={**os.environ, **variables},
    )  # fmt: skip


_PUBLISHED = """
import json, sys
from types import SimpleNamespace
import lambdas.publish
event = json.loads(sys.stdin.read() or '''EVENT''')
context = SimpleNamespace(
    function_name="f", aws_request_id="r", get_remaining_time_in_millis=lambda: 9000)
print(lambdas.publish.handler(event, context)["statusCode"], file=sys.stderr)
print("sentry_sdk" in sys.modules, "boto3" in sys.modules, file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("dsn", "works", "expected"),
    [
        ("http://key@127.0.0.1:1/1", True, "200\nFalse False\n"),
        ("", False, "503\nFalse False\n"),
        ("http://key@127.0.0.1:1/1", False, "503\nTrue False\n"),
    ],
)
def test_sentry_costs_nothing_until_it_is_needed(
    functions: Functions, aws: Aws, dsn: str, works: bool, expected: str
) -> None:
    """Sentry is loaded for a failure where a DSN is set, and at no other time; boto3 never is."""
    functions.publish()
    if not works:
        aws.sqs.delete_queue(QueueUrl=aws.queue_url)
    code = _PUBLISHED.replace("EVENT", json.dumps(http_event("x")))
    assert _python(code, SENTRY_DSN=dsn).stderr == expected


def test_failing_load_arrives(functions: Functions, sentry: Sentry) -> None:
    """A module that can't load reports the kind of failure to Sentry, its log and the runtime."""
    functions.publish()
    done = _python(
        "import lambdas.subscribe",
        BACKEND_URL="http://127.0.0.1:1",
        VISIBILITY_SECONDS="60",
        RETRY_BASE_SECONDS=_MARKERS["exception"],  # float() says it in its text
        SOME_SECRET=_MARKERS["variable"],
        SENTRY_DSN=sentry.dsn,
    )
    assert done.returncode == 1
    assert re.search(r"UnexpectedError: ValueError at config\.py:\d+\n$", done.stderr)
    [line] = [json.loads(line) for line in done.stdout.splitlines()]
    assert (line["event"], line["error"]) == ("load.failed", "ValueError")
    assert re.fullmatch(r"config\.py:\d+", line["where"])
    [event] = sentry.events()
    assert (event["environment"], event["release"]) == ("test", "0.0.0+test")
    assert event["exception"]["values"][-1]["type"] == "ValueError"
    for secret in (*_MARKERS.values(), "127.0.0.1:1\n", sentry.dsn):
        assert secret not in done.stdout + done.stderr + sentry.raw()


@pytest.mark.parametrize("dsn", ["no dsn", "http://127.0.0.1/1", "http://key@127.0.0.1:1/1", None])
def test_failing_sentry_is_not_ours(
    functions: Functions, aws: Aws, backend: ScriptedBackend, sentry: Sentry,
    monkeypatch: pytest.MonkeyPatch, dsn: str | None,
) -> None:  # fmt: skip
    """A DSN that is wrong, unreachable or silent changes nothing for webhooks."""
    backend.faux.default = Answer(500)
    record = _record(functions, aws)
    with Wire(lambda _: wire.over.wait(5)) as wire:
        silent = f"http://key@127.0.0.1:{wire.port}/1"
        monkeypatch.setenv("SENTRY_DSN", dsn or silent)
        with Stopwatch() as stopwatch:
            reply = functions.subscribe(backend.url).handler({"Records": [record]}, context())
        assert stopwatch.seconds() < 2
    assert reply["batchItemFailures"] == [{"itemIdentifier": record["messageId"]}]
    assert eventually(aws.received)
    assert not sentry.requests
