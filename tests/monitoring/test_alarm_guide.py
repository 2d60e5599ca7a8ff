"""What notify knows about each alarm."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from lambdas import blocking
from lambdas.alarm_guide import AlarmGuides
from monitoring.alarm_guide import alarm_guides, first_steps
from monitoring.alarm_set import AlarmSet
from monitoring.model.checks import headings
from monitoring.model.signals import Named
from settings.loader import environments, load
from settings.paths import RUNBOOK
from settings.signing import example
from settings.sources import EXAMPLE
from webhook_buffer.composition import alarm_set


@pytest.mark.parametrize("env", environments())
def test_every_alarm_is_briefed(env: str) -> None:
    """Each alarm and composite has a title, an impact and first steps under its physical name."""
    _require_briefed(alarm_set(load(env)))


def test_every_alarm_that_is_asked_for_is_briefed() -> None:
    """So are the alarms that only sources and signing bring."""
    asked = {
        "sources": [EXAMPLE],
        "signing": example("aws", load("stg").place),
        "openToEveryone": None,
    }
    _require_briefed(alarm_set(load("stg", overrides=asked)))


def _require_briefed(alarms: AlarmSet) -> None:
    guides = alarm_guides(alarms)
    names = {alarm.name for alarm in alarms.alarms} | {
        composite.name for composite in alarms.composites
    }
    assert guides["alarms"].keys() == names
    for name, entry in guides["alarms"].items():
        assert 2 <= len(entry["steps"]) <= 4, name
        assert all(len(step) <= 160 for step in entry["steps"])
        assert entry["title"]
        assert entry["impact"]
        assert set(entry["parts"]) <= names


def test_commands_are_set_as_code() -> None:
    """Every command of a step stands in backticks, as all channels need it to set it as code."""
    commands = re.compile(r"(?<![\w/])(webhook-buffer [a-z]|aws [a-z]+ [a-z-]+|curl -)")
    for heading in headings(RUNBOOK):
        for step in first_steps(heading, RUNBOOK):
            assert step.count("`") % 2 == 0, step
            assert not commands.search(re.sub(r"`[^`]*`", "", step)), step


@pytest.mark.parametrize("env", environments())
def test_every_count_and_share_says_of_what(env: str) -> None:
    """A count has a noun whose singular reads well, too; a share says what is; a time has none."""
    for entry in alarm_guides(alarm_set(load(env)))["alarms"].values():
        assert bool(entry["counted"]) == (entry["unit"] in ("Count", "Percent")), entry["id"]
        assert not re.search(r"\w(ss|ies|xes|ches)\b", entry["counted"])


def test_steps_name_this_environment() -> None:
    """Names and environment stand in the steps, so that commands can be copied as they are."""
    guides = alarm_guides(alarm_set(load("stg")))
    steps = " ".join(step for entry in guides["alarms"].values() for step in entry["steps"])
    assert "--env stg" in steps
    assert "webhook-buffer-stg-" in steps
    assert not re.search(r"\bENV\b|\bREGION\b", steps)


def test_steps_name_what_exists() -> None:
    """For existing resources, the steps and the title name the resource."""
    guides = alarm_guides(
        alarm_set(
            load(
                "dev",
                overrides={
                    "create_faux_backend": None,
                    "existing": {
                        "queues": [{"name": "orders"}],
                        "functions": [{"name": "orders-worker", "timeoutSeconds": 60}],
                        "apis": [{"name": "a1b2c3", "kind": "http"}],
                        "tables": [{"name": "orders-table"}],
                    },
                },
            )
        )
    )
    steps = " ".join(step for entry in guides["alarms"].values() for step in entry["steps"])
    assert not re.search(r"\b[A-Z]+_NAME\b|-f (publish|subscribe)\b", steps)
    assert "--queue-name orders " in steps
    assert "/aws/lambda/orders-worker " in steps
    title = guides["alarms"]["webhook-buffer-dev-function-errors"]["title"]
    assert title == "orders-worker: function crashes"


def test_what_blocks_is_named() -> None:
    """Signals of single groups and parked webhooks name them, as the functions know how."""
    entries = alarm_guides(alarm_set(load("prd")))["alarms"].values()
    names = {entry["id"]: entry["names"] for entry in entries if entry["names"]}
    assert names == {
        "blocked-group": "blocked",
        "webhook-parked": "parked",
        "group-held": "held",
        "group-held-long": "held",
        "parking-braked": "braked",
        "parked-expiring": "expiring",
        "webhooks-lost": "lost",
    }
    assert set(names.values()) == set(Named) == blocking.WHICH
    logs = {entry["log_group"] for entry in entries if entry["names"] in ("blocked", "braked")}
    assert logs == {"/aws/lambda/webhook-buffer-prd-subscribe"}
    [lost] = [entry for entry in entries if entry["names"] == "lost"]
    assert lost["log_group"] == "/aws/lambda/webhook-buffer-prd-audit"


def test_every_heading_has_first_steps() -> None:
    """No section of the runbook lacks what somebody does first."""
    assert [
        heading for heading in headings(RUNBOOK) if len(first_steps(heading, RUNBOOK)) < 2
    ] == []


def test_every_heading_is_an_alarm_s() -> None:
    """The runbook has no section that nothing leads to."""
    import alarms as definitions
    from monitoring.model.signals import Kind

    kinds = (Kind.QUEUE, Kind.FUNCTION, Kind.HTTP_API, Kind.TABLE)
    generic = [signal for kind in kinds for signal in definitions.CATALOG.existing("x", kind, "x")]
    led_to = {signal.runbook for signal in (*definitions.CATALOG.signals, *generic)}
    led_to |= {signal.runbook for signal in definitions.CATALOG.source("source-x")}
    led_to |= {composite.id for composite in definitions.CATALOG.composites}
    led_to |= {watch.runbook for watch in definitions.CATALOG.monitors}
    assert headings(RUNBOOK) == led_to


def test_notify_reads_it() -> None:
    """The function's own reader takes what is written for it."""
    guides = alarm_guides(alarm_set(load("prd")))
    read = AlarmGuides.parse(json.dumps(guides))
    assert read.alarms.keys() == guides["alarms"].keys()


def test_steps_of_a_section(tmp_path: Path) -> None:
    """Only the numbered items under "First steps" count, each on one line."""
    file = tmp_path / "runbook.md"
    file.write_text(
        "# R\n\n## a\n\n**First steps**\n\n1. one\n2. two\n\n**Fix.**\n\n1. not this\n\n## b\n"
    )
    assert first_steps("a", file) == ["one", "two"]
    assert first_steps("b", file) == []
    assert first_steps("c", file) == []
