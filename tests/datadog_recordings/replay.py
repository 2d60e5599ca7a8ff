"""A recorded conversation, held once more: with the fake Datadog in Datadog's place."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from typing import Any
from urllib.parse import urlencode

from tests.datadog_recordings.bounds import bounded
from tests.datadog_recordings.reading import Call, Conversation, is_id, made_at, object_in
from tests.datadog_recordings.shape import current, differences
from webhook_buffer.laptop.fake_datadog import FakeDatadog

_NUMBER = re.compile(r"\d{5,}")
_SLO = re.compile(r"(?:error_budget|burn_rate)\(\"([^\"]+)\"")
_MONITOR: dict[str, Any] = {
    "name": "outside", "type": "query alert", "query": "avg(last_5m):avg:a{*} > 1", "tags": [],
    "message": "", "options": {"thresholds": {"critical": 1.0}}, "multi": False, "priority": None,
}  # fmt: skip
_SLO_BODY: dict[str, Any] = {"name": "outside", "type": "metric", "tags": [], "thresholds": []}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the fake answered to a recorded call.

    Attributes:
        status: 0 where it crashed.
        crash: why.
        compared: whether it was compared with the recorded one, which is as today's are.
        shape: in what it differs from that.
    """

    call: Call
    status: int
    reply: Any = None
    crash: str = ""
    compared: bool = False
    shape: tuple[str, ...] = ()

    @property
    def accepted(self) -> bool:
        return 200 <= self.status < 300

    @property
    def same(self) -> bool:
        """Whether the fake agrees with Datadog, a refusal's form included."""
        if self.status != self.call.status:
            return False
        return self.accepted or _form(self.reply) == _form(self.call.reply)


def replay(conversation: Conversation) -> list[Answer]:
    """The fake's answer to every call of a conversation."""
    times = (made_at(call.object) for call in conversation.calls)
    stage = Stage(next(filter(None, times), None))
    return [stage.answer(call) for call in conversation.calls]


class Stage:
    """A fake Datadog that has what a conversation takes for granted."""

    def __init__(self, now: datetime | None = None) -> None:
        self._fake = FakeDatadog()
        self._ids: dict[str, str] = {}
        self._headers = Message()
        self._headers["DD-API-KEY"], self._headers["DD-APPLICATION-KEY"] = self._fake.keys
        self._now = now or datetime.now(UTC)
        self._fake.set_clock(lambda: self._now)

    def send(self, method: str, target: str, body: Any = None) -> tuple[int, Any]:
        """Status and body of the fake's answer, with its ids in place of Datadog's."""
        content = b"" if body is None else self._translated(json.dumps(body)).encode()
        reply = self._fake.answer(method, self._translated(target), self._headers, content)
        assert reply is not None
        return reply.status, json.loads(reply.content) if reply.content else None

    def answer(self, call: Call) -> Answer:
        """The fake's answer to a recorded call, at the time of that."""
        self._now = max(self._now, made_at(call.object) or self._now)
        query = urlencode(call.query)
        try:
            with bounded():
                if call.accepted:
                    if call.id and call.method in ("GET", "PUT", "PATCH"):
                        self.put(call.kind, call.id, call.object or {})
                    self.supply(call.sent or {})
                target = call.path + (f"?{query}" if query else "")
                status, document = self.send(call.method, target, call.body)
        except Exception as error:  # whatever it is, the fake should not have met it
            return Answer(call, 0, crash=f"{type(error).__name__}: {error}"[:200])
        self._remember(call, document)
        if not (call.of_objects and call.accepted and status == call.status and current(call)):
            return Answer(call, status, document)
        shape = differences(call.kind, call.object, object_in(call.kind, document))
        return Answer(call, status, document, compared=True, shape=shape)

    def supply(self, sent: dict[str, Any]) -> None:
        """Makes what an object refers to, where that is not there."""
        query = str(sent.get("query", ""))
        monitors = {str(monitor) for monitor in _listed(sent.get("monitor_ids"))}
        if sent.get("type") == "composite":
            monitors |= set(_NUMBER.findall(query))
        identifier = sent.get("monitor_identifier")
        if isinstance(identifier, dict) and "monitor_id" in identifier:
            monitors.add(str(identifier["monitor_id"]))
        for number in monitors:
            self.put("monitor", number, _MONITOR)
        for key in _SLO.findall(query) if sent.get("type") == "slo alert" else ():
            self.put("slo", key, _SLO_BODY)

    def put(self, kind: str, id: str, body: dict[str, Any]) -> None:  # noqa: A002
        """Makes what was there before, unless it is there."""
        if is_id(id) and id not in self._ids:
            self._fake.put(kind, id, {**body, "id": int(id) if kind == "monitor" else id})
            self._ids[id] = id

    def _translated(self, text: str) -> str:
        if not self._ids:
            return text
        known = "|".join(map(re.escape, sorted(self._ids, key=len, reverse=True)))
        return re.sub(rf"(?<![\w-])({known})(?![\w-])", lambda match: self._ids[match[1]], text)

    def _remember(self, call: Call, document: Any) -> None:
        theirs, ours = call.object or {}, object_in(call.kind, document) or {}
        if call.method == "POST" and is_id(theirs.get("id")) and is_id(ours.get("id")):
            self._ids[str(theirs["id"])] = str(ours["id"])


def _listed(value: Any) -> list[Any]:
    return [entry for entry in value if is_id(entry)] if isinstance(value, list) else []


def _form(reply: Any) -> Any:
    """A refusal's form: its fields, and that its errors are texts."""
    if isinstance(reply, dict):
        return {name: _form(value) for name, value in sorted(reply.items())}
    if isinstance(reply, list):
        return [_form(entry) for entry in reply[:1]]
    return type(reply).__name__
