"""The metrics the functions emit, as CloudWatch reads them out of the log."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from lambdas.base import metrics, observe
from lambdas.faux_backend import Answer
from tests.emulated_aws import Aws
from tests.function_events import context, heartbeat_event, http_event
from tests.function_modules import Functions
from webhook_buffer.laptop.backend import ScriptedBackend


def _emitted(capsys: pytest.CaptureFixture[str]) -> list[dict[str, float]]:
    """What each log line with metrics holds, read as the embedded metric format says."""
    emitted = []
    for text in capsys.readouterr().out.splitlines():
        line: dict[str, Any] = json.loads(text)
        if "_aws" not in line:
            continue
        assert abs(line["_aws"]["Timestamp"] - line["at"]) == 0
        [directive] = line["_aws"]["CloudWatchMetrics"]
        assert directive["Namespace"] == metrics.NAMESPACE
        [dimensions] = directive["Dimensions"]
        assert all(isinstance(line[name], str) for name in dimensions)
        described = {entry["Name"]: entry["Unit"] for entry in directive["Metrics"]}
        assert described.items() <= metrics.UNITS.items()
        emitted.append({name: line[name] for name in described})
    return emitted


def _attempted(
    functions: Functions,
    aws: Aws,
    url: str,
    capsys: pytest.CaptureFixture[str],
    *,
    attempts_before: int = 0,
    age: float = 0.0,
    heartbeat: bool = False,
    heartbeat_to_backend: bool = False,
) -> dict[str, float]:
    """What one attempt at a fresh webhook emits."""
    event = heartbeat_event() if heartbeat else http_event(b"{}")
    event["requestContext"]["timeEpoch"] -= round(age * 1000)
    assert functions.publish().handler(event, context())["statusCode"] == 200
    [record] = aws.received()
    if attempts_before:
        aws.attempted(record, attempts_before)
    capsys.readouterr()
    sent_on = {"HEARTBEAT_TO_BACKEND": "true" if heartbeat_to_backend else "false"}
    functions.subscribe(url, **sent_on).handler({"Records": [record]}, context())
    emitted = _emitted(capsys)
    assert len(emitted) <= 1
    return emitted[0] if emitted else {}


def test_acceptance_counts_once(functions: Functions, capsys: pytest.CaptureFixture[str]) -> None:
    """Each webhook that SQS took counts as accepted; what is refused does not."""
    publish = functions.publish(GROUP_ID_MISSING="reject")
    publish.handler(http_event({"group_id": "a"}), context())
    assert publish.handler(http_event(b"{}"), context())["statusCode"] == 400
    assert _emitted(capsys) == [{"Accepted": 1}]


@pytest.mark.parametrize(
    ("status", "kind", "outcome"),
    [
        (301, "Backend3xx", 3),
        (404, "Backend4xx", 4),
        (429, "Backend4xx", 4),
        (500, "Backend5xx", 5),
        (503, "Backend5xx", 5),
    ],
)
def test_refusals_are_distinguished(
    functions: Functions,
    aws: Aws,
    backend: ScriptedBackend,
    capsys: pytest.CaptureFixture[str],
    status: int,
    kind: str,
    outcome: int,
) -> None:
    """A failed attempt counts by what the backend answered, with the age of what it keeps."""
    backend.faux.default = Answer(status)
    emitted = _attempted(functions, aws, backend.url, capsys, age=90)
    assert emitted.keys() == {kind, "BackendOutcome", "BackendDuration", "HeadAge"}
    assert (emitted[kind], emitted["BackendOutcome"]) == (1, outcome)
    assert 90 <= emitted["HeadAge"] < 120


def test_delivery_counts_its_lag(
    functions: Functions, aws: Aws, backend: ScriptedBackend, capsys: pytest.CaptureFixture[str]
) -> None:
    """A delivery counts as such, with the time since receipt."""
    emitted = _attempted(functions, aws, backend.url, capsys, age=90)
    assert emitted.keys() == {
        "Backend2xx", "BackendOutcome", "BackendDuration", "DeliveryLag",
    }  # fmt: skip
    assert (emitted["Backend2xx"], emitted["BackendOutcome"]) == (1, 2)
    assert 90_000 <= emitted["DeliveryLag"] < 120_000


def test_no_answer_is_distinguished(
    functions: Functions, aws: Aws, backend: ScriptedBackend, capsys: pytest.CaptureFixture[str]
) -> None:
    """A timeout and a refused connection are two kinds of being unavailable."""
    backend.faux.default = Answer(delay=4)
    event = http_event(b"{}")
    functions.publish().handler(event, context())
    [record] = aws.received()
    capsys.readouterr()
    functions.subscribe(backend.url).handler({"Records": [record]}, context(seconds=4.0))
    [timeout] = _emitted(capsys)
    assert (timeout["BackendTimeout"], timeout["BackendOutcome"]) == (1, 6)
    backend.refuse()
    refused = _attempted(functions, aws, backend.url, capsys)
    assert (refused["BackendConnectionError"], refused["BackendOutcome"]) == (1, 7)


@pytest.mark.parametrize(
    ("attempts_before", "age", "blocked"),
    [(3, 0, False), (4, 0, True), (0, 599, False), (0, 601, True)],
)
def test_blocked_after_attempts_or_time(
    functions: Functions,
    aws: Aws,
    backend: ScriptedBackend,
    capsys: pytest.CaptureFixture[str],
    attempts_before: int,
    age: float,
    blocked: bool,
) -> None:
    """A head blocks its group once it failed five times or waited ten minutes."""
    backend.faux.default = Answer(500)
    emitted = _attempted(
        functions, aws, backend.url, capsys, attempts_before=attempts_before, age=age
    )
    assert ("BlockedGroup" in emitted) is blocked


def test_what_cannot_be_recorded_counts(
    functions: Functions, aws: Aws, backend: ScriptedBackend, capsys: pytest.CaptureFixture[str]
) -> None:
    """An attempt that can't be recorded writes a metric, also of a webhook that a flag removes."""
    body = {"faux_backend_force_status_code": 500, "consume_bad_messages": True}
    functions.publish().handler(http_event(body), context())
    [record] = aws.received()
    capsys.readouterr()
    subscribe = functions.subscribe(backend.url, TEST_FLAGS="true", TABLE="no-such-table")
    subscribe.handler({"Records": [record]}, context())
    unrecorded, _ = _emitted(capsys)
    assert unrecorded == {"RecordFailed": 1}


