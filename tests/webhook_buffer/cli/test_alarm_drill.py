"""``webhook-buffer alarms drill``: one at a time, and nothing is left of one that was stopped."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from settings.errors import InputError
from settings.loader import load
from webhook_buffer.cli import alarm_drill
from webhook_buffer.laptop import inbox, laptop
from webhook_buffer.laptop.journal import NAME, Journal
from webhook_buffer.live.control import Control

_PART, _INCIDENT = "webhook-buffer-local-backend-down", "webhook-buffer-local-deliveries-failing"


class _Aws:
    """Alarms and the record, as CloudWatch and DynamoDB keep them."""

    def __init__(self, env: str) -> None:
        self.settings = load(env)
        self.on: set[str] = set()
        self.record: dict[str, Any] | None = None
        self.recovered: list[str] = []
        self.cloudwatch = self.dynamodb = self

    def describe_alarms(self, **asked: Any) -> dict[str, Any]:
        return {"MetricAlarms": [{"AlarmName": name} for name in asked["AlarmNames"]
                                 if name in self.on]}  # fmt: skip

    def set_alarm_state(self, **asked: Any) -> None:
        change = self.on.add if asked["StateValue"] == "ALARM" else self.on.discard
        change(asked["AlarmName"])
        if asked["AlarmName"] == _PART:
            change(_INCIDENT)

    def perform(self, _: Any, name: str, state: str, reason: str) -> None:
        assert reason.startswith("Drill")
        if state == "OK":
            self.recovered.append(name)

    def put_item(self, **asked: Any) -> None:
        self.record = asked["Item"]

    def delete_item(self, **_: Any) -> None:
        self.record = None


class _Inbox:
    """Shows what stands in the journal when the alarm is on, and is stopped then."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.kinds: list[str] = []

    def settle(self) -> None:
        """Nothing waits."""

    def next_second(self) -> None:
        """Nothing is dated."""

    def expect(self, *_: Any, **__: Any) -> None:
        journal = json.loads((self._folder / NAME).read_text())
        self.kinds = [entry["kind"] for entry in journal["entries"]]
        raise KeyboardInterrupt


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> _Aws:
    return _set(_Aws("local"), tmp_path, monkeypatch)


def _set(aws: _Aws, folder: Path, monkeypatch: pytest.MonkeyPatch) -> _Aws:
    (folder / "alarms").mkdir()
    live = SimpleNamespace(folder=folder / "alarms", running=lambda: True)
    monkeypatch.setattr(laptop, "STATE", folder)
    monkeypatch.setattr(laptop, "environment", lambda _: aws)
    monkeypatch.setattr(laptop, "live_alarms", lambda: live)
    monkeypatch.setattr(laptop, "_IN_FORCE_SECONDS", 0.0)
    monkeypatch.setattr(alarm_drill, "outputs", lambda _: {})
    monkeypatch.setattr("webhook_buffer.live.states.perform", aws.perform)
    return aws


def test_none_begins_beside_a_running_drill(aws: _Aws, tmp_path: Path) -> None:
    """It would take the other drill's record, and that drill's page would be a real one."""
    parent = psutil.Process(os.getppid())
    running = {"drill": "backend-404", "pid": parent.pid, "started": parent.create_time(),
               "begun": 1.0, "entries": []}  # fmt: skip
    (tmp_path / NAME).write_text(json.dumps(running))
    aws.record = {"drill": {"S": "backend-404"}}
    with pytest.raises(InputError, match=r"backend-404 is running \(pid \d+\)"):
        alarm_drill.drill("backend-down")
    assert aws.record == {"drill": {"S": "backend-404"}}
    assert json.loads((tmp_path / NAME).read_text()) == running


@pytest.mark.parametrize(
    ("signal", "on", "words"),
    [
        ("backend-down", _INCIDENT, "The incident 'deliveries-failing' is already active"),
        ("blocked-group", "webhook-buffer-local-blocked-group", "The alarm 'blocked-group' is"),
    ],
)
def test_what_is_on_already_is_named_at_once(
    aws: _Aws, tmp_path: Path, signal: str, on: str, words: str
) -> None:
    """Nobody would be notified, and its real state stays."""
    aws.on.add(on)
    with pytest.raises(InputError, match=f"{words}.*webhook-buffer alarms status --env local"):
        alarm_drill.drill(signal)
    assert (aws.on, aws.record) == ({on}, None)
    assert not (tmp_path / NAME).exists()


def test_nothing_is_left_of_one_that_was_stopped(
    aws: _Aws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that it changes is in the journal before; whoever was notified is of the end, too."""
    received, asked = _Inbox(tmp_path), Control(15.0, until=4e9)
    asked.write(tmp_path / "alarms")

    @contextmanager
    def opened(_: Any) -> Iterator[_Inbox]:
        yield received

    monkeypatch.setattr(inbox, "opened", opened)
    with pytest.raises(KeyboardInterrupt):
        alarm_drill.drill("backend-down")
    assert received.kinds == ["control", "record", "set-off"]
    assert (aws.on, aws.record, aws.recovered) == (set(), None, [_INCIDENT])
    assert Control.read(tmp_path / "alarms") == asked
    assert Journal(tmp_path).left_behind() is None


def test_on_aws_its_mark_ends_within_a_minute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What fires later is real, and is marked by nothing."""
    aws = _set(_Aws("prd"), tmp_path, monkeypatch)
    alarm_drill.drill("backend-down", env="prd", yes=True)
    assert aws.record
    marks = [[int(at["N"]) for at in times["L"]] for times in aws.record["alarms"]["M"].values()]
    begin, end = marks[0]
    assert marks == [[begin, end]] * 2
    # Both times are rounded to a millisecond.
    assert end - begin <= 60_001
    assert not (tmp_path / NAME).exists()
