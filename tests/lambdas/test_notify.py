"""notify: each channel gets each change that concerns it once, whatever else fails."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lambdas import drills
from lambdas.base import observe
from lambdas.base.metrics import UNITS
from tests.emulated_aws import Aws
from tests.function_events import context
from tests.lambdas.conftest import HttpStub, Sentry, Wire
from tests.lambdas.fixtures import alarms
from tests.lambdas.fixtures.alarms import (
    ALARM_GUIDES,
    DOWN,
    PROBE,
    SLOW,
    message,
    record,
)
from tests.lambdas.notifying import (
    Loads,
    at_minute,
    composite_message,
    delivered,
    failed,
    printed_lines,
    refusing,
)
from tests.waiting import Stopwatch, eventually
from webhook_buffer.laptop.backend import ScriptedBackend

_ARN_OF_NONE = "arn:aws:secretsmanager:us-east-1:000000000000:secret:"


def test_alarm_and_recovery(
    notify: Loads, backend: ScriptedBackend, aws: Aws, capsys: pytest.CaptureFixture[str]
) -> None:
    """An incident is notified when it begins and, with its length, when it is over."""
    module = notify("a")
    assert failed(module, record(message(at=at_minute(10)))) == []
    assert failed(module, record(message(state="OK", at=at_minute(52)))) == []
    alarm, recovery = delivered(backend)
    assert (alarm["state"], alarm["severity"], alarm["alarm"]) == ("ALARM", "page", DOWN)
    assert alarm["since"] == recovery["since"] == "2026-11-24T03:10:00.000Z"
    assert recovery["lasted_seconds"] == 42 * 60
    assert recovery["summary"].endswith("in prd. It lasted 42 min.")
    sent = [line for line in printed_lines(capsys) if line["event"] == "notification.sent"]
    assert [(line["channel"], line["state"]) for line in sent] == [("a", "ALARM"), ("a", "OK")]
    remembered = aws.record(f"a|{DOWN}")
    assert remembered
    assert (remembered["notified"], remembered["count"]) == ({"S": "OK"}, {"N": "1"})


def test_only_what_a_drill_expects_is_marked(
    notify: Loads, backend: ScriptedBackend, aws: Aws, capsys: pytest.CaptureFixture[str]
) -> None:
    """Within its time an alarm says DRILL, and so does its recovery, also later; another alarm, or
    the same one at another time, is real.
    """
    module = notify("a")
    begin = datetime(2026, 11, 24, 3, 10, tzinfo=UTC).timestamp()
    expected = {DOWN: (begin, begin + 180)}
    item = drills.item("backend-unreachable", expected, pagerduty=False, by="ana@laptop", run="1")
    aws.dynamodb.put_item(TableName=aws.table, Item=item)
    changes = (
        message(at=at_minute(12)),
        message(SLOW, at=at_minute(12)),
        message(state="OK", at=at_minute(30)),
        message(at=at_minute(31)),
    )
    for body in changes:
        assert failed(module, record(body)) == []
    alarm, other, recovery, again = delivered(backend)
    assert [sent["drill"] for sent in (alarm, other, recovery, again)] == [True, False, True, False]
    assert alarm["title"].startswith("DRILL: ")
    assert alarm["summary"].startswith("DRILL: ")
    assert recovery["summary"].startswith("DRILL: Recovered")
    # The drill's incident is not an earlier time of the real one.
    assert "2nd time" not in again["summary"]
    assert "drill.unread" not in capsys.readouterr().out


def test_a_drill_opens_no_pagerduty_incident_unless_asked(
    notify: Loads, clients: Callable[[str], Any], backend: ScriptedBackend, aws: Aws
) -> None:
    """Somebody would be woken; where it was asked for, the incident is opened and resolved."""
    secret = json.dumps({"routing_key": "0" * 32, "url": f"{backend.url}/pager"})
    arn = clients("secretsmanager").create_secret(Name=uuid.uuid4().hex, SecretString=secret)["ARN"]
    pager = {"id": "p", "kind": "pagerduty", "severities": ["page"], "secret_arn": arn}
    module = notify("a", CHANNELS=json.dumps([pager]))
    begin = datetime(2026, 11, 24, 3, 10, tzinfo=UTC).timestamp()
    for asked, hour in ((False, 0), (True, 1)):
        start = begin + 3600 * hour
        item = drills.item(
            "d", {DOWN: (start, start + 180)}, pagerduty=asked, by="ana@laptop", run="1"
        )
        aws.dynamodb.put_item(TableName=aws.table, Item=item)
        for state, minute in (("ALARM", 11), ("OK", 20)):
            at = f"2026-11-24T0{3 + hour}:{minute}:00.000+0000"
            assert failed(module, record(message(state=state, at=at))) == []
    assert [sent["event_action"] for sent in delivered(backend, "pager")] == ["trigger", "resolve"]


def test_the_probe_notifies_nobody(
    notify: Loads, backend: ScriptedBackend, capsys: pytest.CaptureFixture[str]
) -> None:
    """The probe's arrival is the proof; nobody is notified of it."""
    module = notify("a")
    for state in ("ALARM", "OK"):
        assert failed(module, record(message(PROBE, state))) == []
    assert not backend.faux.received
    assert [(line["level"], line["event"]) for line in printed_lines(capsys)] == [
        ("INFO", "alert-path.arrived")
    ] * 2


