"""The plan between a recorded request and what Datadog answered it with: it has to be empty."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from monitoring.datadog.definition import Kind
from monitoring.datadog.sync.diff import changes
from tests.datadog_recordings.bounds import bounded
from tests.datadog_recordings.reading import Call, Conversation


@dataclass(frozen=True, slots=True)
class Pair:
    """What was sent, and an answer that shows it: of that request, or of a later look.

    Attributes:
        changes: the plan between them, as words; empty where it should be.
        crash: why there is no plan.
    """

    call: Call
    changes: tuple[str, ...] = ()
    crash: str = ""


def pairs(conversation: Conversation) -> Iterator[Pair]:
    """Every pair of a conversation, in the order of its answers."""
    sent: dict[str, dict[str, Any]] = {}
    for call in conversation.calls:
        there = call.object
        if there is None or not call.of_objects or "id" not in there:
            continue
        key = f"{call.kind} {there['id']}"
        if call.method == "POST" or call.method == "PUT":
            sent[key] = call.sent or {}
        elif call.method == "PATCH":
            sent[key] = sent.get(key, {}) | (call.sent or {})
        if call.method != "DELETE" and key in sent:
            yield _pair(call, there, sent[key])


def _pair(call: Call, there: dict[str, Any], wanted: dict[str, Any]) -> Pair:
    try:
        with bounded():
            differences = changes(Kind(call.kind), there, wanted)
    except Exception as error:  # whatever it is, a plan should not have met it
        return Pair(call, crash=f"{type(error).__name__}: {error}"[:200])
    words = tuple(
        f"{difference.path}: {difference.before!r:.60} → {difference.after!r:.60}"
        for difference in differences
    )
    return Pair(call, words)
