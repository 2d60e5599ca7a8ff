"""The numbers in ``docs/runbook.md``, refreshed by ``make docs``.

People write the runbook; only what stands between the comments of a number is written here, for an
environment with default settings. ``monitoring.placeholders`` says how a number is named.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import alarms as definitions
from monitoring import placeholders
from monitoring.alarm_guide import number
from monitoring.alarm_set import AlarmSet, alarm_set, resolved
from monitoring.model.datadog import DatadogMonitor
from monitoring.model.signals import RUNBOOK
from settings.loader import load

COMMAND = "python -m monitoring.documents.runbook"
ENVIRONMENT = "prd"
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
# Markdown takes a line that begins with a comment for HTML.
_AT_LINE_START = re.compile(r"^\s*(?:[-*]\s+|\d+\.\s+)?<!--.*$", re.MULTILINE)


class RunbookError(Exception):
    """When the runbook names a number that does not exist; it says which."""


def refreshed(text: str, alarm_sets: Sequence[AlarmSet], monitors: Iterable[DatadogMonitor]) -> str:
    """The runbook with today's numbers.

    Args:
        alarm_sets: where a number is looked up, in this order.
        monitors: Datadog's; their facts are those of the first set.

    Raises:
        RunbookError: When a number has no source, or begins a line.
    """
    of_monitors = {
        one.id: placeholders.numbers(
            one.threshold, resolved(one.threshold, alarm_sets[0].resources), one.window, 1, 1
        )
        for one in monitors
    }
    unknown: list[str] = []

    def known(name: str) -> str | None:
        owner, _, which = name.rpartition(".")
        found = of_monitors.get(owner, {}).get(which)
        found = found or next(filter(None, (number(name, one) for one in alarm_sets)), None)
        if found is None:
            unknown.append(name)
        return found

    fresh = placeholders.refreshed(text, known)
    problems = [f"'{name}' is not a number of a signal, fact or settings key" for name in unknown]
    problems += [
        f"the line '{line.strip()[:60]}…' begins with a number's comment; begin it with a word"
        for line in _AT_LINE_START.findall(text)
    ]
    if problems:
        raise RunbookError("\n".join(f"docs/{RUNBOOK.name}: {one}" for one in problems))
    return fresh


def sources() -> tuple[AlarmSet, AlarmSet]:
    """Where the numbers of the documents come from: default settings, and existing resources."""
    busy = {"fromHourUtc": 6, "untilHourUtc": 22}
    return (
        alarm_set(load(ENVIRONMENT, overrides={"traffic": busy})),
        alarm_set(load(ENVIRONMENT, overrides=dict(EXISTING))),
    )


def main() -> None:
    """Refreshes ``docs/runbook.md``."""
    try:
        RUNBOOK.write_text(refreshed(RUNBOOK.read_text(), sources(), definitions.MONITORS))
    except RunbookError as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
