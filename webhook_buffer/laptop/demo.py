"""The demo's webhooks: GitHub's payloads as GitHub sends them, and what became of them.

Its claims are checked against what the backend received, not what the buffer reports.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import NAMESPACE_URL, uuid5

from webhook_buffer.operations.send import Receipt, Summary, Webhook, percentile

_NUMBER = "X-Demo-Number"
_SIGNATURE = "X-Hub-Signature-256"
# Not a secret: it signs example payloads, to show that bodies arrive byte for byte.
_SIGNING_KEY = b"demo"


@dataclass(frozen=True)
class Numbered:
    """A webhook of the demo with its place in the order of sending, and who must keep it."""

    number: int
    group: str
    webhook: Webhook


@dataclass(frozen=True)
class Report:
    """What the demo saw.

    Attributes:
        lost: accepted, but never received intact by the backend.
        out_of_order: received after a webhook of its group that was sent later.
        duplicates: received again after having been received.
    """

    sent: int
    event_types: int
    groups: int
    summary: Summary
    delivered: int
    lost: int
    out_of_order: int
    duplicates: int
    lags_ms: Sequence[float]

    @property
    def holds(self) -> bool:
        """Nothing lost, nothing out of order, and everything accepted."""
        return self.lost == 0 and self.out_of_order == 0 and self.summary.accepted == self.sent

    def lag_ms(self, percent: float) -> float:
        return percentile(self.lags_ms, percent)


def examples(package: Path) -> list[Numbered]:
    """GitHub's example payloads as GitHub sends them, and a form-encoded and a binary webhook.

    Args:
        package: the installed npm package ``@octokit/webhooks-examples``.
    """
    events = json.loads((package / "api.github.com" / "index.json").read_text())
    webhooks = [
        (_group(payload), json.dumps(payload).encode(), "application/json", event["name"])
        for event in events
        for payload in event["examples"]
    ]
    form = urlencode({"group_id": "orders", "total": "12,50 €", "note": "a&b=c"}).encode()
    webhooks.append(("orders", form, "application/x-www-form-urlencoded", "form"))
    webhooks.append(("scans", os.urandom(100_000), "application/octet-stream", "binary"))
    return [
        _numbered(number, group, body, kind, event)
        for number, (group, body, kind, event) in enumerate(webhooks)
    ]


def report(
    webhooks: Sequence[Numbered],
    receipts: Mapping[int, Receipt],
    received: Iterable[Mapping[str, Any]],
) -> Report:
    """The verdict: compares what was sent and accepted with what the backend received.

    Args:
        received: entries of the faux backend, in order.
    """
    seen: set[int] = set()
    latest: dict[str, int] = {}
    out_of_order = duplicates = 0
    lags = []
    for request in received:
        headers = request["headers"]
        if request["status"] != 200 or _NUMBER.lower() not in headers:
            continue  # not taken, so not delivered; or not the demo's
        number = int(headers[_NUMBER.lower()])
        group = webhooks[number].group
        if number in seen:
            duplicates += 1
            continue
        out_of_order += number < latest.get(group, -1)
        latest[group] = max(number, latest.get(group, -1))
        if _intact(request, webhooks[number]):
            seen.add(number)
        accepted_at = datetime.fromisoformat(headers["x-buffer-received-at"]).timestamp()
        lags.append((request["at"] - accepted_at) * 1000)
    accepted = {number for number, receipt in receipts.items() if receipt.accepted}
    return Report(
        sent=len(webhooks),
        event_types=len({item.webhook.headers["X-GitHub-Event"] for item in webhooks}),
        groups=len({item.group for item in webhooks}),
        summary=Summary(list(receipts.values())),
        delivered=len(seen),
        lost=len(accepted - seen),
        out_of_order=out_of_order,
        duplicates=duplicates,
        lags_ms=lags,
    )


def _intact(request: Mapping[str, Any], sent: Numbered) -> bool:
    """Whether it arrived byte for byte, with the signature that the sender made of its body."""
    same = request["sha256"] == hashlib.sha256(sent.webhook.body).hexdigest()
    signed = request["headers"].get(_SIGNATURE.lower()) == sent.webhook.headers[_SIGNATURE]
    return bool(same and signed and request["target"] == sent.webhook.path)


def _numbered(number: int, group: str, body: bytes, kind: str, event: str) -> Numbered:
    headers = {
        "Content-Type": kind,
        "User-Agent": "GitHub-Hookshot/demo",
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": str(uuid5(NAMESPACE_URL, f"{time.time_ns()}-{number}")),
        _SIGNATURE: _sign(body),
        _NUMBER: str(number),
    }
    if kind == "application/octet-stream":
        headers["X-Group-Id"] = group
    return Numbered(number, group, Webhook(body=body, headers=headers, path="/github?source=demo"))


def _group(payload: dict[str, object]) -> str:
    """What keeps its order together; the same as the local environment's first extractor finds."""
    for owner, name in (
        ("repository", "full_name"),
        ("organization", "login"),
        ("sender", "login"),
    ):
        part = payload.get(owner)
        if isinstance(part, dict) and part.get(name):
            return str(part[name])
    return "none"


def _sign(body: bytes) -> str:
    return "sha256=" + hmac.new(_SIGNING_KEY, body, hashlib.sha256).hexdigest()
