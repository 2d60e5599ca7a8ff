"""A buffer's history as AWS would have it: logs, record, queue; and what truly became of webhooks.

Nothing here is the audit's: a webhook's fate is decided first, and lines and rows follow from it.
"""

from __future__ import annotations

import base64
import json
import random
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lambdas.base import aws

MINUTE = 60_000
HOUR = 60 * MINUTE
START = 1_800_000_000_000
# The longest time for which a failed message is put back.
PAUSE = 15 * MINUTE


@dataclass
class Webhook:
    """One webhook's way; times in milliseconds since ``START``.

    Attributes:
        fate: ``delivered``, ``parked``, ``consumed``, ``stuck`` (it fails until the end),
            ``lost`` (gone from the queue when it would be received), ``lost-later`` (after it
            failed some times), or ``repeat`` (of the one before it in its group).
        fails: how often it fails before its fate.
        line: of its acceptance, and ``end`` of its end: ``there``, ``missing``, ``doubled``, or
            ``late``.
    """

    group: str
    at: int
    fate: str = "delivered"
    fails: int = 0
    line: str = "there"
    end: str = "there"
    id: str = ""
    number: int = 0


@dataclass
class World:
    """A history, and AWS's answers about it at a moment.

    Attributes:
        now: milliseconds since ``START``.
        lost: when each lost webhook was lost, by id.
        left: when each webhook left the queue as it should; those that stay are missing.
    """

    seed: int = 1
    now: int = 0
    lost: dict[str, int] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)
    accepted: list[Webhook] = field(default_factory=list)
    logs: dict[str, list[tuple[int, int, str]]] = field(default_factory=dict)
    record: dict[str, list[tuple[int, dict[str, Any]]]] = field(default_factory=dict)
    ledger: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    page: int = 500
    refuse: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)

    def play(self, webhooks: list[Webhook]) -> None:
        """Has everything happen, group by group, in order."""
        free: dict[str, int] = {}
        blocked: set[str] = set()
        latest: dict[str, Webhook] = {}
        for number, webhook in enumerate(sorted(webhooks, key=lambda webhook: webhook.at)):
            before = latest.get(webhook.group)
            # The first line of several with one deduplication id says which id SQS has given.
            repeats = (
                webhook.fate == "repeat"
                and before is not None
                and before.line in ("there", "doubled")
                and webhook.at - before.at < 5 * MINUTE
            )
            if webhook.fate == "repeat" and not repeats:
                webhook.fate = "delivered"
            webhook.number = 10_000 + number
            webhook.id = f"{self.seed:08x}-0000-4000-8000-{number:012x}"
            mark = f"{webhook.group}{before.number if repeats and before else webhook.number}"
            self._write(
                "publish", webhook.at, webhook.line, event="webhook.queued", message_id=webhook.id,
                group_id=webhook.group, sequence_number=str(webhook.number), deduplication=mark,
            )  # fmt: skip
            if repeats:
                self.left[webhook.id] = webhook.at
                continue
            self.accepted.append(webhook)
            latest[webhook.group] = webhook
            if webhook.group in blocked:
                if webhook.fate.startswith("lost"):
                    self.lost[webhook.id] = webhook.at
                continue
            head = max(webhook.at, free.get(webhook.group, 0)) + self.chance.randint(50, 900)
            done = self._handled(webhook, head)
            if done is None:
                blocked.add(webhook.group)
            else:
                free[webhook.group] = done
        for lines in self.logs.values():
            lines.sort()

    def _handled(self, webhook: Webhook, at: int) -> int | None:
        """Attempts a webhook; when its group goes on, if it does."""
        fails = {"stuck": 10_000, "lost": 0}.get(webhook.fate, webhook.fails)
        for attempt in range(1, fails + 1):
            self._attempt(webhook, at, attempt, "webhook.failed")
            at += self.chance.randint(MINUTE, PAUSE)
            if at > 12 * HOUR:
                return None
        if webhook.fate.startswith("lost"):
            self.lost[webhook.id] = at
            return at
        self.left[webhook.id] = at
        events = {"delivered": "webhook.delivered", "parked": "webhook.parked"}
        event = events.get(webhook.fate, "webhook.failed")
        # Where the line is missing the record has it, and the other way around.
        if webhook.end in ("missing", "late") or self.chance.random() < 0.8:
            name = "parked_at" if webhook.fate == "parked" else "delivered_timestamp"
            self._record(webhook.id, at, {name: {"N": str(START + at)}})
        self._attempt(webhook, at, fails + 1, event, webhook.end,
                      **({"consumed": True} if webhook.fate == "consumed" else {}))  # fmt: skip
        return at + 1

    def _attempt(
        self, webhook: Webhook, at: int, attempt: int, event: str, how: str = "there", **more: Any
    ) -> None:
        self._write(
            "subscribe", at, how, event=event, message_id=webhook.id, group_id=webhook.group,
            sequence_number=str(webhook.number), attempt=attempt, age_ms=at - webhook.at, **more,
        )  # fmt: skip
        if event == "webhook.failed" and not more:
            tried = {"L": [{"M": {"at": {"N": str(START + at)}}}]}
            self._record(f"{webhook.id}#attempts", at, {"recent": tried})

    def _record(self, key: str, at: int, values: dict[str, Any]) -> None:
        self.record.setdefault(key, []).append((at, {"id": {"S": key}, **values}))

    def _write(self, log: str, at: int, how: str, **fields: Any) -> None:
        lines = self.logs.setdefault(log, [])
        text = json.dumps({"at": START + at, "level": "INFO", **fields})
        if how != "missing":
            seen = at + (self.chance.randint(MINUTE, 9 * HOUR) if how == "late" else 2_000)
            lines += [(at, seen, text)] * (2 if how == "doubled" else 1)

    def call(self, action: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        """What AWS answers now."""
        answers = {
            "FilterLogEvents": self._lines,
            "BatchGetItem": self._rows,
            "Query": self._parked,
            "GetItem": self._item,
            "PutItem": self._put,
            "DeleteItem": self._deleted,
            "GetQueueUrl": self._queue,
            "GetQueueAttributes": self._depth,
        }
        self.calls[action] += 1
        if action in self.refuse:
            raise aws.AwsError("AccessDenied", retryable=False)
        return answers[action](asked)

    def _lines(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        lines = self.logs.get(asked["logGroupName"], [])
        first = bisect_left(lines, (asked["startTime"] - START,))
        last = bisect_left(lines, (asked["endTime"] - START + 1,))
        begin = first + int(asked.get("nextToken", "0"))
        page = lines[begin : min(begin + self.page, last)]
        events = [
            {"timestamp": START + at, "message": text}
            for at, seen, text in page
            if seen <= self.now
        ]
        more = begin + self.page < last
        token = {"nextToken": str(begin - first + self.page)} if more else {}
        return {"events": events, **token}

    def _rows(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        [(table, wanted)] = asked["RequestItems"].items()
        keys = [key["id"]["S"] for key in wanted["Keys"]]
        assert len(keys) == len(set(keys)) <= 100
        rows, rest = [], wanted["Keys"][60:]
        for key in keys[:60]:
            versions = [item for at, item in self.record.get(key, []) if at <= self.now]
            if versions:
                rows.append({name: value for item in versions for name, value in item.items()})
        left = {table: {**wanted, "Keys": rest}} if rest else {}
        return {"Responses": {table: rows}, "UnprocessedKeys": left}

    def _parked(self, _asked: Mapping[str, Any]) -> dict[str, Any]:
        return {"Items": []}

    def _item(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        item = self.ledger.get(asked["Key"]["id"]["S"])
        return {"Item": item} if item else {}

    def _put(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        item = asked["Item"]
        raw = item.get("followed", {"B": ""})["B"]
        assert len(base64.b64decode(raw)) < 390_000
        before = self.ledger.get(item["id"]["S"], {}).get("generation")
        values = asked.get("ExpressionAttributeValues", {})
        if "ConditionExpression" in asked and before != values.get(":before"):
            raise aws.AwsError("ConditionalCheckFailedException", retryable=False)
        self.ledger[item["id"]["S"]] = item
        return {}

    def _deleted(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        self.ledger.pop(asked["Key"]["id"]["S"], None)
        return {}

    def _queue(self, _asked: Mapping[str, Any]) -> dict[str, Any]:
        return {"QueueUrl": "queue"}

    def _depth(self, _asked: Mapping[str, Any]) -> dict[str, Any]:
        gone = self.left | self.lost
        held = sum(
            webhook.at <= self.now < gone.get(webhook.id, self.now + 1) for webhook in self.accepted
        )
        return {"Attributes": {"ApproximateNumberOfMessages": str(held)}}
