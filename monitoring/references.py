"""Checks that the roles and facts which definitions name exist in an environment."""

from __future__ import annotations

from collections.abc import Iterator

from monitoring import placeholders
from monitoring.model.checks import period_problems
from monitoring.model.signals import Signal, Threshold
from monitoring.resources import FACT, HELPERS, Resources


def signal_problems(signal: Signal, resources: Resources) -> list[str]:
    """The roles and facts of a signal that an environment lacks, and windows that can't be."""
    problems = [*threshold_problems(signal.threshold, resources)]
    for name, query in signal.queries.items():
        problems += role_problems(f"query '{name}'", query.role, resources)
        for fact in FACT.findall(query.statistic):
            problems += fact_problems(fact, resources)
    # Others' resources have no functions of ours, and what names these is then left out.
    if signal.log and signal.log not in HELPERS and resources.ours:
        problems += role_problems("log", signal.log, resources)
    numbers = [name for name in (signal.period, signal.periods) if isinstance(name, str)]
    for fact in (*FACT.findall(signal.expression or ""), *numbers):
        problems += fact_problems(fact, resources)
    problems += placeholders.unknown(signal, resources)
    if not problems:
        period, periods = resources.number(signal.period), resources.number(signal.periods)
        problems += period_problems(period, signal.datapoints, periods)
    return [f"signal '{signal.id}': {problem}" for problem in dict.fromkeys(problems)]


def threshold_problems(threshold: Threshold, resources: Resources) -> Iterator[str]:
    """Facts that a threshold names and that are not there, or in a unit that can't be its own."""
    for name in (threshold.of, threshold.at_most):
        if name is None:
            continue
        missing = list(fact_problems(name, resources))
        yield from missing
        if not missing and not resources.convertible(name, threshold.unit):
            unit = resources.fact(name).unit
            yield f"the threshold is in {threshold.unit}, but the fact '{name}' is in {unit}"


def role_problems(where: str, role: str, resources: Resources) -> Iterator[str]:
    """Checks that a resource has the role."""
    if role not in resources.by_role:
        roles = ", ".join(sorted(resources.by_role))
        yield f"{where}: no resource has the role '{role}'; use one of {roles}"


def fact_problems(name: str, resources: Resources) -> Iterator[str]:
    """Checks that the fact exists."""
    try:
        resources.fact(name)
    except KeyError:
        yield f"unknown fact '{name}'; monitoring/resources.py lists them"
