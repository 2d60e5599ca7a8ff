"""Drills from the page: one at a time, watched, stopped, and judged."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from settings.errors import InputError, ToolError
from settings.loader import load
from tests.waiting import eventually
from webhook_buffer.composition import alarm_set
from webhook_buffer.console.drills import Drills
from webhook_buffer.laptop.drills.verdict import Claim, Result
from webhook_buffer.laptop.journal import NAME
from webhook_buffer.live.control import Control
from webhook_buffer.operations.environment import Environment

_NAME = "backend-unreachable"


class _Runner:
    """Runs a drill step by step, as the test says."""

    def __init__(self) -> None:
        self.step = threading.Semaphore(0)
        self.undone = False
        self.error: Exception | None = None
        self.pace = 0.0

    def __call__(
        self, drill: Any, _: Any, *, pace: float, progress: Callable[[str], None]
    ) -> Result:
        self.pace = pace
        try:
            for doing in ("healthy", "cause"):
                progress(doing)
                assert self.step.acquire(timeout=10)
            if self.error:
                raise self.error
        finally:
            progress("mending")
            self.undone = True
        claims = [Claim("backend-down is on within 3 min", True, "after 2 min")]
        return Result(
            drill=drill.name, title=drill.title, pace=pace, begun=0.0, users_notice=True,
            claims=claims,
        )  # fmt: skip


@pytest.fixture
def runner() -> _Runner:
    return _Runner()


def _live(folder: Path) -> Path:
    live = folder / "alarms"
    live.mkdir(exist_ok=True)
    return live


@pytest.fixture
def drills(runner: _Runner, tmp_path: Path) -> Iterator[Drills]:
    settings = load("local")
    target = Environment(
        settings=settings, folder=tmp_path, outputs_file=tmp_path / "o.json",
        endpoint_url="http://127.0.0.1:9", public_url="http://127.0.0.1:9",
    )  # fmt: skip
    yield Drills(target, alarm_set(settings), _live(tmp_path), runner)
    for _ in range(2):
        runner.step.release()


def _current(drills: Drills) -> dict[str, Any]:
    current = drills.document()["current"]
    assert isinstance(current, dict)
    return current


def test_every_drill_says_what_has_to_fire(drills: Drills) -> None:
    """Within which time, or why it can't be run here."""
    document = drills.document()
    assert document["current"] is None
    for drill in document["drills"]:
        assert drill["expects"] or drill["lacking"], drill["name"]
    [first] = [entry for entry in document["drills"] if entry["name"] == _NAME]
    assert first["expects"] == [{"signal": "backend-down", "minutes": 3}]


def test_one_runs_to_its_verdict(drills: Drills, runner: _Runner) -> None:
    """What it does is shown meanwhile, and no other one begins."""
    drills.start(_NAME, 3.0)
    eventually(lambda: _current(drills)["doing"] == "healthy")
    with pytest.raises(InputError, match=f"{_NAME} is running"):
        drills.start("backend-5xx", 3.0)
    runner.step.release()
    eventually(lambda: _current(drills)["doing"] == "cause")
    runner.step.release()
    eventually(lambda: _current(drills)["over"])
    current = _current(drills)
    assert (current["failed"], current["verdict"]["passed"]) == (None, True)
    assert current["verdict"]["claims"][0]["seen"] == "after 2 min"


def test_it_is_stopped_at_its_next_step(drills: Drills, runner: _Runner) -> None:
    """And what it changed is undone."""
    drills.start(_NAME, 3.0)
    eventually(lambda: _current(drills)["doing"] == "healthy")
    drills.stop()
    assert _current(drills)["stopping"]
    runner.step.release()
    eventually(lambda: _current(drills)["over"])
    assert runner.undone
    assert "was stopped" in _current(drills)["failed"]
    with pytest.raises(InputError, match="No drill is running"):
        drills.stop()


def test_what_goes_wrong_is_said(drills: Drills, runner: _Runner) -> None:
    """In the words of the error, and another one can begin."""
    runner.error = ToolError("The emulator died.")
    drills.start(_NAME, 3.0)
    for _ in range(2):
        runner.step.release()
    eventually(lambda: _current(drills)["over"])
    assert _current(drills)["failed"] == "The emulator died."
    assert _current(drills)["verdict"] is None


@pytest.mark.parametrize(
    ("name", "pace", "error"),
    [("unknown", 3.0, "known drills"), (_NAME, 1.0, "3 s to 60 s"), (_NAME, float("nan"), "60 s")],
)
def test_nonsense_is_refused(drills: Drills, name: str, pace: float, error: str) -> None:
    """Before anything is changed."""
    with pytest.raises(InputError, match=error):
        drills.start(name, pace)
    assert drills.document()["current"] is None


def test_no_minute_is_shorter_than_the_drill_needs(drills: Drills, runner: _Runner) -> None:
    """A slow backend needs 15 s."""
    drills.start("backend-slow", 3.0)
    eventually(lambda: runner.pace)
    assert runner.pace == 15.0


def test_a_file_cannot_be_drilled() -> None:
    """Nothing runs that could fail."""
    drills = Drills(None, alarm_set(load("local")), None)
    assert drills.document()["drills"] == []
    with pytest.raises(InputError, match="shows a file"):
        drills.start(_NAME, 3.0)


def test_a_drill_that_a_command_started_is_shown(drills: Drills, tmp_path: Path) -> None:
    """With its pace and since when; none begins beside it, and nothing is shown once it is over."""
    parent = psutil.Process(os.getppid())
    journal = {
        "drill": "backend-404", "pid": parent.pid, "started": parent.create_time(),
        "begun": 1000.0, "entries": [],
    }  # fmt: skip
    (tmp_path / NAME).write_text(json.dumps(journal))
    Control(60.0, until=4e9).write(_live(tmp_path))
    current = _current(drills)
    assert current["doing"] == f"started by a command (pid {parent.pid})"
    assert {name: current[name] for name in ("name", "pace", "begun", "elsewhere", "over")} == {
        "name": "backend-404", "pace": 60.0, "begun": 1000.0, "elsewhere": True, "over": False,
    }  # fmt: skip
    with pytest.raises(InputError, match="backend-404 is running, started by a command"):
        drills.start(_NAME, 3.0)
    (tmp_path / NAME).unlink()
    assert drills.document()["current"] is None


def test_a_pace_is_asked_for_outside_of_drills(drills: Drills, tmp_path: Path) -> None:
    """Live alarms take it for some minutes; a drill that runs keeps its own."""
    live = _live(tmp_path)
    drills.pace(3.0)
    asked = Control.read(live)
    assert asked.pace == 3.0
    assert 0 < asked.until - time.time() <= 900
    drills.pace(60.0)
    assert Control.read(live).pace == 60.0
    with pytest.raises(InputError, match="3 s to 60 s"):
        drills.pace(1.0)
    with pytest.raises(InputError, match="3 s to 60 s"):
        drills.pace(float("nan"))
    Control(15.0, until=4e9, mark=(1.0, "drill backend-slow: begun")).write(live)
    with pytest.raises(InputError, match="A drill is running"):
        drills.pace(3.0)
    assert Control.read(live).pace == 15.0
    with pytest.raises(InputError, match="saved session"):
        Drills(None, alarm_set(load("local")), None).pace(3.0)
