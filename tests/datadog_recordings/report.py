"""What a file of recordings shows: a table of counts by kind, and whatever falls short."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from settings.schema import Settings
from tests.datadog_recordings.imports import imports
from tests.datadog_recordings.plans import pairs
from tests.datadog_recordings.reading import KINDS, Conversation
from tests.datadog_recordings.replay import Answer, replay

# Each column, and what is counted in it.
COLUMNS = {
    "pairs": "a request and an answer that shows it",
    "plan empty": "nothing to change between the two",
    "accepted": "by Datadog",
    "by the fake": "of those",
    "refused": "by Datadog",
    "alike": "of those, by the fake with the same status and form",
    "compared": "answers as Datadog gives them today",
    "same shape": "of those, in all but ids, times and people",
    "crashes": "of the plan, the fake or an import",
    "imports": "dashboards and monitors",
    "stable": "of those: plan empty, and again after deleting and making it again",
}


@dataclass
class Report:
    """Counts by kind and column, and a sentence for each thing that falls short."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    short: list[str] = field(default_factory=list)

    def add(self, kind: str, column: str, good: bool = True) -> None:
        self.counts[kind, column] += good

    def table(self) -> str:
        """The counts as a table in Markdown."""
        rows = [["kind", *COLUMNS]]
        rows += [[kind, *(str(self.counts[kind, column]) for column in COLUMNS)] for kind in KINDS]
        total = (str(sum(self.counts[kind, column] for kind in KINDS)) for column in COLUMNS)
        rows.append(["all", *total])
        lines = [f"| {' | '.join(row)} |" for row in rows]
        return "\n".join([lines[0], "| --- " * len(rows[0]) + "|", *lines[1:]])


def report(conversations: Iterable[Conversation], settings: Settings) -> Report:
    """Plays all conversations.

    Args:
        settings: of the environment that imports.
    """
    tally = Report()
    for conversation in conversations:
        for problem in _short(conversation, settings, tally):
            tally.short.append(f"{conversation.name}: {problem}")
    return tally


def _short(conversation: Conversation, settings: Settings, tally: Report) -> Iterator[str]:
    for pair in pairs(conversation):
        kind = pair.call.kind
        tally.add(kind, "pairs")
        tally.add(kind, "plan empty", not pair.changes and not pair.crash)
        tally.add(kind, "crashes", bool(pair.crash))
        if pair.changes or pair.crash:
            differs = pair.crash or "; ".join(pair.changes)
            yield f"{pair.call.name}: the plan is not empty: {differs}"
    for answer in replay(conversation):
        yield from _of_answer(answer, tally)
    for attempt in imports(conversation, settings):
        tally.add(attempt.call.kind, "imports")
        tally.add(attempt.call.kind, "stable", not attempt.problem)
        tally.add(attempt.call.kind, "crashes", attempt.problem.startswith("crashed"))
        if attempt.problem:
            yield f"{attempt.call.name}: its import: {attempt.problem}"


def _of_answer(answer: Answer, tally: Report) -> Iterator[str]:
    call = answer.call
    tally.add(call.kind, "accepted" if call.accepted else "refused")
    tally.add(call.kind, "by the fake" if call.accepted else "alike", answer.same)
    tally.add(call.kind, "crashes", bool(answer.crash))
    if answer.compared:
        tally.add(call.kind, "compared")
        tally.add(call.kind, "same shape", not answer.shape)
    if not answer.same:
        differs = answer.crash or f"{answer.status}, not {call.status}: {str(answer.reply)[:200]}"
        yield f"{call.name}: the fake answers {differs}"
    elif answer.shape:
        yield f"{call.name}: the fake's answer differs: {'; '.join(answer.shape[:3])}"


def printable(lines: Sequence[str]) -> str:
    """Lines for a terminal: what comes from a file controls none."""
    return "\n".join(
        "".join(character if character.isprintable() else "�" for character in line)[:500]
        for line in lines
    )
