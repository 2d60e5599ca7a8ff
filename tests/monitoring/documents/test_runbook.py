"""The runbook's numbers are those of signals, facts and settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from alarms import CATALOG
from monitoring.documents import runbook
from settings.errors import DefinitionError
from settings.paths import RUNBOOK


def _refreshed(text: str) -> str:
    return runbook.refreshed(text, runbook.sources(CATALOG), CATALOG.monitors)


def test_the_runbook_s_numbers_are_current() -> None:
    """docs/runbook.md has the numbers of today's signals and default settings."""
    text = RUNBOOK.read_text()
    assert text == _refreshed(text), f"refresh it: {runbook.COMMAND}"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("queue-age-page.threshold", "15 min"),
        ("queue-age-page.window", "3 of 3 minutes"),
        ("backlog-depth.share", "80 %"),
        ("no-traffic.window", "30 min"),
        ("existing-queue-age-ticket.threshold", "5 min"),
        ("publish-memory.threshold", "90 %"),
        ("subscribe.backend_time", "7 s"),
        ("retryMaxSeconds", "5 min"),
    ],
)
def test_every_source_has_its_numbers(name: str, expected: str) -> None:
    """Signals, opt-in ones and those of existing resources, monitors, facts and settings."""
    assert _refreshed(f"a <!--{name}-->?<!--/-->") == f"a <!--{name}-->{expected}<!--/-->"


def test_an_unknown_number_and_one_that_begins_a_line_are_named() -> None:
    """Both problems are reported at once: a typo, and what Markdown would take for HTML."""
    text = "a <!--queue-age.threshold-->1<!--/-->\n- <!--maxConcurrency-->10<!--/--> and more\n"
    with pytest.raises(DefinitionError) as caught:
        _refreshed(text)
    unknown, begins = str(caught.value).splitlines()
    assert "docs/runbook.md: 'queue-age.threshold' is not a number" in unknown
    assert "begin it with a word" in begins


def test_the_runbook_is_refreshed_in_place(tmp_path: Path) -> None:
    """Writing changes the numbers and nothing else."""
    file = tmp_path / "runbook.md"
    file.write_text("a <!--queue-age-page.threshold-->1<!--/-->\n")
    runbook.write(CATALOG, file)
    assert file.read_text() == "a <!--queue-age-page.threshold-->15 min<!--/-->\n"