def test_other_states_notify_nobody(
    notify: Loads, backend: ScriptedBackend, capsys: pytest.CaptureFixture[str]
) -> None:
    """A state that is neither ALARM nor OK notifies nobody; the log has it."""
    assert failed(notify("a"), record(message(state="INSUFFICIENT_DATA"))) == []
    assert not backend.faux.received
    [line] = printed_lines(capsys)
    assert (line["event"], line["state"]) == ("alarm.ignored", "INSUFFICIENT_DATA")


@pytest.mark.parametrize(("severity", "expected"), [("page", 1), ("ticket", 1), ("info", 0)])
def test_severities(notify: Loads, backend: ScriptedBackend, severity: str, expected: int) -> None:
    """A channel is notified of the severities it wants, and of no other."""
    module = notify("a", severities=("page", "ticket"))
    assert failed(module, record(message(), severity)) == []
    assert [sent["severity"] for sent in delivered(backend)] == [severity] * expected


@pytest.mark.parametrize("failure", ["status", "refused", "secret", "hanging"])
def test_one_failing_channel(
    notify: Loads, backend: ScriptedBackend, clients: Callable[[str], Any], sentry: Sentry,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], failure: str,
) -> None:  # fmt: skip
    """The others are notified; when the message comes again, only the failed one is."""
    module = notify("a", "b", "c")
    monkeypatch.setattr(module, "_CHANNEL_SECONDS", 0.3 if failure == "hanging" else 5.0)
    secrets = clients("secretsmanager")
    address = module.CONFIG.channels[1].address
    with Wire(lambda _: wire.over.wait(5)) as wire, ScriptedBackend() as gone:
        gone.refuse()
        bad = {"status": f"{backend.url}/s3cr3t", "refused": f"{gone.url}/s3cr3t",
               "secret": "s3cr3t", "hanging": f"{wire.url}/s3cr3t"}[failure]  # fmt: skip
        secrets.put_secret_value(SecretId=address, SecretString=bad)
        if failure == "status":
            monkeypatch.setattr(backend.faux, "answer", refusing(backend, "/s3cr3t"))
        assert failed(module, record(message())) == ["m-1"]
    assert (len(delivered(backend, "a")), len(delivered(backend, "c"))) == (1, 1)

    secrets.put_secret_value(SecretId=address, SecretString=f"{backend.url}/b")
    assert failed(module, record(message())) == []
    assert [len(delivered(backend, name)) for name in "abc"] == [1, 1, 1]

    printed = capsys.readouterr()
    lines = [json.loads(line) for line in printed.out.splitlines()]
    [bad_line] = [line for line in lines if line["event"] == "notification.failed"]
    assert (bad_line["level"], bad_line["channel"]) == ("ERROR", "b")
    assert bad_line["error"] in {
        "status": ("HttpStatus",), "refused": ("ConnectionRefused",),
        "secret": ("SecretMalformed",), "hanging": ("ReadTimeout", "NoAnswer"),
    }[failure]  # fmt: skip
    folded = [line["channel"] for line in lines if line["event"] == "notification.folded"]
    assert folded == ["a", "c"]
    [event] = sentry.events()
    assert event["message"].startswith("Channel 'b' did not accept a notification: ")
    output = printed.out + printed.err + sentry.raw()
    for secret in ("s3cr3t", backend.url, gone.url, wire.url):
        assert secret not in output
    for line in lines:
        assert line.keys() <= observe.LOG_FIELDS | UNITS.keys() | {"_aws"}


