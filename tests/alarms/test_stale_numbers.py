"""No text about an alarm has a number of its own that a changed threshold or fact leaves behind."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alarms import CATALOG
from monitoring import placeholders, wording
from monitoring.alarm_guide import alarm_guides, number
from monitoring.alarm_set import Alarm, AlarmSet, alarm_set
from monitoring.documents.alarms import alarms_markdown
from monitoring.model.catalog import Catalog
from monitoring.model.signals import Fact, Signal, Threshold
from monitoring.quantities import quantity
from settings.loader import load
from settings.paths import ROOT, RUNBOOK
from settings.signing import example
from settings.sources import EXAMPLE

SIGNALS = {signal.id: signal for signal in CATALOG.signals}
SECTIONS = dict(re.findall(r"(?ms)^## (\S+)\n(.*?)(?=^## |\Z)", RUNBOOK.read_text()))
# Commands and code have numbers of their own, and those between comments are refreshed.
_NOT_PROSE = re.compile(r"(?ms)^```.*?^```|`[^`]*`|^\d+\. |--\w+ \d+|<!--[\w.-]+-->.*?<!--/-->")
# Of something else, too: what senders wait for, how AWS's services grow, repeat, keep and delete.
_OTHERS = {"5 minutes", "10 s", "14 days", "60 s", "100", "1,000", "half"}


def _set(catalog: Catalog) -> AlarmSet:
    asked: dict[str, Any] = {
        "traffic": {"fromHourUtc": 6, "untilHourUtc": 22},
        "sources": [EXAMPLE],
        "signing": example("aws", load("prd").place),
        "openToEveryone": None,
    }
    return alarm_set(load("prd", overrides=asked), catalog)


def _changed(signal: Signal) -> Signal:
    """The signal with other numbers; its threshold is still one that can be crossed."""
    value = signal.threshold.value * (0.9 if signal.threshold.of else 2 / 3)
    whole = signal.threshold.unit == "Count" and signal.threshold.of is None
    threshold = replace(signal.threshold, value=max(2, round(value)) if whole else value)
    return replace(signal, threshold=threshold, numbers=_moved(signal.numbers))


def _moved(facts: Mapping[str, Fact]) -> dict[str, Fact]:
    return {name: replace(fact, value=fact.value * 1.5) for name, fact in facts.items()}


def _facts(alarms: AlarmSet) -> dict[str, Fact]:
    """Every number that is neither a threshold nor a settings key, by its name in the runbook."""
    resources = alarms.resources
    return {
        **resources.facts,
        **{
            f"{role}.{name}": fact
            for role, resource in resources.by_role.items()
            for name, fact in resource.facts.items()
        },
        **{
            f"{signal.id}.{name}": fact
            for signal in alarms.catalog.signals
            for name, fact in signal.numbers.items()
        },
    }


@pytest.fixture(scope="module")
def before() -> AlarmSet:
    """The alarms as they are."""
    return _set(CATALOG)


@pytest.fixture(scope="module")
def after() -> AlarmSet:
    """The alarms after every number of a signal and every fact has changed."""
    alarms = _set(replace(CATALOG, signals=tuple(map(_changed, CATALOG.signals))))
    resources = alarms.resources
    moved = {
        role: replace(resource, facts=_moved(resource.facts))
        for role, resource in resources.by_role.items()
    }
    facts = _moved(resources.facts)
    return replace(alarms, resources=replace(resources, by_role=moved, facts=facts))


def _alarm(alarms: AlarmSet, name: str) -> Alarm:
    alarm = alarms.alarm(name)
    assert alarm
    return alarm


def _written(value: float, threshold: Threshold) -> set[str]:
    """The ways in which somebody may write a threshold; a lone 1 says nothing."""
    spellings = {quantity(value, threshold.unit)}
    if threshold.unit in ("Seconds", "Milliseconds"):
        seconds = value / (1000 if threshold.unit == "Milliseconds" else 1)
        spellings |= {f"{seconds:g} s", f"{seconds:g} seconds", f"{seconds / 60:g} min"}
        spellings |= {
            f"{seconds / 60:g} minutes",
            f"{seconds / 3600:g} h",
            f"{seconds / 86400:g} days",
        }
        spellings |= {"quarter of an hour"} if seconds == 900 else set()
    if threshold.unit == "Percent":
        spellings |= {f"{value:g}%", f"{value:g} percent"}
    if threshold.of:
        spellings |= {quantity(100 * threshold.value, "Percent"), f"{threshold.value:g} times"}
    if (threshold.unit == "Percent" and value == 50) or threshold.value == 0.5:
        spellings |= {"half"}
    return {spelling for spelling in spellings if spelling != "1"}


def _alone(pattern: str) -> str:
    """The pattern where it is not a part of a longer number or word."""
    return rf"(?i)(?<![\w.,])(?:{pattern})(?![\w%])"


def _stale(text: str, written: set[str]) -> list[str]:
    """Those of the writings that stand in a text as numbers of their own."""
    return [spelling for spelling in written if re.search(_alone(re.escape(spelling)), text)]


@pytest.mark.parametrize("name", sorted(SIGNALS))
def test_the_texts_of_a_signal_follow_its_threshold(
    name: str, before: AlarmSet, after: AlarmSet
) -> None:
    """Title, impact, reason and description have the new number or none."""
    old, new = _alarm(before, name), _alarm(after, name)
    threshold = old.signal.threshold
    stale = _written(old.threshold, threshold) - _written(new.threshold, new.signal.threshold)
    guide = alarm_guides(after)["alarms"][new.name]
    # Its condition has further numbers, of the window; all of them come from the signal.
    description = wording.description(new, "").replace(wording.condition(new), "")
    texts = (new.signal.title, new.signal.impact, new.signal.threshold.reason, description)
    for text in (*texts, guide["title"], guide["impact"]):
        assert _stale(text, stale) == [], text


@pytest.mark.parametrize("name", sorted(SIGNALS))
def test_the_runbook_writes_no_threshold_by_hand(name: str, before: AlarmSet) -> None:
    """In a signal's section its threshold stands only where it is refreshed."""
    alarm = _alarm(before, name)
    prose = _NOT_PROSE.sub(" ", SECTIONS[alarm.signal.runbook])
    assert _stale(prose, _written(alarm.threshold, alarm.signal.threshold)) == []


