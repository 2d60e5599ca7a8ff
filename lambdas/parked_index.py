"""The index that lists parked webhooks and held groups, by ``kind`` and ``parked_at``.

It is apart from the rows so that ``audit``, which only lists them, loads nothing of ``subscribe``.
"""

from __future__ import annotations

NAME = "parked"
KINDS = ("held", "aside", "state")
# What it has of a row.
LISTED = (
    "id", "group_id", "source", "reason", "received_at", "attempt_count", "sequence_number",
    "expires_at", "dropped_at", "hold_id", "since",
)  # fmt: skip
