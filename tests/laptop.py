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
from tests.conftest import client
from webhook_buffer.operations.environment import Environment


@dataclass(frozen=True)
class Laptop:
    """A laptop of the tests' own, its state apart from the developer's."""

    state: Path

    def run(self, *arguments: str, code: int | None = 0) -> str:
        """What ``webhook-buffer ARGUMENTS`` prints, once it ended with ``code`` (None: any)."""
        command = [str(Path(sys.executable).with_name("webhook-buffer")), *arguments]
        environ = {**os.environ, "WEBHOOK_BUFFER_STATE": str(self.state), "COLUMNS": "120"}
        result = subprocess.run(
            command, env=environ, text=True, capture_output=True, check=False, cwd=ROOT
        )
        output = result.stdout + result.stderr
        assert code in (None, result.returncode), output
        assert "Traceback" not in output
        return output

    @property
    def outputs(self) -> dict[str, str]:
        document = json.loads((self.state / "cdk.out.json").read_text())
        found: dict[str, str] = document["webhook-buffer-local"]
        return found

    @property
    def emulator(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.state / "emulator" / "emulator.json").read_text())
        return found

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
        found: dict[str, Any] = reply.get("Item", {})
        return found
