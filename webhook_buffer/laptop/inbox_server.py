"""The program of the inbox: it writes down every notification that is posted."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

from webhook_buffer.laptop import sentry_events
from webhook_buffer.laptop.inbox import ALERT_PATH, FILE, MAIL, SENTRY_FILE
from webhook_buffer.laptop.practice import append
from webhook_buffer.laptop.programs import program
from webhook_buffer.laptop.programs.listener import AnyMethod, listening

# Larger than any channel's message.
_MOST_BYTES = 512 * 1024


class Inbox(AnyMethod):
    """Writes down every notification that is posted."""

    folder: Path
    writing = threading.Lock()

    def serve(self) -> None:
        body = self.content()
        if self.command == "POST" and sentry_events.is_envelope(self.path):
            self._take(sentry_events.events(body, self.headers.get("Content-Encoding", "")))
            return
        entry = _entry(self.path, body) if self.command == "POST" else None
        if entry and len(body) <= _MOST_BYTES:
            with self.writing:
                append(self.folder / FILE, {"at": time.time(), **entry})
        self._answer(200 if entry else 400)

    def _take(self, events: list[dict[str, Any]]) -> None:
        """Writes down events of Sentry's."""
        for event in events:
            with self.writing:
                append(self.folder / SENTRY_FILE, {"at": time.time(), "content": event})
        self._answer(200)

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()


def _entry(path: str, body: bytes) -> dict[str, Any] | None:
    """What is written down of a request; None for anything but a notification."""
    try:
        document = json.loads(body)
    except ValueError:
        return None
    if not isinstance(document, dict):
        return None
    parts = path.strip("/").split("/")
    if len(parts) == 1:
        return {"channel": parts[0], "content": document}
    if len(parts) != 2 or parts[0] != MAIL:
        return None
    if document.get("Type") == "SubscriptionConfirmation":
        return {"topic": str(document.get("TopicArn")), "token": str(document.get("Token"))}
    text = str(document.get("Message", ""))
    content = {"subject": document.get("Subject", ""), "text": text}
    return {"channel": ALERT_PATH if _is_alarm(text) else parts[1], "content": content}


def _is_alarm(text: str) -> bool:
    """Whether CloudWatch wrote a mail, not ``notify``."""
    try:
        document = json.loads(text)
    except ValueError:
        return False
    return isinstance(document, dict) and "AlarmName" in document


def main() -> None:
    """Receives until it is ended."""
    arguments = program.arguments("inbox_server", __doc__, listens=True)
    ended = program.end()
    server = listening(type("Handler", (Inbox,), {"folder": arguments.folder}), arguments.port)
    ended.wait()
    server.shutdown()


if __name__ == "__main__":
    main()
