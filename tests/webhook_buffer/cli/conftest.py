"""What tests of commands share."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from webhook_buffer.cli import main
from webhook_buffer.laptop import laptop

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Runs the command line in this process; exit code and all it printed."""
    monkeypatch.setattr(laptop, "STATE", tmp_path / "state")
    monkeypatch.setattr(laptop, "OUTPUTS", tmp_path / "cdk.out.json")

    def command(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["webhook-buffer", *arguments])
        with pytest.raises(SystemExit) as ended:
            main.main()
        captured = capfd.readouterr()
        return int(ended.value.code or 0), captured.out + captured.err

    return command
