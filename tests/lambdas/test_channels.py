"""channels: what each receiver gets, what counts as taken, and that no address gets out."""

from __future__ import annotations

import json
import re
import socket
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import boto3
import pytest

from lambdas import channels, messages
from lambdas.channels import Channel, ChannelError
from lambdas.faux_backend import Answer
from lambdas.notification import Notification
from tests.lambdas.conftest import HttpStub, Wire, read_request
from tests.lambdas.fixtures.alarms import ALARM_GUIDES, DOWN, message
from tests.lambdas.notifying import AT, NOW, content_of
from tests.waiting import Stopwatch, eventually
from webhook_buffer.laptop.backend import ScriptedBackend
from webhook_buffer.laptop.programs.process import Running

_KEY = "0123456789abcdef0123456789abcdef"

Secrets = Callable[[str], str]


@pytest.fixture
def clients(emulator: Running, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """Clients of the emulator's services; and the environment in which functions find them."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", emulator.endpoint_url)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    make: Any = boto3.client
    return lambda service: make(service, region_name="us-east-1")


@pytest.fixture
def client(clients: Callable[[str], Any]) -> Any:
    """The emulator's secrets."""
    return clients("secretsmanager")


@pytest.fixture
def secret(client: Any) -> Secrets:
    """Keeps a text as a secret; its ARN."""

    def keep(text: str) -> str:
        reply = client.create_secret(Name=uuid.uuid4().hex, SecretString=text)
        return str(reply["ARN"])

    return keep


def _channel(kind: str, address: str) -> Channel:
    member = "topic_arn" if kind == "email" else "secret_arn"
    return Channel.parse({"id": kind, "kind": kind, "severities": ["page"], member: address})


def test_without_tls(backend: ScriptedBackend, secret: Secrets) -> None:
    """Where only https is allowed, a secret with another URL fails the channel and gets nothing."""
    for kind in ("slack", "https"):
        channel = replace(_channel(kind, secret(backend.url)), https_only=True)
        failure = _notify(channel)
        assert failure
        assert failure.reason == "PlainHttp"
    assert not backend.faux.received


def _notify(
    channel: Channel, content: Notification | None = None, *, seconds: float = 5
) -> ChannelError | None:
    return channels.notify_all({channel: content or content_of()}, seconds=seconds)[channel]


def _bodies(backend: ScriptedBackend) -> list[Any]:
    return [json.loads(seen.body) for seen in backend.faux.received]


def test_slack(backend: ScriptedBackend, secret: Secrets) -> None:
    """Slack gets a header, what is wrong, what users notice, steps and links; in its escapes."""
    alarm = {
        **ALARM_GUIDES["alarms"][DOWN],
        "title": "a < b & <!channel>",
        "steps": ["1 > 0", "two"],
    }
    content = content_of(guides={"alarms": {DOWN: alarm}})
    assert _notify(_channel("slack", secret(f"{backend.url}/services/T0/B0/x")), content) is None
    [seen] = backend.faux.received
    assert (seen.method, seen.target) == ("POST", "/services/T0/B0/x")
    assert seen.headers["content-type"] == "application/json"
    [body] = _bodies(backend)
    title = "a &lt; b &amp; &lt;!channel&gt;"
    assert (
        body["text"]
        == f"{title} in prd since 03:12 UTC: 62 % of the attempts failed, threshold 50 %."
    )
    header, *sections = body["blocks"]
    assert header == {
        "type": "header", "text": {"type": "plain_text", "text": f"PAGE buffer prd: {title}"},
    }  # fmt: skip
    assert all(section["type"] == "section" for section in sections)
    summary, facts, steps, links = [section["text"]["text"] for section in sections]
    assert summary == body["text"]
    assert facts == "*Impact:* Webhooks wait in the queue; none is lost."
    assert steps == "*First steps*\n1. 1 &gt; 0\n2. two"
    labels = re.findall(r"^<https://[^|>\s]+\|([^>]+)>$", links, re.MULTILINE)
    assert labels == ["Runbook", "Logs", "Dashboard", "Alarm"]


def test_slacks_limits(backend: ScriptedBackend, secret: Secrets) -> None:
    """However long the texts are, no block exceeds what Slack takes, nor ends in half an escape."""
    alarm = {
        **ALARM_GUIDES["alarms"][DOWN], "title": "&" * 400, "impact": "<" * 5000,
        "steps": ["x&" * 500] * 5, "log_query": "|" * 3000, "runbook": "h" * 100,
    }  # fmt: skip
    content = content_of(guides={"alarms": {DOWN: alarm}})
    assert _notify(_channel("slack", secret(backend.url)), content) is None
    [body] = _bodies(backend)
    header, *sections = [block["text"]["text"] for block in body["blocks"]]
    assert 140 < len(header) <= 150
    assert all(len(text) <= 3000 for text in sections)
    for text in (header, *sections, body["text"]):
        assert not re.search(r"&(?!amp;|lt;|gt;)", text)
    # The log's link would not fit; the others are whole.
    labels = re.findall(r"^<https://[^|>\s]+\|([^>]+)>$", sections[-1], re.MULTILINE)
    assert labels == ["Runbook", "Dashboard", "Alarm"]


def test_runbook_in_the_repository(backend: ScriptedBackend, secret: Secrets) -> None:
    """A runbook without a URL is named without a link."""
    content = content_of(guides={"runbook_url": "docs/runbook.md"})
    _notify(_channel("slack", secret(backend.url)), content)
    _notify(
        _channel("pagerduty", secret(json.dumps({"routing_key": _KEY, "url": backend.url}))),
        content,
    )
    slack, pagerduty = _bodies(backend)
    text = slack["blocks"][-1]["text"]["text"]
    assert text.splitlines()[0] == "Runbook: docs/runbook.md#backend-down"
    assert all(link["href"].startswith("https://") for link in pagerduty["links"])
    assert pagerduty["payload"]["custom_details"]["Runbook"] == "docs/runbook.md#backend-down"


@pytest.mark.parametrize(
    ("severity", "expected"), [("page", "critical"), ("ticket", "warning"), ("info", "info")]
)
def test_pagerduty(backend: ScriptedBackend, secret: Secrets, severity: str, expected: str) -> None:
    """PagerDuty gets an event of the alarm's own key, with all that helps whoever is woken."""
    backend.faux.default = Answer(202)
    channel = _channel("pagerduty", secret(json.dumps({"routing_key": _KEY, "url": backend.url})))
    assert _notify(channel, replace(content_of(), severity=severity)) is None
    [event] = _bodies(backend)
    assert (event["routing_key"], event["event_action"]) == (_KEY, "trigger")
    assert event["dedup_key"] == DOWN
    payload = event["payload"]
    assert payload["severity"] == expected
    assert payload["summary"] == content_of().summary
    assert (payload["source"], payload["timestamp"]) == ("buffer-prd", "2026-11-24T03:12:00.000Z")
    assert payload["custom_details"]["First steps"] == ALARM_GUIDES["alarms"][DOWN]["steps"]
    assert {link["text"] for link in event["links"]} >= {"Runbook", "Alarm", "Dashboard"}


def test_pagerduty_resolves(backend: ScriptedBackend, secret: Secrets) -> None:
    """A recovery resolves; an ALARM that is over already is triggered and resolved."""
    backend.faux.default = Answer(202)
    channel = _channel("pagerduty", secret(json.dumps({"routing_key": _KEY, "url": backend.url})))
    assert _notify(channel, content_of(message(state="OK"))) is None
    assert _notify(channel, content_of(recovered_at=NOW)) is None
    first, second, third = _bodies(backend)
    assert first == {"routing_key": _KEY, "dedup_key": DOWN, "event_action": "resolve"}
    assert (second["event_action"], third) == ("trigger", first)


def test_https(backend: ScriptedBackend, secret: Secrets) -> None:
    """Any receiver gets the whole of it as one document."""
    backend.faux.script += [Answer(204), Answer(202)]
    channel = _channel("https", secret(json.dumps({"url": f"{backend.url}/in?token=t"})))
    content = content_of()
    assert _notify(channel, content) is None
    assert _notify(channel, replace(content_of(message(state="OK")), since=AT - 60_000)) is None
    assert [seen.target for seen in backend.faux.received] == ["/in?token=t"] * 2
    alarm, recovery = _bodies(backend)
    assert alarm == {
        "version": 1,
        "state": "ALARM",
        "severity": "page",
        "alarm": DOWN,
        "signal": "backend-down",
        "title": "The backend does not accept webhooks",
        "summary": content.summary,
        "impact": "Webhooks wait in the queue; none is lost.",
        "environment": "prd",
        "service": "buffer",
        "since": "2026-11-24T03:12:00.000Z",
        "value": "62 % of the attempts failed",
        "threshold": "50 %",
        "steps": ALARM_GUIDES["alarms"][DOWN]["steps"],
        "links": dict(content.links),
        "log_command": None,
        "webhooks": [],
        "drill": False,
    }
    assert (recovery["state"], recovery["lasted_seconds"]) == ("OK", 60.0)
    assert recovery["since"] == "2026-11-24T03:11:00.000Z"
    assert recovery["title"] == "Recovered: The backend does not accept webhooks"


def test_email(clients: Callable[[str], Any]) -> None:
    """A mail's text says all that a person needs; its subject is what SNS takes."""
    sns, sqs = clients("sns"), clients("sqs")
    name = uuid.uuid4().hex
    topic = sns.create_topic(Name=name)["TopicArn"]
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = f"arn:aws:sqs:us-east-1:000000000000:{name}"
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    alarm = {**ALARM_GUIDES["alarms"][DOWN], "title": "Größer\n" + "x" * 200}
    assert _notify(_channel("email", topic), content_of(guides={"alarms": {DOWN: alarm}})) is None
    assert _notify(_channel("email", topic)) is None

    def mails() -> list[dict[str, Any]]:
        reply = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        return [json.loads(message["Body"]) for message in reply.get("Messages", [])]

    arrived: list[dict[str, Any]] = []

    def both() -> bool:
        arrived.extend(mails())
        return len(arrived) == 2

    eventually(both)
    long, plain = sorted(arrived, key=lambda mail: -len(mail["Subject"]))
    assert len(long["Subject"]) < 100
    assert long["Subject"].startswith("PAGE buffer prd: Gr??er xxx")
    assert plain["Subject"] == "PAGE buffer prd: The backend does not accept webhooks"
    text = plain["Message"]
    assert text.startswith(content_of().summary + "\n")
    assert "Impact: Webhooks wait in the queue; none is lost.\n" in text
    assert "First steps:\n1. Look at the backend's own status.\n2. " in text
    assert "Runbook:\nhttps://git.example/docs/runbook.md#backend-down\n" in text


def test_commands_are_set_apart(backend: ScriptedBackend, secret: Secrets) -> None:
    """Slack, PagerDuty and JSON get commands in backticks, a mail on a line of their own."""
    steps = ["See the lines: `webhook-buffer logs -f x`", "None (`webhook-buffer status`): wait."]
    alarm = {**ALARM_GUIDES["alarms"][DOWN], "steps": steps}
    content = content_of(guides={"alarms": {DOWN: alarm}})
    _, text = messages.email(content)
    assert "1. See the lines:\n     webhook-buffer logs -f x\n2. None" in text
    for kind in ("slack", "pagerduty", "https"):
        assert _notify(_channel(kind, secret(_secret_text(kind, backend.url))), content) is None
    for received in backend.faux.received:
        assert b"`webhook-buffer logs -f x`" in received.body
    assert len(backend.faux.received) == 3


def test_email_that_sns_refuses(client: Any) -> None:
    """A topic that is not there is a failure with AWS's code."""
    assert client
    failure = _notify(_channel("email", "arn:aws:sns:us-east-1:000000000000:none"))
    assert failure
    assert (failure.reason, failure.aws_error) == ("PublishRefused", "NotFound")


_KINDS = ("slack", "pagerduty", "https")


def _secret_text(kind: str, url: str) -> str:
    return json.dumps({"routing_key": _KEY, "url": url}) if kind == "pagerduty" else url


@pytest.mark.parametrize("kind", _KINDS)
@pytest.mark.parametrize("status", [302, 400, 429, 500])
def test_refusals(backend: ScriptedBackend, secret: Secrets, kind: str, status: int) -> None:
    """Any answer but a success is a failure with its status, and nothing is repeated."""
    backend.faux.default = Answer(status, headers={"Location": backend.url})
    failure = _notify(_channel(kind, secret(_secret_text(kind, backend.url))))
    assert failure
    assert (failure.reason, failure.status) == ("HttpStatus", status)
    assert len(backend.faux.received) == 1


def test_slack_takes_200_only(backend: ScriptedBackend, secret: Secrets) -> None:
    """Slack says 200 to what it took, and nothing else."""
    backend.faux.default = Answer(204)
    assert _notify(_channel("slack", secret(backend.url)))


def test_rotation(backend: ScriptedBackend, client: Any, secret: Secrets) -> None:
    """A changed secret holds with the next message."""
    arn = secret(f"{backend.url}/old")
    channel = _channel("slack", arn)
    assert _notify(channel) is None
    client.put_secret_value(SecretId=arn, SecretString=f"{backend.url}/new")
    assert _notify(channel) is None
    assert [seen.target for seen in backend.faux.received] == ["/old", "/new"]


def test_mended_secret_is_seen(backend: ScriptedBackend, client: Any, secret: Secrets) -> None:
    """Mending a secret helps at once."""
    arn = secret("not an address")
    channel = _channel("https", arn)
    assert _notify(channel)
    client.put_secret_value(SecretId=arn, SecretString=backend.url)
    assert _notify(channel) is None


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("slack", "hooks.slack.example/s3cr3t"), ("slack", '{"uri": "https://s3cr3t"}'),
        ("slack", "[1]"), ("https", "ftp://s3cr3t"), ("https", '{"url": 1}'),
        ("pagerduty", '{"url": "https://s3cr3t"}'), ("pagerduty", "two s3cr3t words"),
        ("pagerduty", '{"routing_key": "s3cr3t", "url": 1}'), ("slack", "   "),
    ],
)  # fmt: skip
def test_malformed_secrets(secret: Secrets, kind: str, text: str) -> None:
    """A secret that can be no address fails, and the failure doesn't show it."""
    failure = _notify(_channel(kind, secret(text)))
    assert failure
    assert failure.reason == "SecretMalformed"
    assert "s3cr3t" not in repr(failure) + repr(vars(failure))


