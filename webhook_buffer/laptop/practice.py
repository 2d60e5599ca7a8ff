"""The faux backend of `up`: a program of its own on a fixed port, which anybody can break.

What it does is in a file of its folder, so that what broke it outlives neither a command nor a
program: ``mode.json``, written by ``webhook-buffer backend`` and by drills. What it received is in
``received.jsonl``: no body, but its digest.
"""

from __future__ import annotations

import hashlib
import json
import random
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lambdas.faux_backend import Answer, FauxBackend
from lambdas.faux_backend import Received as Request
from settings.errors import ToolError
from settings.paths import ROOT
from webhook_buffer.laptop.backend import ScriptedBackend
from webhook_buffer.laptop.programs import program
from webhook_buffer.laptop.programs.process import Background, Running, listens_itself, usable_port
from webhook_buffer.operations.files import private_folder, write

DEFAULT_PORT = 4568
# The mode that is wanted, the one that the program has taken up, and what came.
MODE, IN_FORCE, RECEIVED = "mode.json", "mode-in-force.json", "received.jsonl"
_WATCH_SECONDS = 0.05
_EFFECT_SECONDS = 20.0
# From this size on the older half of what was received is dropped.
_FILE_BYTES = 32 * 2**20
# The headers of a request that say which webhook it is.
_KEPT_HEADERS = (
    "x-buffer-message-id", "x-buffer-group", "x-buffer-sequence", "x-buffer-attempt",
    "x-buffer-received-at", "x-demo-number", "x-drill-number", "x-github-delivery",
    "x-github-event", "x-hub-signature-256",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mode:
    """What the faux backend does with every request.

    Attributes:
        listens: whether it accepts connections at all.
        status: what it answers.
        slow: between which seconds it waits before each answer.
        reset: whether it breaks off each connection instead.
        refused_group: a group whose webhooks it answers with ``refusal`` alone.
        refused_number: a drill's number of a webhook that it answers with ``refusal`` alone.
        refusal: a status.
    """

    listens: bool = True
    status: int = 200
    slow: tuple[float, float] | None = None
    reset: bool = False
    refused_group: str | None = None
    refused_number: str | None = None
    refusal: int = 422

    @property
    def words(self) -> str:
        """``answers 503``, ``is down``."""
        if not self.listens:
            return "is down: it refuses connections"
        if self.reset:
            return "breaks off every connection"
        if self.refused_group:
            return f"answers {self.refusal} to the group {self.refused_group}, 200 to others"
        if self.refused_number:
            return f"answers {self.refusal} to the webhook {self.refused_number}, 200 to others"
        waits = "" if self.slow is None else f" after {_seconds(self.slow)}"
        return f"answers {self.status}{waits}"

    @classmethod
    def read(cls, folder: Path, name: str = MODE) -> Mode:
        """The mode of a folder; the healthy one where none is written."""
        try:
            said = json.loads((folder / name).read_text())
            slow = said.pop("slow", None)
            return cls(slow=tuple(slow) if slow else None, **said)
        except (OSError, ValueError, TypeError, AttributeError):
            return cls()

    def write(self, folder: Path, name: str = MODE) -> None:
        """Makes it the mode of a folder.

        Raises:
            FileError: When it can't be written.
        """
        private_folder(folder)
        write(folder / name, json.dumps(asdict(self)))


def _seconds(slow: tuple[float, float]) -> str:
    low, high = slow
    return f"{low:g} s" if low == high else f"{low:g} to {high:g} s"


class PracticeBackend(Background):
    """The program, as commands see it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "backend")

    def start(self, port: int | None = None) -> Running:
        """Starts it where it is not running.

        Args:
            port: on 127.0.0.1; taken only if it is free, for a deployment follows.

        Raises:
            ToolError: When it does not come up.
        """
        known = self.running()
        if known:
            return known
        private_folder(self.folder)
        (self.folder / IN_FORCE).unlink(missing_ok=True)
        port = usable_port(self.last_port(), port)
        process, running = self._spawn(
            "webhook_buffer.laptop.practice", "--port", str(port), "--folder", str(self.folder),
            port=port, cwd=ROOT, environ={},
        )  # fmt: skip

        def in_force() -> bool:
            taken_up = (self.folder / IN_FORCE).exists()
            return taken_up and self.mode.listens is listens_itself(running)

        self._await(process, "The faux backend", in_force)
        return running

    @property
    def mode(self) -> Mode:
        return Mode.read(self.folder)

    def set(self, mode: Mode) -> None:
        """Changes what it does, and waits until it does so.

        Raises:
            ToolError: When it does not, because it is not running.
        """
        mode.write(self.folder)
        deadline = time.monotonic() + _EFFECT_SECONDS
        while not self.running() or Mode.read(self.folder, IN_FORCE) != mode:
            if not self.running() or time.monotonic() > deadline:
                raise ToolError(
                    "The faux backend is not running. To start it: webhook-buffer up",
                    log=self.log,
                )
            time.sleep(0.02)

    def received(self, since: float = 0.0) -> list[dict[str, Any]]:
        """What it received since a moment (Unix seconds), in order."""
        return [entry for entry in entries(self.folder / RECEIVED) if entry["at"] >= since]


def entries(file: Path) -> Iterator[dict[str, Any]]:
    """The entries of a file with one JSON document per line; half a line at its end is left."""
    if not file.exists():
        return
    with file.open("rb") as stream:
        for line in stream:
            if line.endswith(b"\n"):
                yield json.loads(line)


class _Practice(FauxBackend):
    """Answers by its folder's mode, and writes down what came."""

    def __init__(self, folder: Path) -> None:
        super().__init__(obey_flags=True)
        self.received.clear()
        self.mode = Mode.read(folder)
        self._file = folder / RECEIVED
        self._writing = threading.Lock()

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        at, mode = time.time(), self.mode
        answer = self._flagged(body) or self._by(mode, headers)
        status = None if answer.reset else answer.status
        self._write(Request(at, method, target, headers, body, status))
        if answer.delay:
            time.sleep(answer.delay)
        return answer

    def _by(self, mode: Mode, headers: Mapping[str, str]) -> Answer:
        refused = {
            "x-buffer-group": mode.refused_group,
            "x-drill-number": mode.refused_number,
        }
        if any(value and headers.get(name) == value for name, value in refused.items()):
            return Answer(mode.refusal)
        delay = random.uniform(*mode.slow) if mode.slow else 0.0
        return Answer(mode.status, delay, mode.reset)

    def _write(self, request: Request) -> None:
        entry = {
            "at": request.at,
            "method": request.method,
            "target": request.target,
            "status": request.status,
            "bytes": len(request.body),
            "sha256": hashlib.sha256(request.body).hexdigest(),
            "headers": {k: request.headers[k] for k in _KEPT_HEADERS if k in request.headers},
        }
        with self._writing:
            append(self._file, entry)


def append(file: Path, entry: Mapping[str, Any]) -> None:
    """Appends an entry to a file of entries, whose older half goes when it gets too long."""
    if file.exists() and file.stat().st_size > _FILE_BYTES:
        lines = file.read_bytes().splitlines(keepends=True)
        write(file, b"".join(lines[len(lines) // 2 :]).decode())
    with file.open("a") as stream:
        stream.write(json.dumps(entry, separators=(",", ":")) + "\n")


def main() -> None:
    """Serves until it is ended."""
    arguments = program.arguments("practice", __doc__, listens=True)
    ended = program.end()
    practice = _Practice(arguments.folder)
    in_force = None
    with ScriptedBackend(practice, arguments.port) as backend:
        while not ended.wait(_WATCH_SECONDS):
            practice.mode = Mode.read(arguments.folder)
            if practice.mode.listens:
                backend.resume()
            else:
                backend.refuse()
            if practice.mode != in_force:
                in_force = practice.mode
                in_force.write(arguments.folder, IN_FORCE)


if __name__ == "__main__":
    main()
