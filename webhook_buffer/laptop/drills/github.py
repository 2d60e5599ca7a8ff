"""GitHub's payloads as a drill's traffic, in the order of their groups."""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence

from webhook_buffer.laptop.demo import Numbered
from webhook_buffer.laptop.drills.traffic import HEADER, NUMBER, Sent, Traffic
from webhook_buffer.operations.send import Receipt, Webhook

_FINISH_SECONDS, _POLL_SECONDS = 60.0, 0.1


class GitHubTraffic(Traffic):
    """Sends each of some webhooks once, and then no more."""

    def __init__(
        self, endpoint: str, *, drill: str, rate: float, seed: int, webhooks: Sequence[Numbered]
    ) -> None:
        self._waiting: dict[str, deque[Numbered]] = defaultdict(deque)
        self._lanes = list(dict.fromkeys(webhook.group for webhook in webhooks))
        self._order = deque(self._lanes.index(webhook.group) for webhook in webhooks)
        for webhook in webhooks:
            self._waiting[webhook.group].append(webhook)
        self.receipts: dict[int, Receipt] = {}
        super().__init__(endpoint, drill=drill, rate=rate, seed=seed, groups=len(self._lanes))

    @property
    def left(self) -> int:
        """How many have not been sent yet."""
        return len(self._order)

    def finish(self) -> None:
        """Sends what is left."""
        deadline = time.monotonic() + _FINISH_SECONDS
        while self.left and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        super().finish()

    def _next(self) -> int | None:
        return self._order.popleft() if self._order else None

    def _send(self, group: int) -> None:
        """The next of a group, once the one before it was answered."""
        with self._locks[group]:
            name = self._lanes[group]
            item = self._waiting[name].popleft()
            sent = self._entered(name)
            headers = {**item.webhook.headers, **self._marks(sent)}
            webhook = Webhook(
                body=item.webhook.body, headers=headers, method=item.webhook.method,
                path=item.webhook.path,
            )  # fmt: skip
            self._post(sent, webhook)
            if sent.receipt:
                self.receipts[item.number] = sent.receipt

    def _marks(self, sent: Sent) -> Mapping[str, str]:
        return {HEADER: self._drill, NUMBER: self.number(sent)}
