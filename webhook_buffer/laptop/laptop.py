"""This project's place on the laptop: one emulator, and the folder that keeps its state.

The folder is ``.webhook-buffer`` in the project, and the outputs file ``cdk.out.json`` beside
it; with ``WEBHOOK_BUFFER_STATE`` both are in that folder, apart from anything else that runs here.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from monitoring.datadog.keys import Keys
from settings.errors import NotDeployedError
from settings.loader import load
from settings.paths import ROOT
from settings.schema import Settings
from webhook_buffer import composition
from webhook_buffer.laptop import inbox as inboxes
from webhook_buffer.laptop import practice
from webhook_buffer.laptop.console import ConsoleProcess
from webhook_buffer.laptop.emulator import DEFAULT_ENDPOINT_PORT, DEFAULT_PORT, Emulator
from webhook_buffer.laptop.inbox import InboxProcess
from webhook_buffer.laptop.journal import Journal
from webhook_buffer.laptop.live_alarms import LiveAlarms
from webhook_buffer.laptop.practice import PracticeBackend
from webhook_buffer.laptop.programs.process import Background
from webhook_buffer.laptop.wanted import EXPIRES_SECONDS, renewed
from webhook_buffer.live.control import Control
from webhook_buffer.operations import deployment
from webhook_buffer.operations.deployment import Step
from webhook_buffer.operations.environment import Environment

APART = os.environ.get("WEBHOOK_BUFFER_STATE")
STATE = Path(APART).resolve() if APART else ROOT / ".webhook-buffer"
# Live alarms look for what is wanted every few seconds.
_IN_FORCE_SECONDS = 10.0
OUTPUTS = (STATE if APART else ROOT) / "cdk.out.json"


def emulator() -> Emulator:
    """The one that ``up`` starts and ``down`` stops."""
    # What an earlier version made may be open to others.
    if STATE.exists():
        STATE.chmod(STATE.stat().st_mode & 0o700)
    return Emulator(STATE / "emulator")


def backend() -> PracticeBackend:
    """The faux backend that ``up`` starts and ``down`` stops."""
    return PracticeBackend(STATE / "backend")


def inbox() -> InboxProcess:
    """The inbox that ``up`` starts and ``down`` stops."""
    return InboxProcess(STATE / "inbox")


def live_alarms() -> LiveAlarms:
    """The program that judges what runs here, started by ``up`` and stopped by ``down``."""
    return LiveAlarms(STATE / "alarms")


def console() -> ConsoleProcess:
    """The console that ``up`` starts and ``down`` stops."""
    return ConsoleProcess(STATE / "console", state=STATE if APART else None)


def beside() -> list[Background]:
    """The programs that run beside the emulator, those that read others first."""
    return [console(), live_alarms(), backend(), inbox()]


def complete() -> bool:
    """Whether everything that a deployment needs is running."""
    return all(program.running() for program in (emulator(), backend(), inbox()))


def started_datadog() -> str:
    """The URL of the fake Datadog, started if it was not running."""
    from webhook_buffer.laptop import fake_datadog  # its server, which few commands need

    return fake_datadog.started(STATE / "datadog")


def stopped_datadog() -> bool:
    """Stops it and returns whether it was running. Its objects stay."""
    ran = datadog_url() is not None
    from webhook_buffer.laptop import fake_datadog

    fake_datadog.stop(STATE / "datadog")
    return ran


def datadog_url() -> str | None:
    """Where the fake Datadog answers; None when it is not running."""
    from webhook_buffer.laptop import fake_datadog

    return fake_datadog.running(STATE / "datadog")


def datadog_keys() -> Keys:
    """The URL and keys of the fake Datadog.

    Raises:
        NotDeployedError: When it is not running.
    """
    url = datadog_url()
    if url is None:
        raise NotDeployedError(
            "The fake Datadog is not running on this laptop. To start it: webhook-buffer up"
        )
    return fake_datadog_keys(url)


def fake_datadog_keys(url: str) -> Keys:
    """The fake Datadog's own keys, which open nothing else."""
    return Keys(url, "fake-api-key", "fake-app-key", "the fake Datadog's own settings")


def mend() -> list[str]:
    """Puts right what a killed command or program has left behind; what that was, in words.

    The changes of a drill that was killed are undone. Programs beside the emulator that died are
    started again, on their ports; while a drill runs, it restarts live alarms itself.

    Raises:
        WebhookBufferError: When something can't be put right.
    """
    running = emulator().running()
    journal = Journal(STATE)
    mended = []
    if running and Background(STATE / "datadog", "datadog").died():
        started_datadog()
        mended.append("the fake Datadog had died and runs again")
    for program, name in ((backend(), "faux backend"), (inbox(), "inbox")):
        if running and program.died():
            program.start()
            mended.append(f"the {name} had died and runs again")
    if drill := journal.left_behind():
        journal.undo(_target(load("local")) if running else None)
        mended.append(f"undid what the drill {drill} had changed before it was killed")
    if running and journal.running() is None and live_alarms().died():
        live_alarms().start()
        mended.append("live alarms had died and judge again")
    if running and console().died():
        console().start()
        mended.append("the console had died and runs again")
    return mended


