"""Failures recorded for the benchmark: the drills' causes at 60 s a minute, in a fresh buffer.

What the laptop can't show (a retention of days, 100,000 in flight, half an hour without traffic)
stands in ``webhook_buffer.benchmark.simulation`` only.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from alarmproof.base.alarms import AnyAlarm
from alarmproof.base.metric_data import Series

from settings.schema import Settings
from webhook_buffer.benchmark.scenarios import RECORDINGS, Recording
from webhook_buffer.laptop import laptop
from webhook_buffer.laptop.drills.catalog import DRILLS
from webhook_buffer.laptop.drills.causes import CAUSES, Stage
from webhook_buffer.laptop.drills.traffic import Traffic
from webhook_buffer.laptop.journal import Journal
from webhook_buffer.laptop.practice import PracticeBackend
from webhook_buffer.live import recording
from webhook_buffer.operations.deployment import Step

# The CDK takes both cores, so one deployment at a time.
_DEPLOYING = threading.Lock()
# As in production but for what the laptop needs, with the signals that have to be asked for.
_OVERRIDES = {
    "retryBaseSeconds": None,
    "retryMaxSeconds": None,
    "heartbeat": None,
    "traffic": {"fromHourUtc": 6, "untilHourUtc": 22},
}


def record(
    name: str,
    folder: Path,
    alarms: Callable[[Settings], list[AnyAlarm]],
    *,
    step: Step,
    progress: Callable[[int], None],
) -> list[Series]:
    """Causes a failure in a fresh buffer under traffic, repairs it, and records all of it.

    Args:
        name: of ``RECORDINGS``.
        folder: for the emulator's, the backend's and the deployment's files.
        alarms: whose metrics are recorded, of the deployed settings.
        progress: called with each minute that is over.
    """
    drill, what = DRILLS[name], RECORDINGS[name]
    with _stage(name, what, folder, step) as stage:

        def minute(over: int) -> None:
            if over == what.begun:
                CAUSES[drill.recorded or drill.cause](stage)
            if over == what.begun + what.lasts:
                stage.repair()
            progress(over)

        wanted = alarms(stage.target.settings)
        return recording.record(stage.target, wanted, minutes=what.minutes, progress=minute)


@contextmanager
def _stage(name: str, what: Recording, folder: Path, step: Step) -> Iterator[Stage]:
    with ExitStack() as stack:
        backend = PracticeBackend(folder / "backend")
        backend.stop()
        url = backend.start().endpoint_url
        stack.callback(backend.stop)
        with _DEPLOYING:
            fresh = laptop.fresh(folder / "emulator", url, step, _OVERRIDES)
            target, outputs = stack.enter_context(fresh)
        journal = Journal(folder)
        journal.begin(name)
        stack.callback(journal.undo, target)
        traffic = Traffic(
            outputs["BufferedEndpoint"], drill=name, rate=what.scenario.rate / 60,
            seed=what.scenario.mode,
        )  # fmt: skip
        stack.callback(traffic.close)
        yield Stage(target, backend, traffic, journal)
