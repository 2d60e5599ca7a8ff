"""The signals, incidents, Datadog monitors and objectives, as data: ``CATALOG``."""

from __future__ import annotations

import re
from dataclasses import replace

from alarms import (
    api,
    backend,
    composites,
    datadog,
    datadog_slo,
    end_to_end,
    functions,
    parking,
    queue,
    signing,
    slo,
    sources,
    table,
)
from monitoring.model.catalog import Catalog
from monitoring.model.signals import Kind, Signal

_SIGNALS = (
    *backend.SIGNALS,
    *queue.SIGNALS,
    *parking.SIGNALS,
    *functions.SIGNALS,
    *api.SIGNALS,
    *table.SIGNALS,
    *slo.SIGNALS,
    *end_to_end.SIGNALS,
    *sources.SIGNALS,
    *signing.SIGNALS,
)

_MESSAGES = {"Webhook": "Message", "webhook": "message"}


def _existing(role: str, kind: Kind, name: str) -> tuple[Signal, ...]:
    """The signals of a resource that this app did not create; their ids begin with its role.

    Args:
        name: the resource's own, for the titles.
    """
    match kind:
        case Kind.QUEUE:
            signals = queue.of_any(role)
        case Kind.FUNCTION:
            signals = functions.of_any(role)
        case Kind.HTTP_API | Kind.REST_API:
            signals = api.of_any(role, kind)
        case Kind.TABLE:
            signals = table.of_any(role)
        case _:
            signals = ()
    return tuple(_theirs(signal, name) for signal in signals)


def _theirs(signal: Signal, name: str) -> Signal:
    title, impact = f"{name}: {_of_messages(signal.title)}", _of_messages(signal.impact)
    return replace(signal, title=title, impact=impact)


def _of_messages(text: str) -> str:
    """What the buffer calls a webhook is a message elsewhere; names in braces stay."""
    return re.sub(r"\{[^}]*\}|[Ww]ebhook", lambda match: _MESSAGES.get(match[0], match[0]), text)


# What the roots (app.py, the command, its laptop) hand to the machinery.
CATALOG = Catalog(
    signals=_SIGNALS,
    composites=composites.COMPOSITES,
    monitors=(*datadog.MONITORS, *datadog_slo.MONITORS),
    objectives=datadog_slo.OBJECTIVES,
    source=sources.of_source,
    existing=_existing,
)
