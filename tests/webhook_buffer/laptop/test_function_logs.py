"""The emulator's logs of functions, where its own reading comes late."""

from __future__ import annotations

import io
import threading
import time
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from ministack.core import lambda_runtime
from ministack.core.lambda_runtime import Worker

from webhook_buffer.laptop import function_logs

_HANDLER = """
def handler(event, context):
    print("first")
    print("last", end="")
    if event.get("fails"):
        raise RuntimeError("as asked")
"""


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    """A function whose output is read slowly, as on a busy machine."""
    readers = []

    def late(self: Any) -> None:
        readers.append((threading.current_thread(), self._proc))
        for line in self._proc.stderr:
            time.sleep(0.02)
            self._stderr_queue.put(line.rstrip("\n"))

    monkeypatch.setattr(Worker, "_read_stderr", late)
    monkeypatch.setattr(Worker, "_drain_stderr_bounded", Worker._drain_stderr_bounded)
    script = lambda_runtime._PYTHON_WORKER_SCRIPT
    monkeypatch.setattr(lambda_runtime, "_PYTHON_WORKER_SCRIPT", script)
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("code.py", _HANDLER)
    config = {
        "Runtime": "python3.14",
        "Handler": "code.handler",
        "Timeout": 30,
        "MemorySize": 128,
        "FunctionArn": "arn:aws:lambda:us-east-1:000000000000:function:late",
    }
    worker = Worker("late", config, code.getvalue())
    yield worker
    worker.kill()
    for reader, process in readers:
        reader.join()
        for stream in (process.stdin, process.stdout, process.stderr):
            stream.close()


def test_a_log_is_whole_when_its_invocation_has_ended(worker: Worker) -> None:
    """And nothing of it is left to the next; of one that fails, too."""
    function_logs.install()
    function_logs.install()
    for event in ({}, {}, {"fails": True}, {}):
        assert worker.invoke(event, "request")["log"] == "first\nlast"


def test_another_version_of_the_emulator_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its worker would never end its output with a mark."""
    monkeypatch.setattr(lambda_runtime, "_PYTHON_WORKER_SCRIPT", "serve_forever()\n")
    with pytest.raises(RuntimeError, match="ministack"):
        function_logs.install()