@pytest.mark.parametrize(
    ("said", "title", "state"),
    [
        (alarms.METRIC, "Alarm ErrorAlarm", "ALARM"),
        (alarms.MATHS, "Alarm Test LocalTime", "ALARM"),
        (alarms.EMULATOR, "Alarm al", "ALARM"),
        ("made by hand", "A message that is not from an alarm", "ALARM"),
    ],
)
def test_alarms_without_a_guide(
    notify: Loads, backend: ScriptedBackend, said: Any, title: str, state: str
) -> None:
    """Manually created alarms, and messages that are not alarms, are notified once, too."""
    module = notify("a")
    for _ in range(2):
        assert failed(module, record(said)) == []
    [sent] = delivered(backend)
    assert (sent["title"], sent["state"], sent["signal"]) == (title, state, None)


def test_alarm_on_the_emulator_arrives(
    notify: Loads, backend: ScriptedBackend, clients: Callable[[str], Any]
) -> None:
    """From the alarm over topic and queue to the channel: messages of the emulator."""
    sns, sqs, cloudwatch = (clients(name) for name in ("sns", "sqs", "cloudwatch"))
    name = uuid.uuid4().hex
    topic = sns.create_topic(Name=f"{name}-page")["TopicArn"]
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = f"arn:aws:sqs:us-east-1:000000000000:{name}"
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    cloudwatch.put_metric_alarm(
        AlarmName=DOWN, MetricName=name, Namespace="Test", Statistic="Maximum", Period=60,
        EvaluationPeriods=1, Threshold=50, ComparisonOperator="GreaterThanThreshold",
        AlarmActions=[topic], OKActions=[topic],
    )  # fmt: skip
    module = notify("a")
    try:
        for state in ("ALARM", "OK"):
            cloudwatch.set_alarm_state(AlarmName=DOWN, StateValue=state, StateReason="forced")
            [notification] = eventually(
                lambda: sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1).get("Messages")
            )
            assert failed(module, {"messageId": "m", "body": notification["Body"]}) == []
            sqs.delete_message(QueueUrl=url, ReceiptHandle=notification["ReceiptHandle"])
    finally:
        cloudwatch.delete_alarms(AlarmNames=[DOWN])
    alarm, recovery = delivered(backend)
    assert (alarm["state"], alarm["threshold"], alarm["value"]) == ("ALARM", "50 %", None)
    assert alarm["severity"] == "page"
    assert recovery["state"] == "OK"
    assert recovery["lasted_seconds"] in (0, 1, 2)


def test_everything_silent_ends_in_time(
    notify: Loads, monkeypatch: pytest.MonkeyPatch, http_stub: HttpStub
) -> None:
    """With table, CloudWatch and secrets silent at once the function ends before its time."""
    module = notify("a", "b")
    assert http_stub.port
    with Wire(lambda _: wire.over.wait(10)) as wire, Stopwatch() as stopwatch:
        monkeypatch.setenv("AWS_ENDPOINT_URL", wire.url)
        invocation = context(seconds=2.5, clock=stopwatch.seconds)
        reply = module.handler({"Records": [record(composite_message())]}, invocation)
        assert stopwatch.seconds() < 2.5
        assert invocation.get_remaining_time_in_millis() > 0
    assert reply["batchItemFailures"] == [{"itemIdentifier": "m-1"}]


@pytest.mark.parametrize(
    "variables",
    [
        {"CHANNELS": "[{}]"},
        {"CHANNELS": "no json"},
        {"ALARM_GUIDES": "/nowhere/s3cr3t"},
        {"CHANNELS": json.dumps(2 * [{"id": "a", "kind": "slack", "severities": ["page"],
                                      "secret_arn": f"{_ARN_OF_NONE}s3cr3t"}])},
    ],
)  # fmt: skip
def test_failing_load(
    notify: Loads, capsys: pytest.CaptureFixture[str], variables: dict[str, str]
) -> None:
    """Wrong variables fail the load, which is logged without what stood in them."""
    with pytest.raises(observe.UnexpectedError) as caught:
        notify(**variables)
    [line] = printed_lines(capsys)
    assert line["event"] == "load.failed"
    assert "s3cr3t" not in json.dumps(line) + repr(caught.value)


def test_guides_lie_beside_the_code(
    notify: Loads, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without ALARM_GUIDES the guides is the file beside the function's."""
    module = notify()
    monkeypatch.setattr(module, "__file__", str(tmp_path / "notify.py"))
    config = module.NotifyConfig.read({"CHANNELS": "[]", "TABLE": "t"})
    assert config.guides.alarms.keys() == ALARM_GUIDES["alarms"].keys()
