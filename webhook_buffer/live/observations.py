"""Log lines and queue depths become single values of the metrics that CloudWatch would have.

The functions' own metrics stand in their log lines as CloudWatch would read them; what AWS counts
of queue, functions and API follows from the same lines, and the queue's depth from asking it. What
can't be known so (throttles, concurrency, capacity) is left out, and so missing.

The reader takes lines in batches. However a log is split into batches, the same values come out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lambdas.base.metrics import FRESH_SECONDS
from monitoring.log_counts import COUNTS
from webhook_buffer.live.invocations import BOUNDARY, Invocations
from webhook_buffer.live.pace import Clock
from webhook_buffer.live.values import Depth, Key, Limits, Observation, part
from webhook_buffer.operations.logs import Line

# The functions whose lines are read, where they are deployed.
FUNCTIONS = ("publish", "subscribe", "notify", "audit", "heartbeat")
_HELPERS = ("notify", "audit", "heartbeat")
# Seconds after which SQS takes a repeat for a new message, with a reserve. Source: SQS developer
# guide, "Exactly-once processing in Amazon SQS".
_DEDUPLICATED = 2 * 300
# Seconds that the end of a message may be known before its beginning.
_DISORDER = 600.0


@dataclass(slots=True)
class _Message:
    queued: float | None = None
    done: float = math.inf


@dataclass
class Reader:
    """Reads a log batch by batch; keeps what a later line may need.

    Args:
        clock: ages are differences of its time; at its own pace a function's real ones.
        limits: as deployed.
    """

    clock: Clock
    limits: Limits = field(default_factory=Limits)
    messages: dict[str, _Message] = field(default_factory=dict)
    _sequence: dict[str, float] = field(default_factory=dict)
    _depths: list[Depth] = field(default_factory=list)
    _invocations: Invocations = field(init=False)

    def __post_init__(self) -> None:
        self._invocations = Invocations(self.clock)

    def read(
        self, lines: Iterable[Line], depths: Iterable[Depth] = (), *, until: float
    ) -> Iterator[Observation]:
        """What a batch adds.

        Args:
            lines: none of them in an earlier batch; those of a function in their order.
            depths: held back until all lines before them have been read.
            until: real time up to which all lines are in this batch or an earlier one.
        """
        for line in lines:
            yield from self._invocations.settle(line.at / 1000)
            yield from self._line(line)
        yield from self._invocations.settle(until)
        self._depths += depths
        ready = [depth for depth in self._depths if depth.at <= until]
        self._depths = [depth for depth in self._depths if depth.at > until]
        for depth in sorted(ready, key=lambda depth: depth.at):
            yield from self._depth(depth)

    def state(self) -> dict[str, Any]:
        """All that is kept, as JSON values: another reader goes on from it."""
        return {
            "messages": {
                name: [message.queued, None if message.done == math.inf else message.done]
                for name, message in self.messages.items()
            },
            "sequence": self._sequence,
            "invocations": self._invocations.state(),
            "depths": [
                [depth.at, depth.visible, depth.in_flight, depth.role] for depth in self._depths
            ],
        }

    def resume(self, state: Mapping[str, Any]) -> None:
        """Goes on from what ``state`` of another reader returned."""
        self.messages = {
            name: _Message(queued, math.inf if done is None else done)
            for name, (queued, done) in state["messages"].items()
        }
        self._sequence = dict(state["sequence"])
        self._invocations.resume(state["invocations"])
        self._depths = [Depth(*fields) for fields in state["depths"]]

    def _line(self, line: Line) -> Iterator[Observation]:
        at = line.at / 1000
        if boundary := BOUNDARY.match(line.text):
            yield from self._invocations.boundary(line, boundary, at)
            return
        fields = line.fields
        for name, count in COUNTS.items():
            role = "helpers" if name.endswith("problems") else line.function
            if (role != "helpers" or line.function in _HELPERS) and count.counts(line.text, fields):
                yield Observation(("WebhookBuffer/Logs", name, role), at, 1.0)
        if not fields:
            return
        if request := str(fields.get("request_id", "")):
            failed = fields.get("event") == "function.failed"
            yield from self._invocations.line(request, line.function, failed=failed)
        yield from self._embedded(fields, at)
        yield from self._event(fields, at)

    def _embedded(self, fields: Mapping[str, Any], at: float) -> Iterator[Observation]:
        """The metrics in a line. What a function decides by real time is decided again here."""
        values = _metrics(fields)
        age = self._age_of(fields, at)
        for key, value in values.items():
            name = key[1]
            if age is not None:
                if name == "BackendOutcome" and age > FRESH_SECONDS:
                    continue
                value = {"HeadAge": age, "DeliveryLag": 1000 * age}.get(name, value)
            yield Observation(key, at, value)
        blocked = next((key for key in values if key[1] == "HeadAge"), None)
        if (
            blocked
            and age is not None
            and (blocked[0], "BlockedGroup", "") not in values
            and age >= self.limits.blocked_seconds
        ):
            yield Observation((blocked[0], "BlockedGroup", ""), at, 1.0)

    def _age_of(self, fields: Mapping[str, Any], at: float) -> float | None:
        """A webhook's age at its attempt, in seconds of the session."""
        age_ms = fields.get("age_ms")
        if not isinstance(age_ms, int | float):
            return None
        return self.clock.waited(at - age_ms / 1000, at)

    def _event(self, fields: Mapping[str, Any], at: float) -> Iterator[Observation]:
        """What AWS counts itself, by what the functions say happened."""
        event = str(fields.get("event", ""))
        if event in ("webhook.queued", "webhook.refused"):
            status = answered(fields) or 0
            yield Observation(("AWS/ApiGateway", "Count", ""), at, 1.0)
            if 400 <= status < 600:
                yield Observation(("AWS/ApiGateway", f"{status // 100}xx", ""), at, 1.0)
            took = float(fields.get("duration_ms", 0))
            yield Observation(("AWS/ApiGateway", "Latency", ""), at, took)
        if event == "webhook.queued":
            yield from self._queued(fields, at)
        if event in ("webhook.delivered", "webhook.failed", "heartbeat.arrived"):
            yield Observation(("AWS/SQS", "NumberOfMessagesReceived", "queue"), at, 1.0)
        consumed = event == "webhook.failed" and fields.get("consumed")
        if event in ("webhook.delivered", "heartbeat.arrived") or consumed:
            yield Observation(("AWS/SQS", "NumberOfMessagesDeleted", "queue"), at, 1.0)
            self.messages.setdefault(str(fields.get("message_id")), _Message()).done = at

    def _queued(self, fields: Mapping[str, Any], at: float) -> Iterator[Observation]:
        """A duplicate is answered with its original's sequence number."""
        number = str(fields.get("sequence_number") or f"unknown {at} {len(self._sequence)}")
        while self._sequence:
            oldest, since = next(iter(self._sequence.items()))
            if at - since <= _DEDUPLICATED:
                break
            del self._sequence[oldest]
        repeated = number in self._sequence
        name = "NumberOfDeduplicatedSentMessages" if repeated else "NumberOfMessagesSent"
        yield Observation(("AWS/SQS", name, "queue"), at, 1.0)
        if not repeated:
            self._sequence[number] = at
            self.messages.setdefault(str(fields.get("message_id")), _Message()).queued = at

    def _depth(self, depth: Depth) -> Iterator[Observation]:
        if depth.role == "queue":
            yield from self._age(depth)
        values = {
            "ApproximateNumberOfMessagesVisible": depth.visible,
            "ApproximateNumberOfMessagesNotVisible": depth.in_flight,
        }
        if depth.role == "queue":
            # Each group has one message in flight at most.
            values["ApproximateNumberOfGroupsWithInflightMessages"] = depth.in_flight
        for name, value in values.items():
            yield Observation(("AWS/SQS", name, depth.role), depth.at, float(value))

    def _age(self, depth: Depth) -> Iterator[Observation]:
        waits = [
            message.queued
            for message in self.messages.values()
            if message.queued is not None and message.queued <= depth.at < message.done
        ]
        empty = depth.visible + depth.in_flight == 0
        if waits and not empty:
            age = self.clock.waited(min(waits), depth.at)
            yield Observation(("AWS/SQS", "ApproximateAgeOfOldestMessage", "queue"), depth.at, age)
        for name, message in list(self.messages.items()):
            if message.queued is None:
                over = message.done < depth.at - _DISORDER
            else:
                # Nothing waits in an empty queue, however it was emptied.
                over = message.done <= depth.at or (empty and message.queued <= depth.at)
            if over:
                del self.messages[name]


def _metrics(fields: Mapping[str, Any]) -> dict[Key, float]:
    """The embedded metrics of a line, one for each set of dimensions; none if malformed.

    Source: CloudWatch user guide, "Specification: Embedded metric format".
    """
    try:
        return {
            (
                str(directive["Namespace"]),
                str(metric["Name"]),
                part({name: str(fields.get(name, "")) for name in names}),
            ): float(fields[metric["Name"]])
            for directive in fields["_aws"]["CloudWatchMetrics"]
            for names in directive["Dimensions"]
            for metric in directive["Metrics"]
        }
    except (KeyError, TypeError, ValueError):
        return {}


def answered(fields: Mapping[str, Any]) -> int | None:
    """The HTTP status in a line's fields, if it has one."""
    http = fields.get("http")
    status = http.get("status_code") if isinstance(http, dict) else None
    return status if isinstance(status, int) else None


def observe(
    lines: Sequence[Line], depths: Sequence[Depth], clock: Clock, limits: Limits | None = None
) -> list[Observation]:
    """Everything at once: what a log that is complete says."""
    return list(Reader(clock, limits or Limits()).read(lines, depths, until=math.inf))
