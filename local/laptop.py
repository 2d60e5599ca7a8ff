"""This project's place on the laptop: one emulator, and the folder that keeps its state.

The folder is ``.webhook-buffer`` in the project, and the outputs file ``cdk.out.json`` beside
it; with ``WEBHOOK_BUFFER_STATE`` both are in that folder, apart from what else runs here.
"""

from __future__ import annotations

import os
from pathlib import Path

from local.emulator import DEFAULT_PORT, Emulator
from operations.target import Target
from settings import ROOT, Settings

_APART = os.environ.get("WEBHOOK_BUFFER_STATE")
STATE = Path(_APART).resolve() if _APART else ROOT / ".webhook-buffer"
OUTPUTS = (STATE if _APART else ROOT) / "cdk.out.json"


def emulator() -> Emulator:
    """The one that ``up`` starts and ``down`` stops."""
    return Emulator(STATE / "emulator")


def target(settings: Settings) -> Target:
    """An environment's target: on AWS, or on the running emulator.

    Raises:
        ToolError: When the environment runs on the laptop and nothing is started there.
    """
    return Target(
        settings=settings,
        folder=STATE / settings.environment,
        endpoint_url=emulator().require().endpoint_url if settings.on_laptop else None,
        outputs_file=OUTPUTS,
    )


def started(settings: Settings, port: int | None) -> Target:
    """``target`` of an environment on the laptop, its emulator started where it was not running.

    Args:
        port: of the emulator; without one its last, or the usual one.

    Raises:
        InputError: When the port is taken.
        ToolError: When the emulator does not come up.
    """
    one = emulator()
    one.start(port or one.last_port() or DEFAULT_PORT)
    return target(settings)


def forget(settings: Settings) -> None:
    """Removes an outputs file that speaks of a stack that is gone."""
    if OUTPUTS.exists() and f'"{settings.prefix}"' in OUTPUTS.read_text():
        OUTPUTS.unlink()
