"""What ``make`` passes on to the command."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from settings.paths import ROOT


@pytest.mark.parametrize(
    ("words", "environ", "expected"),
    [
        ((), {}, "local"),
        ((), {"ENV": "/home/me/.shrc"}, "local"),
        (("ENV=dev",), {"ENV": "/home/me/.shrc"}, "dev"),
        ((), {"WEBHOOK_BUFFER_ENV": "stg"}, "stg"),
        (("ENV=dev",), {"WEBHOOK_BUFFER_ENV": "stg"}, "dev"),
    ],
)
@pytest.mark.parametrize("target", ["synth", "diff", "deploy", "destroy"])
def test_the_environment_is_chosen_on_the_command_line(
    target: str, words: tuple[str, ...], environ: dict[str, str], expected: str
) -> None:
    """ENV counts on make's command line only: a POSIX shell sets a variable of that name."""
    outer = {name: text for name, text in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(
        [shutil.which("make") or "make", "--dry-run", "--no-print-directory", target, *words],
        cwd=ROOT, env={**outer, **environ}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1].split()[:4] == [
        ".venv/bin/webhook-buffer", target, "--env", expected,
    ]  # fmt: skip


@pytest.mark.parametrize("yes", ["1", "yes", "true"])
@pytest.mark.parametrize("target", ["deploy", "destroy"])
def test_yes_on_the_command_line_confirms(target: str, yes: str) -> None:
    """YES=1 behind the target becomes --yes, and nothing else is passed on."""
    outer = {name: text for name, text in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(
        [shutil.which("make") or "make", "--dry-run", "--no-print-directory", target, f"YES={yes}"],
        cwd=ROOT, env=outer, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1].split() == [
        ".venv/bin/webhook-buffer", target, "--env", "local", "--yes",
    ]  # fmt: skip
