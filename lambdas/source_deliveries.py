"""Whether the backend takes anything of a source: when it last did, and of which group.

It distinguishes a webhook that the backend refuses from a backend that refuses everything.
"""

from __future__ import annotations

import time
from typing import Any

from lambdas.base import aws
from lambdas.config import SubscribeConfig

# How exact it is: each container writes it this often at most.
_NOTE_SECONDS = 30.0
_CALL_SECONDS = 0.3

# When this container last wrote it, by source.
_noted: dict[str, float] = {}


def note(config: SubscribeConfig, source: str, group_id: str) -> None:
    """Writes down that a source's webhook was delivered, every half minute at most."""
    now = time.time()
    if now - _noted.get(source, 0.0) < _NOTE_SECONDS:
        return
    item = {
        "partition": {"S": f"s#{source}"},
        "row": {"S": "delivered"},
        "at": {"N": str(round(now * 1000))},
        "group_id": {"S": group_id},
    }
    try:
        _call("PutItem", {"TableName": config.parking, "Item": item})
    except aws.AwsError:
        return  # then refusals do not count for a while
    _noted[source] = now


def elsewhere(config: SubscribeConfig, source: str, group_id: str) -> int | None:
    """When a webhook of another group of a source was last delivered, as far as that is known.

    Returns:
        Milliseconds since the epoch.
    """
    at, group = _read(config, source)
    return at if at and group != group_id else None


def latest(config: SubscribeConfig, source: str) -> int:
    """When a webhook of a source was last delivered, milliseconds since the epoch; 0 if unknown."""
    return _read(config, source)[0]


def _read(config: SubscribeConfig, source: str) -> tuple[int, str]:
    """When a source's last delivery was, and of which group; 0 if that is not known."""
    key = {"partition": {"S": f"s#{source}"}, "row": {"S": "delivered"}}
    try:
        item = _call("GetItem", {"TableName": config.parking, "Key": key}).get("Item")
        return (int(item["at"]["N"]), str(item["group_id"]["S"])) if item else (0, "")
    except (aws.AwsError, KeyError, TypeError, ValueError):
        return 0, ""


def _call(action: str, parameters: dict[str, object]) -> dict[str, Any]:
    return aws.DYNAMODB.call(action, parameters, seconds=_CALL_SECONDS, within=_CALL_SECONDS)
