"""This project's place on the laptop: one emulator, and the folder that keeps its state."""

from __future__ import annotations

from pathlib import Path

from local.emulator import Emulator
from operations.target import Target
from settings import ROOT, Settings

STATE = ROOT / ".webhook-buffer"


def emulator() -> Emulator:
    """The one that ``up`` starts and ``down`` stops."""
    return Emulator(STATE / "laptop")


def target(settings: Settings) -> Target:
    """An environment's target: on AWS, or on the running emulator.

    Raises:
        ToolError: When the environment runs on the laptop and nothing is started there.
    """
    folder = STATE / settings.environment
    if not settings.on_laptop:
        return Target(settings=settings, folder=folder)
    running = emulator().require()
    return Target(settings=settings, folder=folder, endpoint_url=running.endpoint_url)


def forget(outputs_file: Path, settings: Settings) -> None:
    """Removes an outputs file that speaks of a stopped emulator."""
    if outputs_file.exists() and settings.prefix in outputs_file.read_text():
        outputs_file.unlink()
