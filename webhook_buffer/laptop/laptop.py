"""This project's place on the laptop: one emulator, and the folder that keeps its state.

The folder is ``.webhook-buffer`` in the project, and the outputs file ``cdk.out.json`` beside
it; with ``WEBHOOK_BUFFER_STATE`` both are in that folder, apart from anything else that runs here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alarms import CATALOG
from monitoring.datadog.sync.keys import Keys
from settings.errors import NotDeployedError
from settings.loader import load
from settings.paths import ROOT
from settings.schema import Settings
from webhook_buffer.laptop.emulator import DEFAULT_ENDPOINT_PORT, DEFAULT_PORT, Emulator
from webhook_buffer.operations import deployment
from webhook_buffer.operations.deployment import Step
from webhook_buffer.operations.environment import Environment

_APART = os.environ.get("WEBHOOK_BUFFER_STATE")
STATE = Path(_APART).resolve() if _APART else ROOT / ".webhook-buffer"
OUTPUTS = (STATE if _APART else ROOT) / "cdk.out.json"


def emulator() -> Emulator:
    """The one that ``up`` starts and ``down`` stops."""
    # What an earlier version made may be open to others.
    if STATE.exists():
        STATE.chmod(STATE.stat().st_mode & 0o700)
    return Emulator(STATE / "emulator")


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


def target(settings: Settings) -> Environment:
    """An environment's target: on AWS, or on the running emulator.

    Raises:
        ToolError: When the environment runs on the laptop and nothing is started there.
    """
    one = emulator() if settings.on_laptop else None
    return Environment(
        settings=settings,
        folder=STATE / settings.environment,
        endpoint_url=one.require().endpoint_url if one else None,
        public_url=one.endpoint_url(settings.environment) if one else None,
        outputs_file=OUTPUTS,
    )


def started(
    settings: Settings, port: int | None = None, endpoint_port: int | None = None
) -> Environment:
    """``target`` of an environment on the laptop, its emulator and endpoint started where they
    were not running.

    Args:
        port: of the emulator; without one its present or last, or the usual one.
        endpoint_port: of the public webhook endpoint, likewise.

    Raises:
        InputError: When a port is taken.
        ToolError: When the emulator does not come up.
    """
    one = emulator()
    # With a state folder of its own, or beside another environment, there is no usual port.
    usual, name = not _APART and settings.environment == "local", settings.environment
    if port or not one.running():
        one.start(port or one.last_port() or (DEFAULT_PORT if not _APART else None))
    if endpoint_port is None and usual and one.endpoint_url(name) is None:
        endpoint_port = DEFAULT_ENDPOINT_PORT
    one.open_endpoint(name, port=endpoint_port)
    return target(settings)


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
    one = Emulator(folder)
    one.stop()
    try:
        with step("Starting the emulator"):
            running = one.start()
            public_url = one.open_endpoint(settings.environment)
        made = Environment(
            settings=settings,
            folder=folder,
            endpoint_url=running.endpoint_url,
            public_url=public_url,
            overrides=changed,
            outputs_file=folder / "cdk.out.json",
        )
        outputs = deployment.apply(made, deployment.prepare(made, step, CATALOG), step)
        one.open_endpoint(settings.environment, api_id=outputs["ApiId"])
        yield made, outputs
    finally:
        one.stop()


def forget(settings: Settings) -> None:
    """Removes an outputs file that describes a deleted stack."""
    if OUTPUTS.exists() and f'"{settings.prefix}"' in OUTPUTS.read_text():
        OUTPUTS.unlink()
