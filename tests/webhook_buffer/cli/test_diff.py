"""`diff` on the laptop, which needs an emulator to compare with."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from webhook_buffer.cli import app, lifecycle
from webhook_buffer.laptop import laptop
from webhook_buffer.operations import deployment


class _Emulator:
    pid, port = 4711, 4566

    def __init__(self, *, up: bool) -> None:
        self.up = up

    def running(self) -> _Emulator | None:
        return self if self.up else None

    require = running


@pytest.mark.parametrize("was_up", [False, True])
def test_an_emulator_started_for_a_difference_is_named(
    monkeypatch: pytest.MonkeyPatch, was_up: bool
) -> None:
    """`diff` says that it leaves an emulator running, and how to stop it, only if it started it."""
    emulator = _Emulator(up=was_up)

    def started(*_: object) -> SimpleNamespace:
        emulator.up = True
        return SimpleNamespace()

    monkeypatch.setattr(laptop, "emulator", lambda: emulator)
    monkeypatch.setattr(lifecycle, "_target", started)
    monkeypatch.setattr(lifecycle, "_show_changes", lambda *_: print("There were no differences"))
    monkeypatch.setattr(deployment, "prepare", lambda *_, **__: None)
    done = CliRunner().invoke(app.app, ["diff"])
    assert done.exit_code == 0, done.exception
    said = "The emulator was started for this (pid 4711, port 4566) and keeps running. To stop it:"
    assert (said in done.output) is not was_up
