"""The runbook's first steps, followed to the letter on a laptop where something really fails."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3

from monitoring.alarm_guide import steps
from settings.loader import load
from settings.paths import ROOT
from tests.laptop import Laptop
from tests.waiting import eventually
from webhook_buffer.composition import alarm_set

pytestmark = [pytest.mark.xdist_group("laptop"), pytest.mark.emulator]


@pytest.fixture
def broken(laptop: Laptop) -> Iterator[Laptop]:
    """The laptop, whose backend a test may break; afterwards it works, and nothing waits."""
    yield laptop
    laptop.run("backend", "up")
    sqs = laptop.client("sqs")
    sqs.purge_queue(QueueUrl=laptop.outputs["QueueUrl"])


def _commands(heading: str) -> list[list[str]]:
    """The commands of each first step of a heading, as a notification on the laptop has them."""
    return [re.findall(r"`([^`]+)`", step) for step in steps(heading, alarm_set(load("local")))]


def _follow(laptop: Laptop, command: str) -> str:
    """What a command prints that somebody pastes into a shell, as the runbook says beforehand."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environ = {**os.environ, "PATH": path, "WEBHOOK_BUFFER_STATE": str(laptop.state)}
    result = subprocess.run(
        ["/bin/bash", "-c", command], env={**environ, "COLUMNS": "200"}, cwd=ROOT,
        text=True, capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    assert result.returncode == 0, f"{command}\n{result.stdout}{result.stderr}"
    return result.stdout


def _send(laptop: Laptop, **flags: object) -> tuple[str, str]:
    """Group and message id of an accepted webhook with flags for the backend."""
    group = f"runbook-{uuid.uuid4().hex[:8]}"
    body = json.dumps({"group_id": group, **flags})
    reply = urllib3.request("POST", laptop.outputs["BufferedEndpoint"], body=body)
    return group, reply.json()["message_id"]


def _line(laptop: Laptop, command: str, *parts: str) -> str:
    """The first line of a command's output that has all parts, once there is one."""

    def matching_line() -> str | None:
        lines = _follow(laptop, command).splitlines()
        return next((line for line in lines if all(part in line for part in parts)), None)

    line: str = eventually(matching_line)
    return line


def test_backend_down(broken: Laptop) -> None:
    """The log says that connections are refused, status where to; then all is delivered."""
    [see], _, [where], _ = _commands("backend-down")
    broken.run("backend", "down")
    group, message_id = _send(broken)
    _line(broken, see, "webhook.failed", f"group_id={group}", "error=ConnectionRefused")
    assert re.search(r"backend +│ http://127\.0\.0\.1:\d+ is down", _follow(broken, where))
    broken.run("backend", "up")
    eventually(lambda: "delivered_timestamp" in broken.record(message_id))


def test_backend_redirects(broken: Laptop) -> None:
    """The log has groups and status codes, and the URL that status shows answers with them."""
    [see], [ask, where], *_ = _commands("backend-redirects")
    broken.run("backend", "status", "302")
    group, _ = _send(broken)
    _line(broken, see, "webhook.failed", f"group_id={group}", "http.status_code=302")
    shown = re.search(r"backend +│ (http://[\d.:]+)", _follow(broken, where))
    assert shown
    assert _follow(broken, ask.replace("BACKEND_URL", shown[1])).startswith("HTTP/1.1 302")


def test_blocked_group(broken: Laptop) -> None:
    """The log names the webhook that blocks, and no other; its group's lines are a command away."""
    [find], *_ = _commands("blocked-group")
    group, message_id = _send(broken, faux_backend_force_status_code=422)
    other, _ = _send(broken)
    line = _line(broken, find, "webhook.failed", f"message_id={message_id}")
    assert f"group_id={group} " in line
    assert " http.status_code=422 " in line
    assert other not in _follow(broken, find)
    of_group = _follow(broken, f"webhook-buffer logs --env local --group {group}").splitlines()
    assert len(of_group) >= 2
    assert all(f"group_id={group} " in entry for entry in of_group)
