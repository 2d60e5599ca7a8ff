"""The faux backend: it keeps what it receives and answers as instructed.

``FauxBackend`` is the logic; ``handler`` serves it behind an HTTP API, and the laptop's
scripted backend serves it on a socket, where it can also refuse and reset connections.
"""

from __future__ import annotations

import json
import os
import re
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lambdas.base import observe

with observe.loading():
    from lambdas.base.envelope import Envelope
    from lambdas.base.safe_json import json_object

_KEPT = 20_000


@dataclass(frozen=True, slots=True)
class Received:
    """One request as the backend saw it, and what it answered (None: it reset the connection).

    Attributes:
        at: seconds since the epoch.
        target: path and query as in the request line.
        headers: names in lower case.
    """

    at: float
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    status: int | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What to do with a request.

    Attributes:
        status: HTTP status.
        delay: seconds to wait before answering.
        reset: break the connection off instead of answering.
        headers: more response headers (``Retry-After``).
    """

    status: int = 200
    delay: float = 0.0
    reset: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)


class FauxBackend:
    """Answers requests from a script, and keeps them in the order they came in.

    Args:
        obey_flags: whether a JSON body's ``faux_backend_force_status_code`` decides the
            status (a number, or its digits), ``faux_backend_delay_seconds`` the delay,
            ``faux_backend_reset`` a reset.
    """

    def __init__(self, *, obey_flags: bool) -> None:
        self.obey_flags = obey_flags
        self.default = Answer()
        self.script: deque[Answer] = deque()
        self.received: deque[Received] = deque(maxlen=_KEPT)
        self._lock = threading.Lock()

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Keeps a request, decides on it, and waits its delay.

        The body's flags come first, then the script's next answer, then the default.
        """
        with self._lock:
            scripted = self.script.popleft() if self.script else self.default
        answer = self._flagged(body) or scripted
        status = None if answer.reset else answer.status
        with self._lock:
            self.received.append(Received(time.time(), method, target, headers, body, status))
        if answer.delay:
            time.sleep(answer.delay)
        return answer

    def _flagged(self, body: bytes) -> Answer | None:
        flags = json_object(body) if self.obey_flags else None
        if flags is None:
            return None
        status = _number(_unquoted(flags.get("faux_backend_force_status_code")), 200, 599)
        delay = _number(flags.get("faux_backend_delay_seconds"), 0, 60)
        reset = flags.get("faux_backend_reset") is True
        if not (status or delay or reset):
            return None
        return Answer(int(status or 200), delay or 0.0, reset)


def _unquoted(value: Any) -> Any:
    """The number in a text of digits; anything else as it is."""
    return int(value) if isinstance(value, str) and re.fullmatch("[0-9]{3}", value) else value


def _number(value: Any, least: float, most: float) -> float | None:
    """A JSON number within bounds, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if least <= value <= most else None


# One per sandbox: behind Lambda, "received" holds what this sandbox saw.
_BACKEND = FauxBackend(obey_flags=os.environ.get("TEST_FLAGS") == "true")


@observe.observed
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Serves the faux backend behind an HTTP API, where a reset becomes a 502."""
    webhook = Envelope.from_event(event)
    target = f"{webhook.path}?{webhook.query}" if webhook.query else webhook.path
    answer = _BACKEND.answer(webhook.method, target, dict(webhook.headers), webhook.body)
    status = 502 if answer.reset else answer.status
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json", **answer.headers},
        "body": json.dumps({"status": status, "received": len(_BACKEND.received)}),
    }
