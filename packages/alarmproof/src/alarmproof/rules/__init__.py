"""The rules of ``alarmproof lint``: one module per topic, one function per rule.

A new rule is a function with ``@rule`` in the module of its topic, and a page ``docs/rules/ID.md``.
"""

from __future__ import annotations

from alarmproof.rules import (
    acceptance,
    actions,
    composition,
    dimensions,
    expressions,
    identifiers,
    metrics,
    missing_terms,
    names,
    outside,
    own,
    permissions,
    ranges,
    reach,
    reading,
    scaling,
    silence,
    timing,
)
from alarmproof.rules.registry import Rule, of_modules

RULES: tuple[Rule, ...] = of_modules(
    reading, acceptance, metrics, dimensions, own, identifiers, ranges, reach, expressions,
    missing_terms, actions, permissions, scaling, silence, timing, composition, names, outside,
)  # fmt: skip