@pytest.mark.parametrize(("age", "fresh"), [(1199, True), (1260, False)])
def test_old_webhooks_say_nothing_of_the_backend(
    functions: Functions,
    aws: Aws,
    backend: ScriptedBackend,
    capsys: pytest.CaptureFixture[str],
    age: float,
    fresh: bool,
) -> None:
    """A webhook that failed for 20 minutes counts by its outcome, but in no share of attempts."""
    backend.faux.default = Answer(500)
    emitted = _attempted(functions, aws, backend.url, capsys, attempts_before=8, age=age)
    assert emitted["Backend5xx"] == 1
    assert ("BackendOutcome" in emitted) is fresh


def test_heartbeat_is_no_traffic(
    functions: Functions, aws: Aws, backend: ScriptedBackend, capsys: pytest.CaptureFixture[str]
) -> None:
    """A heartbeat arrives at subscribe, counts as nothing else, and does not reach the backend."""
    arrived = _attempted(functions, aws, backend.url, capsys, heartbeat=True)
    assert arrived == {"HeartbeatArrived": 1}
    assert not backend.faux.received
    publish = functions.publish(GROUP_ID_MISSING="reject")
    publish.handler(heartbeat_event(), context())
    assert _emitted(capsys) == []


@pytest.mark.parametrize(
    ("event", "key"),
    [
        (heartbeat_event(), ""),
        (heartbeat_event(path="/orders"), "heartbeat-key"),
        (heartbeat_event(key="guessed"), "heartbeat-key"),
        (heartbeat_event(headers={"x-buffer-heartbeat": "1"}), "heartbeat-key"),
        (heartbeat_event(headers={"x-buffer-heartbeat": "²." + "é" * 64}), "heartbeat-key"),
        (heartbeat_event(b"{}") | {"body": "[]"}, "heartbeat-key"),
        (http_event(b"{}", path="/webhook-buffer/heartbeat"), "heartbeat-key"),
    ],
    ids=["none sent", "path", "key", "no proof", "malformed", "body", "no header"],
)
def test_what_is_no_heartbeat_is_a_webhook(
    functions: Functions,
    aws: Aws,
    backend: ScriptedBackend,
    capsys: pytest.CaptureFixture[str],
    event: dict[str, Any],
    key: str,
) -> None:
    """What does not prove that it is the monitoring's is delivered like any other request."""
    functions.publish(HEARTBEAT_KEY=key).handler(event, context())
    [record] = aws.received()
    functions.subscribe(backend.url).handler({"Records": [record]}, context())
    assert [sorted(line)[0] for line in _emitted(capsys)] == ["Accepted", "Backend2xx"]
    assert len(backend.faux.received) == 1


