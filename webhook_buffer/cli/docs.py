"""Writes the documents that come from the definitions, each from the data handed to it."""

from __future__ import annotations

import sys

from monitoring.documents import datadog
from settings.errors import WebhookBufferError
from webhook_buffer.composition import definitions


def write_datadog() -> None:
    """Writes ``docs/datadog-objects.md`` and the files that it leads to."""
    datadog.write(definitions(datadog.example()))


def main() -> int:
    """Writes all of them: exit code 0, or one error on standard error and not 0."""
    try:
        write_datadog()
    except WebhookBufferError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
