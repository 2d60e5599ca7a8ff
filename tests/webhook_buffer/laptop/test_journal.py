"""The journal of a drill: what it changed is undone by the next command, even after a kill."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import psutil
import pytest

from lambdas.tokens import Token, parse
from settings.errors import InputError, WebhookBufferError
from settings.loader import load
from settings.paths import ROOT
from webhook_buffer.laptop import laptop, wanted
from webhook_buffer.laptop.journal import NAME, Journal
from webhook_buffer.laptop.practice import Mode
from webhook_buffer.live.control import CONTROL, Control
from webhook_buffer.operations.environment import Environment

# Two drills of one process, each with a folder of its own; the second changed a function.
_KILLED = """
import os, signal, sys
from pathlib import Path
from webhook_buffer.laptop.journal import Journal
from webhook_buffer.laptop.practice import Mode
backend, function = map(Path, sys.argv[1:])
journal = Journal(backend)
journal.begin("backend-5xx")
journal.note(kind="backend")
Mode(status=503).write(backend / "backend")
other = Journal(function)
other.begin("backend-5xx")
other.note(kind="variables", function="f", variables={})
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What killed drills left: of the backend in one folder, of a function in another."""
    folder = tmp_path_factory.mktemp("killed")
    folders = [folder / "backend", folder / "function"]
    for left in folders:
        left.mkdir()
    ended = subprocess.run([sys.executable, "-c", _KILLED, *map(str, folders)], check=False)
    assert ended.returncode == -9
    return folder


@pytest.fixture
def left(killed: Path, tmp_path: Path) -> Path:
    """What a killed drill left of the backend."""
    return shutil.copytree(killed / "backend", tmp_path / "left")


def test_what_a_killed_drill_changed_is_undone(left: Path) -> None:
    """The journal says which drill it was; after the undoing nothing of it is left."""
    assert Mode.read(left / "backend").status == 503
    journal = Journal(left)
    assert journal.running() is None
    assert journal.left_behind() == "backend-5xx"
    journal.undo(None)
    assert Mode.read(left / "backend") == Mode()
    assert journal.left_behind() is None
    assert not (left / NAME).exists()


def test_the_next_drill_undoes_what_a_killed_one_left(left: Path) -> None:
    """Also where no command came in between: the console begins one by itself."""
    Journal(left).begin("duplicates")
    assert Mode.read(left / "backend") == Mode()


class _NewEmulator:
    """A freshly started emulator, without any functions."""

    def __init__(self) -> None:
        self._running = False

    def running(self) -> bool:
        return self._running

    def start(self, _: int | None) -> None:
        self._running = True

    def last_port(self) -> int:
        return 1

    def endpoint_url(self, _: str) -> str:
        return "http://127.0.0.1:1"

    def open_endpoint(self, *_: Any, **__: Any) -> None:
        """Nobody calls it."""


def test_what_was_changed_in_a_dead_emulator_is_not_undone_in_a_new_one(
    killed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``up`` begins after a drill and the emulator were killed: the function is not there yet."""
    left = shutil.copytree(killed / "function", tmp_path / "left")
    monkeypatch.setattr(laptop, "STATE", left)
    emulator = _NewEmulator()
    deployed_to: list[object] = []
    monkeypatch.setattr(laptop, "emulator", lambda: emulator)
    monkeypatch.setattr(laptop, "_target", lambda _: pytest.fail("The function is gone."))
    started = SimpleNamespace(start=lambda _: None, died=lambda: False, end_session=lambda: None)
    for program in ("backend", "inbox", "live_alarms", "console"):
        monkeypatch.setattr(laptop, program, lambda: started)
    monkeypatch.setattr(laptop, "environment", deployed_to.append)
    assert Journal(left).left_behind()
    settings = load("local")
    laptop.started(settings)
    assert deployed_to == [settings]
    assert Journal(left).left_behind() is None