def environment(settings: Settings, *, mends: bool = True) -> Environment:
    """An environment with its AWS: the real one, or the running emulator.

    Args:
        mends: whether what was left behind on the laptop is mended before; a program of ``up``
            leaves that to the command that starts it.

    Raises:
        ToolError: When the environment runs on the laptop and nothing is started there.
    """
    if settings.on_laptop and mends:
        for what in mend():
            print(f"Mended: {what}.", file=sys.stderr)
    return _target(settings)


def _target(settings: Settings) -> Environment:
    program = emulator() if settings.on_laptop else None
    return Environment(
        settings=settings,
        folder=STATE / settings.environment,
        endpoint_url=program.require().endpoint_url if program else None,
        public_url=program.endpoint_url(settings.environment) if program else None,
        outputs_file=OUTPUTS,
        practice_backend=_practice_backend(settings),
    )


def _practice_backend(settings: Settings) -> str | None:
    """Where webhooks go that settings send to a faux backend."""
    if not (settings.on_laptop and settings.create_faux_backend):
        return None
    running = backend().running()
    return running.endpoint_url if running else None


def started(
    settings: Settings, port: int | None = None, endpoint_port: int | None = None
) -> Environment:
    """``environment`` of one on the laptop, its programs and its endpoint started
    where they were not running.

    Args:
        port: of the emulator; without one its present or last, or the usual one.
        endpoint_port: of the public webhook endpoint, likewise.

    Raises:
        InputError: When a port is taken.
        ToolError: When the emulator does not come up.
    """
    program = emulator()
    if not program.running():
        mend()  # what a killed drill had changed is not there in a new emulator
        live_alarms().end_session()
    # With a state folder of its own, or beside another environment, there are no usual ports.
    usual, name = not APART and settings.environment == "local", settings.environment
    if port or not program.running():
        program.start(port or program.last_port() or (DEFAULT_PORT if not APART else None))
    if endpoint_port is None and usual and program.endpoint_url(name) is None:
        endpoint_port = DEFAULT_ENDPOINT_PORT
    program.open_endpoint(name, port=endpoint_port)
    backend().start(None if APART else practice.DEFAULT_PORT)
    inbox().start(None if APART else inboxes.DEFAULT_PORT)
    return environment(settings)


def connect(environment: Environment, outputs: Mapping[str, str]) -> None:
    """Leads the laptop's public endpoint to what was deployed."""
    if environment.public_url and "ApiId" in outputs:
        emulator().open_endpoint(environment.settings.environment, api_id=outputs["ApiId"])


@contextmanager
def fresh(
    folder: Path, backend_url: str, step: Step, overrides: Mapping[str, Any] | None = None
) -> Iterator[tuple[Environment, dict[str, str]]]:
    """A buffer of its own and its outputs, on an emulator that ends with it.

    Args:
        folder: for the emulator's and the deployment's files.
        backend_url: where it delivers.
        overrides: keys that replace those of the environment ``local``.
    """
    changed = {"create_faux_backend": None, "backend_url": backend_url, **(overrides or {})}
    settings = load("local", overrides=changed)
    program = Emulator(folder)
    program.stop()
    try:
        with step("Starting the emulator"):
            running = program.start()
            public_url = program.open_endpoint(settings.environment)
        made = Environment(
            settings=settings,
            folder=folder,
            endpoint_url=running.endpoint_url,
            public_url=public_url,
            overrides=changed,
            outputs_file=folder / "cdk.out.json",
        )
        outputs = deployment.apply(made, deployment.prepare(made, step, composition.CATALOG), step)
        program.open_endpoint(settings.environment, api_id=outputs["ApiId"])
        yield made, outputs
    finally:
        program.stop()


@contextmanager
def held(alarms: Sequence[str]) -> Iterator[None]:
    """Has live alarms leave some alarms alone, whose states somebody else sets meanwhile."""
    folder = live_alarms().folder
    if not live_alarms().running():
        yield
        return
    before = Control.read(folder)

    def hold() -> Control:
        wanted = replace(before, held=tuple(alarms), until=time.time() + EXPIRES_SECONDS)
        wanted.write(folder)
        return wanted

    wanted = hold()
    # States that are being set for the minute that is over would undo what is set here.
    deadline = time.monotonic() + _IN_FORCE_SECONDS
    while not wanted.is_in_force(folder) and time.monotonic() < deadline:
        time.sleep(0.05)
    try:
        with renewed(hold):
            yield
    finally:
        before.write(folder)


def forget(settings: Settings) -> None:
    """Removes an outputs file that describes a deleted stack."""
    if OUTPUTS.exists() and f'"{settings.prefix}"' in OUTPUTS.read_text():
        OUTPUTS.unlink()
