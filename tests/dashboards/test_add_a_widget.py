"""What docs/add-a-widget.md names; tests/test_guides.py follows it to the letter."""

from __future__ import annotations

import re

from dashboards import lines
from monitoring.model import dashboards as model
from settings.paths import ROOT

_PAGE = (ROOT / "docs" / "add-a-widget.md").read_text("utf-8")


def test_every_form_of_the_page_exists() -> None:
    """What the table names can be written."""
    table = _PAGE.partition("## Line types")[2].partition("## Thresholds")[0]
    for name in re.findall(r"`(\w+)\(", table):
        assert hasattr(lines, name) or hasattr(model, name), name
