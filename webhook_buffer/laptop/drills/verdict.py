"""What a drill showed, and whether it held: every claim with what was seen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from webhook_buffer.laptop.drills.traffic import NUMBER, Ledger, Traffic


@dataclass(frozen=True, slots=True)
class Claim:
    """One thing that had to hold.

    Attributes:
        what: ``backend-down fires within 3 min``.
        seen: what was seen, in words.
    """

    what: str
    holds: bool
    seen: str


@dataclass(frozen=True, slots=True)
class Notified:
    """A notification that arrived during a drill.

    Attributes:
        minute: minutes of the session since the cause.
        seconds: real seconds since the cause.
        title: its first line.
    """

    channel: str
    minute: float
    seconds: float
    title: str
    drill: bool
    recovered: bool


@dataclass(frozen=True, slots=True)
class Fired:
    """A signal's first ALARM since the cause.

    Attributes:
        minute: minutes of the session since the cause.
        limit: within which it had to come; None where it only could.
    """

    signal: str
    minute: int
    limit: int | None


@dataclass(slots=True, kw_only=True)
class Result:
    """A drill's outcome.

    Attributes:
        pace: real seconds per minute.
        begun: when it began, Unix seconds.
        took: real seconds.
        paged: minutes of the session until the first page; None where there was none.
        page_seconds: the same in real seconds.
        skipped: why it was not run; None where it was.
        commit: that it was run at.
    """

    drill: str
    title: str
    pace: float
    begun: float
    took: float = 0.0
    users_notice: bool = False
    sent: int = 0
    accepted: int = 0
    delivered: int = 0
    fired: list[Fired] = field(default_factory=list)
    notified: list[Notified] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    paged: float | None = None
    page_seconds: float | None = None
    skipped: str | None = None
    commit: str = ""

    @property
    def passed(self) -> bool:
        return not self.skipped and all(claim.holds for claim in self.claims)

    def document(self) -> dict[str, Any]:
        """For other programs."""
        return {**asdict(self), "passed": self.passed}

    def claim(self, what: str, holds: bool, seen: str) -> None:
        self.claims.append(Claim(what, holds, seen))


@dataclass(frozen=True, slots=True)
class Deliveries:
    """What became of the webhooks that a drill sent.

    Attributes:
        lost: numbers of those that were accepted, not dropped, and never received with 200.
        out_of_order: of those that were accepted, received first after one of their group that was
            sent later, but for those that went aside. What was refused may be in the queue all the
            same, when its call of SQS ended too late for an answer.
        undead: dropped, and received with 200 all the same.
        behind: received with 200, and sent after one of their group that goes aside.
    """

    delivered: int
    lost: Sequence[int]
    out_of_order: Sequence[int]
    undead: Sequence[int] = ()
    behind: Sequence[int] = ()


def deliveries(
    ledger: Ledger, traffic: Traffic, received: Iterable[Mapping[str, Any]]
) -> Deliveries:
    """Compares what was accepted with what the backend itself wrote down, not the buffer."""
    groups = {sent.number: sent.group for sent in ledger.sent}
    accepted = {sent.number for sent in ledger.accepted}
    seen: set[int] = set()
    latest: dict[str, int] = {}
    out_of_order = []
    for request in received:
        number = traffic.number_of(str(request["headers"].get(NUMBER.lower(), "")))
        if request["status"] != 200 or number is None or number in seen:
            continue
        seen.add(number)
        group = groups[number]
        if number in ledger.aside:
            continue
        if number in accepted and number < latest.get(group, -1):
            out_of_order.append(number)
        latest[group] = max(number, latest.get(group, -1))
    lost = sorted(accepted - ledger.dropped - seen)
    aside = {groups[number]: number for number in ledger.aside}
    behind = [number for number in seen if number > aside.get(groups[number], number)]
    return Deliveries(len(seen), lost, out_of_order, sorted(ledger.dropped & seen), sorted(behind))
