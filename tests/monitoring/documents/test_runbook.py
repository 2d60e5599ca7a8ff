"""The runbook's numbers are those of signals, facts and settings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import alarms as definitions
from monitoring.alarm_set import AlarmSet, alarm_set
from monitoring.documents import runbook
from monitoring.model.signals import RUNBOOK
from settings.loader import load


@pytest.fixture(scope="module")
def sources() -> tuple[AlarmSet, AlarmSet]:
    """Where the numbers come from."""
    return runbook.sources()


@pytest.fixture(scope="module")
def refreshed() -> Callable[[str], str]:
    """Refreshes a text from one environment whose thresholds are the test's own."""
    thresholds = {"queue-age-page": 1200, "backend-slow": 3000, "no-traffic": 2}
    found = alarm_set(
        load(
            "prd",
            overrides={
                "alarms": {name: {"threshold": value} for name, value in thresholds.items()},
                "traffic": {"fromHourUtc": 6, "untilHourUtc": 22},
                "retryMaxSeconds": 240,
            },
        )
    )
    return lambda text: runbook.refreshed(text, [found], definitions.MONITORS)


def test_the_runbook_s_numbers_are_current(sources: tuple[AlarmSet, AlarmSet]) -> None:
    """docs/runbook.md has the numbers of today's signals and default settings."""
    text = RUNBOOK.read_text()
    fresh = runbook.refreshed(text, sources, definitions.MONITORS)
    assert text == fresh, f"refresh it: {runbook.COMMAND}"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("queue-age-page.threshold", "20 min"),
        ("backend-slow.threshold", "3 s"),
        ("backend-slow.window", "2 of 3 minutes"),
        ("backlog-depth.share", "80 %"),
        ("publish-memory.threshold", "90 %"),
        ("subscribe.backend_time", "7 s"),
        ("retryMaxSeconds", "4 min"),
    ],
)
def test_every_source_has_its_numbers(
    name: str, expected: str, refreshed: Callable[[str], str]
) -> None:
    """Signals, Datadog's monitors, facts and settings each give their numbers."""
    assert refreshed(f"a <!--{name}-->?<!--/-->") == f"a <!--{name}-->{expected}<!--/-->"


def test_signals_of_existing_resources_are_a_source(sources: tuple[AlarmSet, AlarmSet]) -> None:
    """A signal of each kind of existing resource is looked up by its example role."""
    for kind in ("queue-depth", "function-errors", "api-5xx", "table-throttles"):
        text = f"a <!--existing-{kind}.window-->?<!--/-->"
        assert "?" not in runbook.refreshed(text, sources, definitions.MONITORS)


def test_an_unknown_number_and_one_that_begins_a_line_are_named(
    refreshed: Callable[[str], str],
) -> None:
    """Both problems are reported at once: a typo, and what Markdown would take for HTML."""
    text = "a <!--queue-age.threshold-->1<!--/-->\n- <!--maxConcurrency-->10<!--/--> and more\n"
    with pytest.raises(runbook.RunbookError) as caught:
        refreshed(text)
    unknown, begins = str(caught.value).splitlines()
    assert "docs/runbook.md: 'queue-age.threshold' is not a number" in unknown
    assert "begin it with a word" in begins


def test_the_command_refreshes_the_runbook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command that the failure names writes the file, or one error without a traceback."""
    file = tmp_path / "runbook.md"
    monkeypatch.setattr(runbook, "RUNBOOK", file)
    file.write_text("a <!--backlog-depth.share-->1<!--/-->\n")
    runbook.main()
    assert file.read_text() == "a <!--backlog-depth.share-->80 %<!--/-->\n"
    assert runbook.COMMAND.endswith(runbook.__name__)
    file.write_text("a <!--nothing-->1<!--/-->\n")
    with pytest.raises(SystemExit, match="'nothing' is not a number"):
        runbook.main()
