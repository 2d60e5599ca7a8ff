"""notify: each channel gets each change that concerns it once, whatever else fails."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3
import pytest

from lambdas import drills, observe
from lambdas.aws import AwsError
from lambdas.blocking import Webhook
from lambdas.faux_backend import Answer
from lambdas.metrics import UNITS
from tests.emulated_aws import Aws
from tests.function_events import context
from tests.function_modules import Functions
from tests.lambdas.conftest import HttpStub, Sentry, Wire
from tests.lambdas.fixtures import alarms
from tests.lambdas.fixtures.alarms import (
    AGE,
    ALARM_GUIDES,
    BLOCKED,
    DOWN,
    FAILING,
    PROBE,
    SLOW,
    message,
    record,
)
from tests.waiting import Stopwatch, eventually
from webhook_buffer.laptop.backend import ScriptedBackend
from webhook_buffer.laptop.process import Running

_ARN_OF_NONE = "arn:aws:secretsmanager:us-east-1:000000000000:secret:"

Loads = Callable[..., ModuleType]


@pytest.fixture
def clients(functions: Functions, emulator: Running) -> Callable[[str], Any]:
    """Clients of the emulator's services; and the environment in which functions find them."""
    functions.publish()
    make: Any = boto3.client
    return lambda service: make(
        service, endpoint_url=emulator.endpoint_url, region_name="us-east-1",
        aws_access_key_id="test", aws_secret_access_key="test",
    )  # fmt: skip


@pytest.fixture
def notify(
    functions: Functions, clients: Callable[[str], Any], backend: ScriptedBackend, tmp_path: Path
) -> Loads:
    """Loads ``lambdas.notify`` with channels that lead to the scripted backend, by path."""
    guides = tmp_path / "alarm_guides.json"
    guides.write_text(json.dumps(ALARM_GUIDES))

    def load(*channels: str, severities: tuple[str, ...] = ("page",), **more: str) -> ModuleType:
        said = [
            {
                "id": name,
                "kind": "https",
                "severities": severities,
                "secret_arn": clients("secretsmanager").create_secret(
                    Name=uuid.uuid4().hex, SecretString=f"{backend.url}/{name}"
                )["ARN"],
            }
            for name in channels
        ]
        variables = {"CHANNELS": json.dumps(said), "ALARM_GUIDES": str(guides), **more}
        return functions._load("lambdas.notify", variables)

    return load


def _failed(module: ModuleType, *records: dict[str, Any], seconds: float = 10.0) -> list[str]:
    """The ids that stay in the queue."""
    reply = module.handler({"Records": list(records)}, context(seconds=seconds))
    return [failure["itemIdentifier"] for failure in reply["batchItemFailures"]]


def _delivered(backend: ScriptedBackend, channel: str = "a") -> list[dict[str, Any]]:
    """What a channel took, in order."""
    received = [request for request in backend.faux.received if request.target == f"/{channel}"]
    return [json.loads(request.body) for request in received if request.status == 200]


def _lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def _at(minute: int) -> str:
    return f"2026-11-24T03:{minute:02}:00.000+0000"


def test_alarm_and_recovery(
    notify: Loads, backend: ScriptedBackend, aws: Aws, capsys: pytest.CaptureFixture[str]
) -> None:
    """An incident is notified when it begins and, with its length, when it is over."""
    module = notify("a")
    assert _failed(module, record(message(at=_at(10)))) == []
    assert _failed(module, record(message(state="OK", at=_at(52)))) == []
    alarm, recovery = _delivered(backend)
    assert (alarm["state"], alarm["severity"], alarm["alarm"]) == ("ALARM", "page", DOWN)
    assert alarm["since"] == recovery["since"] == "2026-11-24T03:10:00.000Z"
    assert recovery["lasted_seconds"] == 42 * 60
    assert recovery["summary"].endswith("in prd. It lasted 42 min.")
    sent = [line for line in _lines(capsys) if line["event"] == "notification.sent"]
    assert [(line["channel"], line["state"]) for line in sent] == [("a", "ALARM"), ("a", "OK")]
    remembered = aws.record(f"a|{DOWN}")
    assert remembered
    assert (remembered["told"], remembered["count"]) == ({"S": "OK"}, {"N": "1"})