@pytest.mark.parametrize("seconds", [-400, 400])
def test_an_old_proof_is_none(
    functions: Functions, aws: Aws, capsys: pytest.CaptureFixture[str], seconds: int
) -> None:
    """A heartbeat that somebody overheard is a webhook like any other soon after."""
    event = heartbeat_event(at=time.time() + seconds)
    assert functions.publish().handler(event, context())["statusCode"] == 200
    assert _emitted(capsys) == [{"Accepted": 1}]
    assert aws.waiting() == 1


def test_every_heartbeat_has_an_id_of_its_own(functions: Functions, aws: Aws) -> None:
    """No deduplication id in a heartbeat, whoever put it there, makes SQS drop the next one."""
    module = functions.publish(DEDUPLICATION_ID='["header:X-Id"]')
    event = heartbeat_event(headers={"x-id": "same"})
    for _ in range(2):
        assert module.handler(event, context())["statusCode"] == 200
    assert aws.waiting() == 2


def test_without_the_key_nothing_counts_as_a_heartbeat(functions: Functions, aws: Aws) -> None:
    """Where the key can't be read a claim is answered 503, and neither counted nor queued."""
    module = functions.publish(HEARTBEAT_KEY="missing")
    assert module.handler(heartbeat_event(), context())["statusCode"] == 503
    assert aws.waiting() == 0


def test_heartbeat_reaches_the_backend_where_asked(
    functions: Functions, aws: Aws, backend: ScriptedBackend, capsys: pytest.CaptureFixture[str]
) -> None:
    """With heartbeatToBackend it arrives once the backend took it, and not before."""
    backend.faux.script.append(Answer(500))
    for emitted in ({}, {"HeartbeatArrived": 1}):
        attempted = _attempted(
            functions, aws, backend.url, capsys, heartbeat=True, heartbeat_to_backend=True
        )
        assert attempted == emitted
    assert len(backend.faux.received) == 2


def test_quiet_levels_still_carry_metrics(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A log level silences lines, never metrics."""
    monkeypatch.setenv("LOG_LEVEL", "ERROR")
    monkeypatch.setenv("SERVICE", "s")
    monkeypatch.setenv("ENVIRONMENT", "e")
    observe.log("INFO", "webhook.queued", http_status=200)
    observe.log("INFO", "webhook.queued", metrics={"Accepted": 1}, http_status=200)
    assert _emitted(capsys) == [{"Accepted": 1}]


def test_undefined_metrics_are_refused() -> None:
    """A metric nobody defined can't be emitted."""
    with pytest.raises(ValueError, match="not a defined metric: Guessed"):
        observe.log("INFO", "webhook.queued", metrics={"Guessed": 1})
