"""The demo: real webhooks through a real deployment on the laptop, across a backend outage.

Its claims are checked against what the backend received, not what the buffer reports.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlencode
from uuid import NAMESPACE_URL, uuid5

from lambdas.faux_backend import Received
from settings.errors import ProofFailedError
from webhook_buffer.laptop.backend import ScriptedBackend
from webhook_buffer.operations.send import Receipt, Sender, Summary, Webhook, percentile

OUTAGE_SECONDS = 5.0
_DELIVERY_SECONDS = 150.0
_SENDERS = 4
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


def run(
    endpoint: str,
    backend: ScriptedBackend,
    webhooks: Sequence[Numbered],
    *,
    progress: Callable[[int, int, str], None],
) -> Report:
    """Sends every webhook, stops the backend along the way, and waits until all arrived.

    Args:
        endpoint: the buffer's.
        backend: the one it delivers to.
        progress: called with (accepted, received, what is going on).

    Raises:
        ProofFailedError: When not all arrived in time.
    """
    lanes: dict[str, list[Numbered]] = defaultdict(list)
    for webhook in webhooks:
        lanes[webhook.group].append(webhook)
    sender = Sender(endpoint, connections=_SENDERS)
    receipts: dict[int, Receipt] = {}

    def send(lane: list[Numbered]) -> None:
        for item in lane:
            receipts[item.number] = sender.post(item.webhook)

    def reached(count: int) -> bool:
        arrived = len(_distinct(backend))
        progress(_accepted(receipts), arrived, doing)
        return arrived >= count

    started = time.monotonic()
    with ThreadPoolExecutor(_SENDERS) as executor:
        sending = [executor.submit(send, lane) for lane in lanes.values()]
        doing = "backend up"
        _wait(lambda: reached(len(webhooks) // 3), started)
        backend.refuse()
        doing = "backend away"
        resume_at = time.monotonic() + OUTAGE_SECONDS
        _wait(lambda: reached(len(webhooks) + 1) or time.monotonic() > resume_at, started)
        backend.resume()
        doing = "backend back"
        for future in sending:
            future.result()
    _wait(lambda: reached(_accepted(receipts)), started)
    return report(webhooks, receipts, list(backend.faux.received))


def report(
    webhooks: Sequence[Numbered], receipts: dict[int, Receipt], received: Sequence[Received]
) -> Report:
    """The verdict: compares what was sent and accepted with what the backend received."""
    seen: set[int] = set()
    latest: dict[str, int] = {}
    out_of_order = duplicates = 0
    lags = []
    for request in received:
        if request.status != 200:
            continue  # not taken, so not delivered
        number = int(request.headers[_NUMBER.lower()])
        group = webhooks[number].group
        if number in seen:
            duplicates += 1
            continue
        out_of_order += number < latest.get(group, -1)
        latest[group] = max(number, latest.get(group, -1))
        if _intact(request, webhooks[number]):
            seen.add(number)
        accepted_at = datetime.fromisoformat(request.headers["x-buffer-received-at"]).timestamp()
        lags.append((request.at - accepted_at) * 1000)
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


def _intact(request: Received, sent: Numbered) -> bool:
    """Whether the body arrived byte for byte: the sender's signature still fits."""
    same = hmac.compare_digest(request.headers.get(_SIGNATURE.lower(), ""), _sign(request.body))
    return same and request.body == sent.webhook.body and request.target == sent.webhook.path


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


def _accepted(receipts: dict[int, Receipt]) -> int:
    return sum(receipt.accepted for receipt in list(receipts.values()))


def _distinct(backend: ScriptedBackend) -> set[str]:
    received = list(backend.faux.received)
    return {request.headers[_NUMBER.lower()] for request in received if request.status == 200}


def _wait(condition: Callable[[], bool], started: float) -> None:
    while not condition():
        if time.monotonic() - started > _DELIVERY_SECONDS:
            raise ProofFailedError(
                f"Not everything arrived at the backend within {_DELIVERY_SECONDS:.0f} s."
            )
        time.sleep(0.1)
