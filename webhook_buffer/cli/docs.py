"""Writes the documents that come from the definitions, each from the data handed to it."""

from __future__ import annotations

import sys

from alarms import CATALOG
from monitoring.documents import alarms, datadog, runbook
from settings.errors import WebhookBufferError
from settings.loader import load
from webhook_buffer.composition import alarm_set, definitions


def write_alarms() -> None:
    """Writes ``docs/alarms.md``."""
    alarms.write(alarm_set(load(alarms.ENVIRONMENT)))


def write_datadog() -> None:
    """Writes ``docs/datadog-objects.md`` and the files that it leads to."""
    datadog.write(definitions(datadog.example()))


def main() -> int:
    """Writes all of them: exit code 0, or one error on standard error and not 0."""
    try:
        write_alarms()
        write_datadog()
        runbook.write(CATALOG)
    except WebhookBufferError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
