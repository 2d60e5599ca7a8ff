"""``python -m tests.datadog_recordings FILE.jsonl.gz``: exits with 1 if anything falls short."""

from __future__ import annotations

import sys
from pathlib import Path

from monitoring.documents.datadog import example
from settings.errors import InputError
from tests.datadog_recordings.reading import read
from tests.datadog_recordings.report import printable, report

_SHOWN = 40


def main(arguments: list[str]) -> int:
    """Plays a file, and prints what it shows."""
    if len(arguments) != 1:
        print("usage: python -m tests.datadog_recordings FILE.jsonl.gz", file=sys.stderr)
        return 1
    try:
        conversations = read(Path(arguments[0]))
    except InputError as error:
        print(printable([str(error)]), file=sys.stderr)
        return 1
    result = report(conversations, example())
    calls = sum(len(conversation.calls) for conversation in conversations)
    print(f"{len(conversations)} conversations, {calls} calls.\n\n{result.table()}\n")
    if not result.short:
        print("Nothing falls short.")
        return 0
    print(printable(result.short[:_SHOWN]))
    rest = len(result.short) - _SHOWN
    print(f"… and {rest} more" if rest > 0 else f"{len(result.short)} fall short.")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
