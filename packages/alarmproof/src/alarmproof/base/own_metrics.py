"""Metrics of one's own: what a project declares of them in ``alarmproof.toml``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OwnMetrics:
    """All metrics of a namespace that something outside of the templates publishes.

    Attributes:
        dimensions: the sets of names under which each is published; empty where that is not
            declared.
        unit: that each is published with; empty where that is not declared.
    """

    namespace: str
    names: frozenset[str]
    dimensions: frozenset[frozenset[str]] = frozenset()
    unit: str = ""
