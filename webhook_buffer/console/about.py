"""What a console says of itself: where its numbers come from, and why a part has nothing."""

from __future__ import annotations

from collections.abc import Mapping

from webhook_buffer.live.session import Session

_AWS = (
    "Read from AWS with your credentials, once a minute; nothing is written. Proven against "
    "answers that were built from AWS's API models: not run on AWS."
)
_FILE = "This console shows a file: nothing on it changes."
_ABSENT: Mapping[tuple[str, str], str] = {
    ("file", "inbox"): "A file has no inbox.",
    ("file", "drills"): "A file can't be drilled.",
    ("file", "record"): "A file has no record to search.",
    ("aws", "inbox"): (
        "Notifications go to their channels, and no copy comes here. The timeline of an alarm says "
        "whether its actions ran."
    ),
    ("aws", "drills"): (
        "This console only reads. To see that alarms reach people: webhook-buffer alarms drill ID "
        "--env ENV"
    ),
}


def notice(kind: str, session: Session, said: str) -> str:
    """What stands above every view; empty on a laptop.

    Args:
        kind: of the place.
        said: of the reading, at this moment.
    """
    if kind == "aws":
        return f"{_AWS} {said}"
    if kind == "file":
        return f"{_FILE} It was read from AWS." if session.on_aws else _FILE
    return ""


def without(kind: str, part: str) -> str:
    """Why a part has nothing in a console of this kind; empty where it has."""
    return _ABSENT.get((kind, part), "")
