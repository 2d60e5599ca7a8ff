"""Drills on the deployed laptop: the whole chain, and what a killed one leaves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from settings.paths import ROOT
from tests.conftest import eventually
from tests.laptop import Laptop
from webhook_buffer.laptop.journal import Journal
from webhook_buffer.laptop.practice import Mode

pytestmark = pytest.mark.emulator

_NEVER = ("nothing is lost", "nothing is out of order", "nothing is left behind")


@pytest.mark.parametrize("name", ["backend-unreachable", "queue-refuses", "duplicates"])
def test_a_drill_passes(laptop: Laptop, tmp_path: Path, name: str) -> None:
    """Signals within their limits, people notified and told that it is a drill, nothing lost.

    At 3 s a minute an emulator on a busy machine can miss a limit, so a drill may be run once
    more; nothing may be lost or out of order in either run.
    """
    file = tmp_path / "results.json"
    for _ in range(2):
        laptop.run("drill", "run", name, "--json", str(file), code=None)
        [result] = json.loads(file.read_text())["drills"]
        failed = [claim for claim in result["claims"] if not claim["holds"]]
        assert not [claim for claim in failed if claim["what"] in _NEVER], failed
        if not failed:
            break
    assert result["passed"], failed
    assert result["accepted"] == result["delivered"] > 0
    assert result["pace"] == 3
    assert Journal(laptop.state).left_behind() is None


def test_a_killed_drill_is_undone_by_the_next_command(laptop: Laptop) -> None:
    """Also where the faux backend and live alarms were killed with it."""
    command = [str(Path(sys.executable).with_name("webhook-buffer")), "drill", "run", "backend-5xx"]
    environ = {**os.environ, "WEBHOOK_BUFFER_STATE": str(laptop.state)}
    folder = laptop.state / "backend"
    with subprocess.Popen(
        command, env=environ, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as drill:
        eventually(lambda: Mode.read(folder).status == 503, seconds=60)
        for name in ("alarms", "backend"):
            pid = json.loads((laptop.state / name / f"{name}.json").read_text())["pid"]
            psutil.Process(pid).kill()
        drill.send_signal(signal.SIGKILL)
    assert Mode.read(folder).status == 503
    status = laptop.run("status")
    assert "undid what the drill backend-5xx had changed" in status
    assert Mode.read(folder) == Mode()
    for words in ("the faux backend had died", "live alarms had died", "answers 200"):
        assert words in status
