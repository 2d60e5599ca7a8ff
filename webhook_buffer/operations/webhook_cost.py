"""What a webhook costs at AWS: delivered at its first attempt, and refused until it is parked.

The items are those that ``subscribe`` writes, made by its own code; their sizes and write units are
counted as AWS documents them. Source: DynamoDB developer guide, "Item sizes and formats", "Read and
write operations", "Global secondary indexes", "Amazon DynamoDB Transactions".
"""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lambdas import attempts, parked_index, record, record_index
from lambdas.base import envelope
from lambdas.delivery import Outcome
from lambdas.failure_policy import Policy, verdict
from monitoring import cost
from settings.schema import Settings

_KB = 1024
_AT = 1_700_000_000_000
_ID = "11111111-2222-3333-4444-555555555555"
_GROUP = "order-4711"
_SEQUENCE = "18850000000000000000"
# As a provider sends them; what varies is as long as it is there.
_HEADERS = (
    ("accept", "*/*"),
    ("content-type", "application/json"),
    ("user-agent", "GitHub-Hookshot/1a2b3c4"),
    ("x-github-delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958"),
    ("x-github-event", "push"),
    ("x-hub-signature-256", f"sha256={'0123456789abcdef' * 4}"),
    ("x-forwarded-for", "192.0.2.1"),
)
# Source: SQS pricing: each 64 KB of a message are a request.
_REQUEST_BYTES = 64 * _KB
# Assumed, of an invocation: seconds, and kB that it logs.
_SECONDS, _LOG_KB = 0.05, 1.0


@dataclass(frozen=True)
class Use:
    """What a webhook uses.

    Attributes:
        attempts: how many are made.
        writes, reads: request units of DynamoDB.
        objects: that are put into the bucket.
        dollars: for a million such webhooks.
    """

    attempts: int
    writes: int
    reads: int
    objects: int
    dollars: float


def example_body(size: int) -> bytes:
    """A JSON body of a size, of the lines of an order; the same at each call."""
    chance = random.Random(size)
    lines: list[dict[str, Any]] = []
    length = len('{"lines": []}')
    while length < size:
        line = {
            "sku": f"{chance.randrange(10**9):09}",
            "quantity": chance.randrange(1, 20),
            "price": chance.randrange(10**5) / 100,
            "note": "".join(chance.choices("abcdefghijklmnopqrstuvwxyz ", k=24)),
        }
        lines.append(line)
        length += len(json.dumps(line)) + 2
    return json.dumps({"lines": lines}).encode()[:size]


def delivered(size: int) -> Use:
    """A webhook with a body of so many bytes that its first attempt delivers."""
    sent = webhook(size)
    outcome = Outcome(_AT, 12.5, status=200)
    after = attempts.NONE.after(outcome)
    row, objects = item(sent, outcome, after)
    # The state of its group is read before the attempt.
    return _use(size, attempts=1, writes=_units([row]) + _indexes(row), reads=1, objects=objects)


def refused(size: int, settings: Settings) -> Use:
    """A webhook that is refused while others are delivered, until it is parked by itself."""
    sent, policy = webhook(size), _policy(settings)
    history, at, writes, objects = attempts.NONE, _AT, 0, 0
    reason = None
    while reason is None:
        outcome = Outcome(at, 12.5, status=422)
        before, history = history, history.after(outcome, refusal=True, counts=history.attempts > 0)
        if not before.attempts:
            first, objects = item(sent, outcome, history)
            writes += _units([first]) + _indexes(first)
        row = {"id": {"S": attempts.key(_ID)}, **attempts.attributes(history)}
        writes += _units([row])
        reason = verdict(policy, history, received_at=_AT, now=at)
        # The mean of the delays' jitter.
        longest = min(settings.retryMaxSeconds, settings.retryBaseSeconds * 2**history.attempts / 2)
        at += round(750 * longest)
    writes += _parked(sent, row)
    # Each attempt reads the group's state; the later ones the row of attempts, and whether others
    # of the source are delivered.
    reads = 3 * history.attempts - 2
    return _use(size, attempts=history.attempts, writes=writes, reads=reads, objects=objects)


