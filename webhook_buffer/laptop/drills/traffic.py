"""What a drill sends: numbered webhooks at random moments, and a ledger of what was accepted."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from uuid import uuid4

from webhook_buffer.operations.send import Receipt, Sender, Webhook

GROUPS = 40
_SENDERS = 8
# What marks a drill's webhooks, so that anybody can distinguish them from traffic.
HEADER, NUMBER, PATH = "X-Buffer-Drill", "X-Drill-Number", "/webhook-buffer/drill"
# Shares of the webhooks that a faulty sender sends twice, or with a path that is not UTF-8.
_REPEATED, _INVALID, _INVALID_PATH = 0.2, 1.0, f"{PATH}/%FF"


@dataclass(slots=True)
class Sent:
    """A webhook of a drill.

    Attributes:
        at: when it was sent, Unix seconds.
        receipt: None while no answer came.
        accepted_at: when its answer came, if it was accepted.
    """

    number: int
    group: str
    at: float
    receipt: Receipt | None = None
    accepted_at: float | None = None


@dataclass
class Ledger:
    """All webhooks that a drill has sent, in the order of sending; safe between threads.

    Attributes:
        aside: the numbers of those that go aside alone, while their group goes on.
        dropped: the numbers of those that a person drops, so that they must not be delivered.
    """

    sent: list[Sent] = field(default_factory=list)
    invalid: int = 0
    aside: set[int] = field(default_factory=set)
    dropped: set[int] = field(default_factory=set)

    @property
    def accepted(self) -> Sequence[Sent]:
        return [sent for sent in list(self.sent) if sent.accepted_at is not None]


class Traffic:
    """Webhooks at random moments, so many a second, until it is closed.

    A group's webhooks go out one after the other, so that their order is known.

    Attributes:
        flowing: whether any are sent.
        repeats: whether some are sent a second time.
        invalid: whether some more are sent that the API has to refuse.
    """

    def __init__(
        self, endpoint: str, *, drill: str, rate: float, seed: int, groups: int = GROUPS
    ) -> None:
        self.flowing, self.repeats, self.invalid = True, False, False
        self.ledger = Ledger()
        self._drill, self._rate, self._random = drill, rate, random.Random(seed)
        self._run_id = uuid4().hex[:8]
        self._sender = Sender(endpoint, connections=_SENDERS)
        self._locks = [threading.Lock() for _ in range(groups)]
        self._entering = threading.Lock()
        self._ended = threading.Event()
        self._pool = ThreadPoolExecutor(_SENDERS)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def finish(self) -> None:
        """Sends no more; what is under way has its answer afterwards."""
        self.close()

    def close(self) -> None:
        """Ends it, and waits for what is under way."""
        self._ended.set()
        self._thread.join()
        self._pool.shutdown()

    def group(self, number: int) -> str:
        """A group's id; each drill has its own."""
        return f"drill-{self._run_id}-{number}"

    def send_to(self, group: int) -> None:
        """Sends a webhook of a group now, in the order of its others."""
        self._pool.submit(self._send, group)

    def send_aside(self, group: int, prepare: Callable[[Sent], None]) -> Sent:
        """Sends a webhook that goes aside, once something was done with its number."""

        def prepared(sent: Sent) -> None:
            self.ledger.aside.add(sent.number)
            prepare(sent)

        return self._pool.submit(self._sent, group, prepared).result()

    def _run(self) -> None:
        at = time.monotonic()
        while not self._ended.is_set():
            at += self._random.expovariate(self._rate)
            if self._ended.wait(max(0.0, at - time.monotonic())):
                return
            if self.flowing and (group := self._next()) is not None:
                self._pool.submit(self._send, group)
            if self.invalid and self._random.random() < _INVALID:
                self._pool.submit(self._send_invalid)

    def _next(self) -> int | None:
        """The group of the next webhook; None where there is none."""
        return self._random.randrange(len(self._locks))

    def _send(self, group: int) -> None:
        self._sent(group)

    def _sent(self, group: int, prepare: Callable[[Sent], None] | None = None) -> Sent:
        with self._locks[group]:
            sent = self._entered(self.group(group))
            if prepare:
                prepare(sent)
            webhook = self._webhook(sent)
            self._post(sent, webhook)
            if self.repeats and sent.number % round(1 / _REPEATED) == 0:
                self._sender.post(webhook)
        return sent

    def _entered(self, group: str) -> Sent:
        """A webhook in the ledger, with the next number."""
        with self._entering:
            sent = Sent(len(self.ledger.sent), group, time.time())
            self.ledger.sent.append(sent)
        return sent

    def _post(self, sent: Sent, webhook: Webhook) -> None:
        sent.receipt = self._sender.post(webhook)
        if sent.receipt.accepted:
            sent.accepted_at = time.time()

    def _send_invalid(self) -> None:
        self._sender.post(Webhook(body=b"{}", headers={HEADER: self._drill}, path=_INVALID_PATH))
        self.ledger.invalid += 1

    def _webhook(self, sent: Sent) -> Webhook:
        headers = {
            "Content-Type": "application/json",
            "X-Group-Id": sent.group,
            "X-GitHub-Delivery": str(uuid4()),
            HEADER: self._drill,
            NUMBER: self.number(sent),
        }
        body = json.dumps({"drill": self._drill, "number": sent.number, "group_id": sent.group})
        return Webhook(body=body.encode(), headers=headers, path=PATH)

    def number(self, sent: Sent) -> str:
        """A webhook's number as its header says it, which no other drill's is."""
        return f"{self._run_id}-{sent.number}"

    def number_of(self, said: str) -> int | None:
        """The number in a webhook's header; None for another drill's."""
        run, _, number = said.partition("-")
        return int(number) if run == self._run_id and number.isdigit() else None
