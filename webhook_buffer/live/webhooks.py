"""What became of each webhook, by the log lines that name it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from webhook_buffer.live.observations import answered
from webhook_buffer.operations.logs import Line

# How many are kept, the newest.
_KEPT = 20_000
_ATTEMPTS_KEPT = 50


@dataclass(frozen=True, slots=True)
class Attempt:
    """One delivery attempt.

    Attributes:
        at: real time, Unix seconds.
        status: the backend's; None where none came, and then ``error`` says why.
    """

    at: float
    number: int
    status: int | None
    error: str | None
    duration_ms: float | None


@dataclass(slots=True)
class Webhook:
    """A webhook that was accepted.

    Attributes:
        queued, delivered: real time, Unix seconds; None while unknown.
        attempts: the newest; ``attempted`` counts all.
        parked: why it was parked; empty where it was not. ``held``: whether with its group.
        dropped: whether a person dropped it then.
    """

    message_id: str
    group: str = ""
    method: str = ""
    path: str = ""
    body_bytes: int = 0
    queued: float | None = None
    delivered: float | None = None
    consumed: bool = False
    heartbeat: bool = False
    attempted: int = 0
    attempts: list[Attempt] = field(default_factory=list)
    parked: str = ""
    held: bool = False
    dropped: bool = False

    @property
    def state(self) -> str:
        """``delivered``, ``retrying``, ``queued``, ``parked``, ``dropped`` or ``consumed``."""
        if self.consumed:
            return "consumed"
        if self.delivered is not None:
            return "delivered"
        if self.dropped:
            return "dropped"
        if self.parked:
            return "parked"
        return "retrying" if self.attempted else "queued"


class Webhooks(OrderedDict[str, Webhook]):
    """Webhooks by message id, the newest last, and no more than are kept.

    Attributes:
        undelivered: those of them that are retrying, queued or parked, by message id.
    """

    def __init__(self) -> None:
        super().__init__()
        self.undelivered: dict[str, Webhook] = {}

    def keep(self, webhook: Webhook) -> None:
        """Takes a webhook as it is."""
        name = webhook.message_id
        self[name] = webhook
        while len(self) > _KEPT:
            self.undelivered.pop(self.popitem(last=False)[0], None)
        self._place(webhook)

    def _place(self, webhook: Webhook) -> None:
        if webhook.state in ("retrying", "queued", "parked"):
            self.undelivered[webhook.message_id] = webhook
        else:
            self.undelivered.pop(webhook.message_id, None)

    @property
    def parked(self) -> list[str]:
        """The ids of those that are parked."""
        return [name for name, webhook in self.undelivered.items() if webhook.state == "parked"]

    def drop(self, name: str) -> None:
        """Takes that a person dropped a parked webhook."""
        if name in self:
            self[name].dropped = True
            self._place(self[name])

    def read(self, line: Line) -> None:
        """Takes what a line says of a webhook."""
        event = line.fields.get("event")
        name = line.fields.get("message_id")
        if not isinstance(name, str):
            return
        if event == "webhook.queued":
            self._queued(self._of(name), line)
        elif event in ("webhook.delivered", "webhook.failed", "heartbeat.arrived"):
            self._attempted(self._of(name), line)
        elif event == "webhook.parked":
            self._parked(self._of(name), line)
        else:
            return
        self._place(self[name])

    def _of(self, name: str) -> Webhook:
        if name not in self:
            self.keep(Webhook(name))
        return self[name]

    def _queued(self, webhook: Webhook, line: Line) -> None:
        fields = line.fields
        if webhook.queued is None:
            webhook.queued = line.at / 1000
        webhook.group = str(fields.get("group_id", ""))
        webhook.method = str(fields.get("method", ""))
        webhook.path = str(fields.get("path", ""))
        webhook.body_bytes = _whole(fields, "body_bytes")
        webhook.heartbeat = bool(fields.get("heartbeat"))

    def _attempted(self, webhook: Webhook, line: Line) -> None:
        fields, at = line.fields, line.at / 1000
        webhook.group = webhook.group or str(fields.get("group_id", ""))
        error, took = fields.get("error"), fields.get("duration_ms")
        attempt = Attempt(
            at,
            _whole(fields, "attempt"),
            answered(fields),
            str(error) if error else None,
            float(took) if isinstance(took, int | float) else None,
        )
        webhook.attempted += 1
        webhook.attempts = [*webhook.attempts, attempt][-_ATTEMPTS_KEPT:]
        webhook.consumed = webhook.consumed or bool(fields.get("consumed"))
        if fields["event"] != "webhook.failed":
            webhook.delivered = at

    def _parked(self, webhook: Webhook, line: Line) -> None:
        webhook.group = webhook.group or str(line.fields.get("group_id", ""))
        webhook.parked = str(line.fields.get("reason") or "unknown")
        webhook.held = line.fields.get("state") == "held"


def _whole(fields: Mapping[str, Any], name: str) -> int:
    value = fields.get(name)
    return value if isinstance(value, int) else 0
