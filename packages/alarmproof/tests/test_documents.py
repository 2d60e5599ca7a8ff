"""What the README and the pages say is there, is there."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from alarmproof.cli import main

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
def test_the_readme_s_examples_print_what_it_shows(
    command: str,
    shown: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Whoever runs a command in examples/ sees what the page shows."""
    monkeypatch.chdir(PACKAGE / "examples")
    monkeypatch.setenv("COLUMNS", "90")
    monkeypatch.setattr(sys, "argv", ["alarmproof", *command.split()])
    with pytest.raises(SystemExit):
        main()
    printed = capsys.readouterr()
    assert printed.err == ""
    assert _plain(printed.out) == _plain(shown)


def _plain(text: str) -> list[str]:
    """Lines without what differs from run to run."""
    return [re.sub(r"in \d+\.\d s", "in 0.0 s", line).rstrip() for line in text.splitlines()]
