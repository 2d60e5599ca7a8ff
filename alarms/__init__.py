"""What is wrong when: the signals, as data. ``SIGNALS`` are the buffer's own, ``existing`` what
holds for queues, functions, APIs and tables of any other making."""

from __future__ import annotations

from alarms import api, backend, composites, functions, queue, slo, table, watch
from monitoring.model import Composite, Kind, Signal

SIGNALS: tuple[Signal, ...] = (
    *backend.SIGNALS,
    *queue.SIGNALS,
    *functions.SIGNALS,
    *api.SIGNALS,
    *table.SIGNALS,
    *slo.SIGNALS,
    *watch.SIGNALS,
)
COMPOSITES: tuple[Composite, ...] = composites.COMPOSITES


def existing(role: str, kind: Kind) -> tuple[Signal, ...]:
    """The signals of a resource that this app did not make; their ids begin with its role."""
    match kind:
        case Kind.QUEUE:
            return queue.of_any(role)
        case Kind.FUNCTION:
            return functions.of_any(role)
        case Kind.HTTP_API | Kind.REST_API:
            return api.of_any(role, kind)
        case Kind.TABLE:
            return table.of_any(role)
        case _:
            return ()
