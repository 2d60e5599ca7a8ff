"""SQS, DynamoDB and S3 as far as subscribe uses them, in memory, on a clock that the test sets.

SQS: FIFO groups, visibility, receipt handles that expire, deduplication; within its contract a
message comes again whenever its visibility timeout ends before it is deleted. DynamoDB: items,
conditions, and transactions that do everything or nothing. ``test_modelled_aws.py`` compares both
with the emulator.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lambdas.base.aws import AwsError

Item = dict[str, Any]

# SQS's sequence numbers only rise, so the run gets past a power of ten.
_FIRST_SEQUENCE = 10**19 - 100


@dataclass
class Message:
    """A message, and its latest receive."""

    id: str
    group: str
    sequence: int
    body: str
    attributes: dict[str, Any]
    sent: float
    visible_at: float
    receives: int = 0
    first_received: float = 0.0
    handle: str = ""


@dataclass
class Queue:
    """A FIFO queue with batches of one message."""

    visibility: float
    now: float = 0.0
    groups: dict[str, list[Message]] = field(default_factory=dict)
    _sequence: int = 0
    _seen: dict[tuple[str, str], tuple[float, str]] = field(default_factory=dict)
    # When the next group becomes ready; None until that is looked up again. Runs ask at each step.
    _soonest: float | None = None

    def send(self, group: str, body: str, attributes: dict[str, Any], duplicate: str) -> str:
        """Queues a message; the id of the first one for a repeat within five minutes."""
        at, message_id = self._seen.get((group, duplicate), (-1e9, ""))
        if self.now - at < 300:
            return message_id
        self._sequence += 1
        message_id = f"m-{self._sequence:06}"
        self._seen[group, duplicate] = (self.now, message_id)
        self._soonest = None
        self.groups.setdefault(group, []).append(
            Message(message_id, group, self._sequence, body, attributes, self.now, self.now)
        )
        return message_id

    def ready(self) -> list[str]:
        """The groups of which a message can be received now."""
        if self.next_at() > self.now:
            return []
        return [
            group
            for group, messages in self.groups.items()
            if messages and messages[0].visible_at <= self.now
        ]

    def next_at(self) -> float:
        """When the next group becomes ready; never, if none is left."""
        if self._soonest is None:
            heads = [line[0].visible_at for line in self.groups.values() if line]
            self._soonest = min(heads, default=math.inf)
        return self._soonest

    def receive(self, group: str) -> Item:
        """Hands out a group's first message as Lambda's event has it."""
        message = self.groups[group][0]
        message.receives += 1
        message.first_received = message.first_received or self.now
        message.visible_at = self.now + self.visibility
        self._soonest = None
        message.handle = f"{message.id}/{message.receives}"
        return {
            "messageId": message.id,
            "receiptHandle": message.handle,
            "body": message.body,
            "messageAttributes": message.attributes,
            "attributes": {
                "MessageGroupId": group,
                "SequenceNumber": sequence_number(message.id),
                "SentTimestamp": str(int(message.sent * 1000)),
                "ApproximateReceiveCount": str(message.receives),
                "ApproximateFirstReceiveTimestamp": str(int(message.first_received * 1000)),
            },
        }

    def in_flight(self, handle: str) -> Message:
        """The message of a receipt handle.

        Raises:
            AwsError: When the handle has expired, or the message is deleted.
        """
        for messages in self.groups.values():
            if messages and messages[0].handle == handle and messages[0].visible_at > self.now:
                return messages[0]
        raise AwsError("ReceiptHandleIsInvalid", retryable=False)

    def delete(self, handle: str) -> None:
        message = self.in_flight(handle)
        self.groups[message.group].remove(message)
        self._soonest = None
        if not self.groups[message.group]:
            del self.groups[message.group]

    def call(self, action: str, request: Item) -> Item:
        """ChangeMessageVisibility."""
        assert action == "ChangeMessageVisibility"
        message = self.in_flight(request["ReceiptHandle"])
        message.visible_at = self.now + request["VisibilityTimeout"]
        self._soonest = None
        return {}


def sequence_number(message_id: str) -> str:
    """The sequence number of a message."""
    return str(_FIRST_SEQUENCE + int(message_id.removeprefix("m-")))


class Tables:
    """DynamoDB's tables: items by table and key, whose attributes are replaced and never changed.

    Attributes:
        done: the tokens of transactions that were done.
    """

    def __init__(self, keys: dict[str, tuple[str, ...]]) -> None:
        self._keys = keys
        self.items: dict[str, dict[tuple[str, ...], Item]] = {name: {} for name in keys}
        self.done: set[str] = set()

    def call(self, action: str, request: Item) -> Item:
        """Does what subscribe asks of DynamoDB.

        Raises:
            AwsError: When a condition does not hold.
        """
        match action:
            case "GetItem":
                item = self.items[request["TableName"]].get(self._key(request))
                return {"Item": dict(item)} if item else {}
            case "Query":
                return {"Items": list(map(dict, self._begins_with(request)))}
            case "TransactWriteItems":
                return self._transact(request)
            case _:
                if not self._holds(request):
                    raise AwsError("ConditionalCheckFailedException", retryable=False)
                self._write(action.removesuffix("Item"), request)
                return {}

    def _transact(self, request: Item) -> Item:
        token = request["ClientRequestToken"]
        if token in self.done:
            return {}
        actions = [next(iter(action.items())) for action in request["TransactItems"]]
        if not all(self._holds(action) for _, action in actions):
            raise AwsError("TransactionCanceledException", retryable=False)
        places = [(action["TableName"], self._key(action)) for _, action in actions]
        assert len(set(places)) == len(places), "a transaction has each item once"
        for name, body in actions:
            self._write(name, body)
        self.done.add(token)
        return {}

    def _key(self, request: Item) -> tuple[str, ...]:
        names = self._keys[request["TableName"]]
        source = request.get("Key") or request["Item"]
        return tuple(source[name]["S"] for name in names)

    def _begins_with(self, request: Item) -> Iterator[Item]:
        values = request["ExpressionAttributeValues"]
        partition, begins = values[":partition"]["S"], values[":begins"]["S"]
        rows = self.items[request["TableName"]]
        matching = sorted(key for key in rows if key[0] == partition and key[1].startswith(begins))
        for key in matching[: request["Limit"]]:
            yield rows[key]

    def _holds(self, request: Item) -> bool:
        condition = request.get("ConditionExpression")
        if not condition:
            return True
        item = self.items[request["TableName"]].get(self._key(request), {})
        values = request.get("ExpressionAttributeValues", {})
        return any(_true(term, item, values) for term in condition.split(" OR "))

    def _write(self, action: str, request: Item) -> None:
        rows, key = self.items[request["TableName"]], self._key(request)
        match action:
            case "Put":
                rows[key] = dict(request["Item"])
            case "Delete":
                rows.pop(key, None)
            case "Update":
                item = rows.setdefault(key, dict(request["Key"]))
                _update(item, request)
            case _:
                assert action == "ConditionCheck", action


def _true(term: str, item: Item, values: Item) -> bool:
    if match := re.fullmatch(r"attribute_(not_)?exists\((\w+)\)", term):
        return (match[2] in item) != bool(match[1])
    match = re.fullmatch(r"(\w+) (=|<) (:\w+)", term)
    assert match, term
    if match[1] not in item:
        return False
    here, there = item[match[1]], values[match[3]]
    return bool(here == there if match[2] == "=" else int(here["N"]) < int(there["N"]))


def _update(item: Item, request: Item) -> None:
    """Applies ``SET a = :a, b = if_not_exists(b, :b) ADD c :c``."""
    names = request.get("ExpressionAttributeNames", {})
    values = request["ExpressionAttributeValues"]
    sets, _, adds = request["UpdateExpression"].removeprefix("SET ").partition(" ADD ")
    for part in re.split(r", (?![^(]*\))", sets):
        target, _, value = part.partition(" = ")
        name = names.get(target, target)
        if once := re.fullmatch(r"if_not_exists\(\S+, (:\w+)\)", value):
            item.setdefault(name, values[once[1]])
        else:
            item[name] = values[value]
    if adds:
        name, value = adds.split(" ")
        total = int(item.get(name, {"N": "0"})["N"]) + int(values[value]["N"])
        item[name] = {"N": str(total)}
