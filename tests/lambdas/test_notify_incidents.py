"""notify: what it remembers of an incident, and messages that overtake or race each other."""

from __future__ import annotations

import re
from typing import Any

import pytest

from lambdas.base.aws import AwsError
from tests.emulated_aws import Aws
from tests.lambdas.fixtures.alarms import (
    DOWN,
    SLOW,
    message,
    record,
)
from tests.lambdas.notifying import Loads, at_minute, delivered, failed, printed_lines
from webhook_buffer.laptop.backend import ScriptedBackend


def test_same_incident(notify: Loads, backend: ScriptedBackend) -> None:
    """What is on again within 10 minutes says so, and keeps the incident's beginning."""
    module = notify("a")
    for minute, state in ((10, "ALARM"), (12, "OK"), (20, "ALARM"), (20, "ALARM"), (25, "OK")):
        assert failed(module, record(message(state=state, at=at_minute(minute)))) == []
    *_, again, over = delivered(backend)
    assert [sent["state"] for sent in delivered(backend)] == ["ALARM", "OK", "ALARM", "OK"]
    assert re.search(r"This is the 2nd time since .*03:10 UTC\.$", again["summary"])
    assert over["lasted_seconds"] == 15 * 60


def test_recovery_overtakes(notify: Loads, backend: ScriptedBackend) -> None:
    """An OK that arrives first is not notified; its ALARM then says that it is over."""
    module = notify("a")
    assert failed(module, record(message(state="OK", at=at_minute(20)))) == []
    assert delivered(backend) == []
    assert failed(module, record(message(at=at_minute(10)))) == []
    [sent] = delivered(backend)
    assert re.search(r"It recovered at .*03:20 UTC\.$", sent["summary"])


def test_channels_remember_apart(notify: Loads, backend: ScriptedBackend) -> None:
    """What one channel got says nothing about another, nor one alarm about another."""
    assert failed(notify("a"), record(message())) == []
    module = notify("b")
    assert failed(module, record(message()), record(message(SLOW), message_id="m-2")) == []
    assert (len(delivered(backend, "a")), len(delivered(backend, "b"))) == (1, 2)


def test_without_its_table(
    notify: Loads, backend: ScriptedBackend, aws: Aws, capsys: pytest.CaptureFixture[str]
) -> None:
    """When the record of notifications can't be read, they are sent: better twice than never."""
    module = notify("a")
    aws.dynamodb.delete_table(TableName=aws.table)
    for state in ("ALARM", "ALARM", "OK"):
        assert failed(module, record(message(state=state))) == []
    assert [sent["state"] for sent in delivered(backend)] == ["ALARM", "ALARM", "OK"]
    assert delivered(backend)[-1]["summary"].endswith("Its duration is unknown.")
    lines = printed_lines(capsys)
    unread = [line["aws_error"] for line in lines if line["event"] == "incident.unread"]
    assert unread == ["ResourceNotFoundException"] * 3


def test_notified_by_somebody_else_meanwhile(
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
        assert failed(module, record(message(state="OK", at=at_minute(20)), message_id="m-2")) == []
        return notify_all(*args, **more)

    monkeypatch.setattr(module.channels, "notify_all", overtaken)
    assert failed(module, record(message(at=at_minute(10)))) == []
    first, second = delivered(backend)
    assert "recovered" not in first["summary"]
    assert "It recovered at" in second["summary"]
    remembered = aws.record(f"a|{DOWN}")
    assert remembered
    assert remembered["notified"] == {"S": "OK"}
    assert {line["level"] for line in printed_lines(capsys)} == {"INFO"}


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
    assert failed(module, record(message())) == []
    assert [len(delivered(backend, name)) for name in "ab"] == [1, 1]


def test_a_race_that_is_always_lost(
    notify: Loads, backend: ScriptedBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message is decided again a few times; then it returns from the queue."""
    module = notify("a")

    def changed(*_: Any, **__: Any) -> None:
        raise AwsError(module.incidents.CHANGED, retryable=False)

    monkeypatch.setattr(module.incidents, "save", changed)
    assert failed(module, record(message())) == ["m-1"]
    assert len(delivered(backend)) == 3


def test_an_unreadable_memory_of_something_newer(
    notify: Loads, backend: ScriptedBackend, aws: Aws
) -> None:
    """What was sent blindly is not sent again because the table has something newer."""
    newer = {"notified": {"S": "OK"}, "changed_at": {"N": "9" * 13}, "count": {"S": "damaged"}}
    aws.dynamodb.put_item(TableName=aws.table, Item={"id": {"S": f"a|{DOWN}"}, **newer})
    assert failed(notify("a"), record(message())) == []
    assert len(delivered(backend)) == 1
