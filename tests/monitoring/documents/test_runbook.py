"""The runbook's numbers are those of signals, facts and settings."""

from __future__ import annotations

import pytest

from alarms import CATALOG
from monitoring.documents import COMMAND, runbook
from settings.errors import DefinitionError
from settings.paths import RUNBOOK
from tests.monitoring import fixtures


def _refreshed(text: str) -> str:
    return runbook.refreshed(text, runbook.sources(fixtures.CATALOG, fixtures.RUNBOOK))


def test_the_runbook_s_numbers_are_current() -> None:
    """docs/runbook.md has the numbers of today's signals and default settings."""
    text = RUNBOOK.read_text("utf-8")
    fresh = runbook.refreshed(text, runbook.sources(CATALOG))
    assert text == fresh, f"refresh it: {COMMAND}"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("wait.threshold", "14 min"),
        ("wait.window", "3 of 3 minutes"),
        ("slow.share", "60 %"),
        ("silence.window", "30 min"),
        ("existing-function-wrong.threshold", "18 s"),
        ("memory.threshold", "80 %"),
        ("subscribe.backend_time", "7 s"),
        ("retryMaxSeconds", "5 min"),
    ],
)
def test_every_source_has_its_numbers(name: str, expected: str) -> None:
    """Signals, opt-in ones and those of existing resources, monitors, facts and settings."""
    assert _refreshed(f"a <!--{name}-->?<!--/-->") == f"a <!--{name}-->{expected}<!--/-->"


def test_an_unknown_number_and_one_that_begins_a_line_are_named() -> None:
    """Both problems are reported at once: a typo, and what Markdown would take for HTML."""
    text = "a <!--wait-age.threshold-->1<!--/-->\n- <!--maxConcurrency-->10<!--/--> and more\n"
    with pytest.raises(DefinitionError) as caught:
        _refreshed(text)
    unknown, begins = str(caught.value).splitlines()
    assert "docs/runbook.md: 'wait-age.threshold' is not a number" in unknown
    assert "begin it with a word" in begins
