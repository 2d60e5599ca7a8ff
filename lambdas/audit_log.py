"""What the logs of publish and subscribe say of webhooks; ids of messages are SQS's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from lambdas.base import aws
from lambdas.log_lines import lines

# Milliseconds of publish's log that are read at a time: what is read whole is not read again.
_SLICE = 5 * 60_000
# Milliseconds within which SQS takes a message for a repeat, with a reserve for when it was logged.
# Source: SQS developer guide, "Exactly-once processing in Amazon SQS": 5 minutes.
REPEAT = 5 * 60_000 + 10_000
# Webhooks of one run, so that they fit into the function's memory.
_MOST = 500_000

_QUEUED = '{ $.event = "webhook.queued" }'
_HANDLED = " || ".join(
    f'$.event = "{event}"'
    for event in ("webhook.*", "heartbeat.arrived", "message.unreadable", "release.waits")
)
_SETTLED = {
    "webhook.delivered", "webhook.parked", "webhook.already-delivered", "webhook.already-parked",
}  # fmt: skip
# Events of a message that stays in the queue, unless another line settles its webhook. What waits
# for a release was settled before.
_STAYS = {
    "webhook.failed", "webhook.unattempted", "webhook.paused", "message.unreadable",
    "release.waits",
}  # fmt: skip
# Webhooks that have to be reached before the slowest of them says how long it takes.
_ENOUGH = 5


class Accepted(NamedTuple):
    """A webhook that SQS took.

    Attributes:
        sequence: SQS's number, which rises within a group; 0 where it is not known.
        at: of its line, milliseconds since the epoch.
        mark: of its deduplication id; empty where no other webhook can have the same.
    """

    id: str
    group_id: str
    sequence: int
    at: int
    mark: str = ""


class _Latest(NamedTuple):
    at: int
    message_id: str
    event: str


@dataclass
class Seen:
    """What subscribe did.

    Attributes:
        settled: ids of webhooks that left the queue delivered, parked, or as a test flag asked.
        numbers: their groups and sequence numbers, where lines have them: SQS may answer what it
            takes for a repeat with another id than the original's.
        latest: the latest line of each group.
        highest: the highest sequence number that was handled, by group.
        reached: how many messages were received for the first time.
        slowest: the age of the oldest of these, milliseconds.
        whole: whether the log was read to its end.
    """

    settled: set[str] = field(default_factory=set)
    numbers: set[tuple[str, int]] = field(default_factory=set)
    latest: dict[str, _Latest] = field(default_factory=dict)
    highest: dict[str, int] = field(default_factory=dict)
    reached: int = 0
    slowest: int = 0
    whole: bool = False

    def stays_at(self, group_id: str) -> int | None:
        """When a group's head was last put back; None where the latest line says otherwise."""
        latest = self.latest.get(group_id)
        if latest is None or latest.event not in _STAYS:
            return None
        gone = latest.message_id in self.settled and latest.event != "release.waits"
        return None if gone else latest.at

    def settles(self, message_id: str, group_id: str, sequence: int) -> bool:
        """Whether a webhook left the queue as it should."""
        return message_id in self.settled or (group_id, sequence) in self.numbers

    def reach(self) -> int | None:
        """How long a message waits until it is received, at most; None if too few were."""
        return self.slowest if self.whole and self.reached >= _ENOUGH else None

    def add(self, line: dict[str, Any]) -> None:
        """Takes in one line."""
        event, message_id = str(line["event"]), str(line.get("message_id", ""))
        group_id, at = str(line.get("group_id", "")), int(line["at"])
        number = _number(line.get("sequence_number"))
        attempted = event in ("webhook.delivered", "webhook.failed") and line.get("attempt") == 1
        first = attempted or line.get("receives") == 1
        if (first or event == "heartbeat.arrived") and isinstance(line.get("age_ms"), int):
            self.reached += 1
            self.slowest = max(self.slowest, line["age_ms"])
        if event in _SETTLED or line.get("consumed") is True:
            self.settled.add(message_id)
            if number:
                self.numbers.add((group_id, number))
        if at >= self.latest.get(group_id, _Latest(0, "", "")).at:
            self.latest[group_id] = _Latest(at, message_id, event)
        self.highest[group_id] = max(number, self.highest.get(group_id, 0))


def accepted(log_group: str, begin: int, end: int, *, until: float) -> tuple[list[Accepted], int]:
    """Webhooks that were accepted in a stretch of time, and up to when all of them are there.

    Args:
        begin, end: milliseconds since the epoch; the end is left out.
        until: when to stop reading, by the monotonic clock.

    Raises:
        AwsError: When the log can't be read.
    """
    webhooks: list[Accepted] = []
    while begin < end and len(webhooks) < _MOST:
        next_begin = min(begin + _SLICE, end)
        try:
            queued = list(lines(log_group, _QUEUED, begin, next_begin, until=until))
        except aws.AwsError as error:
            if error.code != "Timeout":
                raise
            break
        webhooks += [_accepted(line) for line in queued if line["event"] == "webhook.queued"
                     and not line.get("heartbeat") and line.get("message_id")]  # fmt: skip
        begin = next_begin
    return webhooks, begin


def seen(log_group: str, begin: int, end: int, *, until: float) -> Seen:
    """What subscribe did in a stretch of time; without its end if there is too little time.

    Raises:
        AwsError: When the log can't be read.
    """
    facts = Seen()
    try:
        for line in lines(log_group, f"{{ {_HANDLED} }}", begin, end, until=until):
            facts.add(line)
    except aws.AwsError as error:
        if error.code != "Timeout":
            raise
        return facts
    facts.whole = True
    return facts


def _accepted(line: dict[str, Any]) -> Accepted:
    return Accepted(
        str(line["message_id"]),
        str(line.get("group_id", "")),
        _number(line.get("sequence_number")),
        int(line["at"]),
        str(line.get("deduplication", "")),
    )


def _number(text: Any) -> int:
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() else 0
