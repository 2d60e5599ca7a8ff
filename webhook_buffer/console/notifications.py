"""The inbox: every notification as its channel got it, and Sentry's events, the newest first."""

from __future__ import annotations

from operator import itemgetter
from pathlib import Path
from typing import Any

from settings.schema import Settings
from webhook_buffer.laptop.inbox import ALERT_PATH, SENTRY_FILE, received
from webhook_buffer.laptop.practice import entries

_LISTED = 200


def listed(folder: Path, settings: Settings) -> list[dict[str, Any]]:
    """What an inbox received, with the kind of its channel.

    Args:
        folder: the inbox's.
    """
    kinds = {channel.id: channel.kind for channel in settings.notifications}
    kinds[ALERT_PATH] = "email"
    notified: list[dict[str, Any]] = [
        {
            "at": notification.at,
            "channel": notification.channel,
            "kind": kinds.get(notification.channel, "https"),
            "recovered": notification.recovered,
            "content": notification.content,
        }
        for notification in list(received(folder))[-_LISTED:]
    ]
    failures = [
        {
            "at": entry["at"],
            "channel": str(entry["content"].get("server_name") or "unknown server"),
            "kind": "sentry",
            "recovered": False,
            "content": entry["content"],
        }
        for entry in list(entries(folder / SENTRY_FILE))[-_LISTED:]
    ]
    newest = sorted([*notified, *failures], key=itemgetter("at"), reverse=True)
    return newest[:_LISTED]
