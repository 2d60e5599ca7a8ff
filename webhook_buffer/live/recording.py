"""Records what alarms would have read of a running buffer, for a replay."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable

from alarmproof.base.alarms import AnyAlarm
from alarmproof.base.metric_data import Series

from webhook_buffer.live import sources
from webhook_buffer.live.pace import MINUTE, Clock
from webhook_buffer.live.session import Session
from webhook_buffer.operations.environment import Environment

_POLL_SECONDS = 2.0
# What waits may be older than the recording.
_BEFORE = 3600


def record(
    target: Environment,
    alarms: Iterable[AnyAlarm],
    *,
    minutes: int,
    progress: Callable[[int], None],
) -> list[Series]:
    """Observes a running buffer for some full minutes, and returns what alarms would have read.

    Args:
        progress: called with the number of each minute that is over.
    """
    start = (math.floor(time.time() / MINUTE) + 1) * MINUTE
    clock = Clock.begun(start - _BEFORE)
    session = Session.begun(
        target.settings.environment,
        real=start - _BEFORE,
        pace=clock.pace,
        limits=sources.deployed_limits(target),
        roles=sources.roles_of(target.settings),
    )
    source = sources.LaptopSource(target, since=start - _BEFORE)
    for minute in range(minutes):
        while time.time() < start + MINUTE * (minute + 1):
            time.sleep(_POLL_SECONDS)
            session.apply(source.poll())
        progress(minute + 1)
    session.apply(source.poll())
    return session.cells.recording(alarms, start=start, minutes=minutes)
