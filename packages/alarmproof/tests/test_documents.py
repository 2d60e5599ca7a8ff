"""What the README and the pages say is there, is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from alarmproof.cases import load

PACKAGE = Path(__file__).parents[1]
README = (PACKAGE / "README.md").read_text("utf-8")


@pytest.mark.parametrize("page", [PACKAGE / "README.md", *sorted((PACKAGE / "docs").glob("*.md"))])
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link leads to a file."""
    for link in re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8")):
        assert link.startswith("https://") or (page.parent / link).exists(), link


def test_the_readme_s_case_is_a_case(tmp_path: Path) -> None:
    """It can be pasted."""
    file = tmp_path / "cases.yaml"
    file.write_text(README.partition("```yaml\n")[2].partition("```")[0])
    assert [case.alarm for case in load([file])] == ["OrdersWaiting"]
