"""The record of a running drill: which alarms it may set off, and when.

Whoever runs a drill writes it, into the table of ``lambdas.incidents``; ``notify`` reads it. An
alarm that it does not name, or that fires at another time, is real.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lambdas.base import aws

KEY: dict[str, Any] = {"id": {"S": "drill"}}
# An alarm's time may lack its fraction of a second; milliseconds.
_ROUNDED = 1000


@dataclass(frozen=True, slots=True)
class Drill:
    """A drill that may be running.

    Attributes:
        name: ``backend-unreachable``.
        alarms: from when until when each may fire because of it, in milliseconds since the epoch.
        pagerduty: whether PagerDuty opens an incident for it, too.
    """

    name: str
    alarms: Mapping[str, tuple[int, int]]
    pagerduty: bool

    def expects(self, alarm: str, at: int) -> bool:
        """Whether an alarm that changed then did so because of the drill.

        Args:
            at: milliseconds since the epoch.
        """
        begin, end = self.alarms.get(alarm, (1, 0))
        return begin - _ROUNDED <= at <= end


def item(
    drill: str,
    alarms: Mapping[str, tuple[float, float]],
    *,
    pagerduty: bool,
    by: str,
    run: str,
) -> dict[str, Any]:
    """A record as DynamoDB's item, which it deletes some time after the last of the times.

    Args:
        alarms: from when until when each may fire, Unix seconds, by name.
        by: who runs it, for others to read.
        run: the id of the run, which alone replaces its record before it expires.
    """
    now = time.time()
    until = max((end for _, end in alarms.values()), default=now)
    return {
        **KEY,
        "drill": {"S": drill},
        "alarms": {
            "M": {
                name: {"L": [{"N": str(round(1000 * at))} for at in times]}
                for name, times in alarms.items()
            }
        },
        "pagerduty": {"BOOL": pagerduty},
        "by": {"S": by},
        "run": {"S": run},
        "begun": {"N": str(round(now))},
        "expires_at": {"N": str(round(until) + 1)},
    }


def load(table: str, *, seconds: float, within: float) -> Drill | None:
    """The drill that is recorded; None if none is, or if its record is damaged.

    Raises:
        AwsError: When the table can't be read.
    """
    reply = aws.DYNAMODB.call(
        "GetItem",
        {"TableName": table, "Key": KEY, "ConsistentRead": True},
        seconds=seconds,
        within=within,
    )
    said = reply.get("Item")
    if not said:
        return None
    try:
        alarms = {}
        for name, times in said["alarms"]["M"].items():
            begin, end = (int(moment["N"]) for moment in times["L"])
            alarms[name] = (begin, end)
        return Drill(said["drill"]["S"], alarms, bool(said["pagerduty"]["BOOL"]))
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
