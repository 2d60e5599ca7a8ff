"""How the project is installed: by ``make setup``, in its checkout."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from settings.paths import ROOT

pytestmark = pytest.mark.slow


def test_another_install_is_refused(tmp_path: Path) -> None:
    """``pip install .`` says in one sentence what to run instead, and installs nothing."""
    target = tmp_path / "target"
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", "--no-build-isolation", "--no-deps",
         "--no-index", "--disable-pip-version-check", "--target", str(target), str(ROOT)],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    output = done.stdout + done.stderr
    assert "webhook-buffer is run from its checkout; run `make setup` there." in output
    assert "Traceback" not in output
    assert not target.exists()


def test_the_changelog_has_the_version() -> None:
    """The newest entry of the changelog is dated, and of the version in pyproject.toml."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    entries = [
        line for line in (ROOT / "CHANGELOG.md").read_text().splitlines() if line.startswith("## ")
    ]
    dated = [line for line in entries if line != "## Unreleased"]
    assert dated[0].startswith(f"## {version} - 20")