def _policy(settings: Settings) -> Policy:
    policy = settings.failure_policy
    return Policy(
        on_park="message",
        temporary=frozenset(),
        refusals=policy.refusals,
        refused_for=60 * policy.refusalMinutes,
        alone_for=3600 * policy.uncountedHours,
        longest=settings.longest_seconds,
        per_hour=policy.parkedPerHour,
        keep=86_400 * policy.keepDays,
        breaker=False,
        retry_share=1.0,
    )


def webhook(size: int) -> envelope.Envelope:
    """A provider's webhook with a body of so many bytes."""
    return envelope.Envelope(
        "POST", "/orders", "", _HEADERS, example_body(size), _AT, source="github"
    )


def item(
    sent: envelope.Envelope, outcome: Outcome, after: attempts.History
) -> tuple[dict[str, Any], int]:
    """The item of a first attempt, and how many objects hold its body."""
    request, content = record.request(_ID, sent)
    values = record.item(
        message_id=_ID,
        group_id=_GROUP,
        sequence_number=_SEQUENCE,
        after=after,
        envelope=sent,
        outcome=outcome,
    )
    ends = {"expires_at": {"N": str(_AT // 1000)}, "delivered_timestamp": {"N": str(_AT)}}
    return {"id": {"S": _ID}, **values, **request, **ends}, 1 if content else 0


def _indexes(item: Mapping[str, Any]) -> int:
    """Write units of the indexes that an item is new in: each has its keys alone."""
    return sum(index.partition in item for index in record_index.INDEXES)


def _parked(sent: envelope.Envelope, row: Mapping[str, Any]) -> int:
    """Write units of parking: twice of all that is in the transaction, and the index's row."""
    from lambdas.parked_rows import packed

    message = envelope.pack(sent)
    attributes = {
        name: {"dataType": "Binary", "binaryValue": value["BinaryValue"]}
        for name, value in message.attributes.items()
    }
    content = packed(_ID, {"body": message.text, "messageAttributes": attributes})
    listed = {name: {"S": "x" * 20} for name in parked_index.LISTED}
    stored = {**listed, "message": {"B": base64.b64encode(content).decode()}}
    brake = {"partition": {"S": "s#github"}, "row": {"S": "hour#472222"}}
    return 2 * _units([stored, row, brake]) + _units([listed])


def invocation() -> str:
    """What is assumed of an invocation, in words."""
    return f"{1000 * _SECONDS:g} ms at {cost.function_gb():g} GB and {_LOG_KB:g} kB of logs each"


def _use(size: int, *, attempts: int, writes: int, reads: int, objects: int) -> Use:
    chunks = -(-size // _REQUEST_BYTES) or 1
    used = {
        "API request": 1,
        # Sent, then received at each attempt, put back after all but the last, and deleted.
        "FIFO request": chunks + chunks * attempts + 2 * (attempts - 1) + 1,
        "invocation": 1 + attempts,
        "GB-second": cost.function_gb() * (1 + attempts) * _SECONDS,
        "log": (1 + attempts) * _LOG_KB / 1e6,
        "write": writes,
        "read": reads,
        "object": objects,
    }
    return Use(attempts, writes, reads, objects, 1_000_000 * cost.dollars(used))


def _units(items: Iterable[Mapping[str, Any]]) -> int:
    """Write units: one for each item's every begun KB."""
    return sum(-(-item_bytes(item) // _KB) for item in items)


def item_bytes(item: Mapping[str, Any]) -> int:
    """An item's size in DynamoDB."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: Mapping[str, Any]) -> int:
    [(kind, content)] = value.items()
    match kind:
        case "M":
            return 3 + sum(1 + len(name) + _value_bytes(inner) for name, inner in content.items())
        case "L":
            return 3 + sum(1 + _value_bytes(inner) for inner in content)
        case "N":
            return 1 + (len(content.strip("-").replace(".", "")) + 1) // 2
        case "B":
            return len(content if isinstance(content, bytes) else base64.b64decode(content))
        case "BOOL" | "NULL":
            return 1
    return len(content.encode())
