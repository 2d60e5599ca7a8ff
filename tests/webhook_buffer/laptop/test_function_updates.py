"""Updates of functions on the emulator: what runs meanwhile ends in its own time."""

from __future__ import annotations

import io
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ministack.core import lambda_runtime
from ministack.core.lambda_runtime import Worker

from tests.waiting import eventually
from webhook_buffer.laptop import function_updates

_HANDLER = """
import pathlib, time

def handler(event, context):
    folder = pathlib.Path(event["folder"])
    (folder / "begun").touch()
    while not (folder / "go").exists():
        time.sleep(0.01)
    return "done"
"""


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    monkeypatch.setattr(lambda_runtime, "kill_workers", lambda_runtime.kill_workers)
    monkeypatch.setattr(lambda_runtime, "_workers", {})
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("code.py", _HANDLER)
    config = {
        "Runtime": "python3.14", "Handler": "code.handler", "Timeout": 30, "MemorySize": 128,
        "FunctionArn": "arn:aws:lambda:us-east-1:000000000000:function:updated",
    }  # fmt: skip
    worker, _ = lambda_runtime.acquire_worker("updated", config, code.getvalue())
    yield worker
    worker.kill()


def test_an_invocation_outlives_an_update(worker: Worker, tmp_path: Path) -> None:
    """It gets its result, its worker is killed after it, and an idle worker at once."""
    function_updates.install()
    results: list[dict[str, Any]] = []

    def invoke() -> None:
        results.append(worker.invoke({"folder": str(tmp_path)}, "request-1"))

    running = threading.Thread(target=invoke)
    running.start()
    eventually(lambda: (tmp_path / "begun").exists())
    process = worker._proc
    streams = (process.stdin, process.stdout, process.stderr)
    lambda_runtime.invalidate_worker("updated")
    assert process.poll() is None
    (tmp_path / "go").touch()
    running.join()
    eventually(lambda: process.poll() is not None)
    assert [(result["status"], result.get("result")) for result in results] == [("ok", "done")]
    worker._stderr_thread.join()
    for stream in streams:
        stream.close()
