"""``make soak``: drills during which a program of the laptop is killed, at random moments.

Deploys a laptop of its own. Prints what was killed and when, with the seed that plays the same
again (``python -m tests.killed_programs --seed 4711``); ends with 1 at the first one that the next
command does not mend.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

import urllib3

from settings.loader import load
from tests.laptop import BESIDE, Laptop
from tests.waiting import eventually
from webhook_buffer.composition import alarm_set
from webhook_buffer.laptop.drills.catalog import DRILLS
from webhook_buffer.laptop.drills.seen import Place
from webhook_buffer.laptop.drills.snapshot import differences, snapshot
from webhook_buffer.laptop.journal import Journal
from webhook_buffer.laptop.live_alarms import LiveAlarms
from webhook_buffer.laptop.practice import PracticeBackend
from webhook_buffer.laptop.programs.process import free_port
from webhook_buffer.live.pace import FASTEST

_PROGRAMS = ("drill", "emulator", *BESIDE)
# Real seconds of a drill within which something is killed; most causes are repaired by then.
_UNTIL = 35.0
# Real seconds that it goes on without the program, before it is killed as well.
_GOES_ON = 30.0
_DRILLS = [drill.name for drill in DRILLS.values() if drill.least_pace == FASTEST]


def _place(laptop: Laptop) -> Place:
    return Place(
        laptop.target, alarm_set(load("local")), laptop.outputs["BufferedEndpoint"], laptop.state,
        PracticeBackend(laptop.state / "backend"), LiveAlarms(laptop.state / "alarms"),
    )  # fmt: skip


def _kill(laptop: Laptop, seed: int) -> str:
    """Runs a drill and kills a program during it; what that was, in words."""
    chance = random.Random(seed)
    name, program = chance.choice(_DRILLS), chance.choice(_PROGRAMS)
    laptop.begin_session()
    moment, both = chance.uniform(0, _UNTIL), program == "drill" or chance.random() < 0.5
    with laptop.started("drill", "run", name) as drill:
        time.sleep(moment)
        if program != "drill":
            laptop.kill(program)
        with contextlib.suppress(subprocess.TimeoutExpired):
            drill.wait(0 if both else _GOES_ON)
        drill.kill()
        output = "".join(drill.communicate())
    assert "Traceback" not in output, output
    others = "" if program == "drill" else ", the drill with it" if both else ", then the drill"
    return f"seed {seed}: {name}, {program} killed after {moment:.1f} s{others}"


def _check(laptop: Laptop, before: dict[str, object] | None) -> None:
    """Everything runs and is as it was, and a webhook arrives."""
    assert Journal(laptop.state).left_behind() is None
    lacking = [name for name in ("emulator", *BESIDE) if laptop.process(name) is None]
    assert not lacking, f"not running: {lacking}"
    place = _place(laptop)
    if before is not None:
        eventually(lambda: not differences(before, snapshot(place)), seconds=60)
    assert place.backend.mode.words == "answers 200"
    body = f'{{"group_id": "{uuid.uuid4().hex}"}}'
    reply = urllib3.request("POST", place.endpoint, body=body)
    assert reply.status == 200, reply.data
    eventually(
        lambda: "delivered_timestamp" in laptop.record(reply.json()["message_id"]), seconds=60
    )


def main() -> None:
    """Kills a program, mends the session, and checks it, ``--kills`` times."""
    parser = argparse.ArgumentParser(prog="python -m tests.killed_programs")
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--seed", type=int, help="play this one alone")
    chosen = parser.parse_args()
    first = random.randrange(10**6) if chosen.seed is None else chosen.seed
    kills = 1 if chosen.seed is not None else chosen.kills
    with tempfile.TemporaryDirectory() as folder:
        laptop = Laptop(Path(folder) / "state")
        laptop.run("up", "--port", str(free_port()))
        try:
            for seed in range(first, first + kills):
                before = snapshot(_place(laptop))
                what = _kill(laptop, seed)
                fresh = laptop.process("emulator") is None
                mended = laptop.run("up" if fresh else "status")
                try:
                    _check(laptop, None if fresh else before)
                except AssertionError as error:
                    print(f"{what}: not mended: {error}", mended, sep="\n")
                    sys.exit(1)
                print(f"{what}: mended", flush=True)
        finally:
            laptop.run("down")
    print(f"{kills} kills, all mended by the next command")


if __name__ == "__main__":
    main()
