"""Kills a drill at many moments, mends after each, and prints what is not as it was, as JSON.

``python -m tests.webhook_buffer.laptop.killed_drills FOLDER SEED KILLS``. Causes, repairs and
journal are the real ones; functions, queue and table are a file. A program of its own, because it
forks: in a process without threads.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType, SimpleNamespace
from typing import Any

from settings.loader import load
from webhook_buffer.laptop.drills.causes import CAUSES, Stage
from webhook_buffer.laptop.journal import Journal
from webhook_buffer.laptop.practice import Mode
from webhook_buffer.live.control import Control
from webhook_buffer.operations import drill_record
from webhook_buffer.operations.files import write

_NAME = "everything"
_CAUSES = ("backend-503", "subscribe-without-table", "subscribe-disabled")


class World:
    """What a drill changes, in a folder; it answers as AWS's clients do."""

    def __init__(self, folder: Path, *, hidden: int) -> None:
        self.folder = folder
        self._file = folder / "aws.json"
        (folder / "alarms").mkdir()
        variables = {"TABLE": "t", "QUEUE": "q"}
        self._change(variables=variables, enabled=True, hidden=str(hidden), record=None)

    def _change(self, **changed: Any) -> None:
        known = json.loads(self._file.read_text()) if self._file.exists() else {}
        write(self._file, json.dumps(known | changed))

    def all(self) -> dict[str, Any]:
        """Everything as it is now."""
        return {
            **json.loads(self._file.read_text()),
            "backend": Mode.read(self.folder / "backend").words,
            "pace": Control.read(self.folder / "alarms").pace,
        }

    def get_function_configuration(self, **_: Any) -> dict[str, Any]:
        return {"Environment": {"Variables": self.all()["variables"]}}

    def update_function_configuration(self, **asked: Any) -> None:
        self._change(variables=asked["Environment"]["Variables"])

    def list_event_source_mappings(self, **_: Any) -> dict[str, Any]:
        return {"EventSourceMappings": [{"UUID": "u"}]}

    def update_event_source_mapping(self, **asked: Any) -> None:
        self._change(enabled=asked["Enabled"])

    def get_queue_url(self, **_: Any) -> dict[str, str]:
        return {"QueueUrl": "http://127.0.0.1/q"}

    def set_queue_attributes(self, **asked: Any) -> None:
        self._change(hidden=asked["Attributes"]["VisibilityTimeout"])

    def put_item(self, **asked: Any) -> None:
        self._change(record=asked["Item"])

    def delete_item(self, **_: Any) -> None:
        self._change(record=None)


def _drill(world: World, target: Any) -> None:
    """In the order of a real one."""
    backend: Any = SimpleNamespace(set=lambda mode: mode.write(world.folder / "backend"))
    nothing_sent: Any = None
    journal = Journal(world.folder)
    journal.begin(_NAME)
    try:
        journal.note(kind="control")
        Control(3.0, until=4e9).write(world.folder / "alarms")
        journal.note(kind="record")
        drill_record.write(target, _NAME, {})
        stage = Stage(target, backend, nothing_sent, journal)
        for cause in _CAUSES:
            CAUSES[cause](stage)
        stage.repair()
    finally:
        journal.undo(target)


def _traced(drill: Callable[[], None], at_line: Callable[[int], None]) -> None:
    """Runs it, and says before each line of Python how many there were."""
    lines = 0

    def trace(_frame: FrameType, event: str, _: Any) -> Any:
        nonlocal lines
        if event == "line":
            at_line(lines)
            lines += 1
        return trace

    sys.settrace(trace)
    try:
        drill()
    finally:
        sys.settrace(None)


def _killed(drill: Callable[[], None], moment: int) -> bool:
    """Runs it in a fork that ends by SIGKILL at a moment."""
    pid = os.fork()
    if pid == 0:

        def end(line: int) -> None:
            if line == moment:
                os.kill(os.getpid(), signal.SIGKILL)

        _traced(drill, end)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    return os.WIFSIGNALED(status)


def main() -> None:
    """Prints how many were killed, how many were mended, and what was left after that."""
    folder, seed, kills = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    settings = load("local")
    world = World(folder, hidden=settings.visibility_seconds)
    target: Any = SimpleNamespace(settings=settings, functions=world, sqs=world, dynamodb=world)
    before = world.all()

    def drill() -> None:
        _drill(world, target)

    drill()  # whatever only a first one does
    lines: list[int] = []
    _traced(drill, lines.append)
    killed = mended = 0
    left = []
    for moment in random.Random(seed).sample(range(lines[-1]), kills):
        killed += _killed(drill, moment)
        journal = Journal(folder)
        if journal.left_behind() == _NAME:
            journal.undo(target)
            mended += 1
        if world.all() != before or Journal(folder).left_behind():
            left.append([moment, world.all()])
    print(json.dumps({"killed": killed, "mended": mended, "left": left}))


if __name__ == "__main__":
    main()
