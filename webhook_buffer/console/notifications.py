"""The inbox: every notification as its channel got it, the newest first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from settings.schema import Settings
from webhook_buffer.laptop.inbox import ALERT_PATH, received

_LISTED = 200


def listed(folder: Path, settings: Settings) -> list[dict[str, Any]]:
    """What an inbox received, with the kind of its channel.

    Args:
        folder: the inbox's.
    """
    kinds = {channel.id: channel.kind for channel in settings.notifications}
    kinds[ALERT_PATH] = "email"
    return [
        {
            "at": notification.at,
            "channel": notification.channel,
            "kind": kinds.get(notification.channel, "https"),
            "recovered": notification.recovered,
            "content": notification.content,
        }
        for notification in reversed(list(received(folder))[-_LISTED:])
    ]
