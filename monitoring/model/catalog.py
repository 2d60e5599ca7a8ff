"""Everything that is defined, as one record that the entry points pass on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from monitoring.model.datadog import DatadogMonitor, Objective
from monitoring.model.signals import Composite, Kind, Signal


def _no_signals(*_: object) -> tuple[Signal, ...]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """The definitions of a project.

    Attributes:
        signals: of the buffer.
        composites: incidents over these signals.
        monitors: what only Datadog can evaluate.
        objectives: what becomes an SLO.
        source: the signals of a source that verifies its requests, by its role.
        existing: the signals of a resource that this project did not create, by its role, kind
            and physical name.
    """

    signals: tuple[Signal, ...]
    composites: tuple[Composite, ...] = ()
    monitors: tuple[DatadogMonitor, ...] = ()
    objectives: tuple[Objective, ...] = ()
    source: Callable[[str], tuple[Signal, ...]] = _no_signals
    existing: Callable[[str, Kind, str], tuple[Signal, ...]] = _no_signals
