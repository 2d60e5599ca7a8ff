"""How Datadog reads the severity of a JSON log line before any pipeline of the customer's runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# The first of them that a line has counts. Source: Datadog documentation, "Pipelines",
# "Preprocessing", "Status attribute".
_STATUS = ("status", "severity", "level", "syslog.severity")
# What a value begins with, in the order of the documentation's list; any other is ``info``.
# Source: Datadog documentation, "Log Status Remapper".
_BEGINNINGS = {
    "emerg": "emerg", "f": "emerg", "a": "alert", "c": "critical", "err": "error", "w": "warning",
    "n": "notice", "i": "info", "d": "debug", "t": "debug", "v": "debug", "o": "ok", "s": "ok",
}  # fmt: skip


def status(line: Mapping[str, Any]) -> str | None:
    """A line's official status; None if the line does not have any."""
    value = next((line[name] for name in _STATUS if name in line), None)
    if value is None:
        return None
    text = str(value).lower()
    return next((known for start, known in _BEGINNINGS.items() if text.startswith(start)), "info")
