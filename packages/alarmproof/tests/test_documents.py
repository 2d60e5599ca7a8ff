"""What the README and the pages say is there, is there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1]
README = (PACKAGE / "README.md").read_text("utf-8")


@pytest.mark.parametrize("page", [PACKAGE / "README.md", *sorted((PACKAGE / "docs").glob("*.md"))])
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link leads to a file."""
    for link in re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8")):
        assert link.startswith("https://") or (page.parent / link).exists(), link


def test_the_readme_s_case_is_the_example_s() -> None:
    """What the page shows of the case file is that file."""
    assert README.partition("```yaml\n")[2].partition("```")[0] == (
        PACKAGE / "examples" / "cases.yaml"
    ).read_text("utf-8")


@pytest.mark.parametrize(
    ("command", "shown"), re.findall(r"```\n\$ alarmproof (.*)\n((?:.*\n)*?)```", README)
)
def test_the_readme_s_examples_print_what_it_shows(command: str, shown: str) -> None:
    """Whoever runs a command in examples/ sees what the page shows."""
    done = subprocess.run(
        [sys.executable, "-c", "from alarmproof.cli import main; main()", *command.split()],
        cwd=PACKAGE / "examples",
        env={**os.environ, "COLUMNS": "90", "PYTHONPATH": str(PACKAGE / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert _plain(done.stdout) == _plain(shown)


def _plain(text: str) -> list[str]:
    """Lines without what differs from run to run."""
    return [re.sub(r"in \d+\.\d s", "in 0.0 s", line).rstrip() for line in text.splitlines()]