@pytest.mark.parametrize("kind", _KINDS)
def test_unreadable_secret(client: Any, kind: str) -> None:
    """A secret that can't be read is a failure with AWS's code."""
    assert client
    arn = f"arn:aws:secretsmanager:us-east-1:000000000000:secret:{uuid.uuid4().hex}"
    failure = _notify(_channel(kind, arn))
    assert failure
    assert failure.reason == "SecretUnreadable"
    assert failure.aws_error == "ResourceNotFoundException"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://127.0.0.1:{free}/s3cr3t", "ConnectionRefused"),
        ("http://[s3cr3t/", "NotAnHttpUrl"),
        ("http://127.0.0.1:s3cr3t/", "NotAnHttpUrl"),
        ("https://", "NotAnHttpUrl"),
        ("http://127.0.0.1/s3cr3t\nx", None),
    ],
)
def test_no_answer_names_no_address(
    secret: Secrets, caplog: pytest.LogCaptureFixture, url: str, reason: str | None
) -> None:
    """When nobody answers, the failure's class is reported and nothing of the address."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        failure = _notify(
            _channel("https", secret(url.replace("{free}", str(unused.getsockname()[1]))))
        )
    assert failure
    assert reason is None or failure.reason == reason
    assert "s3cr3t" not in repr(failure) + repr(vars(failure)) + caplog.text
    assert failure.__cause__ is None


def test_malformed_answer_names_no_address(
    secret: Secrets, caplog: pytest.LogCaptureFixture
) -> None:
    """An answer with malformed headers makes no library write down the address."""

    def script(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nno header\r\n\r\n")

    with Wire(script) as wire:
        _notify(_channel("https", secret(f"{wire.url}/s3cr3t")))
    assert "s3cr3t" not in caplog.text


def test_silent_channel_ends_in_time(backend: ScriptedBackend, secret: Secrets) -> None:
    """A channel that never ends its answer is abandoned; the others are notified meanwhile."""

    def script(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not wire.over.wait(0.05):
            connection.sendall(b" ")

    with Wire(script) as wire:
        silent = _channel("slack", secret(wire.url))
        other = _channel("https", secret(backend.url))
        with Stopwatch() as stopwatch:
            failures = channels.notify_all({silent: content_of(), other: content_of()}, seconds=0.5)
        assert stopwatch.seconds() < 1.5
        failure = failures[silent]
        assert failure
        assert failure.reason in ("ReadTimeout", "NoAnswer")
        assert failures[other] is None


def test_secrets_that_never_come(
    client: Any, monkeypatch: pytest.MonkeyPatch, http_stub: HttpStub
) -> None:
    """Waiting for a secret ends in its time, too."""
    assert client
    with Wire(lambda _: wire.over.wait(10)) as wire:
        monkeypatch.setenv("AWS_ENDPOINT_URL", wire.url)
        with Stopwatch() as stopwatch:
            failure = _notify(_channel("slack", "arn:x"), seconds=0.6)
        assert stopwatch.seconds() < 1.0
    assert failure
    assert (failure.reason, failure.aws_error) == ("SecretUnreadable", "Timeout")
    assert not http_stub.requests


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"kind": "fax"}, "kind 'fax'"),
        ({"secret_arn": None}, "secret_arn is missing"),
        ({"kind": "email"}, "topic_arn is missing"),
        ({"severities": ["critical"]}, "severities"),
        ({"id": ""}, "needs an id"),
    ],
)
def test_wrong_settings(change: dict[str, Any], says: str) -> None:
    """A channel that can't work is refused when the function loads, and the error says why."""
    said = {"id": "c", "kind": "slack", "severities": ["page"], "secret_arn": "arn", **change}
    with pytest.raises(ValueError, match=says):
        Channel.parse(said)