def test_only_what_a_drill_expects_is_marked(
    notify: Loads, backend: ScriptedBackend, aws: Aws, capsys: pytest.CaptureFixture[str]
) -> None:
    """Within its time an alarm says DRILL, and so does its recovery, also later; another alarm, or
    the same one at another time, is real.
    """
    module = notify("a")
    begin = datetime(2026, 11, 24, 3, 10, tzinfo=UTC).timestamp()
    expected = {DOWN: (begin, begin + 180)}
    item = drills.item("backend-unreachable", expected, pagerduty=False)
    aws.dynamodb.put_item(TableName=aws.table, Item=item)
    for body in (message(at=_at(12)), message(SLOW, at=_at(12)), message(state="OK", at=_at(30)),
                 message(at=_at(31))):  # fmt: skip
        assert _failed(module, record(body)) == []
    alarm, other, recovery, again = _delivered(backend)
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
        item = drills.item("d", {DOWN: (start, start + 180)}, pagerduty=asked)
        aws.dynamodb.put_item(TableName=aws.table, Item=item)
        for state, minute in (("ALARM", 11), ("OK", 20)):
            at = f"2026-11-24T0{3 + hour}:{minute}:00.000+0000"
            assert _failed(module, record(message(state=state, at=at))) == []
    assert [sent["event_action"] for sent in _delivered(backend, "pager")] == ["trigger", "resolve"]


def test_probe_tells_nobody(
    notify: Loads, backend: ScriptedBackend, capsys: pytest.CaptureFixture[str]
) -> None:
    """The probe's arrival is the proof; nobody is notified of it."""
    module = notify("a")
    for state in ("ALARM", "OK"):
        assert _failed(module, record(message(PROBE, state))) == []
    assert not backend.faux.received
    assert [(line["level"], line["event"]) for line in _lines(capsys)] == [
        ("INFO", "alert-path.arrived")
    ] * 2