def test_no_text_writes_a_fact_by_hand(before: AlarmSet) -> None:
    """What a constant of the code says stands in runbook and texts only where it is filled in."""
    texts = {heading: _NOT_PROSE.sub(" ", section) for heading, section in SECTIONS.items()}
    for signal in CATALOG.signals:
        reasons = (signal.missing_reason, signal.threshold.reason)
        texts[signal.id + ".py"] = " ".join((signal.title, signal.impact, *reasons))
    spellings: set[str] = set()
    for fact in _facts(before).values():
        if fact.unit == "Count" and fact.value < 60:
            spellings.add(f"{fact.value:g} times")
        else:
            spellings |= _written(fact.value, Threshold(fact.value, fact.unit, ""))
    anywhere = re.compile(_alone("|".join(map(re.escape, sorted(spellings - _OTHERS)))))
    assert {name: stale for name, text in texts.items() if (stale := anywhere.findall(text))} == {}


@pytest.mark.parametrize(
    "file", sorted((ROOT / "docs/decisions").glob("*.md")), ids=lambda file: file.stem
)
def test_a_decision_writes_no_threshold_of_a_signal(file: Path, before: AlarmSet) -> None:
    """A paragraph that names a signal has none of its numbers: nothing refreshes them there."""
    for paragraph in file.read_text("utf-8").split("\n\n"):
        for name in SIGNALS.keys() & set(re.findall(r"`([\w-]+)`", paragraph)):
            alarm = _alarm(before, name)
            prose = _NOT_PROSE.sub(" ", paragraph)
            assert _stale(prose, _written(alarm.threshold, alarm.signal.threshold)) == []


@pytest.mark.parametrize("name", sorted(SIGNALS))
def test_no_reason_compares_a_number_with_another_signal(name: str) -> None:
    """What a sentence says of this number and another signal is false once either changes."""
    reason = SIGNALS[name].threshold.reason
    for sentence in re.split(r"(?<=[.;]) ", reason):
        others = [
            other
            for other in SIGNALS.keys() - {name}
            if re.search(rf"(?<![\w-]){other}(?![\w-])", sentence)
        ]
        assert not others or not re.search(r"\{|\d", sentence), f"{others}: {sentence}"


def test_the_runbook_s_numbers_move(before: AlarmSet, after: AlarmSet) -> None:
    """Refreshed after the change, the runbook has every new threshold and fact that it names."""
    facts = _facts(before).keys()
    for name in set(re.findall(r"<!--([\w-]+\.\w+)-->", RUNBOOK.read_text())):
        alarm = before.alarm(name.removesuffix(".threshold"))
        if alarm or name in facts:
            text = f"a <!--{name}-->{number(name, before)}<!--/-->"
            assert number(name, after) != number(name, before), name
            assert (
                placeholders.refreshed(text, lambda placeholder: number(placeholder, after)) != text
            )


def test_the_page_of_alarms_follows(after: AlarmSet) -> None:
    """docs/alarms.md would show each new threshold in both of a signal's rows."""
    page = alarms_markdown(after)
    for alarm in after.alarms:
        written = quantity(alarm.threshold, alarm.signal.threshold.unit)
        rows = [line for line in page.splitlines()
                if re.match(rf"\| \[?{alarm.signal.id}\b(?!-)", line)]  # fmt: skip
        assert len(rows) == 2, alarm.signal.id
        assert all(written in row for row in rows), alarm.signal.id
