"""What the docs say of alarms is what the alarms are."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from alarms import CATALOG, backend
from monitoring import cost
from monitoring.alarm_set import AlarmSet, alarm_set
from monitoring.documents import alarms
from monitoring.model import metrics
from monitoring.model.checks import headings
from monitoring.model.signals import FailureMode, Signal
from settings.errors import DefinitionError
from settings.loader import load
from settings.paths import ROOT, RUNBOOK
from tests.monitoring.fixtures import alarms as own_alarms

HOW_TO = (ROOT / "docs" / "add-an-alarm.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", HOW_TO, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def own_set() -> AlarmSet:
    """The alarms of the tests' own catalog."""
    return own_alarms()


@pytest.fixture(scope="module")
def page(own_set: AlarmSet) -> str:
    """Their page."""
    return alarms.alarms_markdown(own_set)


def _rows(page: str, section: str) -> list[list[str]]:
    """The cells of a section's first table, without its header."""
    table = page.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    lines = re.search(r"(?:^\|.*\n)+", table, re.MULTILINE)
    assert lines, section
    cells = [re.split(r"(?<!\\)\|", line)[1:-1] for line in lines[0].splitlines()]
    return [[cell.strip() for cell in row] for row in cells[2:]]


def test_every_failure_mode_has_a_row(page: str) -> None:
    """The coverage table has each failure mode, and what notices it or could."""
    rows = _rows(page, "Coverage")
    assert [int(row[0]) for row in rows] == list(FailureMode)
    answers = {int(row[0]): row[2] for row in rows}
    assert answers[FailureMode.BACKEND_5XX] == "[wait](runbook.md#wait)"
    assert answers[FailureMode.TRAFFIC_STOPS].startswith("`silence`: it is opt-in")


def test_every_signal_has_its_rows(page: str, own_set: AlarmSet) -> None:
    """Each alarm stands in both tables, in the order of the definitions."""
    ids = [alarm.signal.id for alarm in own_set.alarms]
    assert [row[0].split("]")[0][1:] for row in _rows(page, "Signals")] == ids
    assert [row[0] for row in _rows(page, "Thresholds and reasons")] == ids


def test_a_signal_s_row_says_all(page: str) -> None:
    """Title, condition, severity, incident, evaluator, what it covers, missing data, cost."""
    rows = {row[0]: row[1:] for row in _rows(page, "Signals")}
    assert rows["[wait](runbook.md#wait)"] == [
        "wait is wrong",
        "age of the oldest message, Maximum ≥ 14 min in 3 of 3 minutes",
        "page",
        "down",
        "CloudWatch",
        "1, 2",
        "counts as not breaching",
        "0.10",
    ]
    assert rows["[unwritten](runbook.md#unwritten)"][3] == "itself"
    assert rows["[undelivered](runbook.md#undelivered)"][4] == "CloudWatch, Datadog"
    assert "[late-long](runbook.md#late)" in rows


def test_reasons_name_the_share(page: str) -> None:
    """A derived threshold stands with what it is derived from."""
    rows = {row[0]: row[1:] for row in _rows(page, "Thresholds and reasons")}
    threshold, reason, missing = rows["slow"]
    assert threshold.startswith("6 s (0.6 ")
    assert threshold.endswith(" publish.timeout)")
    assert reason == "60 % of the timeout."
    assert missing == "Idle."


def test_every_incident_has_a_row(page: str) -> None:
    """Composites stand with their parts and their silence."""
    rows = {row[0]: row[1:] for row in _rows(page, "Incidents")}
    assert rows.keys() == {"[down](runbook.md#down)", "[degraded](runbook.md#degraded)"}
    assert rows["[degraded](runbook.md#degraded)"][3:5] == ["down", "2 min before, 2.5 h after"]
    assert "beats (unless refusals)" in rows["[down](runbook.md#down)"][2]


def test_every_metric_has_a_row(page: str) -> None:
    """Each metric of ours is listed with its unit and when it is written, and no other is."""
    rows = _rows(page, "Metrics of the functions")
    assert rows == [[f"`{metric.name}`", metric.unit, metric.written] for metric in metrics.OURS]


def test_the_bill_adds_up(page: str, own_set: AlarmSet) -> None:
    """The total is that of the parts, and each price stands with its source and date."""
    rows = _rows(page, "Cost")
    total = cost.total(cost.monthly(own_set))
    assert rows[-1][2] == f"**{total:.2f}**"
    assert sum(float(row[2]) for row in rows[:-1]) == pytest.approx(total, abs=0.05)
    for price in cost.PRICES.values():
        assert f"| {price.source} | {price.date} |" in page


@pytest.mark.parametrize("name", ["alarms.md", "add-an-alarm.md"])
def test_links_lead_somewhere(name: str) -> None:
    """Every link of these pages leads to a file, and every anchor to a heading in it."""
    file = ROOT / "docs" / name
    links = re.findall(r"\]\(([^)#]+)(?:#([^)]+))?\)", file.read_text())
    assert links
    for target, heading in links:
        assert (file.parent / target).exists()
        if heading:
            assert heading in headings(file.parent / target)


def _with_example(runbook: Path) -> AlarmSet:
    """The alarms of ``dev`` with the worked example, made where the how-to says."""
    [code] = [text for language, text in BLOCKS if language == "python" and "Signal(" in text]
    signal = eval(code, dict(vars(backend)))  # noqa: S307 - our own documentation
    assert isinstance(signal, Signal)
    # Whoever follows the how-to to the letter has it among the signals already.
    others = [other for other in CATALOG.signals if other.id != signal.id]
    catalog = replace(CATALOG, signals=(*others, signal))
    return alarm_set(load("dev"), catalog, runbook=runbook)


def _runbook(folder: Path, section: str) -> Path:
    """A runbook with today's headings, without the example's, and a section behind them."""
    today = headings(RUNBOOK) - {"backend-timeouts"}
    file = folder / RUNBOOK.name
    file.write_text("\n".join(f"## {heading}" for heading in today) + f"\n\n{section}")
    return file


def test_the_worked_example_works(tmp_path: Path) -> None:
    """The signal and the heading that the how-to shows make an alarm."""
    [section] = [text for language, text in BLOCKS if language == "markdown"]
    alarm = _with_example(_runbook(tmp_path, section)).alarm("backend-timeouts")
    assert alarm
    assert alarm.name == "webhook-buffer-dev-backend-timeouts"
    assert alarm.topics == ("ticket",)


def test_the_error_it_shows_is_the_error(tmp_path: Path) -> None:
    """Without its heading the example fails with just the words that the how-to shows."""
    with pytest.raises(DefinitionError) as caught:
        _with_example(_runbook(tmp_path, ""))
    assert f"Error: alarms/backend.py: {caught.value}\n" in [text for _, text in BLOCKS]


def test_files_and_names_it_mentions_exist() -> None:
    """Every path the how-to names is there."""
    for path in re.findall(r"`([a-z_/-]+/(?:[\w.-]+\.(?:py|md))?)`", HOW_TO):
        assert (ROOT / path).exists(), path
