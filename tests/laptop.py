"""A laptop of the tests' own: the public command, and what it deployed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from settings.loader import load
from settings.paths import ROOT
from tests.emulated_aws import client
from webhook_buffer.laptop.live_alarms import LiveAlarms
from webhook_buffer.operations.environment import Environment

# The programs that ``up`` starts beside the emulator, by their folders.
BESIDE = ("alarms", "backend", "inbox", "datadog", "console")


@dataclass(frozen=True)
class Laptop:
    """A laptop of the tests' own, its state apart from the developer's."""

    state: Path

    def started(self, *arguments: str) -> subprocess.Popen[str]:
        """``webhook-buffer ARGUMENTS``, under way."""
        return subprocess.Popen(
            [str(Path(sys.executable).with_name("webhook-buffer")), *arguments],
            env={**os.environ, "WEBHOOK_BUFFER_STATE": str(self.state), "COLUMNS": "120"},
            text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT,
        )  # fmt: skip

    def run(self, *arguments: str, code: int | None = 0) -> str:
        """What ``webhook-buffer ARGUMENTS`` prints, once it ended with ``code`` (None: any)."""
        with self.started(*arguments) as command:
            output = "".join(command.communicate())
        assert code in (None, command.returncode), output
        assert "Traceback" not in output
        return output

    def process(self, name: str) -> psutil.Process | None:
        """A program that ``up`` has started, if it runs."""
        file = self.state / name / f"{name}.json"
        try:
            process = psutil.Process(json.loads(file.read_text())["pid"])
        except (OSError, psutil.Error):
            return None
        return None if process.status() == psutil.STATUS_ZOMBIE else process

    def begin_session(self) -> None:
        """Live alarms start over: nothing that was broken before is an incident any more."""
        live = LiveAlarms(self.state / "alarms")
        live.end_session()
        live.start()

    def kill(self, name: str) -> None:
        """Ends a program by SIGKILL, if it runs."""
        if process := self.process(name):
            process.kill()
            process.wait()

    @property
    def outputs(self) -> dict[str, str]:
        document = json.loads((self.state / "cdk.out.json").read_text())
        stack_outputs: dict[str, str] = document["webhook-buffer-local"]
        return stack_outputs

    @property
    def emulator(self) -> dict[str, Any]:
        written: dict[str, Any] = json.loads(
            (self.state / "emulator" / "emulator.json").read_text()
        )
        return written

    @property
    def running(self) -> bool:
        """Whether the emulator is there, and so everything that ``up`` deployed."""
        file = self.state / "emulator" / "emulator.json"
        return file.exists() and psutil.pid_exists(self.emulator["pid"])

    @property
    def target(self) -> Environment:
        return Environment(
            settings=load("local"),
            folder=self.state / "local",
            outputs_file=self.state / "cdk.out.json",
            endpoint_url=f"http://127.0.0.1:{self.emulator['port']}",
        )

    def client(self, service: Any) -> Any:
        return client(f"http://127.0.0.1:{self.emulator['port']}", service)

    def record(self, message_id: str) -> dict[str, Any]:
        table = self.outputs["DynamoDBTable"]
        reply = self.client("dynamodb").get_item(TableName=table, Key={"id": {"S": message_id}})
        item: dict[str, Any] = reply.get("Item", {})
        return item
