"""Which signals an environment has alarms for, and why it has none for the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from monitoring.model.catalog import Catalog
from monitoring.model.signals import Kind, Signal
from monitoring.resources import Resources
from settings.schema import Settings

_NEEDS_OURS = "it needs metrics that only the buffer's own functions emit"
_OF_NOTIFICATIONS = {"notify", "notify-dlq"}


def candidates(settings: Settings, catalog: Catalog, resources: Resources) -> list[Signal]:
    """The signals of what an environment has, or would have with other settings."""
    if resources.ours:
        sources = [
            resource
            for resource in resources.by_role.values()
            if resource.kind is Kind.SOURCE and resource.name in settings.verified_sources
        ]
        return [
            *catalog.signals,
            *(signal for source in sources for signal in catalog.source(source.role)),
        ]
    generic = [
        signal
        for resource in resources.by_role.values()
        if resource.role not in _OF_NOTIFICATIONS
        for signal in catalog.existing(resource.role, resource.kind, resource.name)
    ]
    # Of the buffer's own signals, those about notifications hold everywhere.
    return generic + [signal for signal in catalog.signals if signal.roles <= _OF_NOTIFICATIONS]


def problems(settings: Settings, signals: Iterable[Signal]) -> Iterator[str]:
    """The settings that signals need and that no environment could have."""
    known = type(settings).model_fields
    for signal in signals:
        if signal.opt_in and signal.opt_in not in known:
            yield (
                f"signal '{signal.id}': opt_in: there is no setting '{signal.opt_in}'; "
                "docs/settings.md lists them"
            )


def left_out(
    settings: Settings, catalog: Catalog, resources: Resources, signals: Iterable[Signal]
) -> dict[str, str]:
    """Signal id -> why it has no alarm in an environment."""
    reasons = {}
    for signal in signals:
        change = settings.alarms.get(signal.id)
        if change and not change.enabled:
            reasons[signal.id] = f"settings say so (alarms.{signal.id}.enabled)"
        elif signal.opt_in and getattr(settings, signal.opt_in, None) is None:
            reasons[signal.id] = f"it is opt-in: set '{signal.opt_in}' (docs/settings.md)"
        elif signal.needs_heartbeat and not resources.ours:
            reasons[signal.id] = "its probe comes with the buffer's heartbeat"
        elif signal.needs_heartbeat and not settings.sends_heartbeats:
            reasons[signal.id] = "heartbeat is 'off'"
    if not resources.ours:
        generic = {signal.id for signal in signals}
        for signal in catalog.signals:
            if signal.id not in generic and _reads_ours(signal):
                reasons[signal.id] = _NEEDS_OURS
    return reasons


def _reads_ours(signal: Signal) -> bool:
    ours = (Kind.BUFFER, Kind.SOURCE)
    return any(query.metric.kind in ours for query in signal.queries.values())
