"""Reading JSON that others wrote, which may be anything."""

from __future__ import annotations

import json
from typing import Any


def json_value(text: bytes | str) -> Any:
    """The JSON value in a text; None when it is not JSON, or nested too deeply to read."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def json_object(text: bytes | str) -> dict[str, Any] | None:
    """The JSON object in a text; None when it is anything else."""
    value = json_value(text)
    return value if isinstance(value, dict) else None