@pytest.mark.slow
def test_a_drill_killed_at_any_moment_is_undone(tmp_path: Path) -> None:
    """Wherever SIGKILL meets causes, repairs or the undoing, the next command mends all of it."""
    command = [sys.executable, "-m", "tests.webhook_buffer.laptop.killed_drills"]
    done = subprocess.run(
        [*command, str(tmp_path), "16", "40"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    said = json.loads(done.stdout)
    assert (said["killed"], said["left"]) == (40, [])
    assert said["mended"] > 20


def test_what_a_drill_left_parked_is_released(tmp_path: Path) -> None:
    """Held groups and webhooks set aside get a token; a group without parked ones gets none."""
    state = {
        "group_id": {"S": "held"},
        "hold_id": {"S": "h"},
        "id": {"S": "m"},
        "since": {"N": "1"},
    }

    texts = {"kind": "aside", "row": "aside#1", "id": "a", "group_id": "apart", "source": "",
             "reason": "refused"}  # fmt: skip
    numbers = ("received_at", "parked_at", "attempt_count", "expires_at")
    aside = {name: {"S": text} for name, text in texts.items()}
    aside |= {name: {"N": "1"} for name in numbers}
    rows = {"state": [state], "aside": [aside]}

    def paginate(**request: Any) -> list[dict[str, Any]]:
        kind = request["ExpressionAttributeValues"][":kind"]["S"]
        return [{"Items": rows.get(kind, [])}]

    sent: list[dict[str, str]] = []
    target: Any = SimpleNamespace(
        settings=load("local"),
        dynamodb=SimpleNamespace(get_paginator=lambda _: SimpleNamespace(paginate=paginate)),
        sqs=SimpleNamespace(
            get_queue_url=lambda **_: {"QueueUrl": "u"},
            send_message=lambda **message: sent.append(message),
        ),
    )
    journal = Journal(tmp_path)
    journal.begin("held-group")
    for group in ("apart", "held", "open"):
        journal.note(kind="parked", group=group)
    journal.undo(target)
    assert [(message["MessageGroupId"], parse(message["MessageBody"])) for message in sent] == [
        ("held", Token(hold="h")),
        ("apart", Token(row="aside#1")),
    ]


def test_a_running_drill_is_left_alone(tmp_path: Path) -> None:
    """Its own process is alive, so that nothing is left behind, and no other drill begins."""
    journal = Journal(tmp_path)
    journal.begin("a")
    begun = journal.running()
    journal.note(kind="backend")
    assert begun
    assert begun == journal.running()
    assert (begun.drill, begun.pid) == ("a", os.getpid())
    assert journal.left_behind() is None
    document = json.loads((tmp_path / NAME).read_text())
    parent = os.getppid()
    document |= {"pid": parent, "started": psutil.Process(parent).create_time()}
    (tmp_path / NAME).write_text(json.dumps(document))
    with pytest.raises(InputError, match=rf"drill a is running \(pid {parent}\)"):
        Journal(tmp_path).begin("b")


def test_a_change_of_another_release_is_named(tmp_path: Path) -> None:
    """Where it can't be undone; with the emulator's end it is gone, too."""
    journal = Journal(tmp_path)
    journal.begin("a")
    journal.note(kind="held", group="g")
    journal.note(kind="backend")
    Mode(status=503).write(tmp_path / "backend")
    with pytest.raises(WebhookBufferError, match=f"{NAME}: .*'held'.*webhook-buffer down"):
        journal.undo(cast("Environment", SimpleNamespace()))
    assert Mode.read(tmp_path / "backend") == Mode()
    assert (tmp_path / NAME).exists()
    journal.undo(None)
    assert not (tmp_path / NAME).exists()


def test_a_wanted_pace_expires(tmp_path: Path) -> None:
    """A drill renews it; where it was killed, time runs as usual soon after."""
    (tmp_path / "alarms").mkdir()
    Control(3.0, ("x",), until=4e9).write(tmp_path / "alarms")
    assert Control.read(tmp_path / "alarms").pace == 3.0
    Control(3.0, ("x",), until=1.0).write(tmp_path / "alarms")
    assert Control.read(tmp_path / "alarms") == Control()
    for broken in ("", "[]", '{"pace": "x"}', '{"pace": 3, "held": 1, "until": 4e9}'):
        (tmp_path / "alarms" / CONTROL).write_text(broken)
        assert Control.read(tmp_path / "alarms") == Control()


class _LiveAlarms:
    """Live alarms that run, in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def running(self) -> bool:
        return True


def test_states_are_set_only_once_live_alarms_leave_them_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What they set for the minute that is over can't undo what a drill sets."""
    monkeypatch.setattr(laptop, "live_alarms", lambda: _LiveAlarms(tmp_path))
    begun = []

    def step() -> None:
        wanted = Control.read(tmp_path)
        begun.append(wanted.held)
        wanted.put_in_force(tmp_path)

    later = threading.Timer(0.2, step)
    later.start()
    with laptop.held(["a"]):
        assert begun == [("a",)]
    later.join()


def test_a_hold_lasts_as_long_as_its_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is renewed while the command lives; after a kill it ends within seconds by itself."""
    monkeypatch.setattr(laptop, "live_alarms", lambda: _LiveAlarms(tmp_path))
    monkeypatch.setattr(laptop, "_IN_FORCE_SECONDS", 0.0)
    monkeypatch.setattr(wanted, "_RENEWED_SECONDS", 0.001)
    with laptop.held(["a"]):
        first = Control.read(tmp_path)
        assert first.held == ("a",)
        assert first.until - time.time() <= wanted.EXPIRES_SECONDS
        deadline = time.monotonic() + 10
        while Control.read(tmp_path).until == first.until:
            assert time.monotonic() < deadline
    assert Control.read(tmp_path) == Control()


def test_a_busy_machine_does_not_stop_a_drill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where live alarms do not look for what is wanted, the drill goes on after a while."""
    monkeypatch.setattr(laptop, "live_alarms", lambda: _LiveAlarms(tmp_path))
    monkeypatch.setattr(laptop, "_IN_FORCE_SECONDS", 0.1)
    with laptop.held(["a"]):
        assert Control.read(tmp_path).held == ("a",)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"entries": 1}'])
def test_a_damaged_journal_is_no_obstacle(tmp_path: Path, content: str) -> None:
    """Nothing can be undone by it, and the next drill begins."""
    (tmp_path / NAME).write_text(content)
    journal = Journal(tmp_path)
    assert journal.left_behind() is None
    journal.begin("a")
