"""The runbook's numbers are those of signals, facts and settings."""

from __future__ import annotations

from pathlib import Path

import pytest

import alarms as definitions
from monitoring.documents import runbook
from monitoring.model.signals import RUNBOOK


def _refreshed(text: str) -> str:
    return runbook.refreshed(text, runbook.sources(), definitions.MONITORS)


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
    with pytest.raises(runbook.RunbookError) as caught:
        _refreshed(text)
    unknown, begins = str(caught.value).splitlines()
    assert "docs/runbook.md: 'queue-age.threshold' is no number" in unknown
    assert "begin it with a word" in begins


def test_the_command_refreshes_the_runbook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command that the failure names writes the file, and says so by its name."""
    file = tmp_path / "runbook.md"
    file.write_text("a <!--queue-age-page.threshold-->1<!--/-->\n")
    monkeypatch.setattr(runbook, "RUNBOOK", file)
    runbook.main()
    assert file.read_text() == "a <!--queue-age-page.threshold-->15 min<!--/-->\n"
    assert runbook.COMMAND.endswith(runbook.__name__)
