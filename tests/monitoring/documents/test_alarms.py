"""What the docs say of alarms is what the alarms are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import alarms as definitions
from alarms import backend
from monitoring import cost, wording
from monitoring.alarm_set import AlarmSet, alarm_set
from monitoring.documents import alarms
from monitoring.model import metrics, signals
from monitoring.model.signals import FailureMode, Signal, SignalError, headings
from settings.loader import load
from settings.paths import ROOT

HOW_TO = (ROOT / "docs" / "add-an-alarm.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", HOW_TO, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def found() -> AlarmSet:
    """The environment the page is written for."""
    return alarm_set(load(alarms.ENVIRONMENT))


@pytest.fixture(scope="module")
def page(found: AlarmSet) -> str:
    """The page as it would be written now."""
    return alarms.alarms_markdown(found)


def _rows(page: str, section: str) -> list[list[str]]:
    """The cells of a section's first table, without its header."""
    table = page.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    lines = re.search(r"(?:^\|.*\n)+", table, re.MULTILINE)
    assert lines, section
    cells = [re.split(r"(?<!\\)\|", line)[1:-1] for line in lines[0].splitlines()]
    return [[cell.strip() for cell in row] for row in cells[2:]]


def test_the_page_is_current(page: str) -> None:
    """docs/alarms.md says what the signals say now."""
    assert alarms.FILE.read_text() == page, f"write it anew: {alarms.COMMAND}"


def test_the_command_writes_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    """The command that the failure names does what it is named for."""
    monkeypatch.setattr(alarms, "FILE", tmp_path / "alarms.md")
    alarms.main()
    assert (tmp_path / "alarms.md").read_text() == page
    assert alarms.COMMAND.endswith(f"-m {alarms.__name__}")


def test_every_failure_mode_has_an_answer(page: str) -> None:
    """The coverage table has each failure mode, and what notices it or could."""
    rows = _rows(page, "Coverage")
    assert [int(row[0]) for row in rows] == list(FailureMode)
    answers = {int(row[0]): row[2] for row in rows}
    assert all(answers.values())
    assert "[blocked-group](runbook.md#blocked-group)" in answers[4]
    assert answers[10].startswith("`no-traffic`: it is opt-in")


def test_every_signal_has_its_rows(page: str, found: AlarmSet) -> None:
    """Each alarm stands in both tables, in the order of the definitions."""
    ids = [alarm.signal.id for alarm in found.alarms]
    assert [row[0].split("]")[0][1:] for row in _rows(page, "Signals")] == ids
    assert [row[0] for row in _rows(page, "Thresholds and reasons")] == ids


def test_a_signal_s_row_says_all(page: str, found: AlarmSet) -> None:
    """Title, condition, severity, who tells and watches it, what it covers, missing data, cost."""
    rows = {row[0]: row[1:] for row in _rows(page, "Signals")}
    alarm = found.alarm("queue-age-page")
    assert alarm
    assert rows["[queue-age-page](runbook.md#queue-age-page)"] == [
        "Webhooks wait too long",
        wording.condition(alarm),
        "page",
        "deliveries-failing",
        "CloudWatch",
        "1, 2, 3, 6, 7, 11",
        "counts as not breaching",
        "0.10",
    ]
    assert rows["[blocked-group](runbook.md#blocked-group)"][3] == "itself"
    both = rows["[alert-path-broken](runbook.md#alert-path-broken)"]
    assert both[4] == "CloudWatch, Datadog"
    assert "[slo-accepted-fast-long](runbook.md#slo-accepted)" in rows


def test_reasons_name_the_share(page: str) -> None:
    """A derived threshold is told with what it is derived from."""
    rows = {row[0]: row[1:] for row in _rows(page, "Thresholds and reasons")}
    threshold, reason, missing = rows["publish-duration"]
    assert threshold.startswith("8 s (0.8 ")
    assert threshold.endswith(" publish.timeout)")
    assert reason == "80 % of the function's own timeout; at the timeout Lambda terminates it."
    assert missing == "Without invocations there is no data, and nothing is wrong."


def test_every_incident_has_a_row(page: str, found: AlarmSet) -> None:
    """Composites are told with their parts and their silence."""
    rows = {row[0]: row[1:] for row in _rows(page, "Incidents")}
    assert len(rows) == len(found.composites)
    degraded = rows["[deliveries-degraded](runbook.md#deliveries-degraded)"]
    assert degraded[3:5] == ["deliveries-failing", "2 min before, 2.5 h after"]
    failing = rows["[deliveries-failing](runbook.md#deliveries-failing)"]
    assert (
        "heartbeat-missing (unless api-5xx or heartbeat-refused or slo-accepted-fast-long)"
        in failing[2]
    )


def test_every_metric_has_a_row(page: str) -> None:
    """Each metric of ours is told with its unit and when it is written, and no other is."""
    rows = _rows(page, "Metrics of the functions")
    assert rows == [[f"`{one.name}`", one.unit, one.written] for one in metrics.OURS]


def test_the_bill_adds_up(page: str, found: AlarmSet) -> None:
    """The total is that of the parts, and each price stands with its source and date."""
    rows = _rows(page, "Cost")
    total = cost.total(cost.monthly(found))
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


def _example(monkeypatch: pytest.MonkeyPatch, runbook: Path) -> Signal:
    """The worked example, made where it says it is to be made."""
    monkeypatch.setattr(signals, "RUNBOOK", runbook)
    [code] = [text for language, text in BLOCKS if language == "python" and "Signal(" in text]
    signal = eval(code, dict(vars(backend)))  # noqa: S307 - our own documentation
    assert isinstance(signal, Signal)
    return signal


def test_the_worked_example_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The signal and the heading that the how-to shows make an alarm."""
    runbook = tmp_path / "runbook.md"
    [section] = [text for language, text in BLOCKS if language == "markdown"]
    runbook.write_text(f"{signals.RUNBOOK.read_text()}\n{section}")
    signal = _example(monkeypatch, runbook)
    # Whoever follows the how-to to the letter has it among the signals already.
    others = [one for one in definitions.SIGNALS if one.id != signal.id]
    monkeypatch.setattr(definitions, "SIGNALS", (*others, signal))
    alarm = alarm_set(load("dev")).alarm(signal.id)
    assert alarm
    assert alarm.name == "webhook-buffer-dev-backend-timeouts"
    assert alarm.topics == ("ticket",)


def test_the_error_it_shows_is_the_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its heading the example fails with just the words that the how-to shows."""
    runbook = tmp_path / "runbook.md"
    runbook.write_text("# Runbook\n")
    with pytest.raises(SignalError) as caught:
        _example(monkeypatch, runbook)
    shown = f"{SignalError.__module__}.{SignalError.__name__}: {caught.value}\n"
    assert shown in [text for _, text in BLOCKS]


def test_files_and_names_it_mentions_exist() -> None:
    """Every path the how-to names is there."""
    for path in re.findall(r"`([a-z_/-]+/(?:[\w.-]+\.(?:py|md))?)`", HOW_TO):
        assert (ROOT / path).exists(), path
