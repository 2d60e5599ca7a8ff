"""Drills on the deployed laptop: the whole chain, and what a killed one leaves."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from lambdas import drills
from tests.laptop import BESIDE, Laptop
from tests.waiting import eventually
from webhook_buffer.laptop.journal import Journal
from webhook_buffer.laptop.practice import Mode
from webhook_buffer.live.control import Control

pytestmark = [pytest.mark.xdist_group("drills"), pytest.mark.emulator]

_NEVER = ("nothing is lost", "nothing is out of order", "nothing is left behind")


@pytest.mark.parametrize("name", ["backend-unreachable", "queue-refuses", "duplicates"])
def test_a_drill_passes(laptop: Laptop, tmp_path: Path, name: str) -> None:
    """Signals within their limits, people notified that it is a drill, nothing lost.

    At 3 s a minute an emulator on a busy machine can miss a limit, so a drill may be run once
    more; nothing may be lost or out of order in either run.
    """
    file = tmp_path / "results.json"
    laptop.begin_session()
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
    """Also where every program beside the emulator was killed with it; they run again."""
    laptop.begin_session()
    with laptop.started("drill", "run", "backend-5xx") as drill:
        eventually(lambda: Mode.read(laptop.state / "backend").status == 503, seconds=60)
        drill.kill()
        for name in BESIDE:
            laptop.kill(name)
    assert Mode.read(laptop.state / "backend").status == 503
    status = laptop.run("status")
    assert "undid what the drill backend-5xx had changed" in status
    assert Mode.read(laptop.state / "backend") == Mode()
    for words in (
        "the faux backend had died", "the inbox had died", "live alarms had died",
        "the fake Datadog had died", "the console had died", "answers 200",
    ):  # fmt: skip
        assert words in status
    assert all(laptop.process(name) for name in BESIDE)


def test_an_alarm_s_drill_that_was_killed_is_undone_by_the_next_command(laptop: Laptop) -> None:
    """No alarm stays on or unjudged, and what fires next is real."""
    alarm = "webhook-buffer-local-backend-down"
    alarms, table = laptop.client("cloudwatch"), laptop.client("dynamodb")
    name = laptop.target.settings.incidents_table_name

    def on() -> list[Any]:
        asked = alarms.describe_alarms(AlarmNames=[alarm], StateValue="ALARM")
        return list(asked["MetricAlarms"])

    with laptop.started("alarms", "drill", "backend-down") as drill:
        try:
            eventually(on, seconds=60)
            drill.send_signal(signal.SIGSTOP)
            refused = laptop.run("drill", "run", "duplicates", code=None)
        finally:
            drill.kill()
    assert f"The drill backend-down is running (pid {drill.pid})" in refused
    assert "Item" in table.get_item(TableName=name, Key=drills.KEY)
    assert "undid what the drill backend-down had changed" in laptop.run("status")
    assert not on()
    assert "Item" not in table.get_item(TableName=name, Key=drills.KEY)
    assert not Control.read(laptop.state / "alarms").held
