"""What is unproven, as docs/first-deployment.md lists it, and the report of what was seen."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from settings.paths import ROOT

PAGE = ROOT / "docs" / "first-deployment.md"
NOT_COVERED = "not covered: "
# | `id` | what is assumed | file, file | how it is tried |
_ROW = re.compile(r"\| `([a-z-]+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|")
_SECTION = "## Unproven assumptions"


class Verdict(StrEnum):
    """What became of an assumption."""

    CONFIRMED = "confirmed"
    REFUTED = "refuted"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Outcome:
    """What was seen of an assumption."""

    id: str
    verdict: Verdict
    seen: str


@dataclass(frozen=True)
class Assumption:
    """Something that the code or the documents rest on.

    Attributes:
        files: where it is stated, below the root.
        tried: how, or why not.
    """

    id: str
    claim: str
    files: tuple[str, ...]
    tried: str

    @property
    def covered(self) -> bool:
        """Whether a step tries it."""
        return not self.tried.startswith(NOT_COVERED)


def assumptions() -> dict[str, Assumption]:
    """All of them, by id, in the page's order."""
    section = PAGE.read_text("utf-8").partition(_SECTION)[2].partition("\n## ")[0]
    rows = [match.groups() for match in map(_ROW.fullmatch, section.splitlines()) if match]
    return {
        name: Assumption(name, claim.strip(), tuple(re.findall(r"`([^`]+)`", files)), tried.strip())
        for name, claim, files, tried in rows
    }


def report(known: Mapping[str, Assumption], outcomes: Iterable[Outcome], about: str) -> str:
    """The report in Markdown: every assumption, whatever was seen of it."""
    seen = {outcome.id: outcome for outcome in outcomes}
    lines = [
        "# First deployment", "", about, "",
        "| assumption | verdict | seen | stated in |", "| --- | --- | --- | --- |",
    ]  # fmt: skip
    for assumption in known.values():
        outcome = seen.get(assumption.id)
        missing = "not reached" if assumption.covered else assumption.tried
        verdict = outcome.verdict if outcome else Verdict.UNKNOWN
        cells = [
            f"`{assumption.id}`: {assumption.claim}", f"**{verdict}**",
            outcome.seen if outcome else missing, ", ".join(assumption.files),
        ]  # fmt: skip
        lines.append(f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |")
    return "\n".join([*lines, ""])
