"""Texts name their numbers, and the numbers follow their sources."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitoring import placeholders
from monitoring.model.signals import Threshold
from monitoring.resources import resources
from settings.loader import load
from tests.monitoring.fixtures import SIGNALS

RESOURCES = resources(load("dev"))
SHARE = Threshold(0.8, "Seconds", "Why.", of="queue.retention")


def test_a_signal_s_own_numbers_are_in_words() -> None:
    """Threshold, share and window are written as people write them."""
    assert placeholders.numbers(SHARE, 967_680, 60, 2, 3) == {
        "threshold": "11.2 d",
        "share": "80 %",
        "factor": "0.8",
        "window": "2 of 3 minutes",
    }
    assert "share" not in placeholders.numbers(Threshold(900, "Seconds", "Why."), 900, 60, 1, 1)


def test_every_text_of_a_signal_is_filled() -> None:
    """Title, impact and both reasons may name a number; Datadog's double braces stay."""
    text = "{threshold} of {queue.scan_limit}, {{@where.name}}"
    signal = replace(
        SIGNALS[0],
        title=text,
        impact=text,
        missing_reason=text,
        threshold=replace(SIGNALS[0].threshold, reason=text),
    )
    filled = placeholders.filled(signal, {"threshold": "15 min"}, RESOURCES)
    expected = "15 min of 120,000, {{@where.name}}"
    assert {filled.title, filled.impact, filled.missing_reason, filled.threshold.reason} == {
        expected
    }


def test_an_unknown_number_is_named_with_the_known_ones() -> None:
    """A text that names what does not exist is a problem, with what it may name."""
    assert placeholders.unknown(replace(SIGNALS[0], impact="{treshold} late."), RESOURCES) == [
        "a text names {treshold}, which does not exist; write one of {threshold}, {window}, or a "
        "fact of monitoring/resources.py"
    ]
    assert placeholders.unknown(replace(SIGNALS[0], impact="{queue.retention}"), RESOURCES) == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("retryMaxSeconds", "5 min"),
        ("retentionDays", "14 d"),
        ("heartbeatMinutes", "5 min"),
        ("acceptedObjective", "99.9 %"),
        ("maxConcurrency", "10"),
        ("testFlags", None),
        ("service", None),
        ("nothing", None),
    ],
)
def test_a_settings_key_s_unit_is_in_its_name(name: str, expected: str | None) -> None:
    """Numbers of settings are written in their unit; what is not a number gives None."""
    settings = load("prd")
    assert placeholders.of_setting(name, settings) == expected


def test_a_number_in_the_runbook_is_refreshed_in_its_place() -> None:
    """Only what stands between a number's comments changes, and an unknown one stays."""
    text = "Waits <!--a.threshold-->1 min<!--/--> of\n<!--b-->2\nmin<!--/-->."
    fresh = placeholders.refreshed(text, {"a.threshold": "9 min"}.get)
    assert fresh == "Waits <!--a.threshold-->9 min<!--/--> of\n<!--b-->2\nmin<!--/-->."
    assert placeholders.plain(fresh) == "Waits 9 min of\n2\nmin."
