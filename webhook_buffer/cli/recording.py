"""``webhook-buffer alarms record, record-failures``: record what alarms read, on this laptop."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import TaskID

from monitoring.cloudwatch.alarms import template as own
from settings.errors import InputError
from settings.loader import load
from settings.paths import ROOT
from webhook_buffer.cli.options import LOCAL, Env
from webhook_buffer.cli.terminal import console, progress
from webhook_buffer.composition import alarm_set
from webhook_buffer.laptop import laptop
from webhook_buffer.operations.cdk import check_node
from webhook_buffer.operations.environment import outputs

if TYPE_CHECKING:
    from alarmproof.base.alarms import AnyAlarm

    from settings.schema import Settings

_RECORDINGS = "webhook_buffer/benchmark/recordings"


def record(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Recording: .json, .csv or .parquet.")
    ],
    env: Env = LOCAL,
    minutes: Annotated[
        int, typer.Option(metavar="N", min=1, max=1440, help="How many full minutes to record.")
    ] = 10,
) -> None:
    """Record the metrics of the buffer on this laptop, for `alarms replay`.

    On AWS, CloudWatch records them: `alarms replay --from-aws`.
    """
    from alarmproof import recordings, template

    from webhook_buffer.live import recording

    settings = load(env)
    if not settings.on_laptop:
        raise InputError(
            f"'{env}' is on AWS, where CloudWatch records: "
            f"webhook-buffer alarms replay --from-aws --env {env} --save {file}"
        )
    if file.suffix.lower() not in recordings.FORMS:
        raise InputError(f"{file}: name a file that ends in {', '.join(recordings.FORMS)}.")
    target = laptop.environment(settings)
    outputs(target)  # or there is nothing to record
    alarms = template.parse(own(alarm_set(settings)), f"the alarms of {env}")
    with progress() as bars:
        task = bars.add_task("Recording, minute by minute", total=minutes)
        series = recording.record(
            target, alarms.alarms, minutes=minutes, progress=lambda _: bars.advance(task)
        )
    recordings.save(file, series)
    console.print(f"{len(series)} series in {file}. Replay them against the alarms:")
    console.print(f"  webhook-buffer alarms replay --env {env} --metrics {file}", soft_wrap=True)


def record_failures(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="Failures; default: all.")
    ] = None,
    folder: Annotated[
        Path,
        typer.Option(metavar="FOLDER", help="Where to write NAME.json.", show_default=_RECORDINGS),
    ] = ROOT / _RECORDINGS,
    jobs: Annotated[
        int, typer.Option(metavar="N", min=1, max=16, help="How many buffers run at the same time.")
    ] = 4,
) -> None:
    """Cause failures in buffers on this laptop, under traffic, and record their metrics.

    Each failure takes 19 minutes (one takes 34), on an emulator of its own. `alarms bench` reads
    the recordings.
    """
    from webhook_buffer.benchmark.scenarios import RECORDINGS

    wanted = names or list(RECORDINGS)
    unknown = sorted(set(wanted) - set(RECORDINGS))
    if unknown:
        raise InputError(
            f"Unknown failure '{unknown[0]}'; known failures: {', '.join(RECORDINGS)}."
        )
    check_node()
    folder.mkdir(parents=True, exist_ok=True)
    _record_all({name: RECORDINGS[name].minutes for name in wanted}, folder, jobs)
    console.print(f"{len(wanted)} recordings in {folder}. Next: webhook-buffer alarms bench")


def _record_all(minutes: Mapping[str, int], folder: Path, jobs: int) -> None:
    """Records failures side by side; the first that goes wrong, or Ctrl-C, ends them all.

    Args:
        minutes: how long each takes, by name.
        jobs: how many run at the same time.
    """
    from concurrent.futures import ThreadPoolExecutor
    from contextlib import nullcontext
    from threading import Event

    from alarmproof import recordings

    from webhook_buffer.laptop.drills import recorded

    cancelled = Event()

    def record_failure(name: str, task: TaskID) -> None:
        def advance(_: int) -> None:
            bars.advance(task)
            if cancelled.is_set():
                raise KeyboardInterrupt

        state = laptop.STATE / "failures" / name
        series = recorded.record(name, state, _alarms_of, step=nullcontext, progress=advance)
        recordings.save(folder / f"{name}.json", series)

    with progress() as bars, ThreadPoolExecutor(jobs) as pool:
        running = [
            pool.submit(record_failure, name, bars.add_task(name, total=total))
            for name, total in minutes.items()
        ]
        try:
            for future in running:
                future.result()
        except BaseException:
            cancelled.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _alarms_of(settings: Settings) -> list[AnyAlarm]:
    """The alarms whose metrics are recorded: the buffer's own, and those of the benchmark."""
    from alarmproof import template

    from webhook_buffer.benchmark.detection import baseline_sets

    ours = template.parse(own(alarm_set(settings)), "the alarms of the recorded buffer").alarms
    return [*ours, *(alarm for baseline in baseline_sets() for alarm in baseline.alarms)]
