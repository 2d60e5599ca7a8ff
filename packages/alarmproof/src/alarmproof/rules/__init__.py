"""The rules of ``alarmproof lint``: one module per topic, one function per rule.

A new rule is a function with ``@rule`` in the module of its topic, and a page ``docs/rules/ID.md``.
"""

from __future__ import annotations

from alarmproof.rules import (
    actions,
    composition,
    constraints,
    expressions,
    metrics,
    names,
    reading,
    timing,
)
from alarmproof.rules.registry import Rule, of_modules

RULES: tuple[Rule, ...] = of_modules(
    reading, constraints, metrics, expressions, actions, timing, composition, names
)
