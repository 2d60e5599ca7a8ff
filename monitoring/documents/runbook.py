"""The numbers in ``docs/runbook.md``, refreshed by ``make docs``.

People write the runbook; only what stands between the comments of a number is written here, for an
environment with default settings. ``monitoring.placeholders`` says how a number is named.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from monitoring import placeholders
from monitoring.alarm_guide import number
from monitoring.alarm_set import AlarmSet, alarm_set, resolved
from monitoring.documents import ENVIRONMENT
from monitoring.model.catalog import Catalog
from settings.errors import DefinitionError
from settings.loader import load
from settings.paths import RUNBOOK
from settings.signing import example
from settings.sources import EXAMPLE

# One resource of each kind; their signals are named after these roles (`existing-queue-depth`).
EXISTING: Mapping[str, Any] = {
    "backend_url": None,
    "subdomain": None,
    "domain": None,
    "acmCertificateArn": None,
    "existing": {
        "queues": [{"name": "queue", "role": "existing-queue"}],
        "functions": [{"name": "function", "role": "existing-function", "timeoutSeconds": 30}],
        "apis": [{"name": "api", "role": "existing-api", "kind": "http"}],
        "tables": [{"name": "table", "role": "existing-table"}],
    },
}
# Markdown treats a line that begins with a comment as HTML.
_AT_LINE_START = re.compile(r"^\s*(?:[-*]\s+|\d+\.\s+)?<!--.*$", re.MULTILINE)


def refreshed(text: str, alarm_sets: Sequence[AlarmSet]) -> str:
    """The runbook with today's numbers.

    Args:
        alarm_sets: where a number is looked up, in this order; monitors' facts are those of the
            first.

    Raises:
        DefinitionError: When a number has no source, or begins a line.
    """
    resources = alarm_sets[0].resources
    of_monitors = {
        monitor.id: placeholders.numbers(
            monitor.threshold,
            resolved(monitor.threshold, resources),
            resources.number(monitor.window),
            1,
            1,
        )
        for monitor in alarm_sets[0].catalog.monitors
    }
    unknown: list[str] = []

    def known(name: str) -> str | None:
        owner, _, which = name.rpartition(".")
        text_of_number = of_monitors.get(owner, {}).get(which)
        text_of_number = text_of_number or next(
            filter(None, (number(name, alarm_set) for alarm_set in alarm_sets)), None
        )
        if text_of_number is None:
            unknown.append(name)
        return text_of_number

    fresh = placeholders.refreshed(text, known)
    problems = [f"'{name}' is not a number of a signal, fact or settings key" for name in unknown]
    problems += [
        f"the line '{line.strip()[:60]}…' begins with a number's comment; begin it with a word"
        for line in _AT_LINE_START.findall(text)
    ]
    if problems:
        raise DefinitionError([f"docs/{RUNBOOK.name}: {problem}" for problem in problems])
    return fresh


def sources(catalog: Catalog, runbook: Path = RUNBOOK) -> tuple[AlarmSet, AlarmSet]:
    """Where the numbers of the documents come from: default settings, and existing resources."""
    default = load(ENVIRONMENT)
    asked = {
        "traffic": {"fromHourUtc": 6, "untilHourUtc": 22},
        "sources": [EXAMPLE],
        "signing": example(default.partition, default.place),
        "openToEveryone": None,
    }
    return (
        alarm_set(load(ENVIRONMENT, overrides=asked), catalog, runbook=runbook),
        alarm_set(load(ENVIRONMENT, overrides=dict(EXISTING)), catalog, runbook=runbook),
    )
