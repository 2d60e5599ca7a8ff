"""Times as texts."""

from __future__ import annotations

from datetime import UTC, datetime


def iso(milliseconds: int, timespec: str = "milliseconds") -> str:
    """``2026-11-24T03:12:00.000Z``, from milliseconds since the epoch.

    Args:
        timespec: how exactly; ``seconds`` leaves the fraction out.
    """
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return moment.isoformat(timespec=timespec).replace("+00:00", "Z")
