"""What an environment has, as dashboards see it."""

from __future__ import annotations

from monitoring.model.dashboards import Deployed
from monitoring.model.signals import Kind
from settings.schema import Settings


def deployed(settings: Settings) -> Deployed:
    """The resources and functions of an environment, by role."""
    return Deployed(
        buffer=settings.existing is None,
        existing=_existing(settings),
        functions=tuple(settings.functions),
        heartbeats=settings.sends_heartbeats,
        sources=tuple(settings.source_names),
        streamed=settings.datadog is not None and settings.datadog.metrics == "stream",
    )


def _existing(settings: Settings) -> dict[str, Kind]:
    existing = settings.existing
    if existing is None:
        return {}
    return {
        **{queue.role: Kind.QUEUE for queue in existing.queues},
        **{function.role: Kind.FUNCTION for function in existing.functions},
        **{
            api.role: Kind.HTTP_API if api.kind == "http" else Kind.REST_API
            for api in existing.apis
        },
        **{table.role: Kind.TABLE for table in existing.tables},
    }