def test_other_states_tell_nobody(
    notify: Loads, backend: ScriptedBackend, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither ALARM nor OK is neither trouble nor its end; the log has it."""
    assert _failed(notify("a"), record(message(state="INSUFFICIENT_DATA"))) == []
    assert not backend.faux.received
    [line] = _lines(capsys)
    assert (line["event"], line["state"]) == ("alarm.ignored", "INSUFFICIENT_DATA")


@pytest.mark.parametrize(("severity", "expected"), [("page", 1), ("ticket", 1), ("info", 0)])
def test_severities(notify: Loads, backend: ScriptedBackend, severity: str, expected: int) -> None:
    """A channel is notified of the severities it wants, and of no other."""
    module = notify("a", severities=("page", "ticket"))
    assert _failed(module, record(message(), severity)) == []
    assert [sent["severity"] for sent in _delivered(backend)] == [severity] * expected


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
            monkeypatch.setattr(backend.faux, "answer", _refusing(backend, "/s3cr3t"))
        assert _failed(module, record(message())) == ["m-1"]
    assert (len(_delivered(backend, "a")), len(_delivered(backend, "c"))) == (1, 1)

    secrets.put_secret_value(SecretId=address, SecretString=f"{backend.url}/b")
    assert _failed(module, record(message())) == []
    assert [len(_delivered(backend, name)) for name in "abc"] == [1, 1, 1]

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


def _refusing(backend: ScriptedBackend, target: str) -> Callable[..., Answer]:
    """The backend's answers, with 500 for one target."""
    answer = backend.faux.answer

    def refuse(method: str, asked: str, headers: Any, body: bytes) -> Answer:
        if asked == target:
            return Answer(500)
        return answer(method, asked, headers, body)

    return refuse


def test_same_incident(notify: Loads, backend: ScriptedBackend) -> None:
    """What is on again within 10 minutes says so, and keeps the incident's beginning."""
    module = notify("a")
    for minute, state in ((10, "ALARM"), (12, "OK"), (20, "ALARM"), (20, "ALARM"), (25, "OK")):
        assert _failed(module, record(message(state=state, at=_at(minute)))) == []
    *_, again, over = _delivered(backend)
    assert [sent["state"] for sent in _delivered(backend)] == ["ALARM", "OK", "ALARM", "OK"]
    assert re.search(r"This is the 2nd time since .*03:10 UTC\.$", again["summary"])
    assert over["lasted_seconds"] == 15 * 60


def test_recovery_overtakes(notify: Loads, backend: ScriptedBackend) -> None:
    """An OK that arrives first is not notified; its ALARM then says that it is over."""
    module = notify("a")
    assert _failed(module, record(message(state="OK", at=_at(20)))) == []
    assert _delivered(backend) == []
    assert _failed(module, record(message(at=_at(10)))) == []
    [sent] = _delivered(backend)
    assert re.search(r"It recovered at .*03:20 UTC\.$", sent["summary"])


def test_channels_remember_apart(notify: Loads, backend: ScriptedBackend) -> None:
    """What one channel got says nothing about another, nor one alarm about another."""
    assert _failed(notify("a"), record(message())) == []
    module = notify("b")
    assert _failed(module, record(message()), record(message(SLOW), message_id="m-2")) == []
    assert (len(_delivered(backend, "a")), len(_delivered(backend, "b"))) == (1, 2)


def test_without_its_table(
    notify: Loads, backend: ScriptedBackend, aws: Aws, capsys: pytest.CaptureFixture[str]
) -> None:
    """When the record of notifications can't be read, they are sent: better twice than never."""
    module = notify("a")
    aws.dynamodb.delete_table(TableName=aws.table)
    for state in ("ALARM", "ALARM", "OK"):
        assert _failed(module, record(message(state=state))) == []
    assert [sent["state"] for sent in _delivered(backend)] == ["ALARM", "ALARM", "OK"]
    assert _delivered(backend)[-1]["summary"].endswith("Its duration is unknown.")
    lines = _lines(capsys)
    unread = [line["aws_error"] for line in lines if line["event"] == "incident.unread"]
    assert unread == ["ResourceNotFoundException"] * 3


def test_told_by_somebody_else_meanwhile(
    notify: Loads,
    backend: ScriptedBackend,
    aws: Aws,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """When a recovery overtakes an ALARM that is being sent, the channel gets it at once."""
    module = notify("a")
    notify_all = module.channels.notify_all

    def overtaken(*args: Any, **more: Any) -> Any:
        monkeypatch.setattr(module.channels, "notify_all", notify_all)
        assert _failed(module, record(message(state="OK", at=_at(20)), message_id="m-2")) == []
        return notify_all(*args, **more)

    monkeypatch.setattr(module.channels, "notify_all", overtaken)
    assert _failed(module, record(message(at=_at(10)))) == []
    first, second = _delivered(backend)
    assert "recovered" not in first["summary"]
    assert "It recovered at" in second["summary"]
    remembered = aws.record(f"a|{DOWN}")
    assert remembered
    assert remembered["told"] == {"S": "OK"}
    assert {line["level"] for line in _lines(capsys)} == {"INFO"}


def test_the_same_message_twice_at_once(
    notify: Loads, backend: ScriptedBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who loses the race to remember finds the work done, and the message leaves the queue."""
    module = notify("a", "b")
    save = module.incidents.save

    def late(*args: Any, **more: Any) -> None:
        monkeypatch.setattr(module.incidents, "save", save)
        save(*args, **more)
        save(*args, **more)

    monkeypatch.setattr(module.incidents, "save", late)
    assert _failed(module, record(message())) == []
    assert [len(_delivered(backend, name)) for name in "ab"] == [1, 1]


def test_a_race_that_is_always_lost(
    notify: Loads, backend: ScriptedBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message is decided again a few times; then it returns from the queue."""
    module = notify("a")

    def changed(*_: Any, **__: Any) -> None:
        raise AwsError(module.incidents.CHANGED, retryable=False)

    monkeypatch.setattr(module.incidents, "save", changed)
    assert _failed(module, record(message())) == ["m-1"]
    assert len(_delivered(backend)) == 3


def test_an_unreadable_memory_of_something_newer(
    notify: Loads, backend: ScriptedBackend, aws: Aws
) -> None:
    """What was sent blindly is not sent again because the table has something newer."""
    newer = {"told": {"S": "OK"}, "changed_at": {"N": "9" * 13}, "count": {"S": "damaged"}}
    aws.dynamodb.put_item(TableName=aws.table, Item={"id": {"S": f"a|{DOWN}"}, **newer})
    assert _failed(notify("a"), record(message())) == []
    assert len(_delivered(backend)) == 1


@pytest.mark.parametrize(
    ("said", "title", "state"),
    [
        (alarms.METRIC, "Alarm ErrorAlarm", "ALARM"),
        (alarms.MATHS, "Alarm Test LocalTime", "ALARM"),
        (alarms.EMULATOR, "Alarm al", "ALARM"),
        ("made by hand", "A message that is not from an alarm", "ALARM"),
    ],
)
def test_what_nobody_briefed_us_of(
    notify: Loads, backend: ScriptedBackend, said: Any, title: str, state: str
) -> None:
    """Manually created alarms, and messages that are not alarms, are notified once, too."""
    module = notify("a")
    for _ in range(2):
        assert _failed(module, record(said)) == []
    [sent] = _delivered(backend)
    assert (sent["title"], sent["state"], sent["signal"]) == (title, state, None)


def _composite(**more: Any) -> dict[str, Any]:
    said = {**alarms.COMPOSITE, "AlarmName": FAILING, "StateChangeTime": _at(12)}
    child = {"Arn": alarms.ACCOUNT + AGE, "State": {"Value": "ALARM"}}
    return {**said, "TriggeringChildren": [child], **more}


def test_composite_leads_with_its_part(
    notify: Loads, backend: ScriptedBackend, clients: Callable[[str], Any]
) -> None:
    """The parts' own states say what is wrong: the most specific first, the others after it."""
    cloudwatch = clients("cloudwatch")
    names = (SLOW, AGE, DOWN)
    for name in names:
        cloudwatch.put_metric_alarm(
            AlarmName=name, MetricName=name, Namespace="Test", Statistic="Maximum", Period=60,
            EvaluationPeriods=1, Threshold=300, ComparisonOperator="GreaterThanThreshold",
        )  # fmt: skip
    reason = "Threshold Crossed: 1 datapoint [320.0 (24/11/26 03:11:00)] was greater than (300.0)."
    try:
        for name in (SLOW, AGE):
            cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason=reason)
        assert _failed(notify("a"), record(_composite(TriggeringChildren=[]))) == []
    finally:
        cloudwatch.delete_alarms(AlarmNames=list(names))
    [sent] = _delivered(backend)
    assert (sent["alarm"], sent["signal"]) == (FAILING, "deliveries-failing")
    assert sent["title"] == "Webhooks wait too long"
    assert (sent["value"], sent["threshold"]) == ("5 min 20 s", "5 min")
    assert sent["steps"] == ["Look at the queue."]


def test_composite_whose_parts_have_recovered(notify: Loads, backend: ScriptedBackend) -> None:
    """When no part is on any longer, those that set the composite off lead."""
    assert _failed(notify("a"), record(_composite())) == []
    assert [sent["title"] for sent in _delivered(backend)] == ["Webhooks wait too long"]


class _Throttling:
    """A service that refuses every call."""

    def call(self, *_: Any, **__: Any) -> dict[str, Any]:
        raise AwsError("Throttling", retryable=True)


@pytest.mark.parametrize(
    ("children", "title"),
    [(True, "Webhooks wait too long"), (False, "Webhooks do not reach the backend")],
)
def test_composite_whose_parts_are_unread(
    notify: Loads, backend: ScriptedBackend, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str], children: bool, title: str,
) -> None:  # fmt: skip
    """Without CloudWatch's word the message's own parts lead, and without them its own text."""
    module = notify("a")
    monkeypatch.setattr(module.aws, "CLOUDWATCH", _Throttling())
    said = _composite() if children else _composite(TriggeringChildren=[])
    assert _failed(module, record(said)) == []
    assert [sent["title"] for sent in _delivered(backend)] == [title]
    unread = [line["aws_error"] for line in _lines(capsys) if line["event"] == "parts.unread"]
    assert unread == ["Throttling"]


def test_what_blocks_is_named(
    notify: Loads, backend: ScriptedBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An alarm that has webhooks to name does so, and its recovery does not ask."""
    module = notify("a", PARKING_TABLE="parking")
    asked: list[Any] = []

    def look(which: str, **how: Any) -> tuple[Webhook, ...]:
        asked.append((which, how["table"], how["log_group"]))
        assert 0 < how["within"] <= 2
        return (Webhook("acme/shop", "m-9", None),)

    monkeypatch.setattr(module.blocking, "look", look)
    for alarm, state in ((BLOCKED, "ALARM"), (BLOCKED, "OK"), (DOWN, "ALARM")):
        assert _failed(module, record(message(alarm, state, at=_at(10)))) == []
    assert asked == [("blocked", "parking", "/aws/lambda/buffer-prd-subscribe")]
    named = {"group_id": "acme/shop", "message_id": "m-9", "since": None}
    assert [sent["webhooks"] for sent in _delivered(backend)] == [[named], [], []]


def test_names_that_cannot_be_read(
    notify: Loads, backend: ScriptedBackend, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """A notification goes out without names when they can't be read."""
    module = notify("a")
    monkeypatch.setattr(module.aws, "LOGS", _Throttling())
    monkeypatch.setattr(module, "_LOOK_SECONDS", 0.2)
    assert _failed(module, record(message(BLOCKED))) == []
    [sent] = _delivered(backend)
    assert (sent["signal"], sent["webhooks"]) == ("blocked-group", [])
    unread = [line["aws_error"] for line in _lines(capsys) if line["event"] == "webhooks.unread"]
    assert unread == ["Throttling"]


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
            assert _failed(module, {"messageId": "m", "body": notification["Body"]}) == []
            sqs.delete_message(QueueUrl=url, ReceiptHandle=notification["ReceiptHandle"])
    finally:
        cloudwatch.delete_alarms(AlarmNames=[DOWN])
    alarm, recovery = _delivered(backend)
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
        reply = module.handler({"Records": [record(_composite())]}, invocation)
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
    [line] = _lines(capsys)
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
