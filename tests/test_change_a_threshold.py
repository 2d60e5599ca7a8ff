"""A threshold is changed in one place; after that the documents are written and all is well."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from settings.paths import ROOT

# What `make docs` runs for alarms.
GENERATORS = (
    "monitoring.documents.alarms",
    "monitoring.documents.runbook",
    "monitoring.documents.datadog",
)
# What `make check` runs of what a threshold can touch, without what needs a synthesized stack.
TESTS = (
    "tests/alarms/test_cases.py",
    "tests/monitoring/documents",
    "tests/monitoring/datadog/test_monitors.py",
    "tests/monitoring/datadog/test_thresholds.py",
    "tests/monitoring/test_cloudwatch_dashboard.py",
    "tests/monitoring/test_stale_numbers.py",
    "tests/monitoring/test_wording.py",
    "tests/test_readme.py",
)


def _run(tree: Path, *arguments: str) -> None:
    """Runs a module of the copy, and nothing of the tree it was copied from."""
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=tree,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, (
        f"{' '.join(arguments)}\n{done.stdout[-4000:]}{done.stderr[-2000:]}"
    )


def _edit(file: Path, pattern: str, replacement: str) -> None:
    text, edits = re.subn(pattern, replacement, file.read_text())
    assert edits, f"{file.name} has nothing like {pattern}"
    file.write_text(text)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of every file of this project that git knows or would add."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],  # noqa: S607
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def test_a_threshold_changes_in_one_place(tree: Path) -> None:
    """queue-age-page from 900 to 600: its line, its cases and the documents, and no more."""
    threshold = r'("queue-age-page",\s+Severity\.PAGE,\s+Threshold\(\s+)900'
    _edit(tree / "alarms" / "queue.py", threshold, r"\g<1>600")
    cases = tree / "alarms" / "cases" / "queue.yaml"
    own = [
        part.replace("900x", "600x").replace("899x", "599x")
        if "alarm: queue-age-page\n" in part
        else part
        for part in re.split(r"(?m)^(?=  - title:)", cases.read_text())
    ]
    cases.write_text("".join(own))

    for generator in GENERATORS:
        _run(tree, generator)

    rows = [line for line in (tree / "docs/alarms.md").read_text().splitlines() if
            line.startswith(("| queue-age-page |", "| [queue-age-page]"))]  # fmt: skip
    runbook = (tree / "docs/runbook.md").read_text().partition("\n## queue-age-page\n")[2]
    for text in (*rows, runbook.partition("\n## ")[0]):
        assert "10 min" in text
        assert "15 min" not in text.replace("--minutes 15", "")
    deselected = ("-k", "not proven_is_what_is_deployed and not cases_can_fail")
    _run(tree, "pytest", "-q", "-x", "-p", "no:cacheprovider", *deselected, *TESTS)
